//! The JSON Schemas of what deka prints with `--json`.

use std::path::{Path, PathBuf};

use boon::{Compiler, Schemas};
use serde_json::Value;

/// The folder with the schemas.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deka/schemas")
}

/// Returns the schema of a name: `why`.
pub fn read(name: &str) -> Value {
    let path = folder().join(name).with_extension("json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("reading `{}`: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

/// Says what is wrong with a document by a schema, or with the schema itself.
pub fn validate(name: &str, document: &Value) -> Result<(), String> {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    // No file is read by it, and nothing fetched: schemas lead nowhere.
    let address = format!("deka:{name}");
    compiler.add_resource(&address, read(name)).map_err(|error| format!("{error:#}"))?;
    let schema = compiler.compile(&address, &mut schemas).map_err(|error| format!("{error:#}"))?;
    schemas.validate(document, schema).map_err(|error| format!("{error:#}"))
}

//! JSON for other programs: what a command with `--json` prints is one document.
//!
//! Each kind of document has a JSON Schema in `crates/deka/schemas`; the page there says what its
//! `schema_version` promises. Tests hold what commands print against it.

use serde_json::{Map, Value};

/// Prints a document with these fields, its version before them, in one line.
pub(crate) fn print(schema_version: u32, fields: impl IntoIterator<Item = (&'static str, Value)>) {
    crate::commands::print(&text(schema_version, fields));
}

fn text(schema_version: u32, fields: impl IntoIterator<Item = (&'static str, Value)>) -> String {
    let fields = [("schema_version", schema_version.into())].into_iter().chain(fields);
    let document: Map<_, _> = fields.map(|(name, value)| (name.to_owned(), value)).collect();
    format!("{}\n", Value::Object(document))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn the_version_comes_first() {
        let text = super::text(2, [("b", json!(1)), ("a", json!([]))]);
        assert_eq!(text, "{\"schema_version\":2,\"b\":1,\"a\":[]}\n");
    }
}

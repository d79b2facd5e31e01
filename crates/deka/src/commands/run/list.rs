//! Which scripts there are.

use std::fmt::Write as _;

use deka_install::OwnPackage;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::commands;
use crate::document;
use crate::render_error::printable;

/// That of `schemas/run.json`.
const SCHEMA_VERSION: u32 = 1;

/// Prints the scripts of a package.
pub(super) fn print(own: &OwnPackage, as_json: bool) {
    let scripts: Vec<(&str, &str)> =
        own.scripts().filter_map(|name| Some((name, own.script(name)?))).collect();
    if as_json {
        let package = own.manifest.name.map(|name| name.to_string());
        let scripts: Vec<Value> = scripts
            .iter()
            .map(|(name, command)| json!({ "name": name, "command": command }))
            .collect();
        document::print(SCHEMA_VERSION, [("package", json!(package)), ("scripts", json!(scripts))]);
        return;
    }
    if scripts.is_empty() {
        commands::print("No scripts in package.json\n");
        return;
    }
    let mut text = format!("{} scripts ({} found):\n", "package.json".bold(), scripts.len());
    for (name, command) in scripts {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  {} deka run {}\n    {}\n",
            "$".dimmed(),
            printable(name).bold(),
            printable(command).dimmed()
        );
    }
    commands::print(&text);
}

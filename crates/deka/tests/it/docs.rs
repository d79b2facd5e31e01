//! The pages in `docs` that are made of the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::project;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Returns the texts of what is generated below a folder, by path.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for part in ["commands", "man"] {
        for file in std::fs::read_dir(folder.join(part)).expect("a folder") {
            let path = file.expect("a file").path();
            let name = format!("{part}/{}", path.file_name().unwrap().to_string_lossy());
            pages.insert(name, std::fs::read_to_string(&path).expect("a text"));
        }
    }
    let exit_codes = std::fs::read_to_string(folder.join("exit-codes.md")).expect("a text");
    pages.insert("exit-codes.md".to_owned(), exit_codes);
    pages
}

#[test]
fn they_say_what_help_says() {
    let project = project();
    project.command(["generate-docs", "docs"]).run().assert_success();
    let (wanted, found) = (pages(&project.path().join("docs")), pages(&docs()));
    let differs = |name: &&String| wanted.get(*name) != found.get(*name);
    let outdated: Vec<&String> = wanted.keys().chain(found.keys()).filter(differs).collect();
    assert!(outdated.is_empty(), "run `cargo xtask docs`, these are out of date: {outdated:?}");
}

#[test]
fn every_command_has_a_page() {
    let pages = pages(&docs());
    for command in ["install", "add", "patch", "version", "init", "pm", "pm-pkg", "pm-pkg-set"] {
        let page = &pages[&format!("commands/deka-{command}.md")];
        assert!(page.contains(&format!("# deka {}\n", command.replace('-', " "))), "{page}");
        let man = &pages[&format!("man/deka-{command}.1")];
        assert!(man.contains(".TH "), "{man}");
    }
    assert!(pages["commands/deka-add.md"].contains("```sh\ndeka add react react-dom"));
    assert!(!pages.keys().any(|name| name.contains("generate-docs")));
}

#[test]
fn links_lead_somewhere() {
    let pages = pages(&docs());
    for (name, page) in pages.iter().filter(|(name, _)| name.starts_with("commands/")) {
        for link in page.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let is_there = docs().join("commands").join(target).exists();
            assert!(
                target.is_empty() || target.starts_with("http") || is_there,
                "{name}: {target}"
            );
        }
    }
}

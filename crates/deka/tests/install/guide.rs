//! `docs/getting-started.md`: what it shows is done, in its order.

use std::path::Path;

use deka_test::{Program, Registry, TestProject, say_skipped};

/// A block of code: its language, and its text.
fn blocks(guide: &str) -> Vec<(&str, &str)> {
    let parts = guide.split("\n```").skip(1).step_by(2);
    parts.map(|part| part.split_once('\n').expect("a language and a text")).collect()
}

fn publish(registry: &Registry) {
    let odd = "module.exports = (number) => number % 2 === 1;\n";
    for version in ["3.0.0", "3.0.1"] {
        let package = registry.package("is-odd", version).dep("is-number", "^6.0.0");
        package.file("index.js", odd).publish();
    }
    registry.package("is-number", "6.0.0").file("index.js", "").publish();
    for version in ["3.0.0", "3.1.0"] {
        let package = registry.package("prettier", version);
        package.file("cli.js", "#!/usr/bin/env node\n").bin("prettier", "cli.js").publish();
    }
}

#[test]
fn everything_in_it_works() {
    let node = Program::new("node", Path::new("/")).command().arg("--version").output();
    if node.is_err() {
        say_skipped("node is not here, so the guide is not followed");
        return;
    }
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/getting-started.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let registry = Registry::start();
    publish(&registry);
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(&registry);
    let bin = Path::new(env!("CARGO_BIN_EXE_deka")).parent().expect("a folder");
    let mut commands = 0;
    for (language, text) in blocks(&guide) {
        if language == "js" {
            let (path, code) = text.split_once('\n').expect("a path and a text");
            let path = path.strip_prefix("// ").expect("a path");
            project.write(path, code);
            continue;
        }
        assert_eq!(language, "sh");
        for line in text.lines() {
            let shell = project.other_program("sh").path_first(bin).args(["-ec", line]).run();
            assert_eq!(shell.code, Some(0), "{line}\n{}", shell.snapshot());
            commands += 1;
        }
    }
    assert!(commands > 15, "{commands}");
    assert!(project.exists("patches/is-odd@3.0.1.patch"));
    assert!(project.read("node_modules/is-odd/index.js").contains("Math.abs"));
    assert_eq!(project.read("package.json").matches("\"version\": \"1.1.0\"").count(), 1);
}

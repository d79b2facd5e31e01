//! Completions, as shells ask for them.

use std::path::Path;

use deka_test::{Program, TestProject, say_skipped};

use crate::{deka, project};

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "powershell", "elvish"];

/// A project with scripts, dependencies and a lockfile.
fn with_names() -> TestProject {
    let project = project();
    project.write(
        "package.json",
        r#"{ "name": "p", "scripts": { "build": "tsc", "build:watch": "tsc -w", "lint": "eslint .",
              "test": "true" },
            "dependencies": { "react": "1" }, "devDependencies": { "@types/react": "1" },
            "workspaces": ["web"] }"#,
    );
    project.write("web/package.json", r#"{ "name": "@p/web" }"#);
    project.write("node_modules/.bin/tsc", "").write("web/node_modules/.bin/vite", "");
    project.write(
        "bun.lock",
        r#"{ "lockfileVersion": 1, "workspaces": { "": { "name": "p", "dependencies": { "react": "1" } } },
            "packages": { "react": ["react@1.0.0", "", { "dependencies": { "loose-envify": "1" } }, ""],
                          "loose-envify": ["loose-envify@1.0.0", "", {}, ""] } }"#,
    );
    project
}

/// Returns what bash is offered for a line of words, the last of which is being typed.
fn offered(project: &TestProject, words: &[&str]) -> Vec<String> {
    let index = words.len().to_string();
    let program = project.command(["--", "deka"]).args(words).env("DEKA_COMPLETE", "bash");
    let program = program.env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n");
    let outcome =
        program.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true").run();
    outcome.assert_success();
    outcome.stdout.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn commands_and_flags_are_offered() {
    let project = with_names();
    assert_eq!(offered(&project, &["inst"]), ["install"]);
    assert_eq!(offered(&project, &["install", "--froz"]), ["--frozen-lockfile"]);
    assert_eq!(offered(&project, &["pm", "pk"]), ["pkg"]);
    let flags = offered(&project, &["install", "--"]);
    assert!(flags.contains(&"--minimum-release-age".to_owned()), "{flags:?}");
    for hidden in ["--no-frozen-lockfile", "--legacy-peer-deps"] {
        assert!(!flags.contains(&hidden.to_owned()), "{flags:?}");
    }
}

#[test]
fn names_of_the_project_are_offered() {
    let project = with_names();
    for (words, names) in [
        (&["run", ""][..], &["build", "build:watch", "lint", "test"][..]),
        (&["run", "li"], &["lint"]),
        (&["bui"], &["build", "build:watch"]),
        // As one of each, whether it is a script or not.
        (&["tes"], &["test"]),
        (&["run", "tes"], &["test"]),
        (&["remove", ""], &["react", "@types/react"]),
        (&["update", "rea"], &["react"]),
        (&["remove", "react", "@"], &["@types/react"]),
        (&["list", "rea"], &["react"]),
        (&["outdated", "@"], &["@types/react"]),
        (&["why", "lo"], &["loose-envify"]),
        (&["pm", "trust", "lo"], &["loose-envify"]),
        (&["exec", "t"], &["tsc"]),
        (&["run", "--filter", "@p"], &["@p/web"]),
        (&["add", "-F", "@"], &["@p/web"]),
        (&["list", "--filter", "@p"], &["@p/web"]),
        (&["patch", ""], &["loose-envify", "react"]),
        (&["patch", "--commit", "re"], &["react"]),
    ] {
        let mut found = offered(&project, words);
        found.retain(|candidate| !candidate.starts_with('-'));
        let mut names = names.to_vec();
        names.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, names, "{words:?}");
    }
    // Nothing to offer, and nothing said about it.
    project.write("package.json", "{").write("bun.lock", "{");
    assert_eq!(offered(&project, &["run", "li"]), Vec::<String>::new());
    assert_eq!(offered(&project, &["why", "lo"]), Vec::<String>::new());
}

#[test]
fn shells_understand_the_scripts() {
    for shell in SHELLS {
        let outcome = deka(&["completions", shell]);
        outcome.assert_success();
        assert!(outcome.stdout.contains("DEKA_COMPLETE"), "{}", outcome.snapshot());
        assert_eq!(outcome.stderr, "");
    }
    for (shell, path) in [("bash", "/bin/bash"), ("zsh", "/bin/zsh"), ("fish", "/usr/bin/fish")] {
        if !Path::new(path).exists() {
            say_skipped(&format!("`{path}` is not here, so its completions are not read"));
            continue;
        }
        let project = project();
        project.write("script", deka(&["completions", shell]).stdout);
        let outcome = Program::new(path, &project.path()).args(["-n", "script"]).run();
        outcome.assert_success();
        assert_eq!(outcome.stderr, "");
    }
}

/// Everything that bash does when somebody presses the tab key, but for the key.
#[test]
fn bash_completes() {
    if !Path::new("/bin/bash").exists() {
        say_skipped("bash is not here, so nothing is completed in it");
        return;
    }
    let project = with_names();
    let bin = Path::new(env!("CARGO_BIN_EXE_deka")).parent().expect("a folder");
    let complete = |line: &str| {
        let script = format!(
            "source <(deka completions bash)\n\
             COMP_LINE='{line}' COMP_POINT=${{#COMP_LINE}} COMP_TYPE=9\n\
             read -ra COMP_WORDS <<< \"$COMP_LINE\"; [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             function=$(complete -p deka | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n\
             word=${{COMP_WORDS[COMP_CWORD]}}\n\
             $function deka \"${{word##*[:=]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\" 2>/dev/null\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let shell = project.other_program("/bin/bash").path_first(bin).args(["-c", &script]).run();
        shell.assert_success().stdout.clone()
    };
    assert_eq!(complete("deka run li"), "lint\n");
    assert_eq!(complete("deka lint"), "lint\n");
    assert_eq!(complete("deka why lo"), "loose-envify\n");
    assert_eq!(complete("deka dedu"), "dedupe\n");
    assert_eq!(complete("deka run build"), "build\nbuild:watch\n");
    // Only what follows the last word break of bash.
    assert_eq!(complete("deka run build:w"), "watch\n");
    assert_eq!(complete("deka remove @types/r"), "@types/react\n");
    assert_eq!(complete("deka install --linker=h"), "hoisted\n");
}

#[test]
fn a_shell_has_to_be_named() {
    let outcome = deka(&["completions"]);
    outcome.assert_code(2);
    assert!(outcome.stderr.contains("`deka completions` needs `<shell>`"), "{}", outcome.stderr);
    let outcome = deka(&["completions", "tcsh"]);
    outcome.assert_code(2);
    assert!(outcome.stderr.contains("valid: bash, elvish, fish"), "{}", outcome.stderr);
}

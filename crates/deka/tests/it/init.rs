//! `deka init`: a new package.json, and one that lacks something.

use deka_test::{Program, TestProject, say_skipped};

fn empty() -> TestProject {
    TestProject::new(env!("CARGO_BIN_EXE_deka"))
}

const NEW: &str = "{\n  \"name\": \"project\",\n  \"version\": \"1.0.0\",\n  \"type\": \"module\",\n  \"main\": \"index.js\",\n  \
                   \"scripts\": {\n    \"test\": \"node --test\"\n  },\n  \"private\": true\n}\n";

#[test]
fn a_new_project() {
    for arguments in [&["init"][..], &["init", "-y"]] {
        let project = empty();
        let outcome = project.command(arguments).run();
        outcome.assert_success();
        assert_eq!(outcome.stdout, " + package.json\n + .gitignore\n");
        assert_eq!(project.read("package.json"), NEW);
        assert_eq!(project.read(".gitignore"), "node_modules\n*.tgz\n.env\n");
        project.command(["install"]).run().assert_success();
        let again = project.command(["init"]).run();
        assert_eq!(again.assert_success().stdout, "package.json lacks nothing\n");
        assert_eq!(project.read("package.json"), NEW);
    }
}

#[test]
fn what_is_there_stays() {
    let project = empty();
    let text = "{\r\n\t\"main\": \"lib.js\", // mine\r\n\t\"version\": \"2.0.0\"\r\n}";
    project.write("package.json", text).write(".gitignore", "mine\n");
    let outcome = project.command(["init", "-y"]).run();
    assert_eq!(outcome.assert_success().stdout, " ~ package.json\n");
    let expected = text.replace("\"2.0.0\"", "\"2.0.0\",\r\n\t\"name\": \"project\"");
    assert_eq!(project.read("package.json"), expected);
    assert_eq!(project.read(".gitignore"), "mine\n");
}

#[test]
fn what_fails_changes_nothing() {
    let project = empty();
    project.write("package.json", "{ \"name\": ");
    let outcome = project.command(["init", "-y"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("EJSONPARSE"), "{}", outcome.snapshot());
    assert_eq!(project.read("package.json"), "{ \"name\": ");
    assert!(!project.exists(".gitignore"));
}

#[test]
fn questions_on_a_terminal() {
    if Program::new("script", std::path::Path::new("/"))
        .command()
        .arg("--version")
        .output()
        .is_err()
    {
        say_skipped("`script` is not here, so no questions are asked");
        return;
    }
    let project = empty();
    let answers = "Bad Name\\nmine\\n\\nwhat it is\\ncommonjs\\n\\n\\nMIT\\n\\n";
    let run = |answers: &str| {
        let command = format!(
            "printf '{answers}' | script -qec '{} init' /dev/null",
            env!("CARGO_BIN_EXE_deka")
        );
        project.other_program("sh").args(["-c", &command]).env("TERM", "xterm").run()
    };
    let outcome = run(answers);
    let shown = &outcome.stdout;
    assert!(shown.contains("package name: (project)"), "{}", outcome.snapshot());
    assert!(shown.contains("Is this OK? (yes)"), "{}", outcome.snapshot());
    assert_eq!(
        project.read("package.json"),
        NEW.replace("\"project\"", "\"mine\"")
            .replace(
                "\"type\": \"module\"",
                "\"description\": \"what it is\",\n  \"type\": \"commonjs\""
            )
            .replace("  },\n", "  },\n  \"license\": \"MIT\",\n")
    );
    project.remove("package.json").remove(".gitignore");
    run("\\n\\n\\n\\n\\n\\n\\nno\\n");
    assert!(!project.exists("package.json") && !project.exists(".gitignore"));
    // The end of the input is Ctrl-D here.
    let outcome = run("");
    assert!(outcome.stdout.contains("\nerror: There was no answer"), "{}", outcome.snapshot());
    assert!(!project.exists("package.json") && !project.exists(".gitignore"));
}

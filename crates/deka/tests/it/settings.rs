//! Settings that are wrong, or not for a project to make.

use crate::project;

#[test]
fn a_broken_bunfig_has_a_place_and_a_code_of_its_own() {
    let project = project();
    project.write("bunfig.toml", "[install]\nregistry = { token = \"hidden\n");
    let outcome = project.command(["install"]).run();
    outcome.assert_code(3);
    let error = outcome.filtered(&outcome.stderr);
    assert!(
        error.starts_with("error: Failed to parse `[PROJECT]/bunfig.toml` at line 2, column "),
        "{error}"
    );
    assert!(!error.contains("hidden"), "{error}");
}

#[test]
fn a_file_that_was_asked_for_has_to_be_there() {
    let project = project();
    let outcome = project.command(["install", "--config", "none.toml"]).run();
    outcome.assert_code(3);
    assert_eq!(
        outcome.filtered(&outcome.stderr),
        "error: Failed to read the configuration file `[PROJECT]/none.toml`\n  \
         Caused by: No such file or directory (os error 2)\n"
    );
}

#[test]
fn warnings_name_file_line_and_key() {
    let project = project();
    project.write(".npmrc", "strict-ssl = false\n\nfetch-retries = many\nsomething-else = 1\n");
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert_eq!(
        outcome.filtered(&outcome.stderr),
        "warn: Ignored `strict-ssl` in `[PROJECT]/.npmrc`, line 1: \
         a project may not turn off the check of certificates\n\
         warn: Ignored `fetch-retries` in `[PROJECT]/.npmrc`, line 3: expected a number\n"
    );
    let silent = project.command(["install", "--silent"]).run();
    assert_eq!(silent.assert_success().stderr, "");
}

#[test]
fn the_environment_and_the_user_s_files_are_read() {
    let project = project();
    let output = |variables: &[(&str, &str)]| {
        let mut program = project.command(["install"]);
        for (name, value) in variables {
            program = program.env(name, value);
        }
        program.run().assert_success().stdout.clone()
    };
    assert_ne!(output(&[]), "");
    assert_eq!(output(&[("npm_config_loglevel", "silent")]), "");
    std::fs::write(project.home().join(".npmrc"), "loglevel=silent\n").unwrap();
    assert_eq!(output(&[]), "");
    assert_ne!(output(&[("NPM_CONFIG_LOGLEVEL", "info")]), "");
}

#[test]
fn no_registry_stands_in_for_one_that_is_not_known() {
    let project = project();
    project.package_json(serde_json::json!({ "dependencies": { "a": "1" } }));
    project.write(".npmrc", "registry=https://${NO_SUCH_VARIABLE}/\n");
    let outcome = project.command(["install"]).run();
    outcome.assert_code(3);
    assert_eq!(
        outcome.filtered(&outcome.stderr),
        "warn: Ignored `registry` in `[PROJECT]/.npmrc`, line 1: \
         the environment variable `NO_SUCH_VARIABLE` is not set\n\
         error: Failed to set up the registry client\n  \
         Caused by: The registry that is set by `registry` in `[PROJECT]/.npmrc`, line 1 \
         can't be used, and no other one stands in for it\n\n\
         hint: Mend that line, set the variable in it, or remove it; `--registry <url>` counts for once\n"
    );
}

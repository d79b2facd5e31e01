//! Scripts that run when a package is installed.

use serde_json::{Value, json};

use crate::scenario::{HOISTED, ISOLATED, Scenario, project};

/// A project whose dependencies may all run their scripts, and `others` may, too.
fn trusting(dependencies: &Value, others: &[&str]) -> Scenario {
    let names = dependencies.as_object().expect("names and ranges").keys().map(String::as_str);
    let trusted: Vec<&str> = names.chain(others.iter().copied()).collect();
    project(json!({ "dependencies": dependencies, "trustedDependencies": trusted })).with_scripts()
}

#[test]
fn a_package_is_built_by_three_scripts_that_see_its_dependencies() {
    let name = "@/pre-and-postinstall-scripts-example";
    trusting(&json!({ name: "1.0.0" }), &[]).install().finds(&[
        &format!("{name} has generated-by-preinstall.js"),
        &format!("{name} has generated-by-postinstall.js"),
        &format!("{name} lacks generated-by-prepare.js"),
    ]);
}

#[test]
fn nobody_runs_a_script_unasked() {
    let dependencies = json!({ "@/install-script-example": "1.0.0", "@/count-to-10": "1.0.0" });
    project(json!({ "dependencies": dependencies }))
        .with_scripts()
        .install()
        .says(&["Blocked 2"])
        .finds(&["@/install-script-example lacks generated-by-install.js"]);
}

#[test]
fn trust_is_for_one_package_and_not_for_what_it_needs() {
    let examples = json!({ "@/has-bin-and-needs-build": "1.0.0" });
    trusting(&examples, &["@/install-script-example"]).install().says(&["Blocked 3"]).finds(&[
        "@/has-bin-and-needs-build > @/install-script-example has generated-by-install.js",
        "@/has-bin-and-needs-build > @/pre-and-postinstall-scripts-example lacks generated-by-preinstall.js",
        "@/has-bin-and-needs-build has bin.js",
    ]);
}

#[test]
fn a_package_is_built_once_it_is_trusted() {
    let dependencies = json!({ "@/install-script-example": "1.0.0" });
    project(json!({ "dependencies": dependencies.clone() }))
        .with_scripts()
        .install()
        .finds(&["@/install-script-example lacks generated-by-install.js"])
        .then(json!({
            "dependencies": dependencies,
            "trustedDependencies": ["@/install-script-example"],
        }))
        .finds(&["@/install-script-example has generated-by-install.js"]);
}

#[test]
fn a_command_is_made_by_a_script() {
    trusting(&json!({ "@/has-bin-and-needs-build": "1.0.0" }), &[])
        .install()
        .runs("has-bin-and-needs-build", "Hello world!");
}

#[test]
fn commands_of_a_folder_are_made_by_a_script() {
    trusting(&json!({ "@/generated-bins": "1.0.0" }), &[])
        .install()
        .finds(&["@/generated-bins has bin/cmd1"])
        .runs("cmd1", "")
        .runs("cmd2", "");
}

#[test]
fn a_script_that_fails_fails_the_install_and_shows_what_it_said() {
    trusting(&json!({ "@/failing-postinstall": "1.0.0" }), &[]).fails(&[
        "@/failing-postinstall",
        "hello",
        "world",
    ]);
    trusting(&json!({ "@/has-failing-postinstall-dep": "1.0.0" }), &["@/failing-postinstall"])
        .fails(&["@/failing-postinstall"]);
}

#[test]
fn an_optional_package_whose_script_fails_is_left_out() {
    let name = "@/pkg-with-failing-optional-dependency";
    trusting(&json!({ name: "1.0.0" }), &["@/pkg-with-failing-postinstall"])
        .install()
        .finds(&[&format!("{name} > @/pkg-with-failing-postinstall@none")]);
}

#[test]
fn an_optional_peer_that_would_fail_is_not_there() {
    let name = "@/pkg-with-failing-optional-peer";
    trusting(&json!({ name: "1.0.0" }), &["@/pkg-with-failing-postinstall"])
        .install()
        .finds(&[&format!("{name} > @/pkg-with-failing-postinstall@none")]);
}

#[test]
fn dependencies_are_built_first() {
    let built = trusting(&json!({ "@/with-postinstall-a": "1.0.0" }), &["@/with-postinstall-b"])
        .install()
        .finds(&["@/with-postinstall-a > @/with-postinstall-b has output.json"])
        .finds(&["@/with-postinstall-a has output.json"]);
    let time = |text: String| -> u64 {
        let times: Vec<String> = serde_json::from_str(&text).expect("a list of times");
        assert_eq!(times.len(), 1, "it ran once: {text}");
        times[0].parse().expect("a number")
    };
    let below = built.read("@/with-postinstall-a > @/with-postinstall-b", "output.json");
    let above = built.read("@/with-postinstall-a", "output.json");
    for (below, above) in below.into_iter().zip(above) {
        assert!(time(below) <= time(above));
    }
}

#[test]
fn a_script_runs_a_command_of_a_peer_provider() {
    let name = "@/parent-of-pkg-with-events-and-peers";
    trusting(&json!({ name: "1.0.0" }), &["@/pkg-with-events-and-peers"]).install().finds(&[
        &format!("{name} > @/pkg-with-events-and-peers has generated-by-preinstall.js"),
        &format!("{name} > @/pkg-with-events-and-peers has generated-by-postinstall.js"),
    ]);
}

#[test]
fn scripts_see_what_npm_tells_them() {
    // Bun names itself.
    let built = trusting(&json!({ "@/write-lifecycle-env": "1.0.0" }), &[]).unlike_bun().install();
    for text in built.read("@/write-lifecycle-env", "env.json") {
        let env: Value = serde_json::from_str(&text).expect("an object of variables");
        assert_eq!(env["npm_lifecycle_event"], "install");
        assert_eq!(env["npm_lifecycle_script"], "node index");
        assert_eq!(env["npm_package_name"], "@pnpm.e2e/write-lifecycle-env");
        assert_eq!(env["npm_package_version"], "1.0.0");
        let agent = env["npm_config_user_agent"].as_str().expect("a text");
        assert!(agent.starts_with("deka/"), "{agent}");
    }
}

#[test]
fn a_script_calls_the_package_manager() {
    trusting(&json!({ "@/postinstall-calls-pnpm": "1.0.0" }), &[])
        .install()
        .finds(&["@/postinstall-calls-pnpm has created-by-postinstall"]);
}

#[test]
fn a_script_changes_a_file_of_its_package_and_of_no_other_project() {
    // Bun's isolated linker lets it change the file in the cache, so that the next project has it twice.
    let dependencies = json!({ "@pnpm/postinstall-modifies-source": "1.0.0" });
    let built = trusting(&dependencies, &[]).unlike_bun().install();
    for text in built.read("@pnpm/postinstall-modifies-source", "empty-file.txt") {
        assert_eq!(text, "hello");
    }
}

#[test]
fn a_script_uses_what_its_package_does_not_ask_for() {
    let needs = "@/postinstall-requires-is-positive";
    trusting(&json!({ needs: "1.0.0", "is-positive": "1.0.0" }), &[])
        .install()
        .finds(&[&format!("{needs} > is-positive@1.0.0")]);
    trusting(&json!({ needs: "1.0.0" }), &[]).with_own_cache().fails(&["is-positive", needs]);
}

#[test]
fn a_script_uses_a_command_that_its_package_does_not_ask_for() {
    // Hoisted, the command is there by chance.
    let name = "@/pkg-that-calls-unlisted-dep-in-hooks";
    let scenario = || trusting(&json!({ name: "1.0.0" }), &[]).with_own_cache();
    scenario().only(HOISTED).install().finds_if(HOISTED, &[&format!("{name} has output.json")]);
    scenario().only(ISOLATED).fails(&["json-append: ", "not found", name]);
}

#[test]
fn a_script_calls_its_own_command_which_node_has_to_be_named_for() {
    // The file has no `#!`, so that it is a script for the shell.
    trusting(&json!({ "@/runs-own-bin": "1.0.0" }), &[]).fails(&["@/runs-own-bin"]);
}

#[test]
fn packages_for_another_system_are_not_built() {
    project(json!({
        "optionalDependencies": { "@/has-binding-gyp": "1.0.0" },
        "trustedDependencies": ["@/has-binding-gyp"],
    }))
    .with_scripts()
    .install()
    .has(&["!@/has-binding-gyp"]);
}

#[test]
fn a_package_in_a_circle_is_built() {
    trusting(&json!({ "@/alpha": "1.0.0" }), &["@/has-alpha-as-peer"])
        .install()
        .finds(&["@/alpha > @/has-alpha-as-peer > @/alpha == @/alpha"]);
}

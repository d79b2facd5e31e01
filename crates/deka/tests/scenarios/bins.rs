//! Commands of packages.

use serde_json::json;

use crate::scenario::{ISOLATED, project};

#[test]
fn a_command_is_a_single_path() {
    project(json!({ "dependencies": { "@/hello-world-js-bin": "1.0.0" } }))
        .install()
        .runs("hello-world-js-bin", "Hello world!");
}

#[test]
fn a_command_is_a_script_for_the_shell() {
    project(json!({ "dependencies": { "@/sh-hello-world": "1.0.1" } }))
        .install()
        .runs("sh-hello-world", "Hello, world!");
}

#[test]
fn all_files_of_a_folder_are_commands() {
    project(json!({ "dependencies": { "@/pkg-with-directories-bin": "1.0.0" } }))
        .install()
        .runs("pkg-with-directories-bin", "Hello world!");
}

#[test]
fn a_command_whose_file_is_missing_is_left_out() {
    let dependencies = json!({ "@/broken-bin": "1.0.0", "@/hello-world-js-bin": "1.0.0" });
    project(json!({ "dependencies": dependencies }))
        .install()
        .has(&["@/broken-bin", "!.bin/broken-bin"])
        .runs("hello-world-js-bin", "Hello world!");
}

#[test]
fn a_package_and_its_dependency_have_the_same_command() {
    project(json!({ "dependencies": { "@/hello-world-js-bin-parent": "1.0.0" } }))
        .install()
        .runs("hello-world-js-bin", "Hello world from hello-world-js-bin-parent!");
}

#[test]
fn commands_of_dependencies_are_their_dependents_alone() {
    project(json!({ "dependencies": { "@/for-testing-peers-having-bins": "1.0.0" } }))
        .install()
        .finds_if(ISOLATED, &["./ lacks node_modules/.bin/hello-world-js-bin"])
        .finds_if(
            ISOLATED,
            &[
                "@/for-testing-peers-having-bins > @/pkg-with-peer-having-bin > @/peer-with-bin \
                 == @/for-testing-peers-having-bins > @/peer-with-bin",
                "@/for-testing-peers-having-bins has ../../.bin/peer-with-bin",
            ],
        );
}

#[test]
fn packages_have_the_same_command() {
    let dependencies = json!({
        "@foo/touch-file-one-bin": "1.0.0",
        "@/touch-file-good-bin-name": "1.0.0",
        "@/touch-file-many-bins": "1.0.0",
        "@/touch-file-one-bin": "1.0.0",
    });
    project(json!({ "dependencies": dependencies })).install().has(&[
        ".bin/t",
        ".bin/tt",
        ".bin/touch-file-good-bin-name",
        ".bin/touch-file-one-bin",
    ]);
}

#[test]
fn versions_of_a_package_have_the_same_command() {
    let new = json!({ "dependencies": { "@/print-version": "2.0.0" } });
    project(json!({ "dependencies": { "@/print-version": "1.0.0" } }))
        .install()
        .runs("print-version", "1.0.0")
        .then(new)
        .runs("print-version", "2.0.0");
}

#[test]
fn a_command_goes_with_its_package() {
    let both = json!({ "@/print-version": "1.0.0", "@/sh-hello-world": "1.0.1" });
    project(json!({ "dependencies": both }))
        .install()
        .has(&[".bin/print-version", ".bin/sh-hello-world"])
        .then(json!({ "dependencies": { "@/sh-hello-world": "1.0.1" } }))
        .has(&["!.bin/print-version", ".bin/sh-hello-world"]);
}

#[test]
fn an_alias_brings_the_commands_of_the_package() {
    project(json!({ "dependencies": { "hello": "npm:@/hello-world-js-bin@1.0.0" } }))
        .install()
        .runs("hello-world-js-bin", "Hello world!");
}

#[test]
fn a_linked_folder_brings_its_commands() {
    let tool = json!({ "name": "tool", "version": "1.0.0", "bin": { "say": "say.js" } });
    project(json!({ "dependencies": { "tool": "link:./tool", "@/print-version": "1.0.0" } }))
        .member("tool", tool)
        .file("tool/say.js", "#!/usr/bin/env node\nconsole.log(\"linked\");\n")
        .install()
        .runs("say", "linked")
        .runs("print-version", "1.0.0");
}

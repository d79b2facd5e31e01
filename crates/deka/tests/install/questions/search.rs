//! `deka search`.

use deka_test::{Fault, Registry};
use serde_json::json;

use super::{check, check_failure};

fn world(registry: &Registry) {
    registry.offer_search();
    for name in ["is-odd", "is-even", "left-pad"] {
        let package = registry.package(name, "1.0.0").field("keywords", json!(["number"]));
        package.field("description", json!(format!("Tells \u{1b}[2J {name}"))).publish();
    }
}

#[test]
fn what_is_found() {
    let registry = Registry::start();
    world(&registry);
    let project = crate::project();
    project.use_registry(&registry);
    check(
        &project,
        &["search", "is-"],
        0,
        "\
Package  Version  Published   Description
is-even  1.0.0    2020-01-03  Tells \u{fffd}[2J is-even
is-odd   1.0.0    2020-01-02  Tells \u{fffd}[2J is-odd
",
    );
    let outcome = check(
        &project,
        &["search", "is-", "--limit=1"],
        0,
        "\
Package  Version  Published   Description
is-even  1.0.0    2020-01-03  Tells \u{fffd}[2J is-even

1 package of 2, more with `--limit`
",
    );
    assert_eq!(outcome.stderr, "");
    let last = registry.paths().pop();
    assert_eq!(last.as_deref(), Some("/-/v1/search?text=is-&size=1"));
    let document = project.command(["search", "left", "--json"]).run().document("search");
    assert_eq!(
        document["packages"],
        json!([{
            "name": "left-pad", "version": "1.0.0", "description": "Tells \u{1b}[2J left-pad",
            "published": "2020-01-04T00:00:00.000Z", "publisher": "someone", "keywords": ["number"],
        }])
    );
}

#[test]
fn nothing_found() {
    let registry = Registry::start();
    world(&registry);
    let project = crate::project();
    project.use_registry(&registry);
    check(&project, &["search", "no", "such"], 0, "No packages found for `no such`\n");
    let document = project.command(["search", "nosuch", "--json"]).run().document("search");
    assert_eq!((&document["packages"], &document["total"]), (&json!([]), &json!(0)));
}

#[test]
fn failures() {
    let registry = Registry::start();
    let project = crate::project();
    project.use_registry(&registry);
    check_failure(&project, &["search"], 2, "`deka search` needs a word");
    check_failure(&project, &["search", "a"], 1, "has no search");
    check_failure(&project, &["search", "a", "--offline"], 1, "deka may not go online");
    registry.offer_search();
    registry.fault(Fault::on("/-/v1/search").body("<html>"));
    check_failure(
        &project,
        &["search", "a", "--fetch-retries=0"],
        4,
        "Failed to search the registry",
    );
}

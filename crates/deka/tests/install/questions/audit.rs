//! `deka audit` and `deka audit fix`.

use deka_test::{Registry, TestProject};
use serde_json::{Value, json};

use super::{check, check_failure, installed};

fn advisory(id: u32, ghsa: &str, severity: &str, range: &str) -> Value {
    json!({
        "id": id,
        "url": format!("https://advisories.example/GHSA-{ghsa}"),
        "title": format!("Number {id}\u{1b}[2J"),
        "severity": severity,
        "vulnerable_versions": range,
        "cwe": ["CWE-79"],
        "cvss": { "score": 7.5, "vectorString": "CVSS:3.1" },
    })
}

fn vulnerable(registry: &Registry) -> TestProject {
    let project = installed(registry);
    registry.advise("c", &["1.0.0", "1.1.0"], advisory(1, "aaaa", "critical", ">=1.0.0 <2.0.0"));
    registry.advise("c", &["1.0.0"], advisory(2, "bbbb", "high", "<1.1.0"));
    registry.advise("d", &["0.1.0"], advisory(3, "cccc", "low", "<0.1.5"));
    registry.advise("a", &["1.0.1"], advisory(4, "dddd", "moderate", "<=1.0.1"));
    project
}

const LINES: &str = "\
deka audit v0.1.0

a@1.0.1
  (direct dependency)
  moderate: Number 4\u{fffd}[2J (<=1.0.1) - https://advisories.example/GHSA-dddd

c@1.1.0, 1.0.0
  (direct dependency)
  b > c
  holder > c
  critical: Number 1\u{fffd}[2J (>=1.0.0 <2.0.0) - https://advisories.example/GHSA-aaaa
  high: Number 2\u{fffd}[2J (<1.1.0) - https://advisories.example/GHSA-bbbb

d@0.1.0
  (direct dependency)
  low: Number 3\u{fffd}[2J (<0.1.5) - https://advisories.example/GHSA-cccc

4 vulnerabilities (1 critical, 1 high, 1 moderate, 1 low)

  deka audit fix           upgrade the vulnerable packages within their ranges
  deka audit fix --latest  also cross major versions
";

#[test]
fn what_is_vulnerable() {
    let registry = Registry::start();
    let project = vulnerable(&registry);
    registry.clear_requests();
    let outcome = check(&project, &["audit"], 1, LINES);
    assert_eq!(outcome.stderr, "");
    let requests = registry.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(
        (request.method.as_str(), request.header("content-encoding")),
        ("POST", Some("gzip"))
    );
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        sent,
        json!({ "@s/x": ["1.5.0"], "a": ["1.0.1"], "b": ["1.0.0"], "c": ["1.1.0", "1.0.0"], "d": ["0.1.0"], "holder": ["1.0.0"] })
    );
}

#[test]
fn what_counts() {
    let registry = Registry::start();
    let project = vulnerable(&registry);
    let names = |flags: &[&str]| -> Vec<String> {
        let outcome = project.command(["audit", "--json"]).args(flags).run();
        let document = outcome.document("audit");
        let packages = document["packages"].as_array().unwrap().iter();
        assert_eq!(outcome.code, Some(i32::from(packages.len() > 0)));
        packages.map(|package| package["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&[]), ["a", "c", "d"]);
    assert_eq!(names(&["--audit-level=moderate"]), ["a", "c"]);
    assert_eq!(names(&["--audit-level", "critical"]), ["c"]);
    assert_eq!(names(&["--prod"]), ["a", "c"]);
    assert_eq!(names(&["--omit=dev", "--ignore", "GHSA-dddd"]), ["c"]);
    assert_eq!(names(&["--ignore=1,2,3", "--ignore", "ghsa-DDDD"]), [] as [&str; 0]);
    check(
        &project,
        &["audit", "--ignore=1,2,3,4"],
        0,
        "deka audit v0.1.0\n\nNo vulnerabilities found (checked 7 packages, 4 ignored) [TIME]\n",
    );
    let document =
        project.command(["audit", "--json", "--audit-level=high"]).run().document("audit");
    assert_eq!(document["packages"][0]["paths"], json!([["b", "c"], ["holder", "c"]]));
    assert_eq!(document["packages"][0]["advisories"][0]["ghsa"], "GHSA-aaaa");
    assert_eq!(document["checked"], 7);
}

#[test]
fn nothing_vulnerable() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry.offer_audits();
    for (name, arguments) in [("audit", &["audit"][..]), ("audit fix", &["audit", "fix"])] {
        let expected =
            format!("deka {name} v0.1.0\n\nNo vulnerabilities found (checked 7 packages) [TIME]\n");
        check(&project, arguments, 0, &expected);
    }
}

#[test]
fn each_registry_is_asked_about_its_own() {
    let registry = Registry::start();
    let other = Registry::start();
    registry.offer_audits();
    registry.package("a", "1.0.0").publish();
    other.package("@own/b", "1.0.0").publish();
    let project = crate::project();
    project.package_json(json!({ "dependencies": { "a": "1", "@own/b": "1" } }));
    project
        .write(".npmrc", format!("registry={}\n@own:registry={}\n", registry.url(), other.url()));
    project.command(["install"]).run().assert_success();
    let outcome = project.command(["audit"]).run();
    outcome.assert_success();
    assert!(
        outcome.stderr.contains("warn: Nothing is known about 1 package from"),
        "{}",
        outcome.snapshot()
    );
    let asked = |registry: &Registry| {
        String::from_utf8(registry.requests().pop().unwrap().body.to_vec()).unwrap()
    };
    assert_eq!(
        (asked(&registry).as_str(), asked(&other).as_str()),
        (r#"{"a":["1.0.0"]}"#, r#"{"@own/b":["1.0.0"]}"#)
    );
    other.advise("@own/b", &["1.0.0"], advisory(9, "zzzz", "low", "*"));
    let document = project.command(["audit", "--json"]).run().document("audit");
    assert_eq!(document["packages"][0]["name"], "@own/b");
}

#[test]
fn failures() {
    let registry = Registry::start();
    let project = crate::project();
    project.use_registry(&registry);
    check_failure(&project, &["audit"], 1, "There is no `package.json`");
    project.package_json(json!({ "dependencies": {} }));
    check_failure(&project, &["audit"], 1, "hint: Run `deka install` first");
    check_failure(&project, &["audit", "left-pad"], 2, "`deka audit` takes no `left-pad`");
    check_failure(
        &project,
        &["audit", "--audit-level=bad"],
        2,
        "Invalid value `bad` for `--audit-level`",
    );
    let project = installed(&registry);
    // Silence is not the same as safety.
    check_failure(&project, &["audit"], 1, "has no service for audits, so nothing is known");
    check_failure(&project, &["audit", "fix"], 1, "has no service for audits");
    check_failure(&project, &["audit", "--offline"], 1, "deka may not go online");
}

#[test]
fn what_can_be_mended() {
    let registry = Registry::start();
    let project = vulnerable(&registry);
    let before = (project.read("package.json"), project.read("bun.lock"));
    let plan = "\
fixing:
  ^ a 1.0.1 -> 1.0.2
  ^ d 0.1.0 -> 0.1.5
    package.json: d 0.1.0 -> 0.1.5

blocked by a dependent's range:
  ^ c 1.1.0 -> 2.0.0
    package.json depends on c@^1.0.0
    b@1.0.0 depends on c@^1.0.0
    deka audit fix --latest
  ^ c 1.0.0 -> 2.0.0
    holder@1.0.0 depends on c@1.0.0
  to take it all the same, add to package.json, and test what depends on it:
    \"overrides\": { \"c\": \"2.0.0\" }

";
    let header = "deka audit fix v0.1.0\n\n";
    let ending =
        "fix 2 vulnerabilities in 2 packages (checked 7) [TIME]\n2 vulnerabilities remaining\n";
    check(&project, &["audit", "fix", "--dry-run"], 1, &format!("{header}{plan}Would {ending}"));
    assert_eq!((project.read("package.json"), project.read("bun.lock")), before);

    check(
        &project,
        &["audit", "fix"],
        1,
        &format!("{header}{plan}{}", ending.replace("fix 2", "Fixed 2")),
    );
    let lockfile = project.read("bun.lock");
    for package in ["a@1.0.2", "d@0.1.5", "c@1.1.0", "c@1.0.0"] {
        assert!(lockfile.contains(package), "{package}\n{lockfile}");
    }
    let manifest: Value = serde_json::from_str(&project.read("package.json")).unwrap();
    assert_eq!(
        (&manifest["dependencies"]["a"], &manifest["devDependencies"]["d"]),
        (&json!("~1.0.0"), &json!("0.1.5"))
    );
    assert!(project.read("node_modules/a/package.json").contains("1.0.2"));
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
}

#[test]
fn beyond_ranges() {
    let registry = Registry::start();
    let project = vulnerable(&registry);
    let outcome = project.command(["audit", "fix", "--latest", "--json"]).run();
    outcome.assert_code(1);
    let document = outcome.document("audit-fix");
    assert_eq!((&document["fixed"], &document["remaining"]), (&json!(2), &json!(2)));
    let specs = document["specs"].as_array().unwrap();
    let spec = specs.iter().find(|spec| spec["name"] == "c").unwrap();
    assert_eq!((&spec["from"], &spec["to"]), (&json!("^1.0.0"), &json!("^2.0.0")));
    assert!(project.read("package.json").contains("\"c\": \"^2.0.0\""));
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("c@2.0.0") && lockfile.contains("c@1.1.0"), "{lockfile}");
}

#[test]
fn paths_through_what_is_left_out_are_not_shown() {
    let registry = Registry::start();
    registry.package("c", "1.0.0").publish();
    for name in ["tool", "lib", "extra"] {
        registry.package(name, "1.0.0").dep("c", "1").publish();
    }
    registry.advise("c", &["1.0.0"], advisory(1, "aaaa", "high", "<2.0.0"));
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(&registry).package_json(json!({
        "dependencies": { "lib": "1" },
        "devDependencies": { "c": "1", "tool": "1" },
        "optionalDependencies": { "extra": "1" },
    }));
    project.command(["install"]).run().assert_success();
    let paths = |flags: &[&str]| {
        let outcome = project.command(["audit", "--json"]).args(flags).run();
        let package = outcome.document("audit")["packages"][0].clone();
        (package["direct"].clone(), package["paths"].clone())
    };
    let (lib, tool, extra) = (json!(["lib", "c"]), json!(["tool", "c"]), json!(["extra", "c"]));
    assert_eq!(paths(&[]), (true.into(), json!([extra, lib, tool])));
    assert_eq!(paths(&["--omit=dev"]), (false.into(), json!([extra, lib])));
    assert_eq!(paths(&["--prod", "--omit=optional"]), (false.into(), json!([lib])));
}

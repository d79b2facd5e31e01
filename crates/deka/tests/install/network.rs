//! Registries that fail for a while, demand a token, or speak TLS.

use std::fs;
use std::time::Duration;

use deka_test::registry::Authorization;
use deka_test::{Fault, Registry, Style};
use serde_json::json;

use crate::project;

#[test]
fn passing_faults_are_survived() {
    for fault in [
        Fault::on_packuments().times(1).status(503),
        Fault::on_packuments().times(1).retry_after(429, "0"),
        Fault::on_packuments().times(1).cut_after(20),
        Fault::on_packuments().times(1).body("{ not json"),
        Fault::on_tarballs().times(1).status(500),
        Fault::on_tarballs().times(1).cut_after(30),
        Fault::on_tarballs().times(1).drop_connection(),
    ] {
        let registry = Registry::start();
        registry.package("a", "1.0.0").file("x.js", "x").publish();
        let what = format!("{fault:?}");
        registry.fault(fault);
        let project = project();
        let url = registry.url();
        project.write(".npmrc", format!("registry={url}\nfetch-retry-mintimeout=10\n"));
        project.package_json(json!({ "dependencies": { "a": "1" } }));
        let outcome = project.command(["install"]).run();
        assert_eq!(outcome.code, Some(0), "{what}: {}", outcome.snapshot());
        assert_eq!(project.read("node_modules/a/x.js"), "x");
    }
}

#[test]
fn what_a_registry_says_instead_is_told_with_one_thing_to_try() {
    let page = "\n<!doctype html><title>Log in</title>";
    for (fault, code, told) in [
        (
            Fault::on_packuments().status(503),
            4,
            [
                "Failed to get the versions of `a` (ENETWORK)",
                "a` answered with status 503\n",
                "hint: The registry has trouble of its own",
            ],
        ),
        (
            Fault::on_packuments().retry_after(429, "3600"),
            4,
            [
                "Failed to get the versions of `a` (E429)",
                "a` answered with status 429, to come back after 3600 s\n",
                "hint: The registry wants fewer requests",
            ],
        ),
        (
            Fault::on_packuments().body(page),
            4,
            [
                "Failed to get the versions of `a` (ENETWORK)",
                "a` answered with a web page instead of the packument of `a`\n",
                "hint: A network that wants a login",
            ],
        ),
        (
            Fault::on_packuments().status(404),
            1,
            [
                "The package `a` does not exist (E404)",
                "  asked: http://127.0.0.1:",
                "hint: Check how the name",
            ],
        ),
        (
            Fault::on_tarballs().status(404),
            1,
            [
                "Failed to download `a@1.0.0` (E404)",
                ".tgz` was not found (404)\n",
                "hint: The registry, or bun.lock, lists this version, but its tarball is gone",
            ],
        ),
    ] {
        let registry = Registry::start();
        registry.package("a", "1.0.0").publish();
        let what = format!("{fault:?}");
        registry.fault(fault);
        let project = project();
        let url = registry.url();
        project.write(
            ".npmrc",
            format!("registry={url}\nfetch-retry-mintimeout=1\nfetch-retry-maxtimeout=1\n"),
        );
        project.package_json(json!({ "name": "app", "dependencies": { "a": "1" } }));
        let outcome = project.command(["install"]).run();
        assert_eq!(outcome.code, Some(code), "{what}: {}", outcome.snapshot());
        for part in told {
            assert!(outcome.stderr.contains(part), "{what}: {part}: {}", outcome.snapshot());
        }
    }
}

#[test]
fn a_proxy_that_is_not_there_is_called_one() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let project = project();
    project.write(".npmrc", "registry=http://registry.example/\nfetch-retries=0\n");
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    let outcome = project
        .command(["install"])
        .env("HTTP_PROXY", format!("http://me:secret-password@{nobody}/"))
        .run();
    outcome.assert_code(4);
    let told = "Failed to connect to the proxy `127.0.0.1` for `http://registry.example/a`\n";
    assert!(outcome.stderr.contains(told), "{}", outcome.snapshot());
    assert!(outcome.stderr.contains("hint: Check the proxy settings"), "{}", outcome.snapshot());
    assert!(!outcome.stderr.contains("secret-password"), "{}", outcome.snapshot());
}

#[test]
fn a_registry_may_answer_as_it_likes() {
    let mut lockfiles = Vec::new();
    for style in [Style::public(), Style::plain()] {
        let registry = Registry::start();
        registry.style(style);
        registry.package("b", "1.0.0").publish();
        registry.package("a", "1.0.0").dep("b", "*").bin("a", "a.js").publish();
        let project = project();
        project.use_registry(&registry);
        project.package_json(json!({ "dependencies": { "a": "1" } }));
        project.command(["install"]).run().assert_success();
        lockfiles.push(project.read("bun.lock").replace(&registry.url(), "REGISTRY"));
    }
    assert_eq!(lockfiles[0], lockfiles[1]);
}

#[test]
fn tokens_go_where_they_belong_and_are_never_shown() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.require(Authorization::bearer("secret-token"));
    let project = project();
    let url = registry.url();
    project.write(".npmrc", format!("registry={url}\n"));
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    let refused = project.command(["install"]).run();
    refused.assert_code(4);
    assert!(refused.stderr.contains("(E401)"), "{}", refused.snapshot());

    let place = url.trim_start_matches("http:");
    project.write(".npmrc", format!("registry={url}\n{place}:_authToken=wrong-token\n"));
    let wrong = project.command(["install", "--verbose"]).env("DEKA_DEBUG", "trace").run();
    wrong.assert_code(4);
    assert!(!wrong.stderr.contains("wrong-token"), "{}", wrong.snapshot());

    project.write(".npmrc", format!("registry={url}\n{place}:_authToken=${{TOKEN}}\n"));
    project.remove("node_modules");
    let good = project.command(["install"]).env("TOKEN", "secret-token").run();
    good.assert_success();
    assert!(project.exists("node_modules/a"));
    assert!(!project.read("bun.lock").contains("secret-token"));
}

#[test]
fn no_output_holds_a_token() {
    let registry = Registry::start();
    let elsewhere = Registry::start();
    registry.offer_search();
    registry.offer_audits();
    registry.package("a", "1.0.0").publish();
    let elsewhere_url = format!("{}b/-/b-1.0.0.tgz", elsewhere.url());
    registry.package("b", "1.0.0").tarball_url(&elsewhere_url).publish();
    let project = project();
    let url = registry.url();
    let place = url.trim_start_matches("http:");
    let with_user = url.replace("http://", "http://me:secret-password@");
    project.write(
        ".npmrc",
        format!(
            "registry={url}\nfetch-retry-mintimeout=1\n{place}:_authToken=${{TOKEN}}\n@s:registry={with_user}\n\
             {place}@t/:_password=c2VjcmV0LXBhc3N3b3Jk\n{place}@t/:username=me\n"
        ),
    );
    let tarball = format!("{with_user}a/-/a-1.0.0.tgz");
    project.package_json(json!({ "dependencies": { "a": "1", "b": "1", "c": tarball } }));
    let check = |arguments: &[&str]| {
        let arguments = [arguments, &["--timeline", "timeline.json"]].concat();
        let outcome = project
            .command(&arguments)
            .env("TOKEN", "secret-token")
            .env("DEKA_DEBUG", "trace")
            .run();
        let timeline = fs::read_to_string(project.path().join("timeline.json"));
        let lockfile = fs::read_to_string(project.path().join("bun.lock"));
        let all = [&outcome.stdout, &outcome.stderr, &timeline.unwrap_or_default()];
        for text in all.into_iter().chain(lockfile.iter()) {
            for secret in ["secret-token", "secret-password", "c2VjcmV0", "bWU6c2VjcmV0"] {
                let found = text.lines().find(|line| line.contains(secret));
                // What `package.json` asks for is the user's own, and Bun's lockfile repeats it.
                let is_asked_for = |line: &str| line.contains("me:secret-password@127.0.0.1");
                let is_lockfile = lockfile.as_ref().is_ok_and(|lockfile| lockfile == text);
                let found = found.filter(|line| !(is_lockfile && is_asked_for(line)));
                assert_eq!(found, None, "{arguments:?}");
            }
        }
    };
    let all: &[&[&str]] = &[
        &["install"],
        &["add", "@s/none"],
        &["add", "@t/none"],
        &["info", "a", "--json"],
        &["info", "@s/none"],
        &["search", "a"],
        &["outdated"],
        &["audit", "--json"],
        &["config", "list"],
        &["config", "list", "--json"],
        &["doctor"],
        &["list", "--json"],
        &["why", "a"],
    ];
    for fault in [
        None,
        Some(Fault::on_everything().status(500)),
        Some(Fault::on_everything().status(401)),
        Some(Fault::on_everything().redirect(302, &format!("{}x", elsewhere.url()))),
        Some(Fault::on_everything().drop_connection()),
    ] {
        let is_slow = fault.is_some();
        registry.clear_faults();
        if let Some(fault) = fault {
            registry.fault(fault);
            project.clear_cache();
        }
        // Each failure is tried again for a while.
        for arguments in all.iter().take(if is_slow { 5 } else { all.len() }) {
            check(arguments);
        }
    }
    for request in elsewhere.requests() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
        assert_eq!(request.header("referer"), None, "{request:?}");
    }
}

#[test]
fn tls_with_an_authority_of_ones_own() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    let url = registry.tls_url();
    project.write("ca.pem", registry.certificate_authority());
    project.write(".npmrc", format!("registry={url}\nfetch-retries=0\n"));
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    let refused = project.command(["install"]).run();
    refused.assert_code(4);

    project.command(["install", "--cafile", "ca.pem"]).run().assert_success();
    assert!(project.exists("node_modules/a"));
    project.clear_cache().remove("node_modules").remove("bun.lock");
    let file = project.path().join("ca.pem");
    project.command(["install"]).env("NODE_EXTRA_CA_CERTS", file).run().assert_success();
}

#[test]
fn an_older_cache_is_asked_about() {
    let registry = Registry::start();
    registry.style(Style { cache_control: Some("max-age=0"), ..Style::public() });
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    project.command(["install"]).run().assert_success();
    project.remove("bun.lock").remove("node_modules");
    registry.clear_requests();
    project.command(["install"]).run().assert_success();
    let requests = registry.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].header("if-none-match").is_some(), "{requests:?}");
}

#[test]
fn packages_of_jsr_come_from_its_registry() {
    let registry = Registry::start();
    let jsr = Registry::start();
    jsr.package("@jsr/std__path", "1.2.0").dep("@jsr/std__internal", "^1").publish();
    jsr.package("@jsr/std__internal", "1.0.0").publish();
    let project = project();
    let npmrc = format!("registry={}\n@jsr:registry={}\n", registry.url(), jsr.url());
    project.write(".npmrc", npmrc);
    project.package_json(json!({ "dependencies": {
        "@std/path": "jsr:^1", "path": "jsr:@std/path@1", "any": "jsr:@std/path",
    } }));
    project.command(["install"]).run().assert_success();
    for name in ["@std/path", "path", "any", "@jsr/std__internal"] {
        assert!(project.exists(&format!("node_modules/{name}/package.json")), "{name}");
    }
    assert_eq!(registry.paths(), [""; 0]);
    project.remove("node_modules");
    project.command(["install", "--frozen-lockfile", "--offline"]).run().assert_success();
}

/// Bytes that do not compress.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'0' + (state >> 33) as u8 % 75)
    };
    (0..length).map(step).collect()
}

#[test]
fn large_tarballs_that_come_slowly_are_unpacked_on_their_way() {
    // Slow enough to be taken, and then broken in all ways.
    let slow = |fault: Fault| fault.slow(400_000, Duration::from_millis(40));
    let large = || Fault::on("/large/-/large-1.0.0.tgz");
    let once = || slow(large().times(1));
    let contents = noise(8 << 20);
    for (fault, requests) in [
        (once(), 1),
        (once().cut_after(5_000_000), 2),
        (once().corrupt(), 2),
        (slow(large().times(2)).corrupt(), 2),
        (slow(large()).cut_after(5_000_000), 2),
    ] {
        let registry = Registry::start();
        registry.package("large", "1.0.0").file("a/large.txt", &contents).publish();
        registry.package("small", "1.0.0").publish();
        let project = project();
        let url = registry.url();
        let settings = "fetch-retry-mintimeout=10\nfetch-retries=1";
        project.write(".npmrc", format!("registry={url}\n{settings}\n"));
        project.package_json(json!({ "dependencies": { "large": "1", "small": "1" } }));
        let what = format!("{fault:?}");
        let is_fatal = !what.contains("turns: 1,");
        registry.fault(fault);
        let outcome = project.command(["install", "--timeline", "timeline.json"]).run();
        assert_eq!(outcome.code != Some(0), is_fatal, "{what}: {}", outcome.snapshot());
        let has_own_thread = project.read("timeline.json").contains(r#""args":{"name":"unpack"}"#);
        assert!(has_own_thread, "{what}: {}", outcome.snapshot());
        assert_eq!(registry.count("/large/-/large-1.0.0.tgz"), requests, "{what}");
        if is_fatal {
            assert!(outcome.stderr.contains("large@1.0.0"), "{what}: {}", outcome.snapshot());
            assert!(!project.exists("bun.lock"), "{what}");
            registry.clear_faults();
            project.command(["install"]).run().assert_success();
        }
        assert!(project.read("node_modules/large/a/large.txt") == contents, "{what}");
        assert!(project.exists("node_modules/small/package.json"));
    }
}

//! Where redirects lead, and what goes along.

use std::sync::Arc;

use deka_registry::{RegistryError, TarballOptions};

use crate::server::{Reply, Server};
use crate::{block_on, client, config, name, packument, with_token};

#[test]
fn credentials_stay_with_their_host() {
    let other = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    let target = other.url("/elsewhere/a?signature=secret");
    let server = Server::start(move |_, _| Reply::redirect(target.as_str()));
    let config = with_token(config(&server.url("/")), &server.url("/"), "secret");
    block_on(client(config, None).packument(name("a"), false)).unwrap();
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(other.seen()[0].header("authorization"), None);
    assert_eq!(other.seen()[0].target, "/elsewhere/a?signature=secret");
}

#[test]
fn credentials_stay_with_their_path() {
    let server = Server::start(|seen, _| {
        if seen.target.starts_with("/team-a/") {
            Reply::redirect("/team-b/a")
        } else {
            Reply::ok(packument("a", "1.0.0"))
        }
    });
    let team = server.url("/team-a/");
    let config = with_token(config(&team), &team, "secret");
    block_on(client(config, None).packument(name("a"), false)).unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(seen[1].header("authorization"), None);
}

#[test]
fn the_target_gets_its_own_credentials() {
    let other = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    let target = other.url("/a");
    let server = Server::start(move |_, _| Reply::redirect(target.as_str()));
    let config = with_token(config(&server.url("/")), &server.url("/"), "ours");
    let config = with_token(config, &other.url("/"), "theirs");
    block_on(client(config, None).packument(name("a"), false)).unwrap();
    assert_eq!(other.seen()[0].header("authorization"), Some("Bearer theirs"));
}

#[test]
fn a_user_in_a_target_is_not_carried_on() {
    let third = Server::start(|_, _| Reply::ok("x"));
    let target = third.url("/c").to_string();
    let other = Server::start(move |_, _| Reply::redirect(target.as_str()));
    let target = other.url("/b").to_string().replace("http://", "http://me:secret@");
    let server = Server::start(move |_, _| Reply::redirect(target.as_str()));
    let client = client(config(&server.url("/")), None);
    block_on(client.tarball(&server.url("/a"), TarballOptions::default())).unwrap();
    assert_eq!(server.seen()[0].header("authorization"), None);
    assert_eq!(other.seen()[0].header("authorization"), Some("Basic bWU6c2VjcmV0"));
    assert_eq!(third.seen()[0].header("authorization"), None);
}

#[test]
fn loops_end() {
    let server = Server::start(|_, number| Reply::redirect(format!("/{number}")));
    let client = client(config(&server.url("/")), None);
    let error = block_on(client.tarball(&server.url("/a"), TarballOptions::default())).unwrap_err();
    assert!(matches!(error, RegistryError::Redirect { .. }), "{error}");
    assert_eq!(server.count(), 11);
    assert_eq!(server.connections(), 1, "small bodies of redirects are read");
}

#[test]
fn strange_targets_are_refused() {
    let strange =
        ["file:///etc/passwd", "ftp://127.0.0.1/a", "javascript:alert(1)", "http://", "//"];
    for target in strange {
        let server = Server::start(move |_, _| Reply::redirect(target));
        let client = client(config(&server.url("/")), None);
        let url = server.url("/a");
        let error = block_on(client.tarball(&url, TarballOptions::default())).unwrap_err();
        assert!(matches!(error, RegistryError::Redirect { .. }), "{target}: {error}");
    }
    let server = Server::start(|_, _| Reply::new(301, "no location"));
    let client = client(config(&server.url("/")), None);
    let error = block_on(client.tarball(&server.url("/a"), TarballOptions::default())).unwrap_err();
    assert!(matches!(error, RegistryError::Redirect { .. }), "{error}");
}

#[test]
fn errors_show_no_secret() {
    let server =
        Server::start(|_, _| Reply::redirect("file://user:secret@127.0.0.1/a?token=secret"));
    let mut url = server.url("/a?token=secret");
    url.set_username("me").unwrap();
    url.set_password(Some("secret")).unwrap();
    let config = with_token(config(&server.url("/")), &server.url("/"), "secret");
    let client = client(config, None);
    let error = block_on(client.tarball(&url, TarballOptions::default())).unwrap_err();
    let shown = format!("{error} {error:?} {client:?}");
    assert!(!shown.contains("secret"), "{shown}");
    drop(Arc::new(error));
}

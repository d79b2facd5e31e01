//! The manifest cache between runs.

use std::path::Path;
use std::time::{Duration, SystemTime};

use deka_config::Config;
use deka_registry::{ManifestCache, RegistryError, TarballOptions};

use crate::server::{Reply, Server};
use crate::{block_on, client, config, full_packument, latest, name, packument};

const DATE: &str = "Sun, 22 Nov 2026 08:00:00 GMT";

/// One run: a new client, and the version that it finds.
fn run(config: &Config, cache: &Path) -> Result<String, RegistryError> {
    let cache = ManifestCache::at(cache);
    let client = client(config.clone(), Some(&cache));
    block_on(async { client.packument(name("a"), false).await.map(|found| latest(&found)) })
}

/// Lets what is cached be `seconds` old.
fn age(cache: &Path, seconds: u64) {
    for registry in std::fs::read_dir(cache).unwrap() {
        for file in std::fs::read_dir(registry.unwrap().path()).unwrap() {
            let then = SystemTime::now() - Duration::from_secs(seconds);
            std::fs::File::open(file.unwrap().path()).unwrap().set_modified(then).unwrap();
        }
    }
}

fn only_file(cache: &Path) -> std::path::PathBuf {
    let registry = std::fs::read_dir(cache).unwrap().next().unwrap().unwrap().path();
    std::fs::read_dir(registry).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn fresh_packuments_need_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| {
        Reply::ok(packument("a", "1.0.0")).header("cache-control", "public, max-age=100")
    });
    let config = config(&server.url("/"));
    for _ in 0..3 {
        assert_eq!(run(&config, folder.path()).unwrap(), "1.0.0");
    }
    assert_eq!(server.count(), 1);
    age(folder.path(), 99);
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 1);
    age(folder.path(), 101);
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 2);
}

#[test]
fn five_minutes_without_a_word_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    let config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();
    age(folder.path(), 290);
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 1);
    age(folder.path(), 310);
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 2);
    assert_eq!(server.seen()[1].header("if-none-match"), None);
    assert_eq!(server.seen()[1].header("if-modified-since"), None);
}

#[test]
fn stale_packuments_are_asked_for_conditionally() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|seen, _| {
        if seen.header("if-none-match") == Some("W/\"v1\"") {
            return Reply::new(304, "");
        }
        Reply::ok(packument("a", "1.0.0")).header("etag", "W/\"v1\"").header("last-modified", DATE)
    });
    let config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();
    age(folder.path(), 1000);
    assert_eq!(run(&config, folder.path()).unwrap(), "1.0.0");
    assert_eq!(server.count(), 2);
    assert_eq!(server.seen()[1].header("if-modified-since"), Some(DATE));
    // The answer counts as from now on.
    assert_eq!(run(&config, folder.path()).unwrap(), "1.0.0");
    assert_eq!(server.count(), 2);
}

#[test]
fn changed_packuments_replace_cached_ones() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, number| {
        Reply::ok(packument("a", &format!("{}.0.0", number + 1)))
            .header("etag", format!("\"{number}\""))
            .header("cache-control", "max-age=0")
    });
    let config = config(&server.url("/"));
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        assert_eq!(run(&config, folder.path()).unwrap(), version);
    }
    assert_eq!(server.seen()[2].header("if-none-match"), Some("\"1\""));
}

#[test]
fn a_cache_file_may_vanish_or_be_torn() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|seen, _| match seen.header("if-none-match") {
        Some(_) => Reply::new(304, ""),
        None => Reply::ok(packument("a", "1.0.0")).header("etag", "\"1\""),
    });
    let config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();
    let file = only_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    let mut half_zero = whole.clone();
    half_zero[whole.len() / 2..].fill(0);
    let damaged: [&[u8]; 5] =
        [b"", &whole[..whole.len() / 2], &half_zero, &vec![0; whole.len()], b"something else"];
    for (index, contents) in damaged.iter().enumerate() {
        std::fs::write(&file, contents).unwrap();
        assert_eq!(run(&config, folder.path()).unwrap(), "1.0.0");
        assert_eq!(server.count(), index + 2, "a damaged file is as none: no condition is sent");
        assert_eq!(std::fs::read(&file).unwrap(), whole, "and it is replaced");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(run(&config, folder.path()).unwrap(), "1.0.0");
}

#[test]
fn registries_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|seen, _| {
        let version = if seen.target.starts_with("/one/") { "1.0.0" } else { "2.0.0" };
        Reply::ok(packument("a", version))
    });
    for _ in 0..2 {
        assert_eq!(run(&config(&server.url("/one/")), folder.path()).unwrap(), "1.0.0");
        assert_eq!(run(&config(&server.url("/two/")), folder.path()).unwrap(), "2.0.0");
    }
    assert_eq!(server.count(), 2);
}

#[test]
fn what_must_not_be_stored_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| {
        Reply::ok(packument("a", "1.0.0")).header("cache-control", "no-store")
    });
    let config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 2);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn times_are_fetched_although_a_packument_is_cached() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|seen, _| {
        let is_short = seen.header("accept").unwrap().contains("install-v1");
        let body = if is_short { packument("a", "1.0.0") } else { full_packument("a", "1.0.0") };
        Reply::ok(body).header("etag", "\"1\"")
    });
    let config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();
    let cache = ManifestCache::at(folder.path());
    let client = client(config.clone(), Some(&cache));
    assert!(client.cached(name("a"), true).is_none());
    assert!(client.cached(name("a"), false).is_some());
    assert!(block_on(client.packument(name("a"), true)).unwrap().has_times());
    assert_eq!(server.seen()[1].header("if-none-match"), None);
    // From now on the cached one has times and serves both.
    assert!(client.cached(name("a"), true).unwrap().has_times());
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 2);
}

#[test]
fn offline_opens_no_connection() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    let mut config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();
    age(folder.path(), 100_000);
    config.network.offline = true;
    assert_eq!(run(&config, folder.path()).unwrap(), "1.0.0");

    let client = client(config, Some(&ManifestCache::at(folder.path())));
    let error = block_on(client.packument(name("missing"), false)).unwrap_err();
    assert_eq!(error.to_string(), "`missing` is not in the cache, and deka may not go online");
    assert_eq!(error.code(), Some("ENOTCACHED"));
    let error =
        block_on(client.tarball(&server.url("/a.tgz"), TarballOptions::default())).unwrap_err();
    assert!(matches!(error, RegistryError::OfflineTarball { .. }), "{error}");
    assert_eq!(server.connections(), 1);
}

#[test]
fn preferences_decide_about_stale_and_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    let mut config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();

    config.network.prefer_offline = true;
    age(folder.path(), 100_000);
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 1);

    config.network.prefer_offline = false;
    config.network.prefer_online = true;
    age(folder.path(), 1);
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 2);
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("file");
    std::fs::write(&occupied, "").unwrap();
    let server = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    assert_eq!(run(&config(&server.url("/")), &occupied).unwrap(), "1.0.0");
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    let config = config(&server.url("/"));
    run(&config, folder.path()).unwrap();
    let tomorrow = SystemTime::now() + Duration::from_hours(24);
    let file = std::fs::File::open(only_file(folder.path())).unwrap();
    file.set_modified(tomorrow).unwrap();
    run(&config, folder.path()).unwrap();
    assert_eq!(server.count(), 2);
}

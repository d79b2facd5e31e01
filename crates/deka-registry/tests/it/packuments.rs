//! What is asked for, how often, and how it is unpacked.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use deka_registry::{ManifestCache, RegistryError, RegistryKey, TarballOptions, Workers};

use crate::server::{Length, Reply, Server};
use crate::{block_on, client, config, full_packument, latest, name, packument, with_token};

#[test]
fn the_abbreviated_form_is_asked_for() {
    let server = Server::start(|_, _| Reply::ok(packument("@a/b", "1.2.3")));
    let client = client(config(&server.url("/team")), None);
    let found = block_on(client.packument(name("@a/b"), false)).unwrap();
    assert_eq!(latest(&found), "1.2.3");
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/team/@a%2fb");
    assert_eq!(
        seen.header("accept"),
        Some("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*")
    );
    assert_eq!(seen.header("authorization"), None);
    assert!(seen.header("user-agent").unwrap().starts_with("deka/"));
    assert!(seen.header("accept-encoding").unwrap().contains("gzip"));
}

#[test]
fn the_full_form_is_asked_for_where_it_may_name_a_libc() {
    let server = Server::start(|target, _| {
        let name = target.target.trim_start_matches('/').replace("%2f", "/");
        Reply::ok(packument(&name, "1.0.0"))
    });
    let client = client(config(&server.url("/")), None);
    // What Bun 1.4.5 was seen to ask for.
    for (asked, is_full) in [
        ("@s/x-linux-arm64", true),
        ("linuxmusl", true),
        ("@musl/x", true),
        ("x-glibc", true),
        ("x-gnu", false),
        ("x-libc", false),
        ("x-darwin", false),
    ] {
        block_on(client.packument(name(asked), false)).unwrap();
        let seen = server.seen().pop().unwrap();
        let accept = seen.header("accept").unwrap();
        assert_eq!(accept.starts_with("application/json"), is_full, "{asked}: {accept}");
    }
}

#[test]
fn encodings_are_undone() {
    let json = packument("a", "1.0.0");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(json.as_bytes()).unwrap();
    for (encoding, body) in [
        ("identity", json.clone().into_bytes()),
        ("gzip", gzip.finish().unwrap()),
        ("zstd", zstd::encode_all(json.as_bytes(), 3).unwrap()),
    ] {
        for length in [Length::Right, Length::Chunked] {
            let body = body.clone();
            let server = Server::start(move |_, _| {
                Reply::ok(body.clone()).header("content-encoding", encoding).length(length)
            });
            let found =
                block_on(client(config(&server.url("/")), None).packument(name("a"), false));
            assert_eq!(latest(&found.unwrap()), "1.0.0", "{encoding} {length:?}");
        }
    }
}

#[test]
fn credentials_go_along() {
    let server = Server::start(|_, _| Reply::ok(packument("a", "1.0.0")));
    let config = with_token(config(&server.url("/")), &server.url("/"), "secret");
    block_on(client(config, None).packument(name("a"), false)).unwrap();
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer secret"));
}

#[test]
fn a_packument_is_fetched_once_per_run() {
    let server = Server::start(|_, _| Reply {
        delay: Duration::from_millis(50),
        ..Reply::ok(packument("a", "1.0.0"))
    });
    let client = client(config(&server.url("/")), None);
    block_on(async {
        let (one, two) =
            tokio::join!(client.packument(name("a"), false), client.packument(name("a"), false));
        assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
        client.packument(name("a"), false).await.unwrap();
    });
    assert_eq!(server.count(), 1);
}

#[test]
fn an_error_is_remembered_too() {
    let server = Server::start(|_, _| Reply::new(404, "{}"));
    let client = client(config(&server.url("/")), None);
    for _ in 0..3 {
        let error = block_on(client.packument(name("a"), false)).unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { status: 404, .. }), "{error}");
    }
    assert_eq!(server.count(), 1);
}

#[test]
fn times_need_the_full_form() {
    let server = Server::start(|seen, _| {
        if seen.header("accept").unwrap().contains("install-v1") {
            Reply::ok(packument("a", "1.0.0"))
        } else {
            Reply::ok(full_packument("a", "1.0.0"))
        }
    });
    let client = client(config(&server.url("/")), None);
    block_on(async {
        assert!(!client.packument(name("a"), false).await.unwrap().has_times());
        assert!(client.packument(name("a"), true).await.unwrap().has_times());
        assert!(!client.packument(name("a"), false).await.unwrap().has_times());
    });
}

#[test]
fn the_full_form_answers_both_questions() {
    let server = Server::start(|_, _| Reply::ok(full_packument("a", "1.0.0")));
    for order in [[true, false], [false, true]] {
        let client = client(config(&server.url("/")), None);
        let before = server.count();
        for need_times in order {
            assert!(block_on(client.packument(name("a"), need_times)).unwrap().has_times());
        }
        assert_eq!(server.count(), before + 1, "{order:?}");
    }
}

#[test]
fn connections_are_used_again_and_limited() {
    let server = Server::start(|_, _| Reply {
        delay: Duration::from_millis(5),
        ..Reply::ok(vec![7; 100_000])
    });
    let mut config = config(&server.url("/"));
    config.network.connections_per_host = std::num::NonZeroUsize::new(3);
    let client = client(config, None);
    block_on(async {
        let fetches = (0..40).map(|index| {
            let (client, url) = (client.clone(), server.url(&format!("/{index}.tgz")));
            tokio::spawn(async move { client.tarball(&url, TarballOptions::default()).await })
        });
        for fetch in fetches.collect::<Vec<_>>() {
            assert_eq!(fetch.await.unwrap().unwrap().len(), 100_000);
        }
    });
    assert_eq!(server.count(), 40);
    assert!(server.connections() <= 3, "{}", server.connections());
    let traffic = client.counters().now();
    assert_eq!((traffic.requests, traffic.tarballs, traffic.bytes), (40, 40, 4_000_000));
}

#[test]
fn no_more_requests_run_at_once_than_allowed() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let at_most = most.clone();
    let server = Server::start(move |_, _| {
        at_most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let started = Instant::now();
        while at_most.load(Ordering::SeqCst) < 4 && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // For one more to come, if it did.
        std::thread::sleep(Duration::from_millis(10));
        running.fetch_sub(1, Ordering::SeqCst);
        Reply::ok("x")
    });
    let mut config = config(&server.url("/"));
    config.network.concurrency = std::num::NonZeroUsize::new(4).unwrap();
    let client = client(config, None);
    block_on(async {
        let fetches = (0..30).map(|_| {
            let (client, url) = (client.clone(), server.url("/x.tgz"));
            tokio::spawn(async move { client.tarball(&url, TarballOptions::default()).await })
        });
        for fetch in fetches.collect::<Vec<_>>() {
            fetch.await.unwrap().unwrap();
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

#[test]
fn tarballs_are_asked_for_as_they_are() {
    let server = Server::start(|_, _| Reply::ok("packed").header("content-encoding", "gzip"));
    let client = client(config(&server.url("/")), None);
    let options = TarballOptions { is_refetch: true, ..TarballOptions::default() };
    let url = server.url("/a%2fb.tgz?x=1");
    assert_eq!(block_on(client.tarball(&url, options)).unwrap(), b"packed");
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/a%2fb.tgz?x=1");
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("cache-control"), Some("no-cache"));
}

#[derive(Debug, Default)]
struct Counting(AtomicUsize, Mutex<Vec<std::thread::JoinHandle<()>>>);

impl Workers for Counting {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.lock().unwrap().push(std::thread::spawn(job));
    }
}

#[derive(Debug)]
struct Refusing;

impl Workers for Refusing {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        drop(job);
    }
}

#[test]
fn workers_parse_what_is_large() {
    let server = Server::start(|seen, _| {
        let name = seen.target.trim_start_matches('/');
        let padding = " ".repeat(if name == "large" { 10_000 } else { 0 });
        Reply::ok(packument(name, "1.0.0") + &padding)
    });
    let config = Arc::new(config(&server.url("/")));
    let cache = tempfile::tempdir().unwrap();
    let fetch = |asked: &str, cache: Option<ManifestCache>| {
        let workers = Arc::new(Counting::default());
        let client =
            deka_registry::Client::with_workers(config.clone(), cache, workers.clone()).unwrap();
        assert_eq!(latest(&block_on(client.packument(name(asked), false)).unwrap()), "1.0.0");
        let Counting(jobs, threads) = &*workers;
        for thread in threads.lock().unwrap().drain(..) {
            thread.join().unwrap();
        }
        jobs.load(Ordering::SeqCst)
    };
    assert_eq!(fetch("small", None), 0);
    assert_eq!(fetch("large", None), 1);
    // A small one only has to be written.
    let cached = || ManifestCache::at(cache.path());
    assert_eq!(fetch("small", Some(cached())), 1);
    let registry = RegistryKey::new(config.registries.default_registry().url());
    assert!(cached().load(&registry, name("small")).is_some());

    // Workers that end early must not leave anybody waiting.
    let client = deka_registry::Client::with_workers(config, None, Arc::new(Refusing)).unwrap();
    let error = block_on(client.packument(name("large"), false)).unwrap_err();
    assert!(matches!(error, RegistryError::Abandoned { .. }), "{error}");
}

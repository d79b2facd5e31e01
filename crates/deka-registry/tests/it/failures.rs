//! Servers that fail, lie, stall or send too much.

use std::error::Error as _;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use deka_registry::{RegistryError, TarballOptions};

use crate::server::{Length, Reply, Server};
use crate::{block_on, client, config, latest, name, packument, with_token};

fn tarball(server: &Server, options: TarballOptions) -> Result<Vec<u8>, RegistryError> {
    let client = client(config(&server.url("/")), None);
    block_on(client.tarball(&server.url("/a.tgz"), options))
}

fn fetch(server: &Server) -> Result<Vec<u8>, RegistryError> {
    tarball(server, TarballOptions::default())
}

/// Waits no longer than `idle` for anything to come.
fn fetch_within(server: &Server, idle: Duration) -> Result<Vec<u8>, RegistryError> {
    let mut config = config(&server.url("/"));
    config.network.timeouts.idle = idle;
    let url = server.url("/a.tgz");
    block_on(client(config, None).tarball(&url, TarballOptions::default()))
}

/// Answers `bad` to the first `count` requests, then well.
fn recovers_after(count: usize, bad: Reply) -> Server {
    Server::start(
        move |_, number| {
            if number < count { bad.clone() } else { Reply::ok(packument("a", "1.0.0")) }
        },
    )
}

#[test]
fn what_may_pass_is_tried_again() {
    let body = packument("a", "1.0.0");
    let half = body.len() / 2;
    let bad = [
        ("408", Reply::new(408, "")),
        ("429", Reply::new(429, "slow down")),
        ("500", Reply::new(500, "oops")),
        ("503", Reply::new(503, "")),
        ("cut", Reply { cut_at: Some(half), ..Reply::ok(body.clone()) }),
        ("cut at once", Reply { cut_at: Some(0), ..Reply::ok(body.clone()) }),
        ("longer than announced", Reply::ok(body.clone()).length(Length::Claimed(half))),
        ("half of the JSON", Reply::ok(&body.as_bytes()[..half])),
        ("not packed", Reply::ok(body.clone()).header("content-encoding", "gzip")),
        ("not for us", Reply::ok(body.clone()).header("content-encoding", "compress")),
        ("not modified", Reply::new(304, "")),
        ("of another package", Reply::ok("[]")),
    ];
    for (what, reply) in bad {
        let server = recovers_after(2, reply);
        let client = client(config(&server.url("/")), None);
        let found = block_on(client.packument(name("a"), false));
        assert_eq!(latest(&found.unwrap_or_else(|e| panic!("{what}: {e}"))), "1.0.0", "{what}");
        assert_eq!(client.counters().now().retries, 2, "{what}");
    }
}

#[test]
fn tries_end() {
    let server = Server::start(|_, _| Reply::new(502, ""));
    let error = fetch(&server).unwrap_err();
    assert!(matches!(error, RegistryError::Status { status: 502, .. }), "{error}");
    assert_eq!(server.count(), 3);
}

#[test]
fn what_lasts_is_not_tried_again() {
    for (status, code) in [(401, "E401"), (403, "E403"), (404, "E404"), (410, "E404")] {
        let server = Server::start(move |_, _| Reply::new(status, "no"));
        let error = fetch(&server).unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert_eq!(server.count(), 1, "{status}");
    }
    let server = Server::start(|_, _| Reply::new(418, ""));
    assert!(matches!(fetch(&server), Err(RegistryError::Status { status: 418, .. })));
    assert_eq!(server.count(), 1);
}

#[test]
fn a_refused_login_says_whether_there_was_one() {
    let server = Server::start(|_, _| Reply::new(401, ""));
    let hint = |config| {
        let error = block_on(client(config, None).packument(name("a"), false)).unwrap_err();
        error.hint().unwrap()
    };
    let url = server.url("/");
    assert!(hint(config(&url)).starts_with("No credentials"));
    assert!(hint(with_token(config(&url), &url, "old")).contains("refused"));
}

#[test]
fn retry_after_is_kept_to() {
    for is_date in [false, true] {
        // Dates have whole seconds, so this one is at least one second ahead.
        let date = SystemTime::now() + Duration::from_secs(2);
        let value = if is_date { httpdate::fmt_http_date(date) } else { "1".to_owned() };
        let busy = Reply::new(429, "").header("retry-after", value.as_str());
        let server = recovers_after(1, busy);
        let started = Instant::now();
        fetch(&server).unwrap();
        // Clocks are read to some milliseconds only.
        let slack = Duration::from_millis(100);
        if is_date {
            let date = httpdate::parse_http_date(&value).unwrap();
            assert!(SystemTime::now() + slack >= date, "{value}");
        } else {
            assert!(started.elapsed() + slack >= Duration::from_secs(1));
        }
    }
}

#[test]
fn retry_after_is_limited() {
    for (seconds, is_waited_for) in [("1", true), ("86400", false)] {
        let server = recovers_after(1, Reply::new(503, "").header("retry-after", seconds));
        let mut config = config(&server.url("/"));
        config.network.retries.count = 20;
        config.network.retries.maximum = Duration::from_millis(50);
        let answer = block_on(client(config, None).packument(name("a"), false));
        assert_eq!(answer.is_ok(), is_waited_for, "{seconds}");
        assert_eq!(server.count(), 1 + usize::from(is_waited_for), "{seconds}");
    }
}

#[test]
fn silence_ends_a_request() {
    let silent = Duration::from_secs(20);
    let body = vec![1; 1000];
    for (doing, reply) in [
        ("waiting for an answer", Reply { delay: silent, ..Reply::ok("x") }),
        ("receiving", Reply { pause: Some((500, silent)), ..Reply::ok(body) }),
    ] {
        let server = Server::start(move |_, _| reply.clone());
        let started = Instant::now();
        match fetch_within(&server, Duration::from_secs(1)).unwrap_err() {
            RegistryError::Timeout { doing: found, .. } => assert_eq!(found, doing),
            error => panic!("{error}"),
        }
        // Tried again once only, since each time costs the whole timeout.
        assert_eq!(server.count(), 2);
        assert!(started.elapsed() < silent);
    }
}

#[test]
fn a_slow_body_that_keeps_coming_is_waited_for() {
    // Longer than the idle timeout in all, never so between two chunks.
    let server = Server::start(|_, _| Reply {
        delay: Duration::from_millis(1100),
        pause: Some((10, Duration::from_millis(1100))),
        ..Reply::ok(vec![1; 1000])
    });
    let fetched = fetch_within(&server, Duration::from_secs(2)).unwrap();
    assert_eq!((fetched.len(), server.count()), (1000, 1));
}

#[test]
fn wrong_lengths_are_noticed() {
    let body = vec![1; 5000];
    let short = Reply { cut_at: Some(5000), ..Reply::ok(body) }.length(Length::Claimed(6000));
    let server = Server::start(move |_, _| short.clone());
    assert!(matches!(fetch(&server), Err(RegistryError::Body { .. })));
    assert_eq!(server.count(), 3);
}

#[test]
fn huge_bodies_are_refused() {
    let options = TarballOptions { limit: Some(50_000), ..TarballOptions::default() };
    for (what, length) in [
        ("announced", Length::Right),
        ("chunked", Length::Chunked),
        ("announced only", Length::Claimed(usize::MAX >> 1)),
    ] {
        let server = Server::start(move |_, _| Reply::ok(vec![1; 50_001]).length(length));
        let error = tarball(&server, options).unwrap_err();
        assert!(matches!(error, RegistryError::TooLarge { limit: 50_000, .. }), "{what}: {error}");
        assert_eq!(server.count(), 1, "{what}");
    }
    let server = Server::start(|_, _| Reply::ok(vec![1; 50_000]).length(Length::Chunked));
    assert_eq!(tarball(&server, options).unwrap().len(), 50_000);
}

#[test]
fn an_announced_length_reserves_little() {
    // One exabyte is below no limit of the caller's here, and must not be reserved.
    let options = TarballOptions { limit: Some(u64::MAX), ..TarballOptions::default() };
    let server = Server::start(|_, _| Reply {
        cut_at: Some(10),
        ..Reply::ok(vec![1; 10]).length(Length::Claimed(1 << 60))
    });
    assert!(matches!(tarball(&server, options), Err(RegistryError::Body { .. })));
}

#[test]
fn connections_that_died_at_rest_are_replaced() {
    // Each connection is closed after its answer, without a word about it.
    let server = Server::start(|_, _| Reply { cut_at: Some(5), ..Reply::ok("hello") });
    let client = client(config(&server.url("/")), None);
    for _ in 0..10 {
        let found = block_on(client.tarball(&server.url("/a"), TarballOptions::default()));
        assert_eq!(found.unwrap(), b"hello");
    }
    block_on(async {
        for _ in 0..10 {
            client.tarball(&server.url("/a"), TarballOptions::default()).await.unwrap();
        }
    });
    assert_eq!(client.counters().now().retries, 0);
}

#[test]
fn an_unreachable_registry_is_named() {
    // The near end of a connection: nobody listens there, nor can begin to.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let url = url::Url::parse(&format!("http://{}/", connected.local_addr().unwrap())).unwrap();
    let client = client(config(&url), None);
    let error = block_on(async {
        let fetches = (0..8).map(|index| {
            let client = client.clone();
            tokio::spawn(async move { client.packument(name(&format!("p{index}")), false).await })
        });
        let mut last = None;
        for fetch in fetches.collect::<Vec<_>>() {
            last = Some(fetch.await.unwrap().unwrap_err());
        }
        last.unwrap()
    });
    assert!(matches!(error, RegistryError::Connect { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    assert!(error.source().is_some());
    assert!(error.hint().is_some());
}

#[test]
fn a_page_for_a_browser_is_asked_for_once() {
    let server = Server::start(|_, _| Reply::ok("\n<!doctype html><title>Log in</title>"));
    let client = client(config(&server.url("/")), None);
    let error = block_on(client.packument(name("a"), false)).unwrap_err();
    assert!(matches!(error, RegistryError::Page { .. }), "{error}");
    assert_eq!(server.count(), 1);
}

#[test]
fn what_is_not_http_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url::Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            use std::io::Write as _;
            drop((&stream).write_all(b"SSH-2.0-test\r\n"));
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let error = block_on(client(config(&url), None).packument(name("a"), false)).unwrap_err();
    assert!(matches!(error, RegistryError::Request { .. }), "{error:?}");
}

#[test]
fn other_schemes_are_not_requested() {
    let client = client(config(&url::Url::parse("http://127.0.0.1:9/").unwrap()), None);
    for url in ["file:///etc/passwd", "ftp://127.0.0.1/a.tgz", "data:text/plain,x"] {
        let url = url::Url::parse(url).unwrap();
        let error = block_on(client.tarball(&url, TarballOptions::default())).unwrap_err();
        assert!(matches!(error, RegistryError::UnsupportedUrl { .. }), "{error}");
    }
}

//! The registry as a client without any cleverness sees it.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::{Value, json};

use super::fault::Behaviour;
use super::{Authorization, Fault, Registry, Style};

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// Sends one request over a connection of its own; `None` if no whole head came back.
fn ask(registry: &Registry, path: &str, headers: &[&str]) -> Option<Answer> {
    ask_within(Duration::from_secs(20), registry, path, headers)
}

/// Gives up when nothing comes for so long.
fn ask_within(
    patience: Duration,
    registry: &Registry,
    path: &str,
    headers: &[&str],
) -> Option<Answer> {
    let stream = TcpStream::connect(registry.address()).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    ask_over(stream, path, headers)
}

fn ask_over(mut stream: impl Read + Write, path: &str, headers: &[&str]) -> Option<Answer> {
    let headers: String = headers.iter().map(|header| [header, "\r\n"].concat()).collect();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: registry.example\r\n{headers}connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_ne!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1)?.parse().unwrap();
    Some(Answer { status, head, body: bytes[end + 4..].to_vec() })
}

const ABBREVIATED: &str = "accept: application/vnd.npm.install-v1+json; q=1.0, */*";

fn registry_with_a() -> Registry {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("b", "^1")
        .optional_peer("c", "*")
        .bin("a", "cli.js")
        .executable("cli.js", "#!/usr/bin/env node\n")
        .script("postinstall", "true")
        .field("keywords", json!(["x"]))
        .libc(&["glibc"])
        .publish();
    registry
}

#[test]
fn packuments_are_abbreviated_when_asked_for() {
    let registry = registry_with_a();
    let full = ask(&registry, "/a", &[]).unwrap().json();
    assert_eq!(full["versions"]["1.0.0"]["keywords"], json!(["x"]));
    assert_eq!(full["time"]["1.0.0"], "2020-01-02T00:00:00.000Z");

    let answer = ask(&registry, "/a", &[ABBREVIATED]).unwrap();
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let short = answer.json();
    let version = &short["versions"]["1.0.0"];
    assert_eq!(short["dist-tags"], json!({ "latest": "1.0.0" }));
    assert_eq!(version["dependencies"], json!({ "b": "^1" }));
    assert_eq!(version["peerDependenciesMeta"], json!({ "c": { "optional": true } }));
    assert_eq!(version["hasInstallScript"], true);
    assert_eq!(version["dist"]["tarball"], "http://registry.example/a/-/a-1.0.0.tgz");
    assert!(short.get("time").is_none() && version.get("keywords").is_none());
    assert!(version.get("libc").is_none() && version.get("scripts").is_none());

    registry.style(Style::plain());
    let plain = ask(&registry, "/a", &[ABBREVIATED, "accept-encoding: gzip"]).unwrap();
    assert_eq!(plain.json(), full);
    assert_eq!(plain.header("etag"), None);
}

#[test]
fn gzip_and_revalidation_work_as_announced() {
    let registry = registry_with_a();
    let plain = ask(&registry, "/a", &[ABBREVIATED]).unwrap();
    let gzip = ask(&registry, "/a", &[ABBREVIATED, "accept-encoding: br, gzip"]).unwrap();
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut inflated = Vec::new();
    GzDecoder::new(&gzip.body[..]).read_to_end(&mut inflated).unwrap();
    assert_eq!(inflated, plain.body);

    let revalidate = format!("if-none-match: {}", gzip.header("etag").unwrap());
    let unchanged = ask(&registry, "/a", &[ABBREVIATED, &revalidate]).unwrap();
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));

    registry.package("a", "1.1.0").publish();
    let changed = ask(&registry, "/a", &[ABBREVIATED, &revalidate]).unwrap();
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["dist-tags"]["latest"], "1.1.0");
}

#[test]
fn latest_is_the_last_stable_version_unless_chosen() {
    let registry = Registry::start();
    let latest = || ask(&registry, "/a", &[]).unwrap().json()["dist-tags"]["latest"].clone();
    registry.package("a", "1.0.0-rc.1").publish();
    assert_eq!(latest(), "1.0.0-rc.1");
    registry.package("a", "1.0.0").publish();
    registry.package("a", "2.0.0-rc.1").publish();
    assert_eq!(latest(), "1.0.0");
    registry.tag("a", "latest", "2.0.0-rc.1");
    registry.package("a", "3.0.0").publish();
    assert_eq!(latest(), "2.0.0-rc.1");
    registry.remove_tag("a", "latest");
    assert_eq!(latest(), Value::Null);
}

#[test]
fn tarballs_are_served_with_their_integrity() {
    let registry = Registry::start();
    let published = registry.package("@s/a", "1.0.0").file("index.js", "1").publish();
    assert_eq!(published.path, "/@s/a/-/a-1.0.0.tgz");
    let packument = ask(&registry, "/@s%2fa", &[]).unwrap().json();
    let dist = &packument["versions"]["1.0.0"]["dist"];
    assert_eq!(dist["integrity"], published.integrity.as_str());
    assert_eq!(dist["shasum"], published.shasum.as_str());
    let tarball = ask(&registry, &published.path, &[]).unwrap();
    assert_eq!(tarball.body, published.tarball);
    assert_eq!(registry.paths(), ["/@s%2fa", "/@s/a/-/a-1.0.0.tgz"]);
    assert_eq!(registry.count("/@s/a"), 1);
    assert_eq!(ask(&registry, "/missing", &[]).unwrap().status, 404);

    registry.package("old", "1.0.0").shasum_only().publish();
    let old = ask(&registry, "/old", &[]).unwrap().json();
    assert!(old["versions"]["1.0.0"]["dist"].get("integrity").is_none());
}

#[test]
fn faults_take_their_turns() {
    let registry = registry_with_a();
    registry.fault(Fault::on("/a").times(2).status(503));
    registry.fault(Fault::on("/a").nth(1).retry_after(429, "1"));
    let first = ask(&registry, "/a", &[]).unwrap();
    let second = ask(&registry, "/a", &[]).unwrap();
    let third = ask(&registry, "/a", &[]).unwrap();
    let fourth = ask(&registry, "/a", &[]).unwrap();
    assert_eq!([first.status, second.status, third.status, fourth.status], [503, 503, 429, 200]);
    assert_eq!(third.header("retry-after"), Some("1"));
}

#[test]
fn bodies_end_badly_on_demand() {
    let registry = registry_with_a();
    let path = "/a/-/a-1.0.0.tgz";
    let whole = ask(&registry, path, &[]).unwrap().body;
    let body_with = |fault: Fault| {
        registry.clear_faults();
        let never_ends = matches!(fault.behaviour, Behaviour::Stall(_) | Behaviour::Hang);
        let patience = Duration::from_secs(if never_ends { 1 } else { 20 });
        registry.fault(fault);
        ask_within(patience, &registry, path, &[])
    };
    let length = whole.len().to_string();

    let cut = body_with(Fault::on(path).cut_after(10)).unwrap();
    assert_eq!((&cut.body[..], cut.header("content-length")), (&whole[..10], Some(&*length)));
    let stalled = body_with(Fault::on(path).stall_after(10)).unwrap();
    assert_eq!(stalled.body, whole[..10]);
    let short = body_with(Fault::on_tarballs().wrong_length(-5)).unwrap();
    assert_eq!(short.body, whole[..whole.len() - 5]);
    let long = body_with(Fault::on_tarballs().wrong_length(5)).unwrap();
    assert_eq!(long.header("content-length"), Some(&*(whole.len() + 5).to_string()));
    assert_eq!(long.body, whole);
    let corrupt = body_with(Fault::on_tarballs().corrupt()).unwrap();
    assert!(corrupt.body != whole && corrupt.body.len() == whole.len());
    assert_eq!(body_with(Fault::on_everything().body("{")).unwrap().body, b"{");
    assert!(body_with(Fault::on_everything().drop_connection()).is_none());
    assert!(body_with(Fault::on_everything().hang()).is_none());
    let started = Instant::now();
    let slow = body_with(Fault::on(path).slow(100, Duration::from_millis(10))).unwrap();
    assert_eq!(slow.body, whole);
    assert!(started.elapsed() >= Duration::from_millis(10));
}

#[test]
fn redirects_lead_to_a_server_that_records_what_comes() {
    let registry = registry_with_a();
    let other = Registry::start();
    registry.fault(Fault::on("/a").redirect_host(&other.url_as_localhost()));
    let answer = ask(&registry, "/a", &[]).unwrap();
    let location = format!("{}a", other.url_as_localhost());
    assert_eq!((answer.status, answer.header("location")), (302, Some(&*location)));
    ask(&other, "/a", &["authorization: Bearer leaked"]).unwrap();
    assert_eq!(other.requests()[0].header("authorization"), Some("Bearer leaked"));
}

#[test]
fn credentials_are_demanded() {
    let registry = registry_with_a();
    registry.require(Authorization::bearer("secret"));
    let status = |headers: &[&str]| ask(&registry, "/a", headers).unwrap().status;
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&["authorization: Bearer wrong"]), 403);
    assert_eq!(status(&["authorization: Bearer secret"]), 200);
    registry.require(Authorization::basic("u", "p").below("/@s/"));
    assert_eq!(status(&[]), 200);
    assert_eq!(ask(&registry, "/@s/a", &[]).unwrap().status, 401);
    assert_eq!(ask(&registry, "/@s/a", &["authorization: Basic dTpw"]).unwrap().status, 404);
}

#[test]
fn tls_speaks_what_the_client_prefers() {
    let registry = registry_with_a();
    let connect = |protocol: &[u8]| {
        let mut roots = RootCertStore::empty();
        let pem = registry.certificate_authority().as_bytes();
        roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let port = registry.tls_url().trim_end_matches('/').rsplit(':').next().unwrap().parse();
        let stream = TcpStream::connect(("127.0.0.1", port.unwrap())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        StreamOwned::new(client, stream)
    };
    let mut stream = connect(b"http/1.1");
    let answer = ask_over(&mut stream, "/a", &[]).unwrap();
    let tarball = &answer.json()["versions"]["1.0.0"]["dist"]["tarball"];
    assert_eq!(tarball, "https://registry.example/a/-/a-1.0.0.tgz");
    assert!(registry.requests()[0].tls);

    let mut stream = connect(b"h2");
    // The preface and an empty SETTINGS frame; the server answers with its own SETTINGS frame.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(frame[3], 4, "not SETTINGS: {frame:?}");
}

#[test]
fn answers_come_in_an_order_that_the_seed_decides() {
    let registry = Registry::start();
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    for name in &names {
        registry.package(name, "1.0.0").publish();
    }
    let order = |seed| {
        registry.shuffle_answers(seed);
        let mut times: Vec<_> = names
            .iter()
            .map(|name| {
                let started = Instant::now();
                ask(&registry, &format!("/{name}"), &[]).unwrap();
                (started.elapsed(), name.clone())
            })
            .collect();
        times.sort();
        times.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_ne!(order(1), order(2));
}

#[test]
fn a_recorded_folder_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let packument = json!({
        "name": "@s/a",
        "dist-tags": { "latest": "1.0.0" },
        "versions": { "1.0.0": {
            "name": "@s/a", "version": "1.0.0", "readme": "x",
            "dist": { "tarball": "https://registry.example/@s/a/-/a-1.0.0.tgz" },
        } },
    });
    std::fs::create_dir_all(folder.path().join("packuments/@s")).unwrap();
    std::fs::write(folder.path().join("packuments/@s/a.json"), packument.to_string()).unwrap();
    std::fs::create_dir_all(folder.path().join("tarballs/@s/a/-")).unwrap();
    std::fs::write(folder.path().join("tarballs/@s/a/-/a-1.0.0.tgz"), "tarball").unwrap();
    let registry = Registry::serve_recorded(folder.path());

    let answer = ask(&registry, "/@s%2Fa", &[ABBREVIATED, "host: other.example:1"]).unwrap().json();
    let version = &answer["versions"]["1.0.0"];
    assert_eq!(version["dist"]["tarball"], "http://registry.example/@s/a/-/a-1.0.0.tgz");
    assert!(version.get("readme").is_none());
    assert_eq!(ask(&registry, "/@s/a/-/a-1.0.0.tgz", &[]).unwrap().body, b"tarball");
    assert_eq!(ask(&registry, "/@s%2f..%2f..%2fetc", &[]).unwrap().status, 404);
}

#[test]
fn the_storage_of_a_verdaccio_is_served() {
    let storage = tempfile::tempdir().unwrap();
    let packument = json!({
        "name": "@s/a",
        "versions": { "1.0.0": {
            "dist": { "tarball": "http://storage.example/@s/a/-/@s/a-1.0.0.tgz" },
        } },
    });
    std::fs::create_dir_all(storage.path().join("@s/a")).unwrap();
    std::fs::write(storage.path().join("@s/a/package.json"), packument.to_string()).unwrap();
    std::fs::write(storage.path().join("@s/a/a-1.0.0.tgz"), "tarball").unwrap();
    let registry = Registry::serve_verdaccio(storage.path());

    let answer = ask(&registry, "/@s%2Fa", &[]).unwrap().json();
    let tarball = &answer["versions"]["1.0.0"]["dist"]["tarball"];
    assert_eq!(tarball, "http://registry.example/@s/a/-/@s/a-1.0.0.tgz");
    assert_eq!(ask(&registry, "/@s/a/-/@s/a-1.0.0.tgz", &[]).unwrap().body, b"tarball");
    assert_eq!(ask(&registry, "/@s/b/-/b-1.0.0.tgz", &[]).unwrap().status, 404);
}

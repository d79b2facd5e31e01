//! Proxies that forward, that tunnel, and that want a login. Tunnels to TLS are in `tls.rs`.

use deka_config::{NoProxy, ProxyUrl};
use deka_registry::{RegistryError, TarballOptions};

use crate::server::{Proxy, Reply, Server};
use crate::{block_on, client, config, with_token};

#[test]
fn plain_requests_are_forwarded() {
    let server = Server::start(|_, _| Reply::ok("the end"));
    let proxy = Proxy::start(Some("Basic bWU6YUBi"));
    let mut config = with_token(config(&server.url("/")), &server.url("/"), "secret");
    config.network.proxies.http = Some(ProxyUrl(proxy.url("me:a%40b@")));
    let client = client(config, None);
    let url = server.url("/a.tgz");
    for _ in 0..2 {
        let found = block_on(client.tarball(&url, TarballOptions::default())).unwrap();
        assert_eq!(found, b"the end");
    }
    let seen = proxy.seen();
    assert_eq!(seen[0].target, url.as_str());
    assert_eq!(seen[0].header("host"), Some(server.address().to_string().as_str()));
    assert_eq!(seen[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(server.seen()[0].target, "/a.tgz");
}

#[test]
fn a_proxy_may_refuse() {
    let server = Server::start(|_, _| Reply::ok("the end"));
    let proxy = Proxy::start(Some("Basic bWU6YUBi"));
    let mut config = config(&server.url("/"));
    config.network.proxies.http = Some(ProxyUrl(proxy.url("")));
    let error =
        block_on(client(config, None).tarball(&server.url("/a.tgz"), TarballOptions::default()))
            .unwrap_err();
    assert!(matches!(error, RegistryError::Status { status: 407, .. }), "{error}");
    assert_eq!(server.count(), 0);
}

#[test]
fn exceptions_are_reached_directly() {
    let server = Server::start(|_, _| Reply::ok("the end"));
    let proxy = Proxy::start(None);
    let mut config = config(&server.url("/"));
    config.network.proxies.http = Some(ProxyUrl(proxy.url("")));
    config.network.proxies.except = NoProxy::parse("127.0.0.0/8");
    let url = server.url("/a.tgz");
    block_on(client(config, None).tarball(&url, TarballOptions::default())).unwrap();
    assert!(proxy.seen().is_empty());
}

#[test]
fn other_kinds_of_proxies_are_refused_at_once() {
    let server = url::Url::parse("http://127.0.0.1:9/").unwrap();
    let mut config = config(&server);
    let socks = url::Url::parse("socks5://127.0.0.1:1080").unwrap();
    config.network.proxies.https = Some(ProxyUrl(socks));
    let error = deka_registry::Client::new(std::sync::Arc::new(config), None).unwrap_err();
    assert!(matches!(error, RegistryError::Setting { setting: "https-proxy", .. }), "{error}");
}

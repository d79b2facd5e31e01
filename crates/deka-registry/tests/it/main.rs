//! The client against servers that behave, and servers that do not. All of them on 127.0.0.1.

mod cache;
mod failures;
mod packuments;
mod proxies;
mod redirects;
mod server;
mod tls;

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use deka_config::{Config, Credentials, Registries, Registry, Retries, Secret, Timeouts};
use deka_manifest::PackageName;
use deka_registry::{Client, ManifestCache};
use url::Url;

/// Runs on one thread, as the network of an install does, and never for long.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(30), future).await.expect("it took too long")
    })
}

/// A configuration with short waits whose default registry is `registry`.
pub(crate) fn config(registry: &Url) -> Config {
    let mut config = Config::default();
    config.registries = Registries::new(Registry::parse(registry.as_str()).unwrap());
    config.network.retries = Retries {
        count: 2,
        factor: 2.0,
        minimum: Duration::from_millis(5),
        maximum: Duration::from_secs(3),
    };
    config.network.timeouts = Timeouts {
        connect: Duration::from_secs(5),
        // Also for a server that gets little of a busy machine.
        idle: Duration::from_secs(20),
        request: Duration::from_mins(1),
    };
    config.network.concurrency = NonZeroUsize::new(16).unwrap();
    config
}

pub(crate) fn with_token(mut config: Config, location: &Url, token: &str) -> Config {
    let credentials = Credentials { token: Some(Secret::new(token)), ..Credentials::default() };
    assert!(config.registries.add_credentials(location.as_str(), &credentials));
    config
}

pub(crate) fn client(config: Config, cache: Option<&ManifestCache>) -> Client {
    Client::new(Arc::new(config), cache.cloned()).unwrap()
}

pub(crate) fn name(text: &str) -> PackageName {
    PackageName::parse(text).unwrap()
}

/// The packument of a package with one version.
pub(crate) fn packument(name: &str, version: &str) -> String {
    format!(
        r#"{{"name":"{name}","dist-tags":{{"latest":"{version}"}},"versions":{{"{version}":{{"name":"{name}","version":"{version}","dist":{{"tarball":"https://registry.example/{name}.tgz","shasum":"0000000000000000000000000000000000000000"}}}}}}}}"#
    )
}

/// The same in the full form.
pub(crate) fn full_packument(name: &str, version: &str) -> String {
    let short = packument(name, version);
    let short = short.strip_suffix('}').unwrap();
    format!(
        r#"{short},"time":{{"created":"2020-01-01T00:00:00.000Z","{version}":"2020-01-02T00:00:00.000Z"}}}}"#
    )
}

pub(crate) fn latest(packument: &deka_manifest::Packument) -> String {
    let index = packument.dist_tag("latest").unwrap();
    packument.version(index).to_string()
}

//! What can go wrong between deka and a registry.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deka_manifest::PackageName;

use crate::SafeUrl;

/// Any error as the cause of another; shared, since one failed request may answer many callers.
pub type Cause = Arc<dyn Error + Send + Sync + 'static>;

/// Why a registry could not be asked, or did not give what it was asked for.
///
/// No variant holds a credential: URLs are [`SafeUrl`]s.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The server has nothing there (404 or 410).
    #[error("`{url}` was not found ({status})")]
    NotFound {
        /// What was asked for.
        url: SafeUrl,
        /// The status that the server sent.
        status: u16,
    },
    /// The server wants a login, or another one (401).
    #[error("`{url}` needs a valid login (401)")]
    Unauthorized {
        /// What was asked for.
        url: SafeUrl,
        /// Whether credentials were sent.
        sent_credentials: bool,
    },
    /// The server refuses, whoever asks or because of who asks (403).
    #[error("Access to `{url}` is forbidden (403)")]
    Forbidden {
        /// What was asked for.
        url: SafeUrl,
        /// Whether credentials were sent.
        sent_credentials: bool,
    },
    /// The server answered with another status that means failure.
    #[error(
        "`{url}` answered with status {status}{}",
        retry_after.map(|wait| format!(", to come back after {} s", wait.as_secs())).unwrap_or_default()
    )]
    Status {
        /// What was asked for.
        url: SafeUrl,
        /// The status that the server sent.
        status: u16,
        /// How long the server asked to wait, if it did.
        retry_after: Option<Duration>,
    },
    /// No connection, or nothing came over it, for too long.
    #[error("`{url}` did not answer: timed out after {} s while {doing}", after.as_secs_f32())]
    Timeout {
        /// What was asked for.
        url: SafeUrl,
        /// What deka waited for.
        doing: &'static str,
        /// How long it waited.
        after: Duration,
    },
    /// The host's name could not be resolved or no connection could be made.
    #[error("Failed to connect to {}`{host}` for `{url}`", if *is_proxy { "the proxy " } else { "" })]
    Connect {
        /// What was asked for.
        url: SafeUrl,
        /// The host that was connected to: the server's, or the proxy's.
        host: String,
        /// Whether it is the proxy's.
        is_proxy: bool,
        /// Why not.
        source: Cause,
    },
    /// The encrypted connection could not be established.
    #[error("Failed to establish a secure connection to `{host}` for `{url}`")]
    Tls {
        /// What was asked for.
        url: SafeUrl,
        /// The host that was connected to.
        host: String,
        /// Why not.
        source: Cause,
    },
    /// The server's certificate is not trusted.
    #[error("The certificate of `{host}` is not trusted, for `{url}`")]
    Certificate {
        /// What was asked for.
        url: SafeUrl,
        /// The host that was connected to.
        host: String,
        /// Why not.
        source: Cause,
    },
    /// The proxy refused to connect further.
    #[error("The proxy `{proxy}` refused to connect to `{url}` (status {status})")]
    Proxy {
        /// What was asked for.
        url: SafeUrl,
        /// The proxy.
        proxy: SafeUrl,
        /// The status that the proxy sent.
        status: u16,
    },
    /// The connection broke, or what came over it was not HTTP.
    #[error("Failed to request `{url}`")]
    Request {
        /// What was asked for.
        url: SafeUrl,
        /// Why.
        source: Cause,
    },
    /// The body ended early, had another length than announced, or could not be decoded.
    #[error("Failed to receive the whole of `{url}`")]
    Body {
        /// What was asked for.
        url: SafeUrl,
        /// Why.
        source: Cause,
    },
    /// The body is larger than deka accepts.
    #[error("`{url}` is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: SafeUrl,
        /// The limit in bytes.
        limit: u64,
    },
    /// The server redirected to where deka does not go.
    #[error("`{url}` redirects to `{target}`, {reason}")]
    Redirect {
        /// The URL that redirects.
        url: SafeUrl,
        /// Where to.
        target: String,
        /// Why deka does not follow, as the end of a sentence.
        reason: &'static str,
    },
    /// The URL is not one that deka can ask.
    #[error("`{url}` can't be requested: {reason}")]
    UnsupportedUrl {
        /// The URL.
        url: SafeUrl,
        /// Why not.
        reason: &'static str,
    },
    /// What came is no packument, or that of another package.
    #[error("`{url}` is not a valid packument of `{name}`")]
    Packument {
        /// The package.
        name: PackageName,
        /// Where it came from.
        url: SafeUrl,
        /// What is wrong with it.
        source: Cause,
    },
    /// What came is a page for a browser.
    #[error("`{url}` answered with a web page instead of the packument of `{name}`")]
    Page {
        /// The package.
        name: PackageName,
        /// Where it came from.
        url: SafeUrl,
    },
    /// What came is not what such a question is answered with.
    #[error("`{url}` did not answer as registries do")]
    Answer {
        /// What was asked.
        url: SafeUrl,
        /// What is wrong with the answer.
        source: Cause,
    },
    /// deka may not go online and the cache has no such packument.
    #[error("`{name}` is not in the cache, and deka may not go online")]
    OfflinePackument {
        /// The package.
        name: PackageName,
    },
    /// deka may not go online and the tarball is not in the store.
    #[error("`{url}` can't be fetched: deka may not go online")]
    OfflineTarball {
        /// The tarball.
        url: SafeUrl,
    },
    /// deka may not go online, and only the registry knows the answer.
    #[error("`{url}` can't be asked: deka may not go online")]
    OfflineQuestion {
        /// What was to be asked.
        url: SafeUrl,
    },
    /// A file with certificates or a key could not be read or used.
    #[error("Failed to use the certificates of {origin}")]
    CertificateFile {
        /// Where they are from: a path in backticks, or the name of a setting.
        origin: String,
        /// Why.
        source: Cause,
    },
    /// Neither the system nor the configuration has any certificate to trust.
    #[error("No trusted certificates found, so that `{url}` can't be reached securely")]
    NoCertificates {
        /// What was asked for.
        url: SafeUrl,
    },
    /// A registry that is configured can't be used, and what it has must not be taken from another.
    #[error(
        "The registry that is set by {origin} can't be used, and no other one stands in for it"
    )]
    Registry {
        /// The setting and where it is.
        origin: String,
    },
    /// A setting of the network can't be used.
    #[error("The setting `{setting}` can't be used: {reason}")]
    Setting {
        /// The name as users know it.
        setting: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// The manifest cache could not be written.
    #[error("Failed to write `{}` of the manifest cache", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Cause,
    },
    /// The thread that was to do the work ended before it was done.
    #[error("The work on `{url}` was given up because deka is ending")]
    Abandoned {
        /// What was asked for.
        url: SafeUrl,
    },
}

impl RegistryError {
    /// Returns npm's code for this kind of error, if npm has one.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound { .. } => "E404",
            Self::Unauthorized { .. } => "E401",
            Self::Forbidden { .. } => "E403",
            Self::Timeout { .. } => "ETIMEDOUT",
            Self::Status { status: 429, .. } => "E429",
            Self::OfflinePackument { .. }
            | Self::OfflineTarball { .. }
            | Self::OfflineQuestion { .. } => "ENOTCACHED",
            _ => return None,
        })
    }

    /// Whether the registry has no service for such a request.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Status { status: 400 | 405 | 501, .. })
    }

    /// Returns one thing that the user can try, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unauthorized { sent_credentials: false, .. }
            | Self::Forbidden { sent_credentials: false, .. } => {
                "No credentials are configured for this host and path; add a token to `.npmrc`, as in `//host/path/:_authToken=…`"
            }
            Self::Unauthorized { sent_credentials: true, .. } => {
                "The credentials that are configured for this host and path were refused; they may have expired"
            }
            Self::Forbidden { sent_credentials: true, .. } => {
                "The credentials are known there, but may not read this: check what they are for"
            }
            Self::Tls { .. } => {
                "Check that `registry` begins as its server speaks, with `https:` or `http:`, and that no proxy is in between"
            }
            Self::CertificateFile { .. } => "`deka config list` says where each setting comes from",
            Self::Certificate { .. } => {
                "If a proxy or a private registry uses a certificate authority of its own, name its certificate with `cafile` in `.npmrc` or with `NODE_EXTRA_CA_CERTS`"
            }
            Self::NoCertificates { .. } => {
                "Install the system's certificates (often the package `ca-certificates`), or set `SSL_CERT_FILE` or `cafile`"
            }
            Self::Proxy { status: 407, .. } | Self::Status { status: 407, .. } => {
                "The proxy wants a login: write it into the proxy's URL, as in `http://user:password@host:port`"
            }
            Self::Proxy { .. } | Self::Connect { is_proxy: true, .. } => {
                "Check the proxy settings: `deka config list` says where they come from; `NO_PROXY` names hosts that need none"
            }
            Self::Status { status: 429, .. } => {
                "The registry wants fewer requests: wait, then run it again; `network-concurrency` in `.npmrc` makes it fewer at once"
            }
            Self::Status { status: 500..=599, .. } => {
                "The registry has trouble of its own: run it again later; `--prefer-offline` uses what is cached"
            }
            Self::Page { .. } => {
                "A network that wants a login, or a proxy, may have answered: open the URL in a browser, and check `registry`"
            }
            Self::Packument { .. } | Self::Redirect { .. } => {
                "Check that `registry` is the URL of a registry"
            }
            Self::Registry { .. } => {
                "Mend that line, set the variable in it, or remove it; `--registry <url>` counts for once"
            }
            Self::OfflinePackument { .. } | Self::OfflineTarball { .. } => {
                "Run it once without `--offline`"
            }
            Self::OfflineQuestion { .. } => {
                "Run it without `--offline`: what the cache knows does not answer this"
            }
            Self::Connect { .. } | Self::Timeout { .. } => {
                "Check the network, `registry` and the proxy settings; `--prefer-offline` uses what is cached"
            }
            _ => return None,
        })
    }

    /// Returns whether the same request may succeed if it is sent again.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } | Self::Proxy { status, .. } => {
                matches!(status, 408 | 425 | 429 | 500..=599)
            }
            Self::Timeout { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Request { .. }
            | Self::Body { .. }
            // A body that was cut where no length was announced looks like this.
            | Self::Packument { .. } => true,
            _ => false,
        }
    }
}

/// A cause that is only a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Reason(pub(crate) &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let url = SafeUrl::new(&url::Url::parse("https://registry.example/a").unwrap());
        let status = |status| RegistryError::Status { url: url.clone(), status, retry_after: None };
        for transient in [408, 429, 500, 502, 503, 504] {
            assert!(status(transient).is_transient(), "{transient}");
        }
        for lasting in [400, 402, 405, 406, 418] {
            assert!(!status(lasting).is_transient(), "{lasting}");
        }
        let not_found = RegistryError::NotFound { url: url.clone(), status: 404 };
        assert!(!not_found.is_transient());
        assert_eq!(not_found.to_string(), "`https://registry.example/a` was not found (404)");
    }
}

//! How a registry answers when nothing is wrong.

use base64::{Engine, prelude::BASE64_STANDARD};

/// Which of the things that registries do differently this one does.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Answers with an abbreviated packument when the `Accept` header asks for one.
    pub abbreviated: bool,
    /// Compresses packuments when the client accepts gzip.
    pub gzip: bool,
    /// Sends an ETag and answers 304 to a matching `If-None-Match`.
    pub etag: bool,
    /// Sends `Last-Modified` and answers 304 to `If-Modified-Since`.
    pub last_modified: bool,
    /// The `Cache-Control` of packuments, if any.
    pub cache_control: Option<&'static str>,
}

impl Style {
    /// As the public npm registry answers.
    pub const fn public() -> Self {
        Self {
            abbreviated: true,
            gzip: true,
            etag: true,
            last_modified: true,
            cache_control: Some("public, max-age=300"),
        }
    }

    /// As the simplest of private registries answer: always the full packument, neither
    /// compressed nor with anything to revalidate it by.
    pub const fn plain() -> Self {
        Self {
            abbreviated: false,
            gzip: false,
            etag: false,
            last_modified: false,
            cache_control: None,
        }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self::public()
    }
}

/// The credentials that a registry demands, for all paths or for some.
#[derive(Clone, Debug)]
pub struct Authorization {
    header: String,
    prefixes: Vec<String>,
}

impl Authorization {
    /// A token, as `_authToken` in `.npmrc` sends it.
    pub fn bearer(token: &str) -> Self {
        Self { header: format!("Bearer {token}"), prefixes: Vec::new() }
    }

    /// User name and password, as `_auth` or `username` and `_password` in `.npmrc` send them.
    pub fn basic(user: &str, password: &str) -> Self {
        let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
        Self { header: format!("Basic {encoded}"), prefixes: Vec::new() }
    }

    /// Demands them only for paths that start so, such as `/@scope/`; called again, for those as well.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.prefixes.push(prefix.to_owned());
        self
    }

    /// The value that the `Authorization` header has to have.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Whether this path needs it.
    pub fn covers(&self, path: &str) -> bool {
        let mut prefixes = self.prefixes.iter();
        self.prefixes.is_empty() || prefixes.any(|prefix| path.starts_with(prefix))
    }
}

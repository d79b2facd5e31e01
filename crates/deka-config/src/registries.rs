//! Which registry serves a package, and what proves to it who we are.

use std::ffi::{OsStr, OsString};

use deno_npmrc::NpmRegistryUrl;
use hashbrown::HashMap;
use sys_traits::BaseEnvVar;
use url::Url;

use crate::credentials::Territory;
use crate::{AuthHeader, ClientCertificate, Credentials, Origin};

/// Why a text is no registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistry {
    /// It is no URL.
    #[error("it is not a URL")]
    NotAUrl(#[source] url::ParseError),
    /// It is another kind of URL.
    #[error("its scheme is `{scheme}`, expected `https` or `http`")]
    Scheme {
        /// The scheme that it has.
        scheme: String,
    },
}

/// The place of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    url: Url,
}

impl Registry {
    /// Reads the URL of a registry. A path without a slash at its end gets one; credentials, query
    /// and fragment are taken off.
    pub fn parse(text: &str) -> Result<Self, InvalidRegistry> {
        Self::with_credentials(text).map(|(registry, _)| registry)
    }

    /// Like [`Registry::parse`], and returns the credentials that stood in the URL.
    pub fn with_credentials(text: &str) -> Result<(Self, Option<Credentials>), InvalidRegistry> {
        let mut url = Url::parse(text.trim()).map_err(InvalidRegistry::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidRegistry::Scheme { scheme: url.scheme().to_owned() });
        }
        let credentials = Credentials::of_url(&url);
        if credentials.is_some() {
            // Cannot fail for http and https, which always have a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok((Self { url }, credentials))
    }

    /// Returns the URL: a slash at its end, no credentials.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether this is the registry that everybody uses.
    pub fn is_npm(&self) -> bool {
        self.url.as_str().trim_end_matches('/')
            == deno_npmrc::NPM_DEFAULT_REGISTRY.trim_end_matches('/')
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::parse(deno_npmrc::NPM_DEFAULT_REGISTRY).expect("the default registry is a URL")
    }
}

impl std::fmt::Display for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.url.as_str())
    }
}

/// The default registry, those of scopes, and all credentials.
#[derive(Debug, Clone)]
pub struct Registries {
    default: Registry,
    /// That of [`JSR_SCOPE`], where nobody has set another.
    jsr: Registry,
    /// By scope in lower case, with its `@`.
    scopes: HashMap<Box<str>, Registry>,
    /// Who was to have another registry than is known, by scope or all, and which setting says so.
    unusable: Vec<(Option<Box<str>>, Origin)>,
    credentials: Vec<(Territory, AuthHeader)>,
    certificates: Vec<(Territory, ClientCertificate)>,
}

/// The scope under which jsr serves its packages to npm; nobody else has any of them.
const JSR_SCOPE: &str = "@jsr";

/// Variables play no part in where jsr's own registry is.
struct NoEnvironment;

impl BaseEnvVar for NoEnvironment {
    fn base_env_var_os(&self, _key: &OsStr) -> Option<OsString> {
        None
    }
}

impl Default for Registries {
    fn default() -> Self {
        Self {
            default: Registry::default(),
            jsr: Registry { url: NpmRegistryUrl::for_jsr(&NoEnvironment).url },
            scopes: HashMap::new(),
            unusable: Vec::new(),
            credentials: Vec::new(),
            certificates: Vec::new(),
        }
    }
}

impl Registries {
    /// Returns a set with one registry for everything.
    pub fn new(default: Registry) -> Self {
        Self { default, ..Self::default() }
    }

    /// Returns the default registry.
    pub fn default_registry(&self) -> &Registry {
        &self.default
    }

    /// Returns the registry for a package name: its scope's, else the default one.
    pub fn for_name(&self, name: &str) -> &Registry {
        if !name.starts_with('@') {
            return &self.default;
        }
        let scope = name.split_once('/').map(|(scope, _)| scope).filter(|s| s.starts_with('@'));
        let found = scope.and_then(|scope| {
            let set = self.scopes.get(scope).or_else(|| self.scopes.get(&*scope.to_lowercase()));
            set.or_else(|| (scope == JSR_SCOPE).then_some(&self.jsr))
        });
        found.unwrap_or(&self.default)
    }

    /// Returns the scopes that have a registry of their own, sorted.
    pub fn scopes(&self) -> impl Iterator<Item = (&str, &Registry)> {
        let mut scopes: Vec<_> =
            self.scopes.iter().map(|(scope, at)| (scope.as_ref(), at)).collect();
        scopes.sort_unstable_by_key(|(scope, _)| *scope);
        scopes.into_iter()
    }

    /// Makes `registry` the default one.
    pub fn set_default(&mut self, registry: Registry) {
        self.default = registry;
        self.unusable.retain(|(scope, _)| scope.is_some());
    }

    /// Makes `registry` the one of a scope, given with or without `@`.
    pub fn set_scope(&mut self, scope: &str, registry: Registry) {
        let scope = scope_key(scope);
        self.unusable.retain(|(known, _)| known.as_ref() != Some(&scope));
        self.scopes.insert(scope, registry);
    }

    /// Notes that the default registry, or that of a scope, was to be another one, which can't be used.
    pub(crate) fn set_unusable(&mut self, scope: Option<&str>, origin: Origin) {
        self.unusable.push((scope.map(scope_key), origin));
    }

    /// Returns the setting of a registry that can't be used, if there is one and no stronger setting took
    /// its place. Then nothing may be asked: the packages that it has may be somebody else's elsewhere.
    pub fn unusable(&self) -> Option<&Origin> {
        self.unusable.first().map(|(_, origin)| origin)
    }

    /// Adds credentials for everything below `location`, which is `//host[:port]/path/` or the URL
    /// of a registry. Returns whether both were of use.
    pub fn add_credentials(&mut self, location: &str, credentials: &Credentials) -> bool {
        let territory = Territory::parse(location)
            .or_else(|| Some(Territory::of_registry(Registry::parse(location).ok()?.url())));
        match (territory, credentials.header()) {
            (Some(territory), Some(header)) => {
                self.add_header(territory, header);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn add_header(&mut self, territory: Territory, header: AuthHeader) {
        self.credentials.retain(|(known, _)| *known != territory);
        self.credentials.push((territory, header));
    }

    pub(crate) fn add_certificate(&mut self, territory: Territory, certificate: ClientCertificate) {
        self.certificates.retain(|(known, _)| *known != territory);
        self.certificates.push((territory, certificate));
    }

    /// Returns what to send as `Authorization` with a request to `url`, if anything: the
    /// credentials of the longest path prefix on that host and port.
    pub fn auth_for(&self, url: &Url) -> Option<AuthHeader> {
        closest(&self.credentials, url).cloned()
    }

    /// Returns the client certificate of the longest path prefix.
    pub fn certificate_for(&self, url: &Url) -> Option<&ClientCertificate> {
        closest(&self.certificates, url)
    }
}

/// Returns what belongs to the longest path prefix of `url`.
fn closest<'a, T>(entries: &'a [(Territory, T)], url: &Url) -> Option<&'a T> {
    entries
        .iter()
        .filter_map(|(territory, value)| Some((territory.covers(url)?, value)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, value)| value)
}

/// Scopes are compared without regard to case.
pub(crate) fn scope_key(scope: &str) -> Box<str> {
    format!("@{}", scope.trim_start_matches('@').to_lowercase()).into()
}

/// Returns the URL as text, to be shown: without user name and password.
pub(crate) fn without_credentials(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

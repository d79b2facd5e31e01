//! Where things lie in a registry, and how its URLs may be shown.
//!
//! A registry is named by one base URL, whose path counts (`https://host/team-a/` and
//! `https://host/team-b/` are two registries):
//!
//! ```text
//! https://registry.example/team/            the base, always with a slash at its end
//!                              react        a packument
//!                              @types%2fnode             the packument of a scoped package
//!                              react/-/react-19.0.0.tgz  a tarball, where the packument does not say else
//! ```

use std::fmt;

use deka_manifest::{PackageName, Version};
use url::Url;

/// A URL with nothing secret left in it: what errors, logs and reports show.
///
/// The user and password are dropped and the values of the query are replaced by `…`, since tokens of
/// signed URLs live there.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeUrl(String);

impl SafeUrl {
    /// Returns `url` without its secrets.
    pub fn new(url: &Url) -> Self {
        let mut shown = url.clone();
        // These fail only for URLs without a host, which have no user either.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.set_fragment(None);
        if shown.query().is_some() {
            shown.set_query(None);
            return Self(format!("{shown}?…"));
        }
        Self(shown.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Url> for SafeUrl {
    fn from(url: &Url) -> Self {
        Self::new(url)
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A registry as the manifest cache knows it: its base URL without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryKey(String);

impl RegistryKey {
    /// Returns the key of the registry at `base`.
    pub fn new(base: &Url) -> Self {
        let mut base = with_trailing_slash(base);
        let _ = base.set_username("");
        let _ = base.set_password(None);
        Self(base.into())
    }

    /// Returns the base URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the URL of the packument of `name`.
///
/// The slash of a scope is encoded: Artifactory and others read `@scope/name` as two folders.
pub fn packument_url(registry: &Url, name: PackageName) -> Url {
    let mut url = with_trailing_slash(registry);
    let path = format!("{}{}", url.path(), encode_name(name.as_str()));
    url.set_path(&path);
    url
}

/// Returns the URL at which a registry keeps the tarball of `name` at `version` by convention.
pub fn tarball_url(registry: &Url, name: PackageName, version: &Version) -> Url {
    let name = name.as_str();
    let base = name.rsplit_once('/').map_or(name, |(_, base)| base);
    let mut url = with_trailing_slash(registry);
    // The slash of a scope stays as it is here, in contrast to packuments.
    let folder = encode_name(name).replace("%2f", "/");
    let version = version.to_string();
    // Build metadata is not part of the file's name: the registry drops it when a version is published.
    let version = version.split_once('+').map_or(version.as_str(), |(version, _)| version);
    let path = format!("{}{folder}/-/{}-{version}.tgz", url.path(), encode_name(base));
    url.set_path(&path);
    url
}

/// Returns the URL of one of a registry's own services, such as `-/v1/search`.
pub(crate) fn endpoint(registry: &Url, path: &str) -> Url {
    let mut url = with_trailing_slash(registry);
    let path = format!("{}{path}", url.path());
    url.set_path(&path);
    url
}

fn with_trailing_slash(base: &Url) -> Url {
    let mut base = base.clone();
    base.set_query(None);
    base.set_fragment(None);
    if !base.path().ends_with('/') {
        let path = format!("{}/", base.path());
        base.set_path(&path);
    }
    base
}

/// Encodes what would change the meaning of a path; a leading `@` stays, as npm sends it.
fn encode_name(name: &str) -> String {
    use fmt::Write as _;
    let mut encoded = String::with_capacity(name.len() + 2);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'@' => encoded.push(byte.into()),
            b'-' | b'_' | b'.' | b'~' | b'!' | b'\'' | b'(' | b')' | b'*' => {
                encoded.push(byte.into());
            }
            _ => {
                let _ = write!(encoded, "%{byte:02x}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn name(text: &str) -> PackageName {
        PackageName::parse(text).unwrap()
    }

    #[test]
    fn packuments_lie_below_the_base() {
        let check = |base, package, expected| {
            assert_eq!(packument_url(&url(base), name(package)).as_str(), expected);
        };
        check("https://registry.example", "react", "https://registry.example/react");
        check("https://registry.example/npm/team", "a", "https://registry.example/npm/team/a");
        check("https://registry.example/npm/", "@a/b.c", "https://registry.example/npm/@a%2fb.c");
        check("https://registry.example/?x=1#y", "a?b", "https://registry.example/a%3fb");
        check("https://registry.example/", "a%2fb", "https://registry.example/a%252fb");
    }

    #[test]
    fn tarballs_lie_below_their_package() {
        let check = |package, version: &str, expected| {
            let version = Version::parse(version).unwrap();
            let base = url("https://registry.example/npm");
            assert_eq!(tarball_url(&base, name(package), &version).as_str(), expected);
        };
        check("react", "19.0.0", "https://registry.example/npm/react/-/react-19.0.0.tgz");
        check("@a/b", "1.0.0-rc.1", "https://registry.example/npm/@a/b/-/b-1.0.0-rc.1.tgz");
        check("a", "1.0.0+build", "https://registry.example/npm/a/-/a-1.0.0.tgz");
    }

    #[test]
    fn secrets_are_not_shown() {
        let safe = SafeUrl::new(&url("https://user:secret@registry.example/a?token=secret#secret"));
        assert_eq!(safe.as_str(), "https://registry.example/a?…");
        assert!(!format!("{safe:?}").contains("secret"));
    }

    #[test]
    fn a_registry_is_known_by_its_path_but_not_by_its_user() {
        let key = |text| RegistryKey::new(&url(text));
        assert_eq!(key("https://me:x@registry.example:443/a"), key("https://registry.example/a/"));
        assert_ne!(key("https://registry.example/a"), key("https://registry.example/b"));
        assert_ne!(key("http://registry.example/"), key("https://registry.example/"));
    }
}

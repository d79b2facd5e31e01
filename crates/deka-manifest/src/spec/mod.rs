//! Package specs: what stands behind a name in `dependencies`.
//!
//! Which kind a text is, is decided as Bun decides it (checked against 1.4.5), for one lockfile has
//! to mean the same to both: by the first characters, then by what looks like a tarball, like
//! `owner/repo` or like `host:path`; what is left is a dist-tag, or a range if there is a `|` in it.
//!
//! Where deka differs, Bun fails: `jsr:` is read (Bun takes it for a git host), and protocols of
//! other package managers are refused by name instead of being cloned from a host of that name.

use std::borrow::Cow;
mod argument;

use std::fmt;

pub use argument::{InvalidArgument, PackageArgument};

use crate::{Alias, InvalidName, PackageName, Range, Symbol, split_name};

/// What a dependency asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Spec {
    /// Versions of the package of the dependency's own name: `^1`, `""`, `*`, `>=1 <2 || 3`.
    Range(Range),
    /// What a dist-tag points to: `latest`, `next`.
    Tag(Symbol),
    /// A package of another name: `npm:lodash@^4`, `jsr:@std/path@1`.
    Alias {
        /// The package's real name.
        name: PackageName,
        /// A [`Spec::Range`] or a [`Spec::Tag`].
        spec: Box<Spec>,
    },
    /// A member of the project's workspaces: the text behind `workspace:`, `*` if there is none.
    Workspace(Symbol),
    /// What the root's catalog says; the name behind `catalog:` if there is one.
    Catalog(Option<Symbol>),
    /// A folder on disk, without `file:`.
    Folder(Symbol),
    /// A link to a folder or to a package that was registered: the text behind `link:`.
    Link(Symbol),
    /// A tarball on disk, without `file:`.
    LocalTarball(Symbol),
    /// A tarball's URL.
    RemoteTarball(Symbol),
    /// A git repository.
    Git {
        /// Its URL as written, without what follows `#`.
        repository: Symbol,
        /// A branch, tag or commit.
        committish: Option<Symbol>,
    },
    /// A repository at GitHub.
    GitHub {
        /// `owner/repo`.
        repository: Symbol,
        /// A branch, tag or commit.
        committish: Option<Symbol>,
    },
}

/// A text that is no package spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid version or location for `{alias}`: {reason}")]
pub struct InvalidSpec {
    /// The dependency's name.
    pub alias: Alias,
    /// The text as it was found.
    pub text: String,
    /// What is wrong with it.
    pub reason: InvalidSpecReason,
}

/// What is wrong with a package spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidSpecReason {
    /// The name behind `npm:` or `jsr:` is none.
    Name(InvalidName),
    /// The protocol is not known, or not there.
    Protocol(Box<str>),
    /// It looks like the name of a package.
    PackageName,
    /// It looks like a GitHub repository but has no owner or no name.
    Repository,
}

impl fmt::Display for InvalidSpecReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Protocol(protocol) => write!(f, "`{protocol}` is not supported here"),
            Self::PackageName => f.write_str("a package of another name is written `npm:<name>`"),
            Self::Repository => f.write_str("a repository is written `github:<owner>/<name>`"),
        }
    }
}

impl Spec {
    /// Decides what `text` asks for behind the name `alias`.
    pub fn parse(alias: Alias, text: &str) -> Result<Self, InvalidSpec> {
        parse(alias, text.trim()).map_err(|reason| InvalidSpec {
            alias,
            text: text.to_owned(),
            reason,
        })
    }

    /// Whether any version will do, so that `latest` is taken even if it is a prerelease: `""`, `*`.
    pub fn is_any(&self) -> bool {
        match self {
            Self::Range(range) => range.is_star(),
            Self::Alias { spec, .. } => spec.is_any(),
            _ => false,
        }
    }

    /// Whether the package's name is known only once it is unpacked: tarballs and repositories.
    pub const fn is_nameless(&self) -> bool {
        matches!(
            self,
            Self::LocalTarball(_) | Self::RemoteTarball(_) | Self::Git { .. } | Self::GitHub { .. }
        )
    }

    /// Returns the package whose versions a registry has to list, and which of them are asked for;
    /// `None` if the spec is not about a registry.
    pub fn registry(&self, alias: Alias) -> Option<(PackageName, &Self)> {
        match self {
            Self::Range(_) | Self::Tag(_) => Some((alias.to_package_name(), self)),
            Self::Alias { name, spec } => Some((*name, spec)),
            _ => None,
        }
    }
}

/// Returns a spec, or what it was resolved to, as it may be shown: without the user and password of
/// a web address.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    let secret = text.find("://").and_then(|colon| {
        let start = colon + 3;
        let is_web = ["http", "https"].iter().any(|scheme| text[..colon].ends_with(scheme));
        let authority = text[start..].split(['/', '?', '#']).next().unwrap_or_default();
        let end = start + authority.rfind('@').filter(|_| is_web)?;
        Some((start, end))
    });
    match secret {
        Some((start, end)) => Cow::Owned(format!("{}***{}", &text[..start], &text[end..])),
        None => Cow::Borrowed(text),
    }
}

fn parse(alias: Alias, text: &str) -> Result<Spec, InvalidSpecReason> {
    let bytes = text.as_bytes();
    let path = |path: &str| Ok(local(path));
    match bytes {
        [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic() => return path(text),
        [b'.' | b'/', ..] | [b'~', b'/', ..] => return path(text),
        [] | [b'=' | b'>' | b'<' | b'^' | b'*' | b'|' | b'~', ..] => return Ok(range(text)),
        [b'0'..=b'9', ..] => {
            return Ok(if is_tarball(text) { local(text) } else { range(text) });
        }
        [b'x' | b'X'] | [b'x' | b'X', b'.', ..] if !is_tarball(text) => return Ok(range(text)),
        [b'v', b'0'..=b'9', ..] if !is_tarball(text) && !is_github_path(text) => {
            return Ok(range(text));
        }
        _ => {}
    }
    if let Some((protocol, rest)) = text.split_once(':')
        && let Some(spec) = by_protocol(alias, text, protocol, rest)
    {
        return spec;
    }
    if is_tarball(text) {
        return path(text);
    }
    if is_github_path(text) {
        return Ok(github(text));
    }
    if text.starts_with('@') && text.contains('/') {
        return Err(InvalidSpecReason::PackageName);
    }
    if is_scp_path(text) {
        return Ok(git(text));
    }
    if text.contains('|') {
        return Ok(range(text));
    }
    Ok(Spec::Tag(Symbol::new(text)))
}

/// Decides by what stands before the colon; `None` if that says nothing.
fn by_protocol(
    alias: Alias,
    text: &str,
    protocol: &str,
    rest: &str,
) -> Option<Result<Spec, InvalidSpecReason>> {
    let url = rest.strip_prefix("//");
    Some(match protocol {
        "npm" => npm(alias, rest),
        "jsr" => jsr(alias, rest),
        "workspace" => Ok(Spec::Workspace(Symbol::new(match rest.trim() {
            "" => "*",
            rest => rest,
        }))),
        "catalog" => {
            let name = rest.trim();
            Ok(Spec::Catalog((!name.is_empty()).then(|| Symbol::new(name))))
        }
        "link" => Ok(Spec::Link(Symbol::new(rest))),
        "file" => Ok(local(match url.unwrap_or(rest) {
            "" => ".",
            path => path,
        })),
        "github" => {
            if is_github_path(rest) {
                Ok(github(rest))
            } else {
                Err(InvalidSpecReason::Repository)
            }
        }
        "git+ssh" | "git+file" | "gitlab" | "bitbucket" | "gist" | "ssh" => Ok(git(text)),
        "git" | "git+http" | "git+https" => match url?.strip_prefix("github.com/") {
            Some(path) if is_github_path(path) => Ok(github(path)),
            _ => Ok(git(text)),
        },
        "http" | "https" => {
            let Some(url) = url else {
                return Some(Err(InvalidSpecReason::Protocol(format!("{protocol}:").into())));
            };
            Ok(from_web(text, url))
        }
        "portal" | "exec" | "patch" => {
            Err(InvalidSpecReason::Protocol(format!("{protocol}:").into()))
        }
        _ => return None,
    })
}

/// Decides what a web address is: repositories at the known hosts, else tarballs.
fn from_web(text: &str, url: &str) -> Spec {
    let (host, path) = url.split_once('/').unwrap_or((url, ""));
    match host {
        "github.com" if is_github_tarball_path(path) || is_tarball(path) => {
            Spec::RemoteTarball(Symbol::new(text))
        }
        "github.com" if is_github_path(path) => github(path),
        "github.com" | "gitlab.com" | "bitbucket.org" if !is_tarball(path) => git(text),
        _ => Spec::RemoteTarball(Symbol::new(text)),
    }
}

/// Reads what stands behind `npm:`: a name with an optional range or tag, or only a range of the
/// dependency's own name.
fn npm(alias: Alias, text: &str) -> Result<Spec, InvalidSpecReason> {
    let own_name = text.starts_with(|c: char| c.is_ascii_digit() || "=><^~*|".contains(c));
    let (name, version) = if own_name {
        (alias.to_package_name(), text)
    } else {
        let (name, version) = split_version(text);
        (PackageName::parse(name).map_err(InvalidSpecReason::Name)?, version)
    };
    aliased(alias, name, version)
}

/// Reads what stands behind `jsr:`; the registry of jsr serves npm packages as `@jsr/scope__name`.
fn jsr(alias: Alias, text: &str) -> Result<Spec, InvalidSpecReason> {
    let own_name = !text.contains(['@', '/']);
    let (name, version) = if own_name { (alias.as_str(), text) } else { split_version(text) };
    let invalid = || {
        InvalidSpecReason::Name(InvalidName {
            name: name.to_owned(),
            reason: "packages of jsr are named `@scope/name`",
        })
    };
    let (scope, base) =
        name.strip_prefix('@').and_then(|name| name.split_once('/')).ok_or_else(invalid)?;
    let name =
        PackageName::parse(&format!("@jsr/{scope}__{base}")).map_err(InvalidSpecReason::Name)?;
    aliased(alias, name, version)
}

/// Splits `name@version`, of which the name may start with `@`.
fn split_version(text: &str) -> (&str, &str) {
    split_name(text).map_or((text, ""), |(name, version)| (name, version.trim()))
}

fn aliased(alias: Alias, name: PackageName, version: &str) -> Result<Spec, InvalidSpecReason> {
    let spec = parse(alias, version)?;
    if matches!(spec, Spec::Range(_) | Spec::Tag(_)) {
        return Ok(Spec::Alias { name, spec: Box::new(spec) });
    }
    let protocol = version.split_once(':').map_or(version, |(protocol, _)| protocol);
    Err(InvalidSpecReason::Protocol(protocol.into()))
}

fn range(text: &str) -> Spec {
    Spec::Range(Range::parse_as_bun(text))
}

fn local(path: &str) -> Spec {
    let symbol = Symbol::new(path);
    if is_tarball(path) { Spec::LocalTarball(symbol) } else { Spec::Folder(symbol) }
}

fn git(text: &str) -> Spec {
    let (repository, committish) = split_committish(text);
    Spec::Git { repository: Symbol::new(repository), committish }
}

fn github(path: &str) -> Spec {
    let (repository, committish) = split_committish(path);
    let repository = repository.strip_suffix(".git").unwrap_or(repository);
    Spec::GitHub { repository: Symbol::new(repository), committish }
}

fn split_committish(text: &str) -> (&str, Option<Symbol>) {
    match text.split_once('#') {
        Some((before, "")) => (before, None),
        Some((before, committish)) => (before, Some(Symbol::new(committish))),
        None => (text, None),
    }
}

#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "as Bun compares them")]
fn is_tarball(text: &str) -> bool {
    text.ends_with(".tgz") || text.ends_with(".tar.gz")
}

/// Whether `text` is `owner/repo`, with an optional `#committish`.
fn is_github_path(text: &str) -> bool {
    let (path, _) = text.split_once('#').unwrap_or((text, ""));
    path.split_once('/').is_some_and(|(owner, name)| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !owner.is_empty()
            && !name.is_empty()
            && owner.bytes().all(is_word)
            && name.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'_'))
    })
}

/// Whether a path at GitHub is one of its archives: `owner/repo/tarball/main`.
fn is_github_tarball_path(path: &str) -> bool {
    path.split('/').nth(2).is_some_and(|kind| kind == "tarball")
}

/// Whether `text` is `host:path`, `user@host:path` or `user@host/path`.
fn is_scp_path(text: &str) -> bool {
    let host = text.find('@').map_or(0, |at| at + 1);
    match text.get(host..).and_then(|rest| rest.find([':', '/']).map(|at| (at, rest))) {
        Some((at, rest)) if at > 0 => {
            !rest[at..].starts_with("://") && (rest[at..].starts_with(':') || host > 0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;

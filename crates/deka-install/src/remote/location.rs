//! Where a git repository is: what `bun.lock` calls it, and what git is asked for.
//!
//! | in a manifest | in `bun.lock` |
//! |---|---|
//! | `git+https://host/path`, `git+ssh:`, `git+http:`, `git+file:` | as it is |
//! | `git://host/path`, `ssh:`, `https:` | with `git+` in front |
//! | `user@host:path`, `host:path` | `git+ssh://user@host:path` |
//! | `gitlab:owner/name`, `bitbucket:`, `gist:id` | `git+ssh://git@gitlab.com/owner/name` |
//!
//! Nothing else is handed to git: no other transports, such as `ext::`, which runs programs, and
//! nothing that git or ssh could take for an option.

/// The hosts whose repositories are asked for by https before ssh, as no key is needed for public ones.
const WEB_HOSTS: &[&str] = &["github.com", "gitlab.com", "bitbucket.org", "gist.github.com"];

/// A repository that git may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    /// What it is called in `bun.lock`.
    pub(crate) name: String,
    /// What git is asked for, one after the other until one works.
    pub(crate) urls: Vec<String>,
}

/// Why git is not asked for a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no git repository: {reason}", deka_manifest::without_credentials(.text))]
pub struct InvalidLocation {
    /// The text, with all that is secret in it.
    text: String,
    reason: &'static str,
}

impl InvalidLocation {
    pub(super) fn new(text: &str, reason: &'static str) -> Self {
        Self { text: text.to_owned(), reason }
    }
}

impl Location {
    /// Reads what a manifest or `bun.lock` has in front of the `#`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidLocation> {
        let invalid = |reason| InvalidLocation::new(text, reason);
        if text.contains(|c: char| c.is_control() || c == ' ') {
            return Err(invalid("it contains blanks"));
        }
        let name = name(text);
        let (scheme, rest) =
            name.split_once("://").ok_or_else(|| invalid("its protocol is not known"))?;
        if scheme == "git+file" {
            if !rest.starts_with('/') {
                return Err(invalid("the path of a `git+file:` URL starts with `///`"));
            }
            let urls = vec![format!("file://{rest}")];
            return Ok(Self { name, urls });
        }
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let is_option = |text: &str| text.starts_with('-');
        if host.is_empty() || is_option(host) || user.is_some_and(is_option) {
            return Err(invalid("its host is not valid"));
        }
        let urls = match scheme {
            "git+ssh" => ssh_urls(authority, user, host, path),
            "git+https" | "git+http" | "git+git" => {
                vec![format!("{}://{rest}", &scheme["git+".len()..])]
            }
            _ => return Err(invalid("its protocol is not known")),
        };
        Ok(Self { name, urls })
    }

    /// Returns what a package is called that has no name, as Bun does: the end of the path.
    pub(crate) fn base_name(&self) -> &str {
        let (_, place) = self.name.split_once("://").unwrap_or_default();
        let (_, base) = place.trim_end_matches('/').rsplit_once('/').unwrap_or_default();
        if base.is_empty() { "unnamed-package" } else { base }
    }

    /// Whether git may start ssh.
    pub(crate) fn uses_ssh(&self) -> bool {
        self.name.starts_with("git+ssh:")
    }
}

/// Returns what `bun.lock` calls a repository.
fn name(text: &str) -> String {
    if text.starts_with("git+") {
        return text.to_owned();
    }
    match text.split_once(':') {
        Some(("ssh" | "git" | "https" | "http", rest)) if rest.starts_with("//") => {
            format!("git+{text}")
        }
        Some(("gitlab", path)) => format!("git+ssh://git@gitlab.com/{path}"),
        Some(("bitbucket", path)) => format!("git+ssh://git@bitbucket.org/{path}"),
        Some(("gist", id)) => format!("git+ssh://git@gist.github.com/{id}"),
        _ => format!("git+ssh://{text}"),
    }
}

/// `host` is what stands behind the user; of `git@host:owner/name` that has half of the path.
fn ssh_urls(authority: &str, user: Option<&str>, host: &str, path: &str) -> Vec<String> {
    let (host, behind) = match host.split_once(':') {
        Some((host, behind)) => (host, Some(behind)),
        None => (host, None),
    };
    let start = behind.filter(|text| !text.bytes().all(|byte| byte.is_ascii_digit()));
    let user = user.unwrap_or("git");
    let (own, web) = match start {
        // git's short form; it is a path on the host, not a port.
        Some(start) => {
            (format!("{user}@{host}:{start}{path}"), format!("https://{host}/{start}{path}"))
        }
        None => (format!("ssh://{authority}{path}"), format!("https://{host}{path}")),
    };
    let is_web = WEB_HOSTS.contains(&host) && (behind.is_none() || start.is_some());
    is_web.then_some(web).into_iter().chain([own]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_urls() {
        for (text, name, urls) in [
            ("git+https://x.example/o/r.git", "", &["https://x.example/o/r.git"][..]),
            ("https://gitlab.com/o/r", "git+https://gitlab.com/o/r", &["https://gitlab.com/o/r"]),
            ("git://x.example/r", "git+git://x.example/r", &["git://x.example/r"]),
            ("git+file:///a/b", "", &["file:///a/b"]),
            (
                "gitlab:o/r",
                "git+ssh://git@gitlab.com/o/r",
                &["https://gitlab.com/o/r", "ssh://git@gitlab.com/o/r"],
            ),
            (
                "gist:12ab",
                "git+ssh://git@gist.github.com/12ab",
                &["https://gist.github.com/12ab", "ssh://git@gist.github.com/12ab"],
            ),
            (
                "git@github.com:o/r.git",
                "git+ssh://git@github.com:o/r.git",
                &["https://github.com/o/r.git", "git@github.com:o/r.git"],
            ),
            ("x.example:o/r", "git+ssh://x.example:o/r", &["git@x.example:o/r"]),
            ("git+ssh://me@x.example:22/o/r", "", &["ssh://me@x.example:22/o/r"]),
            (
                "ssh://git@github.com:443/o/r",
                "git+ssh://git@github.com:443/o/r",
                &["ssh://git@github.com:443/o/r"],
            ),
        ] {
            let location = Location::parse(text).unwrap();
            assert_eq!(location.name, if name.is_empty() { text } else { name });
            assert_eq!(location.urls, urls, "{text}");
            assert_eq!(Location::parse(&location.name).as_ref(), Ok(&location), "{text}");
        }
    }

    #[test]
    fn what_git_is_not_asked_for() {
        for text in [
            "ext::sh -c id",
            "git+ext::sh",
            "git+ext://sh",
            "git+fd://3",
            "git+ssh://-oProxyCommand=id/x",
            "git+ssh://-oProxyCommand=id@host/x",
            "-oProxyCommand=id:o/r",
            "git+https://-x/r",
            "git+file:../r",
            "git+file://../r",
            "git+https:///r",
            "git+https://host/a b",
            "git+https://host/a\nb",
        ] {
            let location = Location::parse(text);
            assert!(location.is_err(), "{text}: {location:?}");
        }
    }

    #[test]
    fn packages_without_a_name_have_that_of_the_repository() {
        for (text, name) in [
            ("git@x.example:o/r.git", "r.git"),
            ("git@x.example:r.git", "unnamed-package"),
            ("git+file:///a/b/", "b"),
            ("gist:1", "1"),
        ] {
            assert_eq!(Location::parse(text).unwrap().base_name(), name);
        }
    }
}

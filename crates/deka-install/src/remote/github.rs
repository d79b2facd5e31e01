//! Repositories at GitHub, as the archives that it makes of commits.
//!
//! The name of the folder in an archive, `owner-name-0123abc`, tells which commit it is; `bun.lock`
//! has it.

use deka_manifest::Symbol;
use url::Url;

use super::location::InvalidLocation;

/// Returns where the archive of a commit is; without one, that of the default branch.
pub(crate) fn archive_url(
    api: &Url,
    repository: &str,
    committish: Option<&str>,
) -> Result<Url, InvalidLocation> {
    let text = || format!("github:{repository}#{}", committish.unwrap_or_default());
    let committish = committish.unwrap_or_default();
    let parts = || repository.split('/').chain(committish.split('/'));
    if parts().any(|part| matches!(part, "." | "..")) || repository.split('/').count() != 2 {
        return Err(InvalidLocation::new(&text(), "it leads elsewhere"));
    }
    let mut url = api.clone();
    url.path_segments_mut()
        .map_err(|()| InvalidLocation::new(&text(), "GITHUB_API_URL is no web address"))?
        .pop_if_empty()
        .push("repos")
        .extend(repository.split('/'))
        .push("tarball")
        .extend(committish.split('/'));
    Ok(url)
}

/// Returns the commit that an archive with a folder of this name is of.
pub(crate) fn commit_of(folder: &str) -> Option<Symbol> {
    let (_, commit) = folder.rsplit_once('-')?;
    let is_commit = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| Symbol::new(commit))
}

/// Returns what git is asked for if there is no archive, as `bun.lock` has it.
pub(crate) fn repository_url(repository: &str) -> String {
    format!("git+ssh://git@github.com/{repository}.git")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_archives() {
        for (api, committish, expected) in [
            ("https://api.example", None, "https://api.example/repos/o/r/tarball/"),
            (
                "https://api.example/v3/",
                Some("a/b"),
                "https://api.example/v3/repos/o/r/tarball/a/b",
            ),
            (
                "https://api.example/",
                Some("a?b%2f#c"),
                "https://api.example/repos/o/r/tarball/a%3Fb%252f%23c",
            ),
        ] {
            let url = archive_url(&Url::parse(api).unwrap(), "o/r", committish).unwrap();
            assert_eq!(url.as_str(), expected);
        }
        let api = Url::parse("https://api.example").unwrap();
        for (repository, committish) in [("o/..", None), ("o/r", Some("../x")), ("o/r/s", None)] {
            assert!(archive_url(&api, repository, committish).is_err());
        }
    }

    #[test]
    fn commits_of_folders() {
        assert_eq!(commit_of("o-my-repo-0123abc").unwrap().as_str(), "0123abc");
        for folder in ["package", "o-r-main", "o-r-", "0123abc"] {
            assert_eq!(commit_of(folder), None);
        }
    }
}

//! Where other package managers say that a package comes from git.

use deka_graph::Resolution;
use deka_manifest::Symbol;

/// Reads the URL of a repository with a commit behind it, or of GitHub's archive of a commit. Returns
/// what it stands for, and what `bun.lock` calls the checkout.
pub(crate) fn git_resolution(url: &str) -> Option<(Resolution, Symbol)> {
    if let Some(archive) = url.strip_prefix("https://codeload.github.com/") {
        let mut parts = archive.split('/');
        let (owner, name) = (parts.next()?, parts.next()?);
        return parts.nth(1).and_then(|commit| github(owner, name, commit));
    }
    let (repository, commit) = url.rsplit_once('#')?;
    let is_git = ["git+", "git:", "ssh:"].iter().any(|start| repository.starts_with(start));
    if !is_commit(commit) || !(is_git || repository.strip_suffix(".git").is_some()) {
        return None;
    }
    let repository = if repository.starts_with("http") {
        format!("git+{repository}")
    } else {
        repository.to_owned()
    };
    let commit = Symbol::new(commit);
    Some((Resolution::Git { repository: Symbol::new(&repository), commit }, commit))
}

/// Reads the URL of a repository at GitHub as what its archive is.
pub(crate) fn github_resolution(url: &str) -> Option<(Resolution, Symbol)> {
    let (repository, commit) = url.rsplit_once('#')?;
    let path = match repository.split_once("github.com") {
        Some((_, path)) => path.trim_start_matches(['/', ':']),
        None => repository.strip_prefix("github:")?,
    };
    let (owner, name) = path.split_once('/')?;
    github(owner, name.strip_suffix(".git").unwrap_or(name), commit)
}

fn github(owner: &str, name: &str, commit: &str) -> Option<(Resolution, Symbol)> {
    let is_path = |part: &str| {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(is_part)
    };
    if !is_path(owner) || !is_path(name) || !is_commit(commit) {
        return None;
    }
    let commit = &commit[..7];
    let repository = Symbol::new(&format!("{owner}/{name}"));
    let tag = Symbol::new(&format!("{owner}-{name}-{commit}"));
    Some((Resolution::GitHub { repository, commit: Symbol::new(commit) }, tag))
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

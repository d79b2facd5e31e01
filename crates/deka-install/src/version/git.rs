//! What git does with a new version: a commit and tags, with the user's own settings and hooks.
//!
//! Names and messages are behind `--` or part of their option, so that git takes none for an option.

use std::path::Path;

use deka_config::Environment;

use super::VersionError;
use crate::remote::{Failure, Program, Run};

/// More is no answer to what is asked here.
const LARGEST_ANSWER: u64 = 16 * 1024 * 1024;

/// How many files are named that are not committed.
const MOST_NAMED: usize = 10;

/// A working copy.
pub(super) struct Repository<'a> {
    folder: &'a Path,
    program: Program,
}

impl<'a> Repository<'a> {
    /// Returns the working copy whose top `folder` is, or could be.
    pub(super) fn new(folder: &'a Path, environment: &Environment) -> Self {
        Self { folder, program: Program::of_user(environment) }
    }

    /// Whether there is one.
    pub(super) fn exists(&self) -> bool {
        self.folder.join(".git").exists()
    }

    /// Fails if there is something that is not committed.
    pub(super) fn check_clean(&self) -> Result<(), VersionError> {
        let status = self.run("look for changes", &["status", "--porcelain"])?;
        let lines = status.lines().take(MOST_NAMED);
        let changes: Vec<String> = lines.map(ToOwned::to_owned).collect();
        let folder = self.folder.to_owned();
        if changes.is_empty() { Ok(()) } else { Err(VersionError::Dirty { folder, changes }) }
    }

    /// Fails if there is such a tag.
    pub(super) fn check_no_tag(&self, tag: &str) -> Result<(), VersionError> {
        let found = self.run("list the tags", &["tag", "--list", "--", tag])?;
        if found.is_empty() { Ok(()) } else { Err(VersionError::TagExists { tag: tag.to_owned() }) }
    }

    /// Returns the last tag.
    pub(super) fn last_tag(&self) -> Result<String, VersionError> {
        let tag = self.run("find the last tag", &["describe", "--tags", "--abbrev=0"])?;
        Ok(tag.trim().to_owned())
    }

    /// Commits files, and whatever else is added already.
    pub(super) fn commit(&self, files: &[String], message: &str) -> Result<(), VersionError> {
        let mut add = vec!["add", "--"];
        add.extend(files.iter().map(String::as_str));
        self.run("add package.json", &add)?;
        self.run("commit", &["commit", "--quiet", &format!("--message={message}")]).map(drop)
    }

    /// Takes back that files were added.
    pub(super) fn reset(&self, files: &[String]) {
        let mut reset = vec!["reset", "--quiet", "--"];
        reset.extend(files.iter().map(String::as_str));
        if let Err(error) = self.run("reset package.json", &reset) {
            tracing::debug!(%error, "what was added stays so");
        }
    }

    /// Makes a tag with a message that is its name.
    pub(super) fn tag(&self, tag: &str) -> Result<(), VersionError> {
        let message = format!("--message={tag}");
        self.run("make the tag", &["tag", "--annotate", &message, "--", tag]).map(drop)
    }

    fn run(&self, doing: &'static str, arguments: &[&str]) -> Result<String, VersionError> {
        let run = Run {
            folder: self.folder,
            repository: None,
            arguments,
            input: &[],
            limit: LARGEST_ANSWER,
            uses_ssh: false,
            good_code: 0,
        };
        let failed =
            |message: &str| VersionError::Git { doing, message: message.trim().to_owned() };
        let answer = self.program.run(run).map_err(|failure| match failure {
            Failure::NotInstalled => VersionError::NoGit,
            Failure::Run(error) => failed(&error.to_string()),
            Failure::Failed(message) => failed(&message),
            Failure::TooMuch => failed("there is too much to say"),
            Failure::Stopped => failed("it was stopped"),
        })?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

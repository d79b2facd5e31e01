//! The package managers that are compared, and what makes them do the same.

use std::path::{Path, PathBuf};

use deka_test::peer;

/// All that are known here. Whose figures are compared with those of the others comes first.
pub(crate) const NAMES: &[&str] = &["deka", "bun", "pnpm", "npm"];

/// A package manager.
#[derive(Debug)]
pub(crate) struct Manager {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    program: PathBuf,
    /// What follows the program: lifecycle scripts off, nothing asked, nothing audited.
    arguments: Vec<String>,
    pub(crate) lockfile: &'static str,
    /// Variables that name a folder, each with the name of one in the cache.
    folders: &'static [(&'static str, &'static str)],
    variables: &'static [(&'static str, &'static str)],
}

impl Manager {
    /// The manager with this name; those from npm are installed if they are not there yet.
    pub(crate) fn named(name: &str, deka: &Path) -> Result<Self, String> {
        let skipped = || format!("DEKA_TEST_SKIP_PEERS is set, and `{name}` is a peer");
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        Ok(match name {
            "deka" => Self {
                name: "deka",
                version: env!("CARGO_PKG_VERSION").to_owned(),
                program: deka.to_owned(),
                arguments: words(&["install", "--ignore-scripts", "--linker", "hoisted"]),
                lockfile: "bun.lock",
                folders: &[("DEKA_CACHE_DIR", "deka")],
                variables: &[],
            },
            "bun" => Self {
                name: "bun",
                version: peer::BUN_VERSION.to_owned(),
                program: peer::bun().ok_or_else(skipped)?,
                arguments: words(&["install", "--ignore-scripts", "--linker", "hoisted"]),
                lockfile: "bun.lock",
                folders: &[("BUN_INSTALL_CACHE_DIR", "bun")],
                variables: &[],
            },
            "pnpm" => Self {
                name: "pnpm",
                version: peer::PNPM_VERSION.to_owned(),
                program: peer::pnpm().ok_or_else(skipped)?,
                arguments: words(&["install", "--ignore-scripts", "--no-frozen-lockfile"]),
                lockfile: "pnpm-lock.yaml",
                folders: &[
                    ("XDG_CACHE_HOME", "cache"),
                    ("XDG_DATA_HOME", "data"),
                    ("XDG_STATE_HOME", "state"),
                ],
                variables: &[
                    // Neither a policy that the others do not have, nor a question.
                    ("pnpm_config_minimum_release_age", "0"),
                    ("pnpm_config_confirm_modules_purge", "false"),
                    ("pnpm_config_strict_dep_builds", "false"),
                ],
            },
            "npm" => Self {
                name: "npm",
                version: peer::NPM_VERSION.to_owned(),
                program: PathBuf::from("node"),
                arguments: {
                    let script = peer::npm().ok_or_else(skipped)?;
                    let options = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
                    let mut arguments = vec![script.display().to_string()];
                    arguments.extend(words(&options));
                    arguments
                },
                lockfile: "package-lock.json",
                folders: &[("npm_config_cache", "npm")],
                variables: &[("npm_config_update_notifier", "false")],
            },
            _ => return Err(format!("`{name}` is no manager known here")),
        })
    }

    /// The command that installs, with an environment of its own.
    pub(crate) fn install(
        &self,
        project: &Path,
        home: &Path,
        cache: &Path,
    ) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(project)
            .env_clear()
            .env("HOME", home)
            .envs(crate::path_variable().map(|path| ("PATH", path)))
            .envs(self.folders.iter().map(|(name, folder)| (name, cache.join(folder))))
            .envs(self.variables.iter().copied());
        command
    }
}

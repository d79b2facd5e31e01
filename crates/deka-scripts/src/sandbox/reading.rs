//! What scripts may read: a list of what they may, because Landlock knows no exceptions.
//!
//! Where something secret lies inside of what may be read (the `.npmrc` of a project, the one below
//! npm's prefix), the folder is replaced by all that is in it but that.

use std::path::{Path, PathBuf};

use deka_config::Environment;

use crate::Surroundings;

/// Where systems keep programs, libraries and settings.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/run/current-system",
    "/run/systemd/resolve",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Where installers of tools put them below the home folder; none of these holds credentials.
const TOOLS: &[&str] = &[
    ".asdf",
    ".bun/bin",
    ".cargo/bin",
    ".deno/bin",
    ".fnm",
    ".local/bin",
    ".local/lib",
    ".local/share/fnm",
    ".local/share/mise",
    ".local/share/pnpm",
    ".local/share/uv",
    ".n",
    ".nodenv",
    ".nvm",
    ".pyenv",
    ".rustup",
    ".volta",
    "n",
];

/// Variables that say where tools are; none of these folders holds credentials.
const TOOL_VARIABLES: &[&str] = &[
    "ANDROID_HOME",
    "ASDF_DATA_DIR",
    "ASDF_DIR",
    "CONDA_PREFIX",
    "FNM_DIR",
    "HOMEBREW_PREFIX",
    "JAVA_HOME",
    "MISE_DATA_DIR",
    "NODENV_ROOT",
    "NVM_DIR",
    "N_PREFIX",
    "PYENV_ROOT",
    "RBENV_ROOT",
    "RUSTUP_HOME",
    "VIRTUAL_ENV",
    "VOLTA_HOME",
];

/// Where tools that stand behind shims in `PATH` look for themselves below the home folder, and the
/// variables that lead them there from elsewhere.
const SHIMS: &[(&str, &str)] = &[
    ("ASDF_DATA_DIR", ".asdf"),
    ("MISE_DATA_DIR", ".local/share/mise"),
    ("NODENV_ROOT", ".nodenv"),
    ("PYENV_ROOT", ".pyenv"),
    ("RUSTUP_HOME", ".rustup"),
    ("VOLTA_HOME", ".volta"),
];

/// What only root may read of a system's settings; root is held back as everybody is.
const SYSTEM_SECRETS: &[&str] = &[
    "/etc/NetworkManager",
    "/etc/docker",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/kubernetes",
    "/etc/krb5.keytab",
    "/etc/letsencrypt",
    "/etc/npmrc",
    "/etc/rancher",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/ssh",
    "/etc/ssl/private",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/wireguard",
    "/usr/etc/npmrc",
    "/usr/local/etc/npmrc",
];

/// Files that hold credentials, wherever they are in a project.
const SECRET_FILES: &[&str] = &[
    ".docker/config.json",
    ".git-credentials",
    ".git/config",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".yarnrc",
    ".yarnrc.yml",
    "bunfig.toml",
];

/// Everything that the scripts of dependencies may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable(Vec<PathBuf>);

impl Readable {
    /// Looks at a project whose `members` are the folders of its workspaces; all in `others` may be read
    /// as well.
    pub fn find(surroundings: &Surroundings<'_>, members: &[PathBuf], others: &[PathBuf]) -> Self {
        let mut found = paths(surroundings, members);
        found.extend_from_slice(others);
        Self(found)
    }

    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.0
    }
}

fn paths(surroundings: &Surroundings<'_>, members: &[PathBuf]) -> Vec<PathBuf> {
    let home = surroundings.caller.environment.home().filter(|home| home.parent().is_some());
    let mut secrets: Vec<PathBuf> = SYSTEM_SECRETS.iter().map(PathBuf::from).collect();
    secrets.extend(home.map(Path::to_owned));
    if let Some(node) = &surroundings.node {
        secrets.push(node.prefix.join("etc/npmrc"));
    }

    let mut found = Vec::new();
    for path in SYSTEM {
        add(Path::new(path), &secrets, &mut found);
    }
    for path in tools(surroundings, home) {
        // A folder above the home folder, or that itself, is no tool's.
        if !home.is_some_and(|home| home.starts_with(&path)) {
            add(&path, &project_secrets(&path), &mut found);
        }
    }
    add_project(surroundings.caller.root, members, home, &mut found);
    found.push(surroundings.temporary().join("node-gyp-bin"));
    found
}

/// Returns what has to be set for scripts, which get another home folder, to find those tools.
pub(super) fn tools_at_home(environment: &Environment) -> Vec<(String, PathBuf)> {
    let Some(home) = environment.home() else { return Vec::new() };
    let unset = SHIMS.iter().filter(|(name, _)| environment.non_empty(name).is_none());
    let folders = unset.map(|(name, folder)| ((*name).to_owned(), home.join(folder)));
    folders.filter(|(_, folder)| folder.is_dir()).collect()
}

fn tools(surroundings: &Surroundings<'_>, home: Option<&Path>) -> Vec<PathBuf> {
    let mut tools: Vec<PathBuf> = TOOLS.iter().filter_map(|tool| Some(home?.join(tool))).collect();
    if let Some(node) = &surroundings.node {
        // All of it would be too much where Node.js is in `~/.local`.
        tools.extend(["bin", "include", "lib"].map(|folder| node.prefix.join(folder)));
    }
    tools.push(surroundings.caller.program.to_owned());
    let environment = surroundings.caller.environment;
    let named = TOOL_VARIABLES.iter().filter_map(|name| environment.non_empty(name));
    tools.extend(named.map(PathBuf::from).filter(|folder| folder.is_absolute()));
    let path = environment.get("PATH").unwrap_or_default();
    tools.extend(std::env::split_paths(path).filter(|folder| folder.is_absolute()));
    tools
}

/// The project, all of it but its secrets. One that is the home folder, or around it, shows its
/// dependencies alone.
fn add_project(root: &Path, members: &[PathBuf], home: Option<&Path>, into: &mut Vec<PathBuf>) {
    if home.is_some_and(|home| home.starts_with(root)) {
        let parts = ["node_modules", "package.json", "bun.lock"];
        into.extend(parts.map(|part| root.join(part)));
        return;
    }
    let mut secrets = project_secrets(root);
    secrets.extend(members.iter().flat_map(|member| project_secrets(member)));
    add(root, &secrets, into);
}

fn project_secrets(root: &Path) -> Vec<PathBuf> {
    let mut secrets: Vec<PathBuf> = SECRET_FILES.iter().map(|file| root.join(file)).collect();
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    secrets.extend(
        entries
            .filter(|entry| is_env_file(&entry.file_name().to_string_lossy()))
            .map(|it| it.path()),
    );
    secrets
}

fn is_env_file(name: &str) -> bool {
    let rest = name.strip_prefix(".env").or_else(|| name.strip_prefix(".dev.vars"));
    rest.is_some_and(|rest| matches!(rest, "" | "rc") || rest.starts_with('.'))
}

/// Adds `path`, or if a secret lies in it, all that is in it but that.
fn add(path: &Path, secrets: &[PathBuf], into: &mut Vec<PathBuf>) {
    if secrets.iter().any(|secret| path.starts_with(secret)) {
        return;
    }
    if !secrets.iter().any(|secret| secret.starts_with(path) && exists(secret)) {
        into.push(path.to_owned());
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        // A link may lead to anything, but that one is the project's tree.
        if !is_link || entry.file_name() == "node_modules" {
            add(&entry.path(), secrets, into);
        }
    }
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(root: &Path, secrets: &[&str], expected: &[&str]) {
        let secrets: Vec<PathBuf> = secrets.iter().map(|secret| root.join(secret)).collect();
        let mut found = Vec::new();
        add(root, &secrets, &mut found);
        let mut found: Vec<String> = found
            .iter()
            .map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned())
            .collect();
        found.sort();
        assert_eq!(found, expected, "{secrets:?}");
    }

    #[test]
    fn secrets_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["src/a", ".git/config", ".git/HEAD", ".npmrc", "package.json"] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "").unwrap();
        }
        check(root, &[], &[""]);
        check(root, &["missing"], &[""]);
        check(root, &[".npmrc"], &[".git", "package.json", "src"]);
        check(root, &[".npmrc", ".git/config"], &[".git/HEAD", "package.json", "src"]);
        check(root, &[""], &[]);
    }

    #[test]
    fn env_files() {
        for (name, expected) in
            [(".env", true), (".env.local", true), (".envrc", true), (".environment", false)]
        {
            assert_eq!(is_env_file(name), expected, "{name}");
        }
    }
}

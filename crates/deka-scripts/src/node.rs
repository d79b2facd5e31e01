//! Node.js: where it is, which version, and what came along with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An installed Node.js.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The program as `PATH` has it.
    pub program: PathBuf,
    /// The folder above `bin`, links followed; its headers and its npm lie below.
    pub prefix: PathBuf,
    /// Its version, such as `v24.1.0`, if that is known.
    pub version: Option<String>,
}

impl Node {
    /// Finds `node` in the folders of `path`, without starting it.
    pub fn locate(path: &str) -> Option<Self> {
        let program = find_program(path, "node")?;
        let real = std::fs::canonicalize(&program).ok()?;
        let prefix = real.parent()?.parent()?.to_owned();
        let version = version_of_headers(&prefix);
        Some(Self { program, prefix, version })
    }

    /// Finds `node` in the folders of `path`; one that does not say its version is none.
    pub fn find(path: &str) -> Option<Self> {
        let mut node = Self::locate(path)?;
        if node.version.is_none() {
            node.version = Some(ask_version(&node.program)?);
        }
        Some(node)
    }

    /// Returns the folder whose `include/node` holds the headers of this very version. The program is
    /// asked: what is built with the headers of another one crashes.
    pub fn headers(&self) -> Option<&Path> {
        let version = version_of_headers(&self.prefix)?;
        (ask_version(&self.program)? == version).then_some(&*self.prefix)
    }

    /// Returns the `node-gyp` that came along with its npm.
    pub fn node_gyp(&self) -> Option<PathBuf> {
        let script = "node_modules/npm/node_modules/node-gyp/bin/node-gyp.js";
        ["lib", "share"]
            .map(|folder| self.prefix.join(folder).join(script))
            .into_iter()
            // Debian keeps it apart.
            .chain([self.prefix.join("share/nodejs/node-gyp/bin/node-gyp.js")])
            .find(|path| path.is_file())
    }
}

/// Returns the first program of this name in the folders of `path`.
pub(crate) fn find_program(path: &str, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| is_executable(program))
}

#[cfg(unix)]
fn is_executable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(program).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(program: &Path) -> bool {
    program.is_file()
}

/// Reads the version from the headers beside a Node.js, which is faster than to start it.
fn version_of_headers(prefix: &Path) -> Option<String> {
    let text = std::fs::read_to_string(prefix.join("include/node/node_version.h")).ok()?;
    let number = |name: &str| {
        let line = text.lines().find_map(|line| {
            let rest = line.strip_prefix("#define ")?.strip_prefix(name)?;
            rest.starts_with(' ').then(|| rest.trim())
        });
        line?.parse::<u32>().ok()
    };
    let release = number("NODE_VERSION_IS_RELEASE")?;
    let parts = ["NODE_MAJOR_VERSION", "NODE_MINOR_VERSION", "NODE_PATCH_VERSION"].map(number);
    let [Some(major), Some(minor), Some(patch)] = parts else { return None };
    (release == 1).then(|| format!("v{major}.{minor}.{patch}"))
}

fn ask_version(program: &Path) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    version.starts_with('v').then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_headers() {
        let folder = tempfile::tempdir().unwrap();
        let headers = folder.path().join("include/node");
        std::fs::create_dir_all(&headers).unwrap();
        let write = |release: u32| {
            let text = format!(
                "#define NODE_MAJOR_VERSION 24\n#define NODE_MINOR_VERSION 1\n\
                 #define NODE_PATCH_VERSION 0\n\n#define NODE_VERSION_IS_LTS 0\n\
                 #define NODE_VERSION_IS_RELEASE {release}\n"
            );
            std::fs::write(headers.join("node_version.h"), text).unwrap();
        };
        assert_eq!(version_of_headers(folder.path()), None);
        write(0);
        assert_eq!(version_of_headers(folder.path()), None);
        write(1);
        assert_eq!(version_of_headers(folder.path()).as_deref(), Some("v24.1.0"));
    }
}

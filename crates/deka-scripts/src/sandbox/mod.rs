//! What a trusted dependency's scripts may do.
//!
//! | | |
//! |---|---|
//! | read | the system, the project, Node.js and other tools of `PATH` |
//! | not read | the home folder but for tools, `.npmrc` and `.env` files, other projects |
//! | write | the package's own folder, its build cache, a private home and temporary folder |
//! | network | none; if it is allowed, no sockets of the machine itself |
//! | processes | only its own are signalled or traced; memory, queues and keys are shared with no other |
//! | variables | those whose name or value holds a secret are taken out |
//!
//! On Linux only: Landlock for files and signals, seccomp for sockets. Both are entered by the
//! [`supervisor`](crate::supervisor) before it starts the shell, and hold for everything below it. A
//! kernel that lacks one of them is no reason to fail; [`support`] tells, so that it can be said.
//!
//! A project allows more in its `package.json`:
//! ```json
//! { "deka": { "sandbox": { "puppeteer": { "network": true }, "a": { "write": ["generated"] }, "b": false } } }
//! ```

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
use other as system;

mod allowance;
mod reading;
mod variables;

use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

pub use allowance::{Allowance, Allowances};
pub use reading::Readable;
pub(crate) use variables::is_secret;

pub(crate) use system::Listener;

use crate::{ScriptError, Surroundings};

/// What the scripts of a package may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Files, and folders with all in them, that may be read and executed.
    read: Vec<PathBuf>,
    /// Folders whose names may be listed, with all folders in them.
    list: Vec<PathBuf>,
    /// Folders that may be changed.
    write: Vec<PathBuf>,
    /// Whether there is a network.
    has_network: bool,
    /// The home folder that the scripts see.
    home: PathBuf,
    /// Where they put temporary files.
    temporary: PathBuf,
    /// Where they may keep what helps the next build.
    cache: PathBuf,
    /// Where the headers of Node.js are.
    node_headers: Option<PathBuf>,
    /// Variables that lead to tools of the user, which look below the home folder without them.
    tools: Vec<(String, PathBuf)>,
}

/// The folders that a policy is made of.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The package's own folder.
    pub package: &'a Path,
    /// Where this package may keep what helps its next build.
    pub cache: &'a Path,
    /// Where the headers of Node.js are, if they are known.
    pub node_headers: Option<&'a Path>,
    /// What may be read.
    pub readable: &'a Readable,
}

/// What the kernel can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Support {
    /// Files can be held back.
    pub files: bool,
    /// Sockets can be held back.
    pub network: bool,
}

/// What programs say that cannot reach the network.
const NETWORK: &[&str] = &[
    "EAI_AGAIN",
    "ENOTFOUND",
    "getaddrinfo",
    "resolve host",
    "fetch failed",
    "connect EACCES",
    "connect EPERM",
    "ECONNREFUSED",
    "ENETUNREACH",
    "name resolution",
];

/// What `node-gyp` says at the end of a build that went well.
const BUILT: &str = "gyp info ok";

/// What a failed script seems to have run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// It wanted the network.
    Network,
    /// It wanted the network, and when it had none, it failed to build what it could not fetch.
    Build,
    /// It wanted a file that it may not read or write.
    Files,
}

impl Policy {
    /// Makes the policy of a package, and the folders that it needs.
    pub fn new(
        surroundings: &Surroundings<'_>,
        grounds: &Grounds<'_>,
        allowance: &Allowance,
    ) -> Result<Self, ScriptError> {
        let make = |path: PathBuf| match std::fs::create_dir_all(&path) {
            Ok(()) => Ok(path),
            Err(source) => Err(ScriptError::Prepare { path, source }),
        };
        let private = tempfile::Builder::new()
            .prefix("sandbox-")
            .tempdir_in(surroundings.temporary())
            // It goes with the folder that it is in.
            .map(tempfile::TempDir::keep)
            .map_err(|source| ScriptError::Prepare {
                path: surroundings.temporary().to_owned(),
                source,
            })?;
        let cache = make(grounds.cache.to_owned())?;
        let (home, temporary) = (make(private.join("home"))?, make(private.join("tmp"))?);
        let mut write = vec![grounds.package.to_owned(), cache.clone(), private];
        for folder in &allowance.write {
            write.push(make(surroundings.caller.root.join(folder))?);
        }
        Ok(Self {
            read: grounds.readable.paths().to_owned(),
            list: vec![surroundings.caller.root.to_owned()],
            write,
            has_network: allowance.network,
            home,
            temporary,
            cache,
            node_headers: grounds.node_headers.map(Path::to_owned),
            tools: reading::tools_at_home(surroundings.caller.environment),
        })
    }

    /// Whether there is a network.
    pub const fn has_network(&self) -> bool {
        self.has_network
    }

    /// Whether a script that ended well has missed the network: it was refused, and what was to be fetched was
    /// not built in its place.
    pub(crate) fn is_network_missed(&self, output: &str) -> bool {
        self.wanted_network(output) && !output.contains(BUILT)
    }

    /// Whether a script wanted the network that it has not. Where the kernel does not tell, its output has to.
    fn wanted_network(&self, output: &str) -> bool {
        let says = || NETWORK.iter().any(|sign| output.contains(sign));
        !self.has_network
            && support().network
            && (self.refusal_mark().symlink_metadata().is_ok() || says())
    }

    /// Notes that scripts were refused the network; to be called when none of them is left.
    pub(crate) fn note_refusal(&self) {
        // Never through a symlink that a script has put there. If it fails, the output has to tell.
        let _ = std::fs::File::create_new(self.refusal_mark());
    }

    fn refusal_mark(&self) -> PathBuf {
        self.temporary.with_file_name("network-was-refused")
    }

    /// Takes secrets out of the variables of a script, and sets what leads to its private folders.
    pub(crate) fn adjust(&self, variables: &mut HashMap<String, String>) {
        variables.retain(|name, value| !is_secret(name, value));
        let mut set = |name: &str, path: &Path| {
            variables.insert(name.to_owned(), path.to_string_lossy().into_owned());
        };
        set("HOME", &self.home);
        for name in ["TMPDIR", "TMP", "TEMP"] {
            set(name, &self.temporary);
        }
        for (name, folder) in &self.tools {
            set(name, folder);
        }
        set("XDG_CACHE_HOME", &self.cache);
        set("npm_config_cache", &self.cache.join("npm"));
        if let Some(headers) = &self.node_headers
            && !variables.keys().any(|name| name.eq_ignore_ascii_case("npm_config_nodedir"))
        {
            variables
                .insert("npm_config_nodedir".to_owned(), headers.to_string_lossy().into_owned());
        }
    }
}

impl Suspicion {
    /// Guesses from the output of a failed script whether the sandbox was the reason.
    pub(crate) fn from_output(policy: &Policy, output: &str) -> Option<Self> {
        const FILES: &[&str] = &["EACCES", "EPERM", "ermission denied", "peration not permitted"];
        let says = |signs: &[&str]| signs.iter().any(|sign| output.contains(sign));
        if policy.wanted_network(output) || !policy.has_network && output.contains("socket") {
            let builds = output.contains("gyp ERR!");
            return Some(if builds { Self::Build } else { Self::Network });
        }
        says(FILES).then_some(Self::Files)
    }
}

/// Returns what the kernel can do.
pub fn support() -> Support {
    system::support()
}

/// Puts this thread, and all that it starts from now on, under the policy. Where the kernel can do that, what
/// would lead to the network waits for the returned listener to refuse it.
pub(crate) fn enter(policy: &Policy) -> Result<Option<Listener>, String> {
    system::enter(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(has_network: bool) -> Policy {
        Policy {
            read: Vec::new(),
            list: Vec::new(),
            write: Vec::new(),
            has_network,
            home: "/private/home".into(),
            temporary: "/private/tmp".into(),
            cache: "/cache/build/a".into(),
            node_headers: Some("/opt/node".into()),
            tools: vec![("PYENV_ROOT".to_owned(), "/home/me/.pyenv".into())],
        }
    }

    #[test]
    fn private_folders_replace_the_users() {
        let mut variables: HashMap<String, String> =
            [("HOME", "/home/me"), ("PATH", "/bin"), ("NPM_TOKEN", "t"), ("TMPDIR", "/tmp")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        policy(false).adjust(&mut variables);
        assert_eq!(variables["HOME"], "/private/home");
        assert_eq!(variables["TMPDIR"], "/private/tmp");
        assert_eq!(variables["PATH"], "/bin");
        assert_eq!(variables["npm_config_nodedir"], "/opt/node");
        assert_eq!(variables["PYENV_ROOT"], "/home/me/.pyenv");
        assert!(!variables.contains_key("NPM_TOKEN"));
    }

    #[test]
    fn a_nodedir_of_the_user_stays() {
        let mut variables: HashMap<String, String> =
            [("NPM_CONFIG_NODEDIR".to_owned(), "/mine".to_owned())].into();
        policy(false).adjust(&mut variables);
        assert_eq!(variables["NPM_CONFIG_NODEDIR"], "/mine");
        assert!(!variables.contains_key("npm_config_nodedir"));
    }

    #[test]
    fn guesses() {
        let guess = |network, output| Suspicion::from_output(&policy(network), output);
        let dns = "getaddrinfo EAI_AGAIN registry.example";
        assert_eq!(guess(false, dns), Some(Suspicion::Network));
        assert_eq!(guess(true, dns), None);
        let denied = "EACCES: permission denied, open '/etc/x'";
        assert_eq!(guess(false, denied), Some(Suspicion::Files));
        assert_eq!(guess(true, denied), Some(Suspicion::Files));
        assert_eq!(guess(false, "assertion failed"), None);
    }
}

//! What is around the scripts of dependencies besides their variables: `node-gyp`, a shell, a place for
//! what is temporary.

use std::path::{Path, PathBuf};

use deka_config::{Config, Environment};
use hashbrown::HashMap;

use crate::node::find_program;
use crate::own::quoted;
use crate::{Caller, Node, NpmCommand, Script, ScriptError};

/// What all scripts of an install share.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// What their variables are made of.
    pub caller: Caller<'a>,
    /// What runs a command; called with `-c` and the command.
    pub shell: PathBuf,
    /// The Node.js that scripts find.
    pub node: Option<Node>,
    /// A folder for this run alone, removed with it.
    temporary: tempfile::TempDir,
}

/// A package whose scripts run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What it is called in messages: `name@version`.
    pub label: String,
    /// The name that it is trusted by, which is its own only where a registry vouches for that; empty for a
    /// project without one.
    pub name: String,
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// The text of its `package.json`.
    pub manifest: Vec<u8>,
}

impl<'a> Surroundings<'a> {
    /// Collects what there is, and makes a temporary folder with a `node-gyp` where the user has none.
    pub fn new(
        environment: &'a Environment,
        program: &'a Path,
        root: &'a Path,
        config: &'a Config,
    ) -> Result<Self, ScriptError> {
        let folder = environment.non_empty("TMPDIR").map_or_else(temporary_folder, PathBuf::from);
        let temporary = tempfile::Builder::new()
            .prefix("deka-scripts-")
            .tempdir_in(&folder)
            .map_err(|source| ScriptError::Prepare { path: folder, source })?;
        let path = environment.get("PATH").unwrap_or_default();
        let node = Node::find(path);
        let caller =
            Caller::new(environment, program, root, config, NpmCommand::Install, node.as_ref());
        let mut this = Self { caller, shell: shell(config), node, temporary };
        this.caller.last_commands = Some(this.node_gyp_folder());
        if find_program(path, "node-gyp").is_none() {
            this.write_node_gyp()?;
        }
        Ok(this)
    }

    /// Returns the folder for this run alone.
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    fn node_gyp_folder(&self) -> PathBuf {
        self.temporary().join("node-gyp-bin")
    }

    /// Packages rely on a `node-gyp` that comes with the package manager. Node.js brings one with its
    /// npm; where it does not, the error says what to do.
    fn write_node_gyp(&self) -> Result<(), ScriptError> {
        let text = match self.node.as_ref().and_then(Node::node_gyp) {
            Some(script) => {
                format!("#!/bin/sh\nexec node {} \"$@\"\n", quoted(script.as_os_str()).display())
            }
            None => {
                "#!/bin/sh\necho 'node-gyp: not found; add it to devDependencies' >&2\nexit 127\n"
                    .to_owned()
            }
        };
        let path = self.node_gyp_folder().join("node-gyp");
        let written = std::fs::create_dir_all(self.node_gyp_folder())
            .and_then(|()| std::fs::write(&path, text))
            .and_then(|()| make_executable(&path));
        written.map_err(|source| ScriptError::Prepare { path, source })
    }

    /// Returns the variables of a script: deka's own, and npm's as npm sets them.
    pub fn variables(&self, package: &Package, script: &Script) -> HashMap<String, String> {
        let event = script.event.as_str();
        let variables = self.caller.variables_of_script(package, event, &script.command);
        variables.over(self.caller.environment)
    }
}

/// Where temporary files go when `TMPDIR` says nothing; on Windows `TEMP` would have to be asked.
fn temporary_folder() -> PathBuf {
    if cfg!(unix) { PathBuf::from("/tmp") } else { std::env::temp_dir() }
}

/// Returns the shell that scripts are run by.
pub fn shell(config: &Config) -> PathBuf {
    let default = if cfg!(windows) { "sh.exe" } else { "/bin/sh" };
    config.install.script_shell.clone().unwrap_or_else(|| default.into())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

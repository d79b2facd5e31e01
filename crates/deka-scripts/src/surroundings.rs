//! What is around a script: its variables, its `PATH`, its `node-gyp`, its shell.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use deka_config::{Config, Environment, Secret};
use hashbrown::{HashMap, HashSet};
use serde_json::Value;

use crate::node::find_program;
use crate::{Node, Script, ScriptError};

/// What all scripts of a run share.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// What deka itself was started with.
    pub environment: &'a Environment,
    /// deka's own program.
    pub program: &'a Path,
    /// The folder of the project.
    pub root: &'a Path,
    /// What `.npmrc` files say to scripts.
    settings: &'a BTreeMap<Box<str>, Secret>,
    /// What runs a command; called with `-c` and the command.
    pub shell: PathBuf,
    /// The Node.js that scripts find.
    pub node: Option<Node>,
    /// What deka calls itself to registries and scripts.
    pub user_agent: String,
    /// A folder for this run alone, removed with it.
    temporary: tempfile::TempDir,
}

/// A package whose scripts run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What it is called in messages: `name@version`.
    pub label: String,
    /// Its real name; empty for a project without one.
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
        let version = node.as_ref().map_or("?", |node| &node.version);
        let user_agent = format!(
            "deka/{} npm/? node/{version} {} {}",
            env!("CARGO_PKG_VERSION"),
            node_platform(),
            node_arch()
        );
        let shell = config.install.script_shell.as_deref();
        let shell = shell.map_or_else(|| default_shell().into(), Path::to_owned);
        let settings = &config.script_variables;
        let this =
            Self { environment, program, root, settings, shell, node, user_agent, temporary };
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
                format!("#!/bin/sh\nexec node {} \"$@\"\n", quoted(&script.to_string_lossy()))
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
        // What an outer package manager said about its own script means nothing here.
        let is_of_outer =
            |name: &str| name.starts_with("npm_package_") || name.starts_with("npm_lifecycle_");
        // The environment is stronger than files, in any spelling.
        let known: HashSet<String> =
            self.environment.variables().map(|(name, _)| name.to_lowercase()).collect();
        let of_files = self.settings.iter().map(|(name, value)| (&**name, value.expose()));
        let mut variables: HashMap<String, String> = of_files
            .filter(|(name, _)| !known.contains(*name))
            .chain(self.environment.variables().filter(|(name, _)| !is_of_outer(name)))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut set = |name: &str, value: String| {
            variables.insert(name.to_owned(), value);
        };
        let text = |path: &Path| path.to_string_lossy().into_owned();
        set("npm_lifecycle_event", script.event.as_str().to_owned());
        set("npm_lifecycle_script", script.command.to_string());
        set("npm_package_json", text(&package.folder.join("package.json")));
        set("npm_config_user_agent", self.user_agent.clone());
        set("npm_config_local_prefix", text(self.root));
        set("npm_execpath", text(self.program));
        set("npm_command", "install".to_owned());
        set("PATH", self.path(&package.folder));
        if let Some(node) = &self.node {
            set("npm_node_execpath", text(&node.program));
            set("NODE", text(&node.program));
        }
        // Where the user was, also for a deka that a script has started.
        if self.environment.non_empty("INIT_CWD").is_none() {
            set("INIT_CWD", text(self.environment.working_folder()));
        }
        let manifest = serde_json::from_slice(&package.manifest).unwrap_or(Value::Null);
        set("npm_package_name", package.name.clone());
        set("npm_package_version", manifest["version"].as_str().unwrap_or_default().to_owned());
        for field in ["config", "engines", "bin"] {
            flatten(&format!("npm_package_{field}"), &manifest[field], &mut variables);
        }
        variables
    }

    /// Returns `PATH` with the commands of the package's dependencies, then of the folders above it,
    /// then `node-gyp`, then what was there.
    fn path(&self, folder: &Path) -> String {
        let commands = folder
            .ancestors()
            .filter(|above| !above.ends_with("node_modules"))
            .map(|above| above.join("node_modules/.bin"));
        let inherited = self.environment.get("PATH").unwrap_or_default();
        let folders = commands
            .chain(std::iter::once(self.node_gyp_folder()))
            .chain(std::env::split_paths(inherited));
        match std::env::join_paths(folders) {
            Ok(path) => path.to_string_lossy().into_owned(),
            // A folder with a `:` in its name cannot be in `PATH`.
            Err(_) => inherited.to_owned(),
        }
    }
}

/// Sets `prefix_key` for each entry of an object, and so on in objects inside; `prefix` for a text.
fn flatten(prefix: &str, value: &Value, into: &mut HashMap<String, String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let key: String = key
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
                    .collect();
                flatten(&format!("{prefix}_{key}"), value, into);
            }
        }
        Value::Null | Value::Array(_) => {}
        Value::String(text) => {
            // No variable can hold a NUL.
            into.insert(prefix.to_owned(), text.replace('\0', ""));
        }
        Value::Bool(_) | Value::Number(_) => {
            into.insert(prefix.to_owned(), value.to_string());
        }
    }
}

/// Quotes a text for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Where temporary files go when `TMPDIR` says nothing; on Windows `TEMP` would have to be asked.
fn temporary_folder() -> PathBuf {
    if cfg!(unix) { PathBuf::from("/tmp") } else { std::env::temp_dir() }
}

fn default_shell() -> &'static str {
    if cfg!(windows) { "sh.exe" } else { "/bin/sh" }
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

fn node_platform() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    }
}

fn node_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "x86" => "ia32",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::new(owned, None, "/work/packages/web".into())
    }

    fn around<'a>(environment: &'a Environment, config: &'a Config) -> Surroundings<'a> {
        let (program, root) = (Path::new("/opt/deka"), Path::new("/work"));
        Surroundings::new(environment, program, root, config).unwrap()
    }

    fn package(manifest: &str) -> Package {
        Package {
            label: "b@1.0.0".to_owned(),
            name: "b".to_owned(),
            folder: "/work/node_modules/a/node_modules/b".into(),
            manifest: manifest.as_bytes().to_vec(),
        }
    }

    #[test]
    fn variables_are_npms() {
        let environment = environment(&[
            ("PATH", "/usr/bin:/bin"),
            ("FOO", "bar"),
            ("npm_package_name", "outer"),
            ("npm_package_config_x", "outer"),
            ("npm_lifecycle_event", "test"),
        ]);
        let config = Config::default();
        let around = around(&environment, &config);
        let script = Script { event: Event::Postinstall, command: "node x.js".into() };
        let package = package(
            r#"{"version":"1.0.0","config":{"port":8080,"a-b":{"c":true}},"engines":{"node":">=18"}}"#,
        );
        let variables = around.variables(&package, &script);
        let get = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!(get("FOO"), Some("bar"));
        assert_eq!(get("npm_lifecycle_event"), Some("postinstall"));
        assert_eq!(get("npm_lifecycle_script"), Some("node x.js"));
        assert_eq!(get("npm_package_name"), Some("b"));
        assert_eq!(get("npm_package_version"), Some("1.0.0"));
        assert_eq!(get("npm_package_config_port"), Some("8080"));
        assert_eq!(get("npm_package_config_a_b_c"), Some("true"));
        assert_eq!(get("npm_package_config_x"), None);
        assert_eq!(get("npm_package_engines_node"), Some(">=18"));
        assert_eq!(get("npm_execpath"), Some("/opt/deka"));
        assert_eq!(get("npm_config_local_prefix"), Some("/work"));
        assert_eq!(get("INIT_CWD"), Some("/work/packages/web"));
        assert!(get("npm_config_user_agent").unwrap().starts_with("deka/"));
        let path = get("PATH").unwrap();
        let expected = "/work/node_modules/a/node_modules/b/node_modules/.bin:\
                        /work/node_modules/a/node_modules/.bin:/work/node_modules/.bin:\
                        /node_modules/.bin:";
        assert!(path.starts_with(expected), "{path}");
        assert!(path.ends_with("/node-gyp-bin:/usr/bin:/bin"), "{path}");
    }

    #[test]
    fn the_caller_of_a_nested_run_stays_known() {
        let environment = environment(&[("INIT_CWD", "/first")]);
        let config = Config::default();
        let around = around(&environment, &config);
        let script = Script { event: Event::Install, command: "x".into() };
        assert_eq!(around.variables(&package("{}"), &script)["INIT_CWD"], "/first");
    }

    #[test]
    fn settings_of_files_are_weaker_than_variables() {
        let environment = environment(&[("NPM_CONFIG_PYTHON", "/env")]);
        let mut config = Config::default();
        for name in ["npm_config_python", "npm_config_nodedir", "npm_config_user_agent"] {
            config.script_variables.insert(name.into(), Secret::new("/file"));
        }
        let script = Script { event: Event::Install, command: "x".into() };
        let variables = around(&environment, &config).variables(&package("{}"), &script);
        assert_eq!(variables["npm_config_nodedir"], "/file");
        assert_eq!(variables["NPM_CONFIG_PYTHON"], "/env");
        assert!(!variables.contains_key("npm_config_python"));
        assert!(variables["npm_config_user_agent"].starts_with("deka/"));
    }

    #[test]
    fn texts_are_quoted_for_shells() {
        assert_eq!(quoted("/it's/a b"), r"'/it'\''s/a b'");
    }
}

//! The variables of scripts and commands, as npm sets them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use deka_config::{Config, Environment, Secret};
use hashbrown::{HashMap, HashSet};
use serde_json::Value;

use crate::{Node, Package};

/// npm's word for what deka was told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NpmCommand {
    /// Install packages.
    Install,
    /// Run scripts of the project.
    RunScript,
    /// Run a command.
    Exec,
}

impl NpmCommand {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::RunScript => "run-script",
            Self::Exec => "exec",
        }
    }
}

/// What the variables of all scripts of a run have in common.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    /// What deka itself was started with.
    pub environment: &'a Environment,
    /// deka's own program.
    pub program: &'a Path,
    /// The folder of the project.
    pub root: &'a Path,
    /// What `.npmrc` files say to scripts.
    settings: &'a BTreeMap<Box<str>, Secret>,
    /// What flags say to scripts.
    flags: &'a BTreeMap<Box<str>, Secret>,
    command: NpmCommand,
    /// The Node.js that scripts find.
    node: Option<PathBuf>,
    /// What deka calls itself to scripts.
    user_agent: String,
    /// A folder with commands that go before all others.
    pub first_commands: Option<PathBuf>,
    /// A folder with commands that come after those of packages.
    pub(crate) last_commands: Option<PathBuf>,
}

/// How the variables of a script differ from deka's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variables {
    removed: Vec<String>,
    set: HashMap<String, String>,
}

impl Variables {
    /// Lets a command that would have deka's own have these.
    pub(crate) fn apply(&self, command: &mut Command) {
        for name in &self.removed {
            command.env_remove(name);
        }
        command.envs(&self.set);
    }

    /// Returns all variables, deka's own being `environment`.
    pub(crate) fn over(self, environment: &Environment) -> HashMap<String, String> {
        let mut all: HashMap<String, String> = environment
            .variables()
            .filter(|(name, _)| !self.removed.iter().any(|removed| removed == name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        all.extend(self.set);
        all
    }
}

impl<'a> Caller<'a> {
    /// Collects what is needed. Of Node.js only what is known of it is told.
    pub fn new(
        environment: &'a Environment,
        program: &'a Path,
        root: &'a Path,
        config: &'a Config,
        command: NpmCommand,
        node: Option<&Node>,
    ) -> Self {
        let version = node.and_then(|node| node.version.as_deref()).unwrap_or("?");
        let user_agent = format!(
            "deka/{} npm/? node/{version} {} {}",
            env!("CARGO_PKG_VERSION"),
            node_platform(),
            node_arch()
        );
        Self {
            environment,
            program,
            root,
            settings: &config.script_variables,
            flags: &config.script_flags,
            command,
            node: node.map(|node| node.program.clone()),
            user_agent,
            first_commands: None,
            last_commands: None,
        }
    }

    /// Returns the variables of something that runs in a folder without being of any package.
    pub fn variables(&self, folder: &Path) -> Variables {
        // What an outer package manager said about its own script means nothing here.
        let is_of_outer = |name: &str| {
            name.starts_with("npm_package_")
                || name.starts_with("npm_lifecycle_")
                || self.flags.keys().any(|flag| name.eq_ignore_ascii_case(flag))
        };
        let own = self.environment.variables().map(|(name, _)| name);
        let removed = own.filter(|name| is_of_outer(name)).map(ToOwned::to_owned).collect();
        let mut set = HashMap::new();
        if !self.settings.is_empty() {
            // The environment is stronger than files, in any spelling.
            let known: HashSet<String> =
                self.environment.variables().map(|(name, _)| name.to_lowercase()).collect();
            let of_files = self.settings.iter().filter(|(name, _)| !known.contains(&***name));
            set.extend(of_files.map(|(name, value)| (name.to_string(), value.expose().to_owned())));
        }
        let of_flags = self.flags.iter();
        set.extend(of_flags.map(|(name, value)| (name.to_string(), value.expose().to_owned())));
        let mut put = |name: &str, value: String| {
            set.insert(name.to_owned(), value);
        };
        put("npm_config_user_agent", self.user_agent.clone());
        put("npm_config_local_prefix", text(self.root));
        put("npm_execpath", text(self.program));
        put("npm_command", self.command.as_str().to_owned());
        put("PATH", self.path(folder));
        if let Some(node) = &self.node {
            put("npm_node_execpath", text(node));
            put("NODE", text(node));
        }
        // Where the user was, also for a deka that a script has started.
        if self.environment.non_empty("INIT_CWD").is_none() {
            put("INIT_CWD", text(self.environment.working_folder()));
        }
        Variables { removed, set }
    }

    /// Returns the variables of a script of a package, `event` being its key in `scripts`.
    pub fn variables_of_script(&self, package: &Package, event: &str, command: &str) -> Variables {
        let mut variables = self.variables_in_package(package);
        variables.set.insert("npm_lifecycle_event".to_owned(), event.to_owned());
        variables.set.insert("npm_lifecycle_script".to_owned(), command.to_owned());
        variables
    }

    /// Returns the variables of a command that runs in a package.
    pub fn variables_in_package(&self, package: &Package) -> Variables {
        let mut variables = self.variables(&package.folder);
        let mut put = |name: &str, value: String| {
            variables.set.insert(name.to_owned(), value);
        };
        let manifest = serde_json::from_slice(&package.manifest).unwrap_or(Value::Null);
        put("npm_package_json", text(&package.folder.join("package.json")));
        // No variable can hold a NUL.
        let says = |field: &str| Some(manifest[field].as_str()?.replace('\0', ""));
        put("npm_package_name", says("name").unwrap_or_else(|| package.name.clone()));
        put("npm_package_version", says("version").unwrap_or_default());
        for field in ["config", "engines", "bin"] {
            flatten(&format!("npm_package_{field}"), &manifest[field], &mut variables.set);
        }
        variables
    }

    /// Returns `PATH` with the commands of the package's dependencies, then of the folders above it,
    /// then what was there.
    fn path(&self, folder: &Path) -> String {
        let inherited = self.environment.get("PATH").unwrap_or_default();
        let folders = (self.first_commands.iter().cloned())
            .chain(command_folders(folder))
            .chain(self.last_commands.iter().cloned())
            .chain(std::env::split_paths(inherited));
        match std::env::join_paths(folders) {
            Ok(path) => path.to_string_lossy().into_owned(),
            // A folder with a `:` in its name cannot be in `PATH`.
            Err(_) => inherited.to_owned(),
        }
    }
}

/// Returns where the commands of packages may be that are installed for `folder`, the nearest first.
pub fn command_folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let above = folder.ancestors().filter(|above| !above.ends_with("node_modules"));
    above.map(|above| above.join("node_modules/.bin"))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
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
    use crate::{Event, Script, Surroundings};

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
    fn flags_are_stronger_than_variables() {
        let environment = environment(&[("NPM_CONFIG_REGISTRY", "env")]);
        let mut config = Config::default();
        config.script_variables.insert("npm_config_registry".into(), Secret::new("file"));
        config.script_flags.insert("npm_config_registry".into(), Secret::new("flag"));
        let script = Script { event: Event::Install, command: "x".into() };
        let variables = around(&environment, &config).variables(&package("{}"), &script);
        assert_eq!(variables["npm_config_registry"], "flag");
        assert!(!variables.contains_key("NPM_CONFIG_REGISTRY"));
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
}

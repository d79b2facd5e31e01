//! Running git: what it sees, what it may not do, and how it ends.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deka_config::Environment;

/// Variables that lead git to another repository than the one that is meant, as they do in a hook.
const MISLEADING: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_TEMPLATE_DIR",
    "GIT_WORK_TREE",
];

/// Nobody is asked, nothing is replaced, and no transport runs programs.
const VARIABLES: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh"),
];

/// A server that says nothing for a minute is given up, unless the user wants it otherwise.
const DEFAULTS: &[(&str, &str)] =
    &[("GIT_HTTP_LOW_SPEED_LIMIT", "1"), ("GIT_HTTP_LOW_SPEED_TIME", "60")];

/// Settings that count more than those of user and repository.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.eol=lf",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "tar.umask=0022",
];

/// A key without a passphrase or one that an agent holds will do; new hosts are noted, as with Bun.
const SSH: &str = "ssh -oBatchMode=yes -oStrictHostKeyChecking=accept-new -oConnectTimeout=20";

/// How much is kept of what git complains about.
const LARGEST_MESSAGE: u64 = 16 * 1024;

/// The git of the system.
pub(crate) struct Program {
    variables: Vec<(String, String)>,
    /// Whether what strangers wrote is kept from having a say; not where the user's own working copy is
    /// worked on.
    is_guarded: bool,
    /// Whether the user has a way of his own to start ssh.
    has_ssh_command: bool,
    running: Mutex<Vec<Arc<Mutex<Child>>>>,
    is_stopped: AtomicBool,
}

/// One run.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    /// Where it is started.
    pub(crate) folder: &'a Path,
    /// The bare repository that it is about.
    pub(crate) repository: Option<&'a Path>,
    pub(crate) arguments: &'a [&'a str],
    pub(crate) input: &'a [u8],
    /// How much it may write.
    pub(crate) limit: u64,
    /// Whether it may start ssh.
    pub(crate) uses_ssh: bool,
    /// The exit code that is no failure, besides 0.
    pub(crate) good_code: i32,
}

/// Why a run was none.
pub(crate) enum Failure {
    NotInstalled,
    /// It could not be started or listened to.
    Run(io::Error),
    /// What it said when it failed.
    Failed(String),
    /// It wrote more than it may.
    TooMuch,
    /// [`Program::stop`] was called.
    Stopped,
}

impl Program {
    pub(crate) fn new(environment: &Environment) -> Self {
        let variables = environment.variables().filter(|(name, _)| !MISLEADING.contains(name));
        Self {
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            is_guarded: true,
            has_ssh_command: ["GIT_SSH", "GIT_SSH_COMMAND"]
                .iter()
                .any(|name| environment.non_empty(name).is_some()),
            running: Mutex::default(),
            is_stopped: AtomicBool::new(false),
        }
    }

    /// The same without settings of the user, the machine, or a repository around `folder`, so that
    /// everybody's git says the same.
    pub(crate) fn without_settings(environment: &Environment, folder: &Path) -> Self {
        let folder = folder.to_string_lossy();
        let above = Path::new(&*folder).parent().unwrap_or(Path::new("/")).to_string_lossy();
        let own = [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CEILING_DIRECTORIES", &*above),
            // Where older ones look.
            ("HOME", &*folder),
            ("XDG_CONFIG_HOME", &*folder),
        ];
        let kept = ["PATH", "SystemRoot", "TMPDIR"];
        let kept = kept.iter().filter_map(|name| Some((*name, environment.get(name)?)));
        let variables = kept.chain(own).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            variables: variables.collect(),
            is_guarded: true,
            has_ssh_command: false,
            running: Mutex::default(),
            is_stopped: AtomicBool::new(false),
        }
    }

    /// The same for the user's own working copy, with all settings and hooks.
    pub(crate) fn of_user(environment: &Environment) -> Self {
        Self { is_guarded: false, ..Self::new(environment) }
    }

    /// Ends everything that runs, and lets nothing more begin.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        for child in lock(&self.running).drain(..) {
            // It may have ended by itself.
            drop(lock(&child).kill());
        }
    }

    /// Runs git to its end and returns what it wrote.
    pub(crate) fn run(&self, run: Run<'_>) -> Result<Vec<u8>, Failure> {
        let mut command = self.command(run);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::NotInstalled,
            _ => Failure::Run(error),
        })?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Arc::new(Mutex::new(child));
        lock(&self.running).push(child.clone());
        if self.is_stopped.load(Ordering::SeqCst) {
            drop(lock(&child).kill());
        }
        let mut output = Vec::new();
        let mut message = Vec::new();
        let read = std::thread::scope(|scope| {
            // What it does not read it does not need.
            scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(run.input)));
            // All of it is read, or git would wait.
            scope.spawn(|| {
                stderr.map(|mut stderr| {
                    stderr.by_ref().take(LARGEST_MESSAGE).read_to_end(&mut message)?;
                    io::copy(&mut stderr, &mut io::sink())
                })
            });
            let read = stdout.map(|stdout| stdout.take(run.limit + 1).read_to_end(&mut output));
            if output.len() as u64 > run.limit {
                drop(lock(&child).kill());
            }
            read.transpose()
        });
        let status = lock(&child).wait().map_err(Failure::Run)?;
        lock(&self.running).retain(|running| !Arc::ptr_eq(running, &child));
        read.map_err(Failure::Run)?;
        if self.is_stopped.load(Ordering::SeqCst) {
            Err(Failure::Stopped)
        } else if output.len() as u64 > run.limit {
            Err(Failure::TooMuch)
        } else if status.success() || status.code() == Some(run.good_code) {
            Ok(output)
        } else {
            Err(Failure::Failed(String::from_utf8_lossy(&message).into_owned()))
        }
    }

    fn command(&self, run: Run<'_>) -> Command {
        let mut command = self.plain(run.folder);
        if self.is_guarded {
            command.envs(VARIABLES.iter().copied());
        }
        if run.uses_ssh && !self.has_ssh_command {
            // Who set `core.sshCommand` knows what he does; the variable would count more.
            let own = self.plain(run.folder).args(["config", "--get", "core.sshCommand"]).output();
            if !own.is_ok_and(|own| own.status.success()) {
                command.env("GIT_SSH_COMMAND", SSH);
            }
        }
        for setting in SETTINGS.iter().filter(|_| self.is_guarded) {
            command.args(["-c", setting]);
        }
        if let Some(repository) = run.repository {
            command.arg("--git-dir").arg(repository);
        }
        command.args(run.arguments);
        command
    }

    fn plain(&self, folder: &Path) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(DEFAULTS.iter().copied());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(folder).stdin(Stdio::null());
        command
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

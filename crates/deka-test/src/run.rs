//! Running a program and looking at what it said.

use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A program about to be run with an environment of its own.
#[derive(Clone, Debug)]
pub struct Program {
    executable: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(String, OsString)>,
    folder: PathBuf,
    timeout: Duration,
    filters: Vec<(String, String)>,
}

impl Program {
    /// Runs `program` in `folder`, with no environment but `PATH`.
    pub fn new(program: impl Into<PathBuf>, folder: &Path) -> Self {
        let path = crate::environment::variable("PATH").unwrap_or_default();
        Self {
            executable: program.into(),
            arguments: Vec::new(),
            variables: vec![("PATH".to_owned(), path.into())],
            folder: folder.to_owned(),
            timeout: Duration::from_mins(5),
            filters: Vec::new(),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Puts a folder in front of `PATH`.
    #[must_use]
    pub fn path_first(self, folder: &Path) -> Self {
        let known = self.variables.iter().find(|(name, _)| name == "PATH");
        let mut path = folder.as_os_str().to_owned();
        if let Some((_, rest)) = known {
            path.push(":");
            path.push(rest);
        }
        self.env("PATH", path)
    }

    /// Takes a variable away.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        self
    }

    /// Runs it in another folder.
    #[must_use]
    pub fn current_dir(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Kills it, and fails the test, after this time instead of after five minutes.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Replaces a text in what [`Outcome::snapshot`] shows.
    #[must_use]
    pub fn filter(mut self, text: impl Into<String>, replacement: impl Into<String>) -> Self {
        self.filters.push((text.into(), replacement.into()));
        self
    }

    /// The command for those who need more than [`Program::run`] does, such as killing it halfway.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// If it cannot be started or takes longer than allowed.
    #[track_caller]
    pub fn run(self) -> Outcome {
        let started = Instant::now();
        let mut child =
            self.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(
                |error| panic!("starting `{}`: {error}", self.executable.display()),
            );
        let stdout = collect(child.stdout.take().expect("stdout is piped"));
        let stderr = collect(child.stderr.take().expect("stderr is piped"));
        let mut is_late = false;
        let status = loop {
            if let Some(status) = child.try_wait().expect("waiting for a child") {
                break status;
            }
            if started.elapsed() > self.timeout && !is_late {
                is_late = true;
                child.kill().expect("a child may be killed");
            }
            thread::sleep(Duration::from_millis(1));
        };
        let outcome = Outcome {
            code: status.code(),
            stdout: stdout.join().expect("reading stdout"),
            stderr: stderr.join().expect("reading stderr"),
            elapsed: started.elapsed(),
            filters: self.filters,
        };
        assert!(
            !is_late,
            "`{}` {:?} took longer than {:?}\n{}",
            self.executable.display(),
            self.arguments,
            self.timeout,
            outcome.snapshot()
        );
        outcome
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until the error still helps whoever looks at the failure.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// How long it ran.
    pub elapsed: Duration,
    filters: Vec<(String, String)>,
}

impl Outcome {
    /// Panics, showing everything, unless it ended with 0.
    #[track_caller]
    pub fn assert_success(&self) -> &Self {
        self.assert_code(0)
    }

    /// Panics, showing everything, unless it ended with `code`.
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.snapshot());
        self
    }

    /// The one JSON document on stdout, checked against the schema of that name (`why`).
    #[track_caller]
    pub fn document(&self, schema: &str) -> serde_json::Value {
        let is_one = self.stdout.lines().count() == 1;
        let document = serde_json::from_str(&self.stdout).ok().filter(|_| is_one);
        let Some(document) = document else { panic!("no document\n{}", self.snapshot()) };
        if let Err(problem) = crate::schema::validate(schema, &document) {
            panic!("{problem}\n{}", self.snapshot());
        }
        document
    }

    /// Exit code, stdout and stderr, with `[TIME]`, `[PORT]` and the test's own filters in place
    /// of what differs from run to run.
    pub fn snapshot(&self) -> String {
        let mut text = match self.code {
            Some(code) => format!("exit code: {code}\n"),
            None => "ended by a signal\n".to_owned(),
        };
        for (name, output) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !output.is_empty() {
                let output = self.filtered(output);
                writeln!(text, "----- {name} -----\n{}", output.trim_end()).expect("a String");
            }
        }
        text
    }

    /// A text with what differs from run to run replaced.
    pub fn filtered(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.filters {
            text = text.replace(from, to);
        }
        replace_times(&replace_ports(&text))
    }
}

/// `127.0.0.1:4567` → `127.0.0.1:[PORT]`, and the same for `localhost`.
fn replace_ports(text: &str) -> String {
    let mut text = text.to_owned();
    for host in ["127.0.0.1:", "localhost:"] {
        let mut done = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(host) {
            let (before, after) = rest.split_at(at + host.len());
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            done.push_str(before);
            if digits > 0 {
                done.push_str("[PORT]");
            }
            rest = &after[digits..];
        }
        done.push_str(rest);
        text = done;
    }
    text
}

/// `[1.02s]`, `[438.00ms]`, `[12µs]`, `[1m 2s]` → `[TIME]`.
fn replace_times(text: &str) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let (before, bracket) = rest.split_at(at);
        done.push_str(before);
        let inside = &bracket[1..];
        match inside.find(']') {
            Some(end) if is_time(&inside[..end]) => {
                done.push_str("[TIME]");
                rest = &inside[end + 1..];
            }
            _ => {
                done.push('[');
                rest = inside;
            }
        }
    }
    done.push_str(rest);
    done
}

fn is_time(text: &str) -> bool {
    !text.is_empty()
        && text.split(' ').all(|part| {
            let unit = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            unit.len() < part.len() && ["s", "ms", "µs", "us", "ns", "m", "h"].contains(&unit)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_replaced() {
        let check = |text: &str, expected: &str| {
            assert_eq!(replace_times(&replace_ports(text)), expected);
        };
        check("354 packages installed [1.02s]", "354 packages installed [TIME]");
        check("[438.00ms] done [x] [1m 2s]", "[TIME] done [x] [TIME]");
        check("http://127.0.0.1:4567/a", "http://127.0.0.1:[PORT]/a");
        check("[] [s] [12] [", "[] [s] [12] [");
    }

    #[test]
    fn a_program_sees_nothing_of_the_tests_environment() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = Program::new("env", folder.path()).env("A", "b").filter("b", "c").run();
        outcome.assert_success();
        let names: Vec<_> =
            outcome.stdout.lines().filter_map(|line| line.split('=').next()).collect();
        assert_eq!(names, ["A", "PATH"]);
        assert!(outcome.snapshot().contains("\nA=c\n"), "{}", outcome.snapshot());
    }

    #[test]
    #[should_panic(expected = "took longer than")]
    fn a_program_that_hangs_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let hanging = Program::new("sleep", folder.path()).arg("60");
        hanging.timeout(Duration::from_millis(50)).run();
    }
}

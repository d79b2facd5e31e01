//! The registry's process, seen from the benchmark.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::serve::{Options, Traffic};

/// A running `xtask serve`; it ends when this is dropped, or with this process.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// With a slash at its end.
    pub(crate) url: String,
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) fn start(xtask: &Path, options: &Options) -> Result<Self, String> {
        let mut child = Command::new(xtask)
            .arg("serve")
            .args(options.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("starting `{}`: {error}", xtask.display()))?;
        let questions = child.stdin.take();
        let output = child.stdout.take().ok_or("the registry's output is missing")?;
        let mut server =
            Self { child, questions, answers: BufReader::new(output), url: String::new() };
        server.url = server.line()?;
        Ok(server)
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err("the registry ended before its time".to_owned()),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(error) => Err(format!("reading from the registry: {error}")),
        }
    }

    /// What went over the wire since this was asked last.
    pub(crate) fn traffic(&mut self) -> Result<Traffic, String> {
        let mut questions = self.questions.as_ref().ok_or("the registry's input is missing")?;
        questions.write_all(b"\n").map_err(|error| format!("asking the registry: {error}"))?;
        let line = self.line()?;
        Traffic::from_json(&line).ok_or_else(|| format!("the registry says `{line}`"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.questions.take());
        // If it did not start, it is gone already.
        let _ = self.child.wait();
    }
}

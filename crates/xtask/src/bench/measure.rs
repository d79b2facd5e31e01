//! One run of one program: its time, its processor time, its memory.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use wait4::Wait4;

use crate::serve::Traffic;

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// From before it was started until it was gone.
    pub(crate) wall: Duration,
    /// Of the program and all it waited for, user and system.
    pub(crate) processor: Duration,
    /// In bytes, of the largest process. Never less than what this process itself has, because the
    /// kernel counts from before `exec`.
    pub(crate) peak_memory: u64,
    /// If the registry counts.
    pub(crate) traffic: Option<Traffic>,
}

/// Runs a command; what it says goes into the file `said`, and into the error if it fails.
pub(crate) fn run(command: &mut Command, said: &Path) -> Result<Sample, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what} `{program}`: {error}");
    let output = File::create(said).map_err(|error| failed("keeping what is said by", &error))?;
    let errors = output.try_clone().map_err(|error| failed("keeping what is said by", &error))?;
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let started = Instant::now();
    let child = command.spawn().map_err(|error| failed("starting", &error))?;
    let ended = child.wait4().map_err(|error| failed("waiting for", &error))?;
    let wall = started.elapsed();
    if !ended.status.success() {
        let text = std::fs::read_to_string(said).unwrap_or_default();
        return Err(format!("`{program}` ended with {}\n{}", ended.status, text.trim()));
    }
    Ok(Sample {
        wall,
        processor: ended.rusage.utime + ended.rusage.stime,
        peak_memory: ended.rusage.maxrss,
        traffic: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_measured_with_what_it_starts() {
        let folder = deka_test::scratch_folder("measure", 1);
        let mut shell = Command::new("sh");
        // Two shells; the inner one works.
        shell.args(["-c", "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; true"]);
        let sample = run(&mut shell, &folder.join("said")).unwrap();
        assert!(sample.processor > Duration::from_millis(10), "{sample:?}");
        assert!(sample.wall >= sample.processor / 2, "{sample:?}");
        assert!(sample.peak_memory > 100_000, "{sample:?}");
    }

    #[test]
    fn a_failure_says_what_was_said() {
        let folder = deka_test::scratch_folder("measure", 1);
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo no such thing >&2; exit 3"]);
        let message = run(&mut shell, &folder.join("said")).unwrap_err();
        assert!(message.contains("no such thing") && message.contains('3'), "{message}");
    }
}

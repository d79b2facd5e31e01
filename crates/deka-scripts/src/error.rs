//! Why scripts failed.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::sandbox::Suspicion;

/// How a script ended that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

impl Ending {
    /// Reads how a process ended; `None` if it ended well.
    pub(crate) fn of(status: ExitStatus) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt as _;
            if let Some(signal) = status.signal() {
                return Some(Self::Signal(u8::try_from(signal).unwrap_or(u8::MAX)));
            }
        }
        Self::from_code(status.code().unwrap_or(1))
    }

    /// Reads what a shell makes of it: signals are 128 and more.
    fn from_code(code: i32) -> Option<Self> {
        match u8::try_from(code).unwrap_or(u8::MAX) {
            0 => None,
            signal @ 129..=192 => Some(Self::Signal(signal - 128)),
            code => Some(Self::Code(code)),
        }
    }

    /// Returns the exit code that stands for it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => signal.saturating_add(128),
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with {code}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

/// A script that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedScript {
    /// `name@version`, or the project's name.
    pub package: String,
    /// The real name of the package.
    pub name: String,
    /// Its key in `scripts`.
    pub event: &'static str,
    /// What the shell was given.
    pub command: String,
    /// Where it ran.
    pub folder: PathBuf,
    /// How it ended.
    pub ending: Ending,
    /// How long it ran.
    pub elapsed: Duration,
    /// The last of what it wrote, if that was kept.
    pub output: String,
    /// What of the sandbox it seems to have run into.
    pub sandbox: Option<Suspicion>,
}

/// Why scripts could not be run to a good end.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A script failed.
    #[error("The {} script of `{}` {}", .0.event, .0.package, .0.ending)]
    Failed(Box<FailedScript>),
    /// A script could not be started.
    #[error("Failed to start the {event} script of `{package}`")]
    Start {
        /// `name@version`, or the project's name.
        package: String,
        /// Its key in `scripts`.
        event: &'static str,
        /// The failed call.
        source: std::io::Error,
    },
    /// A folder or file that scripts need could not be made.
    #[error("Failed to write `{}` for lifecycle scripts", path.display())]
    Prepare {
        /// The folder or file.
        path: PathBuf,
        /// The failed call.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::Ending;

    #[test]
    fn codes_and_signals() {
        for (code, ending) in [
            (0, None),
            (3, Some(Ending::Code(3))),
            (127, Some(Ending::Code(127))),
            (137, Some(Ending::Signal(9))),
            (255, Some(Ending::Code(255))),
            (-1, Some(Ending::Code(255))),
        ] {
            assert_eq!(Ending::from_code(code), ending, "{code}");
        }
        assert_eq!(Ending::Signal(9).exit_code(), 137);
    }
}

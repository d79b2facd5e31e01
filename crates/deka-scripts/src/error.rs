//! Why scripts failed.

use std::path::PathBuf;
use std::time::Duration;

/// How a script ended that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

impl Ending {
    /// Reads what a shell makes of it: signals are 128 and more.
    pub(crate) fn from_code(code: i32) -> Option<Self> {
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

/// Why scripts could not be run to a good end.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A script failed.
    #[error("The {event} script of `{package}` {ending}")]
    Failed {
        /// `name@version`, or the project's name.
        package: String,
        /// Its key in `scripts`.
        event: &'static str,
        /// What the shell was given.
        command: String,
        /// Where it ran.
        folder: PathBuf,
        /// How it ended.
        ending: Ending,
        /// How long it ran.
        elapsed: Duration,
        /// The last of what it wrote, if that was kept.
        output: String,
        /// What of the sandbox it seems to have run into.
        sandbox: Option<crate::sandbox::Suspicion>,
    },
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

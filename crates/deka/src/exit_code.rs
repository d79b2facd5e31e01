//! The exit codes of deka. They are part of its interface: a published one never changes meaning.

/// What kind of problem ended a command. The discriminants are the exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// The project or the machine: something in `package.json`, the lockfile, a tarball, the disk.
    User = 1,
    /// The command line.
    Usage = 2,
    /// `.npmrc`, `bunfig.toml` or a variable.
    Config = 3,
    /// The registry cannot be reached, or refuses to answer.
    Network = 4,
    /// A bug in deka.
    Internal = 70,
}

impl Class {
    /// Returns the exit code.
    pub(crate) const fn exit_code(self) -> u8 {
        self as u8
    }
}

/// The table that `deka help exit-codes` shows.
pub(crate) const TABLE: &[(u8, &str)] = &[
    (0, "Done"),
    (
        Class::User.exit_code(),
        "The project cannot be installed: no or broken package.json, a package or version that does \
         not exist, a frozen lockfile that is out of date, wrong integrity, a full disk",
    ),
    (Class::Usage.exit_code(), "The command line is wrong: an unknown flag, command or value"),
    (Class::Config.exit_code(), "A configuration file cannot be read, or is no TOML"),
    (
        Class::Network.exit_code(),
        "The registry cannot be reached, fails, or does not let this user in",
    ),
    (Class::Internal.exit_code(), "A bug in deka"),
];

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

/// The table that `deka help exit-codes` shows; meanings are lists of short lines.
pub(crate) const TABLE: &[(u8, &[&str])] = &[
    (0, &["done"]),
    (
        Class::User.exit_code(),
        &[
            "the project cannot be installed: package.json is missing or broken, a package or version",
            "does not exist, a frozen bun.lock is out of date, the integrity of a tarball is wrong,",
            "the disk is full or read-only … Or a check found something: audit, doctor,",
            "dedupe --check, prune --check, outdated --fail",
        ],
    ),
    (Class::Usage.exit_code(), &["the command line is wrong: an unknown command, flag or value"]),
    (Class::Config.exit_code(), &["a configuration or certificate file cannot be read"]),
    (
        Class::Network.exit_code(),
        &["the registry cannot be reached, fails, or does not let this user in"],
    ),
    (Class::Internal.exit_code(), &["a bug in deka"]),
];

/// What stands below the table: codes that are not deka's own.
pub(crate) const OF_OTHERS: &[&str] = &[
    "What deka runs for somebody ends it with its own code: run, test, exec, x, create, and an install",
    "one of whose scripts fails. It is 127 if there is no such command, and 128 and the number of the",
    "signal if one ended it (130 for Ctrl-C).",
];

//! The commands that a package offers.

use crate::PackageName;

/// The `bin` or `directories.bin` of a manifest, in the shape in which the manifest has it.
///
/// The shape is kept because `bun.lock` prints it as it was served: a string or an object in
/// declared order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Bin {
    /// No command.
    #[default]
    None,
    /// One command, named like the package without its scope: `"bin": "./cli.js"`.
    File(Box<str>),
    /// Commands and their files in declared order: `"bin": { "tsc": "bin/tsc" }`.
    Map(Box<[(Box<str>, Box<str>)]>),
    /// Every file of a folder is a command: `"directories": { "bin": "./bin" }`.
    Directory(Box<str>),
}

impl Bin {
    /// Whether the package offers no command.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Returns the names of the commands, as far as the manifest says them; a folder's are on the disk.
    pub fn names(&self, package: PackageName) -> Vec<Box<str>> {
        match self {
            Self::None | Self::Directory(_) => Vec::new(),
            Self::File(_) => {
                let name = package.as_str();
                vec![name.split_once('/').map_or(name, |(_, base)| base).into()]
            }
            Self::Map(commands) => commands.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

//! Which commands a package offers, from its `bin`, by npm's and Bun's rules.
//!
//! Bun links what the lockfile says (`bin` as the registry served it), never what the tarball's own
//! manifest says; so does this. Names and targets are texts from strangers: a name loses everything
//! up to its last separator (`@scope/name` and `../../name` both become `name`), and whatever could
//! leave `.bin` or the package is no command at all.

use deka_manifest::{Alias, Bin};

use crate::path::{is_safe_name, normalise_inside, parent};

/// The longest name that file systems take.
const NAME_LIMIT: usize = 255;

/// The commands of one package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Commands {
    /// Names and files in declared order.
    Files(Box<[Command]>),
    /// Every file directly in this folder, by its own name.
    Folder(Box<str>),
}

/// A command and its file, as a normal path inside the package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Command {
    /// The name in `.bin`.
    pub name: Box<str>,
    /// The file.
    pub target: Box<str>,
}

/// Files of a package that have to be executable, whatever its tarball says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Executable {
    /// The first of these files that the package has.
    FirstOf(Box<[Box<str>]>),
    /// Every file directly in this folder.
    AllIn(Box<str>),
}

impl Executable {
    /// Orders by the files meant, so that the same set is always written the same way.
    pub(crate) fn cmp_text(&self, other: &Self) -> std::cmp::Ordering {
        let files = |executable: &Self| match executable {
            Self::FirstOf(files) => (0, files.clone()),
            Self::AllIn(folder) => (1, [folder.clone()].into()),
        };
        files(self).cmp(&files(other))
    }

    /// Whether `path` may be meant; whether it is the first that exists is another question.
    pub fn names(&self, path: &str) -> bool {
        match self {
            Self::FirstOf(files) => files.iter().any(|file| **file == *path),
            Self::AllIn(folder) => parent(path) == &**folder,
        }
    }
}

impl Commands {
    /// Reads `bin`; `alias` is the name of the folder that the package lies in, after which a single
    /// command is called.
    pub fn read(bin: &Bin, alias: Alias) -> Option<Self> {
        let command = |name: &str, target: &str| {
            let name = base_name(name);
            let is_name = is_safe_name(name) && name.len() <= NAME_LIMIT;
            let target = normalise_inside(target).filter(|_| is_name && !target.is_empty())?;
            Some(Command { name: name.into(), target: target.into() })
        };
        let commands = match bin {
            Bin::None => return None,
            Bin::File(target) => Self::Files(command(alias.as_str(), target).into_iter().collect()),
            Bin::Map(entries) => {
                let commands = entries.iter().filter_map(|(name, target)| command(name, target));
                Self::Files(commands.collect())
            }
            Bin::Directory(folder) if folder.is_empty() => return None,
            Bin::Directory(folder) => Self::Folder(normalise_inside(folder)?.into()),
        };
        (!matches!(&commands, Self::Files(files) if files.is_empty())).then_some(commands)
    }

    /// Adds the files that these commands make executable in their own package.
    pub(crate) fn add_executables(&self, executables: &mut Vec<Executable>) {
        match self {
            Self::Files(commands) => {
                let own = |command: &Command| Executable::FirstOf([command.target.clone()].into());
                executables.extend(commands.iter().map(own));
            }
            Self::Folder(folder) => executables.push(Executable::AllIn(folder.clone())),
        }
    }

    /// Adds the files that these commands make executable in the package that stands in for their
    /// own on this platform.
    pub(crate) fn add_native_executables(&self, executables: &mut Vec<Executable>) {
        match self {
            Self::Files(commands) => {
                let native = |command: &Command| Executable::FirstOf(command.native_targets());
                executables.extend(commands.iter().map(native));
            }
            Self::Folder(folder) => executables.push(Executable::AllIn(folder.clone())),
        }
    }
}

impl Command {
    /// Returns where the file of this command may lie in a platform's package, in the order in which
    /// Bun tries: at the same path, else at the top under the command's or the file's own name.
    pub(crate) fn native_targets(&self) -> Box<[Box<str>]> {
        let mut targets = vec![self.target.clone(), self.name.clone()];
        targets.push(base_name(&self.target).into());
        if !self.name.ends_with(".exe") {
            targets.push(format!("{}.exe", self.name).into());
        }
        let mut known = Vec::with_capacity(targets.len());
        for target in targets {
            if !known.contains(&target) {
                known.push(target);
            }
        }
        known.into()
    }
}

fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\', ':']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(alias: &str, bin: &Bin) -> Vec<(String, String)> {
        match Commands::read(bin, Alias::parse(alias).unwrap()) {
            None => Vec::new(),
            Some(Commands::Files(commands)) => commands
                .iter()
                .map(|command| (command.name.to_string(), command.target.to_string()))
                .collect(),
            Some(Commands::Folder(folder)) => vec![("*".to_owned(), folder.to_string())],
        }
    }

    fn map(entries: &[(&str, &str)]) -> Bin {
        Bin::Map(entries.iter().map(|(name, target)| ((*name).into(), (*target).into())).collect())
    }

    fn pair(name: &str, target: &str) -> (String, String) {
        (name.to_owned(), target.to_owned())
    }

    #[test]
    fn a_single_command_is_called_like_the_folder() {
        let bin = Bin::File("./cli.js".into());
        assert_eq!(read("plain", &bin), [pair("plain", "cli.js")]);
        assert_eq!(read("@sc/sb", &bin), [pair("sb", "cli.js")]);
        assert_eq!(read("alias", &bin), [pair("alias", "cli.js")]);
    }

    #[test]
    fn hostile_commands_are_dropped() {
        // What Bun 1.4.5 links of the same map.
        let bin = map(&[
            ("../../evil1", "c.js"),
            ("ev/il", "c.js"),
            ("..", "c.js"),
            ("ok", "../../../etc/passwd"),
            ("abs", "/etc/passwd"),
            ("ok2", "a/../c.js"),
            ("nl\nx", "c.js"),
            (".dot", "c.js"),
            ("back\\slash", "c.js"),
            ("sp ace", "c.js"),
            ("empty", ""),
            ("drive", "C:\\x"),
            ("nul", "c.js\0"),
        ]);
        let names: Vec<String> = read("evil", &bin).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["evil1", "il", "ok2", ".dot", "slash", "sp ace"]);
    }

    #[test]
    fn folders_stay_inside() {
        assert_eq!(read("a", &Bin::Directory("./bin/".into())), [pair("*", "bin")]);
        assert_eq!(read("a", &Bin::Directory("./".into())), [pair("*", "")]);
        for folder in ["", "..", "../b", "/bin"] {
            assert_eq!(read("a", &Bin::Directory(folder.into())), [], "{folder}");
        }
        assert!(read("a", &map(&[])).is_empty());
        assert!(read("a", &Bin::None).is_empty());
    }

    #[test]
    fn native_files_are_looked_for_where_platforms_put_them() {
        let command = Command { name: "claude".into(), target: "bin/claude.exe".into() };
        let targets = command.native_targets();
        let targets: Vec<&str> = targets.iter().map(|target| &**target).collect();
        assert_eq!(targets, ["bin/claude.exe", "claude", "claude.exe"]);
    }
}

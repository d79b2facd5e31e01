//! What a folder contains, as a value that can be printed and compared.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use hashbrown::HashSet;
use ring::digest;

/// Everything below a folder, by path relative to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

/// One file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// The SHA-256 of a file's contents, if the tree was read with contents.
    pub contents: Option<[u8; 32]>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ordinary file.
    File {
        /// In bytes.
        size: u64,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A folder.
    Directory,
    /// A symbolic link, with what it says.
    Symlink(String),
    /// A device, pipe or socket.
    Other,
}

impl Tree {
    /// Reads a folder without looking into files; a folder that does not exist is empty.
    pub fn read(folder: &Path) -> Self {
        Self::read_folder(folder, false)
    }

    /// Reads a folder and hashes every file.
    pub fn read_with_contents(folder: &Path) -> Self {
        Self::read_folder(folder, true)
    }

    fn read_folder(folder: &Path, with_contents: bool) -> Self {
        let mut tree = Self::default();
        match tree.add(folder, "", with_contents) {
            Ok(()) => tree,
            Err(error) if error.kind() == io::ErrorKind::NotFound => tree,
            Err(error) => panic!("reading `{}`: {error}", folder.display()),
        }
    }

    fn add(&mut self, folder: &Path, prefix: &str, with_contents: bool) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let relative = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let metadata = fs::symlink_metadata(&path)?;
            let mut contents = None;
            let kind = if metadata.is_symlink() {
                Kind::Symlink(fs::read_link(&path)?.to_string_lossy().into_owned())
            } else if metadata.is_dir() {
                self.add(&path, &format!("{relative}/"), with_contents)?;
                Kind::Directory
            } else if metadata.is_file() {
                if with_contents {
                    let hash = digest::digest(&digest::SHA256, &fs::read(&path)?);
                    contents = hash.as_ref().try_into().ok();
                }
                let executable = metadata.permissions().mode() & 0o100 != 0;
                Kind::File { size: metadata.size(), executable }
            } else {
                Kind::Other
            };
            self.nodes.insert(relative, Node { kind, contents });
        }
        Ok(())
    }

    /// Leaves out a path and all that is below it.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let below = format!("{path}/");
        self.nodes.retain(|other, _| other != path && !other.starts_with(&below));
        self
    }

    /// Leaves out the paths that `keep` does not want.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.nodes.retain(|path, _| keep(path));
        self
    }

    /// Leaves out folders, and so shows the files alone.
    #[must_use]
    pub fn without_directories(mut self) -> Self {
        self.nodes.retain(|_, node| node.kind != Kind::Directory);
        self
    }

    /// Leaves out folders with nothing but such folders in them.
    #[must_use]
    pub fn without_empty_directories(mut self) -> Self {
        let mut full = HashSet::new();
        for (path, node) in &self.nodes {
            if node.kind != Kind::Directory {
                let above = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
                full.extend(above);
            }
        }
        self.nodes.retain(|path, node| node.kind != Kind::Directory || full.contains(path));
        self
    }

    /// Leaves out folders with nothing but such folders in them, unless `other` has them.
    #[must_use]
    pub fn without_empty_directories_but_those_of(mut self, other: &Self) -> Self {
        let full = self.clone().without_empty_directories();
        self.nodes.retain(|path, _| full.get(path).is_some() || other.get(path).is_some());
        self
    }

    /// What stands at a path, such as `a/package.json`.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// All paths and what stands there, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the folder is empty or missing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What differs from `other`, one line each: `-` only here, `+` only there, `!` both but
    /// different.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, node) in &self.nodes {
            match other.nodes.get(path) {
                None => lines.push(format!("- {path} {}", node.kind)),
                Some(there) if there.kind != node.kind => {
                    lines.push(format!("! {path} {} / {}", node.kind, there.kind));
                }
                Some(there) if there.contents != node.contents => {
                    lines.push(format!("! {path} has other contents"));
                }
                Some(_) => {}
            }
        }
        let only_there = other.nodes.iter().filter(|(path, _)| !self.nodes.contains_key(*path));
        lines.extend(only_there.map(|(path, node)| format!("+ {path} {}", node.kind)));
        lines
    }

    /// Panics with the first lines of the difference unless both are equal.
    #[track_caller]
    pub fn assert_same(&self, other: &Self, what: &str) {
        let difference = self.difference(other);
        assert!(
            difference.is_empty(),
            "{what}: {} paths differ (- left, + right)\n{}",
            difference.len(),
            difference.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
        );
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { size, executable: false } => write!(formatter, "{size}"),
            Self::File { size, executable: true } => write!(formatter, "{size} x"),
            Self::Directory => formatter.write_str("/"),
            Self::Symlink(target) => write!(formatter, "-> {target}"),
            Self::Other => formatter.write_str("(neither file, folder nor link)"),
        }
    }
}

impl fmt::Display for Tree {
    /// One line for each path: `a/ /`, `a/cli.js 120 x`, `.bin/a -> ../a/cli.js`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, node) in &self.nodes {
            match node.kind {
                Kind::Directory => writeln!(formatter, "{path}/")?,
                _ => writeln!(formatter, "{path} {}", node.kind)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_tree_prints_and_compares() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/cli.js"), "12345").unwrap();
        fs::set_permissions(root.join("a/cli.js"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("a/cli.js", root.join("link")).unwrap();
        let before = Tree::read_with_contents(root);
        assert_eq!(before.to_string(), "a/\na/cli.js 5 x\nlink -> a/cli.js\n");

        fs::write(root.join("a/cli.js"), "54321").unwrap();
        fs::write(root.join("new"), "").unwrap();
        let after = Tree::read_with_contents(root);
        assert_eq!(before.difference(&after), ["! a/cli.js has other contents", "+ new 0"]);
        assert!(before.difference(&before.clone()).is_empty());
        assert_eq!(after.without("a").without_directories().paths().count(), 2);
        assert!(Tree::read(&root.join("missing")).is_empty());

        fs::create_dir_all(root.join("a/b/empty")).unwrap();
        let full = Tree::read(root).without_empty_directories();
        assert_eq!(full.paths().collect::<Vec<_>>(), ["a", "a/cli.js", "link", "new"]);
        let whole = Tree::read(root);
        let kept = whole.clone().without_empty_directories_but_those_of(&whole);
        assert_eq!(kept, whole);
        assert_eq!(whole.without_empty_directories_but_those_of(&full), full);
    }
}

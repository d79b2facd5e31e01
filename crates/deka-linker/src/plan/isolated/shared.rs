//! Entries that all projects of the machine share.
//!
//! ```text
//! links/react-dom@18.2.0+5e44392892a7cd3e-<hash>/node_modules/react-dom   ◄─ files of react-dom@18.2.0
//! links/react-dom@18.2.0+5e44392892a7cd3e-<hash>/node_modules/react       ─► ../../react@18.2.0-<hash>/…
//! node_modules/.bun/react-dom@18.2.0+5e44392892a7cd3e                     ─► the first of them
//! ```
//! An entry can be shared if its bytes come from a registry's tarball, unchanged, and if the same holds for
//! all that it leads to: neither a patch nor a script nor edits, nothing of the project's own. Its hash is one over all
//! that, so that one name means the same bytes for everybody; as strangers may choose what goes in, it is one
//! that nobody can steer.

use std::fmt::Write as _;

use deka_manifest::Alias;
use deka_store::BlobHash;

use super::super::package::{FoundExecutables, Place};
use super::entries::Entry;
use super::{Builder, Home};
use crate::commands::Commands;
use crate::plan::{Placement, SharedBin, SharedEntry, Source};

/// How many bytes of a hash are in a name, as digits twice as many.
const HASH_LENGTH: usize = 16;

impl Builder<'_> {
    /// Returns for each entry its name among the shared ones, if it can be shared.
    pub(super) fn shared_names(&self, executables: &FoundExecutables) -> Vec<Option<String>> {
        let own: Vec<Option<BlobHash>> = (0..self.homes.len())
            .map(|at| self.describe(at, executables).map(|text| BlobHash::of(text.as_bytes())))
            .collect();
        let is_shared = self.without_dependents_of(&own);
        // Large closures have thousands of members together, so that they are sorted as numbers.
        let texts: Vec<String> =
            own.iter().map(|hash| hash.map(|hash| hash.to_string()).unwrap_or_default()).collect();
        let mut by_text: Vec<usize> = (0..texts.len()).collect();
        by_text.sort_unstable_by_key(|at| &texts[*at]);
        let mut ranks = vec![0; texts.len()];
        for (rank, at) in by_text.iter().enumerate() {
            ranks[*at] = rank;
        }
        let mut closure = Closure::new(self.homes.len());
        let (mut members, mut hashed) = (Vec::new(), String::new());
        (0..self.homes.len())
            .map(|at| {
                let folder = self.entry_folder(at).filter(|_| is_shared[at])?;
                members.clear();
                let all = closure.of(at, |at| self.dependencies_of(at)).iter();
                members.extend(all.filter(|at| own[**at].is_some()).map(|at| ranks[*at]));
                members.sort_unstable();
                hashed.clear();
                for rank in &members {
                    hashed.push_str(&texts[by_text[*rank]]);
                    hashed.push('\n');
                }
                hashed.push_str(folder);
                let hash = BlobHash::of(hashed.as_bytes()).to_string();
                Some(format!("{folder}-{}", hash.get(..2 * HASH_LENGTH).unwrap_or(&hash)))
            })
            .collect()
    }

    /// Returns the name of the folder of an entry whose files are there.
    fn entry_folder(&self, at: usize) -> Option<&str> {
        let Some(Home { inner: Some(inner), source: Some(_), .. }) = &self.homes[at] else {
            return None;
        };
        inner.split('/').nth_back(1)
    }

    fn dependencies_of(&self, at: usize) -> impl Iterator<Item = usize> + use<'_> {
        self.tree.entries[at].dependencies.iter().map(|(_, id)| id.index())
    }

    /// Says what decides about an entry itself; `None` if it cannot be shared.
    fn describe(&self, at: usize, executables: &FoundExecutables) -> Option<String> {
        let folder = self.entry_folder(at)?;
        let entry = &self.tree.entries[at];
        let package = entry.package;
        let options = self.options;
        let Some(Source::Store { integrity }) = self.homes[at].as_ref()?.source else {
            return None;
        };
        let is_changed = options.patches.contains_key(&package)
            || options.edited.contains(&package)
            || options.builds.contains_key(&package);
        if integrity.is_empty() || is_changed {
            return None;
        }
        let mut text = [folder, "\n", integrity.as_str(), "\n"].concat();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:?}", executables.of(package));
        for (alias, id) in &entry.dependencies {
            if let Some(folder) = self.entry_folder(id.index()) {
                text.extend([alias.as_str(), " ", folder, "\n"]);
            }
        }
        Some(text)
    }

    /// Returns which entries lead to nothing but what has a hash of its own.
    fn without_dependents_of(&self, own: &[Option<BlobHash>]) -> Vec<bool> {
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); own.len()];
        for at in 0..own.len() {
            for below in self.dependencies_of(at) {
                dependents[below].push(at);
            }
        }
        let mut is_shared = vec![true; own.len()];
        // What is skipped has no place, and no link leads to it.
        let is_alone = |at: &usize| own[*at].is_none() && self.homes[*at].is_some();
        let mut open: Vec<usize> = (0..own.len()).filter(is_alone).collect();
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut is_shared[at], false) {
                open.extend(&dependents[at]);
            }
        }
        is_shared
    }

    /// Plans a shared entry.
    pub(super) fn shared_entry(
        &self,
        at: usize,
        names: &[Option<String>],
        folders: &[Option<Box<str>>],
        staging: &str,
        executables: &FoundExecutables,
    ) -> Option<SharedEntry> {
        let name = names[at].as_deref()?;
        let entry = &self.tree.entries[at];
        let package = self.graph.package(entry.package);
        let Some(source @ Source::Store { .. }) = self.homes[at].as_ref()?.source else {
            return None;
        };
        let own = ["node_modules/", package.name.as_str()].concat();
        let mut links = Vec::with_capacity(entry.dependencies.len());
        let mut bins = Vec::new();
        let mut add_bins = |package, alias: Alias, path: &str, at: usize| {
            let Some(commands) = Commands::read(&self.graph.package(package).bin, alias) else {
                return;
            };
            let options = self.options;
            let native = options.native_bins.native_of(self.graph, package, &options.target);
            let native = native
                .and_then(|id| self.tree.entries.iter().position(|entry| entry.package == id));
            if let Some(folder) = folders[at].clone() {
                let native = native.and_then(|at| folders[at].clone());
                bins.push(SharedBin { path: path.into(), folder, native, commands });
            }
        };
        add_bins(entry.package, package.name.into(), &own, at);
        for (alias, id) in &entry.dependencies {
            let Some(folder) = &folders[id.index()] else { continue };
            let path = if Alias::from(package.name) == *alias {
                [&own, "/node_modules/", alias.as_str()].concat()
            } else {
                ["node_modules/", alias.as_str()].concat()
            };
            add_bins(self.tree.entry(*id).package, *alias, &path, id.index());
            let mut target = String::with_capacity(folder.len() + 4 * "../".len());
            target.extend(path.bytes().filter(|byte| *byte == b'/').map(|_| "../"));
            target.push_str("../");
            target.push_str(folder);
            links.push((path.into(), target.into()));
        }
        let is_own = |alias: &Alias| Alias::from(package.name) == *alias;
        let nested = entry.dependencies.iter().map(|(alias, _)| *alias).filter(is_own);
        let place = Place {
            path: [staging, "/", name, "/", &own].concat().into(),
            base_length: staging.len() as u32,
            source,
            nested: nested.map(Alias::symbol).collect(),
        };
        let files = executables.of(entry.package);
        let placement = Placement::new(self.graph, self.options, entry.package, place, files);
        Some(SharedEntry { name: name.into(), placement, links, bins })
    }

    /// Returns where the files of shared entries are below the folder of all.
    pub(super) fn shared_folders(&self, names: &[Option<String>]) -> Vec<Option<Box<str>>> {
        let folder = |(entry, name): (&Entry, &Option<String>)| {
            let package = self.graph.package(entry.package);
            Some([name.as_deref()?, "/node_modules/", package.name.as_str()].concat().into())
        };
        self.tree.entries.iter().zip(names).map(folder).collect()
    }
}

/// Finds all that entries lead to.
struct Closure {
    /// For each entry in which search it was found last.
    found_in: Vec<usize>,
    searches: usize,
    list: Vec<usize>,
}

impl Closure {
    fn new(count: usize) -> Self {
        Self { found_in: vec![0; count], searches: 0, list: Vec::new() }
    }

    /// Returns an entry and all that it leads to.
    fn of<I: Iterator<Item = usize>>(
        &mut self,
        start: usize,
        dependencies: impl Fn(usize) -> I,
    ) -> &[usize] {
        self.searches += 1;
        self.list.clear();
        self.list.push(start);
        self.found_in[start] = self.searches;
        let mut next = 0;
        while let Some(at) = self.list.get(next).copied() {
            next += 1;
            for below in dependencies(at) {
                if std::mem::replace(&mut self.found_in[below], self.searches) != self.searches {
                    self.list.push(below);
                }
            }
        }
        &self.list
    }
}

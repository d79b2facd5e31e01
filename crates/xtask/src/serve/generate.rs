//! A registry that is made up: any number of packages, the same ones every time.
//!
//! Packages are numbered. Each but the first few is needed by one with a third of its number or
//! more, so chains grow with the logarithm of the size; and by a few others, so that most are
//! shared. Of every twentieth there are two majors, and both are needed, so that not everything can
//! be hoisted. An installation has as many packages as was asked for.

use deka_test::{Tar, archive::gzip, registry::sha512};
use serde_json::{Map, Value, json};

/// The package that nothing needs until it is added.
pub(crate) const ADDED: &str = "made-up-added";

/// Every how many packages there is one with two majors.
const SHARED: usize = 20;

/// Which packages there are, and what each needs.
#[derive(Debug)]
pub(crate) struct Graph {
    /// For each package the numbers and majors of those that it needs.
    needs: Vec<Vec<(usize, u32)>>,
    /// How many of them are needed by the project itself.
    direct: usize,
}

/// What a registry has of a package.
#[derive(Debug, PartialEq)]
pub(crate) struct Published {
    pub(crate) name: String,
    pub(crate) packument: Vec<u8>,
    /// By their paths, which have no slash at the start.
    pub(crate) tarballs: Vec<(String, Vec<u8>)>,
}

/// Numbers that only depend on where one starts (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Of `from` and more, less than `to`, which has to be greater.
    fn within(&mut self, from: usize, to: usize) -> usize {
        from + (self.next() % (to - from) as u64) as usize
    }
}

fn has_two_majors(package: usize) -> bool {
    package % SHARED == SHARED - 1
}

fn name(package: usize) -> String {
    format!("made-up-{package}")
}

impl Graph {
    /// A graph with this many packages, at least ten.
    pub(crate) fn new(packages: usize) -> Self {
        // A second major of one in so many is a package more.
        let names = (packages * SHARED / (SHARED + 1)).max(10);
        let direct = 10 + names / 100;
        let mut needs: Vec<Vec<(usize, u32)>> = vec![Vec::new(); names];
        let mut random = Random(1);
        for package in 1..names {
            let mut need = |by: usize, major: u32| {
                if !needs[by].iter().any(|(other, _)| *other == package) {
                    needs[by].push((package, major));
                }
            };
            let first = random.within(package / 3, package);
            if package >= direct {
                need(first, 1);
            }
            if has_two_majors(package) {
                // Not the one that needs the first major.
                let other = random.within(0, package - 1);
                need(other + usize::from(other >= first), 2);
            }
            for _ in 0..random.within(0, 4) {
                need(random.within(0, package), 1);
            }
        }
        Self { needs, direct }
    }

    /// How many names there are, with [`ADDED`].
    pub(crate) fn len(&self) -> usize {
        self.needs.len() + 1
    }

    /// The `package.json` of a project that needs all of it.
    pub(crate) fn manifest(&self) -> String {
        let direct = (0..self.direct).map(|package| (name(package), Value::from("^1.0.0")));
        let manifest = json!({
            "name": "generated",
            "version": "1.0.0",
            "private": true,
            "dependencies": direct.collect::<Map<_, _>>(),
        });
        format!("{manifest:#}")
    }

    /// A direct dependency, an older version of it, and the newest.
    pub(crate) const UPDATED: (&'static str, &'static str, &'static str) =
        ("made-up-0", "1.0.0", "1.1.0");

    /// What a registry at `base` has of a package.
    pub(crate) fn publish(&self, package: usize, base: &str) -> Published {
        let is_added = package >= self.needs.len();
        let name = if is_added { ADDED.to_owned() } else { name(package) };
        let mut versions = Map::new();
        let mut tarballs = Vec::new();
        for (version, dependencies) in self.versions(package) {
            let manifest = json!({
                "name": name,
                "version": version,
                "dependencies": dependencies,
            });
            let tarball = tarball(package, &manifest);
            let path = format!("{name}/-/{name}-{version}.tgz");
            let mut published = manifest;
            published["dist"] = json!({
                "tarball": format!("{base}{path}"),
                "integrity": sha512(&tarball),
            });
            versions.insert(version.to_owned(), published);
            tarballs.push((path, tarball));
        }
        let packument = json!({
            "name": name,
            "dist-tags": { "latest": "1.1.0" },
            "versions": versions,
            "modified": "2026-01-01T00:00:00.000Z",
        });
        Published { name, packument: packument.to_string().into_bytes(), tarballs }
    }

    /// The versions of a package, and what each needs.
    fn versions(&self, package: usize) -> Vec<(&'static str, Map<String, Value>)> {
        let needs = self.needs.get(package).map_or(&[][..], Vec::as_slice);
        let needs: Map<String, Value> = needs
            .iter()
            .map(|(other, major)| (name(*other), format!("^{major}.0.0").into()))
            .collect();
        let mut versions = vec![("1.0.0", needs.clone()), ("1.1.0", needs)];
        if has_two_majors(package) {
            versions.push(("2.0.0", Map::new()));
        }
        versions
    }
}

/// A package with a few files, most of them small, that compress as code does.
fn tarball(package: usize, manifest: &Value) -> Vec<u8> {
    const WORDS: &[&str] = &[
        "const ",
        "return ",
        "function ",
        "this.",
        "value",
        "options",
        "(",
        ")",
        " => ",
        " {\n",
        "}\n",
        "module",
        ".exports",
        " = ",
        ";\n",
        "if (",
        "undefined",
        "length",
        "[0]",
        "name",
    ];
    let mut random = Random(package as u64);
    let mut tar = Tar::new()
        .file("package/package.json", manifest.to_string())
        .file("package/index.js", format!("module.exports = {package};\n"));
    for file in 0..random.within(2, 24) {
        let length = 200 << random.within(0, 6);
        let mut text = String::with_capacity(length + 16);
        text.push_str("// ");
        while text.len() < length {
            let number = random.next();
            text.push_str(WORDS[number as usize % WORDS.len()]);
            if number.is_multiple_of(7) {
                text.push_str(&(number >> 40).to_string());
            }
        }
        tar = tar.file(format!("package/lib/part-{}/{file}.js", file % 3), text);
    }
    gzip(&tar.finish())
}

#[cfg(test)]
mod tests {
    use hashbrown::HashSet;

    use super::*;

    /// What an installation of the whole graph has.
    fn installed(graph: &Graph) -> usize {
        let mut found: HashSet<(usize, u32)> = HashSet::new();
        let mut next: Vec<(usize, u32)> = (0..graph.direct).map(|package| (package, 1)).collect();
        while let Some((package, major)) = next.pop() {
            if found.insert((package, major)) && major == 1 {
                next.extend(&graph.needs[package]);
            }
        }
        found.len()
    }

    #[test]
    fn an_installation_is_as_large_as_was_asked_for() {
        for packages in [100, 1000, 10_000] {
            let installed = installed(&Graph::new(packages));
            assert!(installed.abs_diff(packages) <= packages / 50, "{packages}: {installed}");
        }
    }

    #[test]
    fn it_is_the_same_every_time() {
        let [one, other] = [Graph::new(100), Graph::new(100)];
        let base = "http://127.0.0.1:1/";
        for package in [0, 19, one.len() - 1] {
            assert_eq!(one.publish(package, base), other.publish(package, base));
        }
        let Published { name, packument, tarballs } = one.publish(19, base);
        let packument: Value = serde_json::from_slice(&packument).unwrap();
        assert_eq!(packument["name"], name.as_str());
        assert_eq!(packument["versions"].as_object().unwrap().len(), 3);
        assert_eq!(tarballs.len(), 3);
        assert_eq!(one.publish(one.len() - 1, base).name, ADDED);
    }

    #[test]
    fn nothing_needs_itself_in_a_circle() {
        let graph = Graph::new(500);
        for (package, needs) in graph.needs.iter().enumerate() {
            assert!(needs.iter().all(|(other, _)| *other > package), "{package}: {needs:?}");
        }
    }
}

//! What a registry answered, kept in a folder, and served from memory.
//!
//! ```text
//! abbreviated/<name>.json    packuments as installers ask for them
//! full/<name>.json           packuments for those who ask for all of it
//! tarballs/<path of the URL>
//! ```
//!
//! In the packuments [`ORIGIN`] stands for scheme and host of every tarball.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use bytes::Bytes;
use deka_test::{archive::gzip, registry::abbreviate};
use hashbrown::HashMap;
use serde_json::{Map, Value};

use super::generate::{Graph, Published};

/// What recorded tarball URLs start with until a server puts its own address in the place.
const ORIGIN: &str = "recorded://registry/";

/// The folders, which are kinds of answers as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Abbreviated,
    Full,
    Tarball,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Abbreviated, Self::Full, Self::Tarball];

    const fn folder(self) -> &'static str {
        match self {
            Self::Abbreviated => "abbreviated",
            Self::Full => "full",
            Self::Tarball => "tarballs",
        }
    }
}

/// A packument or a tarball, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// The body as it was before gzip, for those who do not accept that; empty for tarballs.
    pub(crate) plain: Bytes,
    /// For packuments.
    pub(crate) etag: String,
}

/// A recorded folder in memory.
#[derive(Debug)]
pub(crate) struct Recording {
    folder: PathBuf,
    /// What takes the place of [`ORIGIN`].
    base: String,
    answers: RwLock<HashMap<(Kind, String), Answer>>,
}

impl Recording {
    /// Reads all of a folder, which may be missing, for a server at `base`, such as
    /// `http://127.0.0.1:80/`.
    pub(crate) fn load(folder: &Path, base: &str) -> Result<Self, String> {
        let recording = Self {
            folder: folder.to_owned(),
            base: base.to_owned(),
            answers: RwLock::new(HashMap::new()),
        };
        let mut names = Vec::new();
        for kind in Kind::ALL {
            let root = folder.join(kind.folder());
            if root.exists() {
                list(&root, "", &mut |name| names.push((kind, name)))
                    .map_err(|error| format!("reading `{}`: {error}", root.display()))?;
            }
        }
        for_each(&names, |(kind, file)| recording.load_one(*kind, file))?;
        Ok(recording)
    }

    /// Makes up a registry, see [`Graph`], which has no folder.
    pub(crate) fn generate(graph: &Graph, base: &str) -> Result<Self, String> {
        let recording = Self {
            folder: PathBuf::new(),
            base: base.to_owned(),
            answers: RwLock::new(HashMap::new()),
        };
        let packages: Vec<usize> = (0..graph.len()).collect();
        for_each(&packages, |package| {
            let Published { name, packument, tarballs } = graph.publish(*package, base);
            recording.keep(Kind::Abbreviated, &name, packument.clone())?;
            recording.keep(Kind::Full, &name, packument)?;
            for (path, tarball) in tarballs {
                recording.keep(Kind::Tarball, &path, tarball)?;
            }
            Ok(())
        })?;
        Ok(recording)
    }

    fn load_one(&self, kind: Kind, file: &str) -> Result<(), String> {
        let path = self.folder.join(kind.folder()).join(file);
        let bytes =
            fs::read(&path).map_err(|error| format!("reading `{}`: {error}", path.display()))?;
        let name = if kind == Kind::Tarball { file } else { file.trim_end_matches(".json") };
        self.keep(kind, name, bytes)
    }

    /// Puts bytes in the recorded form into memory.
    fn keep(&self, kind: Kind, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        let answer = match kind {
            Kind::Tarball => {
                Answer { body: bytes.into(), plain: Bytes::new(), etag: String::new() }
            }
            Kind::Abbreviated | Kind::Full => {
                let text = String::from_utf8(bytes)
                    .map_err(|error| format!("the packument of `{name}`: {error}"))?;
                let text = text.replace(ORIGIN, &self.base);
                let body = gzip(text.as_bytes());
                let mut hasher = DefaultHasher::new();
                text.hash(&mut hasher);
                let etag = format!("\"{:016x}\"", hasher.finish());
                Answer { body: body.into(), plain: text.into(), etag }
            }
        };
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        answers.insert((kind, name.to_owned()), answer);
        Ok(())
    }

    /// What is recorded, by the name of the package or the path of the tarball without its first
    /// slash.
    pub(crate) fn answer(&self, kind: Kind, name: &str) -> Option<Answer> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(&(kind, name.to_owned())).cloned()
    }

    /// Records what a registry answered, on disk and in memory.
    pub(crate) fn record(&self, kind: Kind, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        if !is_plain(name) {
            return Err(format!("`{name}` is no name to make a file of"));
        }
        let (file, bytes) = match kind {
            Kind::Tarball => (name.to_owned(), bytes),
            Kind::Abbreviated | Kind::Full => {
                let mut packument: Map<String, Value> = serde_json::from_slice(&bytes)
                    .map_err(|error| format!("the packument of `{name}`: {error}"))?;
                complete_time(&mut packument);
                if kind == Kind::Abbreviated {
                    packument = abbreviate(packument);
                }
                forget_origin(&mut packument);
                let bytes = serde_json::to_vec(&packument).map_err(|error| error.to_string())?;
                (format!("{name}.json"), bytes)
            }
        };
        let path = self.folder.join(kind.folder()).join(file);
        write(&path, &bytes).map_err(|error| format!("writing `{}`: {error}", path.display()))?;
        self.keep(kind, name, bytes)
    }
}

/// Does something with each of many, on all cores; fails if any of it failed.
fn for_each<T: Sync>(
    all: &[T],
    work: impl Fn(&T) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Relaxed)) {
                    if let Err(error) = work(one) {
                        *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Writes a file that is there whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_added_extension("unfinished");
    fs::write(&unfinished, bytes)?;
    fs::rename(unfinished, path)
}

/// Whether a path from outside stays inside the folder that it is put into.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|name| !matches!(name, "" | "." | "..") && !name.contains('\\'))
}

/// Tells the paths of all files below a folder, relative to it.
fn list(folder: &Path, prefix: &str, found: &mut dyn FnMut(String)) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
            continue;
        };
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), found)?;
        } else if !name.ends_with(".unfinished") {
            found(name);
        }
    }
    Ok(())
}

/// Adds `time.modified`, which some registries leave out: the newest of all times, written as the
/// public registry does.
fn complete_time(packument: &mut Map<String, Value>) {
    let Some(Value::Object(times)) = packument.get_mut("time") else { return };
    if times.contains_key("modified") {
        return;
    }
    let Some(newest) = times.values().filter_map(Value::as_str).max() else { return };
    // Of `2026-01-01T00:00:00.123456+00:00` as well as of `2026-01-01T00:00:00.123Z`.
    if let Some(seconds) = newest.get(..19) {
        times.insert("modified".to_owned(), format!("{seconds}.000Z").into());
    }
}

/// Puts [`ORIGIN`] in the place of scheme and host of all tarball URLs.
fn forget_origin(packument: &mut Map<String, Value>) {
    let Some(Value::Object(versions)) = packument.get_mut("versions") else { return };
    for (_, version) in versions.iter_mut() {
        let Some(tarball) = version.get_mut("dist").and_then(|dist| dist.get_mut("tarball")) else {
            continue;
        };
        let path = tarball.as_str().and_then(|url| url.split_once("://")?.1.split_once('/'));
        if let Some((_, path)) = path {
            *tarball = format!("{ORIGIN}{path}").into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packument() -> Vec<u8> {
        let packument = json!({
            "_id": "@s/a",
            "name": "@s/a",
            "readme": "long",
            "dist-tags": { "latest": "1.0.0" },
            "time": { "modified": "2026-01-01T00:00:00.000Z", "1.0.0": "2025-01-01T00:00:00.000Z" },
            "versions": { "1.0.0": {
                "name": "@s/a",
                "version": "1.0.0",
                "description": "what it is",
                "scripts": { "postinstall": "node x", "test": "node t" },
                "dependencies": { "b": "^1" },
                "dist": { "tarball": "https://other.example:8080/@s/a/-/a-1.0.0.tgz" }
            } }
        });
        serde_json::to_vec(&packument).unwrap()
    }

    #[test]
    fn packuments_are_abbreviated_and_point_at_the_server() {
        let folder = deka_test::scratch_folder("recording", 1);
        let base = "http://127.0.0.1:1/";
        let recording = Recording::load(&folder, base).unwrap();
        assert!(recording.answer(Kind::Abbreviated, "@s/a").is_none());
        recording.record(Kind::Abbreviated, "@s/a", packument()).unwrap();
        recording.record(Kind::Tarball, "@s/a/-/a-1.0.0.tgz", b"tar".to_vec()).unwrap();

        let again = Recording::load(&folder, base).unwrap();
        for recording in [recording, again] {
            let answer = recording.answer(Kind::Abbreviated, "@s/a").unwrap();
            assert_eq!(answer.body, gzip(&answer.plain));
            let value: Value = serde_json::from_slice(&answer.plain).unwrap();
            assert_eq!(
                value,
                json!({
                    "name": "@s/a",
                    "dist-tags": { "latest": "1.0.0" },
                    "modified": "2026-01-01T00:00:00.000Z",
                    "versions": { "1.0.0": {
                        "name": "@s/a",
                        "version": "1.0.0",
                        "hasInstallScript": true,
                        "dependencies": { "b": "^1" },
                        "dist": { "tarball": "http://127.0.0.1:1/@s/a/-/a-1.0.0.tgz" }
                    } }
                })
            );
            let tarball = recording.answer(Kind::Tarball, "@s/a/-/a-1.0.0.tgz").unwrap();
            assert_eq!(&*tarball.body, b"tar");
            assert!(recording.answer(Kind::Full, "@s/a").is_none());
        }
    }

    #[test]
    fn full_packuments_keep_everything_but_the_host() {
        let folder = deka_test::scratch_folder("recording", 1);
        let recording = Recording::load(&folder, "http://127.0.0.1:1/").unwrap();
        recording.record(Kind::Full, "@s/a", packument()).unwrap();
        let answer = recording.answer(Kind::Full, "@s/a").unwrap();
        let text = String::from_utf8(answer.plain.to_vec()).unwrap();
        assert!(text.contains("readme") && text.contains("postinstall"));
        assert!(text.contains("http://127.0.0.1:1/@s/a/-/a-1.0.0.tgz"));
    }

    #[test]
    fn the_time_of_the_last_change_is_found() {
        let mut packument = json!({ "time": {
            "1.0.0": "2026-02-01T00:00:00.123456+00:00",
            "2.0.0": "2025-02-01T00:00:00.000Z",
        } });
        let Value::Object(packument) = &mut packument else { panic!("an object") };
        complete_time(packument);
        assert_eq!(packument["time"]["modified"], "2026-02-01T00:00:00.000Z");
        packument.remove("time");
        complete_time(packument);
        assert_eq!(packument.len(), 0);
    }

    #[test]
    fn names_do_not_leave_the_folder() {
        for wrong in ["../a", "a/../../b", "/a", "a//b", ""] {
            assert!(!is_plain(wrong), "{wrong}");
        }
        assert!(is_plain("@s/a/-/a-1.0.0.tgz"));
    }
}

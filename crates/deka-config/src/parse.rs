//! Values that several sources write in the same way.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use deka_manifest::{CpuSet, LibcSet, OsSet};

use crate::{Backend, Linker, LogLevel, Omit};

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Reads `3d`, `12h`, `90m`, `1w`, `45s`, sums of them (`1d12h`), and a bare number of `unit`s.
/// Returns `None` for anything else, negative and endless numbers among it.
pub fn parse_duration(text: &str, unit: Duration) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(number * unit.as_secs_f64()).ok();
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (name, tail) = tail.split_at(letters);
        let seconds = match name.to_ascii_lowercase().as_str() {
            "s" | "sec" | "second" | "seconds" => SECOND,
            "m" | "min" | "minute" | "minutes" => MINUTE,
            "h" | "hour" | "hours" => HOUR,
            "d" | "day" | "days" => DAY,
            "w" | "week" | "weeks" => 7 * DAY,
            _ => return None,
        };
        let part = number.parse::<f64>().ok()? * seconds as f64;
        total = total.checked_add(Duration::try_from_secs_f64(part).ok()?)?;
        rest = tail.trim_start();
    }
    (!text.is_empty()).then_some(total)
}

/// Reads a switch. npm's empty value means on.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "" => Some(true),
        "false" | "0" | "no" | "off" | "null" | "undefined" => Some(false),
        _ => None,
    }
}

/// Splits a list at commas and blanks.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// Makes `path` absolute: `~/` is the home folder, and a relative one starts at `base`.
pub(crate) fn absolute(path: &str, base: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/").or((path == "~").then_some("")), home) {
        (Some(rest), Some(home)) => normalized(&home.join(rest)),
        _ => normalized(&base.join(path)),
    }
}

/// Takes `.` and `..` out of a path, by its text alone.
fn normalized(path: &Path) -> PathBuf {
    let mut output = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                output.pop();
            }
            other => output.push(other),
        }
    }
    output
}

impl Linker {
    /// What can be written for `--linker`.
    pub const NAMES: &'static [&'static str] = &["auto", "hoisted", "isolated"];

    /// Reads Bun's name of a linker (`hoisted`, `isolated`), or what npm's `install-strategy` and
    /// pnpm's `node-linker` call the same.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "hoisted" | "nested" | "shallow" => Some(Self::Hoisted),
            "isolated" | "linked" => Some(Self::Isolated),
            _ => None,
        }
    }

    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Hoisted => "hoisted",
            Self::Isolated => "isolated",
        }
    }
}

impl Backend {
    /// What can be written for `--backend`.
    pub const NAMES: &'static [&'static str] =
        &["auto", "hardlink", "clonefile", "copyfile", "symlink"];

    /// Reads Bun's name of a backend, or what pnpm's `package-import-method` calls the same.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "hardlink" => Some(Self::Hardlink),
            "clonefile" | "clonefile_each_dir" | "clone" | "clone-or-copy" => Some(Self::Clonefile),
            "copyfile" | "copy" => Some(Self::Copyfile),
            "symlink" => Some(Self::Symlink),
            _ => None,
        }
    }

    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Hardlink => "hardlink",
            Self::Clonefile => "clonefile",
            Self::Copyfile => "copyfile",
            Self::Symlink => "symlink",
        }
    }
}

impl LogLevel {
    /// Reads a level of npm, pnpm or Bun.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "silent" => Some(Self::Silent),
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "notice" | "info" | "http" | "timing" => Some(Self::Info),
            "verbose" | "silly" | "debug" => Some(Self::Verbose),
            _ => None,
        }
    }
}

impl Omit {
    /// Reads the name of a group.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "dev" => Some(Self { dev: true, ..Self::default() }),
            "optional" => Some(Self { optional: true, ..Self::default() }),
            "peer" => Some(Self { peer: true, ..Self::default() }),
            _ => None,
        }
    }

    /// Returns the groups that are in either.
    pub const fn union(self, other: Self) -> Self {
        Self {
            dev: self.dev || other.dev,
            optional: self.optional || other.optional,
            peer: self.peer || other.peer,
        }
    }

    /// Returns the groups that are not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self {
            dev: self.dev && !other.dev,
            optional: self.optional && !other.optional,
            peer: self.peer && !other.peer,
        }
    }
}

macro_rules! platform_words {
    ($(#[$doc:meta])* $name:ident, $set:ty) => {
        $(#[$doc])*
        pub fn $name<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<$set, &'a str> {
            let mut entries = Vec::new();
            for word in words {
                match word {
                    "*" | "any" => entries.push("any"),
                    "none" => entries.push("none"),
                    word if <$set>::of(word.trim_start_matches('!')) == <$set>::NONE => return Err(word),
                    word => entries.push(word),
                }
            }
            Ok(<$set>::from_entries(entries))
        }
    };
}

platform_words!(
    /// Reads the words of `--os`: names of Node's `process.platform`, `*` for all.
    /// Fails with the word that is none.
    os_set,
    OsSet
);
platform_words!(
    /// Reads the words of `--cpu`: names of Node's `process.arch`, `*` for all.
    /// Fails with the word that is none.
    cpu_set,
    CpuSet
);
platform_words!(
    /// Reads the words of `--libc`: `glibc`, `musl`, `*` for both. Fails with the word that is none.
    libc_set,
    LibcSet
);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use deka_manifest::OsSet;

    use super::{os_set, parse_duration};

    #[test]
    fn durations() {
        let check = |text: &str, seconds: Option<f64>| {
            let found = parse_duration(text, Duration::from_mins(1));
            assert_eq!(found, seconds.map(Duration::from_secs_f64), "{text}");
        };
        check("3d", Some(259_200.0));
        check(" 12h ", Some(43_200.0));
        check("1d12h", Some(129_600.0));
        check("1 week", None);
        check("1week 2days", Some(777_600.0));
        check("90M", Some(5_400.0));
        check("1.5h", Some(5_400.0));
        check("2", Some(120.0));
        check("0", Some(0.0));
        for text in ["", "d", "3x", "-1", "-3d", "1e400", "inf", "nan", "3d5", "9999999999999999w"]
        {
            check(text, None);
        }
    }

    #[test]
    fn platforms() {
        assert_eq!(os_set(["linux", "darwin"]), Ok(OsSet::from_entries(["linux", "darwin"])));
        assert_eq!(os_set(["*"]), Ok(OsSet::ALL));
        assert_eq!(os_set(["!win32"]), Ok(OsSet::from_entries(["!win32"])));
        assert_eq!(os_set(["linux", "beos"]), Err("beos"));
    }
}

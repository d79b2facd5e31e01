//! The next version, as npm counts.

use super::{InvalidSemver, Version};

/// Which version comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bump {
    /// `1.2.3` → `2.0.0`
    Major,
    /// `1.2.3` → `1.3.0`
    Minor,
    /// `1.2.3` → `1.2.4`
    Patch,
    /// `1.2.3` → `2.0.0-0`
    Premajor,
    /// `1.2.3` → `1.3.0-0`
    Preminor,
    /// `1.2.3` → `1.2.4-0`
    Prepatch,
    /// `1.2.3` → `1.2.4-0`, `1.2.4-0` → `1.2.4-1`
    Prerelease,
}

impl Bump {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 7] = [
        ("patch", Self::Patch),
        ("minor", Self::Minor),
        ("major", Self::Major),
        ("prepatch", Self::Prepatch),
        ("preminor", Self::Preminor),
        ("premajor", Self::Premajor),
        ("prerelease", Self::Prerelease),
    ];
}

impl Version {
    /// Returns the next version; `identifier` is what prereleases are called, as in `1.2.4-beta.0`.
    ///
    /// Fails if `identifier` can't be part of a version.
    pub fn bumped(&self, bump: Bump, identifier: Option<&str>) -> Result<Self, InvalidSemver> {
        let (major, minor, patch) = (self.major(), self.minor(), self.patch());
        let is_prerelease = self.is_prerelease();
        // A prerelease of a version leads to that version first.
        let next = match bump {
            Bump::Major if is_prerelease && minor == 0 && patch == 0 => (major, 0, 0),
            Bump::Major | Bump::Premajor => (major.saturating_add(1), 0, 0),
            Bump::Minor if is_prerelease && patch == 0 => (major, minor, 0),
            Bump::Minor | Bump::Preminor => (major, minor.saturating_add(1), 0),
            Bump::Patch | Bump::Prerelease if is_prerelease => (major, minor, patch),
            Bump::Patch | Bump::Prepatch | Bump::Prerelease => {
                (major, minor, patch.saturating_add(1))
            }
        };
        let prerelease = match bump {
            Bump::Major | Bump::Minor | Bump::Patch => None,
            Bump::Prerelease if is_prerelease => {
                Some(next_prerelease(self.prerelease(), identifier))
            }
            _ => Some(identifier.map_or_else(|| "0".to_owned(), |name| format!("{name}.0"))),
        };
        let (major, minor, patch) = next;
        let Some(prerelease) = prerelease else { return Ok(Self::new(major, minor, patch)) };
        let text = format!("{major}.{minor}.{patch}-{prerelease}");
        let version = Self::parse(&text).ok();
        let is_meant = |version: &Self| version.prerelease() == prerelease;
        version.filter(is_meant).ok_or(InvalidSemver(text, "version"))
    }
}

/// Counts the last number of a prerelease, if it has the right identifier.
fn next_prerelease(prerelease: &str, identifier: Option<&str>) -> String {
    let mut parts: Vec<String> = prerelease.split('.').map(ToOwned::to_owned).collect();
    if let Some(identifier) = identifier
        && (parts[0] != identifier || parts.get(1).is_none_or(|part| part.parse::<u64>().is_err()))
    {
        return format!("{identifier}.0");
    }
    let number = parts.iter().rposition(|part| part.parse::<u64>().is_ok());
    match number.and_then(|at| Some((at, parts[at].parse::<u64>().ok()?))) {
        Some((at, number)) => parts[at] = number.saturating_add(1).to_string(),
        None => parts.push("0".to_owned()),
    }
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, bump: Bump, identifier: Option<&str>, expected: &str) {
        let version = Version::parse(from).unwrap().bumped(bump, identifier);
        assert_eq!(version.map(|version| version.to_string()).as_deref(), Ok(expected), "{from}");
    }

    #[test]
    fn releases() {
        check("1.2.3", Bump::Major, None, "2.0.0");
        check("1.2.3", Bump::Minor, None, "1.3.0");
        check("1.2.3+b", Bump::Patch, None, "1.2.4");
        check("2.0.0-1", Bump::Major, None, "2.0.0");
        check("2.1.0-1", Bump::Major, None, "3.0.0");
        check("1.2.0-1", Bump::Minor, None, "1.2.0");
        check("1.2.1-1", Bump::Minor, None, "1.3.0");
        check("1.2.3-beta.1", Bump::Patch, None, "1.2.3");
    }

    #[test]
    fn prereleases() {
        check("1.2.3", Bump::Premajor, None, "2.0.0-0");
        check("1.2.3", Bump::Preminor, Some("rc"), "1.3.0-rc.0");
        check("1.2.3-1", Bump::Prepatch, None, "1.2.4-0");
        check("1.2.3", Bump::Prerelease, None, "1.2.4-0");
        check("1.2.3-beta.1", Bump::Prerelease, None, "1.2.3-beta.2");
        check("1.2.3-beta", Bump::Prerelease, None, "1.2.3-beta.0");
        check("1.2.3-1.x", Bump::Prerelease, None, "1.2.3-2.x");
        check("1.2.3-beta.1", Bump::Prerelease, Some("beta"), "1.2.3-beta.2");
        check("1.2.3-beta.1", Bump::Prerelease, Some("rc"), "1.2.3-rc.0");
    }

    #[test]
    fn identifiers_that_are_none() {
        for identifier in ["a b", "", "ä", "a+b", "-"] {
            let version = Version::new(1, 0, 0).bumped(Bump::Premajor, Some(identifier));
            assert_eq!(version.is_err(), identifier != "-", "{identifier}");
        }
    }
}

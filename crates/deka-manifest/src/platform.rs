//! Operating systems, processors and C libraries that a package runs on.
//!
//! Sets are kept as bits in the order in which `bun.lock` prints them. The rules of reading
//! (`!x` removes, unknown names count for nothing, `any` for nothing at all) and printing are Bun's.

/// Names of one kind of platform property, in `bun.lock`'s order.
macro_rules! platform_set {
    ($(#[$doc:meta])* $type:ident, [$($name:literal),* $(,)?]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type(u16);

        impl $type {
            /// Every name that is known, in printing order.
            pub const NAMES: &'static [&'static str] = &[$($name),*];
            /// The set that excludes nothing.
            pub const ALL: Self = Self((1 << Self::NAMES.len()) - 1);
            /// The set that nothing satisfies.
            pub const NONE: Self = Self(0);

            /// Returns the set of one known name, else the empty set.
            pub fn of(name: &str) -> Self {
                Self::NAMES.iter().position(|known| *known == name).map_or(Self::NONE, |bit| Self(1 << bit))
            }

            /// Reads the entries of a manifest's or lockfile's list, such as `["!win32"]`.
            pub fn from_entries<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
                let (mut added, mut removed, mut positive) = (0, 0, false);
                // `any` adds nothing to what the other entries say, and alone it excludes nothing.
                for entry in entries.into_iter().filter(|entry| *entry != "any") {
                    if let Some(excluded) = entry.strip_prefix('!') {
                        removed |= Self::of(excluded).0;
                    } else {
                        positive = true;
                        added |= Self::of(entry).0;
                    }
                }
                Self(if positive { added } else { Self::ALL.0 } & !removed)
            }

            /// Whether the two sets have a name in common.
            pub fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Returns the names to print, `!`-prefixed where fewer are excluded than included;
            /// `None` when nothing is excluded, `["none"]` when everything is.
            pub fn entries(self) -> Option<Vec<String>> {
                if self == Self::ALL {
                    return None;
                }
                if self == Self::NONE {
                    return Some(vec!["none".to_owned()]);
                }
                let included = self.0.count_ones() as usize;
                let excluded = Self::NAMES.len() - included;
                let bits = || Self::NAMES.iter().enumerate();
                Some(if excluded >= included {
                    bits().filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| (*name).to_owned()).collect()
                } else {
                    bits().filter(|(bit, _)| self.0 >> bit & 1 == 0).map(|(_, name)| format!("!{name}")).collect()
                })
            }
        }
    };
}

platform_set!(
    /// The `os` of a manifest, in the names of Node's `process.platform`.
    OsSet,
    ["aix", "linux", "sunos", "win32", "darwin", "android", "freebsd", "openbsd"]
);
platform_set!(
    /// The `cpu` of a manifest, in the names of Node's `process.arch`.
    CpuSet,
    ["arm", "ppc", "x32", "x64", "ia32", "mips", "s390", "arm64", "ppc64", "s390x", "mipsel"]
);
platform_set!(
    /// The `libc` of a manifest: which C library on Linux.
    LibcSet,
    ["glibc", "musl"]
);

impl LibcSet {
    /// Reads the `libc` of a manifest or lockfile. Other than with `os` and `cpu`, one that leaves nothing
    /// which is known excludes nothing.
    pub fn of_package<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        match Self::from_entries(entries) {
            Self::NONE => Self::ALL,
            some => some,
        }
    }
}

/// All three properties of one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Platforms {
    /// Operating systems it runs on.
    pub os: OsSet,
    /// Processors it runs on.
    pub cpu: CpuSet,
    /// C libraries it runs on; only asked of optional dependencies.
    pub libc: LibcSet,
}

impl Platforms {
    /// What a package without `os`, `cpu` and `libc` runs on.
    pub const ALL: Self = Self { os: OsSet::ALL, cpu: CpuSet::ALL, libc: LibcSet::ALL };
}

impl Default for Platforms {
    fn default() -> Self {
        Self::ALL
    }
}

/// The platforms to install for: this machine's, or what `--os`, `--cpu` and `--libc` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    /// Wanted operating systems.
    pub os: OsSet,
    /// Wanted processors.
    pub cpu: CpuSet,
    /// Wanted C libraries.
    pub libc: LibcSet,
}

impl Target {
    /// Whether a package with these `platforms` is of use on the target, whatever its C library.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "callers hold both by reference")]
    pub fn accepts(&self, platforms: &Platforms) -> bool {
        self.os.intersects(platforms.os) && self.cpu.intersects(platforms.cpu)
    }

    /// Like [`Target::accepts`], and the C library has to fit as well.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "callers hold both by reference")]
    pub fn accepts_with_libc(&self, platforms: &Platforms) -> bool {
        self.accepts(platforms)
            && (platforms.libc == LibcSet::ALL || self.libc.intersects(platforms.libc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_and_print_as_bun_does() {
        let check = |entries: &[&str], expected: Option<&[&str]>| {
            let printed = OsSet::from_entries(entries.iter().copied()).entries();
            let expected = expected.map(|names| names.iter().map(ToString::to_string).collect());
            assert_eq!(printed, expected, "{entries:?}");
        };
        check(&[], None);
        check(&["any"], None);
        check(&["linux", "darwin"], Some(&["linux", "darwin"]));
        check(&["darwin", "linux"], Some(&["linux", "darwin"]));
        check(&["!win32"], Some(&["!win32"]));
        check(&["any", "!win32"], Some(&["!win32"]));
        check(&["any", "linux"], Some(&["linux"]));
        check(&["linux", "!linux"], Some(&["none"]));
        check(&["beos"], Some(&["none"]));
        check(&["!beos"], None);
    }

    #[test]
    fn libc_without_a_known_name_excludes_nothing() {
        let check = |entries: &[&str], expected: LibcSet| {
            assert_eq!(LibcSet::of_package(entries.iter().copied()), expected, "{entries:?}");
        };
        check(&["musl"], LibcSet::of("musl"));
        check(&["!musl"], LibcSet::of("glibc"));
        check(&["uclibc", "musl"], LibcSet::of("musl"));
        check(&["none", "musl"], LibcSet::of("musl"));
        for entries in [&["uclibc"][..], &["none"], &["!uclibc"], &["any"], &[]] {
            check(entries, LibcSet::ALL);
        }
        check(&["!glibc", "!musl"], LibcSet::ALL);
        check(&["musl", "!musl"], LibcSet::ALL);
        check(&["glibc", "musl"], LibcSet::ALL);
        assert_eq!(LibcSet::from_entries(["none"]), LibcSet::NONE, "as in `--libc=none`");
    }

    #[test]
    fn libc_is_only_asked_where_it_is_named() {
        let target =
            Target { os: OsSet::of("linux"), cpu: CpuSet::of("x64"), libc: LibcSet::of("glibc") };
        let musl = Platforms { libc: LibcSet::of("musl"), ..Platforms::ALL };
        assert!(target.accepts(&musl) && !target.accepts_with_libc(&musl));
        assert!(target.accepts_with_libc(&Platforms::ALL));
        assert!(Target { libc: LibcSet::NONE, ..target }.accepts_with_libc(&Platforms::ALL));
    }
}

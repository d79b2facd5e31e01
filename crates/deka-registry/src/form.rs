//! Which form of a packument a registry is asked for.

use deka_manifest::PackageName;
use http::header::HeaderValue;

/// What is part of the names of packages that exist once per C library.
const LIBC_HINTS: [&str; 3] = ["linux", "musl", "glibc"];

/// A form of a packument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The short one, made for installing; servers that do not know it send the full one.
    Abbreviated,
    /// The full one, which alone says when versions were published and which `libc` they need.
    Full,
}

impl Form {
    /// Returns the form that has all that is needed of `name`.
    ///
    /// `libc` is needed wherever it may be set, and as Bun does, the package's real name decides whether it
    /// may: if it (with its scope) contains `linux`, `musl` or `glibc` in lowercase. So `@swc/core-linux-x64-gnu`
    /// and `@img/sharp-libvips-linux-arm` are asked for in full, `@esbuild/darwin-x64`, `signup` and
    /// `example-gnu` are not, whoever depends on them. Nothing else is taken from the name: a package with such
    /// a name whose packument has no `libc` runs everywhere, and what its tarball says does not count.
    pub(crate) fn of(name: PackageName, need_times: bool) -> Self {
        let may_need_libc = || LIBC_HINTS.iter().any(|hint| name.as_str().contains(hint));
        if need_times || may_need_libc() { Self::Full } else { Self::Abbreviated }
    }

    /// Returns the `Accept` header that asks for it.
    pub(crate) const fn accept(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Abbreviated => {
                "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
            }
            Self::Full => "application/json, */*; q=0.5",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_whether_libc_may_be_set() {
        let check = |expected: Form, names: &str| {
            for name in names.split_whitespace() {
                let name = PackageName::parse(name).unwrap();
                assert_eq!(Form::of(name, false), expected, "{name}");
                assert_eq!(Form::of(name, true), Form::Full, "{name}");
            }
        };
        check(
            Form::Full,
            "linux alinuxb a.linux @linux/a @x-linux/a @img/sharp-libvips-linux-arm
             @img/sharp-linuxmusl-x64 @next/swc-linux-x64-gnu a-linux-arm-gnueabihf
             musl amusl musleabi a-musleabihf @musl/a
             glibc aglibcb a-glibc @glibc/a",
        );
        check(
            Form::Abbreviated,
            "a @x/a a-gnu a-gnueabihf agnu signup libc a-libc uclibc eabihf alpine a-x64
             a-darwin-arm64 a-win32-x64-msvc a-android-arm64 a-freebsd-x64 a-wasm32
             LINUX-a a-Linux lin-ux",
        );
    }
}

//! What a lockfile with the conflict markers of a merge may mean.
//!
//! ```text
//! <<<<<<< ours
//!     "a": ["a@1.1.0", "", {}, "sha512-…"],
//! =======
//!     "a": ["a@1.2.0", "", {}, "sha512-…"],
//!
//!     "c": ["c@1.0.0", "", {}, "sha512-…"],
//! >>>>>>> theirs
//! ```
//! An entry is a line, so that both sides can be had at once: here `a` of one side, and `c`. Whether
//! such a mixture holds together is for the resolver; nothing here is more than a proposal.

use hashbrown::HashSet;

use super::parse::parse_text;
use crate::Lockfile;

/// Whose lines count where both sides have one for the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

/// Returns what a text with conflict markers can be read as, the reading that has most of both
/// sides first. Nothing, if it has no markers or makes no sense however it is read.
pub fn parse_conflicted(text: &[u8]) -> Vec<Lockfile> {
    let Some(hunks) = std::str::from_utf8(text).ok().and_then(hunks) else { return Vec::new() };
    let both = [Side::Ours, Side::Theirs].map(|side| mixed(&hunks, side));
    let one = [Side::Ours, Side::Theirs].map(|side| alone(&hunks, side));
    both.iter().chain(&one).filter_map(|text| parse_text(text).ok()).collect()
}

/// A part of the text.
#[derive(Debug, PartialEq, Eq)]
enum Hunk<'a> {
    /// What both sides have.
    Common(&'a str),
    /// Where they differ.
    Differing { ours: Vec<&'a str>, theirs: Vec<&'a str> },
}

/// Takes the text apart; `None` if it has no markers, or they do not fit together.
fn hunks(text: &str) -> Option<Vec<Hunk<'_>>> {
    /// Between which markers a line stands.
    enum Part {
        Common,
        Ours,
        /// What both sides started from, which some configurations of git show.
        Base,
        Theirs,
    }
    let mut hunks = Vec::new();
    let mut part = Part::Common;
    for line in text.lines() {
        part = match (part, line.split(' ').next().unwrap_or_default()) {
            (Part::Common, "<<<<<<<") => {
                hunks.push(Hunk::Differing { ours: Vec::new(), theirs: Vec::new() });
                Part::Ours
            }
            (Part::Ours, "|||||||") => Part::Base,
            (Part::Ours | Part::Base, "=======") => Part::Theirs,
            (Part::Theirs, ">>>>>>>") => Part::Common,
            (_, "<<<<<<<" | "|||||||" | "=======" | ">>>>>>>") => return None,
            (part, _) => {
                match (&part, hunks.last_mut()) {
                    (Part::Common, _) => hunks.push(Hunk::Common(line)),
                    (Part::Ours, Some(Hunk::Differing { ours, .. })) => ours.push(line),
                    (Part::Theirs, Some(Hunk::Differing { theirs, .. })) => theirs.push(line),
                    _ => {}
                }
                part
            }
        };
    }
    let is_whole = matches!(part, Part::Common);
    (is_whole && hunks.iter().any(|hunk| matches!(hunk, Hunk::Differing { .. }))).then_some(hunks)
}

/// Returns the text with the lines of both sides, for one key those of `winner` alone.
fn mixed(hunks: &[Hunk<'_>], winner: Side) -> String {
    write(hunks, |ours, theirs| {
        let (first, second) = match winner {
            Side::Ours => (ours, theirs),
            Side::Theirs => (theirs, ours),
        };
        let known: HashSet<&str> = first.iter().map(|line| key(line)).collect();
        let more = second.iter().filter(|line| !known.contains(key(line)));
        first.iter().chain(more).copied().collect()
    })
}

/// Returns the text of one side.
fn alone(hunks: &[Hunk<'_>], side: Side) -> String {
    write(hunks, |ours, theirs| match side {
        Side::Ours => ours.to_vec(),
        Side::Theirs => theirs.to_vec(),
    })
}

fn write(
    hunks: &[Hunk<'_>],
    choose: impl for<'l> Fn(&[&'l str], &[&'l str]) -> Vec<&'l str>,
) -> String {
    let mut text = String::new();
    for hunk in hunks {
        let lines = match hunk {
            Hunk::Common(line) => vec![*line],
            Hunk::Differing { ours, theirs } => choose(ours, theirs),
        };
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// Returns the part of a line that no other line of its object has, with the space before it, which tells
/// how deep it stands; of a line without a key all of it.
fn key(line: &str) -> &str {
    line.split_once("\": ").map_or(line, |(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "{\n  \"lockfileVersion\": 2,\n  \"workspaces\": {\n    \"\": {\n      \
                        \"dependencies\": {\n";
    const MIDDLE: &str = "      },\n    },\n  },\n  \"packages\": {\n";
    const TAIL: &str = "  }\n}\n";

    fn conflict(ours: &[&str], theirs: &[&str]) -> String {
        let (ours, theirs) = (ours.join("\n"), theirs.join("\n"));
        format!("<<<<<<< HEAD\n{ours}\n=======\n{theirs}\n>>>>>>> feature/x\n")
    }

    fn dependency(name: &str, range: &str) -> String {
        format!("        \"{name}\": \"{range}\",")
    }

    fn package(name: &str, version: &str) -> String {
        format!(
            "    \"{name}\": [\"{name}@{version}\", \"\", {{}}, \"sha512-{}==\"],",
            "A".repeat(86)
        )
    }

    fn packages(lockfile: &Lockfile) -> Vec<String> {
        let graph = &lockfile.graph;
        let mut packages: Vec<String> = graph
            .package_ids()
            .map(|id| graph.package(id))
            .filter_map(|package| Some(format!("{}@{}", package.name, package.version()?)))
            .collect();
        packages.sort();
        packages
    }

    #[test]
    fn both_sides_are_kept() {
        let [a1, a2, c, d] = [
            package("a", "1.1.0"),
            package("a", "1.2.0"),
            package("c", "1.0.0"),
            package("d", "1.0.0"),
        ];
        let text = [
            HEAD,
            &dependency("a", "1"),
            "\n",
            &conflict(&[&dependency("c", "1")], &[&dependency("d", "1")]),
            MIDDLE,
            &conflict(&[&a1, "", &c], &[&a2, "", &d]),
            TAIL,
        ]
        .concat();
        let readings = parse_conflicted(text.as_bytes());
        let [ours, theirs, only_ours, only_theirs] = &readings[..] else {
            panic!("{} readings", readings.len())
        };
        assert_eq!(packages(ours), ["a@1.1.0", "c@1.0.0", "d@1.0.0"]);
        assert_eq!(packages(theirs), ["a@1.2.0", "c@1.0.0", "d@1.0.0"]);
        assert_eq!(packages(only_ours), ["a@1.1.0", "c@1.0.0"]);
        assert_eq!(packages(only_theirs), ["a@1.2.0", "d@1.0.0"]);
    }

    #[test]
    fn what_a_side_lacks_is_of_the_other() {
        // git merged what asks for `c` and `d`, but not the entries.
        let text = [
            HEAD,
            &format!("{}\n{}\n", dependency("c", "1"), dependency("d", "1")),
            MIDDLE,
            &conflict(&[&package("c", "1.0.0")], &[&package("d", "1.0.0")]),
            TAIL,
        ]
        .concat();
        let readings = parse_conflicted(text.as_bytes());
        assert_eq!(readings.len(), 2, "{readings:#?}");
        assert_eq!(packages(&readings[0]), ["c@1.0.0", "d@1.0.0"]);
    }

    #[test]
    fn the_common_base_does_not_count() {
        let a = |version: &str| package("a", version);
        let conflict = format!(
            "<<<<<<< ours\r\n{}\r\n||||||| base\r\n{}\r\n=======\r\n{}\r\n>>>>>>> theirs\r\n",
            a("1.1.0"),
            a("1.0.0"),
            a("1.2.0")
        );
        let text = [HEAD, &dependency("a", "1"), "\n", MIDDLE, &conflict, TAIL].concat();
        let readings = parse_conflicted(text.as_bytes());
        assert_eq!(packages(&readings[0]), ["a@1.1.0"]);
        assert_eq!(packages(&readings[1]), ["a@1.2.0"]);
    }

    #[test]
    fn markers_that_do_not_fit_together() {
        let good = [HEAD, MIDDLE, TAIL].concat();
        for text in ["", "{", &good, &good.replace("  },\n", "  },\n=======\n"), "<<<<<<< a\n{}\n"]
        {
            assert_eq!(parse_conflicted(text.as_bytes()), Vec::new(), "{text}");
        }
    }
}

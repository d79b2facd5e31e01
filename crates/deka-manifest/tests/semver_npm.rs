//! Versions and ranges answer as npm's own `semver` does.
//!
//! The package is installed by `npm` into the target folder and asked under `node`, once, about real
//! versions and ranges, odd ones written by hand, and generated ones: whether they are valid, how
//! they print, how versions compare, and which versions satisfy which ranges. Needs `node` and `npm`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use deka_manifest::{Range, Version};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Pinned, so that today's answers are tomorrow's.
const SEMVER: &str = "semver@7.8.6";

#[derive(Serialize)]
struct Questions {
    versions: Vec<String>,
    /// How many of the versions, from the first, are compared with each other.
    compared: usize,
    ranges: Vec<RangeQuestion>,
}

#[derive(Serialize)]
struct RangeQuestion {
    text: String,
    /// Places in `Questions::versions`.
    versions: Vec<usize>,
}

#[derive(Deserialize)]
struct Answers {
    versions: Vec<Option<String>>,
    order: Vec<String>,
    ranges: Vec<Option<RangeAnswer>>,
}

#[derive(Deserialize)]
struct RangeAnswer {
    text: String,
    answers: String,
}

#[test]
fn answers_are_npms() {
    let questions = questions();
    let answers = ask_npm(&questions);
    let mut wrong = Wrong::default();

    let versions: Vec<Option<Version>> =
        questions.versions.iter().map(|text| Version::parse(text).ok()).collect();
    assert_eq!(answers.versions.len(), versions.len());
    for ((text, own), npm) in questions.versions.iter().zip(&versions).zip(&answers.versions) {
        wrong.compare(format_args!("version {text:?}"), own.is_some(), npm.is_some());
        if let (Some(own), Some(npm)) = (own, npm)
            && !has_padded_number(own.prerelease())
        {
            let own = own.to_string();
            let own = own.split('+').next().unwrap_or_default();
            wrong.compare(format_args!("text of version {text:?}"), own, npm.as_str());
        }
    }
    for (left, row) in answers.order.iter().enumerate() {
        for (right, npm) in row.chars().enumerate() {
            let (Some(one), Some(other)) = (&versions[left], &versions[right]) else { continue };
            let own = match one.cmp_precedence(other) {
                std::cmp::Ordering::Less => '<',
                std::cmp::Ordering::Equal => '=',
                std::cmp::Ordering::Greater => '>',
            };
            wrong.compare(format_args!("{one} compared to {other}"), own, npm);
        }
    }

    assert_eq!(answers.ranges.len(), questions.ranges.len());
    let (mut asked, mut satisfied, mut valid) = (0, 0, 0);
    for (question, npm) in questions.ranges.iter().zip(&answers.ranges) {
        let text = &question.text;
        let own = Range::parse(text);
        wrong.compare(format_args!("range {text:?}"), own.is_ok(), npm.is_some());
        let (Ok(own), Some(npm)) = (own, npm) else { continue };
        valid += 1;
        let printed = own.to_string();
        let printed = if printed == "*" { "" } else { &printed };
        if !has_padded_number(printed) {
            wrong.compare(format_args!("text of range {text:?}"), printed, npm.text.as_str());
        }
        for (version, npm) in question.versions.iter().zip(npm.answers.chars()) {
            let Some(version) = &versions[*version] else { continue };
            asked += 1;
            satisfied += usize::from(npm == '1');
            wrong.compare(
                format_args!("{version} in {text:?}"),
                own.satisfies(version),
                npm == '1',
            );
        }
    }
    // The questions have to be worth asking.
    assert!(asked > 300_000, "only {asked} pairs were asked");
    assert!(satisfied > asked / 20, "only {satisfied} of {asked} pairs satisfy");
    assert!(valid > questions.ranges.len() / 2, "only {valid} ranges are valid");
    wrong.assert_none();
}

/// Counts wrong answers and keeps the first.
#[derive(Default)]
struct Wrong {
    count: usize,
    first: String,
}

impl Wrong {
    fn compare<T: Copy + PartialEq + std::fmt::Debug>(
        &mut self,
        what: std::fmt::Arguments<'_>,
        own: T,
        npm: T,
    ) {
        if own != npm {
            self.count += 1;
            if self.count <= 40 {
                writeln!(self.first, "{what}: {own:?}, but npm says {npm:?}").unwrap();
            }
        }
    }

    fn assert_none(&self) {
        assert!(self.count == 0, "{} answers differ:\n{}", self.count, self.first);
    }
}

/// Whether a prerelease has a number with leading zeros, which npm prints without them.
fn has_padded_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        word.len() > 1 && word.starts_with('0') && word.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Installs the package unless it is there already, and asks it.
fn ask_npm(questions: &Questions) -> Answers {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("semver-npm");
    let package = install(&folder);
    let scratch = tempfile::tempdir_in(&folder).unwrap();
    let (asked, answered) =
        (scratch.path().join("questions.json"), scratch.path().join("answers.json"));
    std::fs::write(&asked, serde_json::to_vec(questions).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/semver/answer.cjs");
    let mut node = Command::new("node");
    run(node.arg(script).arg(package).arg(&asked).arg(&answered));
    serde_json::from_slice(&std::fs::read(&answered).unwrap()).unwrap()
}

fn install(folder: &Path) -> PathBuf {
    let installed = folder.join(SEMVER.replace('@', "-"));
    let package = |root: &Path| root.join("node_modules/semver");
    if !package(&installed).join("package.json").exists() {
        std::fs::create_dir_all(folder).unwrap();
        let scratch = tempfile::tempdir_in(folder).unwrap();
        std::fs::write(scratch.path().join("package.json"), "{}").unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", SEMVER]);
        run(npm.current_dir(scratch.path()));
        // Another run may have been faster; then its folder is as good.
        let _ = std::fs::rename(scratch.path(), &installed);
    }
    package(&installed)
}

fn run(command: &mut Command) {
    let output =
        command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{text}");
}

/// The same questions each time.
fn questions() -> Questions {
    let mut pool = Pool::default();
    let lines = |text: &'static str| text.lines();
    let real: Vec<usize> =
        lines(include_str!("semver/versions.txt")).map(|text| pool.add(text)).collect();
    let odd: Vec<usize> = ODD_VERSIONS.iter().map(|text| pool.add(text)).collect();

    let compared = pool.texts.len();

    let mut random = Random(0x5eed);
    let mut texts: Vec<String> =
        lines(include_str!("semver/ranges.txt")).map(str::to_owned).collect();
    texts.extend(ODD_RANGES.iter().map(ToString::to_string));
    texts.extend((0..3_500).map(|_| random.range()));
    let ranges = texts
        .into_iter()
        .map(|text| {
            let mut versions = odd.clone();
            versions.extend((0..20).map(|_| real[random.below(real.len())]));
            for near in versions_near(&text) {
                versions.push(pool.add(&near));
            }
            RangeQuestion { text, versions }
        })
        .collect();
    Questions { versions: pool.texts, compared, ranges }
}

/// Texts of versions, each once.
#[derive(Default)]
struct Pool {
    texts: Vec<String>,
    places: HashMap<String, usize>,
}

impl Pool {
    fn add(&mut self, text: &str) -> usize {
        *self.places.entry(text.to_owned()).or_insert_with(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        })
    }
}

/// Versions at the edges of a range: those that it names, and the next ones.
fn versions_near(range: &str) -> Vec<String> {
    let mut versions = Vec::new();
    for word in range.split([' ', '|', '<', '>', '=', '^', '~']).filter(|word| !word.is_empty()) {
        let core = word.split(['-', '+']).next().unwrap_or_default();
        let numbers: Vec<u64> = core
            .split('.')
            .map(|number| number.trim_start_matches('v').parse::<u64>().unwrap_or(0).min(1 << 40))
            .collect();
        let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
        let (major, minor, patch) = (number(0), number(1), number(2));
        versions.push(format!("{major}.{minor}.{patch}"));
        versions.push(format!("{major}.{minor}.{}", patch + 1));
        versions.push(format!("{major}.{}.0", minor + 1));
        versions.push(format!("{}.0.0", major + 1));
        versions.push(format!("{major}.{minor}.{patch}-alpha.1"));
        versions.push(format!("{major}.{minor}.{patch}-0"));
        versions.push(format!("{}.0.0-0", major + 1));
        if patch > 0 {
            versions.push(format!("{major}.{minor}.{}", patch - 1));
        }
        if let Some((_, prerelease)) = word.split_once('-') {
            versions.push(format!("{major}.{minor}.{patch}-{prerelease}"));
            versions.push(format!("{major}.{minor}.{patch}-{prerelease}.1"));
        }
        if versions.len() > 30 {
            break;
        }
    }
    versions
}

/// A generator of the same numbers each time (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    fn one_in(&mut self, end: usize) -> bool {
        self.below(end) == 0
    }

    fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    fn number(&mut self) -> String {
        match self.below(24) {
            0 => self.pick(&["x", "X", "*"]).to_owned(),
            1 => self.pick(&["00", "01", "010", "9007199254740991", "9007199254740992"]).to_owned(),
            2 => self.pick(&["99999999999999999999999", "1x", "x1", "", "-1"]).to_owned(),
            _ => self.below(4).to_string(),
        }
    }

    fn partial(&mut self) -> String {
        let mut text = String::new();
        if self.one_in(12) {
            text += self.pick(&["v", "=", "V", "v ", "= ", "vv", "=v", " "]);
        }
        text += &self.number();
        for _ in 0..[0, 1, 2, 2, 2, 2, 3][self.below(7)] {
            text.push('.');
            text += &self.number();
        }
        if self.one_in(4) {
            text += self.pick(&["-", "-", "-", "-", "", "--", "-."]);
            text += self.pick(&[
                "0",
                "alpha",
                "alpha.1",
                "beta",
                "rc.0",
                "01",
                "1.2",
                "a-b",
                "x",
                "a..b",
                "é",
                "-",
                "0a",
                "a.01",
                "9007199254740993",
                "",
                "beta_1",
                "pre v2",
            ]);
        }
        if self.one_in(12) {
            text += self.pick(&["+b", "+b.1", "+", "+b..c", "+é", "+b+c", "+001", "+-"]);
        }
        text
    }

    fn comparator(&mut self) -> String {
        let operator = self.pick(&[
            "", "", "", "^", "^", "^", "~", "~", ">=", ">=", "<", "<=", ">", "=", "~>", "=>", "==",
            ">==", "<>", "^^", "~^", "!", "^ ", "~ ", ">= ", "< ", "> ", "~> ", "<=  ", "\t>",
        ]);
        format!("{operator}{}", self.partial())
    }

    fn range(&mut self) -> String {
        let mut range = String::new();
        for set in 0..[1, 1, 1, 2, 3][self.below(5)] {
            if set > 0 {
                range += self.pick(&[" || ", "||", "|| ", " ||", " | ", "|||", "  ||  "]);
            }
            if self.one_in(8) {
                range += &self.partial();
                range += self.pick(&[" - ", " - ", " - ", " -  ", "  - ", " -", "- ", "\t-\n"]);
                range += &self.partial();
                if self.one_in(4) {
                    range += " ";
                    range += &self.comparator();
                }
                continue;
            }
            for word in 0..[0, 1, 1, 1, 1, 2, 2, 3][self.below(8)] {
                if word > 0 {
                    range += self.pick(&[" ", " ", " ", "  ", ",", ", ", "\n", "\u{a0}", ""]);
                }
                if self.one_in(30) {
                    range +=
                        self.pick(&["latest", "foo", "-", ">", "^", "*", "x", "||", "1.*.", "~>"]);
                } else {
                    range += &self.comparator();
                }
            }
        }
        range
    }
}

const ODD_VERSIONS: &[&str] = &[
    "0.0.0",
    "0.0.0-0",
    "0.0.1",
    "0.1.0",
    "0.1.2",
    "0.2.0-alpha",
    "1.0.0",
    "1.0.0-0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.1",
    "1.1.0",
    "1.2.0",
    "1.2.3",
    "1.2.3-0",
    "1.2.3-pre",
    "1.2.3-beta.4",
    "1.2.3+build",
    "1.2.3+build.2",
    "1.2.4",
    "1.3.0",
    "2.0.0",
    "2.0.0-0",
    "2.0.0-rc.1",
    "2.1.3",
    "2.2.2",
    "3.0.0",
    "3.1.2-x",
    "3.3.3",
    "4.0.0",
    "9007199254740991.0.0",
    "9007199254740992.0.0",
    "1.2.3-9007199254740992",
    "1.2.3-9007199254740993",
    "1.2.3-01",
    "1.2.3-1",
    "1.2.3-00",
    "1.2.3-0a",
    "01.02.03",
    "1.02.3",
    "v1.2.3",
    "=1.2.3",
    "= v 1.2.3",
    "v=v=1.2.3",
    " 1.2.3 ",
    "\u{feff}1.2.3",
    "\u{a0}1.2.3",
    "V1.2.3",
    "1.2.3pre",
    "1.2.3alpha.1+b",
    "1.2.3-",
    "1.2.3--",
    "1.2.3-.a",
    "1.2.3-a.",
    "1.2.3+",
    "1.2.3+a.",
    "1.2.3+a+b",
    "1.2.34.5",
    "1.2.3.4",
    "10.20.30.40",
    "1.2.34.5-a+b.c",
    "1.2.3-a_b",
    "1.2.3-é",
    "1.2",
    "1",
    "",
    "x",
    "1.x.3",
    "a.b.c",
    "-1.2.3",
    "1.2.3-x.y.z",
    "1.2.3 4",
    "1.2.3\n",
    "1. 2.3",
    "1.2.3-0000000000000000000000001",
    "1.2.3-123456789012345678901234567890",
    "99999999999999999999.0.0",
];

const ODD_RANGES: &[&str] = &[
    "",
    " ",
    "*",
    "x",
    "X",
    "x.x",
    "x.x.x",
    "*.*.*",
    "x.1",
    "1.x.1",
    "*.1.2",
    "||",
    "|| ||",
    "1||",
    "||1",
    "1 || *",
    "* || 1.2.3-beta",
    "latest",
    "foo bar",
    "^1.0.0 foo",
    "foo ^1.0.0",
    "^1.0.0 || foo",
    "foo || bar",
    ">",
    "<",
    "=",
    ">=",
    "<=",
    "^",
    "~",
    "~>",
    ">x",
    "<x",
    ">=x",
    "<=x",
    ">*",
    "<*",
    ">=*",
    "^*",
    "~*",
    "=*",
    "^x.1",
    "~x.1",
    ">01.02.03",
    ">=09090",
    "~ 1.0.3alpha",
    "~1.2.3beta",
    "^1.0.0alpha",
    "^ 1.2.3",
    "~> 1.2.3",
    "~>1.2",
    "~ > 1",
    ">= 1.2.3 < 2",
    ">=1.2.3<2",
    ">=1.2.3 <2",
    ">1 <1",
    "<0.0.0-0",
    "<0.0.0",
    ">=0.0.0",
    ">=0.0.0-0",
    ">=00.0.0",
    ">=v0.0.0",
    "^0.0.0",
    "^0",
    "^0.0",
    "^0.0.x",
    "^00.1.2",
    "~0",
    "~0.0.0",
    "^0.0.0-0",
    "^0.1.2-alpha",
    "1.2.3 - 2.3.4",
    "1.2 - 2",
    "1 - x",
    "x - 2",
    "x - x",
    "1.2.3-pre - 2.4.3-pre",
    "1.2.3 - 2.3.4 || 5",
    "1.2.3 - v2.3.4",
    "1.2.3 - =2",
    "v1.2.3 - V2",
    "=1.2.3 - = 2.0.0",
    "~vx.2.1-b",
    "x.3.1 - v0.0.2",
    "1.2.3 -2.3.4",
    "1.2.3- 2.3.4",
    "1.2.3 - 2.3.4 - 3",
    "1.2.3+b - 2.3.4+c",
    "1.2.3+b",
    ">1.2.3+b",
    "1.2.3+",
    "+1.2.3",
    "1.2.3+b.",
    "1.2.3*",
    ">=1.2.3*",
    "1.2.*foo",
    "1.2.xfoo",
    "1.2.x-foo",
    "^1.2.x-foo",
    "*foo",
    "foo*",
    "1.2.3**",
    "1.2.3 *",
    "* 1.2.3",
    "==1.2.3",
    "=v1.2.3",
    "=>1.2.3",
    ">==1.2.3",
    "=<1.2.3",
    "<>1.2.3",
    "1.2.3.4",
    "1.2.34.5",
    "^1.2.34.5",
    "1.2.3,2",
    "1.2.3, 2",
    "1,2",
    "^1.2.3^2",
    "^^1.2.3",
    "~^1.2.3",
    "^>=1.2.3",
    ">=^1.2.3",
    "v1",
    "v 1",
    "v1.2.3 v2",
    "1.2.3v",
    "1.2.3v4",
    "9007199254740991",
    "9007199254740992",
    "^9007199254740991",
    "99999999999999999999999.x",
    ">1000000000000000000000000",
    ">1000000000000000000000000 1.2.3",
    "1.2.3-01",
    "^1.2.3-01",
    "1.2.3-9007199254740993",
    "<1.2.3-9007199254740993",
    "^1.2.3-beta.4 || ^2",
    "<=2.0.0-0",
    ">1.0.0-alpha <1.0.0-beta",
    ">=1.0.0-rc.1 <1.0.0",
    "1.2.3 1.2.3",
    "^1 ^1",
    "1.2.3 || 1.2.3",
    "<1 || <2 || <x",
    "\u{a0}^1.2.3\u{feff}",
    "^1\t||\n2",
    "\u{85}1",
    "1.2.3é",
    "é",
    "^1.é",
    ">=1.2.3-pre v2",
    "> 1.2.3-v 2",
    "> = 1.2.3",
    ">= =1.2.3",
    "> v1.2.3",
    ">v 1.2.3",
    "^ v 1.2.3",
    "~ = 1.2.3",
    ">\t=1.2.3",
    "1.2.3 =2",
    "1 v2",
    "<= 1.x",
    "< 1.x > 0.5",
    "> 1.x",
    "~1.x.x",
    "~> v1.2",
    "npm:foo@1",
    "file:../x",
    "user/repo",
    "1.2.3 # comment",
    "'1.2.3'",
    "\"^1\"",
    "^1.2.3;",
    "(^1)",
    "1.0.0 - 2.0.0 3.0.0",
    "1.0.0 2.0.0 - 3.0.0",
    "1-2",
    "1.0.0-2.0.0",
    "1.2.3-",
    "^1.2.3-",
    "1.2.3--",
    "^1.2.3-.",
    "1..2",
    ".1",
    "1.",
    "1.2.",
    "^1.",
    "^.1",
];

//! The command line of `cargo xtask bench`.

use std::path::PathBuf;

use super::{
    manager,
    place::Disk,
    project::Project,
    scenario::{SCENARIOS, Scenario, scenario},
};
use crate::serve::Link;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask bench [flag value]...

  --projects a,b     next-app (the default), webpack-front-end, workspace-50 (or another size),
                     generated-1000 (100 to 10000, made up), or any folder with a package.json
  --managers a,b     deka, bun, pnpm, npm; deka and bun by default
  --scenarios a,b    what is warm: clean, cache, lockfile, cache+lockfile, node_modules, …, add,
                     update; all by default
  --runs N           runs of each manager in each scenario, in turn; 5 by default
  --fs KIND          tmpfs (the default), or ext4, xfs, btrfs: an image in memory, made fresh (root)
  --in FOLDER        in a folder of yours instead
  --link MS,MBIT     a round trip, and one bandwidth for all connections together
  --tls yes          TLS, HTTP/1.1 and HTTP/2
  --registry WHICH   recorded (the default), or configured: the one that npm is configured with
  --record again     forgets what was recorded of these projects, and records it anew

Results land in target/bench/ as JSON and SVG.";

/// What is to be measured, and where.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) projects: Vec<Project>,
    pub(crate) managers: Vec<&'static str>,
    pub(crate) scenarios: Vec<&'static Scenario>,
    pub(crate) runs: usize,
    pub(crate) disk: Disk,
    pub(crate) link: Option<Link>,
    pub(crate) tls: bool,
    pub(crate) is_recorded: bool,
    pub(crate) record_again: bool,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            projects: vec![Project::named("next-app")?],
            managers: vec!["deka", "bun"],
            scenarios: SCENARIOS.iter().collect(),
            runs: 5,
            disk: Disk::Tmpfs,
            link: None,
            tls: false,
            is_recorded: true,
            record_again: false,
        };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
            let wrong = |what: &str| format!("`{value}` is no {what}");
            match flag.as_str() {
                "--projects" => options.projects = each(value, Project::named)?,
                "--managers" => {
                    options.managers = each(value, |name| {
                        let known = manager::NAMES.iter().find(|known| **known == name);
                        known.copied().ok_or_else(|| format!("`{name}` is no manager known here"))
                    })?;
                }
                "--scenarios" => {
                    options.scenarios = each(value, |name| {
                        scenario(name).ok_or_else(|| format!("`{name}` is no scenario"))
                    })?;
                }
                "--runs" => {
                    let runs = value.parse().ok().filter(|runs| *runs > 0);
                    options.runs = runs.ok_or_else(|| wrong("number of runs"))?;
                }
                "--fs" => options.disk = Disk::parse(value).ok_or_else(|| wrong("file system"))?,
                "--in" => options.disk = Disk::Folder(PathBuf::from(value)),
                "--link" => options.link = Some(Link::parse(value)?),
                "--tls" => options.tls = one_of(flag, value, ["no", "yes"])?,
                "--registry" => {
                    options.is_recorded = one_of(flag, value, ["configured", "recorded"])?;
                }
                "--record" => options.record_again = one_of(flag, value, ["once", "again"])?,
                _ => return Err(format!("`{flag}` is no flag of `cargo xtask bench`\n\n{USAGE}")),
            }
        }
        if !options.is_recorded && (options.tls || options.link.is_some()) {
            return Err("`--tls` and `--link` are for the recorded registry".to_owned());
        }
        Ok(options)
    }
}

fn each<T>(list: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    list.split(',').map(parse).collect()
}

/// Whether a value is the second of two, and not the first.
fn one_of(flag: &str, value: &str, [no, yes]: [&str; 2]) -> Result<bool, String> {
    if value == yes || value == no {
        Ok(value == yes)
    } else {
        Err(format!("`{flag}` is `{no}` or `{yes}`, not `{value}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn without_flags_it_is_deka_beside_bun() {
        let options = parse("").unwrap();
        assert_eq!(options.managers, ["deka", "bun"]);
        assert_eq!(options.projects[0].name, "next-app");
        assert_eq!((options.runs, options.scenarios.len()), (5, SCENARIOS.len()));
        assert!(options.is_recorded && !options.tls && options.link.is_none());
    }

    #[test]
    fn flags_are_read() {
        let options = parse(
            "--managers npm,deka --scenarios clean,lockfile+cache --runs 2 --fs xfs \
             --link 40,200 --tls yes",
        )
        .unwrap();
        assert_eq!(options.managers, ["npm", "deka"]);
        let names: Vec<&str> = options.scenarios.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names, ["clean", "cache+lockfile"]);
        assert_eq!(options.disk.to_string(), "xfs");
        assert_eq!(options.link.unwrap().to_string(), "40,200");
        assert!(options.tls);
        assert!(!parse("--registry configured").unwrap().is_recorded);
        assert_eq!(parse("--in here").unwrap().disk.to_string(), "here");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("--managers yarn", "`yarn`"),
            ("--scenarios warm", "`warm`"),
            ("--runs 0", "`0`"),
            ("--runs", "needs a value"),
            ("--fs ntfs", "`ntfs`"),
            ("--link 40", "`40`"),
            ("--tls maybe", "`maybe`"),
            ("--fast yes", "`--fast`"),
            ("--registry configured --link 40,200", "recorded registry"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

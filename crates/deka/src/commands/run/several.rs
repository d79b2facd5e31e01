//! Several scripts: of members of the workspaces, or side by side.
//!
//! With `--filter` lines look like Bun's there (`web build: done`) and nothing ends because something else
//! failed; with `--parallel` and `--sequential` they look like foreman's (`web:build | done`) and the first
//! failure ends all.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstream::AutoStream;
use anstream::stream::RawStream;
use deka_install::OwnPackage;
use deka_scripts::Ending;
use deka_scripts::own::{Part, PartScript, Stream, Together, TogetherObserver, run_together};
use owo_colors::{AnsiColors, OwoColorize as _};

use super::runner::{Planned, Runner};
use super::{name_and_rest, no_script, not_started};
use crate::arguments::RunArguments;
use crate::commands::install::text;
use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::render_error::printable;

/// Runs what is asked for.
pub(super) fn run(arguments: &RunArguments, runner: &Runner<'_>) -> Result<(), Diagnostic> {
    let is_foreman = arguments.parallel || arguments.sequential;
    // There all words are scripts.
    let (names, rest) = match name_and_rest(&arguments.script) {
        Some((name, rest)) if !is_foreman => (std::slice::from_ref(name), rest),
        _ => (&*arguments.script, &[][..]),
    };
    let names: Vec<String> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let is_for_members =
        !arguments.filter.is_empty() || arguments.workspaces || arguments.recursive;
    let parts = if is_for_members {
        let members = members(arguments, runner)?;
        parts_of_members(arguments, runner, &members, &names, rest)?
    } else {
        parts_of_package(arguments, runner, &names)?
    };
    let is_sequential = arguments.sequential;
    let together = Together {
        concurrency: if is_sequential { NonZeroUsize::MIN } else { NonZeroUsize::MAX },
        bails: if is_foreman { !arguments.no_exit_on_error } else { arguments.bail },
    };
    let printer = Printer::new(&parts, is_foreman);
    let failure = run_together(&parts, together, &printer)
        .map_err(|error| not_started("scripts".as_ref(), &error))?;
    match failure {
        None => Ok(()),
        Some(ending) => Err(Diagnostic::ended(ending.exit_code())),
    }
}

fn members(arguments: &RunArguments, runner: &Runner<'_>) -> Result<Vec<OwnPackage>, Diagnostic> {
    let folder = runner.environment.working_folder();
    let members = deka_install::own_packages(&runner.root, &arguments.filter, folder)?;
    if !members.is_empty() {
        return Ok(members);
    }
    let message = match &*arguments.filter {
        [] => "The project has no workspaces".to_owned(),
        filters => format!("No member of the workspaces fits `{}`", printable(&filters.join(", "))),
    };
    Err(Diagnostic::new(Class::User, message))
}

fn parts_of_members(
    arguments: &RunArguments,
    runner: &Runner<'_>,
    members: &[OwnPackage],
    names: &[String],
    rest: &[OsString],
) -> Result<Vec<Part>, Diagnostic> {
    let mut parts = Vec::new();
    // Which parts each member has.
    let mut parts_of: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    for name in names {
        let before = parts.len();
        for (at, member) in members.iter().enumerate() {
            if let Some(planned) = runner.script_of(member, name, rest) {
                parts_of[at].push(parts.len());
                parts.push((at, name, planned));
            } else if arguments.workspaces && !arguments.if_present {
                let label = printable(&member.package.label);
                let message = format!("`{label}` has no script `{}`", printable(name));
                return Err(Diagnostic::new(Class::User, message)
                    .hint("`--if-present` leaves out members that have none"));
            }
        }
        if parts.len() == before && !arguments.if_present {
            let count = members.len();
            let message = format!(
                "None of {count} members of the workspaces has a script `{}`",
                printable(name)
            );
            return Err(Diagnostic::new(Class::User, message));
        }
    }
    // At once means at once, also for servers that never end.
    let is_ordered = !arguments.parallel;
    let is_foreman = arguments.parallel || arguments.sequential;
    let parts = parts.into_iter().map(|(at, name, planned)| {
        let before = members[at].after.iter().flat_map(|before| parts_of[*before].iter().copied());
        Part {
            label: match &members[at].package.label {
                label if is_foreman => format!("{label}:{name}"),
                label => label.clone(),
            },
            scripts: planned.into_iter().map(Into::into).collect(),
            after: if is_ordered { before.collect() } else { Vec::new() },
        }
    });
    Ok(parts.collect())
}

fn parts_of_package(
    arguments: &RunArguments,
    runner: &Runner<'_>,
    names: &[String],
) -> Result<Vec<Part>, Diagnostic> {
    let mut parts = Vec::new();
    for name in names {
        let planned: Vec<_> = matching(name, &runner.own)
            .into_iter()
            .filter_map(|name| Some((name, runner.script(name, &[])?)))
            .collect();
        if planned.is_empty() && !arguments.if_present {
            return Err(no_script(name, runner));
        }
        parts.extend(planned.into_iter().map(|(name, planned)| Part {
            label: name.to_owned(),
            scripts: planned.into_iter().map(Into::into).collect(),
            after: Vec::new(),
        }));
    }
    Ok(parts)
}

/// Returns the scripts that a name stands for, in which `*` is anything.
fn matching<'a>(pattern: &'a str, own: &'a OwnPackage) -> Vec<&'a str> {
    let Some((start, end)) = pattern.split_once('*') else { return vec![pattern] };
    let fits = |name: &&str| {
        name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
    };
    own.scripts().filter(fits).collect()
}

impl From<Planned> for PartScript {
    fn from(planned: Planned) -> Self {
        Self { event: planned.event, command: planned.command }
    }
}

/// Prints lines as they come, each with what it is of before it.
struct Printer {
    is_foreman: bool,
    /// In the order that colours are given to them.
    labels: Vec<String>,
    /// One line at a time.
    turn: Mutex<()>,
}

const COLORS: &[AnsiColors] = &[
    AnsiColors::Cyan,
    AnsiColors::Yellow,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Blue,
    AnsiColors::Red,
];

impl Printer {
    fn new(parts: &[Part], is_foreman: bool) -> Self {
        let labels = parts.iter().map(|part| part.label.clone()).collect();
        Self { is_foreman, labels, turn: Mutex::new(()) }
    }

    /// Returns what is before a line of a script.
    fn prefix(&self, part: &Part, script: &PartScript) -> String {
        let at = self.labels.iter().position(|label| *label == part.label).unwrap_or(0);
        let color = COLORS[at % COLORS.len()];
        let label = printable(&part.label);
        if !self.is_foreman {
            let event = format!("{}:", printable(&script.event));
            return format!("{} {} ", label.color(color), event.dimmed());
        }
        let width = self.labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        format!("{} ", format!("{label:width$} |").color(color))
    }

    fn say(&self, part: &Part, script: &PartScript, text: &str) {
        self.wrote(part, script, Stream::Output, text.as_bytes());
    }
}

impl TogetherObserver for Printer {
    fn wrote(&self, part: &Part, script: &PartScript, stream: Stream, line: &[u8]) {
        let prefix = self.prefix(part, script);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to tell when the stream is closed.
        let _ = match stream {
            Stream::Output => write_line(io::stdout().lock(), &prefix, line),
            Stream::Error => write_line(io::stderr().lock(), &prefix, line),
        };
    }

    fn ended(&self, part: &Part, script: &PartScript, ending: Option<Ending>, elapsed: Duration) {
        let text = match ending {
            Some(Ending::Code(code)) => format!("Exited with code {code}"),
            Some(Ending::Signal(signal)) => format!("Ended by signal {signal}"),
            None if self.is_foreman => format!("Done in {}", text::elapsed(elapsed)),
            None => "Exited with code 0".to_owned(),
        };
        self.say(part, script, &text);
    }

    fn skipped(&self, part: &Part, script: &PartScript) {
        self.say(part, script, "Skipped");
    }

    fn not_started(&self, part: &Part, script: &PartScript, error: &io::Error) {
        self.say(part, script, &format!("Failed to start: {error}"));
    }
}

/// Writes the prefix in colour if that is wanted, and what the script wrote as it is.
fn write_line(mut stream: impl RawStream, prefix: &str, line: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(prefix.len() + line.len() + 1);
    let choice = AutoStream::choice(&stream);
    AutoStream::new(&mut bytes, choice).write_all(prefix.as_bytes())?;
    bytes.extend_from_slice(line);
    bytes.push(b'\n');
    stream.write_all(&bytes)?;
    stream.flush()
}

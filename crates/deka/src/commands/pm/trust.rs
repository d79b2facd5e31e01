//! `deka pm trust`: adds names to `trustedDependencies`, and installs, which runs their scripts.

use std::fmt::Write as _;

use deka_config::{Environment, LogLevel};
use deka_install::{MANIFEST, Untrusted};
use owo_colors::OwoColorize as _;

use super::text::{count, elapsed};
use super::{request, untrusted};
use crate::arguments::{CommonArguments, TrustArguments};
use crate::commands::manifest_file::ManifestFile;
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::environment::is_interactive;
use crate::exit_code::Class;
use crate::reporter::Progress;

/// Trusts packages. If one of their scripts fails, `package.json` is as it was.
pub(super) fn run(
    arguments: &TrustArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let request = request(common, environment)?;
    let level = request.config.log_level;
    let shows_line = level >= LogLevel::Warn && is_interactive(environment);
    let progress = Progress::start(shows_line, level >= LogLevel::Warn)
        .streaming_scripts(level >= LogLevel::Verbose);
    let blocked = deka_install::untrusted(&request, &progress)?;
    let is_chosen = |package: &&Untrusted| {
        let name = package.trusted_as.as_ref();
        name.is_some_and(|name| arguments.all || arguments.names.contains(name))
    };
    let (chosen, rest): (Vec<&Untrusted>, Vec<&Untrusted>) = blocked.iter().partition(is_chosen);
    if chosen.is_empty() {
        return Err(nothing_to_trust(arguments));
    }

    let manifest = ManifestFile::read(request.root.join(MANIFEST))?;
    let editor = manifest.editor()?;
    let names: Vec<&str> =
        chosen.iter().filter_map(|package| package.trusted_as.as_deref()).collect();
    editor.add_to_list("trustedDependencies", &names);
    manifest.write(&editor.to_string())?;
    let installed = deka_install::install(&request, &progress);
    progress.finish();
    let summary = match installed {
        Ok(summary) => summary,
        Err(error) => {
            manifest.restore()?;
            return Err(error.into());
        }
    };
    if level < LogLevel::Info {
        return Ok(());
    }
    let tick = "✓".green().to_string();
    let mut output: String =
        chosen.iter().map(|package| untrusted::describe(package, &tick)).collect();
    let scripts = chosen.iter().map(|package| package.scripts.len()).sum();
    let _ = writeln!(
        output,
        " {} ran across {} [{}]",
        count(scripts, "script"),
        count(chosen.len(), "package"),
        elapsed(summary.elapsed).bold()
    );
    if !rest.is_empty() {
        let _ = writeln!(output, "\n {} with blocked scripts", count(rest.len(), "package"));
    }
    print(&output);
    Ok(())
}

fn nothing_to_trust(arguments: &TrustArguments) -> Diagnostic {
    if arguments.all {
        return Diagnostic::new(
            Class::User,
            "0 scripts ran: all dependencies are trusted already, or none has scripts",
        );
    }
    let names = arguments.names.join(", ");
    Diagnostic::new(
        Class::User,
        "0 scripts ran: these packages are trusted already, have no scripts, or are not installed",
    )
    .detail("packages", names)
    .hint("`deka pm untrusted` lists the packages whose scripts did not run")
}

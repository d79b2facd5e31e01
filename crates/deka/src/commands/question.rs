//! What the commands have in common that ask the registry and install nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deka_config::{Config, Environment, LogLevel};
use deka_manifest::Version;
use owo_colors::OwoColorize as _;

use crate::arguments::{CommonArguments, InstallArguments};
use crate::diagnostic::Diagnostic;
use crate::render_error::print_warning;

/// A project that is asked about.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    /// What filters are relative to.
    pub(crate) folder: PathBuf,
    pub(crate) config: Arc<Config>,
}

/// Reads the settings that count in `folder`.
pub(crate) fn settings(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
    folder: &Path,
) -> Result<Arc<Config>, Diagnostic> {
    arguments.refuse_what_is_not_there()?;
    let config = Config::load(environment, &arguments.overrides(common)?, folder)?;
    Ok(announced(config))
}

/// Returns the project that is asked about.
pub(crate) fn project(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<Project, Diagnostic> {
    arguments.refuse_what_is_not_there()?;
    let overrides = arguments.overrides(common)?;
    let (root, config) = super::global::project(arguments.global, environment, &overrides)?;
    let folder = if arguments.global { &root } else { environment.working_folder() };
    Ok(Project { folder: folder.to_owned(), config: announced(config), root })
}

fn announced(config: Config) -> Arc<Config> {
    for warning in config.warnings.iter().filter(|_| config.log_level >= LogLevel::Warn) {
        print_warning(&warning.to_string());
    }
    Arc::new(config)
}

/// Whether stdout gets colour.
pub(crate) fn is_colored() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// How different two versions are for whoever depends on the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Patch,
    Minor,
    Major,
}

impl Step {
    /// Before 1.0.0 the first number that is not 0 is the one that breaks things.
    pub(crate) fn between(from: &Version, to: &Version) -> Self {
        let is_early = from.major() == 0 && to.major() == 0;
        if from.major() != to.major() || is_early && from.minor() != to.minor() {
            Self::Major
        } else if from.minor() != to.minor() {
            Self::Minor
        } else {
            Self::Patch
        }
    }
}

/// Returns a version with what is new in it in the colour of the step.
pub(crate) fn colored_step(from: &Version, to: &Version) -> String {
    let (old, new) = (from.to_string(), to.to_string());
    if old == new {
        return new.dimmed().to_string();
    }
    let same = match (from.major() == to.major(), from.minor() == to.minor()) {
        (false, _) => 0,
        (true, false) => new.find('.').map_or(0, |at| at + 1),
        (true, true) => new.match_indices('.').nth(1).map_or(0, |(at, _)| at + 1),
    };
    let (same, rest) = new.split_at(same);
    let rest = match Step::between(from, to) {
        Step::Patch => rest.green().bold().to_string(),
        Step::Minor => rest.yellow().bold().to_string(),
        Step::Major => rest.red().bold().to_string(),
    };
    if same.is_empty() { rest } else { format!("{}{rest}", same.dimmed()) }
}

#[cfg(test)]
mod tests {
    use deka_manifest::Version;

    use super::{Step, colored_step};

    #[test]
    fn steps() {
        let check = |from: &str, to: &str, expected: Step| {
            let (from, to) = (Version::parse(from).unwrap(), Version::parse(to).unwrap());
            assert_eq!(Step::between(&from, &to), expected, "{from} {to}");
            let text = colored_step(&from, &to);
            assert_eq!(anstream::adapter::strip_str(&text).to_string(), to.to_string());
        };
        check("1.0.0", "1.0.1", Step::Patch);
        check("1.0.0", "1.1.0", Step::Minor);
        check("1.0.0", "2.0.0", Step::Major);
        check("0.1.0", "0.2.0", Step::Major);
        check("0.1.0", "0.1.1", Step::Patch);
        check("0.9.0", "1.0.0", Step::Major);
        check("1.0.0-a", "1.0.0", Step::Patch);
    }
}

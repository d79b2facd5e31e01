//! The one place that reads the process's environment.

use std::env;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use anstream::ColorChoice;
use deka_config::Environment;

use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;

/// Collects variables and folders. Variables that are no Unicode are left out: none that deka reads
/// can be of use then.
pub(crate) fn capture() -> Result<Environment, Diagnostic> {
    let working_folder = env::current_dir().map_err(|error| {
        let mut diagnostic = Diagnostic::new(Class::User, "Failed to find the working folder");
        diagnostic.causes.push(error.to_string());
        diagnostic.hint("It may have been deleted; change to a folder that exists")
    })?;
    let variables: Vec<(String, String)> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let home = env::home_dir().filter(|home| home.is_absolute());
    Ok(Environment::new(variables, home, working_folder))
}

/// Returns the same environment, seen from another working folder.
pub(crate) fn within(environment: &Environment, folder: PathBuf) -> Environment {
    let variables =
        environment.variables().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Environment::new(variables, environment.home().map(ToOwned::to_owned), folder)
}

/// Decides about colour, for both streams: a flag, else `FORCE_COLOR`, which is stronger than
/// `NO_COLOR` as in Node and Bun, else what the stream is (`NO_COLOR`, `TERM=dumb`, no terminal).
pub(crate) fn color_choice(environment: &Environment, flag: Option<bool>) -> ColorChoice {
    let forced = environment.get("FORCE_COLOR").map(|value| !matches!(value, "0" | "false"));
    match flag.or(forced) {
        Some(true) => ColorChoice::Always,
        Some(false) => ColorChoice::Never,
        None if environment.non_empty("NO_COLOR").is_some() => ColorChoice::Never,
        None => ColorChoice::Auto,
    }
}

/// Whether a line on stderr can be drawn over and over.
pub(crate) fn is_interactive(environment: &Environment) -> bool {
    io::stderr().is_terminal() && !environment.is_ci() && environment.get("TERM") != Some("dumb")
}

#[cfg(test)]
mod tests {
    use anstream::ColorChoice;
    use deka_config::Environment;

    use super::color_choice;

    fn check(variables: &[(&str, &str)], flag: Option<bool>, expected: ColorChoice) {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::new(owned, None, "/".into());
        assert_eq!(color_choice(&environment, flag), expected, "{variables:?} {flag:?}");
    }

    #[test]
    fn colors() {
        check(&[], None, ColorChoice::Auto);
        check(&[("NO_COLOR", "1")], None, ColorChoice::Never);
        check(&[("NO_COLOR", "")], None, ColorChoice::Auto);
        check(&[("FORCE_COLOR", "1")], None, ColorChoice::Always);
        check(&[("FORCE_COLOR", "")], None, ColorChoice::Always);
        check(&[("FORCE_COLOR", "0")], None, ColorChoice::Never);
        check(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], None, ColorChoice::Always);
        check(&[("FORCE_COLOR", "1")], Some(false), ColorChoice::Never);
        check(&[("NO_COLOR", "1")], Some(true), ColorChoice::Always);
    }
}

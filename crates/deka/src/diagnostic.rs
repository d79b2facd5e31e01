//! A problem as it is shown to the user, whatever crate it comes from.

use std::borrow::Cow;
use std::error::Error;

use deka_config::ConfigError;

use crate::exit_code::Class;

/// What went wrong, why, and one thing to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// Decides the exit code.
    pub(crate) class: Class,
    /// npm's code where npm has one: `ETARGET`, `EINTEGRITY`.
    pub(crate) code: Option<&'static str>,
    /// What was attempted and failed: one sentence, no full stop.
    pub(crate) message: String,
    /// Facts with a label each: `required by`, `expected`.
    pub(crate) details: Vec<(Cow<'static, str>, String)>,
    /// Why, from the nearest cause to the root.
    pub(crate) causes: Vec<String>,
    /// What the user can do.
    pub(crate) hint: Option<String>,
    /// The exit code of a program that failed, to be passed on in place of the class's.
    pub(crate) program_exit_code: Option<u8>,
}

impl Diagnostic {
    /// Starts with a message alone.
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            code: None,
            message: message.into(),
            details: Vec::new(),
            causes: Vec::new(),
            hint: None,
            program_exit_code: None,
        }
    }

    /// Ends with an exit code and says nothing: what ran has said it.
    pub(crate) fn ended(exit_code: u8) -> Self {
        Self { program_exit_code: Some(exit_code), ..Self::new(Class::User, "") }
    }

    /// Ends a command that found what it was to look for, and has shown it.
    pub(crate) fn found() -> Self {
        Self::ended(Class::User.exit_code())
    }

    /// Returns the exit code to end with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.program_exit_code.unwrap_or_else(|| self.class.exit_code())
    }

    /// Takes message and causes from an error and its sources.
    pub(crate) fn from_error(class: Class, error: &dyn Error) -> Self {
        let mut diagnostic = Self::new(class, error.to_string());
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Some libraries repeat their source in their own message.
            let said = diagnostic.causes.last().unwrap_or(&diagnostic.message);
            if !said.ends_with(&text) {
                diagnostic.causes.push(text);
            }
            source = error.source();
        }
        diagnostic
    }

    /// Sets the code.
    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds a fact.
    pub(crate) fn detail(
        mut self,
        label: impl Into<Cow<'static, str>>,
        text: impl Into<String>,
    ) -> Self {
        self.details.push((label.into(), text.into()));
        self
    }

    /// Sets what to try.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns a mistake on the command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Class::Usage, message).code("EUSAGE")
    }
}

impl From<ConfigError> for Diagnostic {
    fn from(error: ConfigError) -> Self {
        match &error {
            ConfigError::Read { .. } | ConfigError::Toml { .. } => {
                Self::from_error(Class::Config, &error)
            }
            ConfigError::Registry { .. } => Self::from_error(Class::Usage, &error)
                .code("EUSAGE")
                .hint("A registry is written as in `--registry=https://registry.example/`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Diagnostic};

    #[derive(Debug)]
    struct Repeating(std::io::Error);

    impl std::fmt::Display for Repeating {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(formatter, "Failed to open `a`: {}", self.0)
        }
    }

    impl std::error::Error for Repeating {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn causes_are_not_said_twice() {
        let error = Repeating(std::io::Error::other("disk is gone"));
        let diagnostic = Diagnostic::from_error(Class::User, &error);
        assert_eq!(diagnostic.message, "Failed to open `a`: disk is gone");
        assert_eq!(diagnostic.causes, Vec::<String>::new());
    }
}

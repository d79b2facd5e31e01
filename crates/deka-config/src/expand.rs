//! `${VARIABLE}` in keys and values.
//!
//! npm's forms are `${NAME}` and `${NAME?}` (empty if unset); pnpm's and yarn's `${NAME-fallback}`
//! (if unset) and `${NAME:-fallback}` (if unset or empty) are understood too. A backslash in front
//! keeps the text as it is.

use crate::Environment;

/// Why a text could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotExpanded {
    /// The variable does not exist and there is no fallback.
    Unset(String),
    /// The variable may not be used here.
    Forbidden(String),
}

/// Replaces all variables in `text`. `allowed` says which may be read.
pub(crate) fn expand(
    text: &str,
    environment: &Environment,
    allowed: impl Fn(&str) -> bool,
) -> Result<String, NotExpanded> {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let before = &rest[..start];
        let name_and_more = &rest[start + 2..];
        let Some(end) = name_and_more.find(['}', '$', '{']) else { break };
        let inner = &name_and_more[..end];
        if !name_and_more[end..].starts_with('}') || inner.is_empty() {
            // No variable: `${` is text, and what follows may be one.
            output.push_str(&rest[..start + 2]);
            rest = name_and_more;
            continue;
        }
        let unescaped = before.trim_end_matches('\\');
        let backslashes = before.len() - unescaped.len();
        output.push_str(unescaped);
        output.extend(std::iter::repeat_n('\\', backslashes / 2));
        if backslashes % 2 == 1 {
            output.push_str("${");
            output.push_str(inner);
            output.push('}');
        } else {
            output.push_str(&value_of(inner, environment, &allowed)?);
        }
        rest = &name_and_more[end + 1..];
    }
    output.push_str(rest);
    Ok(output)
}

fn value_of(
    inner: &str,
    environment: &Environment,
    allowed: impl Fn(&str) -> bool,
) -> Result<String, NotExpanded> {
    let (name, fallback, empty_counts_as_unset) = if let Some(name) = inner.strip_suffix('?') {
        (name, Some(""), false)
    } else if let Some((name, fallback)) = inner.split_once(":-") {
        (name, Some(fallback), true)
    } else if let Some((name, fallback)) = inner.split_once('-') {
        (name, Some(fallback), false)
    } else {
        (inner, None, false)
    };
    if !allowed(name) {
        return Err(NotExpanded::Forbidden(name.to_owned()));
    }
    let value = environment.get(name).filter(|value| !(empty_counts_as_unset && value.is_empty()));
    value.or(fallback).map(ToOwned::to_owned).ok_or_else(|| NotExpanded::Unset(name.to_owned()))
}

/// Whether the name of a variable says that its value is a secret.
pub fn sounds_secret(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "TOKEN",
        "SECRET",
        "PASSW",
        "PASSPHRASE",
        "PWD",
        "KEY",
        "AUTH",
        "CREDENTIAL",
        "COOKIE",
        "SESSION",
    ];
    let name = name.to_ascii_uppercase();
    // `PWD` itself is the working folder; personal access tokens are called `…_PAT`.
    name != "PWD"
        && name != "OLDPWD"
        && (name.ends_with("_PAT") || WORDS.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::{NotExpanded, expand, sounds_secret};
    use crate::Environment;

    fn environment() -> Environment {
        let variables = [("A", "1"), ("EMPTY", ""), ("MY_TOKEN", "t")];
        Environment::new(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
            None,
            "/".into(),
        )
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(expand(text, &environment(), |_| true).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn forms() {
        check("x${A}y${A}", "x1y1");
        check("${EMPTY}", "");
        check("${NONE?}|${A?}", "|1");
        check("${NONE-d}|${EMPTY-d}|${A-d}", "d||1");
        check("${NONE:-d}|${EMPTY:-d}|${A:-d}", "d|d|1");
        check("${NONE-}", "");
    }

    #[test]
    fn what_is_no_variable_stays() {
        for text in ["$A", "${}", "${A", "{A}", "$", "${${"] {
            check(text, text);
        }
        check("${x${A}", "${x1");
    }

    #[test]
    fn backslashes_escape() {
        check(r"\${A}", "${A}");
        check(r"\\${A}", r"\1");
        check(r"\\\${A}", r"\${A}");
    }

    #[test]
    fn unset_and_forbidden_variables() {
        let unset = expand("${NONE}", &environment(), |_| true);
        assert_eq!(unset, Err(NotExpanded::Unset("NONE".to_owned())));
        let forbidden = expand("${MY_TOKEN}", &environment(), |name| !sounds_secret(name));
        assert_eq!(forbidden, Err(NotExpanded::Forbidden("MY_TOKEN".to_owned())));
    }

    #[test]
    fn secret_names() {
        for name in ["NPM_TOKEN", "aws_secret_access_key", "DB_PASSWORD", "SSH_AUTH_SOCK"] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["HOME", "PWD", "REGISTRY_HOST", "PORT"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}

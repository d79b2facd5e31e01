//! Lines for a shell, made of texts that have to arrive as they are.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

/// Returns the line of a script with arguments added to it.
pub fn with_arguments(script: &str, arguments: &[OsString]) -> OsString {
    let mut line = OsString::from(script);
    for argument in arguments {
        line.push(" ");
        line.push(quoted(argument));
    }
    line
}

/// Quotes a text for a shell, if that is needed.
pub fn quoted(text: &OsStr) -> Cow<'_, OsStr> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,^".contains(byte);
    let bytes = text.as_encoded_bytes();
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut quoted = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => quoted.extend_from_slice(br"'\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    Cow::Owned(from_bytes(quoted))
}

/// What a shell does itself, so that it can't be replaced by it.
const BUILT_IN: &str = " . : [ [[ alias bg bind break builtin caller case cd chdir command compgen complete compopt \
    continue coproc declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi for \
    function getopts hash help history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray \
    readonly return select set shift shopt source suspend test then time times trap true type typeset ulimit umask \
    unalias unset until wait while { } ! ";

/// Has the shell be replaced by the one command of a line, if it is only one: what is sent to the shell is meant for
/// the command, and not every shell (dash is such a one) sees by itself that it has nothing left to do.
pub(super) fn replacing(line: &OsStr) -> Cow<'_, OsStr> {
    let Some(text) = line.to_str() else { return line.into() };
    match place_of_command(text) {
        Some(at) => Cow::Owned(format!("{}exec {}", &text[..at], &text[at..]).into()),
        None => line.into(),
    }
}

/// Returns where in a line the name of its command begins, if that is one program and nothing else.
fn place_of_command(line: &str) -> Option<usize> {
    if line.contains(['\n', ';', '&', '|', '(', ')', '<', '>', '`']) {
        return None;
    }
    let mut rest = line.trim_start();
    loop {
        let word = rest.split_whitespace().next()?;
        if !is_assignment(word) {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@+".contains(c);
            let is_program = word.chars().all(is_plain) && !BUILT_IN.contains(&format!(" {word} "));
            return is_program.then_some(line.len() - rest.len());
        }
        rest = rest[word.len()..].trim_start();
    }
}

/// Whether a word of a line sets a variable for the command behind it.
fn is_assignment(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else { return false };
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(is_of_name)
        && !value.contains(['\'', '"', '\\', '$'])
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};

    use super::{quoted, replacing, with_arguments};

    #[test]
    fn texts_are_quoted_where_a_shell_would_read_them() {
        for (text, expected) in [
            ("--port=80", "--port=80"),
            ("./a/b.js", "./a/b.js"),
            ("a b", "'a b'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("~", "'~'"),
            ("*", "'*'"),
            ("a\nb", "'a\nb'"),
            ("ä", "'ä'"),
        ] {
            assert_eq!(quoted(OsStr::new(text)), OsStr::new(expected));
        }
    }

    #[test]
    fn arguments_follow_the_script() {
        let arguments = ["a b", "--", "-x"].map(OsString::from);
        assert_eq!(with_arguments("echo \"$A\"", &arguments), "echo \"$A\" 'a b' -- -x");
        assert_eq!(with_arguments("echo", &[]), "echo");
    }

    #[test]
    fn a_command_takes_the_place_of_its_shell() {
        for (line, expected) in [
            ("node server.js", "exec node server.js"),
            ("  tsc -p '.' *.ts $X", "  exec tsc -p '.' *.ts $X"),
            ("A=1 B_2=x ./run", "A=1 B_2=x exec ./run"),
            ("A='1 2' run", "A='1 2' run"),
            ("A=$B run", "A=$B run"),
            ("A=1", "A=1"),
            ("", ""),
            ("echo a", "echo a"),
            ("exec node", "exec node"),
            ("a; b", "a; b"),
            ("a && b", "a && b"),
            ("a > b", "a > b"),
            ("a | b", "a | b"),
            ("(a)", "(a)"),
            ("a\nb", "a\nb"),
            ("$A b", "$A b"),
            ("'a b' c", "'a b' c"),
            ("! a", "! a"),
            ("if a", "if a"),
            ("# a", "# a"),
        ] {
            assert_eq!(replacing(OsStr::new(line)), OsStr::new(expected));
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_stay_what_they_are() {
        use std::os::unix::ffi::OsStrExt as _;
        assert_eq!(quoted(OsStr::from_bytes(b"\xff")).as_bytes(), b"'\xff'");
    }
}

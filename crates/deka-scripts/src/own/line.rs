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

    use super::{quoted, with_arguments};

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

    #[cfg(unix)]
    #[test]
    fn bytes_stay_what_they_are() {
        use std::os::unix::ffi::OsStrExt as _;
        assert_eq!(quoted(OsStr::from_bytes(b"\xff")).as_bytes(), b"'\xff'");
    }
}

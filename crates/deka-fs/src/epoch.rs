//! Which life of a file system this is: the question behind "can a power cut lie between then and
//! now?".

use std::fmt;
use std::sync::OnceLock;

use crate::{Dir, FsError, Operation};

/// One mount of one file system during one boot.
///
/// What was written in the same epoch is as it was written, synced or not: had the power gone, the
/// boot would be another; had the disk been copied and mounted elsewhere, the mount would be. A file
/// that was written in another epoch shortly before its end may be torn.
///
/// The text ([`Epoch::as_str`]) is made of `[0-9a-f.]` and may be used as a file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Epoch {
    text: Box<str>,
    boot_length: usize,
}

impl Epoch {
    /// Returns the present epoch of the file system that `dir` is on.
    pub fn of(dir: &Dir) -> Result<Self, FsError> {
        static BOOT: OnceLock<String> = OnceLock::new();

        let (device, mount) =
            dir.mount().map_err(|error| FsError::new(Operation::Stat, dir.path(), error))?;
        let boot = BOOT.get_or_init(crate::os::boot_id);
        let text = format!("{boot}.{device:x}.{mount:x}").into_boxed_str();
        Ok(Self { text, boot_length: boot.len() })
    }

    /// Reads what [`Epoch::as_str`] returned in another run.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let boot_length = parts.next()?.len();
        let is_hex = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
        (parts.clone().count() == 2 && boot_length > 0 && text.split('.').all(is_hex))
            .then(|| Self { text: text.into(), boot_length })
    }

    /// Returns the text form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether both are of one boot of one machine, that is, nothing was lost in between by a power
    /// cut of this machine.
    pub fn is_same_boot(&self, other: &Self) -> bool {
        self.text[..self.boot_length] == other.text[..other.boot_length]
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_survives_its_text_form() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let epoch = Epoch::of(&dir).unwrap();
        assert_eq!(Epoch::parse(epoch.as_str()).as_ref(), Some(&epoch));
        assert_eq!(Epoch::of(&dir).unwrap(), epoch);
        let other = Epoch::parse("00ff.1.2").unwrap();
        assert_ne!(other, epoch);
        assert!(!other.is_same_boot(&epoch));
        assert!(other.is_same_boot(&Epoch::parse("00ff.3.4").unwrap()));
    }

    #[test]
    fn nonsense_is_no_epoch() {
        for text in ["", ".", "a", "a.b", "a.b.", ".a.b", "a.b.c.d", "a.b.x", "a/b.c.d", "é.a.b"] {
            assert_eq!(Epoch::parse(text), None, "{text}");
        }
    }
}

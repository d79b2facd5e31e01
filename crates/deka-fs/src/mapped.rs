//! Read-only memory maps.

use std::fs::File;
use std::ops::Deref;

use memmap2::Mmap;

use crate::{Dir, FsError, Name, Operation};

/// The bytes of a file, mapped.
///
/// Only for files that deka itself replaces by renaming and never changes in place: shrinking a
/// mapped file in place kills its readers.
#[derive(Debug)]
pub struct MappedFile(Option<Mmap>);

impl MappedFile {
    /// Maps the file `name` in `dir`; `None` if it does not exist.
    pub fn open(dir: &Dir, name: impl Name) -> Result<Option<Self>, FsError> {
        let file = match dir.open_file(name) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        Self::of(&file)
            .map(Some)
            .map_err(|error| FsError::new(Operation::Map, dir.path_of(name), error))
    }

    fn of(file: &File) -> std::io::Result<Self> {
        // An empty file cannot be mapped.
        if file.metadata()?.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the map is read-only; the files it is used for are replaced by renaming and never
        // written or truncated in place (see the type's documentation), so the bytes stay.
        #[expect(unsafe_code, reason = "mapping is unsafe because others may change the file")]
        let map = unsafe { Mmap::map(file)? };
        Ok(Self(Some(map)))
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_shows_what_the_file_held() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        assert!(MappedFile::open(&dir, "missing").unwrap().is_none());
        std::fs::write(folder.path().join("empty"), "").unwrap();
        assert_eq!(&*MappedFile::open(&dir, "empty").unwrap().unwrap(), b"");
        std::fs::write(folder.path().join("file"), "text").unwrap();
        assert_eq!(&*MappedFile::open(&dir, "file").unwrap().unwrap(), b"text");
    }
}

//! Folders that only their owner can change.

use std::io;
use std::path::Path;

use crate::{FsError, Operation};

/// Makes the folder at `path` for this user alone, those above it too; one that is there already has to
/// be a folder of this user that nobody else can write to, else the error is
/// [`PermissionDenied`](io::ErrorKind::PermissionDenied).
pub fn private_folder(path: &Path) -> Result<(), FsError> {
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above)
            .map_err(|error| FsError::new(Operation::CreateDir, above, error))?;
    }
    match make(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(FsError::new(Operation::CreateDir, path, error))
        }
        // Also what was just made: on some disks everything belongs to somebody else.
        _ => check(path).map_err(|error| FsError::new(Operation::OpenDir, path, error)),
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(unix)]
fn check(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::symlink_metadata(path)?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    let is_open = metadata.mode() & 0o022 != 0;
    let refused = |problem| Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    match () {
        () if !metadata.is_dir() => refused("it is no folder"),
        () if !is_own => refused("it belongs to another user"),
        () if is_open => refused("other users can write to it"),
        () => Ok(()),
    }
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

/// Here folders below the user's own are the user's own.
#[cfg(not(unix))]
fn check(path: &Path) -> io::Result<()> {
    std::fs::symlink_metadata(path).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt as _;

    use super::private_folder;

    #[test]
    fn others_are_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        private_folder(&path).unwrap();
        private_folder(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let refused = |path: &std::path::Path| {
            assert_eq!(private_folder(path).unwrap_err().kind(), ErrorKind::PermissionDenied);
        };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        refused(&path);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
        refused(&folder.path().join("link"));
        std::fs::write(folder.path().join("file"), "").unwrap();
        refused(&folder.path().join("file"));
    }
}

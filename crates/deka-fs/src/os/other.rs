//! Any other system: no cloning, one epoch.

use std::fs::File;
use std::io;
use std::time::Duration;

#[cfg(unix)]
pub(crate) const OPEN_DIR: rustix::fs::OFlags =
    rustix::fs::OFlags::DIRECTORY.union(rustix::fs::OFlags::CLOEXEC);

/// There is nothing to clone with.
#[cfg(unix)]
pub(crate) fn clone_into(_source: &File, _target: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Every file has a name here.
#[cfg(unix)]
pub(crate) fn create_nameless(
    _dir: std::os::fd::BorrowedFd<'_>,
    _mode: rustix::fs::Mode,
) -> Option<std::os::fd::OwnedFd> {
    None
}

/// There is no file without one.
#[cfg(unix)]
pub(crate) fn give_name(
    _file: std::os::fd::BorrowedFd<'_>,
    _dir: std::os::fd::BorrowedFd<'_>,
    _name: &std::ffi::CStr,
) -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOTSUP)
}

/// Shows each entry of an open folder to `see`: its name, its kind if that is known, and its inode.
#[cfg(unix)]
pub(crate) fn visit_entries(
    dir: std::os::fd::OwnedFd,
    mut see: impl FnMut(&std::ffi::CStr, rustix::fs::FileType, u64),
) -> rustix::io::Result<()> {
    for entry in rustix::fs::Dir::new(dir)? {
        let entry = entry?;
        see(entry.file_name(), entry.file_type(), entry.ino());
    }
    Ok(())
}

/// Nobody can tell.
pub(crate) fn is_in_memory(_file: &File) -> bool {
    false
}

/// Copies all of `source` to `target`.
pub(crate) fn copy_contents(source: &mut File, target: &mut File) -> io::Result<()> {
    io::copy(source, target).map(drop)
}

pub(crate) fn is_link_refused(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::CrossesDevices
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::Unsupported
            | io::ErrorKind::InvalidInput
    )
}

/// Boots are not told apart here.
pub(crate) fn boot_id() -> String {
    "0".to_owned()
}

/// Has everything written back that was written to any volume.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn sync_file_system(_dir: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// Mounts are not told apart here.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn mount_of(_dir: std::os::fd::BorrowedFd<'_>) -> io::Result<(u64, u64)> {
    Ok((0, 0))
}

/// Returns after how long dirty pages are written back at the latest, a guess.
#[expect(clippy::unnecessary_wraps, reason = "other systems may never do it")]
pub(crate) fn writeback_delay() -> Option<Duration> {
    Some(Duration::from_mins(1))
}

//! macOS: clonefile and the boot session's UUID.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// How a folder is opened that is only used as the base of other calls.
pub(crate) const OPEN_DIR: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// Clones `source` to the new name `target` in `dir`, mode included.
pub(crate) fn clone_at(source: &File, dir: BorrowedFd<'_>, target: &CStr) -> io::Result<()> {
    Ok(rustix::fs::fclonefileat(source, dir, target, rustix::fs::CloneFlags::empty())?)
}

/// Every file has a name here.
pub(crate) fn create_nameless(
    _dir: BorrowedFd<'_>,
    _mode: rustix::fs::Mode,
) -> Option<std::os::fd::OwnedFd> {
    None
}

/// There is no file without one.
pub(crate) fn give_name(
    _file: BorrowedFd<'_>,
    _dir: BorrowedFd<'_>,
    _name: &CStr,
) -> rustix::io::Result<()> {
    Err(Errno::NOTSUP)
}

/// Shows each entry of an open folder to `see`: its name, its kind if that is known, and its inode.
pub(crate) fn visit_entries(
    dir: std::os::fd::OwnedFd,
    mut see: impl FnMut(&CStr, rustix::fs::FileType, u64),
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
        Errno::from_io_error(error),
        Some(
            Errno::XDEV
                | Errno::PERM
                | Errno::ACCESS
                | Errno::OPNOTSUPP
                | Errno::NOTSUP
                | Errno::NOSYS
                | Errno::INVAL
        )
    )
}

/// Returns what differs from boot to boot; systems before 10.12 do not say.
pub(crate) fn boot_id() -> String {
    let mut buffer = [0_u8; 64];
    let mut length = buffer.len();
    // SAFETY: the name is NUL-terminated, `buffer` is writable for `length` bytes and both outlive
    // the call; no new value is set.
    #[expect(unsafe_code, reason = "no safe wrapper of sysctlbyname is among the dependencies")]
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            buffer.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    let text = if result == 0 { buffer.get(..length).unwrap_or_default() } else { b"0" };
    text.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_hexdigit).collect()
}

/// Has everything written back that was written to any volume.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn sync_file_system(_dir: BorrowedFd<'_>) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// Returns the device that `dir` is on; mounts have no ids here.
pub(crate) fn mount_of(dir: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::fstat(dir)?;
    Ok((u64::from(stat.st_dev.cast_unsigned()), 0))
}

/// Returns after how long dirty pages are written back at the latest (the update interval).
#[expect(clippy::unnecessary_wraps, reason = "other systems may never do it")]
pub(crate) fn writeback_delay() -> Option<Duration> {
    Some(Duration::from_secs(30))
}

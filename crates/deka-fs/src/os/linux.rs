//! Linux: `O_PATH`, FICLONE, `copy_file_range`, and mount ids from statx.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, RawDir, StatxFlags};
use rustix::io::Errno;

/// How a folder is opened that is only used as the base of other calls.
pub(crate) const OPEN_DIR: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// `STATX_MNT_ID_UNIQUE` (Linux 6.8): ids that are never used again within a boot.
const STATX_MNT_ID_UNIQUE: u32 = 0x4000;

/// Clones `source` into the empty file `target`.
pub(crate) fn clone_into(source: &File, target: &File) -> io::Result<()> {
    Ok(rustix::fs::ioctl_ficlone(target, source)?)
}

/// Creates a file without a name in `dir`, for writing, where the file system has such files and they can be named.
pub(crate) fn create_nameless(dir: BorrowedFd<'_>, mode: Mode) -> Option<OwnedFd> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir, c".", flags, mode).ok()?;
    rustix::fs::access(path_of_nameless(&file), Access::EXISTS).ok().map(|()| file)
}

/// Gives a file of [`create_nameless`] its name.
pub(crate) fn give_name(
    file: BorrowedFd<'_>,
    dir: BorrowedFd<'_>,
    name: &CStr,
) -> rustix::io::Result<()> {
    rustix::fs::linkat(CWD, path_of_nameless(&file), dir, name, AtFlags::SYMLINK_FOLLOW)
}

/// Another way to say it (`AT_EMPTY_PATH`) is for the privileged alone.
fn path_of_nameless(file: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Shows each entry of an open folder to `see`: its name, its kind if that is known, and its inode.
pub(crate) fn visit_entries(
    dir: OwnedFd,
    mut see: impl FnMut(&CStr, FileType, u64),
) -> rustix::io::Result<()> {
    /// Room for some hundred names at a time; the longest possible takes a hundredth of it.
    const ROOM: usize = 32 << 10;

    let mut buffer = Vec::with_capacity(ROOM);
    let mut entries = RawDir::new(dir, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        see(entry.file_name(), entry.file_type(), entry.ino());
    }
    Ok(())
}

/// Whether the file is on no disk.
pub(crate) fn is_in_memory(file: &File) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    rustix::fs::fstatfs(file).is_ok_and(|system| matches!(system.f_type as u64, TMPFS | RAMFS))
}

/// Copies all of `source` to `target`, inside the kernel where it can.
pub(crate) fn copy_contents(source: &mut File, target: &mut File) -> io::Result<()> {
    // std uses copy_file_range, sendfile and splice, and read and write where none of them works.
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
                | Errno::NOSYS
                | Errno::INVAL
                | Errno::NOTTY
        )
    )
}

/// Returns what differs from boot to boot.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| boot_time(), |id| id.chars().filter(char::is_ascii_hexdigit).collect())
}

/// Without /proc the time of the boot has to do. A clock that is set makes it look like another
/// boot, which only costs a check too many.
fn boot_time() -> String {
    const PRECISION: u64 = 30;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let uptime = u64::try_from(rustix::system::sysinfo().uptime).unwrap_or(0);
    format!("{:x}", now.saturating_sub(uptime) / PRECISION)
}

/// Has everything written back that was written to the volume of `dir`.
pub(crate) fn sync_file_system(dir: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::fs::syncfs(dir)?)
}

/// Returns the device and the mount that `dir` is on.
pub(crate) fn mount_of(dir: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
    let ask = |mask: u32| {
        let mask = StatxFlags::from_bits_retain(mask);
        rustix::fs::statx(dir.as_fd(), c"", AtFlags::EMPTY_PATH, mask)
    };
    // Old kernels do not have the call, and old sandboxes refuse it.
    let Ok(mut stat) = ask(STATX_MNT_ID_UNIQUE) else {
        return Ok((rustix::fs::fstat(dir)?.st_dev, 0));
    };
    if stat.stx_mask & STATX_MNT_ID_UNIQUE == 0 {
        // The older kind of id (Linux 5.8) may be used again after an unmount; before it, zero.
        stat = ask(StatxFlags::MNT_ID.bits())?;
    }
    let device = u64::from(stat.stx_dev_major) << 32 | u64::from(stat.stx_dev_minor);
    let known = stat.stx_mask & (STATX_MNT_ID_UNIQUE | StatxFlags::MNT_ID.bits()) != 0;
    Ok((device, if known { stat.stx_mnt_id } else { 0 }))
}

/// Returns after how long the kernel starts to write a dirty page back at the latest, or `None` if
/// it never does so by itself.
pub(crate) fn writeback_delay() -> Option<Duration> {
    let centiseconds = |name: &str| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/sys/vm/{name}")).ok()?;
        text.trim().parse().ok()
    };
    let expire = centiseconds("dirty_expire_centisecs").unwrap_or(3000);
    let interval = centiseconds("dirty_writeback_centisecs").unwrap_or(500);
    (interval != 0).then(|| Duration::from_millis((expire + interval).saturating_mul(10)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boots_are_known_with_and_without_proc() {
        assert_eq!(boot_id(), boot_id());
        assert!(boot_id().len() >= 6);
        let time = boot_time();
        assert!(time.len() >= 6 && time.bytes().all(|byte| byte.is_ascii_hexdigit()), "{time}");
    }
}

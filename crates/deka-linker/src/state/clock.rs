//! Clocks: the one that starts with the boot, and the one of a file system.

use deka_fs::{Creation, Dir, Epoch, FileMode, FsError};

/// Returns the seconds since the boot, sleep included; `None` where no clock tells.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn uptime() -> Option<u64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(time.tv_sec).ok()
}

/// Returns the seconds since the boot, sleep included; `None` where no clock tells.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn uptime() -> Option<u64> {
    None
}

/// Whether the epoch with the text `one` is of the same boot as `other`.
pub(crate) fn is_same_boot(one: &str, other: &Epoch) -> bool {
    Epoch::parse(one).is_some_and(|one| one.is_same_boot(other))
}

/// Returns what the file system of `dir` would write as the time of a change now, in nanoseconds;
/// its clock may be another machine's.
pub(crate) fn now_on(dir: &Dir) -> Result<i64, FsError> {
    let name = format!(".deka-clock-{}", std::process::id());
    dir.remove_file(name.as_str())?;
    let (Creation::Made | Creation::Existed) =
        dir.write_new(name.as_str(), b"", FileMode::Regular)?;
    let metadata = dir.metadata(name.as_str())?;
    dir.remove_file(name.as_str())?;
    Ok(metadata.map_or(0, |metadata| metadata.modified as i64))
}

//! Limits of the process and habits of the kernel that deka has to know.

use std::sync::OnceLock;
use std::time::Duration;

/// Raises the number of files that may be open at once as far as the system lets the user, and has
/// the kernel make room for as many as an install needs. Returns the limit that holds now (`None`:
/// no limit is known).
///
/// To be called before the first thread starts. Shells on macOS start with a limit of 256, less than
/// the store has folders. And where threads share it, Linux can only let the table of descriptors
/// grow after all processors have come to a rest (`synchronize_rcu`): 10 to 20 ms, for every doubling.
pub fn make_room_for_open_files() -> Option<u64> {
    #[cfg(unix)]
    {
        let limit = raise();
        grow_descriptor_table(limit);
        limit
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// Keeps from all programs started from now on what this process has been given by its own parent, but for
/// the three standard streams. It fails on kernels before Linux 5.11.
#[cfg(target_os = "linux")]
pub fn withhold_descriptors() -> std::io::Result<()> {
    const FIRST: libc::c_uint = 3;
    #[expect(unsafe_code, reason = "descriptors that nobody here opened are known by number only")]
    // SAFETY: the call sets a flag of descriptors and closes none, so what others own stays valid.
    let result = unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(unix)]
fn raise() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// Enough for every folder of the store, all workers and sockets.
    const WANTED: u64 = 65_536;
    /// macOS refuses more than `OPEN_MAX` even where it reports no hard limit.
    const OPEN_MAX: u64 = 10_240;

    let limit = getrlimit(Resource::Nofile);
    let current = limit.current?;
    for wanted in [WANTED, OPEN_MAX] {
        let wanted = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        if wanted <= current {
            break;
        }
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return Some(wanted);
        }
    }
    Some(current)
}

/// Opens and closes a descriptor with a high number; the table never shrinks again.
#[cfg(unix)]
fn grow_descriptor_table(limit: Option<u64>) {
    use std::os::fd::AsFd as _;
    /// The folders of the store's files and indexes, and room for what is open at the same time.
    const WANTED: i32 = 1024;

    let highest = limit.map_or(WANTED, |limit| i32::try_from(limit).unwrap_or(WANTED).min(WANTED));
    if let Ok(folder) = std::fs::File::open("/") {
        // It is only a matter of speed.
        drop(rustix::io::fcntl_dupfd_cloexec(folder.as_fd(), highest - 1));
    }
}

/// Returns after how long a written file is on the disk with certainty, without a sync; `None` if
/// that is never certain here (laptop mode without periodic writeback). The kernel is asked once.
pub fn flush_horizon() -> Option<Duration> {
    const LEAST: Duration = Duration::from_mins(10);
    static HORIZON: OnceLock<Option<Duration>> = OnceLock::new();

    *HORIZON.get_or_init(|| crate::os::writeback_delay().map(|delay| (delay * 4).max(LEAST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_not_lowered() {
        let first = make_room_for_open_files();
        assert!(make_room_for_open_files() >= first);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_table_of_descriptors_is_large() {
        make_room_for_open_files();
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
        let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")).expect("a size");
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        assert!(size.trim().parse::<u64>().expect("a number") >= limit.unwrap_or(1024).min(1024));
    }

    #[test]
    fn the_horizon_leaves_the_kernel_time() {
        if let Some(horizon) = flush_horizon() {
            assert!(horizon >= Duration::from_mins(10));
        }
    }
}

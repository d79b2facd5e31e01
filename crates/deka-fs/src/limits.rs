//! Limits of the process and habits of the kernel that deka has to know.

use std::time::Duration;

/// Raises the number of files that may be open at once as far as the system lets the user, and
/// returns the limit that holds now (`None`: no limit is known).
///
/// Shells on macOS start with 256, less than the store has folders.
pub fn raise_open_file_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        raise()
    }
    #[cfg(not(unix))]
    {
        None
    }
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

/// Returns after how long a written file is on the disk with certainty, without a sync; `None` if
/// that is never certain here (laptop mode without periodic writeback).
pub fn flush_horizon() -> Option<Duration> {
    const LEAST: Duration = Duration::from_mins(10);
    crate::os::writeback_delay().map(|delay| (delay * 4).max(LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_not_lowered() {
        let first = raise_open_file_limit();
        assert!(raise_open_file_limit() >= first);
    }

    #[test]
    fn the_horizon_leaves_the_kernel_time() {
        if let Some(horizon) = flush_horizon() {
            assert!(horizon >= Duration::from_mins(10));
        }
    }
}

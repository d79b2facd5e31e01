//! Other Unix systems: the group of processes is all that is known.

use std::io;

use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group};

/// Nobody adopts orphans here.
#[expect(clippy::unnecessary_wraps, reason = "Linux can fail")]
pub(super) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Whether the process `id` still is the parent of this one.
pub(super) fn has_parent(id: u32) -> bool {
    std::os::unix::process::parent_id() == id
}

/// Ends the group that was made for a script, this process with it; a group that deka shares is the
/// terminal's to end.
pub(super) fn end_all() {
    if getpgrp() == getpid() {
        // An error means that there is nobody left.
        let _ = kill_current_process_group(Signal::TERM);
    }
}

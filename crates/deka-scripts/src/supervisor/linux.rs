//! Linux: the supervisor is the reaper of everything below it.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait};

/// Has processes whose parent ends become children of this one, not of init.
pub(super) fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Whether the process `id` still is the parent of this one.
pub(super) fn has_parent(id: u32) -> bool {
    std::os::unix::process::parent_id() == id
}

/// Kills everything below this process.
///
/// Children of what is killed become children of this process, so that repeating it reaches all.
pub(super) fn end_all() {
    /// A process in the kernel's hands (a dead network disk) cannot be killed, nor waited for.
    const TRIES: u32 = 2000;
    for _ in 0..TRIES {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                // There is none left.
                Err(_) => return,
            }
        }
        for child in children() {
            // An error means that it has ended by itself.
            let _ = kill_process(child, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the children of all threads of this process.
fn children() -> Vec<Pid> {
    let own = rustix::process::getpid();
    let mut found = Vec::new();
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return found };
    let mut has_lists = false;
    for thread in threads.flatten() {
        if let Ok(text) = std::fs::read_to_string(thread.path().join("children")) {
            has_lists = true;
            found.extend(text.split_ascii_whitespace().filter_map(parse));
        }
    }
    if !has_lists {
        // A kernel without these lists: everybody is asked.
        let Ok(processes) = std::fs::read_dir("/proc") else { return found };
        let pids = processes.flatten().filter_map(|entry| parse(entry.file_name().to_str()?));
        found.extend(pids.filter(|pid| parent_of(*pid) == Some(own)));
    }
    found
}

fn parse(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name may hold anything, brackets too; the state and the parent follow the last one.
    let (_, rest) = stat.rsplit_once(')')?;
    parse(rest.split_ascii_whitespace().nth(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_found() {
        let own = rustix::process::getpid();
        assert_eq!(parent_of(own), rustix::process::getppid());
        let mut child = std::process::Command::new("sleep").arg("5").spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(children().contains(&pid));
        assert_eq!(parent_of(pid), Some(own));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

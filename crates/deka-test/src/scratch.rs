//! Room for tests that write gigabytes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::environment;

const GIBIBYTE: u64 = 1 << 30;

/// Makes an empty folder that lasts until this process ends, then goes away by itself.
///
/// It is in memory if that leaves twice as much as `gibibytes` to others, else in cargo's target
/// folder: removing large trees from a disk can take minutes, and slows down whoever uses it then.
pub fn scratch_folder(name: &str, gibibytes: u64) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let wanted = gibibytes * GIBIBYTE;
    let has_room = free_space(memory) >= wanted && available_memory() >= 3 * wanted;
    let base = if has_room { memory.to_owned() } else { environment::target_dir() };
    let folder = TempDir::with_prefix_in(format!("deka-{name}-"), &base)
        .unwrap_or_else(|error| panic!("making a folder in `{}`: {error}", base.display()))
        .keep();
    remove_when_this_process_ends(&folder);
    folder
}

/// Starts a shell that waits for the end of its input, which comes when this process ends in
/// whatever way.
#[expect(clippy::zombie_processes, reason = "it outlives this process")]
fn remove_when_this_process_ends(folder: &Path) {
    let script = r#"trap "" HUP INT TERM; read -r _; rm -rf -- "$0""#;
    let mut shell = Command::new("sh")
        .args(["-c", script])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell starts");
    // Dropped, it would close now.
    std::mem::forget(shell.stdin.take());
}

fn free_space(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(0, |status| status.f_bavail * status.f_frsize)
}

/// What the kernel says could be used without swapping; 0 where it says nothing.
fn available_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_empty_and_writable() {
        let folder = scratch_folder("test", 1);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::write(folder.join("a"), "1").unwrap();
    }
}

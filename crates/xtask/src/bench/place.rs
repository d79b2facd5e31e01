//! Where things are installed: in memory, on a file system of its own, or in a given folder.
//!
//! File systems are images in memory, made fresh: one from which large trees were just deleted, or
//! that discards what is deleted, gives figures that mean nothing.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Which disk is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    Tmpfs,
    /// An image with this kind of file system.
    Image(&'static str),
    Folder(PathBuf),
}

/// Room for all managers with the largest project. Images are sparse.
const IMAGE_SIZE: u64 = 12 << 30;

/// Programs that make file systems, and what makes them quiet, quick, and done when they end.
const FILE_SYSTEMS: &[(&str, &[&str])] = &[
    ("ext4", &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"]),
    ("xfs", &["-q", "-f", "-K"]),
    ("btrfs", &["-q", "-f", "--nodiscard"]),
];

/// Undoes what [`Place::new`] did, whatever happened to it meanwhile: once the input has ended,
/// unmounts the first argument if there is a second, the image, then removes both.
const UNDO: &str = r#"
trap "" HUP INT TERM
read -r _
if [ -n "$1" ]; then
    tries=0
    until umount "$0" 2> /dev/null || [ "$tries" = 20 ]; do
        tries=$((tries + 1))
        sleep 0.2
    done
    rmdir "$0" && rm -f -- "$1"
else
    rm -rf -- "$0"
fi
"#;

impl Disk {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "tmpfs" {
            return Some(Self::Tmpfs);
        }
        FILE_SYSTEMS.iter().find(|(name, _)| *name == text).map(|(name, _)| Self::Image(name))
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tmpfs => formatter.write_str("tmpfs"),
            Self::Image(kind) => formatter.write_str(kind),
            Self::Folder(folder) => write!(formatter, "{}", folder.display()),
        }
    }
}

/// An empty folder on the wanted disk, gone when it is dropped or this process dies.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    undo: Child,
}

impl Place {
    /// Makes it; `mounts` is the folder to mount images in.
    pub(crate) fn new(disk: &Disk, mounts: &Path) -> Result<Self, String> {
        let name = format!("deka-bench-{}", std::process::id());
        let memory = Path::new("/dev/shm");
        match disk {
            Disk::Tmpfs if memory.is_dir() => Self::folder(memory.join(name)),
            Disk::Tmpfs => Err("`/dev/shm` is missing; `--in` names another folder".to_owned()),
            Disk::Folder(folder) => {
                let folder = fs::canonicalize(folder)
                    .map_err(|error| format!("opening `{}`: {error}", folder.display()))?;
                Self::folder(folder.join(name))
            }
            Disk::Image(kind) => {
                let base = if memory.is_dir() { memory } else { mounts };
                Self::image(kind, &base.join(format!("{name}.img")), mounts.join(name))
            }
        }
    }

    fn folder(folder: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&folder)
            .map_err(|error| format!("making `{}`: {error}", folder.display()))?;
        let undo = undo(&folder, None)?;
        Ok(Self { folder, undo })
    }

    fn image(kind: &str, image: &Path, folder: PathBuf) -> Result<Self, String> {
        let options = FILE_SYSTEMS.iter().find(|(name, _)| *name == kind);
        let (_, options) = options.ok_or_else(|| format!("`{kind}` is no file system"))?;
        fs::create_dir_all(&folder)
            .map_err(|error| format!("making `{}`: {error}", folder.display()))?;
        // From here on everything is undone.
        let place = Self { undo: undo(&folder, Some(image))?, folder };
        fs::File::create(image)
            .and_then(|file| file.set_len(IMAGE_SIZE))
            .map_err(|error| format!("making `{}`: {error}", image.display()))?;
        run(Command::new(format!("mkfs.{kind}")).args(*options).arg(image))?;
        run(Command::new("mount").args(["-o", "loop,nodiscard"]).arg(image).arg(&place.folder))?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.undo.stdin.take());
        let ended = self.undo.wait();
        if !ended.is_ok_and(|status| status.success()) {
            eprintln!("warning: `{}` could not be removed", self.folder.display());
        }
    }
}

/// Starts the shell that waits for the end of its input, which comes when this process ends.
fn undo(folder: &Path, image: Option<&Path>) -> Result<Child, String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", UNDO]).arg(folder).args(image).current_dir("/");
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    shell.map_err(|error| format!("starting `sh`: {error}"))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("starting `{program}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{program}` (file systems need root) said: {}", said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_away_with_its_place() {
        let base = deka_test::scratch_folder("place", 1);
        let place = Place::new(&Disk::Folder(base.clone()), &base).unwrap();
        fs::create_dir_all(place.folder.join("a/b")).unwrap();
        drop(place);
        assert_eq!(fs::read_dir(&base).unwrap().count(), 0);
    }
}

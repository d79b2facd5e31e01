//! Directory-relative file operations, atomic writes, locks, and the ways to link a file.
//!
//! Everything that deka does to a disk goes through here. The rules behind the shape:
//!
//! - A path is resolved once, when its [`Dir`] is opened; what happens inside is relative to that
//!   descriptor, so that deep `node_modules` cost one lookup per component and a folder swapped for
//!   a symlink in the meantime changes nothing.
//! - Creating never asks first and never overwrites: a name that is taken is an answer
//!   ([`Creation::Existed`]), not an error, and nothing here opens a taken name for writing. Files in
//!   `node_modules` and the store share inodes, so truncating one would empty the other.
//! - Modes are what was asked for, whatever the umask is.
//!
//! Operating systems differ in the modules `dir` and `os` only. This crate knows nothing about
//! packages. What else has to be asked of the kernel in ways that are not safe by themselves is here, too:
//! `memory`, `limits`, and `calls`.

mod atomic;
#[cfg(target_os = "linux")]
mod calls;
mod dir;
mod epoch;
mod error;
mod limits;
mod lock;
mod mapped;
mod memory;
mod os;
mod private;

pub use atomic::{
    Durability, Replacement, atomic_write, remove_leftovers, replace, replace_by_symlink,
};
#[cfg(target_os = "linux")]
pub use calls::{ASK_LISTENER, CallListener, FilterInstruction};
pub use dir::{Creation, Dir, Entry, FileKind, FileMode, Metadata, Name, Permissions};
pub use epoch::Epoch;
pub use error::{FsError, Operation};
#[cfg(target_os = "linux")]
pub use limits::withhold_descriptors;
pub use limits::{flush_horizon, make_room_for_open_files};
pub use lock::{FileLock, LockKind};
pub use mapped::MappedFile;
pub use memory::{give_back_large_buffers, prepare_heap, reserve_large};
pub use private::private_folder;

//! The content-addressed store: integrity, unpacking, package indexes, recovery after a power cut.
//!
//! Every file of every package is kept once, named by the BLAKE3 hash of its contents, and linked
//! from there into projects. What a package consists of stands in its index, named by the integrity
//! of its tarball:
//!
//! ```text
//! <root>/v1/files/3f/9a…c2       a file, mode 0644
//! <root>/v1/files/3f/9a…c2-x     the same contents with mode 0755: an inode of its own, because the
//!                                mode belongs to the inode that all projects share
//! <root>/v1/index/b1/07…       one package (see `index`)
//! <root>/v1/builds/5c/…        what scripts made of one package, in the same form, by its `BuildKey`
//! <root>/v1/unsynced/…           what may not be on the disk yet (see `periods`)
//! <root>/v1/tmp/…                files without their final name; nobody relies on them
//! <root>/v1/lock                 held shared by whoever uses the store, alone by recovery and by who empties it
//! ```
//!
//! - **Nothing of a tarball is written before its integrity was found to be right.**
//! - **An index is written after all files of its package, atomically.** So what a process that was
//!   killed leaves is files without an index, which the next import finds or completes.
//! - **No file is ever written twice or changed in place.** A file of the right name and size is
//!   taken for right; a shorter one is replaced by renaming.
//! - **Nothing is synced while installing.** What a power cut has torn is found when the store is
//!   opened the next time.

mod archive;
mod blobs;
mod builds;
mod error;
mod facts;
mod hash;
mod import;
mod index;
mod integrity;
mod keeper;
mod periods;
mod recovery;
mod store;

pub use builds::BuildKey;
pub use error::{ArchiveError, StoreError};
pub use hash::{BlobHash, BlobName};
pub use import::{AddedFile, Archive, Identity, Importer, top_folder};
pub use index::{IndexedDirectory, IndexedFile, ManifestFacts, PackageIndex};
pub use integrity::digest;
pub use keeper::{Keeper, StoredPackage};
pub use recovery::Recovery;
pub use store::Store;

//! Reading npm's tarballs: gzip around tar, from whoever published.
//!
//! What counts and what is refused follows npm's own unpacking, with its warnings made errors where
//! an entry would leave the package:
//!
//! - regular files only: links, devices, pipes and folders are passed over, as npm does;
//! - the first part of every path is dropped whatever it is called;
//! - of several entries with one path the last one counts;
//! - what follows the end of the archive is ignored (but hashed).
//!
//! `inflate` is about gzip, `deflate` about what is in it, `tar` about headers, `path` about names; none of
//! them writes anything.

mod deflate;
mod inflate;
mod path;
mod tar;

pub(crate) use inflate::{Inflated, Inflater, LARGEST_WHOLE, Stream, is_gzip};
pub(crate) use path::push_path;
pub(crate) use tar::{FileHeader, Limits, Memory, Walker};

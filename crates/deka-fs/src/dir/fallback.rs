//! Folders as paths, for systems without directory descriptors; tested on Unix as well.

//! Directory-relative file operations, atomic writes, locks, and the ways to link a file.

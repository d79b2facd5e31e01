//! For tests: a registry in the process, hostile tarballs, projects in temporary folders.

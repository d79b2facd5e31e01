//! Manifests, packuments and an older lockfile in, the dependency graph out.

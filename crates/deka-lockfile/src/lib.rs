//! bun.lock: read, compare with the manifests, write.

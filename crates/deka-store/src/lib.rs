//! The content-addressed store: integrity, unpacking, package indexes, recovery after a power cut.

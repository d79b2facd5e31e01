//! The pipeline: the one place where registry, resolver, store and linker meet.

//! The npm registry over HTTP: packuments, tarballs, authorization, retries, and the manifest cache.

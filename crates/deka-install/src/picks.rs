//! What becomes of a version the moment it is picked.

use deka_manifest::VersionManifest;
use deka_resolver::Observer;

use crate::engine::Engine;
use crate::report::Reporter;
use crate::tarballs;

/// Hears of picked versions, and has their tarballs fetched.
pub(crate) struct Picks<'a, 'e> {
    pub(crate) engine: &'a Engine<'e>,
    pub(crate) reporter: &'a dyn Reporter,
    /// Whether tarballs are of use already.
    pub(crate) are_fetched: bool,
}

impl Observer for Picks<'_, '_> {
    fn picked(&mut self, manifest: &VersionManifest) {
        if self.are_fetched {
            let (key, describe) = tarballs::of_manifest(manifest);
            self.engine.want(key, describe);
        }
    }

    fn progress(&mut self, done: usize, wanted: usize) {
        self.reporter.resolving(done, wanted);
    }
}

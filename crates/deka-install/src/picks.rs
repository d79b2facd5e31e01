//! What becomes of a version the moment it is picked.

use deka_linker::Identity;
use deka_manifest::VersionManifest;
use deka_resolver::Observer;
use hashbrown::HashSet;

use crate::install::Surroundings;
use crate::report::Reporter;
use crate::tarballs;

/// Hears of picked versions, and has their tarballs fetched.
pub(crate) struct Picks<'a, 'e> {
    pub(crate) surroundings: &'a Surroundings<'a, 'e>,
    pub(crate) reporter: &'a dyn Reporter,
    /// Whether tarballs are of use already.
    pub(crate) are_fetched: bool,
    /// What the last install has placed; if it is there no more, it is fetched once that is known.
    pub(crate) placed: HashSet<Identity>,
}

impl Picks<'_, '_> {
    fn is_placed(&self, manifest: &VersionManifest) -> bool {
        !self.placed.is_empty()
            && !manifest.integrity.is_empty()
            && self.placed.contains(&Identity::of_version(manifest))
    }
}

impl Observer for Picks<'_, '_> {
    fn picked(&mut self, manifest: &VersionManifest) {
        if self.are_fetched && !self.is_placed(manifest) {
            self.surroundings.want_all([tarballs::of_manifest(manifest)]);
        }
    }

    fn progress(&mut self, done: usize, wanted: usize) {
        self.reporter.resolving(done, wanted);
    }
}

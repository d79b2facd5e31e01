//! Manifests, packuments and an older lockfile in, the dependency graph out.
//!
//! ```text
//! Input ─► requests: what each edge asks for, after aliases, overrides and catalogs
//!            │  asked once per name and range; packuments come in any order
//!            ▼
//!          resolver: picks a version for each, phase by phase
//!            1. everything but peers     2. peers, batch by batch
//!            ▼
//!          collapse: as few versions as all ranges allow ─► prune ─► Graph
//! ```
//! No socket, no file, no clock: packuments come from a [`PackumentSource`], the rest is in the
//! [`Input`]. The answer is the same whatever order packuments come in, and the same as Bun 1.4's,
//! so that both write the same lockfile.

mod arena;
mod collapse;
mod error;
mod extensions;
mod finish;
mod foreign;
mod input;
mod locked;
mod overrides;
mod peers;
mod pick;
mod requests;
mod resolver;
mod source;
mod speculation;
mod warning;

pub use error::{Available, InvalidSpecOf, RequiredBy, ResolveError};
pub use extensions::{Added, Addition, Extensions};
pub use finish::Resolved;
pub use input::{Catalogs, Importer, Input, Locked, Options, Row, Update};
pub use overrides::{Dependent, Overrides};
pub use pick::{NoPick, Query, ReleaseAge, pick};
pub use source::{
    ForeignError, ForeignId, ForeignPackage, ForeignRequest, Observer, PackumentSource,
    SourceAnswer, SourceError,
};
pub use warning::Warning;

use resolver::Resolver;

/// Resolves a project.
///
/// Fails with the first dependency (in the order of the finished graph) that has to be there and
/// cannot be.
pub fn resolve(
    input: &Input<'_>,
    source: &mut dyn PackumentSource,
    observer: &mut dyn Observer,
) -> Result<Resolved, ResolveError> {
    let mut resolver = Resolver::new(input, source, observer);
    let importers = resolver.add_importers()?;
    resolver.load_locked(&importers);
    resolver.look_up_peer_aliases();
    for importer in importers {
        resolver.open_edges_of(importer);
        resolver.speculate_on(importer);
    }
    resolver.drain();
    resolver.resolve_peers();
    resolver.follow_moved();
    resolver.rebind_peers();
    resolver.collapse();
    resolver.rebind_peers();
    resolver.finish()
}

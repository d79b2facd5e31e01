//! Looking ahead, so that the network is busy while edges are decided in their order.
//!
//! When a packument comes, the versions that its ranges would get are looked up at once, and the
//! packuments of their dependencies are asked for. Mostly those are the versions that are picked
//! later; where not, a few packuments were asked for in vain. Nothing is decided here.

use std::sync::Arc;

use deka_graph::EdgeKind;
use deka_manifest::{Packument, VersionIndex, VersionManifest};
use hashbrown::HashMap;

use crate::Row;
use crate::arena::{Answer, NameId, NodeId, RequestId};
use crate::overrides::Dependent;
use crate::requests::Want;
use crate::resolver::Resolver;

/// What was looked at ahead of time.
#[derive(Debug, Default)]
pub(crate) struct Speculation {
    /// Versions that will probably be picked.
    manifests: HashMap<(NameId, VersionIndex), Guess>,
    /// Requests to look at.
    requests: Vec<(RequestId, bool)>,
    /// Requests that wait for a packument.
    waiting: HashMap<NameId, Vec<(RequestId, bool)>>,
    /// Packages whose edges have to wait until it is known what the root's aliases lead to.
    held_back: Vec<NodeId>,
}

#[derive(Debug)]
struct Guess {
    /// `None` after it was taken.
    manifest: Option<Box<VersionManifest>>,
    is_announced: bool,
}

impl Resolver<'_> {
    /// Looks at the edges of a package that was just added.
    pub(crate) fn speculate_on(&mut self, node: NodeId) {
        if self.requests.has_open_aliases(&self.arena) {
            self.speculation.held_back.push(node);
            return;
        }
        let is_announced = self.arena.node(node).is_announced;
        for edge in self.arena.edge_ids_of(node) {
            let state = self.arena.edge(edge);
            let row = state.row;
            if row.kind == EdgeKind::Peer || state.target.is_some() {
                continue;
            }
            let request = self.request_of(edge);
            if matches!(self.requests.get(request).want, Want::Foreign(_)) {
                self.ask_foreign(edge, request);
                continue;
            }
            self.speculation.requests.push((request, is_announced && is_installed(&row)));
        }
    }

    /// Asks for everything that will probably be needed.
    pub(crate) fn speculate(&mut self) {
        if !self.speculation.held_back.is_empty() && !self.requests.has_open_aliases(&self.arena) {
            for node in std::mem::take(&mut self.speculation.held_back) {
                self.speculate_on(node);
            }
        }
        while let Some((request, is_wanted)) = self.speculation.requests.pop() {
            let Want::Registry { name, .. } = self.requests.get(request).want else { continue };
            if self.is_settled(request) {
                continue;
            }
            match &self.arena.names[name.index()].answer {
                Answer::Here(packument) => {
                    let packument = Arc::clone(packument);
                    self.guess(request, &packument, is_wanted);
                }
                Answer::Failed(_) => {}
                Answer::Unasked | Answer::Asked => {
                    self.ask(name);
                    self.speculation.waiting.entry(name).or_default().push((request, is_wanted));
                }
            }
        }
    }

    /// Looks at the requests that waited for a packument.
    pub(crate) fn speculate_with(&mut self, name: NameId) {
        if let Some(requests) = self.speculation.waiting.remove(&name) {
            self.speculation.requests.extend(requests);
        }
    }

    /// Whether the answer is known without a packument, or will be taken from what is there.
    fn is_settled(&self, request: RequestId) -> bool {
        let request = self.requests.get(request);
        let Want::Registry { name, .. } = request.want else { return true };
        self.linked_workspace(request).is_some()
            || self.arena.names[name.index()].nodes.iter().any(|node| {
                let version = self.arena.node(*node).version();
                version.zip(request.range.as_ref()).is_some_and(|(v, range)| range.satisfies(v))
            })
    }

    /// Looks at the version that a request would get, and at what that depends on.
    fn guess(&mut self, request: RequestId, packument: &Packument, is_wanted: bool) {
        let Some((name, index)) = self.best(request) else { return };
        if self.speculation.manifests.contains_key(&(name, index)) {
            return;
        }
        let Ok(manifest) = packument.manifest(index) else { return };
        let is_first = self.arena.names[name.index()].nodes.is_empty()
            && !std::mem::replace(&mut self.arena.names[name.index()].is_guessed, true);
        // Who asks is not known here: what only a required dependency may install waits for it.
        let target = self.input.options.target;
        let is_accepted = target.is_none_or(|target| target.accepts_with_libc(&manifest.platforms));
        let is_announced = is_wanted && is_first && is_accepted;
        if is_announced {
            self.observer.picked(&manifest);
        }
        let dependent =
            Dependent { name: manifest.name.symbol(), version: Some(&manifest.version) };
        for row in self.rows_of(&manifest).0 {
            if row.kind != EdgeKind::Peer {
                let request = self.request_of_row(&row, dependent);
                let is_wanted = is_announced && is_installed(&row);
                self.speculation.requests.push((request, is_wanted));
            }
        }
        let guess = Guess { manifest: Some(Box::new(manifest)), is_announced };
        self.speculation.manifests.insert((name, index), guess);
    }

    /// Returns a version's manifest, and whether the observer has heard of it.
    pub(crate) fn take_manifest(
        &mut self,
        name: NameId,
        index: VersionIndex,
    ) -> Option<(Box<VersionManifest>, bool)> {
        if let Some(guess) = self.speculation.manifests.get_mut(&(name, index))
            && let Some(manifest) = guess.manifest.take()
        {
            return Some((manifest, guess.is_announced));
        }
        let Answer::Here(packument) = &self.arena.names[name.index()].answer else { return None };
        packument.manifest(index).ok().map(|manifest| (Box::new(manifest), false))
    }
}

/// Whether what an edge leads to gets a place of its own.
fn is_installed(row: &Row) -> bool {
    !row.bundled
}

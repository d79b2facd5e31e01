//! Dependencies that no registry has: folders, links, tarballs, repositories.
//!
//! They are asked for as early as packuments are, and answered in any order; but a package is added
//! only when the edge that wants it is decided, so that the order of answers means nothing.

use deka_graph::{Package, Resolution};
use deka_manifest::{Spec, Symbol};
use hashbrown::HashMap;

use crate::arena::{EdgeId, EdgeState, NodeId, Origin, RequestId};
use crate::requests::Want;
use crate::resolver::{Decision, Resolver};
use crate::{ForeignError, ForeignId, ForeignPackage, ForeignRequest};

/// What paths are relative to: the folder of the package that declares them, if it has one here.
type Base = Option<Symbol>;

/// Requests and their answers.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    ids: HashMap<(RequestId, Base), ForeignId>,
    answers: Vec<Answer>,
}

#[derive(Debug)]
enum Answer {
    Asked,
    Here(Box<ForeignPackage>),
    Added(NodeId),
    Failed(ForeignError),
}

impl Foreign {
    pub(crate) fn receive(&mut self, id: ForeignId, answer: Result<ForeignPackage, ForeignError>) {
        if let Some(slot @ Answer::Asked) = self.answers.get_mut(id.0 as usize) {
            *slot = match answer {
                Ok(package) => Answer::Here(Box::new(package)),
                Err(error) => Answer::Failed(error),
            };
        }
    }
}

impl Resolver<'_> {
    /// Asks for what an edge wants, unless that was done before.
    pub(crate) fn ask_foreign(&mut self, edge: EdgeId, request: RequestId) -> ForeignId {
        let EdgeState { row, owner, .. } = self.arena.edge(edge);
        let asked = self.requests.get(request);
        // What overrides and catalogs say stands in the root's manifest.
        let declared_by = if asked.spec == row.spec {
            self.arena.node(*owner).package.resolution.clone()
        } else {
            Resolution::Root
        };
        let key = (request, base(&declared_by));
        if let Some(id) = self.foreign.ids.get(&key) {
            return *id;
        }
        let id = ForeignId(self.foreign.answers.len() as u32);
        self.foreign.ids.insert(key, id);
        self.foreign.answers.push(Answer::Asked);
        if let Want::Foreign(spec) = &asked.want {
            let request = ForeignRequest { alias: row.alias, spec: spec.clone(), declared_by };
            self.source.request_foreign(id, request);
        }
        id
    }

    pub(crate) fn find_foreign(&mut self, edge: EdgeId, request: RequestId) -> Decision {
        let asked = self.requests.get(request);
        if matches!(asked.want, Want::Foreign(Spec::Folder(_)))
            && let Some(workspace) = self.workspaces.get(&asked.alias.to_package_name())
        {
            return Decision::Found(*workspace);
        }
        let id = self.ask_foreign(edge, request);
        if self.is_overridden(edge, request, id) {
            return self.decide(edge);
        }
        let answer = &mut self.foreign.answers[id.0 as usize];
        match answer {
            Answer::Asked => Decision::Blocked,
            Answer::Failed(_) => Decision::Missing,
            Answer::Added(node) => Decision::Found(*node),
            Answer::Here(_) => {
                let Answer::Here(found) = std::mem::replace(answer, Answer::Asked) else {
                    return Decision::Missing;
                };
                let node = self.add_foreign(*found);
                self.foreign.answers[id.0 as usize] = Answer::Added(node);
                Decision::Found(node)
            }
        }
    }

    /// Whether an override is about the package that was found, so that the edge asks for something
    /// else now.
    fn is_overridden(&mut self, edge: EdgeId, request: RequestId, id: ForeignId) -> bool {
        let asked = self.requests.get(request);
        let Want::Foreign(spec) = &asked.want else { return false };
        if asked.is_override || !spec.is_nameless() {
            return false;
        }
        let name = match &self.foreign.answers[id.0 as usize] {
            Answer::Here(found) => found.name,
            Answer::Added(node) => self.arena.node(*node).package.name,
            Answer::Asked | Answer::Failed(_) => return false,
        };
        let spec = spec.clone();
        self.override_by_name(edge, &spec, name.symbol())
    }

    /// Like [`Resolver::find_outside`], waiting for the answer.
    pub(crate) fn wait_for_outside(&mut self, edge: EdgeId, request: RequestId) -> Option<NodeId> {
        loop {
            match self.find_outside(edge, request) {
                Decision::Found(node) => return Some(node),
                Decision::Missing => return None,
                Decision::Blocked if self.receive_next() => {}
                Decision::Blocked => return None,
            }
        }
    }

    /// Returns why what an edge wants could not be fetched, in a few words.
    pub(crate) fn foreign_problem(&mut self, edge: EdgeId, request: RequestId) -> Option<String> {
        if !matches!(self.requests.get(request).want, Want::Foreign(_)) {
            return None;
        }
        let id = self.ask_foreign(edge, request);
        match &self.foreign.answers[id.0 as usize] {
            Answer::Failed(error @ ForeignError::Failed(_)) => Some(error.to_string()),
            _ => None,
        }
    }

    /// Returns why a dependency could not be had.
    pub(crate) fn take_foreign_error(&mut self, edge: EdgeId, request: RequestId) -> ForeignError {
        let id = self.ask_foreign(edge, request);
        let answer = std::mem::replace(&mut self.foreign.answers[id.0 as usize], Answer::Asked);
        match answer {
            Answer::Failed(error) => error,
            _ => ForeignError::Unsupported,
        }
    }

    fn add_foreign(&mut self, found: ForeignPackage) -> NodeId {
        let known = self.arena.node_ids().find(|id| {
            let package = &self.arena.node(*id).package;
            package.resolution == found.resolution
                && (package.name == found.name || self.arena.node(*id).is_importer())
        });
        if let Some(known) = known {
            return known;
        }
        let package = Package {
            name: found.name,
            resolution: found.resolution,
            integrity: found.integrity,
            bun_tag: found.bun_tag,
            platforms: found.platforms,
            has_install_script: found.has_install_script,
            bin: found.bin,
            edges: 0..0,
        };
        let id = self.arena.add_node(package, Origin::Picked, found.rows);
        self.open_edges_of(id);
        self.speculate_on(id);
        id
    }
}

fn base(declared_by: &Resolution) -> Base {
    match declared_by {
        Resolution::Root => Some(Symbol::new("")),
        Resolution::Workspace(path) | Resolution::Folder(path) => Some(*path),
        _ => None,
    }
}

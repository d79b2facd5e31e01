//! Packuments for the resolver: from the manifest cache at once, else from the network thread. What
//! no registry has is answered at once, too, if it lies on this machine; else it comes over the network.

use std::collections::VecDeque;
use std::sync::Arc;

use deka_manifest::{PackageName, Packument, Spec, Version};
use deka_registry::RegistryError;
use deka_resolver::{
    ForeignError, ForeignId, ForeignPackage, ForeignRequest, PackumentSource, SourceAnswer,
    SourceError,
};
use hashbrown::HashMap;

use crate::install::Surroundings;
use crate::local::Local;
use crate::network::{Answer, Command};
use crate::remote;

/// Answers the resolver.
pub(crate) struct Packuments<'a, 'e> {
    surroundings: &'a Surroundings<'a, 'e>,
    /// What lies on this machine.
    local: &'a Local,
    /// What was asked for of other servers, so that nothing is fetched twice.
    remote: HashMap<Spec, Remote>,
    /// What the cache or the disk had.
    ready: VecDeque<SourceAnswer>,
    under_way: usize,
    with_times: bool,
    /// What the `latest` tags of the packages in question name; `None` until seen.
    latest: HashMap<PackageName, Option<Version>>,
}

/// A dependency that another server has.
enum Remote {
    /// Who waits for it.
    Asked(Vec<ForeignId>),
    Answered(Result<ForeignPackage, ForeignError>),
}

impl<'a, 'e> Packuments<'a, 'e> {
    /// `watched` are the packages whose latest version is of interest.
    pub(crate) fn new(
        surroundings: &'a Surroundings<'a, 'e>,
        local: &'a Local,
        with_times: bool,
        watched: impl IntoIterator<Item = PackageName>,
    ) -> Self {
        let latest = watched.into_iter().map(|name| (name, None)).collect();
        Self {
            surroundings,
            local,
            remote: HashMap::new(),
            ready: VecDeque::new(),
            under_way: 0,
            with_times,
            latest,
        }
    }

    /// Returns the latest versions of the watched packages, as far as their packuments were asked for.
    pub(crate) fn into_latest(self) -> HashMap<PackageName, Option<Version>> {
        self.latest
    }

    fn note(&mut self, packument: &Packument) {
        if let Some(latest) = self.latest.get_mut(&packument.name()) {
            *latest = packument.dist_tag("latest").map(|index| packument.version(index).clone());
        }
    }
}

impl PackumentSource for Packuments<'_, '_> {
    fn request(&mut self, name: PackageName) {
        if let Some(packument) = self.surroundings.client().cached(name, self.with_times) {
            self.note(&packument);
            self.ready.push_back(SourceAnswer::Packument(name, Ok(Arc::new(packument))));
            return;
        }
        self.under_way += 1;
        self.surroundings.ask(Command::Packument { name, with_times: self.with_times });
    }

    fn request_foreign(&mut self, id: ForeignId, request: ForeignRequest) {
        if !remote::is_remote(&request.spec) {
            let answer = self.local.resolve(&request, self.surroundings.engine().store);
            self.ready.push_back(SourceAnswer::Foreign(id, answer));
            return;
        }
        if remote::is_refused(&request) {
            self.ready.push_back(SourceAnswer::Foreign(id, Err(ForeignError::Refused)));
            return;
        }
        match self.remote.get_mut(&request.spec) {
            Some(Remote::Asked(waiting)) => waiting.push(id),
            Some(Remote::Answered(answer)) => {
                self.ready.push_back(SourceAnswer::Foreign(id, answer.clone()));
            }
            None => {
                self.under_way += 1;
                self.surroundings.ask(Command::Foreign(request.spec.clone()));
                self.remote.insert(request.spec, Remote::Asked(vec![id]));
            }
        }
    }

    fn wait(&mut self) -> Option<SourceAnswer> {
        loop {
            if let Some(answer) = self.ready.pop_front() {
                return Some(answer);
            }
            if self.under_way == 0 {
                return None;
            }
            self.under_way -= 1;
            // An error means that the network thread has ended, which the engine reports.
            match self.surroundings.next_answer()? {
                Answer::Packument(name, answer) => {
                    if let Ok(packument) = &answer {
                        self.note(packument);
                    }
                    return Some(SourceAnswer::Packument(name, answer.map_err(source_error)));
                }
                Answer::Foreign(spec, answer) => {
                    let known = Remote::Answered(answer.clone());
                    if let Some(Remote::Asked(waiting)) = self.remote.insert(spec, known) {
                        let answers = waiting.into_iter();
                        self.ready
                            .extend(answers.map(|id| SourceAnswer::Foreign(id, answer.clone())));
                    }
                }
            }
        }
    }
}

fn source_error(error: RegistryError) -> SourceError {
    match error {
        RegistryError::NotFound { url, .. } => {
            SourceError::NotFound { asked: Some(url.to_string()) }
        }
        RegistryError::OfflinePackument { .. } => SourceError::Offline,
        other => SourceError::Failed(Box::new(other)),
    }
}

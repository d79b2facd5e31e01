//! Packuments for the resolver: from the manifest cache at once, else from the network thread. What
//! lies on this machine is answered at once, too; other kinds would come over the network thread.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use deka_manifest::{PackageName, Packument, Version};
use deka_registry::{Client, RegistryError};
use deka_resolver::{ForeignId, ForeignRequest, PackumentSource, SourceAnswer, SourceError};
use deka_store::Store;
use hashbrown::HashMap;

use crate::local::Local;
use crate::network::{Command, Network, PackumentAnswer};

/// Answers the resolver.
pub(crate) struct Packuments<'a> {
    client: Client,
    network: Network,
    answers: Receiver<PackumentAnswer>,
    /// What lies on this machine.
    local: &'a Local,
    store: &'a Store,
    /// What the cache or the disk had.
    ready: VecDeque<SourceAnswer>,
    under_way: usize,
    with_times: bool,
    /// What the `latest` tags of the packages in question name; `None` until seen.
    latest: HashMap<PackageName, Option<Version>>,
}

impl<'a> Packuments<'a> {
    /// `watched` are the packages whose latest version is of interest.
    pub(crate) fn new(
        client: Client,
        network: Network,
        answers: Receiver<PackumentAnswer>,
        (local, store): (&'a Local, &'a Store),
        with_times: bool,
        watched: impl IntoIterator<Item = PackageName>,
    ) -> Self {
        let latest = watched.into_iter().map(|name| (name, None)).collect();
        Self {
            client,
            network,
            answers,
            local,
            store,
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

impl PackumentSource for Packuments<'_> {
    fn request(&mut self, name: PackageName) {
        if let Some(packument) = self.client.cached(name, self.with_times) {
            self.note(&packument);
            self.ready.push_back(SourceAnswer::Packument(name, Ok(Arc::new(packument))));
            return;
        }
        self.under_way += 1;
        self.network.send(Command::Packument { name, with_times: self.with_times });
    }

    fn request_foreign(&mut self, id: ForeignId, request: ForeignRequest) {
        let answer = self.local.resolve(&request, self.store);
        self.ready.push_back(SourceAnswer::Foreign(id, answer));
    }

    fn wait(&mut self) -> Option<SourceAnswer> {
        if let Some(answer) = self.ready.pop_front() {
            return Some(answer);
        }
        if self.under_way == 0 {
            return None;
        }
        self.under_way -= 1;
        // An error means that the network thread has ended, which the engine reports.
        let (name, answer) = self.answers.recv().ok()?;
        if let Ok(packument) = &answer {
            self.note(packument);
        }
        Some(SourceAnswer::Packument(name, answer.map_err(source_error)))
    }
}

fn source_error(error: RegistryError) -> SourceError {
    match error {
        RegistryError::NotFound { .. } => SourceError::NotFound,
        RegistryError::OfflinePackument { .. } => SourceError::Offline,
        other => SourceError::Failed(Box::new(other)),
    }
}

//! Packuments for the resolver: from the manifest cache at once, else from the network thread.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use deka_manifest::{PackageName, Packument, Version};
use deka_registry::{Client, RegistryError};
use deka_resolver::{PackumentSource, SourceError};
use hashbrown::HashMap;

use crate::network::{Command, Network, PackumentAnswer};

/// Answers the resolver.
pub(crate) struct Packuments {
    client: Client,
    network: Network,
    answers: Receiver<PackumentAnswer>,
    /// What the cache had.
    ready: VecDeque<(PackageName, Arc<Packument>)>,
    under_way: usize,
    with_times: bool,
    /// What the `latest` tags of the packages in question name; `None` until seen.
    latest: HashMap<PackageName, Option<Version>>,
}

impl Packuments {
    /// `watched` are the packages whose latest version is of interest.
    pub(crate) fn new(
        client: Client,
        network: Network,
        answers: Receiver<PackumentAnswer>,
        with_times: bool,
        watched: impl IntoIterator<Item = PackageName>,
    ) -> Self {
        let latest = watched.into_iter().map(|name| (name, None)).collect();
        Self { client, network, answers, ready: VecDeque::new(), under_way: 0, with_times, latest }
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

impl PackumentSource for Packuments {
    fn request(&mut self, name: PackageName) {
        if let Some(packument) = self.client.cached(name, self.with_times) {
            self.ready.push_back((name, Arc::new(packument)));
            return;
        }
        self.under_way += 1;
        self.network.send(Command::Packument { name, with_times: self.with_times });
    }

    fn wait(&mut self) -> Option<(PackageName, Result<Arc<Packument>, SourceError>)> {
        let (name, answer) = if let Some((name, packument)) = self.ready.pop_front() {
            (name, Ok(packument))
        } else {
            if self.under_way == 0 {
                return None;
            }
            self.under_way -= 1;
            // An error means that the network thread has ended, which the engine reports.
            self.answers.recv().ok()?
        };
        if let Ok(packument) = &answer {
            self.note(packument);
        }
        Some((name, answer.map_err(source_error)))
    }
}

fn source_error(error: RegistryError) -> SourceError {
    match error {
        RegistryError::NotFound { .. } => SourceError::NotFound,
        RegistryError::OfflinePackument { .. } => SourceError::Offline,
        other => SourceError::Failed(Box::new(other)),
    }
}

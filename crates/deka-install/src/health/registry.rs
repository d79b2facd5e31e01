//! Whether the registry answers, lets us in, and has the same time.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use deka_config::Config;
use deka_registry::{Client, RegistryError};

use super::{Finding, Health, causes};

/// Nobody wants to wait longer for a doctor.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far clocks may be apart: certificates and release ages go by minutes at best.
const TOLERANCE: Duration = Duration::from_mins(5);

pub(super) fn examine(config: &Arc<Config>) -> Vec<Finding> {
    let url = config.registries.default_registry().url().clone();
    let origin = config.origin("registry");
    if config.network.offline {
        return vec![Finding::new("registry", Health::Unknown, "Not asked, because of --offline")];
    }
    let started = Instant::now();
    let date = match ask(config) {
        Ok(date) => date,
        Err(error) => {
            let advice = match &error {
                RegistryError::Unauthorized { .. } | RegistryError::Forbidden { .. } => format!(
                    "Look with `deka config list` which token is sent to {url}, and write a new one: \
                     `deka config set //…/:_authToken=…`"
                ),
                _ => format!(
                    "See whether the address is right; it is the {origin}. \
                     `deka config set registry=<url>` changes it"
                ),
            };
            return vec![Finding::problem("registry", causes(&error), advice)];
        }
    };
    let time = started.elapsed().as_millis();
    let login = if config.auth_for(&url).is_some() { ", and knows the token" } else { "" };
    let answer = format!("{url} answers{login} ({time} ms)");
    vec![Finding::good("registry", answer), clock(date, SystemTime::now())]
}

fn ask(config: &Config) -> Result<Option<SystemTime>, RegistryError> {
    let mut config = config.clone();
    let timeouts = &mut config.network.timeouts;
    timeouts.connect = timeouts.connect.min(PATIENCE);
    timeouts.idle = timeouts.idle.min(PATIENCE);
    timeouts.request = timeouts.request.min(PATIENCE);
    config.network.retries.count = 0;
    let client = Client::new(Arc::new(config), None)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // Without a runtime there is no time to compare with either.
    runtime.map_or(Ok(None), |runtime| runtime.block_on(client.ping()))
}

fn clock(theirs: Option<SystemTime>, ours: SystemTime) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::new("clock", Health::Unknown, "The registry does not say what time it is");
    };
    let (distance, word) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    if distance <= TOLERANCE {
        return Finding::good("clock", "The clock is that of the registry");
    }
    let minutes = distance.as_secs() / 60;
    let message = format!("The clock is {minutes} minutes {word} that of the registry");
    Finding::problem("clock", message, "Set the clock: certificates and release ages go by it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        let now = SystemTime::now();
        let check = |theirs: Option<SystemTime>, health: Health, text: &str| {
            let finding = clock(theirs, now);
            assert_eq!(finding.health, health);
            assert!(finding.message.contains(text), "{finding:?}");
        };
        check(None, Health::Unknown, "not say");
        check(Some(now), Health::Good, "that of the registry");
        check(Some(now - Duration::from_mins(3)), Health::Good, "");
        check(Some(now - Duration::from_mins(90)), Health::Problem, "90 minutes ahead of");
        check(Some(now + Duration::from_mins(90)), Health::Problem, "90 minutes behind");
    }
}

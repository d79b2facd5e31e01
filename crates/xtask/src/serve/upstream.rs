//! The registry that is recorded. curl asks it, because curl is everywhere, knows proxies and
//! certificates, and leaves nothing to build.

use std::process::Command;

use tokio::sync::Semaphore;

/// Requests at once: enough to be done soon, few enough to be polite.
const AT_ONCE: usize = 12;

/// A registry to record.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// With a slash at its end.
    url: String,
    turns: Semaphore,
}

impl Upstream {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: format!("{}/", url.trim_end_matches('/')), turns: Semaphore::new(AT_ONCE) }
    }

    /// Gets what is at a path, which has no slash at its start.
    pub(crate) async fn get(&self, path: &str) -> Result<Vec<u8>, String> {
        let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
        let url = format!("{}{path}", self.url);
        tokio::task::spawn_blocking(move || get(&url)).await.map_err(|error| error.to_string())?
    }
}

fn get(url: &str) -> Result<Vec<u8>, String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--location", "--compressed"])
        .args(["--retry", "3", "--max-time", "300", "--", url])
        .output()
        .map_err(|error| format!("starting curl: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("getting {url}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

//! Other systems: there is no sandbox.

use super::{Policy, Support};

pub(super) fn support() -> Support {
    Support { files: false, network: false }
}

/// Nobody hears of anything.
pub(crate) enum Listener {}

impl Listener {
    pub(crate) fn refuse_all(self, _hear: impl FnMut()) {
        match self {}
    }
}

#[expect(clippy::unnecessary_wraps, reason = "Linux can fail")]
pub(super) fn enter(_policy: &Policy) -> Result<Option<Listener>, String> {
    Ok(None)
}

//! Other systems: there is no sandbox.

use super::{Policy, Support};

pub(super) fn support() -> Support {
    Support { files: false, network: false }
}

#[expect(clippy::unnecessary_wraps, reason = "Linux can fail")]
pub(super) fn enter(_policy: &Policy) -> Result<(), String> {
    Ok(())
}

//! What is said when deka itself is at fault.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::render_error;

/// Makes a panic on any thread end the process with a message that can be reported.
///
/// The process ends at once, as it would after a kill: store and `node_modules` are made to stand
/// that.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|panic| {
        render_error::print(&diagnostic(panic));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = std::io::Write::write_all(
                &mut anstream::stderr(),
                format!("\n{backtrace}\n").as_bytes(),
            );
        }
        #[expect(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "a panic leaves no way back to `main`"
        )]
        std::process::exit(i32::from(Class::Internal.exit_code()));
    }));
}

fn diagnostic(panic: &PanicHookInfo<'_>) -> Diagnostic {
    let place = panic.location().map_or_else(
        || "an unknown place".to_owned(),
        |place| format!("{}:{}:{}", place.file(), place.line(), place.column()),
    );
    let message = panic.payload_as_str().unwrap_or("no message");
    Diagnostic::new(Class::Internal, "This is a bug in deka")
        .detail("at", place)
        .detail("message", message)
        .detail("version", env!("CARGO_PKG_VERSION"))
        .hint(
            "Please report it with this text; `RUST_BACKTRACE=1` and `DEKA_DEBUG=1` tell more. \
             What was installed so far is repaired by the next `deka install`",
        )
}

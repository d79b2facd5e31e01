//! Arguments of `deka init`.

use std::ffi::OsString;

use clap::Args;

/// Arguments of `deka init`.
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// A template: `deka init vite` is `deka create vite`
    #[arg(value_name = "template")]
    pub(crate) template: Option<OsString>,

    /// What the template is told
    #[arg(value_name = "argument", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,

    /// Ask nothing
    #[arg(long, short)]
    pub(crate) yes: bool,
}

pub(super) const AFTER_HELP: &str = "\
On a terminal it asks, with answers to choose by Enter; elsewhere, and with `--yes`, it takes those. A
package.json that is there keeps what it says and its form, and gets what it lacks.

Examples:
  deka init                     Ask, and write package.json and .gitignore
  deka init -y                  Ask nothing
  deka init -y --cwd my-lib     In another folder
  deka init vite my-app         The same as deka create vite my-app";

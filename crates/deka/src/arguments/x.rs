//! Arguments of `deka x` and `deka create`.

use std::ffi::OsString;

use clap::{Args, ValueHint};

pub(super) const AFTER_HELP_X: &str = "\
A package that the project has is run as it is there. Any other is installed into a folder of its own in the
cache, where an exact version stays, and a tag, a range or a name alone is looked up again after a day. Its
scripts, and those of its dependencies, run only if they are trusted, as with `deka install`.

A link to deka with the name `dekax` does the same.

Examples:
  deka x cowsay hi                        Run the command of a package
  deka x eslint@8 --fix src               In a version
  deka x -p typescript tsc --init         A command that is not called like its package
  deka x -p a -p b run-both               With several packages
  deka x --no-install prettier .          Only if it is there already";

pub(super) const AFTER_HELP_CREATE: &str = "\
A template is a package whose name begins with `create-`; it is run as by `deka x`.

Examples:
  deka create vite my-app                 create-vite
  deka create vite@latest my-app          In a version
  deka create @scope                      @scope/create
  deka create @scope/app my-app           @scope/create-app";

/// Arguments of `deka x`.
#[derive(Debug, Args)]
pub(crate) struct XArguments {
    /// The package, and what its command is given
    #[arg(value_name = "package", trailing_var_arg = true, required = true)]
    pub(crate) command: Vec<OsString>,

    /// The package to install, where the command has another name
    #[arg(short, long, value_name = "package")]
    pub(crate) package: Vec<String>,

    /// Fail if it is not installed
    #[arg(long)]
    pub(crate) no_install: bool,

    #[command(flatten)]
    pub(crate) source: SourceArguments,

    // What npx and Bun have and what says nothing here: nobody is asked, and Node.js runs it.
    #[arg(short, long, hide = true)]
    yes: bool,
    #[arg(short, long, hide = true)]
    bun: bool,
}

/// Arguments of `deka create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// The template, and what it is given
    #[arg(value_name = "template", trailing_var_arg = true, required = true)]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    pub(crate) source: SourceArguments,

    #[arg(short, long, hide = true)]
    yes: bool,
    #[arg(short, long, hide = true)]
    bun: bool,
}

/// Where packages come from that are there to be run.
#[derive(Debug, Default, Args)]
pub(crate) struct SourceArguments {
    /// The default registry
    #[arg(long, value_name = "url", value_hint = ValueHint::Url)]
    pub(crate) registry: Option<String>,

    /// Do not touch the network
    #[arg(long)]
    pub(crate) offline: bool,

    /// Use cached package metadata whatever its age
    #[arg(long)]
    pub(crate) prefer_offline: bool,

    /// Do not run lifecycle scripts
    #[arg(long)]
    pub(crate) ignore_scripts: bool,
}

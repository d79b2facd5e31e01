//! The command line: what can be written, and what it means for the settings.
//!
//! Help texts come from the structs here. Flags of other package managers are in [`foreign`].

mod adding;
mod asking;
mod config;
mod deferred;
mod doctor;
mod flow;
mod foreign;
mod init;
mod install;
mod list;
mod mistakes;
mod patch;
mod pm;
mod prune;
mod run;
mod version;
mod why;
mod x;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueHint};

use crate::diagnostic::Diagnostic;

pub(crate) use adding::UpdateArguments;
pub(crate) use asking::{
    AuditArguments, DiffArguments, InfoArguments, OutdatedArguments, SearchArguments,
};
pub(crate) use config::{
    ConfigArguments, ConfigCommand, ConfigGetArguments, ConfigSetArguments, Location,
};
use deferred::Deferred;
pub(crate) use doctor::DoctorArguments;
pub(crate) use init::InitArguments;
pub(crate) use install::InstallArguments;
pub(crate) use list::{LicensesArguments, LsArguments, ScopeArguments};
pub(crate) use mistakes::nearest;
pub(crate) use patch::{PatchArguments, PatchCommitArguments, PatchesFolder};
pub(crate) use pm::{
    BinArguments, CacheArguments, CacheCleanArguments, CacheCommand, CacheLsArguments,
    ListArguments, MigrateArguments, PkgArguments, PkgCommand, PmArguments, PmCommand,
    TrustArguments,
};
pub(crate) use prune::PruneArguments;
pub(crate) use run::{ExecArguments, RunArguments, ScriptArguments};
pub(crate) use version::VersionArguments;
pub(crate) use why::WhyArguments;
pub(crate) use x::{CreateArguments, SourceArguments, XArguments};

/// What deka is told.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) common: CommonArguments,
    pub(crate) command: Command,
}

/// deka installs npm packages: fast, safely, and with Bun's lockfile.
#[derive(Debug, Parser)]
#[command(
    name = "deka",
    bin_name = "deka",
    version,
    disable_version_flag = true,
    disable_help_subcommand = true,
    disable_help_flag = true,
    subcommand_required = true,
    arg_required_else_help = true,
    allow_external_subcommands = true,
    external_subcommand_value_parser = clap::value_parser!(OsString),
    max_term_width = 100,
    after_help = AFTER_HELP
)]
struct Root {
    #[command(flatten)]
    common: CommonArguments,

    /// Print the version
    #[arg(short = 'v', short_alias = 'V', long, action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// Print help; `deka help <command>` says all about a command
    #[arg(short = 'h', long, global = true, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

impl Arguments {
    /// Returns the definition of the command line, all of it.
    pub(crate) fn command() -> clap::Command {
        let root = Root::command();
        let about = root.get_about().cloned();
        Command::augment_subcommands(root).about(Resettable::from(about))
    }

    /// Returns the definition without the commands that are none of these words: each would be given a copy
    /// of all flags that are for all commands.
    fn command_of(words: &[OsString]) -> clap::Command {
        let all = Command::augment_subcommands(clap::Command::new("deka"));
        let is_wanted = |command: &&clap::Command| {
            let mut names = std::iter::once(command.get_name()).chain(command.get_all_aliases());
            names.any(|name| words.iter().any(|word| word == name))
        };
        Root::command().subcommands(all.get_subcommands().filter(is_wanted).cloned())
    }

    fn read(command: &mut clap::Command, words: &[OsString]) -> Result<Self, clap::Error> {
        let mut matches = command.try_get_matches_from_mut(words)?;
        let Root { common, .. } = Root::from_arg_matches_mut(&mut matches)?;
        Ok(Self { common, command: Command::from_arg_matches_mut(&mut matches)? })
    }
}

const AFTER_HELP: &str = "\
Examples:
  deka install                  Install what package.json and bun.lock say
  deka ci                       The same, and fail if bun.lock is out of date
  deka add react                Add a package to package.json and install it
  deka remove react             The opposite
  deka update                   Newer versions, as far as package.json allows
  deka install --production     Leave out devDependencies
  deka install --offline        Install from the cache alone
  deka run build                Run a script of package.json; deka build does the same
  deka completions zsh          Teach your shell these commands

`deka help install` shows all flags, `deka help exit-codes` the exit codes.
Settings come from .npmrc, bunfig.toml, the environment and flags, the last being the strongest.";

/// What deka is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install the dependencies of a project
    #[command(visible_alias = "i", after_help = install::AFTER_HELP)]
    Install(Box<Deferred<InstallArguments>>),

    /// Install exactly what bun.lock says; fail if it is out of date
    #[command(alias = "clean-install", alias = "install-clean", after_help = install::AFTER_HELP_CI)]
    Ci(Box<Deferred<InstallArguments>>),

    /// Make a project of the folder: a package.json
    #[command(after_help = init::AFTER_HELP)]
    Init(Box<Deferred<InitArguments>>),

    /// Add packages to package.json, and install them
    #[command(visible_alias = "a", after_help = adding::AFTER_HELP_ADD)]
    Add(Box<Deferred<InstallArguments>>),

    /// Remove packages from package.json, and uninstall them
    #[command(
        visible_alias = "rm",
        aliases = ["r", "uninstall", "un"],
        after_help = adding::AFTER_HELP_REMOVE,
    )]
    Remove(Box<Deferred<InstallArguments>>),

    /// Update packages to newer versions, within package.json's ranges or beyond
    #[command(
        visible_alias = "up",
        alias = "upgrade",
        after_help = adding::AFTER_HELP_UPDATE,
    )]
    Update(Box<Deferred<UpdateArguments>>),

    /// Take versions out of bun.lock that others can stand in for
    #[command(alias = "ddp", after_help = DEDUPE_HELP)]
    Dedupe(Box<Deferred<DedupeArguments>>),

    /// Use a package that is under development from where it is
    #[command(alias = "ln", after_help = adding::AFTER_HELP_LINK)]
    Link(Box<Deferred<InstallArguments>>),

    /// Undo `deka link` in the folder of a package
    #[command(after_help = UNLINK_HELP)]
    Unlink(UnlinkArguments),

    /// Change the files of a package, and keep the changes as a patch
    #[command(after_help = patch::AFTER_HELP)]
    Patch(Box<Deferred<PatchArguments>>),

    /// Make a patch of what was edited
    #[command(hide = true, after_help = patch::AFTER_HELP_COMMIT)]
    PatchCommit(Box<Deferred<PatchCommitArguments>>),

    /// Change the version of the package, and commit and tag it
    #[command(after_help = version::AFTER_HELP)]
    Version(Box<Deferred<VersionArguments>>),

    /// Run a script of package.json, or list them
    #[command(visible_alias = "run-script", after_help = run::AFTER_HELP_RUN)]
    Run(Box<RunArguments>),

    /// Run the script `test`
    #[command(aliases = ["t", "tst"], after_help = run::AFTER_HELP_TEST)]
    Test(ScriptArguments),

    /// Run the script `start`
    #[command(after_help = run::AFTER_HELP_START)]
    Start(ScriptArguments),

    /// Run the script `stop`
    #[command(after_help = run::AFTER_HELP_STOP)]
    Stop(ScriptArguments),

    /// Run the script `restart`, or `stop` and `start`
    #[command(after_help = run::AFTER_HELP_RESTART)]
    Restart(ScriptArguments),

    /// Run a command with those of the dependencies in PATH
    #[command(after_help = run::AFTER_HELP_EXEC)]
    Exec(ExecArguments),

    /// Run the command of a package that need not be installed
    #[command(visible_alias = "dlx", after_help = x::AFTER_HELP_X)]
    X(XArguments),

    /// Make a project from a template
    #[command(after_help = x::AFTER_HELP_CREATE)]
    Create(CreateArguments),

    /// Look at what is installed, and decide whose scripts run
    #[command(after_help = pm::AFTER_HELP)]
    Pm(Deferred<PmArguments>),

    /// List what is installed
    #[command(visible_alias = "ls", aliases = ["la", "ll"], after_help = list::AFTER_HELP)]
    List(Box<Deferred<LsArguments>>),

    /// List the licenses of installed packages
    #[command(alias = "license", after_help = list::AFTER_HELP_LICENSES)]
    Licenses(Box<Deferred<LicensesArguments>>),

    /// Explain why a package is installed
    #[command(alias = "explain", after_help = why::AFTER_HELP)]
    Why(Box<Deferred<WhyArguments>>),

    /// Show settings and where they come from, or change them
    #[command(alias = "c", after_help = config::AFTER_HELP)]
    Config(Box<Deferred<ConfigArguments>>),

    /// Remove installed packages that nobody asks for
    #[command(after_help = prune::AFTER_HELP)]
    Prune(Deferred<PruneArguments>),

    /// Find out what is wrong with registry, cache and project
    #[command(after_help = doctor::AFTER_HELP)]
    Doctor(Deferred<DoctorArguments>),

    /// Show which dependencies have newer versions
    #[command(after_help = asking::OUTDATED_HELP)]
    Outdated(Box<Deferred<OutdatedArguments>>),

    /// Show what the registry says about a package
    #[command(visible_alias = "view", aliases = ["show", "v"], after_help = asking::INFO_HELP)]
    Info(Box<Deferred<InfoArguments>>),

    /// Search the registry
    #[command(after_help = asking::SEARCH_HELP)]
    Search(Box<Deferred<SearchArguments>>),

    /// Show which installed packages have known vulnerabilities, and mend what can be
    #[command(after_help = asking::AUDIT_HELP)]
    Audit(Box<Deferred<AuditArguments>>),

    /// Show what differs between two versions of a package
    #[command(after_help = asking::DIFF_HELP)]
    Diff(Box<Deferred<DiffArguments>>),

    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(Deferred<CompletionsArguments>),

    /// Write the pages of the documentation
    #[command(hide = true)]
    GenerateDocs(DocsArguments),

    /// Print help for a command or topic
    #[command(after_help = HELP_HELP)]
    Help(HelpArguments),

    /// A script or a command of a dependency, where no command has the name.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Whether it starts what is the user's own, with the limits that the user has set.
    pub(crate) const fn runs_what_is_the_users(&self) -> bool {
        matches!(
            self,
            Self::Run(_)
                | Self::Test(_)
                | Self::Start(_)
                | Self::Stop(_)
                | Self::Restart(_)
                | Self::Exec(_)
                | Self::X(_)
                | Self::Create(_)
                | Self::Init(_)
                | Self::Other(_)
        )
    }
}

const DEDUPE_HELP: &str = "\
Where bun.lock has several versions of a package, dependencies are led to as few of them as their ranges
allow. Nothing is asked of the registry, and no version comes in that was not there.

Examples:
  deka dedupe                   Change bun.lock, and install
  deka dedupe --check           Fail if there is something to do, as in CI
  deka dedupe --dry-run         Show what would change
  deka dedupe --lockfile-only   Change bun.lock, install nothing";

const UNLINK_HELP: &str = "\
Examples:
  deka unlink                   In the folder of the package: projects can't link it by its name any more
  deka remove my-lib            In a project: use it no longer";

const HELP_HELP: &str = "\
Examples:
  deka help                     All commands
  deka help add                 All about one, with all its flags
  deka help exit-codes          What the exit codes mean";

const COMPLETIONS_HELP: &str = "\
The shell asks deka while one types, so it knows the scripts of the project (`deka run <TAB>`), its dependencies
(remove, update) and the packages of bun.lock (why, patch) as well.

Examples:
  deka completions bash > ~/.local/share/bash-completion/completions/deka
  deka completions zsh > \"${fpath[1]}/_deka\"
  deka completions fish > ~/.config/fish/completions/deka.fish
  deka completions powershell >> $PROFILE";

/// Flags that every command has.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "General")]
pub(crate) struct CommonArguments {
    /// Run as if started in this folder
    #[arg(
        long,
        global = true,
        value_name = "folder",
        value_hint = ValueHint::DirPath,
        aliases = ["dir", "prefix"],
        short_alias = 'C'
    )]
    pub(crate) cwd: Option<PathBuf>,

    /// Read this file in place of the project's bunfig.toml
    #[arg(short, long, global = true, value_name = "file", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Read this file in place of ~/.npmrc
    #[arg(long, global = true, hide = true, value_name = "file", value_hint = ValueHint::FilePath)]
    pub(crate) userconfig: Option<PathBuf>,

    /// Read this file in place of npm's global npmrc
    #[arg(long, global = true, hide = true, value_name = "file", value_hint = ValueHint::FilePath)]
    pub(crate) globalconfig: Option<PathBuf>,

    /// Print nothing but errors
    #[arg(long, short_alias = 's', global = true, help_heading = "Output")]
    pub(crate) silent: bool,

    /// Print nothing but warnings and errors
    #[arg(long, short_alias = 'q', global = true, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Print what happens inside, as `DEKA_DEBUG=1` does
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) verbose: bool,

    /// Write down what happens when, as a trace for Chrome or Perfetto
    #[arg(
        long,
        global = true,
        value_name = "file",
        value_hint = ValueHint::FilePath,
        help_heading = "Output"
    )]
    pub(crate) timeline: Option<PathBuf>,

    /// Set by level what is printed
    #[arg(long, global = true, hide = true, value_name = "level")]
    pub(crate) loglevel: Option<String>,

    /// Use colours, also where there is no terminal
    #[arg(
        long,
        global = true,
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        value_name = "when",
        default_missing_value = "always"
    )]
    color: Option<String>,

    /// Use no colours
    #[arg(long, global = true, hide = true, overrides_with = "color")]
    no_color: bool,
}

impl CommonArguments {
    /// Returns what flags say about colour.
    pub(crate) fn color(&self) -> Option<bool> {
        if self.no_color {
            return Some(false);
        }
        match self.color.as_deref()? {
            "always" | "true" => Some(true),
            "never" | "false" => Some(false),
            _ => None,
        }
    }
}

/// Arguments of `deka dedupe`.
#[derive(Debug, Args)]
pub(crate) struct DedupeArguments {
    /// Change nothing, and fail if there are versions that could be removed
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

/// Arguments of `deka unlink`.
#[derive(Debug, Args)]
pub(crate) struct UnlinkArguments {
    // Taken, so that what to do instead can be said.
    #[arg(value_name = "package", hide = true)]
    pub(crate) packages: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `deka completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "shell")]
    pub(crate) shell: clap_complete::Shell,
}

/// Arguments of `deka generate-docs`.
#[derive(Debug, Args)]
pub(crate) struct DocsArguments {
    /// Where to
    #[arg(value_name = "folder")]
    pub(crate) folder: PathBuf,
}

/// Arguments of `deka help`.
#[derive(Debug, Args)]
pub(crate) struct HelpArguments {
    /// A command, or `exit-codes`
    #[arg(value_name = "topic")]
    pub(crate) topic: Option<String>,
}

/// What a command line turned out to be.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A command to run.
    Run(Box<Arguments>),
    /// A text that was asked for: help, or the version.
    Print(String),
}

/// Reads the command line, the name of the program first.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Parsed, Diagnostic> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments
        .first()
        .is_some_and(|program| Path::new(program).file_stem() == Some("dekax".as_ref()))
    {
        arguments.insert(1, "x".into());
    }
    let mut command = Arguments::command_of(&arguments);
    let arguments = foreign::rewrite(arguments, &command);
    if arguments.len() <= 1 {
        return help(None).map(Parsed::Print);
    }
    let wants_help = arguments.iter().any(|argument| argument == "--help" || argument == "-h");
    let parsed = Arguments::read(&mut command, &arguments).or_else(|error| {
        if error.kind() == clap::error::ErrorKind::DisplayVersion {
            return Err(error);
        }
        // What is wrong is told by who knows all commands.
        command = if wants_help { with_help() } else { Arguments::command() };
        Arguments::read(&mut command, &arguments)
    });
    match parsed {
        Ok(arguments) => {
            // The process ends before long, and to take the definition apart takes a while.
            std::mem::forget(command);
            Ok(Parsed::Run(Box::new(arguments)))
        }
        Err(error) => match error.kind() {
            // npm and Bun print the number alone, and scripts read it.
            clap::error::ErrorKind::DisplayVersion => {
                Ok(Parsed::Print(concat!(env!("CARGO_PKG_VERSION"), "\n").to_owned()))
            }
            clap::error::ErrorKind::DisplayHelp => {
                Ok(Parsed::Print(error.render().ansi().to_string()))
            }
            _ => Err(mistakes::diagnostic(&error, &command)),
        },
    }
}

/// Says that there is neither a command nor a script of this name.
pub(crate) fn unknown_command(name: &str, scripts: &[&str]) -> Diagnostic {
    mistakes::unknown_command(name, scripts, &Arguments::command())
}

/// Returns the definition with all that is only described where it is wanted.
fn with_help() -> clap::Command {
    let mut command = Arguments::command();
    command.build();
    flow::flowing(command)
}

/// Returns the help of deka, or of one command.
pub(crate) fn help(name: Option<&str>) -> Result<String, Diagnostic> {
    let mut command = with_help();
    let Some(name) = name else {
        return Ok(command.render_help().ansi().to_string());
    };
    match command.find_subcommand_mut(name) {
        Some(found) => Ok(found.render_help().ansi().to_string()),
        None => Err(mistakes::unknown_command(name, &[], &command)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Parsed, parse, with_help};

    #[test]
    fn all_help_has_examples() {
        fn check(command: &clap::Command, name: &str) {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(command.is_hide_set() || text.contains("Examples:\n"), "{name} has none");
            for inner in command.get_subcommands() {
                check(inner, &format!("{name} {}", inner.get_name()));
            }
        }
        check(&with_help(), "deka");
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn versions() {
        for flag in ["--version", "-v", "-V"] {
            let arguments = ["deka", flag].map(Into::into);
            let Ok(Parsed::Print(text)) = parse(arguments.into_iter()) else {
                panic!("{flag} prints no version")
            };
            assert_eq!(text, concat!(env!("CARGO_PKG_VERSION"), "\n"));
        }
    }
}

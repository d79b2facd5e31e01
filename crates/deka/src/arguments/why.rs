//! Arguments of `deka why`.

use clap::Args;

/// Arguments of `deka why`.
#[derive(Debug, Args)]
pub(crate) struct WhyArguments {
    /// The package: `react`, `@types/*`, `react@^19`
    #[arg(value_name = "package")]
    pub(crate) package: String,

    /// Show only who asks for the package, not who asks for those
    #[arg(long, conflicts_with = "depth")]
    pub(crate) top: bool,

    /// Show only so many steps, who asks for the package being the first
    #[arg(long, value_name = "number")]
    pub(crate) depth: Option<usize>,

    /// Look at what is there for all projects
    #[arg(short, long)]
    pub(crate) global: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const AFTER_HELP: &str = "\
Examples:
  deka why react                Who asks for react, and for those, up to the project
  deka why react@18             The same for one of several versions
  deka why '@types/*' --top     Only who asks for them
  deka why react --json         The same for programs

It is answered from bun.lock alone. Who is nearest to the project comes first; what stands elsewhere
already is marked `*deduped`.";

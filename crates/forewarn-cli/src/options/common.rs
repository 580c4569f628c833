use clap::Args;

/// What every command takes.
#[derive(Args)]
pub(crate) struct Common {
    /// Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

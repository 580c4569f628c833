use crate::{command::Common, error::CliError, printable, terminal};
use clap::Args;
use forewarn_server::{Stop, WatchConfig, watch};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

/// Run the live service: metrics in, events out, nothing lost
///
/// Reads what its configuration names, warns, judges its warnings, and writes one JSON object a line to the file of
/// events, each event once over crashes and restarts. It ends when its source does, or on SIGINT or SIGTERM, after the
/// minute that it is at.
#[derive(Args)]
pub(crate) struct Watch {
    /// Configuration as TOML: [model], [source], [store], [events], [budget], [engine]
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Watch {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let config = WatchConfig::from_path(&self.config)?;
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        let mut report = |line: &str| {
            if !common.quiet {
                eprintln!("{}", printable::text(line));
            }
        };
        let summary = watch(&config, &Stop::from(flag), &mut report)?;
        terminal::print(&format!(
            "{} minutes and {} rows after {} replayed records: {} warnings, {} failures\nEvents: {}",
            summary.minutes,
            summary.rows,
            summary.replayed,
            summary.warnings,
            summary.failures,
            config.events.path.display()
        ))
    }
}

use crate::{
    error::CliError,
    options::common::Common,
    output::{printable, terminal},
    service::page::page,
};
use clap::Args;
use forewarn::live::Shard;
use forewarn_server::{Running, Stop, WatchConfig, WatchOptions, start_log};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

/// Run the live service: metrics in, events out
///
/// Reads the source of its configuration, raises warnings, judges them, and writes one JSON object a line to the file
/// of events: each event exactly once, over crashes and restarts. It ends with its source, or after the current
/// minute on SIGINT or SIGTERM. On SIGHUP it reads its configuration again; the last good one stays if the new one is
/// wrong.
#[derive(Args)]
pub(crate) struct Watch {
    /// Configuration as TOML: [model], [source], [store], [events], and more
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The shard, such as 2/5, in place of that of the configuration
    #[arg(long, value_name = "NUMBER/COUNT")]
    shard: Option<Shard>,
}

impl Watch {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let config = WatchConfig::from_path(&self.config)?.with_shard(self.shard);
        start_log(&config.log)?;
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        let mut report = |line: &str| {
            if !common.quiet {
                eprintln!("{}", printable::text(line));
            }
        };
        let events = config.events.path.display().to_string();
        let reload = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&reload))?;
        let mut options =
            WatchOptions::default().with_config_file(&self.config).with_reload(reload).with_pages(page);
        options.shard = self.shard;
        let summary = Running::start(config, options)?.wait(&Stop::from(flag), &mut report)?;
        terminal::print(&format!(
            "{} minutes and {} rows after {} replayed records: {} warnings, {} failures\nEvents: {}",
            summary.minutes, summary.rows, summary.replayed, summary.warnings, summary.failures, events
        ))
    }
}

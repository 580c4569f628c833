//! A simulated shop, a model that is trained on it, and the live service with its page.

mod folder;
mod live;
mod once;
mod shop;
mod story;
mod summary;
mod training;

use crate::{
    error::CliError,
    options::{common::Common, question::SEED},
    output::{progress::Reporter, terminal},
};
use clap::Args;
use folder::{DemoFolder, Made};
use std::path::PathBuf;

/// Show a simulated shop, a model trained on it, and the live service with its page in the browser
///
/// Trains a model on twelve simulated days of a shop of four services, lets a day pass, and then runs the live
/// service at --speed, with the page and the API on 127.0.0.1. Faults come by themselves, some are planned, and the
/// page injects more. Everything lies in one folder. Ctrl-C ends it.
#[derive(Args)]
pub(crate) struct Demo {
    /// Simulated seconds in a second
    #[arg(long, value_name = "N", default_value_t = 60.0, value_parser = speed, conflicts_with = "once")]
    speed: f64,
    /// Simulated minutes after which it ends [default: it goes on]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=525_600), conflicts_with = "once")]
    minutes: Option<u32>,
    /// No page: an hour of simulated time as fast as it goes, and a summary
    #[arg(long)]
    once: bool,
    /// Port of the page; the next free one if it is taken
    #[arg(long, value_name = "N", default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..),
          conflicts_with = "once")]
    port: u16,
    /// Folder for the model, the configuration and what the service keeps; one that is there is gone on with
    /// [default: a temporary one, which is removed at the end]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Seed of the shop [default: 7, or that of the folder]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// A number above 0.
fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "expected a number such as 60")?;
    if speed > 0.0 && speed <= 100_000.0 {
        Ok(speed)
    } else {
        Err("expected more than 0, up to 100000".to_owned())
    }
}

/// Simulated minutes before the page is shown, so that it has a past.
const HISTORY_MINUTES: usize = 24 * 60;
/// Simulated minutes of `--once`.
const ONCE_MINUTES: usize = 60;

impl Demo {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let progress = Reporter::new(common.quiet);
        let made = if self.once { Made::AtAFixedTime } else { Made::Now };
        let mut folder = DemoFolder::open(self.folder.as_deref(), self.seed, made)?;
        folder.train(&progress)?;
        progress.finish();
        if self.once {
            return terminal::print(&once::run(&folder)?);
        }
        live::run(&mut folder, self, common)
    }

    /// Minutes of the simulation, the past included.
    fn all_minutes(&self) -> usize {
        self.minutes.map_or(shop::ENDLESS, |minutes| HISTORY_MINUTES + minutes as usize)
    }
}

/// False alarms per service and week that the demo accepts: two a day, fewer than half of its failures.
const BUDGET: f64 = 14.0;

/// The seed where none is given.
const DEFAULT_SEED: u64 = SEED;

//! What is asked for on the command line.

use lexopt::{Arg, ValueExt};
use std::{error::Error, path::PathBuf};

/// Controls, rules, linear models, trees, networks, networks served by states, and networks with trees.
const MODELS: &str = "lstm,boosted_trees,service_rate,persistence,static_threshold,rolling_mean,trend,\
                      logistic_snapshot,logistic_window,gru,lstm_hazard,gru_hazard,lstm_running,gru_running,ensemble,ensemble_stacked";

pub(crate) struct Options {
    pub(crate) walk: Option<PathBuf>,
    pub(crate) days: Vec<usize>,
    pub(crate) fleet_days: Vec<usize>,
    pub(crate) servers: Option<PathBuf>,
    pub(crate) failure_column: String,
    pub(crate) models: Vec<String>,
    pub(crate) seed: u64,
    pub(crate) page: Option<PathBuf>,
}

impl Options {
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let list = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        let days =
            |text: String| list(&text).iter().map(|days| days.parse()).collect::<Result<Vec<usize>, _>>();
        let mut options = Self {
            walk: None,
            days: Vec::new(),
            fleet_days: Vec::new(),
            servers: None,
            failure_column: "failure".to_owned(),
            models: list(MODELS),
            seed: 7,
            page: None,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("walk") => options.walk = Some(arguments.value()?.into()),
                Arg::Long("days") => options.days = days(arguments.value()?.string()?)?,
                Arg::Long("fleet-days") => options.fleet_days = days(arguments.value()?.string()?)?,
                Arg::Long("servers") => options.servers = Some(arguments.value()?.into()),
                Arg::Long("failure-column") => options.failure_column = arguments.value()?.string()?,
                Arg::Long("models") => options.models = list(&arguments.value()?.string()?),
                Arg::Long("seed") => options.seed = arguments.value()?.parse()?,
                Arg::Long("write") => options.page = Some(arguments.value()?.into()),
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(options)
    }
}

use super::{PrometheusConfig, wrong};
use crate::ServerError;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where metrics come from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SourceConfig {
    /// A metrics file, CSV or Parquet.
    File {
        /// The file.
        path: PathBuf,
        /// Whether to wait for more at its end. Without it the service ends when all is closed and written. Off by
        /// default.
        #[serde(default)]
        follow: bool,
        /// Seconds of the file that pass in a second; 0, the default, for as fast as it goes.
        #[serde(default)]
        speed: f64,
    },
    /// A simulation.
    Simulator {
        /// What is simulated. The shop by default.
        #[serde(default)]
        system: SimulatedSystem,
        /// Scenario file in place of `system`.
        #[serde(default)]
        scenario: Option<PathBuf>,
        /// Seed. 7 by default.
        #[serde(default = "seed")]
        seed: u64,
        /// Minutes after which it ends. A day by default.
        #[serde(default = "minutes")]
        minutes: usize,
        /// Simulated seconds in a second; 0, the default, for as fast as it goes.
        #[serde(default)]
        speed: f64,
        /// Minutes at its beginning that pass at once, so that pages have a past. None by default.
        #[serde(default)]
        history_minutes: usize,
        /// Faults that are planned: `[[source.drill]]`. None by default.
        #[serde(default, rename = "drill")]
        drills: Vec<DrillConfig>,
    },
    /// CSV or JSON lines on standard input, a record a line. The service ends with it.
    Stdin {
        /// Seconds of the data that pass in a second; 0, the default, for as fast as they come.
        #[serde(default)]
        speed: f64,
    },
    /// Nothing but what others push, see [`ReceiveConfig`](crate::ReceiveConfig): minutes are closed by the clock.
    Push,
    /// Prometheus, or servers that speak like it.
    Prometheus(Box<PrometheusConfig>),
}

/// A fault that is planned, as if a person injected it: `[[source.drill]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillConfig {
    /// Minute of the simulation with which it begins.
    pub at_minute: usize,
    /// What happens, such as `memory_leak`.
    pub kind: String,
    /// The service that it strikes.
    pub service: String,
    /// How badly, 0.01 to 1; as usual for its kind unless given.
    #[serde(default)]
    pub severity: Option<f64>,
    /// Seconds until its recovery begins; as usual for its kind unless given.
    #[serde(default)]
    pub seconds: Option<f64>,
}

/// A simulation that comes ready-made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SimulatedSystem {
    /// Four services.
    #[default]
    Shop,
    /// Twelve services.
    Twelve,
}

fn seed() -> u64 {
    7
}

fn minutes() -> usize {
    24 * 60
}

impl SourceConfig {
    /// Seconds of data in a second; 0 for as fast as it goes.
    pub(crate) fn speed(&self) -> f64 {
        match self {
            Self::File { speed, .. } | Self::Simulator { speed, .. } | Self::Stdin { speed } => *speed,
            Self::Prometheus(_) | Self::Push => 1.0,
        }
    }

    /// Address of the server that is pulled from, where there is one.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::Prometheus(server) => Some(&server.url),
            _ => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), ServerError> {
        let speed = self.speed();
        if !(speed >= 0.0 && speed.is_finite()) {
            return Err(wrong("source.speed: expected 0 or more seconds of data a second"));
        }
        match self {
            Self::Prometheus(prometheus) => prometheus.check(),
            _ => Ok(()),
        }
    }

    pub(super) fn below(&mut self, folder: &Path) {
        let below = |path: &mut PathBuf| *path = folder.join(&*path);
        match self {
            Self::File { path, .. } => below(path),
            Self::Simulator { scenario, .. } => scenario.iter_mut().for_each(below),
            Self::Prometheus(prometheus) => prometheus.below(folder),
            Self::Stdin { .. } | Self::Push => {}
        }
    }
}

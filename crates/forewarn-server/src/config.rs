use crate::ServerError;
use forewarn_core::BudgetSettings;
use forewarn_live::EngineConfig;
use forewarn_store::Durability;
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Configuration of a live service, as its TOML file has it.
///
/// | table | meaning |
/// |---|---|
/// | `[model]` | the model file, and models that only run beside it |
/// | `[source]` | where metrics come from |
/// | `[store]` | where the service keeps what it must not lose |
/// | `[events]` | the file that gets one JSON object a line for everything that happens |
/// | `[budget]` | how many false alarms are accepted |
/// | `[engine]` | how minutes are closed: see [`EngineConfig`] |
///
/// Paths are relative to the folder of the configuration file.
///
/// ```
/// use forewarn_server::{SourceConfig, WatchConfig};
///
/// let config = WatchConfig::from_toml(r#"
///     [model]
///     path = "model.safetensors"
///
///     [source]
///     kind = "file"
///     path = "metrics.csv"
///
///     [store]
///     path = "store"
///
///     [events]
///     path = "events.ndjson"
///
///     [budget]
///     per_service_week = 2.0
/// "#)?;
/// assert!(matches!(config.source, SourceConfig::File { follow: false, .. }));
/// assert_eq!(config.engine().budget.per_service_week, 2.0);
/// # Ok::<(), forewarn_server::ServerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchConfig {
    /// The model.
    pub model: ModelConfig,
    /// Where metrics come from.
    pub source: SourceConfig,
    /// What is kept on disk.
    pub store: StoreConfig,
    /// Where events go.
    pub events: EventsConfig,
    /// How many false alarms are accepted.
    #[serde(default)]
    budget: Option<BudgetSettings>,
    /// How minutes are closed, without the budget.
    #[serde(default)]
    engine: EngineConfig,
}

/// Which models score.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The model file that raises warnings.
    pub path: PathBuf,
    /// Model files that are scored and judged on the same rows, and raise no warnings. None by default.
    #[serde(default)]
    pub shadows: Vec<PathBuf>,
}

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
    },
}

/// A simulation that comes ready-made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimulatedSystem {
    /// Four services.
    #[default]
    Shop,
    /// Twelve services.
    Twelve,
}

/// What is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// A folder that belongs to one service.
    pub path: PathBuf,
    /// Closed minutes between two checkpoints, 1 to 10,080. 60 by default: a start replays at most this number.
    #[serde(default = "checkpoint_minutes")]
    pub checkpoint_minutes: u32,
    /// When a record counts as kept: `each`, `group` (the default) or `none`.
    #[serde(default)]
    pub durability: DurabilityConfig,
}

/// When a record counts as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DurabilityConfig {
    /// Every record is synced on its own.
    Each,
    /// The records of a minute are synced together.
    #[default]
    Group,
    /// Records survive the end of the process, not a loss of power.
    None,
}

impl From<DurabilityConfig> for Durability {
    fn from(durability: DurabilityConfig) -> Self {
        match durability {
            DurabilityConfig::Each => Self::Each,
            DurabilityConfig::Group => Self::Group,
            DurabilityConfig::None => Self::None,
        }
    }
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsConfig {
    /// A file that gets one JSON object a line: `{"seq": .., "index": .., "event": {..}}`.
    pub path: PathBuf,
}

fn seed() -> u64 {
    7
}

fn minutes() -> usize {
    24 * 60
}

fn checkpoint_minutes() -> u32 {
    60
}

/// Most bytes of a configuration file.
const SIZE_LIMIT: u64 = 1 << 20;

impl WatchConfig {
    /// Reads a configuration file. Its paths become relative to its folder.
    ///
    /// # Errors
    /// [`ServerError::File`] for a file that cannot be read, [`ServerError::Config`] for what it says.
    pub fn from_path(path: &Path) -> Result<Self, ServerError> {
        let cannot = |source| ServerError::File { path: path.to_owned(), source };
        if fs::metadata(path).map_err(cannot)?.len() > SIZE_LIMIT {
            return Err(ServerError::Config { reason: format!("{}: larger than 1 MiB", path.display()) });
        }
        let text = fs::read_to_string(path).map_err(cannot)?;
        let named = |error| match error {
            ServerError::Config { reason } => {
                ServerError::Config { reason: format!("{}: {reason}", path.display()) }
            }
            other => other,
        };
        let config = Self::from_toml(&text).map_err(named)?;
        Ok(config.below(path.parent().unwrap_or(Path::new(""))))
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ServerError::Config`] with line and field, or with the setting that is out of its range.
    pub fn from_toml(text: &str) -> Result<Self, ServerError> {
        let config: Self = toml::from_str(text)
            .map_err(|error| ServerError::Config { reason: error.to_string().trim_end().to_owned() })?;
        config.check()?;
        Ok(config)
    }

    /// The engine's settings, with the budget of its own table.
    #[must_use]
    pub fn engine(&self) -> EngineConfig {
        let mut engine = self.engine.clone();
        if let Some(budget) = self.budget {
            engine.budget = budget;
        }
        engine
    }

    fn check(&self) -> Result<(), ServerError> {
        let wrong = |reason: &str| Err(ServerError::Config { reason: reason.to_owned() });
        if !(1..=10_080).contains(&self.store.checkpoint_minutes) {
            return wrong("store.checkpoint_minutes: expected 1 to 10080");
        }
        let speed = match &self.source {
            SourceConfig::File { speed, .. } | SourceConfig::Simulator { speed, .. } => *speed,
        };
        if !(speed >= 0.0 && speed.is_finite()) {
            return wrong("source.speed: expected 0 or more seconds of data a second");
        }
        Ok(self.engine().check()?)
    }

    /// The same with relative paths below `folder`.
    fn below(mut self, folder: &Path) -> Self {
        let below = |path: &mut PathBuf| *path = folder.join(&*path);
        below(&mut self.model.path);
        self.model.shadows.iter_mut().for_each(below);
        match &mut self.source {
            SourceConfig::File { path, .. } => below(path),
            SourceConfig::Simulator { scenario, .. } => scenario.iter_mut().for_each(below),
        }
        below(&mut self.store.path);
        below(&mut self.events.path);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = "[model]\npath = \"m\"\n[source]\nkind = \"file\"\npath = \"f.csv\"\n[store]\n\
                            path = \"s\"\n[events]\npath = \"e\"\n";

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forewarn.toml");
        fs::write(&path, SMALLEST).unwrap();
        let config = WatchConfig::from_path(&path).unwrap();
        assert_eq!(config.model.path, folder.path().join("m"));
        let SourceConfig::File { path, .. } = config.source else { panic!("a file") };
        assert_eq!(path, folder.path().join("f.csv"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_field() {
        for (wrong, told) in [
            (SMALLEST.replace("[model]\npath = \"m\"\n", ""), "model"),
            (SMALLEST.replace("kind = \"file\"", "kind = \"fille\""), "fille"),
            (format!("{SMALLEST}[budget]\nper_service_week = 0.0\n"), "per service and week"),
            (format!("{SMALLEST}[engine]\nsettle_secs = 90000\n"), "settle_secs"),
            (format!("{SMALLEST}[budgte]\n"), "budgte"),
            (SMALLEST.replace("path = \"f.csv\"", "path = \"f.csv\"\nspeed = -1.0"), "speed"),
        ] {
            let error = WatchConfig::from_toml(&wrong).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}

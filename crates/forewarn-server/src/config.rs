mod chaos;
mod http;
mod http_limits;
mod log;
mod notify;
mod prometheus;
mod receive;
mod recent;
mod sharding;
mod source;

pub use chaos::{ChaosConfig, ChaosExperimentConfig};
pub use http::{AnonymousReads, HttpConfig, HttpTlsConfig, TokenConfig};
pub use http_limits::HttpLimits;
pub use log::{LogConfig, LogFormat};
pub use notify::{
    AlertmanagerConfig, AlertsConfig, InboundConfig, MetricsConfig, NamespaceLabel, RemoteWriteConfig,
    Severities, SloSeverities, TargetConfig, WebhookConfig,
};
pub(crate) use prometheus::is_file;
pub use prometheus::{BasicConfig, OtherQueries, PrometheusConfig};
pub use receive::ReceiveConfig;
pub use recent::RecentConfig;
pub use sharding::ShardingConfig;
pub use source::{DrillConfig, SimulatedSystem, SourceConfig};

use crate::{ServerError, runtime::TlsSettings};
use forewarn_core::{BudgetSettings, read_text_file};
use forewarn_label::Slo;
use forewarn_live::{EngineConfig, Shard};
use forewarn_store::{Durability, HistoryOptions};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Configuration of a live service, as its TOML file has it.
///
/// | table | meaning |
/// |---|---|
/// | `shard` | which part of the fleet this service has, such as `"2/5"`; before all tables |
/// | `[sharding]` | how services are put on shards: see [`ShardingConfig`] |
/// | `[model]` | the model file, and models that only run beside it |
/// | `[source]` | where metrics come from |
/// | `[store]` | where the service keeps what it must not lose |
/// | `[events]` | the file that gets one JSON object a line for everything that happens |
/// | `[budget]` | how many false alarms are accepted |
/// | `[engine]` | how minutes are closed: see [`EngineConfig`] |
/// | `[http]` | the HTTP server: see [`HttpConfig`]; none without this table |
/// | `[[token]]` | who may use the API: see [`TokenConfig`] |
/// | `[receive]` | samples that others push: see [`ReceiveConfig`] |
/// | `[alerts]` | what alerts are called and how long they live: see [`AlertsConfig`] |
/// | `[[alertmanager]]` | where warnings go: see [`AlertmanagerConfig`] |
/// | `[[webhook]]` | where warnings go: see [`WebhookConfig`] |
/// | `[[remote_write]]` | where scores go: see [`RemoteWriteConfig`] |
/// | `[inbound]` | alerts of other programs that come back: see [`InboundConfig`] |
/// | `[chaos]` | what injects faults into what is watched: see [`ChaosConfig`] |
/// | `[metrics]` | metrics of this service itself: see [`MetricsConfig`] |
/// | `[[slo]]` | objectives that are followed: see [`Slo`] |
/// | `[recent]` | what is kept in memory for pages and the API: see [`RecentConfig`] |
/// | `[log]` | what is logged: see [`LogConfig`] |
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
    /// Which part of the fleet is its own, from `"1/5"` to `"5/5"`; all of it unless set.
    #[serde(default)]
    pub shard: Option<Shard>,
    /// How services are put on shards.
    #[serde(default)]
    pub sharding: ShardingConfig,
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
    /// The HTTP server.
    #[serde(default)]
    pub http: Option<HttpConfig>,
    /// Who may use the API.
    #[serde(default, rename = "token")]
    pub tokens: Vec<TokenConfig>,
    /// Samples that others push.
    #[serde(default)]
    pub receive: Option<ReceiveConfig>,
    /// What alerts are called and how long they live.
    #[serde(default)]
    pub alerts: AlertsConfig,
    /// Alertmanagers that get warnings.
    #[serde(default, rename = "alertmanager")]
    pub alertmanagers: Vec<AlertmanagerConfig>,
    /// Web hooks that get warnings.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<WebhookConfig>,
    /// Where scores are written to.
    #[serde(default, rename = "remote_write")]
    pub remote_writes: Vec<RemoteWriteConfig>,
    /// Alerts of other programs that come back.
    #[serde(default)]
    pub inbound: InboundConfig,
    /// What injects faults into what is watched.
    #[serde(default)]
    pub chaos: Option<ChaosConfig>,
    /// Metrics of this service itself.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// Objectives that are followed.
    #[serde(default, rename = "slo")]
    slos: Vec<Slo>,
    /// What is kept in memory for pages and the API.
    #[serde(default)]
    pub recent: RecentConfig,
    /// What is logged.
    #[serde(default)]
    pub log: LogConfig,
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
    /// Bytes of the journal that are kept although no restart needs them: what `train --journal` and
    /// `replay --journal` read. 1 GiB by default: two weeks of 1,000 services with ten metrics. 0 keeps what a restart
    /// needs.
    #[serde(default = "journal_bytes")]
    pub journal_bytes: u64,
    /// Whether rows, scores, warnings, incidents, failures and outcomes are kept as daily Parquet files in `history`
    /// below the store's folder, for pages and the API to look back further than memory. True by default.
    #[serde(default = "yes")]
    pub history: bool,
    /// Days of the history that are kept, 1 to 36,500. 90 by default.
    #[serde(default = "history_days")]
    pub history_days: u32,
    /// Bytes of the history that are kept, 1 MiB and more; the oldest days go first. 10 GiB by default.
    #[serde(default = "history_bytes")]
    pub history_bytes: u64,
}

impl StoreConfig {
    /// Settings of the history, where one is kept.
    pub(crate) fn history_options(&self) -> Option<HistoryOptions> {
        let options = HistoryOptions::default();
        let options = options.with_keep_days(self.history_days).with_keep_bytes(self.history_bytes);
        self.history.then_some(options)
    }

    fn check(&self) -> Result<(), ServerError> {
        if !(1..=10_080).contains(&self.checkpoint_minutes) {
            return Err(wrong("store.checkpoint_minutes: expected 1 to 10080"));
        }
        if !(1..=36_500).contains(&self.history_days) {
            return Err(wrong("store.history_days: expected 1 to 36500"));
        }
        if self.history_bytes < 1 << 20 {
            return Err(wrong("store.history_bytes: expected 1048576 (1 MiB) or more"));
        }
        Ok(())
    }
}

/// When a record counts as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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

fn checkpoint_minutes() -> u32 {
    60
}

fn journal_bytes() -> u64 {
    1 << 30
}

fn yes() -> bool {
    true
}

fn history_days() -> u32 {
    90
}

fn history_bytes() -> u64 {
    10 << 30
}

/// Most bytes of a configuration file.
const SIZE_LIMIT: u64 = 1 << 20;

impl WatchConfig {
    /// Reads a configuration file. Its paths become relative to its folder.
    ///
    /// # Errors
    /// [`ServerError::File`] for a file that cannot be read, [`ServerError::Config`] for what it says.
    pub fn from_path(path: &Path) -> Result<Self, ServerError> {
        let text = read_text_file(path, SIZE_LIMIT)
            .map_err(|source| ServerError::File { path: path.to_owned(), source })?;
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

    /// The same for one shard; for that of the file where none is given.
    #[must_use]
    pub fn with_shard(self, shard: Option<Shard>) -> Self {
        Self { shard: shard.or(self.shard), ..self }
    }

    /// The engine's settings, with the budget and the objectives of their own tables.
    #[must_use]
    pub fn engine(&self) -> EngineConfig {
        let mut engine = self.engine.clone();
        if let Some(budget) = self.budget {
            engine.budget = budget;
        }
        engine.slos.extend(self.slos.iter().cloned());
        engine
    }

    fn check(&self) -> Result<(), ServerError> {
        self.store.check()?;
        self.sharding.check()?;
        self.source.check()?;
        self.recent.check()?;
        self.http.iter().try_for_each(HttpConfig::check)?;
        self.http.iter().try_for_each(|http| http.check_reach(&self.tokens))?;
        self.receive.iter().try_for_each(|receive| receive.check(self.http.as_ref()))?;
        self.tokens.iter().try_for_each(TokenConfig::check)?;
        self.check_notify()?;
        let is_simulated = matches!(self.source, SourceConfig::Simulator { .. });
        self.chaos.iter().try_for_each(|chaos| chaos.check(is_simulated))?;
        Ok(self.engine().check()?)
    }

    /// The tables that differ from those of `old` and hold only after a restart.
    pub(crate) fn needs_restart(&self, old: &Self) -> Vec<&'static str> {
        let listens = |config: &Self| config.http.as_ref().map(|http| http.listen);
        [
            ("shard", self.shard != old.shard),
            ("sharding", self.sharding != old.sharding),
            ("model", self.model != old.model),
            ("source.url", self.source.url() != old.source.url()),
            ("source", self.source.url() == old.source.url() && self.source != old.source),
            ("store", self.store != old.store),
            ("events", self.events != old.events),
            ("budget", self.budget != old.budget),
            ("slo", self.slos != old.slos),
            ("engine", self.engine != old.engine),
            ("http.listen", listens(self) != listens(old)),
            ("receive", self.receive != old.receive),
            ("recent", self.recent != old.recent),
            ("chaos", self.chaos != old.chaos),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Whether warnings and scores go to the same targets in the same way.
    pub(crate) fn has_same_targets(&self, other: &Self) -> bool {
        self.alerts == other.alerts
            && self.alertmanagers == other.alertmanagers
            && self.webhooks == other.webhooks
            && self.remote_writes == other.remote_writes
    }

    /// The same with relative paths below `folder`.
    fn below(mut self, folder: &Path) -> Self {
        let below = |path: &mut PathBuf| *path = folder.join(&*path);
        below(&mut self.model.path);
        self.model.shadows.iter_mut().for_each(below);
        self.sharding.below(folder);
        self.source.below(folder);
        below(&mut self.store.path);
        below(&mut self.events.path);
        self.http.iter_mut().for_each(|http| http.below(folder));
        self.receive.iter_mut().for_each(|receive| receive.below(folder));
        self.tokens.iter_mut().for_each(|token| token.below(folder));
        self.notify_below(folder);
        self.chaos.iter_mut().for_each(|chaos| chaos.below(folder));
        self
    }
}

impl TlsSettings {
    fn below(&mut self, folder: &Path) {
        let Self { ca_file, certificate_file, key_file } = self;
        let files = [ca_file, certificate_file, key_file].into_iter().flatten();
        files.for_each(|path| *path = folder.join(&*path));
    }
}

fn wrong(reason: &str) -> ServerError {
    ServerError::Config { reason: reason.to_owned() }
}

#[cfg(test)]
mod pages;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
            (SMALLEST.replace("path = \"s\"", "path = \"s\"\nhistory_days = 0"), "history_days"),
            (SMALLEST.replace("path = \"s\"", "path = \"s\"\nhistory_bytes = 9"), "history_bytes"),
            (format!("{SMALLEST}[budgte]\n"), "budgte"),
            (SMALLEST.replace("path = \"f.csv\"", "path = \"f.csv\"\nspeed = -1.0"), "speed"),
            (format!("{SMALLEST}[http]\nbase_path = \"a/\"\n"), "http.base_path"),
            (format!("{SMALLEST}[http]\nlistem = \"a\"\n"), "listem"),
            (format!("{SMALLEST}[recent]\nhours = 0\n"), "recent.hours"),
            (format!("shard = \"6/5\"\n{SMALLEST}"), "such as \"2/5\""),
            (format!("{SMALLEST}[sharding]\nweights = {{ a = -1.0 }}\n"), "sharding.weights"),
            (format!("{SMALLEST}[[token]]\nname = \"a\"\nrole = \"viewer\"\n"), "exactly one of"),
            (format!("{SMALLEST}[[alertmanager]]\nurl = \"ftp://a\"\n"), "alertmanager.url"),
            (format!("{SMALLEST}[[webhook]]\nurl = \"https:///a\"\n"), "webhook.url"),
        ] {
            let error = WatchConfig::from_toml(&wrong).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}

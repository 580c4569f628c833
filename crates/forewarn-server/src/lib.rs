#![doc = include_str!("../README.md")]

mod api;
pub mod chaos;
mod config;
mod error;
pub mod http;
mod log;
mod metrics;
mod outgoing;
mod receive;
pub mod runtime;
pub mod sink;
mod source;
mod store;
mod text;
mod watch;

pub use config::{
    AlertmanagerConfig, AlertsConfig, AnonymousReads, BasicConfig, ChaosConfig, ChaosExperimentConfig,
    DrillConfig, DurabilityConfig, EventsConfig, HttpConfig, HttpLimits, HttpTlsConfig, InboundConfig,
    LogConfig, LogFormat, MetricsConfig, ModelConfig, NamespaceLabel, OtherQueries, PrometheusConfig,
    ReceiveConfig, RecentConfig, RemoteWriteConfig, Severities, ShardingConfig, SimulatedSystem,
    SloSeverities, SourceConfig, StoreConfig, TargetConfig, TokenConfig, WatchConfig, WebhookConfig,
};
pub use error::ServerError;
pub use http::Role;
pub use log::start_log;
pub use runtime::Stop;
pub use source::{
    GraphMatch, MetricFinding, PastDay, PastRows, PrometheusFindings, PrometheusPast, PrometheusQueries,
    RecipeMatch, ServiceFinding, TickCost, TrainedOn, inspect_prometheus, join_days,
};
pub use store::{Imported, StoppedService, journal_inputs};
pub use watch::{CheckedConfig, Running, WatchOptions, WatchSummary, check_config, watch};

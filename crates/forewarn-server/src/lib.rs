#![doc = include_str!("../README.md")]

mod api;
pub mod chaos;
mod check;
mod config;
mod error;
mod handover;
pub mod http;
mod journal;
mod log;
mod metrics;
mod outgoing;
mod receive;
pub mod runtime;
pub mod sink;
mod source;
mod text;
mod watch;
mod whole_file;

pub use check::{CheckedConfig, check_config};
pub use config::{
    AlertmanagerConfig, AlertsConfig, BasicConfig, ChaosConfig, ChaosExperimentConfig, DrillConfig,
    DurabilityConfig, EventsConfig, HttpConfig, HttpLimits, HttpTlsConfig, InboundConfig, LogConfig,
    LogFormat, MetricsConfig, ModelConfig, NamespaceLabel, OtherQueries, PrometheusConfig, ReceiveConfig,
    RecentConfig, RemoteWriteConfig, Severities, ShardingConfig, SimulatedSystem, SloSeverities,
    SourceConfig, StoreConfig, TargetConfig, TokenConfig, WatchConfig, WebhookConfig,
};
pub use error::ServerError;
pub use handover::{Imported, StoppedService};
pub use http::Role;
pub use journal::journal_inputs;
pub use log::start_log;
pub use runtime::Stop;
pub use source::{
    GraphMatch, MetricFinding, PastDay, PastRows, PrometheusFindings, PrometheusPast, PrometheusQueries,
    RecipeMatch, ServiceFinding, TickCost, TrainedOn, inspect_prometheus, join_days,
};
pub use watch::{Running, WatchOptions, WatchSummary, watch};

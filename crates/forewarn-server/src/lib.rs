#![doc = include_str!("../README.md")]

pub mod chaos;
mod config;
mod error;
mod http;
mod journal;
mod metrics;
mod receive;
pub mod runtime;
pub mod sink;
mod source;
mod watch;

pub use config::{
    AlertmanagerConfig, AlertsConfig, BasicConfig, DurabilityConfig, EventsConfig, HttpConfig, HttpTlsConfig,
    InboundConfig, LogConfig, LogFormat, MetricsConfig, ModelConfig, NamespaceLabel, OtherQueries,
    PrometheusConfig, ReceiveConfig, RecentConfig, RemoteWriteConfig, Role, Severities, SimulatedSystem,
    SloConfig, SourceConfig, StoreConfig, TargetConfig, TokenConfig, WatchConfig, WebhookConfig,
};
pub use error::ServerError;
pub use journal::journal_inputs;
pub use runtime::Stop;
pub use source::{
    GraphMatch, MetricFinding, PastDay, PastRows, PrometheusFindings, PrometheusPast, PrometheusQueries,
    RecipeMatch, ServiceFinding, TickCost, TrainedOn, inspect_prometheus, join_days,
};
pub use watch::{Running, WatchOptions, WatchSummary, watch};

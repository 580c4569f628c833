#![doc = include_str!("../README.md")]

pub mod chaos;
mod config;
mod error;
mod http;
mod journal;
mod receive;
pub mod runtime;
mod sinks;
mod source;
mod watch;

pub use config::{
    AlertmanagerConfig, BasicConfig, DurabilityConfig, EventsConfig, HttpConfig, HttpTlsConfig, LogConfig,
    LogFormat, ModelConfig, OtherQueries, PrometheusConfig, ReceiveConfig, RecentConfig, Role,
    SimulatedSystem, SloConfig, SourceConfig, StoreConfig, TokenConfig, WatchConfig, WebhookConfig,
};
pub use error::ServerError;
pub use journal::journal_inputs;
pub use runtime::Stop;
pub use source::{
    GraphMatch, MetricFinding, PastDay, PastRows, PrometheusFindings, PrometheusPast, PrometheusQueries,
    RecipeMatch, ServiceFinding, TickCost, TrainedOn, inspect_prometheus, join_days,
};
pub use watch::{Running, WatchOptions, WatchSummary, watch};

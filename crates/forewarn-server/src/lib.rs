#![doc = include_str!("../README.md")]

mod api;
pub mod chaos;
mod check;
mod config;
mod error;
pub mod http;
mod journal;
mod log;
pub mod runtime;
mod sinks;
mod source;
mod watch;

pub use check::{CheckedConfig, check_config};
pub use config::{
    AlertmanagerConfig, DrillConfig, DurabilityConfig, EventsConfig, HttpConfig, HttpLimits, HttpTlsConfig,
    LogConfig, LogFormat, ModelConfig, PrometheusConfig, ReceiveConfig, RecentConfig, SimulatedSystem,
    SloConfig, SourceConfig, StoreConfig, TokenConfig, WatchConfig, WebhookConfig,
};
pub use error::ServerError;
pub use http::Role;
pub use journal::journal_inputs;
pub use log::start_log;
pub use runtime::Stop;
pub use watch::{Running, WatchOptions, WatchSummary, watch};

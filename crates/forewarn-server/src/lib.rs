#![doc = include_str!("../README.md")]

mod api;
pub mod chaos;
mod config;
mod error;
pub mod http;
mod journal;
pub mod runtime;
mod sinks;
mod source;
mod watch;

pub use config::{
    AlertmanagerConfig, DurabilityConfig, EventsConfig, HttpConfig, HttpLimits, HttpTlsConfig, LogConfig,
    LogFormat, ModelConfig, PrometheusConfig, ReceiveConfig, RecentConfig, SimulatedSystem, SloConfig,
    SourceConfig, StoreConfig, TokenConfig, WatchConfig, WebhookConfig,
};
pub use error::ServerError;
pub use http::Role;
pub use journal::journal_inputs;
pub use runtime::Stop;
pub use watch::{Running, WatchOptions, WatchSummary, watch};

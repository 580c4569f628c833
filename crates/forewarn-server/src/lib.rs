#![doc = include_str!("../README.md")]

pub mod chaos;
mod config;
mod error;
mod http;
mod journal;
pub mod runtime;
mod sinks;
mod source;
mod watch;

pub use config::{
    AlertmanagerConfig, DurabilityConfig, EventsConfig, HttpConfig, HttpTlsConfig, LogConfig, LogFormat,
    ModelConfig, PrometheusConfig, ReceiveConfig, RecentConfig, Role, SimulatedSystem, SloConfig,
    SourceConfig, StoreConfig, TokenConfig, WatchConfig, WebhookConfig,
};
pub use error::ServerError;
pub use journal::journal_inputs;
pub use runtime::Stop;
pub use watch::{Running, WatchOptions, WatchSummary, watch};

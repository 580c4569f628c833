//! Beside a real Prometheus, a real Alertmanager and a real sender of remote write: `cargo xtask test` runs these
//! where they are installed.

mod families;
mod history;
mod hook;
mod notified;
mod pulled;
mod pushed;
mod replicas;
mod scraped;
mod servers;
mod service;
mod story;

pub(crate) use servers::free_port;
pub(crate) use service::receiving;

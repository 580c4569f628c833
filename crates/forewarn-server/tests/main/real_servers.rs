//! Beside a real Prometheus and a real sender of remote write: `cargo xtask test` runs these where they are installed.

mod history;
mod pulled;
mod pushed;
mod servers;
mod service;

pub(crate) use servers::free_port;
pub(crate) use service::receiving;

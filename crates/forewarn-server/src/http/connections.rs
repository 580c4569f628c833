//! Connections, and what is cut off.

pub(super) mod connection;
pub(super) mod limit;
pub(super) mod server;
pub(super) mod stall;
pub(super) mod tls;

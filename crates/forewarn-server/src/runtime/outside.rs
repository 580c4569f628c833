//! What joins the service to the world: a clock, sources, sinks, requests.

pub(super) mod clock;
pub(super) mod sink;
pub(super) mod source;
pub(super) mod stop;
pub(super) mod transport;

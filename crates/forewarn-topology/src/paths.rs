//! How requests run through the graph: the slowest way, and how many calls one request becomes.

pub(crate) mod amplification;
pub(crate) mod critical;

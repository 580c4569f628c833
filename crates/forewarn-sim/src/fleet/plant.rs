//! What runs: pods, queues, calls and answers, tick by tick, and the metrics measured from them.

pub(crate) mod attempt;
pub(crate) mod hidden;
pub(crate) mod latency;
pub(crate) mod load;
pub(crate) mod plan;
pub(crate) mod pods;
pub(crate) mod reading;
pub(crate) mod state;
pub(crate) mod station;
pub(crate) mod tally;

//! How what is to be told gets there: a queue, retries, a state that outlives a restart.

pub(super) mod outlet;
pub(super) mod pause;
pub(super) mod runner;
pub(super) mod saved;
pub(super) mod sign;
pub(super) mod status;

//! What goes wrong: kinds of faults, when they come, and what they do to a service.

pub(crate) mod active;
pub(crate) mod effects;
pub(crate) mod fault;
pub(crate) mod injection;
pub(crate) mod schedule;

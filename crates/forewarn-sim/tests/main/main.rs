//! The simulators as their users see them.

mod figures;
mod fleet;
mod laws;
mod refusals;
mod stability;

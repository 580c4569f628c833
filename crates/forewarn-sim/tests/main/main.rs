//! The simulators as their users see them.

mod figures;
mod fleet;
mod refusals;
mod stability;

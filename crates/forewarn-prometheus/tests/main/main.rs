//! Tests of the whole crate, from outside.

mod memory;
mod promtool;
mod recorded;
mod seeds;

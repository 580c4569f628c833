//! Tests of the whole crate, from outside.

mod memory;
mod page;
mod promtool;
mod recorded;
mod seeds;

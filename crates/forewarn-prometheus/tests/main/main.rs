//! Tests of the whole crate, from outside.

mod promtool;
mod recorded;
mod seeds;

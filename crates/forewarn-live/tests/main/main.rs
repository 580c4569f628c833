//! Models and pipelines from files, live rows, and the engine.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod engine;
mod golden;
mod handover;
mod ledger;
mod restarts;
mod saved;
mod slos;
mod streams;
mod world;

//! The promises of the store, on a simulated disk that fails and on the real one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod checkpoints;
mod crashes;
mod damage;
mod events;
mod faults;
mod garbage;
#[cfg(feature = "history")]
mod history;
mod kill;
mod outages;
mod twin;

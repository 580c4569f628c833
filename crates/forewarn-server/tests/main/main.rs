//! The live service around its engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod api;
mod chaos;
mod chaos_target;
mod client;
mod live;
mod real_servers;
mod receivers;
mod schemathesis;
mod security;
mod service;
mod simulation;
mod world;

//! The baselines from outside: certified numbers, contracts and saved models.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod controls;
mod evidence;
mod laws;
mod logistic;
mod rules;
mod saved;
mod support;
mod trees;

//! The baselines from outside: certified numbers, contracts and saved models.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod controls;
mod evidence;
mod laws;
mod logistic;
mod rules;
mod saved;
mod soft_labels;
mod support;
mod trees;

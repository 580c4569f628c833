//! Calibration, combination, cold start and evidence, around a small model of the tests' own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod evidence;
mod laws;
mod line;
mod support;
mod threads;
mod wrappers;

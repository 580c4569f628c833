//! What is kept of each service, saved, handed over and shown.

pub(super) mod handover;
pub(super) mod service;
pub(super) mod shared;
pub(super) mod snapshot;
pub(super) mod view;

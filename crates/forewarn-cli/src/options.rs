//! Options that several commands share.

pub(super) mod common;
pub(super) mod duration;
pub(super) mod input;
pub(super) mod journal;
pub(super) mod memory;
pub(super) mod models;
pub(super) mod prometheus;
pub(super) mod question;

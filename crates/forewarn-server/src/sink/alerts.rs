//! The alerts that stand, and how each is told.

pub(super) mod alert;
pub(super) mod book;
pub(super) mod labels;
pub(super) mod objective;
pub(super) mod payload;
pub(super) mod time;

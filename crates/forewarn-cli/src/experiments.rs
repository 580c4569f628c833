//! Commands that fit models and judge them.

pub(super) mod evaluate;
pub(super) mod explain;
pub(super) mod gate;
pub(super) mod judge;
pub(super) mod train;

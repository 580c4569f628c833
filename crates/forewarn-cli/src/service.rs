//! Commands of the live service, and of what it keeps.

pub(super) mod demo;
pub(super) mod page;
pub(super) mod replay;
pub(super) mod state;
pub(super) mod token;
pub(super) mod watch;

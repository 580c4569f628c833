//! Who may do what.

pub(super) mod cookie;
pub(super) mod guard;
pub(super) mod origin;
pub(super) mod rate;
pub(super) mod secrets;
pub(super) mod session;
pub(super) mod token;

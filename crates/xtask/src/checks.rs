//! Checks of the tree that need no other program but cargo.

pub(super) mod deny;
pub(super) mod layers;
pub(super) mod links;

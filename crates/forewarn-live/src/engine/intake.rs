//! What comes in: inputs, in their order, until their minute is closed.

pub(super) mod inbox;
pub(super) mod input;
pub(super) mod receive;

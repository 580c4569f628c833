//! What a command says and writes.

pub(super) mod files;
pub(super) mod printable;
pub(super) mod progress;
pub(super) mod terminal;

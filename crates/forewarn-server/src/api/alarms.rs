//! What was raised, and what became of it.

pub(super) mod events;
pub(super) mod incidents;
pub(super) mod ledger;
pub(super) mod notes;
pub(super) mod older;
pub(super) mod silences;
pub(super) mod slos;
pub(super) mod warnings;

use crate::{Fingerprints, events::EventMark};

/// What a checkpoint says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) next_seq: u64,
    pub(crate) events: EventMark,
    pub(crate) fingerprints: Fingerprints,
}

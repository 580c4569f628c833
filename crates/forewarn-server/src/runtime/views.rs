//! What readers see: the present, the last events, the past.

pub(super) mod feed;
pub(super) mod history;
pub(super) mod past;
pub(super) mod recent;
pub(super) mod report;
pub(super) mod ring;
pub(super) mod snapshot;

//! What receivers took and refused.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Counters of one receiver, from its start on.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Requests that were taken.
    pub(super) requests: AtomicU64,
    /// Requests of which nothing was taken.
    pub(super) refused_requests: AtomicU64,
    /// Samples that were journaled.
    pub(super) samples: AtomicU64,
    /// Samples that had come before.
    pub(super) repeated_samples: AtomicU64,
    /// Samples that were refused by a limit or for what they are.
    pub(super) refused_samples: AtomicU64,
    /// Series that are no metric of the model.
    pub(super) other_series: AtomicU64,
    /// Series whose labels name no service.
    pub(super) series_without_service: AtomicU64,
    /// Requests that were sent away because too much waited.
    pub(super) busy: AtomicU64,
    /// Requests whose samples could not be put on disk, because it fails or the service ends.
    pub(super) not_kept: AtomicU64,
}

impl Counts {
    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    /// All of them by name.
    pub(super) fn now(&self) -> BTreeMap<&'static str, u64> {
        let Self {
            requests,
            refused_requests,
            samples,
            repeated_samples,
            refused_samples,
            other_series,
            series_without_service,
            busy,
            not_kept,
        } = self;
        [
            ("requests", requests),
            ("refused_requests", refused_requests),
            ("samples", samples),
            ("repeated_samples", repeated_samples),
            ("refused_samples", refused_samples),
            ("other_series", other_series),
            ("series_without_service", series_without_service),
            ("busy", busy),
            ("not_kept", not_kept),
        ]
        .into_iter()
        .map(|(name, counter)| (name, counter.load(Ordering::Relaxed)))
        .collect()
    }
}

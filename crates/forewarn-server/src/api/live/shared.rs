use super::BEAT;
use axum::extract::ws::Utf8Bytes;
use forewarn_schema::Timestamp;
use std::sync::{Arc, Mutex};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

/// A snapshot as text.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) text: Utf8Bytes,
    /// Number of the first event that it does not include.
    pub(super) next: u64,
    pub(super) made: Instant,
}

/// A beat as text.
#[derive(Clone, Debug)]
pub(super) struct KeptBeat {
    pub(super) number: u32,
    pub(super) text: Utf8Bytes,
    /// The last row that was closed then.
    pub(super) row: Option<Timestamp>,
}

/// The texts that clients of the live stream share.
#[derive(Debug)]
pub(crate) struct LiveTexts {
    pub(super) whole: Arc<AsyncMutex<Option<Whole>>>,
    /// The last beat.
    pub(super) beat: Mutex<Option<KeptBeat>>,
    started: Instant,
}

impl LiveTexts {
    pub(crate) fn new() -> Self {
        Self { whole: Arc::default(), beat: Mutex::default(), started: Instant::now() }
    }

    /// Number of the first beat that is not due yet.
    pub(super) fn next_beat(&self) -> u32 {
        let passed = self.started.elapsed().as_millis() / BEAT.as_millis();
        u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// When a beat is due: at the same time for all, so that all are sent the same.
    pub(super) fn due(&self, beat: u32) -> Instant {
        self.started + BEAT.saturating_mul(beat)
    }
}

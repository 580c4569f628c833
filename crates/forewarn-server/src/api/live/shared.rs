use super::{
    BEAT,
    follow::fits,
    message::{Beat, Everything, LiveMessage},
};
use crate::{
    api::{Shared, state::Api},
    http::Problem,
};
use axum::extract::ws::Utf8Bytes;
use forewarn_schema::Timestamp;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex as AsyncMutex, task::spawn_blocking, time::Instant};

/// How old a snapshot may be that a client begins with; the events since then follow it.
const FRESH: Duration = Duration::from_secs(1);

/// A snapshot as text.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) text: Utf8Bytes,
    /// Number of the first event that it does not include.
    pub(super) next: u64,
    made: Instant,
}

/// A beat as text.
#[derive(Clone, Debug)]
struct KeptBeat {
    number: u32,
    text: Utf8Bytes,
    /// The last row that was closed then.
    row: Option<Timestamp>,
}

/// The texts that clients of the live stream share.
#[derive(Debug)]
pub(crate) struct LiveTexts {
    whole: Arc<AsyncMutex<Option<Whole>>>,
    /// The last beat.
    beat: Mutex<Option<KeptBeat>>,
    started: Instant,
}

impl LiveTexts {
    pub(crate) fn new() -> Self {
        Self { whole: Arc::default(), beat: Mutex::default(), started: Instant::now() }
    }

    /// A snapshot with more than the events before `position`. One is made at a time, at most one a second as long as
    /// its events are kept, and never on a thread that serves others.
    pub(super) async fn whole(api: &Shared, position: u64) -> Result<Whole, Problem> {
        let mut kept = Arc::clone(&api.live.whole).lock_owned().await;
        let is_usable = |whole: &&Whole| {
            whole.made.elapsed() < FRESH && whole.next >= position && fits(&api.view(), whole.next)
        };
        if let Some(whole) = kept.as_ref().filter(is_usable) {
            return Ok(whole.clone());
        }
        let api = Arc::clone(api);
        // The lock goes with it, so that what is made is kept, whether its client still waits or not.
        let made = spawn_blocking(move || {
            let (snapshot, made) = (api.view(), Instant::now());
            let message = LiveMessage::Snapshot(Box::new(Everything::of(&api, &snapshot)?));
            let whole = Whole { text: text(&message)?, next: snapshot.events.next(), made };
            *kept = Some(whole.clone());
            Ok(whole)
        });
        made.await.map_err(|_| Problem::internal("a snapshot could not be made; the log says more"))?
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

    /// The beat of this number.
    pub(super) fn beat(&self, api: &Api, number: u32) -> Result<Utf8Bytes, Problem> {
        let mut kept = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beat) = kept.as_ref().filter(|kept| kept.number == number) {
            return Ok(beat.text.clone());
        }
        let (snapshot, before) = (api.view(), kept.as_ref().and_then(|beat| beat.row));
        let text = text(&LiveMessage::Beat(Beat::of(api, &snapshot, before)))?;
        *kept = Some(KeptBeat { number, text: text.clone(), row: snapshot.last_row });
        Ok(text)
    }
}

/// A beat of this moment, with all that it can have.
pub(super) fn beat(api: &Api) -> Result<Utf8Bytes, Problem> {
    text(&LiveMessage::Beat(Beat::of(api, &api.view(), None)))
}

pub(super) fn text(message: &LiveMessage) -> Result<Utf8Bytes, Problem> {
    let text = serde_json::to_string(message).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(text.into())
}

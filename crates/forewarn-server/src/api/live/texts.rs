//! What clients are sent, made once for all who ask at about the same time.

use super::{
    message::{Beat, Everything, LiveMessage},
    shared::{KeptBeat, Whole},
};
use crate::{
    api::{Shared, state::Api},
    http::Problem,
    runtime::Snapshot,
};
use axum::extract::ws::Utf8Bytes;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// How old a snapshot may be that a client begins with; the events since then follow it.
const FRESH: Duration = Duration::from_secs(1);

/// Events that a client may be behind, for few services.
const LEAST_BEHIND: u64 = 10_000;
/// Events that a client may be behind, for each service: a snapshot of it is about as long.
const BEHIND_PER_SERVICE: u64 = 10;

/// Whether a client may go on with event number `position`: it is kept, or the next one, and not far back.
pub(super) fn fits(snapshot: &Snapshot, position: u64) -> bool {
    let events = &snapshot.events;
    let most = LEAST_BEHIND.max(BEHIND_PER_SERVICE.saturating_mul(snapshot.view.services.len() as u64));
    (events.first()..=events.next()).contains(&position) && events.next() - position <= most
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

/// The beat of this number, of which one is made for all.
pub(super) fn shared_beat(api: &Api, number: u32) -> Result<Utf8Bytes, Problem> {
    let mut kept = api.live.beat.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(beat) = kept.as_ref().filter(|kept| kept.number == number) {
        return Ok(beat.text.clone());
    }
    let (snapshot, before) = (api.view(), kept.as_ref().and_then(|beat| beat.row));
    let text = text(&LiveMessage::Beat(Beat::of(api, &snapshot, before)))?;
    *kept = Some(KeptBeat { number, text: text.clone(), row: snapshot.last_row });
    Ok(text)
}

/// A beat of this moment, with all that it can have.
pub(super) fn beat(api: &Api) -> Result<Utf8Bytes, Problem> {
    text(&LiveMessage::Beat(Beat::of(api, &api.view(), None)))
}

pub(super) fn text(message: &LiveMessage) -> Result<Utf8Bytes, Problem> {
    let text = serde_json::to_string(message).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(text.into())
}

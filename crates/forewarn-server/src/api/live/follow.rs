use super::{
    message::LiveMessage,
    texts::{beat, fits, shared_beat, text, whole},
};
use crate::{api::Shared, http::Problem, runtime::Snapshot};
use axum::extract::ws::Utf8Bytes;
use std::sync::Arc;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// Events that are sent together.
const TOGETHER: usize = 64;
/// A message as it is sent.
pub(super) struct Line {
    /// Number of the last event that a client knows of after it.
    pub(super) seq: Option<u64>,
    pub(super) text: Utf8Bytes,
}

/// A client's place in the stream.
pub(super) struct Follower {
    api: Shared,
    updates: watch::Receiver<Arc<Snapshot>>,
    /// Number of the next event; `None` where a snapshot comes first.
    position: Option<u64>,
    /// Whether it is to be told the time at once.
    greets: bool,
    /// Number of the next beat.
    beat: u32,
}

impl Follower {
    /// Begins after the event of this number, or with a snapshot where there is none, or it is too far back.
    pub(super) fn new(api: Shared, after: Option<u64>) -> Self {
        let updates = api.context.handle.updates();
        let position = after.and_then(|after| after.checked_add(1));
        let position = position.filter(|&position| fits(&updates.borrow(), position));
        Self { updates, position, greets: true, beat: api.live.next_beat(), api }
    }

    /// The next messages; `None` when the service has ended. Nothing is lost when it is dropped before it is ready.
    ///
    /// # Errors
    /// A fault of the server.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Line>>, Problem> {
        loop {
            let snapshot = Arc::clone(&self.updates.borrow_and_update());
            let position = match self.position {
                Some(position) if fits(&snapshot, position) => position,
                behind => return self.restart(behind).await.map(Some),
            };
            let line = |seq, text| Line { seq: Some(seq), text };
            let events = snapshot.events.since(position).take(TOGETHER);
            let mut lines: Vec<Line> = events.map(|event| line(event.seq, event.message())).collect();
            let events = lines.len() as u64;
            self.told(&mut lines)?;
            self.position = Some(position + events);
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            tokio::select! {
                changed = self.updates.changed() => if changed.is_err() { return Ok(None) },
                () = sleep_until(self.api.live.due(self.beat)) => {}
            }
        }
    }

    /// A snapshot, after what was missed since `behind`.
    async fn restart(&mut self, behind: Option<u64>) -> Result<Vec<Line>, Problem> {
        let whole = whole(&self.api, behind.unwrap_or(0)).await?;
        let mut lines = Vec::with_capacity(3);
        if let Some(position) = behind {
            let missed = whole.next.saturating_sub(position);
            lines.push(Line { seq: None, text: text(&LiveMessage::Lagged { missed })? });
        }
        lines.push(Line { seq: whole.next.checked_sub(1), text: whole.text });
        self.greets = true;
        self.told(&mut lines)?;
        self.position = Some(whole.next);
        Ok(lines)
    }

    /// Adds the beat that is due.
    fn told(&mut self, lines: &mut Vec<Line>) -> Result<(), Problem> {
        let live = &self.api.live;
        let text = if self.greets {
            // A snapshot may be a second old; its client's clock must not be.
            beat(&self.api)?
        } else if Instant::now() >= live.due(self.beat) {
            shared_beat(&self.api, live.next_beat() - 1)?
        } else {
            return Ok(());
        };
        lines.push(Line { seq: None, text });
        self.greets = false;
        self.beat = live.next_beat();
        Ok(())
    }
}

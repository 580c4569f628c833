//! Recent events by number.

use axum::extract::ws::Utf8Bytes;
use forewarn_live::Event;
use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

/// An event and its text, which is made once for all clients.
#[derive(Debug)]
pub struct Numbered {
    /// Its number: without gaps, over restarts too.
    pub seq: u64,
    /// The event.
    pub event: Event,
    text: OnceLock<Text>,
}

/// A message of the live stream, and where in it the event begins; one brace follows it.
#[derive(Debug)]
struct Text {
    message: Utf8Bytes,
    start: usize,
}

impl Numbered {
    pub(in crate::runtime) fn new(event: Event) -> Self {
        Self { seq: event.seq, event, text: OnceLock::new() }
    }

    /// The event as a JSON object.
    #[must_use]
    pub fn json(&self) -> &str {
        let Text { message, start } = self.text();
        &message[*start..message.len() - 1]
    }

    /// The event as a message of the live stream, shared by all who are sent it.
    pub(crate) fn message(&self) -> Utf8Bytes {
        self.text().message.clone()
    }

    fn text(&self) -> &Text {
        self.text.get_or_init(|| {
            let mut text = format!("{{\"type\":\"event\",\"seq\":{},\"event\":", self.seq);
            let start = text.len();
            // Text keys and finite numbers: it cannot fail, and an empty object says no more than there is.
            text += &serde_json::to_string(&self.event).unwrap_or_else(|_| "{}".to_owned());
            text.push('}');
            Text { message: text.into(), start }
        })
    }
}

/// Events that a chunk has, from which on another one is begun.
const CHUNK: usize = 256;

/// The last events, oldest first. A clone is what it is at that moment, and shares the events.
#[derive(Clone, Debug)]
pub struct EventRing {
    chunks: Arc<VecDeque<Arc<[Arc<Numbered>]>>>,
    most: usize,
    held: usize,
    /// Number after the last event.
    next: u64,
}

impl EventRing {
    pub(in crate::runtime) fn new(most: usize) -> Self {
        Self { chunks: Arc::default(), most: most.max(1), held: 0, next: 0 }
    }

    /// Nothing is kept before event number `next`.
    pub(in crate::runtime) fn begin_at(&mut self, next: u64) {
        if next != self.next {
            (self.chunks, self.held, self.next) = (Arc::default(), 0, next);
        }
    }

    /// Number of the oldest event that is kept.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.next - self.held as u64
    }

    /// Number of the next event.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The kept events from number `seq` on, oldest first.
    pub fn since(&self, seq: u64) -> impl DoubleEndedIterator<Item = &Arc<Numbered>> {
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(|last| last.seq < seq));
        self.chunks.range(chunk..).flat_map(|chunk| chunk.iter()).filter(move |event| event.seq >= seq)
    }

    /// The kept events, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Numbered>> {
        self.since(0)
    }

    /// Appends events whose numbers follow. After a gap only the new ones are kept.
    pub(in crate::runtime) fn extend(&mut self, mut events: Vec<Arc<Numbered>>) {
        let Some(first) = events.first().map(|event| event.seq) else { return };
        let chunks = Arc::make_mut(&mut self.chunks);
        if first != self.next {
            chunks.clear();
            self.held = 0;
        }
        self.held += events.len();
        self.next = first + events.len() as u64;
        // Small groups are put together: a list of many chunks is long to copy.
        if chunks.back().is_some_and(|last| last.len() + events.len() <= CHUNK)
            && let Some(last) = chunks.pop_back()
        {
            events.splice(..0, last.iter().cloned());
        }
        chunks.push_back(events.into());
        while self.held > self.most {
            match chunks.front().map(|chunk| chunk.len()) {
                Some(count) if self.held - count >= self.most => {
                    chunks.pop_front();
                    self.held -= count;
                }
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_live::EventBody;
    use forewarn_schema::Timestamp;

    fn events(numbers: std::ops::Range<u64>) -> Vec<Arc<Numbered>> {
        let body = EventBody::ServiceAppeared { service: "cart".to_owned() };
        numbers
            .map(|seq| Arc::new(Numbered::new(Event { seq, time: Timestamp::EPOCH, body: body.clone() })))
            .collect()
    }

    fn numbers(ring: &EventRing, since: u64) -> Vec<u64> {
        ring.since(since).map(|event| event.seq).collect()
    }

    #[test]
    fn an_event_and_its_message_are_one_text() {
        let event = &events(7..8)[0];
        assert_eq!(event.json(), serde_json::to_string(&event.event).unwrap());
        let message: serde_json::Value = serde_json::from_str(&event.message()).unwrap();
        assert_eq!((&message["type"], &message["seq"]), (&"event".into(), &7.into()));
        assert_eq!(message["event"], serde_json::to_value(&event.event).unwrap());
        assert_eq!(event.message().as_ptr(), event.message().as_ptr());
    }

    #[test]
    fn the_last_events_are_kept_in_few_chunks() {
        let mut ring = EventRing::new(1_000);
        for seq in 0..5_000 {
            ring.extend(events(seq..seq + 1));
        }
        assert_eq!(ring.next(), 5_000);
        assert!(ring.first() <= 4_000 && ring.first() > 4_000 - CHUNK as u64);
        assert!(ring.chunks.len() <= 1_000 / CHUNK + 2);
        assert_eq!(numbers(&ring, 4_990), (4_990..5_000).collect::<Vec<_>>());
        assert_eq!(numbers(&ring, 0), (ring.first()..5_000).collect::<Vec<_>>());
        assert!(numbers(&ring, 5_000).is_empty());
        let before = ring.clone();
        ring.extend(events(5_000..7_000));
        assert_eq!(numbers(&before, 4_999), [4_999]);
        assert_eq!(ring.first(), 5_000, "one large group is kept whole");
    }

    #[test]
    fn a_gap_begins_again() {
        let mut ring = EventRing::new(10);
        ring.extend(events(3..5));
        assert_eq!(numbers(&ring, 0), [3, 4]);
        ring.extend(events(9..11));
        assert_eq!(numbers(&ring, 0), [9, 10]);
    }
}

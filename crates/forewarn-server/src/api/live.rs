//! The live stream: a snapshot, then every event, as a web socket and as server-sent events.
//!
//! Messages are made once and shared: an event's text by all who are sent it, a snapshot's and a beat's by all who ask
//! within the same second or beat. A client has a position in the ring of events and nothing else, so that a slow one
//! holds up no other: when it is too far behind, it is told what it missed and gets a snapshot.

mod follow;
mod message;
mod shared;
mod socket;
mod sse;
mod texts;

pub(crate) use message::LiveMessage;
pub(crate) use shared::LiveTexts;
pub(crate) use socket::{__path_socket, not_a_socket, socket};
pub(crate) use sse::{__path_stream, stream};

use serde::Deserialize;
use std::time::Duration;
use utoipa::IntoParams;

/// Time between two beats.
const BEAT: Duration = Duration::from_secs(2);

/// Where to go on.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiveQuery {
    /// After the event of this number. Without it, and where that is too far back, a snapshot comes first.
    after: Option<u64>,
}

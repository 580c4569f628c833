use super::{
    LiveQuery,
    follow::{Follower, Line},
    message::LiveMessage,
};
use crate::{
    api::Shared,
    http::{Caller, Limit, Params, Problem, ended},
};
use axum::{
    Extension,
    extract::{
        State,
        ws::{
            CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    response::Response,
};
use futures_util::SinkExt;
use serde::Deserialize;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

/// How long a client has to say where it goes on.
const GREETING: Duration = Duration::from_millis(100);
/// Time between two pings.
const PING: Duration = Duration::from_secs(20);
/// Pings without an answer after which a client is gone.
const MOST_UNANSWERED: u32 = 3;
/// How long a client has to take the goodbye and answer it.
const GOODBYE: Duration = Duration::from_secs(1);
/// Bytes of a client's message.
const MOST_BYTES: usize = 4_096;
/// Bytes of the buffers of a socket: it reads next to nothing, and events are a few hundred bytes.
const BUFFER: usize = 4_096;

/// What a client says.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The last event that it has; null for none.
    resume: Option<u64>,
}

/// The live stream as a web socket.
///
/// Each message is a text, and a JSON object with a `type`. A snapshot comes first, then each event in order, without
/// gaps in `seq`. A client goes on where it was by `after`, or by sending `{"resume": SEQ}` at once: it gets the events
/// after that one, or a snapshot where they are too many or no longer kept. A client that is too slow is told `lagged`
/// and gets a snapshot. The `Origin` of a page must be the server's own, or one of `http.allow_origins`.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(LiveQuery), responses(
    (status = 101, description = "The socket; the schema is that of its messages", body = LiveMessage),
    (status = 400, description = "Not a request for a web socket", body = Problem,
        content_type = "application/problem+json")))]
pub(crate) async fn socket(
    State(api): State<Shared>,
    Extension(caller): Extension<Caller>,
    Params(query): Params<LiveQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(not_a_socket)?;
    let place = api.socket()?;
    let upgrade = upgrade.max_message_size(MOST_BYTES).max_frame_size(MOST_BYTES);
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    Ok(upgrade.on_upgrade(async move |socket| {
        Client { end: api.end.clone(), socket, api, caller }.serve(query.after).await;
        drop(place);
    }))
}

/// Why a request gets no web socket.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn not_a_socket(error: WebSocketUpgradeRejection) -> Problem {
    Problem::invalid(format!(
        "this is a web socket, and the request no upgrade to one: {}",
        error.body_text()
    ))
}

/// One task reads from a socket and writes to it: no two writes can meet.
struct Client {
    api: Shared,
    socket: WebSocket,
    end: watch::Receiver<bool>,
    caller: Caller,
}

/// Why a client is not served any longer.
enum Over {
    /// It is gone, or does not take what it is sent.
    Gone,
    /// It is told why.
    Told(CloseFrame),
}

impl Over {
    fn told(code: u16, reason: &'static str) -> Self {
        Self::Told(CloseFrame { code, reason: reason.into() })
    }
}

impl Client {
    async fn serve(mut self, after: Option<u64>) {
        let Err(over) = self.follow(after).await else { return };
        if let Over::Told(frame) = over {
            // Its answer is waited for: a connection that is closed before may lose the goodbye on its way.
            let goodbye = async {
                if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                    while let Some(Ok(_)) = self.socket.recv().await {}
                }
            };
            // If it does not listen, it is gone all the same.
            let _ = timeout(GOODBYE, goodbye).await;
        }
    }

    async fn follow(&mut self, after: Option<u64>) -> Result<(), Over> {
        let (guard, caller) = (Arc::clone(&self.api.guard), self.caller.clone());
        let mut revoked = pin!(guard.revoked(&caller));
        let after = match after {
            Some(after) => Some(after),
            None => self.greeting().await?,
        };
        let mut follower = Follower::new(self.api.clone(), after);
        let mut pings = interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut unanswered = 0;
        loop {
            tokio::select! {
                lines = follower.next() => match lines {
                    Ok(Some(lines)) => self.send(lines.into_iter().map(message)).await?,
                    Ok(None) => return Err(Over::told(close_code::AWAY, "the service ends")),
                    Err(problem) => {
                        tracing::error!(?problem, "a live stream was broken off");
                        return Err(Over::told(close_code::ERROR, "the server failed; its log says more"));
                    }
                },
                said = self.socket.recv() => {
                    // Whatever it wishes for by now is in the snapshot that it had.
                    wish(said)?;
                    unanswered = 0;
                }
                _ = pings.tick() => {
                    if unanswered == MOST_UNANSWERED {
                        self.api.guard.counters.hit(Limit::Write);
                        return Err(Over::Gone);
                    }
                    unanswered += 1;
                    self.send([Message::Ping(Vec::new().into())]).await?;
                }
                () = ended(&mut self.end) => {
                    return Err(Over::told(close_code::AWAY, "the service ends"));
                }
                () = &mut revoked => {
                    return Err(Over::told(close_code::POLICY, "the token is no longer accepted"));
                }
            }
        }
    }

    /// Where the client wants to go on, if it says so at once.
    async fn greeting(&mut self) -> Result<Option<u64>, Over> {
        let said = async {
            loop {
                if let Some(wish) = wish(self.socket.recv().await)? {
                    return Ok(wish.resume);
                }
            }
        };
        timeout(GREETING, said).await.unwrap_or(Ok(None))
    }

    /// Sends all of it, unless the service ends before the client has taken it.
    async fn send(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), Over> {
        let Self { socket, end, .. } = self;
        let all = async {
            for message in messages {
                socket.feed(message).await?;
            }
            socket.flush().await
        };
        tokio::select! {
            sent = all => sent.map_err(|_| Over::Gone),
            () = ended(end) => Err(Over::Gone),
        }
    }
}

fn message(line: Line) -> Message {
    Message::Text(line.text)
}

/// What a client said, if it is a wish.
fn wish(said: Option<Result<Message, axum::Error>>) -> Result<Option<Wish>, Over> {
    match said {
        None | Some(Err(_) | Ok(Message::Close(_))) => Err(Over::Gone),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).map(Some).map_err(|_| refusal()),
        Some(Ok(Message::Binary(_))) => Err(refusal()),
    }
}

fn refusal() -> Over {
    Over::told(close_code::UNSUPPORTED, "expected a text such as {\"resume\": 12}")
}

use super::{
    LiveQuery,
    follow::{Follower, Line},
    message::LiveMessage,
};
use crate::{
    api::Shared,
    http::{Caller, Params, Problem, ended},
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::stream::unfold;
use std::{convert::Infallible, fmt::Write, sync::Arc};

/// The live stream as server-sent events.
///
/// The data of each is a message as on the web socket. Events and snapshots have their `seq` as id, so that a browser
/// goes on where it was by itself; `Last-Event-ID` counts more than `after`.
#[utoipa::path(get, path = "/api/v1/live/sse", tag = "live", params(LiveQuery), responses(
    (status = 200, description = "The stream; the schema is that of the data of each event", body = LiveMessage,
        content_type = "text/event-stream")))]
pub(crate) async fn stream(
    State(api): State<Shared>,
    Extension(caller): Extension<Caller>,
    Params(query): Params<LiveQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_event_id(&headers)?.or(query.after);
    let place = api.socket()?;
    let (end, guard) = (api.end.clone(), Arc::clone(&api.guard));
    let revoked = Box::pin(async move { guard.revoked(&caller).await });
    let follower = Follower::new(api, after);
    let chunks =
        unfold((follower, end, revoked, place), async |(mut follower, mut end, mut revoked, place)| {
            let lines = tokio::select! {
                lines = follower.next() => lines,
                () = ended(&mut end) => return None,
                () = &mut revoked => return None,
            };
            match lines {
                Ok(lines) => Some((Ok::<_, Infallible>(chunk(lines?)), (follower, end, revoked, place))),
                Err(problem) => {
                    tracing::error!(?problem, "a live stream was broken off");
                    None
                }
            }
        });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy must not gather messages.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// The last event that a browser has which comes back.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) else { return Ok(None) };
    let number = id.to_str().ok().and_then(|id| id.parse().ok());
    number.map(Some).ok_or_else(|| Problem::invalid("Last-Event-ID: expected the number of an event"))
}

fn chunk(lines: Vec<Line>) -> Bytes {
    let mut text = String::with_capacity(lines.iter().map(|line| line.text.len() + 40).sum());
    for Line { seq, text: data } in lines {
        if let Some(seq) = seq {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "id: {seq}");
        }
        // JSON has no line breaks.
        text += "data: ";
        text += &data;
        text += "\n\n";
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_message_is_one_event_of_the_stream() {
        let line = |seq, text: &str| Line { seq, text: text.into() };
        let chunk = chunk(vec![line(Some(4), "{\"a\":1}"), line(None, "{}")]);
        assert_eq!(chunk, "id: 4\ndata: {\"a\":1}\n\ndata: {}\n\n");
    }

    #[test]
    fn an_id_that_is_no_number_is_refused() {
        let id =
            |text| HeaderMap::from_iter([("last-event-id".parse().unwrap(), HeaderValue::from_static(text))]);
        assert_eq!(last_event_id(&id("12")).unwrap(), Some(12));
        assert_eq!(last_event_id(&id("")).unwrap(), None);
        assert_eq!(last_event_id(&HeaderMap::new()).unwrap(), None);
        assert!(last_event_id(&id("twelve")).is_err());
    }
}

//! What every way out has in common: it says what to send and hears what came of it, and does neither itself.

use super::status::TargetStatus;
use forewarn_live::{EngineView, Event, WarningEvent};
use forewarn_schema::Timestamp;

/// A way out, as a state machine: it takes events, says what is to be sent, and is told what came of it. No clock, no
/// socket and no thread, so that an hour of outage is a loop in a test.
pub(crate) trait Outlet: Send {
    /// Number of the event that it takes next.
    fn next_seq(&self) -> u64;

    /// Takes an event.
    fn take(&mut self, event: &Event, now: Timestamp);

    /// Goes on from what the engine shows, where events between are lost.
    fn reconcile(&mut self, truth: &Truth<'_>, now: Timestamp);

    /// What to do now.
    fn next(&mut self, now: Timestamp) -> Next;

    /// What came of the request that [`next`](Self::next) gave last.
    fn answered(&mut self, answer: &Answer, now: Timestamp);

    /// The service ends: what waits is to be tried now, once.
    fn hurry(&mut self, now: Timestamp);

    /// How it does.
    fn status(&self) -> TargetStatus;

    /// What must not be lost over a restart, if that changed since the last call.
    fn changed_state(&mut self) -> Option<Vec<u8>>;
}

/// What the engine shows, with what else is known of its warnings.
pub(crate) struct Truth<'a> {
    /// The engine.
    pub(crate) view: &'a EngineView,
    /// Number of the event that comes next.
    pub(crate) next_seq: u64,
    /// A warning by its id, as it was raised.
    pub(crate) warning: &'a dyn Fn(&str) -> Option<WarningEvent>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send this, and tell what came of it.
    Send(Outgoing),
    /// Nothing before this time, unless an event comes.
    Wait(Timestamp),
    /// Nothing until an event comes.
    Idle,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Whether it has a body and changes something.
    pub(crate) is_post: bool,
    /// The whole address.
    pub(crate) url: String,
    /// Headers of its own; those of the target's configuration come to them.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The server said something.
    Response {
        /// Status code.
        status: u16,
        /// Seconds of `Retry-After`.
        retry_after: Option<u64>,
        /// The body, as far as it was read.
        body: Vec<u8>,
    },
    /// Nothing came back: why, in words.
    Failed(String),
}

/// What an answer means for what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It arrived.
    Taken,
    /// This content is not wanted, however often it is sent.
    Refused(String),
    /// It is to be sent again, at the earliest after the seconds that the server asks for.
    Later(String, Option<u64>),
}

impl Answer {
    /// What it means.
    ///
    /// Only what says that the content is wrong (400, 410, 413, 415, 422) refuses it. A missing or wrong token, or an
    /// address that does not exist, can be put right by an operator, and must not lose an alert until then.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(reason) => Verdict::Later(reason.clone(), None),
            Self::Response { status: 200..=299, .. } => Verdict::Taken,
            Self::Response { status, retry_after, body } => {
                let said = said(body);
                let words = if said.is_empty() {
                    format!("answered {status}")
                } else {
                    format!("answered {status}: {said}")
                };
                if matches!(status, 400 | 410 | 413 | 415 | 422) {
                    Verdict::Refused(words)
                } else {
                    Verdict::Later(words, *retry_after)
                }
            }
        }
    }
}

/// The first words of a body, without control characters.
fn said(body: &[u8]) -> String {
    const MOST_CHARS: usize = 300;
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * MOST_CHARS)]);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_CHARS).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AlertsConfig,
        sink::{
            Alertmanager, RemoteWrite, Template, Webhook,
            testing::{fires, minute, score, second},
        },
    };

    fn response(status: u16, body: &str) -> Answer {
        Answer::Response { status, retry_after: Some(3), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn only_what_is_wrong_with_the_content_refuses_it() {
        for status in [200, 202, 204] {
            assert_eq!(response(status, "").verdict(), Verdict::Taken);
        }
        for status in [400, 413, 415, 422] {
            assert!(matches!(response(status, "").verdict(), Verdict::Refused(_)), "{status}");
        }
        for status in [301, 401, 403, 404, 408, 429, 500, 503] {
            assert!(matches!(response(status, "").verdict(), Verdict::Later(_, Some(3))), "{status}");
        }
        assert!(matches!(Answer::Failed("refused".to_owned()).verdict(), Verdict::Later(_, None)));
    }

    /// Every way out, each with something to send at minute 1.
    fn outlets() -> [Box<dyn Outlet>; 3] {
        let (alerts, url) = (AlertsConfig::default(), "url = \"http://a\"\ngroup_wait_secs = 0");
        let address = toml::from_str("url = \"http://a\"").unwrap();
        let mut all: [Box<dyn Outlet>; 3] = [
            Box::new(Alertmanager::new(alerts.clone(), &address, None).unwrap()),
            Box::new(
                Webhook::new(alerts.clone(), &toml::from_str(url).unwrap(), Template::Payload, None, None)
                    .unwrap(),
            ),
            Box::new(RemoteWrite::new(alerts, &toml::from_str("url = \"http://a\"").unwrap(), None)),
        ];
        for outlet in &mut all {
            outlet.take(&fires(0, "web", 1), minute(1));
            outlet.take(&score(1, "web", 1, Some(0.5)), minute(1));
        }
        all
    }

    #[test]
    fn a_busy_server_is_left_alone_for_as_long_as_it_asks_and_is_sent_the_same_then() {
        for status in [429, 503] {
            for mut outlet in outlets() {
                let Next::Send(first) = outlet.next(minute(1)) else { panic!("nothing to send") };
                let busy = Answer::Response { status, retry_after: Some(120), body: Vec::new() };
                outlet.answered(&busy, minute(1));
                let name = outlet.status().kind.word();
                assert_eq!(outlet.next(second(179)), Next::Wait(minute(3)), "{name} after {status}");
                let Next::Send(again) = outlet.next(minute(3)) else { panic!("{name} sends nothing") };
                assert_eq!((again.url, again.body.is_empty()), (first.url, first.body.is_empty()));
                assert_eq!((outlet.status().failed_requests, outlet.status().dropped), (1, 0), "{name}");
            }
        }
    }

    #[test]
    fn words_of_a_server_are_short_and_have_no_control_characters() {
        let Verdict::Refused(words) = response(400, &format!("a\x1b[31m\n{}", "x".repeat(5_000))).verdict()
        else {
            panic!("refused")
        };
        assert!(words.starts_with("answered 400: a [31m x") && words.len() < 400, "{words}");
    }
}

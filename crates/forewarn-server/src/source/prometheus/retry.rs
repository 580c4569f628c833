//! What is done about an answer that is none.

use crate::outgoing::Backoff;
use forewarn_prometheus::PrometheusError;
use std::time::Duration;

/// Why a query has no answer, and what may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What the server said, or what went wrong.
    pub(crate) words: String,
    pub(crate) remedy: Remedy,
}

/// What may help against a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// To ask again, after this time at the earliest where the server says one.
    Wait(Option<Duration>),
    /// To ask for less at once.
    Split,
    /// Nothing: the server understood the question and refuses it.
    Nothing,
}

impl Failure {
    pub(crate) fn new(words: impl Into<String>, remedy: Remedy) -> Self {
        Self { words: words.into(), remedy }
    }

    /// Of a body that is no answer to a query, with the status that it came with.
    pub(crate) fn of_answer(status: u16, retry_after: Option<Duration>, error: &PrometheusError) -> Self {
        let words = match (status, error) {
            (200..=299, _) => error.to_string(),
            (_, PrometheusError::Server { .. }) => format!("status {status}: {error}"),
            (401 | 403, _) => {
                format!("status {status}: the server refuses who asks: see bearer_file, basic and tenant")
            }
            (404, _) => format!("status {status}: nothing is there; is the path of the URL right?"),
            _ => format!("status {status}: {error}"),
        };
        let remedy = match error {
            PrometheusError::Limit { .. } => Remedy::Split,
            PrometheusError::Server { kind, message } if asks_for_less(status, kind, message) => {
                Remedy::Split
            }
            _ if status == 413 => Remedy::Split,
            _ if status == 429 || status >= 500 => Remedy::Wait(retry_after),
            _ => Remedy::Nothing,
        };
        Self { words, remedy }
    }
}

/// Whether the server says that a question for less would be answered.
fn asks_for_less(status: u16, kind: &str, message: &str) -> bool {
    const WORDS: [&str; 7] = [
        "too many samples",
        "too many points",
        "maximum resolution",
        "the query time range exceeds",
        "too many unique timeseries",
        "exceeds the limit",
        "memory",
    ];
    let message = message.to_ascii_lowercase();
    kind == "timeout"
        || (matches!(status, 400 | 413 | 422) && WORDS.iter().any(|words| message.contains(words)))
}

/// How often a query is asked, and how long is waited between.
#[derive(Clone, Debug)]
pub(crate) struct Retries {
    /// How often it is tried at all.
    pub(crate) attempts: u32,
    backoff: Backoff,
}

/// Longest wait of its own.
const LONGEST: Duration = Duration::from_secs(30);
/// Longest wait that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

impl Retries {
    /// For the server of this name. Replicas have other salts, so that they do not ask at the same moments.
    pub(crate) fn new(attempts: u32, name: &str, salt: u64) -> Self {
        Self { attempts, backoff: Backoff::new(name, salt, (LONGEST, LONGEST_ASKED)) }
    }

    /// How long to wait after attempt number `attempt`, from 0.
    pub(crate) fn wait(&mut self, attempt: u32, asked: Option<Duration>) -> Duration {
        self.backoff.wait(attempt, asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_found_by_what_the_server_says() {
        let server = |kind: &str, message: &str| PrometheusError::Server {
            kind: kind.to_owned(),
            message: message.to_owned(),
        };
        let remedy = |status, error: &PrometheusError| Failure::of_answer(status, None, error).remedy;
        let many = server(
            "execution",
            "query processing would load too many samples into memory in query execution",
        );
        assert_eq!(remedy(422, &many), Remedy::Split);
        assert_eq!(
            remedy(503, &server("timeout", "query timed out in expression evaluation")),
            Remedy::Split
        );
        let resolution = "exceeded maximum resolution of 11,000 points per timeseries.";
        assert_eq!(remedy(400, &server("bad_data", resolution)), Remedy::Split);
        assert_eq!(remedy(400, &server("bad_data", "parse error")), Remedy::Nothing);
        assert_eq!(remedy(422, &server("execution", "many-to-many matching not allowed")), Remedy::Nothing);
        assert_eq!(remedy(500, &server("internal", "storage")), Remedy::Wait(None));
        let none =
            PrometheusError::NotAnAnswer { reason: "expected value".to_owned(), begins: "<html>".to_owned() };
        let slow = Failure::of_answer(429, Some(Duration::from_secs(3)), &none);
        assert_eq!(slow.remedy, Remedy::Wait(Some(Duration::from_secs(3))));
        assert_eq!(remedy(502, &none), Remedy::Wait(None));
        assert_eq!(remedy(404, &none), Remedy::Nothing);
        assert!(Failure::of_answer(404, None, &none).words.contains("path"));
        assert!(Failure::of_answer(401, None, &none).words.contains("bearer_file"));
    }
}

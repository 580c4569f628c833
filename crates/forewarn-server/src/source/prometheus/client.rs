//! One server of the Prometheus API, asked and answered.

use super::{
    retry::{Failure, Remedy},
    span::Span,
};
use crate::{
    PrometheusConfig, ServerError,
    outgoing::{Credentials, base_address},
    runtime::{Clock, HttpRequest, HttpResponse, Transport},
    text::percent_encoded,
};
use forewarn_prometheus::{
    Answer, BuildInfo, Limits, PrometheusError, QueryData, read_build_info, read_query,
};
use forewarn_schema::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Seconds by which a server's clock may differ from ours.
pub(crate) const MOST_SKEW_SECS: i64 = 30;

/// No answer has said what time it is.
const UNKNOWN_SKEW: i64 = i64::MIN;

/// One server.
pub(crate) struct Client {
    /// Its URL with the prefix of its path, without a slash at the end.
    base: String,
    credentials: Credentials,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    timeout: Duration,
    /// Milliseconds that its clock is ahead of ours.
    skew_millis: AtomicI64,
    /// Bytes of all answers.
    bytes: AtomicU64,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) flavour: forewarn_prometheus::Flavour,
    pub(crate) version: String,
}

impl std::fmt::Display for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let blank = if self.version.is_empty() { "" } else { " " };
        write!(f, "{}{blank}{}", self.flavour, self.version)
    }
}

impl Client {
    pub(crate) fn new(
        config: &PrometheusConfig,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let base = base_address(&config.url).map_err(|reason| ServerError::Config {
            reason: format!("source.url of {}: {reason}", forewarn_schema::printable(&config.name)),
        })?;
        Ok(Self {
            base,
            credentials: Credentials::of_server(config),
            transport,
            clock,
            limits: Limits::default(),
            timeout: Duration::from_secs(u64::from(config.timeout_secs)),
            skew_millis: AtomicI64::new(UNKNOWN_SKEW),
            bytes: AtomicU64::new(0),
        })
    }

    /// Series over time.
    pub(crate) fn range(&self, query: &str, span: Span) -> Result<Answer<QueryData>, Failure> {
        let step = seconds(span.step.millis());
        let (start, end) = (seconds(span.first.millis()), seconds(span.last.millis()));
        let form = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("step", &step),
            ("timeout", &self.patience()),
        ];
        self.read("/api/v1/query_range", &form, read_query)
    }

    /// Series at a time; without one, at the server's own.
    pub(crate) fn at(&self, query: &str, time: Option<Timestamp>) -> Result<Answer<QueryData>, Failure> {
        let (time, patience) = (time.map(|time| seconds(time.millis())), self.patience());
        let mut form = vec![("query", query), ("timeout", &patience)];
        form.extend(time.as_deref().map(|time| ("time", time)));
        self.read("/api/v1/query", &form, read_query)
    }

    /// Which server it is. One that says nothing is none that is known.
    pub(crate) fn about(&self) -> Result<About, Failure> {
        match self.read("/api/v1/status/buildinfo", &[], read_build_info) {
            Ok(answer) => Ok(About { flavour: answer.data.flavour(), version: answer.data.version }),
            Err(Failure { remedy: Remedy::Nothing, .. }) => {
                // It may not say, and still answer questions.
                self.at("vector(1)", None)?;
                let none = BuildInfo { version: "0".to_owned(), ..BuildInfo::default() };
                Ok(About { flavour: none.flavour(), version: String::new() })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Milliseconds that the server's clock is ahead of ours, by its last answer; asks it where no answer has said.
    pub(crate) fn skew_millis(&self) -> Result<Option<i64>, Failure> {
        let known = || Some(self.skew_millis.load(Ordering::Relaxed)).filter(|&skew| skew != UNKNOWN_SKEW);
        if known().is_none() {
            let before = self.clock.now().millis();
            let answer = self.at("time()", None)?;
            let after = self.clock.now().millis();
            // The header of this very answer is better than its value, which some servers round down.
            if let (None, QueryData::Scalar(sample)) = (known(), answer.data) {
                let skew = (sample.value * 1000.0).round() as i64 - i64::midpoint(before, after);
                self.skew_millis.store(skew, Ordering::Relaxed);
            }
        }
        Ok(known())
    }

    /// Refuses a server whose clock is wrong: its rows would be those of other minutes.
    pub(crate) fn check_clock(&self) -> Result<(), Failure> {
        let Some(skew) = self.skew_millis()? else { return Ok(()) };
        if skew.abs() <= MOST_SKEW_SECS * 1000 {
            return Ok(());
        }
        let (seconds, side) = (skew.abs() / 1000, if skew > 0 { "ahead of" } else { "behind" });
        let words = format!(
            "the server's clock is {seconds} s {side} ours: expected a difference of {MOST_SKEW_SECS} s at most; set \
             both by NTP"
        );
        // Forgotten, so that the next try asks again.
        self.skew_millis.store(UNKNOWN_SKEW, Ordering::Relaxed);
        Err(Failure::new(words, Remedy::Nothing))
    }

    /// Bytes of all answers so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The time-out that the server is told: somewhat less than ours, so that its own words arrive.
    fn patience(&self) -> String {
        format!("{}ms", (self.timeout.as_millis() * 9 / 10).max(1))
    }

    fn read<T>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        read: fn(&[u8], &Limits) -> Result<Answer<T>, PrometheusError>,
    ) -> Result<Answer<T>, Failure> {
        let headers = self.credentials.headers();
        let headers = headers.map_err(|error| Failure::new(error.to_string(), Remedy::Nothing))?;
        let url = format!("{}{path}", self.base);
        let mut request = if form.is_empty() {
            HttpRequest::get(url)
        } else {
            HttpRequest::post(url, encoded(form))
                .with_header("content-type", "application/x-www-form-urlencoded")
        };
        request = request
            .with_header("accept", "application/json")
            .with_timeout(self.timeout)
            // One more than is read, so that an answer that is too long is known as such.
            .with_most_bytes(self.limits.max_bytes as u64 + 1);
        request.headers.extend(headers);
        let before = self.clock.now();
        let response = self.transport.send(&request);
        let after = self.clock.now();
        let response = response.map_err(|error| {
            let words = error.to_string();
            // An answer that is too long would be shorter for less.
            let remedy = if words.contains("larger than") { Remedy::Split } else { Remedy::Wait(None) };
            Failure::new(words, remedy)
        })?;
        self.bytes.fetch_add(response.body.len() as u64, Ordering::Relaxed);
        self.look_at_clock(&response, before, after);
        let answer = read(&response.body, &self.limits);
        if (200..=299).contains(&response.status) {
            return answer.map_err(|error| Failure::of_answer(response.status, None, &error));
        }
        let error = answer.err().unwrap_or_else(|| PrometheusError::Server {
            kind: format!("status {}", response.status),
            message: "the answer has no words".to_owned(),
        });
        Err(Failure::of_answer(response.status, response.retry_after_secs().map(Duration::from_secs), &error))
    }

    /// Takes the time of an answer, in whole seconds, as that of the middle of its second.
    fn look_at_clock(&self, response: &HttpResponse, before: Timestamp, after: Timestamp) {
        let Some(date) = response.header("date").and_then(super::date::millis) else { return };
        let skew = date + 500 - i64::midpoint(before.millis(), after.millis());
        self.skew_millis.store(skew, Ordering::Relaxed);
    }
}

/// Seconds with three digits, as the API takes times and steps.
fn seconds(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}

/// `application/x-www-form-urlencoded`.
fn encoded(form: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in form {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(&percent_encoded(value).replace("%20", "+"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_times_are_written_as_the_api_takes_them() {
        assert_eq!(
            encoded(&[("query", "a{b=\"c d\"} + 1"), ("step", "60")]),
            "query=a%7Bb%3D%22c+d%22%7D+%2B+1&step=60"
        );
        assert_eq!(seconds(1_767_225_600_050), "1767225600.050");
        assert_eq!(seconds(-1_500), "-1.500");
    }
}

use crate::SimError;
use crate::fleet::check::Check;
use forewarn_schema::printable;
use serde::{Deserialize, Serialize};

/// What becomes of a request whose call has failed for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// It fails.
    #[default]
    Required,
    /// It is answered without what the call would have given.
    Optional,
}

/// When and how often a failed call is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Attempts after the first, 0 to 10.
    pub attempts: u32,
    /// Milliseconds before the first of them; each later one waits twice as long.
    #[serde(default = "Retry::default_backoff")]
    pub backoff_ms: f64,
    /// Retries may add at most this share to the calls of an edge; `None` for no such budget, which is how storms
    /// begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
}

impl Retry {
    fn default_backoff() -> f64 {
        50.0
    }
}

/// A circuit breaker: after too many failures calls fail at once, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Share of attempts, averaged over some 15 seconds, whose failure opens it.
    pub failing: f64,
    /// Seconds for which it stays open. Then a tenth of the calls try, and it closes if they succeed.
    pub open_seconds: f64,
}

/// One service calling another in the course of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCall {
    /// Who calls.
    pub client: String,
    /// Who is called.
    pub server: String,
    /// Share of the client's requests that call.
    #[serde(default = "PlannedCall::default_probability")]
    pub probability: f64,
    /// Calls of each such request, one after another, 1 to 100.
    #[serde(default = "PlannedCall::default_fan_out")]
    pub fan_out: u32,
    /// Share of calls that a warm cache of the client saves.
    #[serde(default)]
    pub cache_hit: f64,
    /// Milliseconds after which the client gives an attempt up. The server does not know, and goes on with its work.
    #[serde(default = "PlannedCall::default_timeout")]
    pub timeout_ms: f64,
    /// Milliseconds that the network takes, both ways.
    #[serde(default = "PlannedCall::default_network")]
    pub network_ms: f64,
    /// Connections that each pod of the client has; an attempt that finds none free waits for at most the time-out.
    #[serde(default = "PlannedCall::default_pool")]
    pub pool: u32,
    /// Whether a request can do without.
    #[serde(default)]
    pub need: Need,
    /// Trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Not trying at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
}

impl PlannedCall {
    fn default_probability() -> f64 {
        1.0
    }

    fn default_fan_out() -> u32 {
        1
    }

    fn default_timeout() -> f64 {
        1_000.0
    }

    fn default_network() -> f64 {
        1.0
    }

    fn default_pool() -> u32 {
        64
    }

    /// `client` calls `server` once in each request: a second's time-out, 64 connections a pod, no retry, no breaker.
    #[must_use]
    pub fn new(client: impl Into<String>, server: impl Into<String>) -> Self {
        Self {
            client: client.into(),
            server: server.into(),
            probability: Self::default_probability(),
            fan_out: Self::default_fan_out(),
            cache_hit: 0.0,
            timeout_ms: Self::default_timeout(),
            network_ms: Self::default_network(),
            pool: Self::default_pool(),
            need: Need::Required,
            retry: None,
            breaker: None,
        }
    }

    /// The same call, tried again `attempts` times with a budget or without.
    #[must_use]
    pub fn with_retry(mut self, attempts: u32, budget: Option<f64>) -> Self {
        self.retry = Some(Retry { attempts, backoff_ms: Retry::default_backoff(), budget });
        self
    }

    /// The same call behind a breaker that opens for `open_seconds` when a share `failing` of attempts fail.
    #[must_use]
    pub fn with_breaker(mut self, failing: f64, open_seconds: f64) -> Self {
        self.breaker = Some(Breaker { failing, open_seconds });
        self
    }

    /// Its place in messages: `call gateway -> user`.
    pub(crate) fn place(&self) -> String {
        format!("call {} -> {}", printable(&self.client), printable(&self.server))
    }

    /// # Errors
    /// [`SimError::InvalidField`], which names the call and the field.
    pub(crate) fn check(&self) -> Result<(), SimError> {
        let place = self.place();
        let check = Check(&place);
        check.share("probability", self.probability)?;
        check.positive("probability", self.probability)?;
        check.share("cache_hit", self.cache_hit)?;
        check.count("fan_out", self.fan_out, 100, "1 to 100")?;
        check.positive("timeout_ms", self.timeout_ms)?;
        check.not_negative("network_ms", self.network_ms)?;
        check.count("pool", self.pool, 1_000_000, "1 to 1,000,000")?;
        if let Some(retry) = &self.retry {
            check.count("retry.attempts", retry.attempts, 10, "1 to 10")?;
            check.not_negative("retry.backoff_ms", retry.backoff_ms)?;
            check.not_negative("retry.budget", retry.budget.unwrap_or(0.0))?;
        }
        if let Some(breaker) = &self.breaker {
            check.share("breaker.failing", breaker.failing)?;
            check.positive("breaker.failing", breaker.failing)?;
            check.positive("breaker.open_seconds", breaker.open_seconds)?;
        }
        Ok(())
    }
}

use crate::{LabelError, error::refuse_unless, rule::from_toml};
use serde::{Deserialize, Serialize};

/// What a service level objective counts as good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Indicator {
    /// Share of requests that succeed.
    Availability {
        /// Metric that counts requests.
        requests: String,
        /// Metric that is the share of failed ones.
        error_rate: String,
    },
    /// Share of rows (minutes, for most frames) with at most this share of errors.
    Errors {
        /// Metric that is the share of failed requests.
        error_rate: String,
        /// Limit.
        at_most: f64,
    },
    /// Share of rows with at most this latency.
    Latency {
        /// Metric, such as `p99_latency`.
        metric: String,
        /// Limit, in the metric's unit.
        at_most: f64,
    },
    /// Share of rows with at least this number of requests.
    Throughput {
        /// Metric that counts requests.
        requests: String,
        /// Limit, per row.
        at_least: f64,
    },
}

/// A service level objective: what share of an [`Indicator`]'s events should be good, and over which windows its burn
/// rate is watched.
///
/// An event is a request for availability, a row for all others; rows whose samples are missing have none. The error
/// budget is the share of events that may be bad, `1 - objective`. A row is a *violation* when more of its events are
/// bad than that. The *burn rate* of a window is the share of bad events in it over the budget: at 1 the budget lasts
/// just as long as the objective's period.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `name` | how reports call it | required | not empty |
/// | `service` | the only service that it is for | every service | |
/// | `objective` | share of events that should be good | required | above 0, below 1 |
/// | `indicator` | which events are good | availability by `request_count` and `error_rate` | |
/// | `period_days` | days over which the error budget is counted | 30 | 1 to 366 |
/// | `windows_minutes` | windows of burn rates | [`Slo::WINDOWS_MINUTES`] | 1 to 129,600 each |
///
/// ```
/// use forewarn_label::Slo;
///
/// let slos = Slo::list_from_toml(r#"
///     [[slo]]
///     name = "checkout answers"
///     objective = 0.999
///     indicator.availability = { requests = "request_count", error_rate = "error_rate" }
///
///     [[slo]]
///     name = "checkout is quick"
///     objective = 0.95
///     indicator.latency = { metric = "p99_latency", at_most = 500 }
///     windows_minutes = [5, 60]
///     service = "checkout"
///     period_days = 28
/// "#)?;
/// assert_eq!(slos.len(), 2);
/// # Ok::<(), forewarn_label::LabelError>(())
/// ```
///
/// # References
/// B. Beyer et al. (eds.), *The Site Reliability Workbook*, O'Reilly 2018, chapters 2 and 5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SloRow", into = "SloRow")]
pub struct Slo {
    name: String,
    service: Option<String>,
    pub(super) indicator: Indicator,
    objective: f64,
    period_days: u32,
    windows_minutes: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SloRow {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    objective: f64,
    #[serde(default)]
    indicator: Indicator,
    #[serde(default = "usual_period")]
    period_days: u32,
    #[serde(default = "usual_windows")]
    windows_minutes: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SloFile {
    slo: Vec<Slo>,
}

fn usual_windows() -> Vec<u32> {
    Slo::WINDOWS_MINUTES.to_vec()
}

fn usual_period() -> u32 {
    30
}

impl Default for Indicator {
    /// Availability by the metrics of [`Schema::v1`](forewarn_schema::Schema::v1).
    fn default() -> Self {
        Self::Availability { requests: "request_count".to_owned(), error_rate: "error_rate".to_owned() }
    }
}

impl TryFrom<SloRow> for Slo {
    type Error = LabelError;

    fn try_from(row: SloRow) -> Result<Self, LabelError> {
        let SloRow { name, service, objective, indicator, period_days, windows_minutes } = row;
        let slo = Self { name, service, indicator, objective, period_days, windows_minutes };
        slo.check()?;
        Ok(slo)
    }
}

impl From<Slo> for SloRow {
    fn from(slo: Slo) -> Self {
        let Slo { name, service, indicator, objective, period_days, windows_minutes } = slo;
        Self { name, service, objective, indicator, period_days, windows_minutes }
    }
}

impl Slo {
    /// Windows of burn rates unless said otherwise: those of [`BurnRate::workbook`](crate::BurnRate::workbook), 5 and
    /// 30 minutes, 1, 2 and 6 hours, 1 and 3 days.
    pub const WINDOWS_MINUTES: [u32; 7] = [5, 30, 60, 2 * 60, 6 * 60, 24 * 60, 3 * 24 * 60];

    /// An objective with the usual period and windows.
    pub fn new(name: impl Into<String>, indicator: Indicator, objective: f64) -> Self {
        let (period_days, windows_minutes) = (usual_period(), usual_windows());
        Self { name: name.into(), service: None, indicator, objective, period_days, windows_minutes }
    }

    /// Only for one service, where a program has many.
    #[must_use]
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Another period than 30 days, 1 to 366.
    #[must_use]
    pub fn with_period_days(mut self, days: u32) -> Self {
        self.period_days = days;
        self
    }

    /// Other windows for its burn rates, each 1 minute to 90 days.
    #[must_use]
    pub fn with_windows_minutes(mut self, windows_minutes: Vec<u32>) -> Self {
        self.windows_minutes = windows_minutes;
        self
    }

    /// Refuses what cannot be an objective. What reads one, and [`start`](Self::start), check it themselves.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] for an empty name; unless the objective is above 0 and below 1, the indicator's
    /// limit finite, the period 1 to 366 days, and each window 1 minute to 90 days.
    pub fn check(&self) -> Result<(), LabelError> {
        let name = &self.name;
        refuse_unless(!name.trim().is_empty(), "name", &format!("{name:?}"), "the name of an objective")?;
        let between = self.objective > 0.0 && self.objective < 1.0;
        let field = format!("objective of {name:?}");
        refuse_unless(between, &field, &self.objective.to_string(), "a share between 0 and 1")?;
        let limit = match self.indicator {
            Indicator::Availability { .. } => 0.0,
            Indicator::Errors { at_most, .. } | Indicator::Latency { at_most, .. } => at_most,
            Indicator::Throughput { at_least, .. } => at_least,
        };
        let field = format!("limit of {name:?}");
        refuse_unless(limit.is_finite(), &field, &limit.to_string(), "a finite number")?;
        let (days, field) = (self.period_days, format!("the period of {name:?} in days"));
        refuse_unless((1..=366).contains(&days), &field, &days.to_string(), "1 to 366")?;
        for window in &self.windows_minutes {
            let fine = (1..=90 * 24 * 60).contains(window);
            let field = format!("a window of {name:?} in minutes");
            refuse_unless(fine, &field, &window.to_string(), "1 to 129600")?;
        }
        Ok(())
    }

    /// Two objectives for the metrics of [`Schema::v1`](forewarn_schema::Schema::v1): 99.9 % of requests succeed; 99 %
    /// of rows have a `p99_latency` of at most 1000 ms.
    #[must_use]
    pub fn v1() -> Vec<Self> {
        vec![
            Self::new("availability", Indicator::default(), 0.999),
            Self::new(
                "latency",
                Indicator::Latency { metric: "p99_latency".to_owned(), at_most: 1000.0 },
                0.99,
            ),
        ]
    }

    /// Reads objectives from TOML: an `[[slo]]` for each.
    ///
    /// # Errors
    /// [`LabelError::UnreadableFile`], which names the field and the line, also for what [`check`](Self::check) refuses.
    pub fn list_from_toml(text: &str) -> Result<Vec<Self>, LabelError> {
        Ok(from_toml::<SloFile>("list of service level objectives", text)?.slo)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The share of events that should be good.
    #[must_use]
    pub fn objective(&self) -> f64 {
        self.objective
    }

    /// The service that it is for; `None` for every service.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Days over which the error budget is counted.
    #[must_use]
    pub fn period_days(&self) -> u32 {
        self.period_days
    }

    /// Windows of its burn rates, in minutes.
    #[must_use]
    pub fn windows(&self) -> &[u32] {
        &self.windows_minutes
    }

    pub(super) fn period_minutes(&self) -> u32 {
        self.period_days * 24 * 60
    }
}

#[cfg(test)]
mod tests;

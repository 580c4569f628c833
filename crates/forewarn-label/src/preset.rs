//! Rules that many services share.

use crate::{Condition, LabelError, Measure, Rule, Span, error::refuse_unless};
use serde::{Deserialize, Serialize};

/// The metrics of [`Schema::v1`](forewarn_schema::Schema::v1) that the presets watch.
const ERROR_RATE: &str = "error_rate";
const REQUESTS: &str = "request_count";

impl Rule {
    /// forewarn's first definition of failure: an error rate of at least 5 % for 2 consecutive steps.
    #[must_use]
    pub fn v1() -> Self {
        crate::ThresholdRule::v1().into()
    }

    /// Slow answers: `p99_latency` over a limit, in milliseconds, for a span.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] for a limit that is not finite or an empty span.
    pub fn latency(limit_millis: f32, lasting: Span) -> Result<Self, LabelError> {
        Self::new(Measure::metric("p99_latency").above(limit_millis).lasting(lasting))
    }

    /// A resource at its end: any of [`Saturation`]'s limits.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`].
    pub fn saturation(limits: &Saturation) -> Result<Self, LabelError> {
        let busy = |metric: &str, limit| Measure::metric(metric).at_least(limit).lasting(limits.lasting);
        let restarts = Measure::metric("pod_restarts").at_least(limits.restarts);
        Self::new(busy("cpu_usage", limits.cpu).or(busy("memory_usage", limits.memory)).or(restarts))
    }

    /// An error budget that burns too fast; see [`BurnRate`].
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] for an objective outside 0..1, no window, or a factor that no error rate reaches.
    pub fn burn_rate(burn: &BurnRate) -> Result<Self, LabelError> {
        let within = burn.objective > 0.0 && burn.objective < 1.0;
        refuse_unless(within, "objective", &burn.objective.to_string(), "a share between 0 and 1")?;
        let mut any = Vec::new();
        for (index, window) in burn.windows.iter().enumerate() {
            let limit = window.factor * (1.0 - burn.objective);
            let field = format!("windows[{index}].factor");
            let expected = "a positive factor whose error rate is below 1";
            refuse_unless(limit > 0.0 && limit < 1.0, &field, &window.factor.to_string(), expected)?;
            let burns = |over| {
                Measure::weighted_mean(burn.error_rate.as_str(), burn.requests.as_str(), over)
                    .above(limit as f32)
            };
            any.push(burns(window.long).and(burns(window.short)));
        }
        refuse_unless(!any.is_empty(), "windows", "empty", "at least one window")?;
        Self::new(Condition::Any(any))
    }

    /// Failures that someone else has found: a column that is 1 while the service fails and 0 while it does not.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] for an empty name.
    pub fn outcome(column: &str) -> Result<Self, LabelError> {
        Self::new(Measure::metric(column).at_least(1.0))
    }
}

/// Limits of [`Rule::saturation`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saturation {
    /// Share of the processors that it may use.
    pub cpu: f32,
    /// Share of its memory.
    pub memory: f32,
    /// Restarts in one step.
    pub restarts: f32,
    /// How long processors or memory are at their limit. One restart is enough.
    pub lasting: Span,
}

impl Default for Saturation {
    /// 90 % of cpu or 95 % of memory for 5 minutes, or a restart.
    fn default() -> Self {
        Self { cpu: 0.9, memory: 0.95, restarts: 1.0, lasting: Span::minutes(5) }
    }
}

/// Multi-window, multi-burn-rate: the service fails while, for one of the windows, errors burn the budget faster than `factor`
/// allows over both the long window (it matters) and the short one (it still goes on).
///
/// The burn rate is the error rate divided by the budget, `1 - objective`: at 1, the budget is used up just when the period of
/// the objective ends. Error rates are averaged over a window with the requests as weights, as the sum of errors over the sum of
/// requests; a window counts once half its rows are known.
///
/// # References
/// B. Beyer et al. (eds.), *The Site Reliability Workbook*, O'Reilly 2018, chapter 5, "Alerting on SLOs", section 6 and table 5-8.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurnRate {
    /// Share of requests that should succeed, such as 0.999.
    pub objective: f64,
    /// Metric that is the share of failed requests.
    pub error_rate: String,
    /// Metric that counts requests.
    pub requests: String,
    /// Windows, any of which is enough.
    pub windows: Vec<BurnWindow>,
}

/// One pair of windows of a [`BurnRate`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurnWindow {
    /// How many times faster than the budget allows.
    pub factor: f64,
    /// The long window.
    pub long: Span,
    /// The short window, by custom a twelfth of it.
    pub short: Span,
}

impl BurnRate {
    /// The workbook's parameters for a period of 30 days, on the v1 metrics: 14.4 over 1 h and 5 min (2 % of the budget), 6 over
    /// 6 h and 30 min (5 %), 1 over 3 d and 6 h (10 %). The last is slow: the workbook writes a ticket for it and pages for the others.
    #[must_use]
    pub fn workbook(objective: f64) -> Self {
        let window = |factor, long, short| BurnWindow { factor, long, short };
        Self {
            objective,
            error_rate: ERROR_RATE.to_owned(),
            requests: REQUESTS.to_owned(),
            windows: vec![
                window(14.4, Span::hours(1), Span::minutes(5)),
                window(6.0, Span::hours(6), Span::minutes(30)),
                window(1.0, Span::days(3), Span::hours(6)),
            ],
        }
    }

    /// Only the windows that the workbook pages for.
    #[must_use]
    pub fn page(objective: f64) -> Self {
        let mut burn = Self::workbook(objective);
        burn.windows.truncate(2);
        burn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::FailureRule;
    use forewarn_schema::{Episode, Frame, Metric, Schema, Step, Timestamp};

    #[test]
    fn sentences_say_what_they_do() {
        assert_eq!(Rule::v1().to_string(), "error_rate >= 0.05 for 2 consecutive steps");
        assert_eq!(
            Rule::latency(500.0, Span::minutes(3)).unwrap().to_string(),
            "p99_latency > 500 for 3 min"
        );
        assert_eq!(
            Rule::saturation(&Saturation::default()).unwrap().to_string(),
            "cpu_usage >= 0.9 for 5 min, or memory_usage >= 0.95 for 5 min, or pod_restarts >= 1"
        );
        assert_eq!(
            Rule::burn_rate(&BurnRate::page(0.999)).unwrap().to_string(),
            "(mean of error_rate over 1 h weighted by request_count > 0.0144 \
             and mean of error_rate over 5 min weighted by request_count > 0.0144), \
             or (mean of error_rate over 6 h weighted by request_count > 0.006 \
             and mean of error_rate over 30 min weighted by request_count > 0.006)"
        );
        assert_eq!(Rule::outcome("failure").unwrap().to_string(), "failure >= 1");
    }

    #[test]
    fn parameters_are_checked() {
        for objective in [0.0, 1.0, 1.5, f64::NAN] {
            assert!(Rule::burn_rate(&BurnRate::workbook(objective)).is_err(), "{objective}");
        }
        // 14.4 times a budget of 10 % is an error rate of 144 %, which no service reaches.
        let error = Rule::burn_rate(&BurnRate::workbook(0.9)).unwrap_err().to_string();
        assert!(error.contains("windows[0].factor is 14.4"), "{error}");
        assert!(Rule::latency(f32::NAN, Span::minutes(3)).is_err());
        assert!(Rule::outcome(" ").is_err());
    }

    /// At an objective of 99.9 %, 10 % of errors for `bad` minutes after 6 hours of none, and when the rule finds them.
    fn detect(bad: usize) -> Option<(i64, i64)> {
        let schema = Schema::new(vec![Metric::gauge(ERROR_RATE), Metric::gauge(REQUESTS)]).unwrap();
        let rate = |minute: usize| if (360..360 + bad).contains(&minute) { 0.1 } else { 0.0 };
        let values = (0..900).flat_map(|minute| [rate(minute), 1000.0]).collect();
        let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap();
        let found = Rule::burn_rate(&BurnRate::page(0.999)).unwrap().assess(frame.view()).unwrap();
        let minutes = |e: &Episode| [e.confirmed_at(), e.end()].map(|time| time.millis() / 60_000);
        assert!(found.episodes.len() <= 1);
        found.episodes.first().map(minutes).map(|[confirmed, end]| (confirmed, end))
    }

    #[test]
    fn a_burn_rate_is_found_when_the_arithmetic_says() {
        // 0.1 n / 60 > 0.0144 needs n = 9 minutes; the short window has been full of errors for long. After 30 minutes of errors the
        // short window clears first: 0.1 n / 5 > 0.0144 while one bad minute of the last five is left, so for 4 minutes more; the 6 h
        // window (0.1 * 30 / 360 = 0.0083 > 0.006) goes on while its short one has 0.1 n / 30 > 0.006, 2 bad minutes of 30.
        assert_eq!(detect(8), None);
        assert_eq!(detect(9), Some((368, 373)));
        assert_eq!(detect(30), Some((368, 418)));
    }
}

//! Rules that many services share.

use crate::{LabelError, Measure, Normal, Rule, Span};
use serde::{Deserialize, Serialize};

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

    /// Total outages: no request at all for a span, though there was traffic in the hour before. The error rate of
    /// nothing is unknown, so a rule on it alone never sees them. An outage that lasts longer than the hour ends with
    /// it.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] for an empty span.
    ///
    /// # Examples
    /// ```
    /// use forewarn_label::{Rule, Span};
    ///
    /// let rule = Rule::no_traffic(Span::steps(2))?;
    /// assert_eq!(rule, "(request_count == 0 while it was not) for 2 steps".parse()?);
    /// # Ok::<(), forewarn_label::LabelError>(())
    /// ```
    pub fn no_traffic(lasting: Span) -> Result<Self, LabelError> {
        let requests = || Measure::metric("request_count");
        let before = Normal::mean(Span::hours(1)).with_known_share(0.0);
        Self::new(requests().equal_to(0.0).and(requests().below(before)).lasting(lasting))
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Rule::outcome("failure").unwrap().to_string(), "failure >= 1");
    }

    #[test]
    fn parameters_are_checked() {
        assert!(Rule::latency(f32::NAN, Span::minutes(3)).is_err());
        assert!(Rule::outcome(" ").is_err());
    }
}

mod comparison;
mod limit;
mod measure;
mod normal;
mod number;
mod span;

use crate::{LabelError, error::refuse_unless};
pub use comparison::Comparison;
pub use limit::Limit;
use measure::check_name;
pub(crate) use measure::check_span;
pub use measure::{Change, IncreaseRatio, Mean, Measure, Ratio};
pub use normal::{Normal, NormalStatistic, Quantile, Season};
pub use number::Number;
use serde::{Deserialize, Serialize};
pub use span::Span;
use std::collections::BTreeMap;

/// What a rule asks of one row, given the rows before it: a tree of comparisons, joined and sustained.
///
/// A condition is plain data; [`Rule::new`](crate::Rule::new) checks it. In files it is a table with one key, such as
/// `{ any = [...] }`, or, for the simplest ones, the sentence itself: `"error_rate >= 0.05 for 2 steps"`.
///
/// ```
/// use forewarn_label::{Condition, Measure, Normal, Rule, Span};
///
/// let slow = Measure::metric("p99_latency").above(Normal::median(Span::hours(1)).times(3.0));
/// let erring = Measure::metric("error_rate").at_least(0.05).when_at_least("request_count", 20.0);
/// let rule = Rule::new(slow.lasting(Span::minutes(5)).or(erring.lasting(Span::steps(2))))?;
/// assert_eq!(
///     rule.to_string(),
///     "p99_latency > 3 times its median of the last 1 h for 5 min, \
///      or (error_rate >= 0.05 and request_count >= 20) for 2 consecutive steps"
/// );
/// # Ok::<(), forewarn_label::LabelError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// A measure beyond a limit.
    Compare(Compare),
    /// A metric has no sample. The one condition that a missing sample fulfils, because it says so.
    Absent(String),
    /// A share of events above a limit by more than chance explains.
    Significant(Significant),
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold. Where it is unknown, so is the negation.
    Not(Box<Condition>),
    /// It holds in every row of a span.
    Sustained(Sustained),
    /// It holds in this row, and in at least `times` rows of a span.
    Frequent(Frequent),
}

/// See [`Condition::Compare`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// What is compared.
    pub measure: Measure,
    /// How.
    pub is: Comparison,
    /// With what.
    pub limit: Limit,
}

/// The binomial guard: one error in three requests is a rate of 33 %, and no evidence of anything.
///
/// With `n` requests of which `k` (rate times requests, rounded) failed, it holds when the rate is above `limit` and
/// a service that fails exactly a share `limit` of its requests would show `k` or more failures with probability at
/// most `1 - confidence`. A row without requests is never significant, whatever its rate.
///
/// # References
/// C. J. Clopper and E. S. Pearson, *The use of confidence or fiducial limits illustrated in the case of the
/// binomial*, Biometrika 26(4), 1934: the condition says that their lower limit is at or above `limit`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Significant {
    /// Metric that is a share in 0..=1 of `events`.
    pub rate: String,
    /// Metric that counts the events.
    pub events: String,
    /// Share that is still healthy, strictly between 0 and 1.
    pub limit: Number,
    /// How sure to be, strictly between 0 and 1.
    pub confidence: Number,
}

/// See [`Condition::Sustained`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sustained {
    /// What holds.
    pub of: Box<Condition>,
    /// For how long.
    #[serde(rename = "for")]
    pub lasting: Span,
}

/// See [`Condition::Frequent`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frequent {
    /// What holds.
    pub of: Box<Condition>,
    /// In how many rows.
    pub times: u32,
    /// Of how long a span, which ends in this row.
    pub within: Span,
}

impl Measure {
    /// This measure compared with a limit.
    #[must_use]
    pub fn compare(self, is: Comparison, limit: impl Into<Limit>) -> Condition {
        Condition::Compare(Compare { measure: self, is, limit: limit.into() })
    }

    /// `>=`
    #[must_use]
    pub fn at_least(self, limit: impl Into<Limit>) -> Condition {
        self.compare(Comparison::AtLeast, limit)
    }

    /// `>`
    #[must_use]
    pub fn above(self, limit: impl Into<Limit>) -> Condition {
        self.compare(Comparison::Above, limit)
    }

    /// `<=`
    #[must_use]
    pub fn at_most(self, limit: impl Into<Limit>) -> Condition {
        self.compare(Comparison::AtMost, limit)
    }

    /// `<`
    #[must_use]
    pub fn below(self, limit: impl Into<Limit>) -> Condition {
        self.compare(Comparison::Below, limit)
    }

    /// `==`
    #[must_use]
    pub fn equal_to(self, limit: impl Into<Limit>) -> Condition {
        self.compare(Comparison::Equal, limit)
    }

    /// `!=`
    #[must_use]
    pub fn different_from(self, limit: impl Into<Limit>) -> Condition {
        self.compare(Comparison::NotEqual, limit)
    }
}

impl Condition {
    /// A metric has no sample.
    #[must_use]
    pub fn absent(metric: impl Into<String>) -> Self {
        Self::Absent(metric.into())
    }

    /// The binomial guard; see [`Significant`].
    #[must_use]
    pub fn significant(
        rate: impl Into<String>,
        events: impl Into<String>,
        limit: f32,
        confidence: f32,
    ) -> Self {
        let (rate, events) = (rate.into(), events.into());
        Self::Significant(Significant { rate, events, limit: limit.into(), confidence: confidence.into() })
    }

    /// This and the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut all) => {
                all.push(other);
                Self::All(all)
            }
            first => Self::All(vec![first, other]),
        }
    }

    /// This or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut any) => {
                any.push(other);
                Self::Any(any)
            }
            first => Self::Any(vec![first, other]),
        }
    }

    /// It does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// It holds in every row of a span.
    #[must_use]
    pub fn lasting(self, span: Span) -> Self {
        Self::Sustained(Sustained { of: Box::new(self), lasting: span })
    }

    /// It holds in `times` rows of a span.
    #[must_use]
    pub fn frequent(self, times: u32, within: Span) -> Self {
        Self::Frequent(Frequent { of: Box::new(self), times, within })
    }

    /// The low-traffic guard: it holds, and `metric` (the number of requests) is at least `limit`. Below, nothing is
    /// a failure, whether or not the rest is known.
    #[must_use]
    pub fn when_at_least(self, metric: impl Into<String>, limit: f32) -> Self {
        self.and(Measure::metric(metric).at_least(limit))
    }

    /// The conditions in it that are joined of no others.
    pub(crate) fn singles(&self) -> Vec<&Self> {
        match self {
            Self::Compare(_) | Self::Absent(_) | Self::Significant(_) => vec![self],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::singles).collect(),
            Self::Not(of) | Self::Sustained(Sustained { of, .. }) | Self::Frequent(Frequent { of, .. }) => {
                of.singles()
            }
        }
    }

    /// The metrics that it asks for.
    pub(crate) fn metrics(&self) -> Vec<&str> {
        match self {
            Self::Compare(Compare { measure, .. }) => measure.metrics(),
            Self::Absent(metric) => vec![metric],
            Self::Significant(Significant { rate, events, .. }) => vec![rate, events],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::metrics).collect(),
            Self::Not(of) | Self::Sustained(Sustained { of, .. }) | Self::Frequent(Frequent { of, .. }) => {
                of.metrics()
            }
        }
    }

    /// Adds the numbers that metrics are compared with; `None` where more is asked of a metric.
    pub(crate) fn add_limits<'a>(&'a self, limits: &mut BTreeMap<&'a str, Vec<f32>>) -> Option<()> {
        match self {
            Self::Compare(Compare {
                measure: Measure::Metric(name), limit: Limit::Number(limit), ..
            }) => {
                limits.entry(name).or_default().push(limit.get());
            }
            Self::Compare(_) | Self::Significant(_) => return None,
            Self::Absent(metric) => {
                limits.entry(metric).or_default();
            }
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().try_for_each(|part| part.add_limits(limits))?;
            }
            Self::Not(of) | Self::Sustained(Sustained { of, .. }) | Self::Frequent(Frequent { of, .. }) => {
                of.add_limits(limits)?;
            }
        }
        Some(())
    }

    /// Refuses what makes no sense; `at` is the path from the root.
    pub(crate) fn check(&self, at: &str) -> Result<(), LabelError> {
        match self {
            Self::Compare(Compare { measure, limit, .. }) => {
                measure.check(&format!("{at}.compare.measure"))?;
                limit.check(&format!("{at}.compare.limit"))
            }
            Self::Absent(metric) => check_name(metric, &format!("{at}.absent")),
            Self::Significant(Significant { rate, events, limit, confidence }) => {
                check_name(rate, &format!("{at}.significant.rate"))?;
                check_name(events, &format!("{at}.significant.events"))?;
                for (name, number) in [("limit", limit), ("confidence", confidence)] {
                    let within = number.get() > 0.0 && number.get() < 1.0;
                    let field = format!("{at}.significant.{name}");
                    refuse_unless(within, &field, &number.to_string(), "a number between 0 and 1")?;
                }
                Ok(())
            }
            Self::All(all) => check_each(all, &format!("{at}.all")),
            Self::Any(any) => check_each(any, &format!("{at}.any")),
            Self::Not(of) => of.check(&format!("{at}.not")),
            Self::Sustained(Sustained { of, lasting }) => {
                check_span(*lasting, &format!("{at}.sustained.for"))?;
                of.check(&format!("{at}.sustained.of"))
            }
            Self::Frequent(Frequent { of, times, within }) => {
                check_span(*within, &format!("{at}.frequent.within"))?;
                let most = if let Span::Steps(steps) = within { *steps } else { u32::MAX };
                let field = format!("{at}.frequent.times");
                let expected = "at least once, and no more often than there are steps";
                refuse_unless((1..=most).contains(times), &field, &times.to_string(), expected)?;
                of.check(&format!("{at}.frequent.of"))
            }
        }
    }
}

fn check_each(conditions: &[Condition], at: &str) -> Result<(), LabelError> {
    refuse_unless(!conditions.is_empty(), at, "empty", "at least one condition")?;
    conditions
        .iter()
        .enumerate()
        .try_for_each(|(index, condition)| condition.check(&format!("{at}[{index}]")))
}

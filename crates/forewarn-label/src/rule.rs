mod assess;
mod file;
mod preset;
mod shape;

use crate::{Condition, LabelError};
pub(crate) use file::from_toml;
pub use preset::Saturation;
use serde::{Deserialize, Serialize};
pub use shape::Shape;
pub(crate) use shape::ShapeSteps;
use std::{collections::BTreeMap, fmt, str::FromStr};

/// What counts as failing: a condition, and how the minutes that fulfil it become episodes.
///
/// A rule is a value: built in Rust, read from TOML or JSON, printed as a sentence, compared and hashed (numbers by
/// their bits).
///
/// # Definition
/// A condition is *satisfied* in a row, since an earlier row or the same one: a comparison since the row itself, a
/// sustained condition since the first row of its evidence, *any of* since the earliest and *all of* since the latest
/// of its satisfied parts. A row **fails** if it lies between such a "since" and its row. Failing rows in a run are
/// an episode, its `onset` the first of them, its `end` the first row after. [`Shape`] then bridges, drops and
/// extends episodes. `confirmed_at` is the first row at which the rule, judging by the rows so far alone, finds the
/// episode.
///
/// # Missing samples
/// Conditions have three values ([`Verdict`](crate::Verdict)), so every rule has two readings: the *certain* one
/// counts unknown as not fulfilled, the *possible* one as fulfilled. Episodes are those of the certain reading; rows
/// that fail only in the possible reading are unknown. So a missing sample never makes a failure, under `not`
/// neither, unless the rule asks for [`Condition::Absent`] by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Rule {
    when: Condition,
    episodes: Shape,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    when: Condition,
    #[serde(default, skip_serializing_if = "Shape::is_plain")]
    episodes: Shape,
}

impl Rule {
    /// Failing while `when` holds.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`], with the path of the part that makes no sense.
    pub fn new(when: Condition) -> Result<Self, LabelError> {
        Self::shaped(when, Shape::default())
    }

    /// Of parts that have been checked.
    pub(crate) fn of_parts(when: Condition, episodes: Shape) -> Self {
        Self { when, episodes }
    }

    /// Failing while `when` holds, with its episodes shaped.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`], with the path of the part that makes no sense.
    pub fn shaped(when: Condition, episodes: Shape) -> Result<Self, LabelError> {
        when.check("when")?;
        episodes.check("episodes")?;
        Ok(Self { when, episodes })
    }

    /// A rule for each alternative of a condition that is an *any of*; none for another.
    #[must_use]
    pub fn alternatives(&self) -> Vec<Self> {
        let Condition::Any(alternatives) = &self.when else { return Vec::new() };
        alternatives.iter().map(|when| Self::of_parts(when.clone(), Shape::default())).collect()
    }

    /// The metrics that it asks for, each once, in order of name.
    #[must_use]
    pub fn metrics(&self) -> Vec<&str> {
        let mut metrics = self.when.metrics();
        metrics.sort_unstable();
        metrics.dedup();
        metrics
    }

    /// The numbers that metrics are compared with as they are, by metric and ascending, where nothing else of the
    /// metrics decides: a value may then be replaced by any other on the same side of each. `None` for a rule that
    /// computes with metrics, such as one about a change.
    ///
    /// ```
    /// use forewarn_label::Rule;
    ///
    /// let rule: Rule = "error_rate >= 0.05 for 2 steps or request_count == 0".parse()?;
    /// let limits = rule.limits().ok_or("comparisons alone")?;
    /// assert_eq!(limits.into_iter().collect::<Vec<_>>(), [("error_rate", vec![0.05]), ("request_count", vec![0.0])]);
    /// assert_eq!("change of error_rate over 5 steps > 0.1".parse::<Rule>()?.limits(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limits(&self) -> Option<BTreeMap<&str, Vec<f32>>> {
        let mut limits: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
        self.when.add_limits(&mut limits)?;
        for of_metric in limits.values_mut() {
            of_metric.sort_by(f32::total_cmp);
            of_metric.dedup();
        }
        Some(limits)
    }

    /// When a service is failing.
    #[must_use]
    pub fn when(&self) -> &Condition {
        &self.when
    }

    /// How failing rows become episodes.
    #[must_use]
    pub fn episodes(&self) -> &Shape {
        &self.episodes
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.when, self.episodes)
    }
}

impl FromStr for Rule {
    type Err = LabelError;

    /// Reads the sentence of a single comparison, as [`Condition`] does.
    fn from_str(text: &str) -> Result<Self, LabelError> {
        Self::new(text.parse()?)
    }
}

impl TryFrom<Parts> for Rule {
    type Error = LabelError;

    fn try_from(parts: Parts) -> Result<Self, LabelError> {
        Self::shaped(parts.when, parts.episodes)
    }
}

impl From<Rule> for Parts {
    fn from(rule: Rule) -> Self {
        Self { when: rule.when, episodes: rule.episodes }
    }
}

use crate::{
    Compare, Condition, LabelError, Limit, Measure, Shape, Span, Sustained, ThresholdRule, Verdicts,
    watch::Watch,
};
use forewarn_core::{Assessment, CoreError, FailureRule, Feature};
use forewarn_schema::{Episodes, FrameView, Schema, Step};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range, str::FromStr};

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
        when.check("when")?;
        Ok(Self { when, episodes: Shape::default() })
    }

    /// The same condition, with its episodes shaped.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] for a span of no length.
    pub fn with_episodes(self, episodes: Shape) -> Result<Self, LabelError> {
        episodes.check("episodes")?;
        Ok(Self { episodes, ..self })
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

    /// The rule as a [`ThresholdRule`], if it is one: such rules are judged several times faster.
    #[must_use]
    pub fn as_threshold(&self) -> Option<ThresholdRule> {
        let (of, consecutive) = match &self.when {
            Condition::Sustained(Sustained { of, lasting: Span::Steps(steps) }) => (&**of, *steps as usize),
            other => (other, 1),
        };
        match of {
            Condition::Compare(Compare {
                measure: Measure::Metric(name),
                is,
                limit: Limit::Number(limit),
            }) if self.episodes.is_plain() => {
                ThresholdRule::new(name.as_str(), *is, limit.get(), consecutive).ok()
            }
            _ => None,
        }
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

impl From<ThresholdRule> for Rule {
    fn from(rule: ThresholdRule) -> Self {
        let condition = Measure::metric(rule.metric()).compare(rule.comparison(), rule.limit());
        let steps = u32::try_from(rule.consecutive()).unwrap_or(u32::MAX);
        let when = if steps == 1 { condition } else { condition.lasting(Span::steps(steps)) };
        Self { when, episodes: Shape::default() }
    }
}

impl TryFrom<Parts> for Rule {
    type Error = LabelError;

    fn try_from(parts: Parts) -> Result<Self, LabelError> {
        Self::new(parts.when)?.with_episodes(parts.episodes)
    }
}

impl From<Rule> for Parts {
    fn from(rule: Rule) -> Self {
        Self { when: rule.when, episodes: rule.episodes }
    }
}

impl FailureRule for Rule {
    fn describe(&self) -> String {
        self.to_string()
    }

    /// On a clock of one minute; see [`confirmation_at`](FailureRule::confirmation_at).
    fn confirmation(&self) -> usize {
        self.confirmation_at(Step::MINUTE)
    }

    /// Steps from an onset on after which it is certain: the longest evidence that the condition asks for, and what
    /// gaps and the least length add to it.
    fn confirmation_at(&self, step: Step) -> usize {
        let shape = self.episodes.in_steps(step);
        self.when.reach(step).saturating_add(shape.gap - 1).saturating_add(shape.minimum - 1)
    }

    fn settling_at(&self, step: Step) -> usize {
        if self.episodes.is_plain() && self.when.is_plain() { 0 } else { self.confirmation_at(step) - 1 }
    }

    fn verdicts(&self, schema: &Schema) -> Option<Box<dyn Feature>> {
        let verdicts = Verdicts::of(self, schema);
        if verdicts.is_empty() { None } else { Some(Box::new(verdicts)) }
    }

    fn saved(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self).ok()
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        if let Some(threshold) = self.as_threshold() {
            return threshold.assess(frame);
        }
        let mut watch = Watch::new(self, frame.schema(), frame.step())?;
        let (mut certain, mut possible) = (Vec::new(), Vec::new());
        for row in frame.values().chunks_exact(frame.schema().len()) {
            watch.push(row);
            watch.drain(&mut certain, &mut possible);
        }
        watch.finish();
        watch.drain(&mut certain, &mut possible);
        let episodes = certain.iter().map(|found| found.episode(frame)).collect::<Result<_, _>>()?;
        let rows = |found: &crate::track::Found| found.onset..found.end;
        let certain: Vec<Range<usize>> = certain.iter().map(rows).collect();
        let possible: Vec<Range<usize>> = possible.iter().map(rows).collect();
        let unknown = crate::threshold::difference(&possible, &certain);
        Ok(Assessment { episodes: Episodes::new(episodes)?, unknown })
    }

    fn assess_with_gaps(&self, frame: FrameView<'_>) -> Result<(Assessment, Vec<Range<usize>>), CoreError> {
        match self.as_threshold() {
            Some(threshold) => threshold.assess_with_gaps(frame),
            None => Ok((self.assess(frame)?, forewarn_core::rows_without_samples(frame))),
        }
    }
}

//! A rule at work on whole frames.

use crate::{
    Compare, Condition, Limit, Measure, Rule, Shape, Span, Sustained, ThresholdRule, Verdicts,
    nearness::nearness,
    watch::{Found, Watch, difference},
};
use forewarn_core::{Assessment, CoreError, FailureRule, Feature};
use forewarn_schema::{Episodes, FrameSet, FrameView, Schema, Step};
use std::ops::Range;

impl Rule {
    /// The rule as a [`ThresholdRule`], if it is one: such rules are judged several times faster.
    #[must_use]
    pub fn as_threshold(&self) -> Option<ThresholdRule> {
        let (of, consecutive) = match self.when() {
            Condition::Sustained(Sustained { of, lasting: Span::Steps(steps) }) => (&**of, *steps as usize),
            other => (other, 1),
        };
        match of {
            Condition::Compare(Compare {
                measure: Measure::Metric(name),
                is,
                limit: Limit::Number(limit),
            }) if self.episodes().is_plain() => {
                ThresholdRule::new(name.as_str(), *is, limit.get(), consecutive).ok()
            }
            _ => None,
        }
    }
}

impl From<ThresholdRule> for Rule {
    fn from(rule: ThresholdRule) -> Self {
        let condition = Measure::metric(rule.metric()).compare(rule.comparison(), rule.limit());
        let steps = u32::try_from(rule.consecutive()).unwrap_or(u32::MAX);
        let when = if steps == 1 { condition } else { condition.lasting(Span::steps(steps)) };
        Self::of_parts(when, Shape::default())
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
        let shape = self.episodes().in_steps(step);
        self.when().reach(step).saturating_add(shape.gap - 1).saturating_add(shape.minimum - 1)
    }

    fn settling_at(&self, step: Step) -> usize {
        if self.episodes().is_plain() && self.when().is_plain() { 0 } else { self.confirmation_at(step) - 1 }
    }

    fn verdicts(&self, schema: &Schema) -> Option<Box<dyn Feature>> {
        let verdicts = Verdicts::of(self, schema);
        if verdicts.is_empty() { None } else { Some(Box::new(verdicts)) }
    }

    fn history(&self, schema: &Schema) -> Option<Box<dyn Feature>> {
        crate::features::of_rule(self, schema)
    }

    /// By the way of each comparison from calm to its limit: calm is what 5 % of a service's rows in `rows` are on the
    /// healthy side of. *All of* is the least of its parts, *any of* the greatest, a sustained condition the least of
    /// its span, a frequent one the lesser of the row's own and of what as many rows reach. A row has the nearness of a
    /// condition that would be satisfied since it; it may be known only after as many rows as confirm an onset. Parts
    /// of *any of* that have no nearness (negations, equalities, absent metrics, significance) are left out; a rule
    /// that needs one has none, and one on an outcome has none either. Shapes of episodes make no difference.
    ///
    /// # References
    /// A. Donzé and O. Maler, *Robust satisfaction of temporal logic over real-valued signals*, FORMATS 2010, section 3,
    /// for minima and maxima in place of "and" and "or".
    fn nearness(&self, frames: &FrameSet, rows: &[u32]) -> Result<Option<Vec<f32>>, CoreError> {
        nearness(self.when(), frames, rows)
    }

    fn saved(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self).ok()
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        if let Some(threshold) = self.as_threshold() {
            return threshold.assess(frame);
        }
        let mut watch = Watch::new(self.when(), self.episodes(), frame.schema(), frame.step())?;
        let (mut certain, mut possible) = (Vec::new(), Vec::new());
        for row in frame.values().chunks_exact(frame.schema().len()) {
            watch.push(row);
            watch.drain(&mut certain, &mut possible);
        }
        watch.finish();
        watch.drain(&mut certain, &mut possible);
        let episodes = certain.iter().map(|found| found.episode(frame)).collect::<Result<_, _>>()?;
        let rows = |found: &Found| found.onset..found.end;
        let certain: Vec<Range<usize>> = certain.iter().map(rows).collect();
        let possible: Vec<Range<usize>> = possible.iter().map(rows).collect();
        let unknown = difference(&possible, &certain);
        Ok(Assessment { episodes: Episodes::new(episodes)?, unknown })
    }

    fn assess_with_gaps(&self, frame: FrameView<'_>) -> Result<(Assessment, Vec<Range<usize>>), CoreError> {
        match self.as_threshold() {
            Some(threshold) => threshold.assess_with_gaps(frame),
            None => Ok((self.assess(frame)?, forewarn_core::rows_without_samples(frame))),
        }
    }
}

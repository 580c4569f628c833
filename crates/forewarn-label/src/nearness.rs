//! How near each row is to satisfying a condition.

use crate::{
    Comparison, Condition,
    condition::{Compare, Frequent, Sustained},
    watch::{
        gauge::{Bound, Gauge},
        sliding::SlidingQuantile,
    },
};
use forewarn_core::CoreError;
use forewarn_numerics::quantile;
use forewarn_schema::{FrameSet, FrameView, Kind, Schema, Step};
use std::ops::Range;

/// Share of the rows that lie on the healthy side of what is calm.
const CALM: f64 = 0.05;
/// Rows of a service that tell what is calm, at most: more say the same.
const TELLING: usize = 1 << 16;

/// How near each row is to being one since which `when` is satisfied, 0 to 1; see [`Rule`](crate::Rule). What is calm
/// is learnt for each service from its rows among `known`, which ascend. `None` for a condition that has no nearness,
/// or that asks for an outcome or for a metric that is not there.
///
/// Linear in rows, and logarithmic in the steps of a span that a condition has to last. Memory beside the result is
/// that of one service's spans, and half a megabyte for each comparison.
pub(crate) fn nearness(
    when: &Condition,
    frames: &FrameSet,
    known: &[u32],
) -> Result<Option<Vec<f32>>, CoreError> {
    let (schema, layout) = (frames.schema(), frames.layout());
    let is_measured = |metric: &str| {
        let position = schema.position(metric);
        position.is_some_and(|position| schema.metrics()[position].kind != Kind::Outcome)
    };
    if !when.metrics().into_iter().all(is_measured) {
        return Ok(None);
    }
    let most_rows = layout.services().iter().map(|place| place.rows().len()).max().unwrap_or(0);
    let clock = Clock { step: layout.step(), most_rows };
    let Some(scale) = Scale::new(when, schema, clock)? else { return Ok(None) };
    let mut found = vec![0.0; layout.rows()];
    for (place, frame) in layout.services().iter().zip(frames.frames()) {
        let rows = place.rows();
        let before = |row: usize| known.partition_point(|&known| (known as usize) < row);
        let known = &known[before(rows.start)..before(rows.end)];
        for alternative in scale.alternatives() {
            let near = alternative.clone().of_service(frame, &rows, known);
            // From the row that would satisfy the condition back to the one that it would be satisfied since.
            let since = near.into_iter().skip(alternative.before());
            found[rows.clone()].iter_mut().zip(since).for_each(|(most, near)| *most = near.max(*most));
        }
    }
    Ok(Some(found))
}

/// What spans are counted on.
#[derive(Clone, Copy)]
struct Clock {
    step: Step,
    /// Rows of the longest service: no span is worth more.
    most_rows: usize,
}

/// A [`Condition`] as a number.
#[derive(Clone, Debug)]
enum Scale {
    Compare {
        gauge: Gauge,
        is: Comparison,
        bound: Bound,
        calm: Option<f64>,
    },
    All(Vec<Scale>),
    Any(Vec<Scale>),
    /// The lesser of now and of what a number of rows of a span reach.
    Lasting {
        of: Box<Scale>,
        span: SlidingQuantile,
        /// Steps from the first of these rows to now.
        before: usize,
    },
}

impl Scale {
    /// `None` for what has no nearness: a negation, a metric that is absent, equality, significance.
    fn new(condition: &Condition, schema: &Schema, clock: Clock) -> Result<Option<Self>, CoreError> {
        let step = clock.step;
        let each = |conditions: &[Condition]| -> Result<Option<Vec<Self>>, CoreError> {
            conditions.iter().map(|condition| Self::new(condition, schema, clock)).collect()
        };
        let lasting = |of: &Condition, times: usize, steps: usize| -> Result<Option<Self>, CoreError> {
            let of = Self::new(of, schema, clock)?;
            Ok(of.map(|of| match reached(times, steps.min(clock.most_rows)) {
                Some(span) => Self::Lasting { of: Box::new(of), span, before: times - 1 },
                // No service has that many rows.
                None => Self::Any(Vec::new()),
            }))
        };
        Ok(match condition {
            Condition::Compare(Compare { is: Comparison::Equal | Comparison::NotEqual, .. })
            | Condition::Absent(_)
            | Condition::Significant(_)
            | Condition::Not(_) => None,
            Condition::Compare(Compare { measure, is, limit }) => Some(Self::Compare {
                gauge: Gauge::new(measure, schema, step)?,
                is: *is,
                bound: Bound::new(limit, step),
                calm: None,
            }),
            Condition::All(all) => each(all)?.map(Self::All),
            // What has no nearness is left out where something else would do.
            Condition::Any(any) => {
                let parts = any.iter().filter_map(|part| Self::new(part, schema, clock).transpose());
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                (!parts.is_empty()).then_some(Self::Any(parts))
            }
            Condition::Sustained(Sustained { of, lasting: span }) => {
                let steps = span.in_steps(step);
                lasting(of, steps, steps)?
            }
            Condition::Frequent(Frequent { of, times, within }) => {
                lasting(of, *times as usize, within.in_steps(step))?
            }
        })
    }

    /// What of it alone would do.
    fn alternatives(&self) -> &[Self] {
        match self {
            Self::Any(parts) => parts,
            _ => std::slice::from_ref(self),
        }
    }

    /// Steps from the row since which it is satisfied to the one that satisfies it, at least.
    fn before(&self) -> usize {
        match self {
            Self::Compare { .. } => 0,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::before).min().unwrap_or(0),
            Self::Lasting { of, before, .. } => before.saturating_add(of.before()),
        }
    }

    /// The nearness of each row of a service, whose rows are `rows` of the frames.
    fn of_service(mut self, frame: FrameView<'_>, rows: &Range<usize>, known: &[u32]) -> Vec<f32> {
        let each = || frame.values().chunks_exact(frame.schema().len());
        let mut learning = self.clone();
        let mut seen = Vec::new();
        let stride = known.len().div_ceil(TELLING).max(1);
        let mut next = known.iter().step_by(stride).map(|&row| row as usize).peekable();
        for (row, sample) in rows.clone().zip(each()) {
            let is_known = next.next_if_eq(&row).is_some();
            let mut compares = 0;
            learning.visit(&mut |scale| {
                let Self::Compare { gauge, bound, .. } = scale else { return };
                let value = gauge.push(sample);
                bound.push(value);
                if seen.len() == compares {
                    seen.push(Vec::new());
                }
                if let Some(value) = value.filter(|_| is_known) {
                    seen[compares].push(value);
                }
                compares += 1;
            });
        }
        let mut seen = seen.into_iter();
        self.visit(&mut |scale| {
            let Self::Compare { is, calm, .. } = scale else { return };
            let mut values = seen.next().unwrap_or_default();
            values.sort_unstable_by(f64::total_cmp);
            let share = if is_upper(*is) { CALM } else { 1.0 - CALM };
            *calm = quantile(&values, share);
        });
        each().map(|sample| self.push(sample) as f32).collect()
    }

    /// Calls `f` for it and for each part of it, always in the same order.
    fn visit(&mut self, f: &mut impl FnMut(&mut Self)) {
        f(self);
        match self {
            Self::Compare { .. } => {}
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.visit(f)),
            Self::Lasting { of, .. } => of.visit(f),
        }
    }

    /// The nearness of the row that follows the last one.
    fn push(&mut self, row: &[f32]) -> f64 {
        match self {
            Self::Compare { gauge, is, bound, calm } => {
                let (value, limit) = (gauge.push(row), bound.get());
                bound.push(value);
                value.zip(limit).map_or(0.0, |(value, limit)| way(value, *is, limit, *calm))
            }
            // Every part sees every row.
            Self::All(parts) => parts.iter_mut().map(|part| part.push(row)).fold(1.0, f64::min),
            Self::Any(parts) => parts.iter_mut().map(|part| part.push(row)).fold(0.0, f64::max),
            Self::Lasting { of, span, .. } => {
                let now = of.push(row);
                span.push(Some(now));
                span.get().map_or(0.0, |(reached, _)| now.min(reached))
            }
        }
    }
}

/// The `times`-th largest of the last `steps` numbers, where the numbers before the first one are 0; `None` for more
/// times than steps.
fn reached(times: usize, steps: usize) -> Option<SlidingQuantile> {
    let smaller = steps.checked_sub(times)?;
    let mut span = SlidingQuantile::new(steps, smaller as f64 / (steps.max(2) - 1) as f64);
    (0..steps).for_each(|_| span.push(Some(0.0)));
    Some(span)
}

/// How much of the way from calm to the limit a value has gone; all of it where the comparison holds.
fn way(value: f64, is: Comparison, limit: f64, calm: Option<f64>) -> f64 {
    if is.holds_wide(value, limit) {
        return 1.0;
    }
    let Some(calm) = calm else { return 0.0 };
    let whole = if is_upper(is) { limit - calm } else { calm - limit };
    let gone = if is_upper(is) { value - calm } else { calm - value };
    if whole > 0.0 && whole.is_finite() { (gone / whole).clamp(0.0, 1.0) } else { 0.0 }
}

fn is_upper(is: Comparison) -> bool {
    matches!(is, Comparison::AtLeast | Comparison::Above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rule, watch::node::Node};
    use forewarn_core::FailureRule;
    use forewarn_schema::{Frame, Metric, Timestamp};
    use proptest::prelude::*;

    const N: f32 = f32::NAN;

    /// Two services with metrics `x` and `y`.
    fn frames(a: &[[f32; 2]], b: &[[f32; 2]]) -> FrameSet {
        let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
        let frame = |name, rows: &[[f32; 2]]| {
            Frame::new(name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, rows.concat()).unwrap()
        };
        FrameSet::from_frames(vec![frame("a", a), frame("b", b)]).unwrap()
    }

    fn near(rule: &str, rows: &[[f32; 2]], known: &[u32]) -> Vec<f32> {
        rule.parse::<Rule>().unwrap().nearness(&frames(rows, &[]), known).unwrap().unwrap()
    }

    #[test]
    fn nearness_is_the_way_from_calm_to_the_limit() {
        let rows = [[2.0, 9.0], [6.0, 7.0], [10.0, 5.0], [12.0, 1.0], [N, N]];
        assert_eq!(near("x >= 10", &rows, &[0]), [0.0, 0.5, 1.0, 1.0, 0.0]);
        assert_eq!(near("y < 5", &rows, &[0]), [0.0, 0.5, 1.0, 1.0, 0.0]);
        assert_eq!(near("x >= 10 and y < 7", &rows, &[0]), [0.0, 0.5, 1.0, 1.0, 0.0]);
        assert_eq!(near("x >= 10 or y < 1", &rows, &[0]), [0.0, 0.5, 1.0, 1.0, 0.0]);
        // Satisfied for two rows from here on.
        assert_eq!(near("x >= 10 for 2 steps", &rows, &[0]), [0.0, 0.5, 1.0, 0.0, 0.0]);
        // Each alternative from where it would begin.
        assert_eq!(near("x >= 12 for 3 steps or y < 1", &rows, &[0])[..2], [0.0, 0.4]);
        assert_eq!(near("x >= 12 for 2 steps or y < 2", &rows, &[0]), [0.0, 0.4, 0.8, 1.0, 0.0]);
        assert_eq!(near("x >= 10 or y == 0", &rows, &[0]), [0.0, 0.5, 1.0, 1.0, 0.0], "equality has no way");
        // What is always beyond the limit is satisfied or not, and nothing between.
        assert_eq!(near("x >= 1", &[[2.0, 0.0], [0.5, 0.0]], &[0]), [1.0, 0.0]);
        let far = [[f32::MAX; 2], [1.0, 1.0], [f32::MIN; 2]];
        for rule in ["x >= 10", "x < 0"] {
            for known in 0..3 {
                let found = near(rule, &far, &[known]);
                assert!(found.iter().all(|near| (0.0..=1.0).contains(near)), "{rule} {known}: {found:?}");
            }
        }
        // Longer than any service.
        assert_eq!(near("x >= 10 for 4000000000 steps", &rows, &[0]), [0.0; 5]);
    }

    #[test]
    fn each_service_has_a_calm_of_its_own_and_none_of_rows_that_are_not_known() {
        let rule: Rule = "x >= 10".parse().unwrap();
        let of = |known: &[u32]| {
            let frames = frames(&[[0.0, 0.0], [5.0, 0.0]], &[[5.0, 0.0], [7.5, 0.0]]);
            rule.nearness(&frames, known).unwrap().unwrap()
        };
        assert_eq!(of(&[0, 2]), [0.0, 0.5, 0.0, 0.5]);
        assert_eq!(of(&[0]), [0.0, 0.5, 0.0, 0.0], "nothing is known of the other one's calm");
    }

    #[test]
    fn rules_that_know_no_nearness_have_none() {
        let frames = frames(&[[0.0, 0.0]], &[]);
        for rule in ["x == 1", "not x >= 1", "x >= 1 and y != 2", "z >= 1"] {
            let rule: Rule = rule.parse().unwrap();
            assert_eq!(rule.nearness(&frames, &[0]).unwrap(), None, "{rule}");
        }
    }

    fn rules() -> impl Strategy<Value = Condition> {
        let (x, y) = (|| crate::Measure::metric("x"), || crate::Measure::metric("y"));
        let steps = crate::Span::steps;
        prop_oneof![
            Just(x().at_least(5.0)),
            Just(y().at_most(1.0).lasting(steps(2))),
            Just(x().at_least(5.0).and(y().at_most(2.0))),
            Just(x().at_least(6.0).or(y().at_most(1.0)).lasting(steps(3))),
            Just(x().at_least(4.0).frequent(2, steps(4))),
        ]
    }

    proptest! {
        #[test]
        fn what_satisfies_the_rule_is_as_near_as_can_be_and_nothing_else_is(
            rows in proptest::collection::vec((0u8..7, 0u8..7), 1..50), when in rules(),
        ) {
            let rows: Vec<[f32; 2]> = rows.iter().map(|&(x, y)| [f32::from(x), f32::from(y)]).collect();
            let (frames, known): (_, Vec<u32>) = (frames(&rows, &[]), (0..rows.len() as u32).collect());
            let mut node = Node::new(&when, frames.schema(), Step::MINUTE).unwrap();
            let clock = Clock { step: Step::MINUTE, most_rows: rows.len() };
            let scale = Scale::new(&when, frames.schema(), clock).unwrap().unwrap();
            let frame = frames.frames().next().unwrap();
            let found = scale.of_service(frame, &(0..rows.len()), &known);
            for (row, (sample, near)) in rows.iter().zip(found).enumerate() {
                let holds = node.push(row, sample).certain.is_some();
                prop_assert!((0.0..=1.0).contains(&near) && holds == (near == 1.0), "row {}: {}", row, near);
            }
            let begins = Rule::new(when).unwrap().nearness(&frames, &known).unwrap().unwrap();
            prop_assert!(begins.iter().all(|near| (0.0..=1.0).contains(near)));
        }
    }
}

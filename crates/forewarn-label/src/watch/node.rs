//! Conditions at work: one row after another.

use crate::{
    Comparison, Condition, Span, Verdict,
    condition::{Compare, Frequent, Significant, Sustained},
    watch::{
        gauge::{Bound, Gauge},
        sliding::SlidingMin,
    },
};
use forewarn_core::CoreError;
use forewarn_schema::{Schema, SchemaError, Step};
use statrs::function::beta::beta_reg;

/// Since which row a condition is satisfied, in both readings. What is certain is possible, and since no later row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) certain: Option<usize>,
    pub(crate) possible: Option<usize>,
}

impl Since {
    fn of_row(verdict: Verdict, t: usize) -> Self {
        Self {
            certain: (verdict == Verdict::Yes).then_some(t),
            possible: (verdict != Verdict::No).then_some(t),
        }
    }

    pub(crate) fn verdict(self) -> Verdict {
        match (self.certain, self.possible) {
            (Some(_), _) => Verdict::Yes,
            (None, Some(_)) => Verdict::Unknown,
            (None, None) => Verdict::No,
        }
    }

    /// The earliest of the two that are satisfied.
    fn or(self, other: Self) -> Self {
        let earliest = |a: Option<usize>, b: Option<usize>| a.into_iter().chain(b).min();
        Self {
            certain: earliest(self.certain, other.certain),
            possible: earliest(self.possible, other.possible),
        }
    }

    /// The later of the two, if both are satisfied.
    fn and(self, other: Self) -> Self {
        let latest = |a: Option<usize>, b: Option<usize>| Some(a?.max(b?));
        Self { certain: latest(self.certain, other.certain), possible: latest(self.possible, other.possible) }
    }
}

/// A [`Condition`] on a schema and a clock.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Compare { gauge: Gauge, is: Comparison, bound: Bound },
    Absent(usize),
    Significant { rate: usize, events: usize, limit: f64, chance: f64 },
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Frequent { of: Box<Node>, times: usize, certain: SlidingMin, possible: SlidingMin },
}

impl Node {
    pub(crate) fn new(condition: &Condition, schema: &Schema, step: Step) -> Result<Self, CoreError> {
        let each = |conditions: &[Condition]| {
            conditions
                .iter()
                .map(|condition| Self::new(condition, schema, step))
                .collect::<Result<_, CoreError>>()
        };
        let frequent = |of: &Condition, times: usize, within: Span| {
            let steps = within.in_steps(step);
            if times > steps {
                return Err(CoreError::InvalidSetting {
                    name: "times of a frequent condition",
                    value: times.to_string(),
                    expected: "no more than the steps of its span on this clock",
                });
            }
            let window = SlidingMin::new(steps);
            let of = Box::new(Self::new(of, schema, step)?);
            Ok(Self::Frequent { of, times, certain: window.clone(), possible: window })
        };
        Ok(match condition {
            Condition::Compare(compare) => Self::compare(compare, schema, step)?,
            Condition::Absent(metric) => Self::absent(metric, schema)?,
            Condition::Significant(significant) => Self::significant(significant, schema)?,
            Condition::All(all) => Self::All(each(all)?),
            Condition::Any(any) => Self::Any(each(any)?),
            Condition::Not(of) => Self::Not(Box::new(Self::new(of, schema, step)?)),
            Condition::Sustained(Sustained { of, lasting }) => {
                frequent(of, lasting.in_steps(step), *lasting)?
            }
            Condition::Frequent(Frequent { of, times, within }) => frequent(of, *times as usize, *within)?,
        })
    }

    /// See [`Condition::Compare`].
    pub(crate) fn compare(
        Compare { measure, is, limit }: &Compare,
        schema: &Schema,
        step: Step,
    ) -> Result<Self, SchemaError> {
        Ok(Self::Compare {
            gauge: Gauge::new(measure, schema, step)?,
            is: *is,
            bound: Bound::new(limit, step),
        })
    }

    /// See [`Condition::Absent`].
    pub(crate) fn absent(metric: &str, schema: &Schema) -> Result<Self, SchemaError> {
        Ok(Self::Absent(schema.index_of(metric)?))
    }

    /// See [`Condition::Significant`].
    pub(crate) fn significant(
        Significant { rate, events, limit, confidence }: &Significant,
        schema: &Schema,
    ) -> Result<Self, SchemaError> {
        Ok(Self::Significant {
            rate: schema.index_of(rate)?,
            events: schema.index_of(events)?,
            limit: limit.wide(),
            chance: 1.0 - confidence.wide(),
        })
    }

    /// Whether the condition is satisfied in row `t`, which follows the last one, and since when.
    pub(crate) fn push(&mut self, t: usize, row: &[f32]) -> Since {
        match self {
            Self::Compare { gauge, is, bound } => {
                let value = gauge.push(row);
                let verdict = match value.zip(bound.get()) {
                    Some((value, limit)) => Verdict::known(is.holds_wide(value, limit)),
                    None => Verdict::Unknown,
                };
                bound.push(value);
                Since::of_row(verdict, t)
            }
            Self::Absent(column) => Since::of_row(Verdict::known(row[*column].is_nan()), t),
            Self::Significant { rate, events, limit, chance } => {
                let (rate, events) = (f64::from(row[*rate]), f64::from(row[*events]));
                Since::of_row(significant(rate, events, *limit, *chance), t)
            }
            // Every part sees every row, so no part of `all` or `any` may be skipped.
            Self::All(all) => {
                let satisfied = all.iter_mut().map(|node| node.push(t, row));
                satisfied.reduce(Since::and).unwrap_or(Since::of_row(Verdict::Yes, t))
            }
            Self::Any(any) => {
                let satisfied = any.iter_mut().map(|node| node.push(t, row));
                satisfied.reduce(Since::or).unwrap_or(Since::of_row(Verdict::No, t))
            }
            Self::Not(of) => Since::of_row(!of.push(t, row).verdict(), t),
            Self::Frequent { of, times, certain, possible } => {
                let now = of.push(t, row);
                let since = |window: &mut SlidingMin, now: Option<usize>| {
                    window.push(t, now);
                    let (count, first) = window.get();
                    first.filter(|_| now.is_some() && count >= *times)
                };
                Since { certain: since(certain, now.certain), possible: since(possible, now.possible) }
            }
        }
    }
}

impl Node {
    /// Appends what has been seen of the rows before: nothing for a condition that looks at a row alone.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        match self {
            Self::Compare { gauge, bound, .. } => {
                gauge.save(out)?;
                bound.save(out)
            }
            Self::Absent(_) | Self::Significant { .. } => Ok(()),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().try_for_each(|node| node.save(out)),
            Self::Not(of) => of.save(out),
            Self::Frequent { of, certain, possible, .. } => {
                of.save(out)?;
                certain.save(out)?;
                possible.save(out)
            }
        }
    }

    /// Takes what [`save`](Self::save) wrote after `seen` rows. Where that fails the node is to be thrown away.
    pub(crate) fn restore(&mut self, seen: usize, from: &mut &[u8]) -> Result<(), CoreError> {
        match self {
            Self::Compare { gauge, bound, .. } => {
                gauge.restore(from)?;
                bound.restore(from)
            }
            Self::Absent(_) | Self::Significant { .. } => Ok(()),
            Self::All(nodes) | Self::Any(nodes) => {
                nodes.iter_mut().try_for_each(|node| node.restore(seen, from))
            }
            Self::Not(of) => of.restore(seen, from),
            Self::Frequent { of, certain, possible, .. } => {
                of.restore(seen, from)?;
                certain.restore(seen, from)?;
                possible.restore(seen, from)
            }
        }
    }
}

/// Whether a rate of that number of events is above `limit` by more than chance; NaN for a missing sample.
fn significant(rate: f64, events: f64, limit: f64, chance: f64) -> Verdict {
    let at = |rate: f64| rate > limit && tail((rate * events).round(), events.round(), limit) <= chance;
    match (rate.is_nan(), events.is_nan()) {
        _ if events < 0.5 => Verdict::No,
        (false, false) => Verdict::known(at(rate)),
        // If every event had failed, would it be significant?
        (true, false) => {
            if at(1.0) {
                Verdict::Unknown
            } else {
                Verdict::No
            }
        }
        (false, true) => {
            if rate > limit {
                Verdict::Unknown
            } else {
                Verdict::No
            }
        }
        (true, true) => Verdict::Unknown,
    }
}

/// Probability of at least `failed` of `events` when each fails with probability `share`.
fn tail(failed: f64, events: f64, share: f64) -> f64 {
    if failed <= 0.0 {
        return 1.0;
    }
    // The binomial tail is a regularised incomplete beta function (Abramowitz and Stegun, 26.5.24); a rate above 1
    // counts as 1.
    beta_reg(failed.min(events), events - failed.min(events) + 1.0, share)
}

impl Condition {
    /// Steps that the evidence of a satisfied row spans at most: the row itself and those before it.
    pub(crate) fn reach(&self, step: Step) -> usize {
        match self {
            Self::Compare(_) | Self::Absent(_) | Self::Significant(_) | Self::Not(_) => 1,
            Self::All(of) | Self::Any(of) => of.iter().map(|part| part.reach(step)).max().unwrap_or(1),
            Self::Sustained(Sustained { of, lasting: span })
            | Self::Frequent(Frequent { of, within: span, .. }) => {
                of.reach(step).saturating_add(span.in_steps(step) - 1)
            }
        }
    }

    /// Whether every row of an episode, from its confirmation on, satisfies the condition in the row itself.
    pub(crate) fn is_plain(&self) -> bool {
        let judges_rows_alone =
            |condition: &Self| condition.reach(Step::MINUTE) == 1 && condition.parts_are_leaves();
        match self {
            Self::Sustained(Sustained { of, .. }) => judges_rows_alone(of),
            _ => judges_rows_alone(self),
        }
    }

    /// Whether nothing in it is sustained, on whatever clock.
    fn parts_are_leaves(&self) -> bool {
        match self {
            Self::Compare(_) | Self::Absent(_) | Self::Significant(_) | Self::Not(_) => true,
            Self::All(of) | Self::Any(of) => of.iter().all(Self::parts_are_leaves),
            Self::Sustained(_) | Self::Frequent(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tail from its definition, a sum of binomial probabilities.
    fn sum_of_terms(failed: u32, events: u32, share: f64) -> f64 {
        let term = |k: u32| {
            let ways: f64 = (0..k).map(|i| f64::from(events - i) / f64::from(k - i)).product();
            ways * share.powi(k as i32) * (1.0 - share).powi((events - k) as i32)
        };
        (failed..=events).map(term).sum()
    }

    #[test]
    fn the_tail_is_the_sum_of_its_terms() {
        for events in [1, 2, 3, 10, 60, 200] {
            for share in [0.001, 0.05, 0.5, 0.9] {
                for failed in (0..=events).step_by(usize::max(1, events as usize / 10)) {
                    let (expected, got) = (
                        sum_of_terms(failed, events, share),
                        tail(f64::from(failed), f64::from(events), share),
                    );
                    assert!(
                        (expected - got).abs() < 1e-10,
                        "{failed} of {events} at {share}: {got} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn one_error_in_three_requests_is_no_evidence() {
        let guard = |rate: f64, events: f64| significant(rate, events, 0.05, 0.01);
        assert_eq!(guard(1.0 / 3.0, 3.0), Verdict::No);
        assert_eq!(guard(1.0 / 3.0, 300.0), Verdict::Yes);
        // 3 of 3 at 5 %: .05^3 = .000125.
        assert_eq!(guard(1.0, 3.0), Verdict::Yes);
        assert_eq!(guard(1.0, 0.0), Verdict::No);
        assert_eq!(guard(f64::NAN, 0.0), Verdict::No);
        // Of one request nothing follows, even had it failed; of three it might.
        assert_eq!(guard(f64::NAN, 1.0), Verdict::No);
        assert_eq!(guard(f64::NAN, 3.0), Verdict::Unknown);
        assert_eq!(guard(0.04, f64::NAN), Verdict::No);
        assert_eq!(guard(0.4, f64::NAN), Verdict::Unknown);
    }
}

//! A second implementation of rules, written from their definition with no thought of speed: what tests compare with.

use crate::{
    Change, Compare, Condition, Frequent, IncreaseRatio, Limit, Mean, Measure, Normal, NormalStatistic,
    Quantile, Ratio, Rule, Season, Shape, Significant, Sustained, strategies::METRICS,
};
use forewarn_schema::Step;
use std::ops::Range;

/// The two readings of a missing sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Certain,
    Possible,
}

pub(crate) struct Twin<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) rows: &'a [[f32; 4]],
}

impl Twin<'_> {
    /// Onset, confirmation and end of every episode.
    pub(crate) fn episodes(&self, reading: Reading) -> Vec<[usize; 3]> {
        let since: Vec<Option<usize>> =
            (0..self.rows.len()).map(|t| self.since(self.rule.when(), t, reading)).collect();
        let shape = self.rule.episodes();
        let first_seen = |episode: &Range<usize>| {
            let meets = |other: &Range<usize>| other.start < episode.end && episode.start < other.end;
            (0..since.len()).find(|&t| episodes_of(&since[..=t], shape).iter().any(meets)).unwrap()
        };
        episodes_of(&since, shape).into_iter().map(|e| [e.start, first_seen(&e), e.end]).collect()
    }

    fn since(&self, condition: &Condition, t: usize, reading: Reading) -> Option<usize> {
        let judged = |verdict: Option<bool>| verdict.unwrap_or(reading == Reading::Possible).then_some(t);
        let often = |of: &Condition, times: usize, steps: usize| {
            self.since(of, t, reading)?;
            let window: Vec<usize> =
                ((t + 1).saturating_sub(steps)..=t).filter_map(|row| self.since(of, row, reading)).collect();
            window.iter().copied().min().filter(|_| window.len() >= times)
        };
        match condition {
            Condition::Compare(Compare { measure, is, limit }) => {
                let limit = match limit {
                    Limit::Number(number) => Some(number.wide()),
                    Limit::Normal(normal) => self.normal(measure, normal, t),
                };
                let value = self.measure(measure, t as i64);
                judged(value.zip(limit).map(|(value, limit)| match is.to_string().as_str() {
                    ">=" => value >= limit,
                    ">" => value > limit,
                    "<=" => value <= limit,
                    "<" => value < limit,
                    "==" => value == limit,
                    _ => value != limit,
                }))
            }
            Condition::Absent(metric) => judged(Some(self.sample(metric, t as i64).is_none())),
            Condition::Significant(Significant { rate, events, limit, confidence }) => {
                let significant = |rate: f64, events: f64| {
                    rate > limit.wide()
                        && tail((rate * events).round() as u32, events as u32, limit.wide())
                            <= 1.0 - confidence.wide()
                };
                // Unknown if some value in place of what is missing would be significant and another would not.
                let rate = self.sample(rate, t as i64);
                judged(match (rate, self.sample(events, t as i64)) {
                    (Some(rate), Some(events)) => Some(significant(rate, events)),
                    (None, Some(events)) => (!significant(1.0, events)).then_some(false),
                    (Some(rate), None) => (rate <= limit.wide()).then_some(false),
                    (None, None) => None,
                })
            }
            Condition::All(all) => {
                let parts: Vec<_> = all.iter().map(|part| self.since(part, t, reading)).collect();
                parts.into_iter().collect::<Option<Vec<_>>>()?.into_iter().max()
            }
            Condition::Any(any) => any.iter().filter_map(|part| self.since(part, t, reading)).min(),
            Condition::Not(of) => {
                let other = if reading == Reading::Certain { Reading::Possible } else { Reading::Certain };
                self.since(of, t, other).is_none().then_some(t)
            }
            Condition::Sustained(Sustained { of, lasting }) => {
                let steps = lasting.in_steps(Step::MINUTE);
                often(of, steps, steps)
            }
            Condition::Frequent(Frequent { of, times, within }) => {
                often(of, *times as usize, within.in_steps(Step::MINUTE))
            }
        }
    }

    fn sample(&self, metric: &str, t: i64) -> Option<f64> {
        let column = METRICS.iter().position(|name| *name == metric).unwrap();
        let row = self.rows.get(usize::try_from(t).ok()?)?;
        Some(f64::from(row[column])).filter(|value| !value.is_nan())
    }

    fn measure(&self, measure: &Measure, t: i64) -> Option<f64> {
        match measure {
            Measure::Metric(name) => self.sample(name, t),
            Measure::Change(Change { of, over }) => {
                Some(self.sample(of, t)? - self.sample(of, t - over.in_steps(Step::MINUTE) as i64)?)
            }
            Measure::Ratio(Ratio { of, to }) => {
                Some(self.sample(of, t)? / self.sample(to, t).filter(|divisor| *divisor != 0.0)?)
            }
            Measure::IncreaseRatio(IncreaseRatio { of, to, over }) => {
                let gained = |metric: &str, row: i64| {
                    let now = self.sample(metric, row)?;
                    let last = (0..row).rev().find_map(|before| self.sample(metric, before))?;
                    Some(if now < last { now } else { now - last })
                };
                let both = |row: i64| gained(of, row).zip(gained(to, row));
                both(t)?;
                let rows = (t + 1 - over.in_steps(Step::MINUTE) as i64).max(0)..=t;
                let (of, to) =
                    rows.filter_map(both).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                (to > 0.0).then(|| of / to)
            }
            Measure::Mean(Mean { of, weighted_by, over, known }) => {
                let length = over.in_steps(Step::MINUTE);
                let rows: Vec<(f64, f64)> = (t + 1 - length as i64..=t)
                    .filter_map(|row| {
                        let weight = weighted_by.as_ref().map_or(Some(1.0), |name| self.sample(name, row));
                        self.sample(of, row).zip(weight)
                    })
                    .collect();
                let weight: f64 = rows.iter().map(|(_, weight)| weight).sum();
                let enough = is_enough(rows.len(), length, known.wide());
                (enough && weight != 0.0).then(|| rows.iter().map(|(x, w)| x * w).sum::<f64>() / weight)
            }
        }
    }

    fn normal(&self, measure: &Measure, normal: &Normal, t: usize) -> Option<f64> {
        let t = t as i64;
        let steps = |span: &crate::Span| span.in_steps(Step::MINUTE) as i64;
        let (rows, share) = match &normal.normal {
            NormalStatistic::Mean(over) => (t - steps(over)..t, None),
            NormalStatistic::Median(over) => (t - steps(over)..t, Some(0.5)),
            NormalStatistic::Quantile(Quantile { share, over }) => (t - steps(over)..t, Some(share.wide())),
            NormalStatistic::Season(Season { period, width }) => {
                let last = t - steps(period) + steps(width) / 2;
                (last + 1 - steps(width)..last + 1, None)
            }
        };
        let length = rows.clone().count();
        let mut known: Vec<f64> = rows.filter_map(|row| self.measure(measure, row)).collect();
        if !is_enough(known.len(), length, normal.known.wide()) {
            return None;
        }
        known.sort_by(f64::total_cmp);
        let value = match share {
            None => known.iter().sum::<f64>() / known.len() as f64,
            Some(share) => {
                let position = share * (known.len() - 1) as f64;
                let (low, high) = (known[position.floor() as usize], known[position.ceil() as usize]);
                low + position.fract() * (high - low)
            }
        };
        Some(normal.times.wide() * value + normal.plus.wide())
    }
}

fn is_enough(known: usize, length: usize, share: f64) -> bool {
    known > 0 && known as f64 >= share * length as f64
}

/// Probability of at least `failed` of `events`, as a sum.
fn tail(failed: u32, events: u32, share: f64) -> f64 {
    let mut term = (1.0 - share).powi(events as i32);
    let mut below = 0.0;
    for k in 0..failed {
        below += term;
        term *= f64::from(events - k) / f64::from(k + 1) * share / (1.0 - share);
    }
    1.0 - below
}

fn episodes_of(since: &[Option<usize>], shape: &Shape) -> Vec<Range<usize>> {
    let steps = |span: Option<crate::Span>| span.map_or(0, |span| span.in_steps(Step::MINUTE));
    let mut fails = vec![false; since.len()];
    for (t, since) in since.iter().enumerate() {
        since.iter().for_each(|&since| fails[since..=t].fill(true));
    }
    for gap in runs(&fails, false) {
        let is_between = gap.start > 0 && gap.end < fails.len();
        if is_between && gap.len() < steps(shape.merge_gaps_below) {
            fails[gap].fill(true);
        }
    }
    let long = runs(&fails, true).into_iter().filter(|run| run.len() >= steps(shape.at_least));
    let mut episodes: Vec<Range<usize>> = Vec::new();
    for run in long {
        let end = (run.end + steps(shape.cool_down)).min(fails.len());
        match episodes.last_mut() {
            Some(last) if run.start < last.end => last.end = end,
            _ => episodes.push(run.start..end),
        }
    }
    episodes
}

fn runs(flags: &[bool], wanted: bool) -> Vec<Range<usize>> {
    let mut row = 0;
    let mut runs = Vec::new();
    for run in flags.chunk_by(|a, b| a == b) {
        runs.extend((run[0] == wanted).then_some(row..row + run.len()));
        row += run.len();
    }
    runs
}

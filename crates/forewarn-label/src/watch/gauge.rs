//! Measures and normals at work: one number a row.

use crate::{
    Change, IncreaseRatio, Limit, Mean, Measure, Normal, NormalStatistic, Quantile, Ratio, Season,
    watch::sliding::{SlidingQuantile, Sums},
};
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_schema::{Schema, SchemaError, Step};
use std::collections::VecDeque;

/// One sample of a row, `None` where it is missing.
fn sample(row: &[f32], column: usize) -> Option<f64> {
    row.get(column).filter(|value| !value.is_nan()).map(|&value| f64::from(value))
}

/// How many of `length` rows a share is; at least one.
fn needed(share: crate::Number, length: usize) -> usize {
    ((share.wide() * length as f64).ceil() as usize).clamp(1, length)
}

/// A [`Measure`] on a schema and a clock.
#[derive(Clone, Debug)]
pub(crate) enum Gauge {
    Metric(usize),
    Change { column: usize, steps: usize, past: VecDeque<Option<f64>> },
    Ratio { of: usize, to: usize },
    Mean { column: usize, weight: Option<usize>, needed: usize, sums: Sums },
    IncreaseRatio { of: Counter, to: Counter, sums: Sums },
}

/// A counter of which the last sample is known.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    column: usize,
    last: Option<f64>,
}

impl Counter {
    fn new(column: usize) -> Self {
        Self { column, last: None }
    }

    /// What it has gained since its last sample.
    fn push(&mut self, row: &[f32]) -> Option<f64> {
        let now = sample(row, self.column)?;
        let last = self.last.replace(now)?;
        Some(if now < last { now } else { now - last })
    }
}

impl Gauge {
    pub(crate) fn new(measure: &Measure, schema: &Schema, step: Step) -> Result<Self, SchemaError> {
        Ok(match measure {
            Measure::Metric(name) => Self::Metric(schema.index_of(name)?),
            Measure::Change(Change { of, over }) => Self::Change {
                column: schema.index_of(of)?,
                steps: over.in_steps(step),
                past: VecDeque::new(),
            },
            Measure::Ratio(Ratio { of, to }) => {
                Self::Ratio { of: schema.index_of(of)?, to: schema.index_of(to)? }
            }
            Measure::IncreaseRatio(IncreaseRatio { of, to, over }) => Self::IncreaseRatio {
                of: Counter::new(schema.index_of(of)?),
                to: Counter::new(schema.index_of(to)?),
                sums: Sums::new(over.in_steps(step)),
            },
            Measure::Mean(Mean { of, weighted_by, over, known }) => {
                let length = over.in_steps(step);
                Self::Mean {
                    column: schema.index_of(of)?,
                    weight: weighted_by.as_ref().map(|name| schema.index_of(name)).transpose()?,
                    needed: needed(*known, length),
                    sums: Sums::new(length),
                }
            }
        })
    }

    /// The measure in this row, which follows the last one.
    pub(crate) fn push(&mut self, row: &[f32]) -> Option<f64> {
        match self {
            Self::Metric(column) => sample(row, *column),
            Self::Change { column, steps, past } => {
                let now = sample(row, *column);
                past.push_back(now);
                let then = if past.len() > *steps { past.pop_front()? } else { None };
                Some(now? - then?)
            }
            Self::Ratio { of, to } => {
                let (of, to) = (sample(row, *of)?, sample(row, *to)?);
                (to != 0.0).then(|| of / to)
            }
            Self::IncreaseRatio { of, to, sums } => {
                let (of, to) = (of.push(row), to.push(row));
                let gained = of.zip(to).map(|(of, to)| [of, to]);
                sums.push(gained);
                let ([of, to], _) = sums.get();
                (gained.is_some() && to > 0.0).then(|| of / to)
            }
            Self::Mean { column, weight, needed, sums } => {
                let value = sample(row, *column);
                let weight = weight.map_or(Some(1.0), |column| sample(row, column));
                sums.push(value.zip(weight).map(|(value, weight)| [value * weight, weight]));
                let ([total, weight], known) = sums.get();
                (known >= *needed && weight != 0.0).then(|| total / weight)
            }
        }
    }

    /// Appends what has been seen of the rows before.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        match self {
            Self::Metric(_) | Self::Ratio { .. } => Ok(()),
            Self::Change { past, .. } => save_part(past, out),
            Self::Mean { sums, .. } => sums.save(out),
            Self::IncreaseRatio { of, to, sums } => {
                save_part(&(of.last, to.last), out)?;
                sums.save(out)
            }
        }
    }

    /// Takes what [`save`](Self::save) wrote.
    pub(crate) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        match self {
            Self::Metric(_) | Self::Ratio { .. } => Ok(()),
            Self::Change { past, steps, .. } => {
                *past = restore_rows(*steps, from)?;
                Ok(())
            }
            Self::Mean { sums, .. } => sums.restore(from),
            Self::IncreaseRatio { of, to, sums } => {
                (of.last, to.last) = restore_part(from)?;
                sums.restore(from)
            }
        }
    }
}

/// Restores at most `most` rows.
fn restore_rows(most: usize, from: &mut &[u8]) -> Result<VecDeque<Option<f64>>, CoreError> {
    let mut rest = *from;
    let rows: VecDeque<Option<f64>> = restore_part(&mut rest)?;
    if rows.len() > most {
        return Err(CoreError::damaged_state(format!("{} rows wait, at most {most} do", rows.len())));
    }
    *from = rest;
    Ok(rows)
}

/// A [`Limit`] at work: what it is in a row, from the rows before.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    Number(f64),
    Normal { times: f64, plus: f64, needed: usize, past: Past },
}

#[derive(Clone, Debug)]
pub(crate) enum Past {
    Mean(Sums),
    Quantile(SlidingQuantile),
    /// Rows wait in `delay` until they are as old as the youngest that counts.
    Season {
        wait: usize,
        delay: VecDeque<Option<f64>>,
        sums: Sums,
    },
}

impl Bound {
    pub(crate) fn new(limit: &Limit, step: Step) -> Self {
        let Normal { normal, times, plus, known } = match limit {
            Limit::Number(number) => return Self::Number(number.wide()),
            Limit::Normal(normal) => normal,
        };
        let (length, past) = match normal {
            NormalStatistic::Mean(over) => {
                let length = over.in_steps(step);
                (length, Past::Mean(Sums::new(length)))
            }
            NormalStatistic::Median(over) => {
                let length = over.in_steps(step);
                (length, Past::Quantile(SlidingQuantile::new(length, 0.5)))
            }
            NormalStatistic::Quantile(Quantile { share, over }) => {
                let length = over.in_steps(step);
                (length, Past::Quantile(SlidingQuantile::new(length, share.wide())))
            }
            NormalStatistic::Season(Season { period, width }) => {
                let length = width.in_steps(step);
                let wait = period.in_steps(step).saturating_sub(length / 2 + 1);
                (length, Past::Season { wait, delay: VecDeque::new(), sums: Sums::new(length) })
            }
        };
        Self::Normal { times: times.wide(), plus: plus.wide(), needed: needed(*known, length), past }
    }

    /// The limit for a row, given the rows pushed so far, which do not include it.
    pub(crate) fn get(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Normal { times, plus, needed, past } => {
                let (normal, known) = match past {
                    Past::Mean(sums) | Past::Season { sums, .. } => {
                        let ([total, count], known) = sums.get();
                        (total / count, known)
                    }
                    Past::Quantile(quantile) => quantile.get()?,
                };
                (known >= *needed).then(|| times * normal + plus)
            }
        }
    }

    /// Takes the measure of the row after the last one.
    pub(crate) fn push(&mut self, value: Option<f64>) {
        let Self::Normal { past, .. } = self else { return };
        let one_row = |value: Option<f64>| value.map(|value| [value, 1.0]);
        match past {
            Past::Mean(sums) => sums.push(one_row(value)),
            Past::Quantile(quantile) => quantile.push(value),
            Past::Season { wait, delay, sums } => {
                delay.push_back(value);
                if delay.len() > *wait
                    && let Some(old) = delay.pop_front()
                {
                    sums.push(one_row(old));
                }
            }
        }
    }

    /// Appends what has been seen of the rows before.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        let Self::Normal { past, .. } = self else { return Ok(()) };
        match past {
            Past::Mean(sums) => sums.save(out),
            Past::Quantile(quantile) => quantile.save(out),
            Past::Season { delay, sums, .. } => {
                save_part(delay, out)?;
                sums.save(out)
            }
        }
    }

    /// Takes what [`save`](Self::save) wrote.
    pub(crate) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let Self::Normal { past, .. } = self else { return Ok(()) };
        match past {
            Past::Mean(sums) => sums.restore(from),
            Past::Quantile(quantile) => quantile.restore(from),
            Past::Season { wait, delay, sums } => {
                *delay = restore_rows(*wait, from)?;
                sums.restore(from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;
    use forewarn_schema::Metric;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<Option<f64>>> {
        proptest::collection::vec(
            prop_oneof![1 => Just(None), 4 => (-8i8..9).prop_map(|v| Some(f64::from(v)))],
            1..80,
        )
    }

    /// The known values among `rows`, sorted.
    fn known(rows: &[Option<f64>]) -> Vec<f64> {
        let mut known: Vec<f64> = rows.iter().flatten().copied().collect();
        known.sort_by(f64::total_cmp);
        known
    }

    proptest! {
        #[test]
        fn a_sliding_quantile_is_that_of_the_sorted_rows(
            values in values(), length in 1usize..12, share in prop_oneof![Just(0.0), Just(0.5), Just(1.0), 0.0..=1.0]
        ) {
            let mut sliding = SlidingQuantile::new(length, share);
            for t in 0..values.len() {
                sliding.push(values[t]);
                let sorted = known(&values[(t + 1).saturating_sub(length)..=t]);
                let expected = (!sorted.is_empty()).then(|| {
                    let position = share * (sorted.len() - 1) as f64;
                    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
                    (low + position.fract() * (high - low), sorted.len())
                });
                prop_assert_eq!(sliding.get(), expected, "row {}", t);
            }
        }

        #[test]
        fn a_season_is_the_mean_around_the_same_time_one_period_ago(
            values in values(), a in 1u32..15, b in 1u32..15
        ) {
            let (width, period) = (a.min(b), a.max(b));
            let season = Season { period: Span::steps(period), width: Span::steps(width) };
            let normal = Normal::new(NormalStatistic::Season(season)).with_known_share(0.0);
            let mut bound = Bound::new(&normal.into(), Step::MINUTE);
            for t in 0..values.len() {
                let youngest = t as i64 - i64::from(period) + i64::from(width / 2);
                let oldest = youngest + 1 - i64::from(width);
                let rows: Vec<_> = (oldest.max(0)..=youngest).map(|row| values[row as usize]).collect();
                let known = known(&rows);
                let expected =
                    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
                prop_assert_eq!(bound.get(), expected, "row {}", t);
                bound.push(values[t]);
            }
        }
    }

    #[test]
    fn an_outlier_leaves_no_trace_in_a_mean() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let mut mean = Gauge::new(&Measure::mean("x", Span::steps(3)), &schema, Step::MINUTE).unwrap();
        let means: Vec<_> = [0.1, 1e30, 0.1, 0.1, 0.1].map(|x| mean.push(&[x])).to_vec();
        let tenth = f64::from(0.1f32);
        assert_eq!(means[0], None, "one of three rows is less than half");
        assert_eq!(means[4], Some((tenth + tenth + tenth) / 3.0));
    }

    #[test]
    fn increases_of_counters_pass_over_resets_and_gaps() {
        let schema = Schema::new(vec![Metric::gauge("errors"), Metric::gauge("requests")]).unwrap();
        let measure = Measure::increase_ratio("errors", "requests", Span::steps(2));
        let mut ratio = Gauge::new(&measure, &schema, Step::MINUTE).unwrap();
        let n = f32::NAN;
        let rows = [
            [5.0, 100.0],
            [6.0, 110.0],
            [6.0, 130.0],
            [n, 140.0],
            [7.0, 150.0],
            [2.0, 10.0],
            [2.0, 10.0],
            [2.0, 10.0],
        ];
        let got: Vec<_> = rows.map(|row| ratio.push(&row)).to_vec();
        // The row after the gap has the errors of both minutes and the requests of the last: what was seen, in both.
        let expected =
            [None, Some(0.1), Some(1.0 / 30.0), None, Some(0.1), Some(3.0 / 20.0), Some(0.2), None];
        assert_eq!(got, expected);
    }

    #[test]
    fn a_ratio_without_a_divisor_is_unknown() {
        let schema = Schema::new(vec![Metric::gauge("errors"), Metric::gauge("requests")]).unwrap();
        let mut ratio = Gauge::new(&Measure::ratio("errors", "requests"), &schema, Step::MINUTE).unwrap();
        assert_eq!(ratio.push(&[1.0, 4.0]), Some(0.25));
        assert_eq!(ratio.push(&[0.0, 0.0]), None);
        assert_eq!(ratio.push(&[f32::NAN, 4.0]), None);
    }
}

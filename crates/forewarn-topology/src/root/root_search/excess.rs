use super::Worse;
use crate::TopologyError;
use forewarn_numerics::quantile;
use forewarn_schema::{FrameView, Step, Timestamp};

/// Share of the times of a normal period whose excess is the unit of excesses.
const USUAL: f64 = 0.99;
/// Least unit, as a share of the normal level of the metric: smaller changes do not matter, however steady it is.
const LEAST_OF_LEVEL: f64 = 0.05;
/// Least unit of a metric that is normally 0 and never above 1, such as an error rate.
const LEAST_SHARE: f64 = 0.01;
/// Least unit of any other metric that is normally 0, such as a count of errors.
const LEAST_COUNT: f64 = 1.0;
/// Most times of a normal period that are looked at, evenly spread: a year of minutes says no more of a 99 % quantile.
const MOST_TIMES: usize = 20_000;
/// Fewest known times: of fewer the 99 % quantile is only their maximum.
const FEWEST_TIMES: usize = 30;
/// Fewest common rows of a correlation.
const FEWEST_ROWS: usize = 3;

/// How many rows before and after an onset count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) before: usize,
    pub(super) after: usize,
}

impl Span {
    /// The first row of `frame` that may be affected by what began at `at`, as a row number that may lie outside.
    ///
    /// A row's time is that of its begin or its end, depending on who wrote it. As begin, the row before `at` holds
    /// the onset.
    fn first_after(frame: &FrameView<'_>, at: Timestamp) -> i64 {
        (at.millis() - frame.start().millis()).div_euclid(frame.step().millis())
    }

    /// Whether the frame has any row that counts as after the onset.
    pub(super) fn has_row(self, frame: &FrameView<'_>, at: Timestamp) -> bool {
        let first = Self::first_after(frame, at);
        let end = first.saturating_add(i64::try_from(self.after).unwrap_or(i64::MAX));
        end > 0 && first < i64::try_from(frame.rows()).unwrap_or(i64::MAX)
    }

    /// The rows around the onset.
    pub(super) fn rows(
        self,
        frame: &FrameView<'_>,
        metric: &str,
        worse: Worse,
        at: Timestamp,
    ) -> Result<Rows, TopologyError> {
        let values = column(frame, metric, worse)?;
        let clip = |row: i64| usize::try_from(row.max(0)).unwrap_or(usize::MAX).min(values.len());
        let signed = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let first = Self::first_after(frame, at);
        let (from, onset) = (clip(first.saturating_sub(signed(self.before))), clip(first));
        let end = clip(first.saturating_add(signed(self.after)));
        Ok(Rows {
            number: signed(from).saturating_sub(first),
            before: values[from..onset].to_vec(),
            after: values[onset..end].to_vec(),
            step: frame.step(),
        })
    }
}

/// A metric over time, turned so that more is worse.
fn column(frame: &FrameView<'_>, metric: &str, worse: Worse) -> Result<Vec<f64>, TopologyError> {
    let sign = match worse {
        Worse::Higher => 1.0,
        Worse::Lower => -1.0,
    };
    Ok(frame.column(metric)?.map(|value| sign * f64::from(value)).collect())
}

/// A service's rows around the onset; NaN where missing.
pub(super) struct Rows {
    /// Number of the first, counted from the row of the onset.
    number: i64,
    before: Vec<f64>,
    after: Vec<f64>,
    step: Step,
}

impl Rows {
    /// As many rows before and after on another clock, no fewer than one.
    pub(super) fn span_in(&self, step: Step) -> Span {
        let rows = |rows: usize| {
            let millis = i64::try_from(rows).unwrap_or(i64::MAX).saturating_mul(self.step.millis());
            usize::try_from(millis.div_euclid(step.millis())).unwrap_or(usize::MAX).max(1)
        };
        Span { before: rows(self.before.len()), after: rows(self.after.len()) }
    }

    /// The excess in units of the normal period; unknown without one.
    pub(super) fn judge(self, normal: Option<&Normal>) -> Excess {
        let Some(normal) = normal else { return Excess::unknown() };
        let known = median(&self.before);
        // Without rows before the onset, the normal level is the best estimate of where the service was.
        let level = known.unwrap_or(normal.level);
        let worst = self.after.iter().copied().filter(|value| !value.is_nan()).reduce(f64::max);
        let drift = (level - normal.level).abs();
        let unit = normal.unit.max(drift);
        let multiple = worst.map_or(f64::NAN, |worst| (worst - level) / unit);
        let rows = self.before.into_iter().chain(self.after).map(|value| value - level).collect();
        Excess { multiple, first: self.number, rows }
    }
}

/// What differences a service shows when nothing is wrong.
pub(super) struct Normal {
    /// Median of the metric.
    level: f64,
    /// One unit of excess.
    unit: f64,
}

impl Normal {
    /// From a normal period; `None` where too little is known of it.
    pub(super) fn of(
        frame: &FrameView<'_>,
        metric: &str,
        worse: Worse,
        span: Span,
    ) -> Result<Option<Self>, TopologyError> {
        let values = column(frame, metric, worse)?;
        let Some(level) = median(&values) else { return Ok(None) };
        let times = span.before..values.len().saturating_sub(span.after.saturating_sub(1));
        let stride = (times.len() / MOST_TIMES).max(1);
        let mut excesses: Vec<f64> = times
            .step_by(stride)
            .filter_map(|at| {
                let before = median(&values[at - span.before..at])?;
                let after = values[at..at + span.after].iter().copied().filter(|value| !value.is_nan());
                Some(after.reduce(f64::max)? - before)
            })
            .collect();
        if excesses.len() < FEWEST_TIMES {
            return Ok(None);
        }
        excesses.sort_by(f64::total_cmp);
        let usual = quantile(&excesses, USUAL).unwrap_or(0.0);
        let least = if level != 0.0 {
            LEAST_OF_LEVEL * level.abs()
        } else if values.iter().all(|value| value.is_nan() || value.abs() <= 1.0) {
            LEAST_SHARE
        } else {
            LEAST_COUNT
        };
        Ok(Some(Self { level, unit: usual.max(least) }))
    }
}

/// How far a service is from where it was before the onset.
pub(super) struct Excess {
    /// Of its own normal period's; NaN where not known.
    pub(super) multiple: f64,
    /// Number of the first row.
    first: i64,
    /// Difference to the level before the onset, by row.
    rows: Vec<f64>,
}

impl Excess {
    /// For a service of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self { multiple: f64::NAN, first: 0, rows: Vec::new() }
    }

    fn at(&self, number: i64) -> f64 {
        let place = usize::try_from(number.saturating_sub(self.first)).ok();
        place.and_then(|place| self.rows.get(place)).copied().unwrap_or(f64::NAN)
    }

    /// Pearson's correlation over the rows that both have; NaN for fewer than three, or where one is constant.
    pub(super) fn correlation_with(&self, other: &Self) -> f64 {
        let both: Vec<(f64, f64)> = (other.first..)
            .zip(&other.rows)
            .map(|(number, &other)| (self.at(number), other))
            .filter(|(a, b)| !a.is_nan() && !b.is_nan())
            .collect();
        if both.len() < FEWEST_ROWS {
            return f64::NAN;
        }
        let count = both.len() as f64;
        let (a, b) = both.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
        let (a, b) = (a / count, b / count);
        let product =
            |one: fn(f64, f64) -> f64| both.iter().map(|pair| one(pair.0 - a, pair.1 - b)).sum::<f64>();
        let (ab, aa, bb) = (product(|a, b| a * b), product(|a, _| a * a), product(|_, b| b * b));
        if aa > 0.0 && bb > 0.0 { (ab / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0) } else { f64::NAN }
    }
}

/// Median of what is known; `None` of nothing.
fn median(values: &[f64]) -> Option<f64> {
    let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    quantile(&known, 0.5)
}

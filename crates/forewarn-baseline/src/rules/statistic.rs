//! What a rule computes from one metric of a window, and how that is fitted.

mod band;
mod change;
mod forecast;

pub(crate) use band::Band;
use change::{cusum, ewma, z_score};
use forecast::{holt, line_at, theil_sen_at};
use forewarn_core::{CoreError, LabelledWindows};
use forewarn_numerics::Moments;
use serde::{Deserialize, Serialize};

/// What a rule computes from one metric of a window, with all that it takes from training windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Statistic {
    /// The last row's sample.
    Last,
    /// Mean of the samples present in the last `rows` rows.
    Mean { rows: usize },
    /// The least-squares line over the samples present, `horizon` steps after the last row.
    Line { horizon: u32 },
    /// The line through the median of the slopes of all pairs.
    TheilSen { horizon: u32 },
    /// Level and trend by double exponential smoothing.
    Holt { level: f32, trend: f32, horizon: u32 },
    /// Exponentially weighted mean.
    Ewma { half_life: f32 },
    /// Mean of the last `rows` rows against mean and deviation of those before them; the deviation is at least `least`.
    ZScore { rows: usize, least: f32 },
    /// Sum of what samples exceed the normal by, in deviations, or fall short of it by.
    Cusum { mean: f32, deviation: f32, slack: f32 },
    /// Distance of the last sample from what is normal at its time of day, in deviations.
    Band(Band),
}

/// A statistic before it has seen training windows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    /// Takes nothing from training windows.
    Fixed(Statistic),
    ZScore {
        rows: usize,
    },
    Cusum {
        slack: f32,
    },
    Band {
        parts: usize,
    },
}

/// Share of a metric's standard deviation over training windows below which a window's own is not taken for true: a
/// metric that stood still for a few minutes would otherwise make any move a wonder.
const LEAST_DEVIATION: f32 = 0.1;

impl Plan {
    /// The statistic of `column`.
    pub(crate) fn fit(&self, train: LabelledWindows<'_>, column: usize) -> Result<Statistic, CoreError> {
        Ok(match *self {
            Self::Fixed(ref statistic) => statistic.clone(),
            Self::ZScore { rows } => {
                let (_, deviation) = moments(train, column);
                Statistic::ZScore { rows, least: usable(LEAST_DEVIATION * deviation) }
            }
            Self::Cusum { slack } => {
                let (mean, deviation) = moments(train, column);
                Statistic::Cusum { mean, deviation: usable(deviation), slack }
            }
            Self::Band { parts } => Statistic::Band(Band::fit(train, column, parts)?),
        })
    }
}

/// Mean and standard deviation of the last samples of training windows; 0 and 0 without any.
fn moments(train: LabelledWindows<'_>, column: usize) -> (f32, f32) {
    let mut moments = Moments::default();
    train
        .windows()
        .iter_last()
        .map(|row| f64::from(row[column]))
        .filter(|value| !value.is_nan())
        .for_each(|value| moments.push(value));
    (moments.mean as f32, moments.deviation() as f32)
}

impl Plan {
    /// Refuses settings that make no sense for windows of this length.
    pub(crate) fn check(&self, observation: usize) -> Result<(), CoreError> {
        let fixed = |statistic: &Statistic| statistic.is_valid(observation, 0);
        let (is_valid, name, expected) = match self {
            Self::Fixed(statistic @ Statistic::Ewma { .. }) => {
                (fixed(statistic), "half-life", "a positive number of steps")
            }
            Self::Fixed(statistic @ Statistic::Mean { .. }) => {
                (fixed(statistic), "rows of a rolling mean", "1 to the rows of a window")
            }
            Self::Fixed(statistic) => {
                (fixed(statistic), "weights of level and trend", "numbers above 0 and up to 1")
            }
            Self::ZScore { rows } => (
                (1..observation).contains(rows),
                "rows of a rolling z-score",
                "at least 1, fewer than a window has",
            ),
            Self::Cusum { slack } => {
                (*slack >= 0.0 && slack.is_finite(), "slack", "a number of deviations from 0 on")
            }
            Self::Band { parts } => ((1..=1440).contains(parts), "parts of the day", "1 to 1440"),
        };
        if is_valid {
            return Ok(());
        }
        Err(CoreError::InvalidSetting { name, value: format!("{self:?}"), expected })
    }

    /// Whether a column only tells the plan what time it is.
    pub(crate) fn is_clock(&self, metric: &str) -> bool {
        matches!(self, Self::Band { .. }) && band::CLOCK.contains(&metric)
    }
}

/// A deviation that can be divided by: 1 for that of a metric which never moved.
fn usable(deviation: f32) -> f32 {
    if deviation.is_normal() && deviation > 0.0 { deviation } else { 1.0 }
}

impl Statistic {
    /// The statistic of column `column` of a row-major window of `width` columns; NaN where every sample that it
    /// needs is missing. Sums are in `f64`. Infinities, which no frame holds, count as the largest `f32`.
    pub(crate) fn of(&self, window: &[f32], width: usize, column: usize) -> f32 {
        let sample = |row: &[f32]| row[column].clamp(f32::MIN, f32::MAX);
        let rows = window.chunks_exact(width);
        // Times in steps, the last row at 0.
        let first = 1.0 - rows.len() as f64;
        let times =
            rows.clone().map(sample).enumerate().map(|(row, value)| (first + row as f64, f64::from(value)));
        let points = times.filter(|(_, value)| !value.is_nan());
        let statistic = match *self {
            Self::Last => return rows.last().map_or(f32::NAN, sample),
            Self::Mean { rows: last } => change::mean(points.filter(|(time, _)| -time < last as f64)),
            Self::Line { horizon } => line_at(points, f64::from(horizon)),
            Self::TheilSen { horizon } => theil_sen_at(&points.collect::<Vec<_>>(), f64::from(horizon)),
            Self::Holt { level, trend, horizon } => {
                holt(points.map(|(_, value)| value), f64::from(level), f64::from(trend), f64::from(horizon))
            }
            Self::Ewma { half_life } => ewma(points, f64::from(half_life)),
            Self::ZScore { rows, least } => z_score(points, rows as f64, f64::from(least)),
            Self::Cusum { mean, deviation, slack } => cusum(
                points.map(|(_, value)| (value - f64::from(mean)) / f64::from(deviation)),
                f64::from(slack),
            ),
            Self::Band(ref band) => rows.last().map_or(f64::NAN, |row| band.of(row, column)),
        };
        (statistic as f32).clamp(f32::MIN, f32::MAX)
    }

    /// Value now and change a step of a statistic that looks ahead; `None` for one that does not.
    pub(crate) fn course(&self, window: &[f32], width: usize, column: usize) -> Option<(f64, f64)> {
        let at = |steps: u32| match *self {
            Self::Line { .. } => Some(Self::Line { horizon: steps }),
            Self::TheilSen { .. } => Some(Self::TheilSen { horizon: steps }),
            Self::Holt { level, trend, .. } => Some(Self::Holt { level, trend, horizon: steps }),
            _ => None,
        };
        let value = |steps| at(steps).map(|statistic| f64::from(statistic.of(window, width, column)));
        let now = value(0)?;
        // Over many steps, so that the rounding of values to f32 does not show in the slope.
        Some((now, (value(1024)? - now) / 1024.0))
    }

    /// The statistic in words, and the first row that it looks at in a window of this length, in steps before the last.
    pub(crate) fn describe(&self, observation: usize) -> (String, u32) {
        let whole = observation.saturating_sub(1) as u32;
        match self {
            Self::Last => ("last".to_owned(), 0),
            Self::Mean { rows } => (format!("mean of {rows} steps"), *rows as u32 - 1),
            Self::Line { horizon } => (format!("least-squares line {horizon} steps ahead"), whole),
            Self::TheilSen { horizon } => (format!("median line {horizon} steps ahead"), whole),
            Self::Holt { horizon, .. } => {
                (format!("double exponential smoothing {horizon} steps ahead"), whole)
            }
            Self::Ewma { .. } => ("exponentially weighted mean".to_owned(), whole),
            Self::ZScore { rows, .. } => {
                (format!("mean of {rows} steps against those before, in deviations"), whole)
            }
            Self::Cusum { .. } => ("cumulative sum of deviations".to_owned(), whole),
            Self::Band(_) => ("distance from normal at this time of day, in deviations".to_owned(), 0),
        }
    }

    /// Whether a fit on windows of this size can make it.
    pub(crate) fn is_valid(&self, observation: usize, width: usize) -> bool {
        let positive = |value: f32| value > 0.0 && value.is_finite();
        let weight = |value: f32| value > 0.0 && value <= 1.0;
        match self {
            Self::Last | Self::Line { .. } | Self::TheilSen { .. } => true,
            Self::Mean { rows } => (1..=observation).contains(rows),
            Self::Holt { level, trend, .. } => weight(*level) && weight(*trend),
            Self::Ewma { half_life } => positive(*half_life),
            Self::ZScore { rows, least } => (1..observation).contains(rows) && positive(*least),
            Self::Cusum { mean, deviation, slack } => {
                mean.is_finite() && positive(*deviation) && *slack >= 0.0 && slack.is_finite()
            }
            Self::Band(band) => band.is_valid(width),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    #[test]
    fn what_is_missing_is_left_out() {
        let window = [1.0, 9.0, NAN, 9.0, 4.0, 9.0, NAN, 9.0];
        let of = |statistic: Statistic| statistic.of(&window, 2, 0);
        assert!(of(Statistic::Last).is_nan());
        assert_eq!(of(Statistic::Mean { rows: 2 }), 4.0);
        assert_eq!(of(Statistic::Mean { rows: 4 }), 2.5);
        assert!(of(Statistic::Mean { rows: 1 }).is_nan());
        // Points (-3, 1) and (-1, 4): slope 1.5, so 5.5 at 0 and 8.5 at 2.
        for horizon in [0, 2] {
            let expected = 5.5 + 1.5 * horizon as f32;
            assert_eq!(of(Statistic::Line { horizon }), expected);
            assert_eq!(of(Statistic::TheilSen { horizon }), expected);
        }
        // Weights 1/8 and 1/2 at half-lives of one step.
        assert_eq!(of(Statistic::Ewma { half_life: 1.0 }), (0.125 * 1.0 + 0.5 * 4.0) / 0.625);
        // 4 against 1, which alone has no deviation of its own.
        assert_eq!(of(Statistic::ZScore { rows: 2, least: 0.5 }), 6.0);
        assert_eq!(of(Statistic::Cusum { mean: 2.0, deviation: 0.5, slack: 0.5 }), 3.5);
        let one = [NAN, 7.0, NAN];
        for statistic in [Statistic::Line { horizon: 5 }, Statistic::TheilSen { horizon: 5 }] {
            assert_eq!(statistic.of(&one, 1, 0), 7.0);
            assert!(statistic.of(&[NAN; 3], 1, 0).is_nan());
        }
    }

    #[test]
    fn nothing_overflows() {
        for statistic in [
            Statistic::Last,
            Statistic::Mean { rows: 3 },
            Statistic::Line { horizon: u32::MAX },
            Statistic::TheilSen { horizon: u32::MAX },
            Statistic::Holt { level: 0.5, trend: 0.5, horizon: u32::MAX },
            Statistic::Ewma { half_life: 1e-3 },
            Statistic::ZScore { rows: 1, least: 1e-30 },
            Statistic::Cusum { mean: 0.0, deviation: 1e-30, slack: 0.5 },
        ] {
            for window in [[f32::INFINITY, f32::NEG_INFINITY, f32::MAX], [f32::MIN, 0.0, f32::MAX]] {
                assert!(statistic.of(&window, 1, 0).is_finite(), "{statistic:?} {window:?}");
            }
        }
    }

    #[test]
    fn a_course_is_the_line() {
        let window = [1.0, 2.0, 3.0, 4.0];
        let (now, slope) = Statistic::Line { horizon: 7 }.course(&window, 1, 0).unwrap();
        assert!((now - 4.0).abs() < 1e-6 && (slope - 1.0).abs() < 1e-6);
        assert!(Statistic::Last.course(&window, 1, 0).is_none());
    }
}

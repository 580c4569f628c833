use super::usable;
use forewarn_core::{CoreError, LabelledWindows};
use forewarn_numerics::Moments;
use serde::{Deserialize, Serialize};

/// Training windows that a part of the day needs for a normal of its own.
const LEAST_WINDOWS: usize = 30;

/// Columns that tell the time of day, as a point on a circle.
pub(super) const CLOCK: [&str; 2] = ["sin(day)", "cos(day)"];

/// What is normal in each part of the day, which lies in the columns `sin(day)` and `cos(day)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Band {
    sin: usize,
    cos: usize,
    /// Mean and deviation of each part, from midnight on.
    parts: Vec<(f32, f32)>,
}

impl Band {
    /// Mean and deviation of the last samples of training windows in each of `parts` equal parts of the day; of all
    /// of them where a part has too few.
    pub(super) fn fit(train: LabelledWindows<'_>, column: usize, parts: usize) -> Result<Self, CoreError> {
        let windows = train.windows();
        let (sin, cos) = (windows.schema().index_of(CLOCK[0])?, windows.schema().index_of(CLOCK[1])?);
        let mut band = Self { sin, cos, parts: vec![(0.0, 1.0); parts] };
        let mut sums = vec![Moments::default(); parts + 1];
        for row in windows.iter_last().filter(|row| !row[column].is_nan()) {
            let Some(part) = band.part(row) else { continue };
            sums[part].push(f64::from(row[column]));
            sums[parts].push(f64::from(row[column]));
        }
        let all = sums[parts];
        for (part, sums) in band.parts.iter_mut().zip(sums) {
            let moments = if sums.count >= LEAST_WINDOWS as f64 { sums } else { all };
            *part = (moments.mean as f32, usable(moments.deviation().max(0.1 * all.deviation()) as f32));
        }
        Ok(band)
    }

    /// The part of the day that a row lies in; `None` where its time is missing.
    fn part(&self, row: &[f32]) -> Option<usize> {
        let turn = f64::from(row[self.sin]).atan2(f64::from(row[self.cos])) / std::f64::consts::TAU;
        let part = (turn.rem_euclid(1.0) * self.parts.len() as f64) as usize;
        (!turn.is_nan()).then_some(part.min(self.parts.len() - 1))
    }

    /// Distance of the last sample from normal, in deviations.
    pub(super) fn of(&self, row: &[f32], column: usize) -> f64 {
        self.part(row).map_or(f64::NAN, |part| {
            let (mean, deviation) = self.parts[part];
            (f64::from(row[column].clamp(f32::MIN, f32::MAX)) - f64::from(mean)) / f64::from(deviation)
        })
    }

    pub(super) fn is_valid(&self, width: usize) -> bool {
        let positive = |deviation: f32| deviation > 0.0 && deviation.is_finite();
        self.sin < width
            && self.cos < width
            && !self.parts.is_empty()
            && self.parts.iter().all(|&(mean, deviation)| mean.is_finite() && positive(deviation))
    }
}

mod interpolate;

use crate::{
    Select, WindowError,
    features::per_column::{self, ColumnState, nothing_to_save},
    features::saved::{fields, settings},
    seasons::Season,
    settings::steps_setting,
};
use forewarn_core::{CoreError, Feature, FeatureState, Origin, restore_part, save_part};
use forewarn_schema::{FrameSet, Kind, Metric, Schema, SchemaError, Unit, ValidRange};
pub use interpolate::{Hindsight, interpolate};
use serde::{Deserialize, Serialize};

/// What a missing sample is replaced by. All of it comes from the past of the same service and metric.
///
/// A straight line to the next sample is not among these: it knows the future. For pictures there is
/// [`interpolate`](crate::interpolate), whose result no feature takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Filling {
    #[default]
    Nothing,
    Last {
        at_most: usize,
    },
    Seasonal {
        season_steps: usize,
    },
}

/// The metrics with gaps filled from the past, under the same names; and, as [`mask`](Self::mask), which cells were.
///
/// A feature: put others behind it with [`FeatureExt::then`](crate::FeatureExt::then), and they see filled rows, live
/// or in a batch. Whole frames are filled in place, and counted, by [`fill`](Self::fill). Labels must be made from
/// the frames as they were: a filled value is no evidence of health.
///
/// A saved state takes 5 to 9 bytes a metric for the last sample, 9 to 13 a metric and step of the season for a
/// season, and none for the mask.
///
/// ```
/// use forewarn_window::{FeatureExt, Features, Impute};
///
/// let fill = Impute::last(5)?;
/// let features = Features::new().with(fill.clone().then(Features::default())).with(fill.mask());
/// let columns = features.schema(&forewarn_schema::Schema::v1())?;
/// assert_eq!(columns.names().last(), Some("imputed(pod_restarts)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Impute {
    filling: Filling,
    select: Select,
}

impl Impute {
    /// Fills nothing; the mask says what is missing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The last sample, while it is at most this number of steps old.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless it is 1 to 10,000,000.
    pub fn last(at_most_steps: usize) -> Result<Self, WindowError> {
        let at_most = steps_setting("steps that a sample stands for", at_most_steps)?;
        Ok(Self { filling: Filling::Last { at_most }, select: Select::All })
    }

    /// The mean of the samples at the same point of earlier seasons, about seven of them; see
    /// [`SeasonalResidual`](crate::SeasonalResidual).
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless it is 1 to 10,000,000.
    pub fn seasonal(season_steps: usize) -> Result<Self, WindowError> {
        let season_steps = steps_setting("steps of a season", season_steps)?;
        Ok(Self { filling: Filling::Seasonal { season_steps }, select: Select::All })
    }

    /// Fills the gaps of whole frames in place, and counts them; metrics that are not selected stay as they are.
    ///
    /// The values are those of the feature. Labels must be made from the frames as they were.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`] for a selected metric that the frames lack.
    pub fn fill(&self, frames: FrameSet) -> Result<(FrameSet, Imputed), WindowError> {
        let (schema, columns) = (frames.schema().clone(), self.select.positions(frames.schema())?);
        let mut states = frames
            .frames()
            .map(|frame| self.start(&schema, frame.into()))
            .collect::<Result<Vec<_>, SchemaError>>()?;
        let (mut fillings, mut counts) = (vec![f32::NAN; columns.len()], Imputed::default());
        let filled = frames.map_rows(schema, |service, row| {
            states[service].push(row, &mut fillings);
            for (&filling, &column) in fillings.iter().zip(&columns) {
                if row[column].is_nan() {
                    *(if filling.is_nan() { &mut counts.left } else { &mut counts.filled }) += 1;
                    row[column] = filling;
                }
            }
        })?;
        Ok((filled, counts))
    }

    /// What was saved.
    pub(crate) fn filling(filling: Filling) -> Result<Self, WindowError> {
        match filling {
            Filling::Nothing => Ok(Self::none()),
            Filling::Last { at_most } => Self::last(at_most),
            Filling::Seasonal { season_steps } => Self::seasonal(season_steps),
        }
    }

    /// The same with columns of these metrics alone.
    #[must_use]
    pub fn with_metrics(self, select: Select) -> Self {
        Self { select, ..self }
    }

    /// Columns named `imputed(metric)`: 1 where the sample is missing, whether it could be filled or not, else 0.
    #[must_use]
    pub fn mask(&self) -> ImputedMask {
        ImputedMask { select: self.select.clone() }
    }
}

impl Feature for Impute {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        per_column::outputs(&self.select, input, Metric::clone)
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let select = &self.select;
        match self.filling {
            Filling::Nothing => per_column::start(select, input, &Nothing),
            Filling::Last { at_most } => {
                // More steps than that are for ever.
                let at_most = u32::try_from(at_most).unwrap_or(u32::MAX);
                per_column::start(select, input, &Last { at_most, value: f32::NAN, age: 0 })
            }
            Filling::Seasonal { season_steps } => {
                per_column::start(select, input, &Seasonal(Season::new(season_steps, 7)))
            }
        }
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("impute", fields! { filling: self.filling, select: &self.select })
    }
}

#[derive(Clone, Debug)]
struct Nothing;

impl ColumnState for Nothing {
    fn push(&mut self, sample: f32) -> f32 {
        sample
    }

    nothing_to_save!();
}

#[derive(Clone, Debug)]
struct Last {
    at_most: u32,
    value: f32,
    age: u32,
}

impl ColumnState for Last {
    fn push(&mut self, sample: f32) -> f32 {
        if !sample.is_nan() {
            (self.value, self.age) = (sample, 0);
            return sample;
        }
        self.age = self.age.saturating_add(1);
        if self.age <= self.at_most { self.value } else { f32::NAN }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(self.value, self.age), out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        (self.value, self.age) = restore_part(from)?;
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Seasonal(Season);

impl ColumnState for Seasonal {
    fn push(&mut self, sample: f32) -> f32 {
        let expected = self.0.push(sample).map_or(f32::NAN, |expected| expected as f32);
        if sample.is_nan() { expected } else { sample }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.0.save(out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.0.restore(from)
    }
}

/// What became of missing cells; see [`Impute::fill`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imputed {
    /// Cells that were filled.
    pub filled: usize,
    /// Cells that stay missing: too long since the last value, or nothing known yet.
    pub left: usize,
}

/// Which samples are missing; see [`Impute::mask`].
#[derive(Clone, Debug, Default)]
pub struct ImputedMask {
    select: Select,
}

impl ImputedMask {
    pub(crate) fn of(select: Select) -> Self {
        Self { select }
    }
}

impl Feature for ImputedMask {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        per_column::outputs(&self.select, input, |metric| {
            Metric::new(
                format!("imputed({})", metric.name),
                Unit::Dimensionless,
                Kind::Gauge,
                ValidRange::UNIT,
            )
        })
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        per_column::start(&self.select, input, &Missing)
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("imputed_mask", fields! { select: &self.select })
    }
}

#[derive(Clone, Debug)]
struct Missing;

impl ColumnState for Missing {
    fn push(&mut self, sample: f32) -> f32 {
        f32::from(u8::from(sample.is_nan()))
    }

    nothing_to_save!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Step, Timestamp};

    const N: f32 = f32::NAN;

    fn pushed(state: &mut impl ColumnState, samples: &[f32]) -> Vec<String> {
        samples
            .iter()
            .map(|&sample| state.push(sample))
            .map(|v| if v.is_nan() { "?".into() } else { v.to_string() })
            .collect()
    }

    #[test]
    fn the_last_sample_stands_for_a_while() {
        let mut last = Last { at_most: 2, value: N, age: 0 };
        assert_eq!(pushed(&mut last, &[N, 1.0, N, N, N, 2.0, N]), ["?", "1", "1", "1", "?", "2", "2"]);
        assert!(Impute::last(0).is_err() && Impute::seasonal(0).is_err());
    }

    #[test]
    fn a_season_fills_what_it_knows() {
        let mut seasonal = Seasonal(Season::new(3, 7));
        let samples = [1.0, N, 5.0, N, 8.0, N, 3.0, N, 9.0, N];
        assert_eq!(pushed(&mut seasonal, &samples), ["1", "?", "5", "1", "8", "5", "3", "8", "9", "2"]);
    }

    #[test]
    fn the_mask_marks_what_is_missing() {
        assert_eq!(pushed(&mut Missing, &[1.0, N, 0.0]), ["0", "1", "0"]);
    }

    #[test]
    fn frames_are_filled_in_place_and_never_from_another_service() {
        let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
        let frame = |service: &str, x: &[f32]| {
            let values = x.iter().flat_map(|&x| [x, N]).collect();
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        let frames = || {
            let rows = [N, 1.0, N, N, N, 2.0];
            FrameSet::from_frames(vec![frame("a", &rows), frame("b", &[N, 3.0, N])]).unwrap()
        };
        let x = |set: &FrameSet| {
            let text = |v: &f32| if v.is_nan() { "?".into() } else { v.to_string() };
            set.values().iter().step_by(2).map(text).collect::<Vec<String>>()
        };
        let (filled, counts) =
            Impute::last(2).unwrap().with_metrics(Select::only(&["x"])).fill(frames()).unwrap();
        assert_eq!(x(&filled), ["?", "1", "1", "1", "?", "2", "?", "3", "3"]);
        assert_eq!(counts, Imputed { filled: 3, left: 3 });
        // With all metrics, the nine cells of y are counted too.
        let (filled, counts) = Impute::last(2).unwrap().fill(frames()).unwrap();
        assert_eq!(x(&filled)[3], "1");
        assert_eq!(counts, Imputed { filled: 3, left: 12 });
        assert_eq!(Impute::none().fill(frames()).unwrap().1, Imputed { filled: 0, left: 15 });
        let (filled, counts) = Impute::seasonal(2).unwrap().fill(frames()).unwrap();
        assert_eq!(x(&filled), ["?", "1", "?", "1", "?", "2", "?", "3", "?"]);
        assert_eq!(counts.filled, 1);
        assert!(Impute::none().with_metrics(Select::only(&["z"])).fill(frames()).is_err());
    }
}

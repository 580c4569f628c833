use crate::{
    Cycle, Scope, Select, WindowError, features::saved::settings, settings::setting,
    splits::train_rows::for_each_piece,
};
use forewarn_core::{
    CoreError, Feature, FeatureState, FrameStream, InPieces, Origin, Samples, Train, restore_part, save_part,
};
use forewarn_schema::{FrameSet, Kind, Metric, Schema, SchemaError, UtcOffset, ValidRange};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

const MINUTE_MILLIS: i64 = 60_000;

/// What is normal at a time of day or of week, to be learnt from training rows: [`fit`](Self::fit) gives a feature.
///
/// [`SeasonalResidual`](crate::SeasonalResidual) learns on the way and needs no fit, but knows nothing during its
/// first season and takes a slow decline for the new normal. A profile stays what it was in training.
///
/// ```
/// use forewarn_window::{Cycle, Profile, Scope};
///
/// let by_hour_of_week = Profile::new(Cycle::Week, 60)?.with_scope(Scope::Service);
/// # Ok::<(), forewarn_window::WindowError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct Profile {
    cycle: Cycle,
    bin_minutes: u32,
    utc_offset: UtcOffset,
    scope: Scope,
    select: Select,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    cycle: Cycle,
    bin_minutes: u32,
    utc_offset_minutes: UtcOffset,
    scope: Scope,
    select: Select,
}

impl TryFrom<Settings> for Profile {
    type Error = WindowError;

    fn try_from(settings: Settings) -> Result<Self, WindowError> {
        let Settings { cycle, bin_minutes, utc_offset_minutes, scope, select } = settings;
        Ok(Self::new(cycle, bin_minutes)?
            .with_metrics(select)
            .with_scope(scope)
            .with_utc_offset(utc_offset_minutes))
    }
}

impl From<Profile> for Settings {
    fn from(profile: Profile) -> Self {
        let Profile { cycle, bin_minutes, utc_offset: utc_offset_minutes, scope, select } = profile;
        Self { cycle, bin_minutes, utc_offset_minutes, scope, select }
    }
}

impl Profile {
    /// A mean of every metric and service for each `bin_minutes` minutes of a cycle in UTC: 1 for each minute, 60 for
    /// each hour.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] unless a cycle is a whole number of bins.
    pub fn new(cycle: Cycle, bin_minutes: u32) -> Result<Self, WindowError> {
        let minutes = cycle.length_millis() / MINUTE_MILLIS;
        if bin_minutes == 0 || minutes % i64::from(bin_minutes) != 0 {
            return Err(setting("minutes of a bin", &bin_minutes, "a divisor of the cycle's minutes"));
        }
        let (utc_offset, scope, select) = (UtcOffset::UTC, Scope::Service, Select::All);
        Ok(Self { cycle, bin_minutes, utc_offset, scope, select })
    }

    /// The same of these metrics.
    #[must_use]
    pub fn with_metrics(self, select: Select) -> Self {
        Self { select, ..self }
    }

    /// The same with one normal for each service (the default), or one for all. A service that was not trained on has
    /// that of all.
    #[must_use]
    pub fn with_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same for clocks that do not show UTC.
    #[must_use]
    pub fn with_utc_offset(self, utc_offset: UtcOffset) -> Self {
        Self { utc_offset, ..self }
    }

    /// Learns from the rows of `frames` that lie in some training window, and from no other. One pass.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`] for frames of other services or times than the split has,
    /// [`SchemaError::UnknownMetric`].
    pub fn fit(self, train: &Train<Samples>, frames: &FrameSet) -> Result<SeasonalProfile, WindowError> {
        self.fit_pieces(train, &mut InPieces::new(frames, usize::MAX))
    }

    /// [`fit`](Self::fit) on frames that come piece by piece. Memory: two numbers for each bin, metric and service.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and those of the stream.
    pub fn fit_pieces(
        self,
        train: &Train<Samples>,
        frames: &mut dyn FrameStream,
    ) -> Result<SeasonalProfile, WindowError> {
        let columns = self.select.positions(frames.schema())?;
        let metrics = columns.iter().map(|&index| frames.schema().metrics()[index].name.clone()).collect();
        let (layout, width) = (Arc::clone(frames.layout()), frames.schema().len());
        let places = layout.services();
        let mut sums = vec![vec![(0.0f64, 0.0f64); self.bins() * columns.len()]; places.len()];
        for_each_piece(train, frames, |piece, runs| {
            let place = &places[piece.service];
            for row in runs.iter().cloned().flatten() {
                let millis =
                    place.start().millis() + (row - place.rows().start) as i64 * layout.step().millis();
                let bin = self.bin(self.phase_millis(millis));
                let sample = &piece.values[(row - piece.rows.start) * width..][..width];
                let sums = &mut sums[piece.service][bin * columns.len()..][..columns.len()];
                for ((sum, count), &column) in sums.iter_mut().zip(&columns) {
                    if !sample[column].is_nan() {
                        *sum += f64::from(sample[column]);
                        *count += 1.0;
                    }
                }
            }
            Ok(())
        })?;
        let mut all = vec![(0.0, 0.0); self.bins() * columns.len()];
        for sums in &sums {
            for (all, sum) in all.iter_mut().zip(sums) {
                *all = (all.0 + sum.0, all.1 + sum.1);
            }
        }
        let means = |sums: &[(f64, f64)]| -> Arc<[Option<f64>]> {
            sums.iter().map(|&(sum, count)| (count > 0.0).then(|| sum / count)).collect()
        };
        let services = match self.scope {
            Scope::Service => {
                places.iter().zip(&sums).map(|(place, sums)| (place.name().to_owned(), means(sums))).collect()
            }
            Scope::Global => BTreeMap::new(),
        };
        Ok(SeasonalProfile { global: means(&all), profile: self, metrics, services })
    }

    fn bins(&self) -> usize {
        // At most 10,080, the minutes of a week.
        (self.cycle.length_millis() / self.bin_millis()) as usize
    }

    fn bin_millis(&self) -> i64 {
        i64::from(self.bin_minutes) * MINUTE_MILLIS
    }

    fn phase_millis(&self, millis: i64) -> i64 {
        self.cycle.phase_millis(millis + self.utc_offset.millis())
    }

    fn bin(&self, phase_millis: i64) -> usize {
        (phase_millis / self.bin_millis()) as usize
    }
}

/// How far each metric is from what was normal in training at this time of day or of week, as columns named
/// `profile_day(metric)` or `profile_week(metric)`.
///
/// NaN where the sample is missing, and at times at which training has no sample of the service. Made by
/// [`Profile::fit`], from training rows alone, and saved with the list of features. A saved state takes up to 5
/// bytes: the means are settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct SeasonalProfile {
    profile: Profile,
    metrics: Vec<String>,
    /// `[bin, metric]`.
    global: Arc<[Option<f64>]>,
    services: BTreeMap<String, Arc<[Option<f64>]>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    profile: Profile,
    metrics: Vec<String>,
    global: Vec<Option<f64>>,
    services: BTreeMap<String, Vec<Option<f64>>>,
}

impl SeasonalProfile {
    /// What is normal for `metric` of `service` at each bin of the cycle; `None` at times without a training sample,
    /// and for a metric that was not learnt.
    pub fn normal<'a>(&'a self, service: &str, metric: &str) -> impl Iterator<Item = Option<f64>> + use<'a> {
        let column = self.metrics.iter().position(|name| name == metric);
        let rows = self.of_service(service).chunks_exact(self.metrics.len().max(1));
        rows.map(move |row| column.and_then(|column| row[column]))
    }

    fn of_service(&self, service: &str) -> &Arc<[Option<f64>]> {
        self.services.get(service).unwrap_or(&self.global)
    }

    /// Positions of the metrics in `input`.
    fn positions(&self, input: &Schema) -> Result<Vec<usize>, SchemaError> {
        // By way of a selection, which refuses outcomes.
        self.metrics.iter().map(|name| Ok(Select::only(&[name]).positions(input)?[0])).collect()
    }
}

impl TryFrom<Parts> for SeasonalProfile {
    type Error = WindowError;

    fn try_from(parts: Parts) -> Result<Self, WindowError> {
        let Parts { profile, metrics, global, services } = parts;
        let expected = profile.bins() * metrics.len();
        for means in std::iter::once(&global).chain(services.values()) {
            if means.len() != expected {
                let got = means.len();
                return Err(CoreError::LengthMismatch { what: "means of a profile", expected, got }.into());
            }
        }
        let services = services.into_iter().map(|(service, means)| (service, means.into())).collect();
        Ok(Self { profile, metrics, global: global.into(), services })
    }
}

impl From<SeasonalProfile> for Parts {
    fn from(fitted: SeasonalProfile) -> Self {
        let SeasonalProfile { profile, metrics, global, services } = fitted;
        let services = services.into_iter().map(|(service, means)| (service, means.to_vec())).collect();
        Self { profile, metrics, global: global.to_vec(), services }
    }
}

impl Feature for SeasonalProfile {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        let column = |index: usize| {
            let metric = &input.metrics()[index];
            let name = format!("profile_{}({})", self.profile.cycle.name(), metric.name);
            Metric::new(name, metric.unit.clone(), Kind::Gauge, ValidRange::FINITE)
        };
        Ok(self.positions(input)?.into_iter().map(column).collect())
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(Residual {
            columns: self.positions(input)?,
            means: Arc::clone(self.of_service(origin.service)),
            phase_millis: self.profile.phase_millis(origin.start.millis()),
            step_millis: origin.step.millis(),
            profile: self.profile.clone(),
        }))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("seasonal_profile", self)
    }
}

#[derive(Clone, Debug)]
struct Residual {
    columns: Vec<usize>,
    /// Shared by all services that have these.
    means: Arc<[Option<f64>]>,
    phase_millis: i64,
    step_millis: i64,
    profile: Profile,
}

impl FeatureState for Residual {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let width = self.columns.len();
        let means = &self.means[self.profile.bin(self.phase_millis) * width..][..width];
        for ((out, &column), mean) in out.iter_mut().zip(&self.columns).zip(means) {
            *out = mean.map_or(f32::NAN, |mean| (f64::from(row[column]) - mean) as f32);
        }
        let length = self.profile.cycle.length_millis();
        self.phase_millis = (self.phase_millis + self.step_millis % length) % length;
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.phase_millis, out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (phase, length) = (restore_part(&mut rest)?, self.profile.cycle.length_millis());
        if !(0..length).contains(&phase) {
            return Err(CoreError::damaged_state(format!("{phase} ms lie outside a cycle of {length} ms")));
        }
        (self.phase_millis, *from) = (phase, rest);
        Ok(())
    }
}

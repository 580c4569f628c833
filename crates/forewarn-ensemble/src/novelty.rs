use forewarn_core::{
    Attribution, Contribution, CoreError, Envelope, Estimator, Evidence, Explain, FitProgress,
    LabelledWindows, ModelFileError, Monitor, Predictor, Save, Score, Tensor, Train, Validation, WindowSpec,
    Windows,
};
use forewarn_numerics::Moments;
use forewarn_schema::{Kind, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const KIND: &str = "novelty";

/// Training windows of each knot of the curve from distance to score.
const KNOTS: usize = 1000;

/// Deviations beyond which a sample counts no more: one broken metric should not drown what all others say.
const MOST_DEVIATIONS: f64 = 20.0;

/// How unlike the training windows a window is: an anomaly score that needs no labels.
///
/// The distance of a window is the root mean square of its samples' distances from the training means, in training
/// deviations, over the samples present. The score is the share of training windows that are nearer. It says how
/// unusual a window is, not how probable a failure: a fallback where there is nothing better, and what
/// [`ColdStart`](crate::ColdStart) tells unknown ground by.
///
/// Labels are not looked at. Outcomes among the columns are left out. Saved as `"novelty"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Novelty;

/// A fitted [`Novelty`].
#[derive(Clone, Debug, PartialEq)]
pub struct FittedNovelty {
    schema: Schema,
    observation: usize,
    /// Mean and deviation of each feature; a deviation of 0 for one that is left out.
    normal: Vec<[f32; 2]>,
    /// Ascending distances of training windows, evenly spread over their ranks.
    distances: Vec<f32>,
}

impl Estimator for Novelty {
    type Fitted = FittedNovelty;

    /// Fits in three passes over the training windows; the validation windows are not used.
    ///
    /// # Errors
    /// [`CoreError::EmptyPart`] without a training window that has a sample.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedNovelty, CoreError> {
        train.expect_unweighted("novelty")?;
        let windows = train.windows();
        let metrics = windows.schema().metrics();
        let moments = Moments::of_columns(metrics.len(), windows.iter_last());
        let normal = moments.into_iter().zip(metrics).map(|(moments, metric)| {
            let deviation = moments.deviation() as f32;
            [moments.mean as f32, if metric.kind == Kind::Outcome { 0.0 } else { deviation }]
        });
        let (schema, observation) = (windows.schema().clone(), windows.observation());
        let mut fitted =
            FittedNovelty { schema, observation, normal: normal.collect(), distances: Vec::new() };
        let mut distances: Vec<f32> =
            windows.iter().filter_map(|window| fitted.distance_of(window)).collect();
        if distances.is_empty() {
            return Err(CoreError::EmptyPart { part: "train" });
        }
        distances.sort_unstable_by(f32::total_cmp);
        let knots = distances.len().min(KNOTS);
        let at = |knot: usize| distances[(knot + 1) * distances.len() / knots - 1];
        fitted.distances = (0..knots).map(at).collect();
        monitor.report(FitProgress { iteration: 1, max_iterations: 1, measures: &[] });
        Ok(fitted)
    }
}

impl FittedNovelty {
    /// Distance from the training windows of any number of whole rows, in deviations; `None` without a sample that
    /// can be compared.
    pub(crate) fn distance_of(&self, rows: &[f32]) -> Option<f32> {
        let (mut count, mut sum) = (0.0, 0.0);
        for row in rows.chunks_exact(self.normal.len()) {
            for (&value, &[mean, deviation]) in row.iter().zip(&self.normal) {
                if !value.is_nan() && deviation > 0.0 {
                    count += 1.0;
                    let off = (f64::from(value) - f64::from(mean)) / f64::from(deviation);
                    sum += off.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS).powi(2);
                }
            }
        }
        (count > 0.0).then(|| (sum / count).sqrt() as f32)
    }

    /// The distance that a share of the training windows does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f32 {
        let last = self.distances.len() - 1;
        self.distances[((share * self.distances.len() as f64) as usize).min(last)]
    }

    /// The share of training windows that are nearer; beyond the farthest it goes on towards 1.
    pub(crate) fn rank(&self, distance: f32) -> Result<Score, CoreError> {
        let (knots, last) = (self.distances.len(), self.distances[self.distances.len() - 1]);
        if distance > last {
            let rest = f64::from(last) / f64::from(distance) / (knots as f64 + 1.0);
            return Score::new((1.0 - rest) as f32);
        }
        let above = self.distances.partition_point(|&knot| knot < distance);
        let (low, high) = (if above == 0 { 0.0 } else { self.distances[above - 1] }, self.distances[above]);
        let way = if high > low { (distance - low) / (high - low) } else { 1.0 };
        Score::new((above as f32 + way.clamp(0.0, 1.0)) / (knots as f32 + 1.0))
    }

    /// The score of whole rows, as many as there are; one half where nothing can be compared.
    pub(crate) fn score_rows(&self, rows: &[f32]) -> Result<Score, CoreError> {
        self.distance_of(rows).map_or_else(|| Score::new(0.5), |distance| self.rank(distance))
    }

    /// The model that [`to_envelope`](Save::to_envelope) saved; its scores are identical.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`], [`ModelFileError::MissingTensor`],
    /// [`ModelFileError::TensorShape`], [`CoreError::NotFinite`].
    pub fn from_envelope(mut envelope: Envelope) -> Result<Self, ModelFileError> {
        envelope.expect_kind(KIND)?;
        let Parameters { knots } = envelope.take_parameters()?;
        let normal = envelope.take_tensor("normal", &[envelope.schema.len(), 2])?;
        let distances = envelope.take_tensor("distances", &[knots])?;
        if distances.first().is_none_or(|first| *first < 0.0)
            || distances.windows(2).any(|pair| pair[0] > pair[1])
        {
            return Err(ModelFileError::not_a_model("its distances do not ascend from 0 on"));
        }
        let (pairs, _) = normal.as_chunks::<2>();
        let (observation, normal) = (envelope.window.observation(), pairs.to_vec());
        Ok(Self { schema: envelope.schema, observation, normal, distances })
    }
}

impl Save for FittedNovelty {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        let envelope = Envelope::new(KIND, self.schema.clone(), window)
            .with_parameters(&Parameters { knots: self.distances.len() })?;
        Ok(Envelope {
            tensors: BTreeMap::from([
                ("normal".to_owned(), Tensor::new(vec![self.normal.len(), 2], self.normal.concat())?),
                ("distances".to_owned(), Tensor::new(vec![self.distances.len()], self.distances.clone())?),
            ]),
            ..envelope
        })
    }
}

impl Predictor for FittedNovelty {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.explain(window).map(Some)
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        for (window, score) in windows.iter().zip(scores) {
            *score = self.score_rows(window)?;
        }
        Ok(())
    }
}

impl Explain for FittedNovelty {
    /// Shares the log-odds out by each feature's part in the squared distance, from those of a middling window.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let score = self.score_one(window)?;
        let width = self.normal.len();
        let mut shares = vec![(0.0f64, 0.0f64); width];
        for row in window.chunks_exact(width) {
            for ((&value, &[mean, deviation]), (sum, count)) in row.iter().zip(&self.normal).zip(&mut shares)
            {
                if !value.is_nan() && deviation > 0.0 {
                    let off = (f64::from(value) - f64::from(mean)) / f64::from(deviation);
                    *sum += off.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS).powi(2);
                    *count += 1.0;
                }
            }
        }
        let (total, log_odds) = (shares.iter().map(|(sum, _)| sum).sum::<f64>(), score.log_odds());
        if total == 0.0 {
            return Evidence::new(score, Attribution::Rule, log_odds, Vec::new());
        }
        let parts = shares.iter().enumerate().filter(|(_, (_, count))| *count > 0.0).map(
            |(feature, &(sum, count))| Contribution {
                metric: self.schema.metrics()[feature].name.clone(),
                view: "root mean square distance from normal, in deviations".to_owned(),
                oldest_steps_ago: (self.observation - 1) as u32,
                newest_steps_ago: 0,
                value: Some((sum / count).sqrt() as f32),
                normal: Some(1.0),
                deviation: None,
                log_odds: log_odds * sum / total,
            },
        );
        Evidence::new(score, Attribution::Rule, 0.0, parts.collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    knots: usize,
}

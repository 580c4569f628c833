//! A model of one's own.

use forewarn::{
    core::{CoreError, LabelledWindows, Monitor, Train, Validation, Windows},
    prelude::*,
};

/// Whichever class's mean row is nearer to the last row of the window.
pub(crate) struct NearestMean;

/// What it learns.
pub(crate) struct FittedNearestMean {
    pub(crate) schema: Schema,
    pub(crate) observation: usize,
    /// Mean rows of negative and of positive windows.
    pub(crate) means: [Vec<f32>; 2],
}

impl Estimator for NearestMean {
    type Fitted = FittedNearestMean;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        _: &mut dyn Monitor,
    ) -> Result<FittedNearestMean, CoreError> {
        train.expect_both_classes("train")?;
        let schema = train.windows().schema().clone();
        let mut means = [vec![0.0; schema.len()], vec![0.0; schema.len()]];
        let counts = [train.positive().len() - train.positives(), train.positives()];
        for (row, &positive) in train.windows().iter_last().zip(train.positive()) {
            let class = usize::from(positive);
            for (mean, value) in means[class].iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
                *mean += value / counts[class] as f32;
            }
        }
        Ok(FittedNearestMean { schema, observation: train.windows().observation(), means })
    }
}

impl Predictor for FittedNearestMean {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        for (row, score) in windows.iter_last().zip(scores) {
            let distance = |mean: &[f32]| -> f64 {
                row.iter().zip(mean).filter(|(x, _)| !x.is_nan()).map(|(x, m)| f64::from(x - m).powi(2)).sum()
            };
            *score = Score::from_logit(distance(&self.means[0]) - distance(&self.means[1]))?;
        }
        Ok(())
    }
}

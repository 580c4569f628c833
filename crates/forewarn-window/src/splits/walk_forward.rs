use crate::{WindowError, settings::steps_setting, splits::clock::Clock};
use forewarn_core::{Labels, Split};
use serde::{Deserialize, Serialize};

/// What a fold of a walk forward is trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrainSpan {
    /// Everything before: training spans grow from fold to fold.
    #[default]
    Expanding,
    /// The last steps before validation, this number of them: old behaviour is forgotten.
    Rolling {
        /// Length of the training span, purge included.
        steps: usize,
    },
}

/// Splits that walk through time: each fold is trained on what came before it, as a model that is refitted now and
/// then would be.
///
/// ```text
/// expanding                              rolling
/// train ..... validation test            train ..... validation test
/// train ............. validation test        train ..... validation test
/// train ..................... validation test     train ..... validation test
/// ```
///
/// The test spans follow one another without a gap and end with the data. A fold's validation span lies directly
/// before its test span and is, as train, purged from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkForward {
    folds: usize,
    test_steps: usize,
    validation_steps: usize,
    train: TrainSpan,
}

impl WalkForward {
    /// `folds` folds with test and validation spans of these lengths and an expanding train span.
    #[must_use]
    pub fn new(folds: usize, test_steps: usize, validation_steps: usize) -> Self {
        Self { folds, test_steps, validation_steps, train: TrainSpan::Expanding }
    }

    /// The same with another train span.
    #[must_use]
    pub fn with_train_span(self, train: TrainSpan) -> Self {
        Self { train, ..self }
    }

    fn check(&self) -> Result<(), WindowError> {
        steps_setting("folds", self.folds)?;
        steps_setting("steps of a test span", self.test_steps)?;
        steps_setting("steps of a validation span", self.validation_steps)?;
        if let TrainSpan::Rolling { steps } = self.train {
            steps_setting("steps of a train span", steps)?;
        }
        Ok(())
    }

    /// The folds in order of time.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] for no fold or a span of no step (or more than 10,000,000 of them),
    /// [`WindowError::TooShort`] when no window can be labelled, [`WindowError::Fold`] for the first fold of which a
    /// part has no window.
    pub fn split(&self, labels: &Labels) -> Result<Vec<Split>, WindowError> {
        self.check()?;
        let clock = Clock::of(labels)?;
        (0..self.folds)
            .map(|fold| {
                let after = (self.folds - fold) as i64 * self.test_steps as i64;
                let test_from = clock.steps() - after;
                let validation_from = test_from - self.validation_steps as i64;
                let train_from = match self.train {
                    TrainSpan::Expanding => 0,
                    TrainSpan::Rolling { steps } => (validation_from - steps as i64).max(0),
                };
                let at = |steps: i64| clock.at(steps);
                let train = clock.purged(at(train_from), at(validation_from));
                let validation = clock.purged(at(validation_from), at(test_from));
                let test = match fold + 1 == self.folds {
                    true => clock.rest(at(test_from)),
                    false => at(test_from)..at(test_from + self.test_steps as i64),
                };
                let part = |span| labels.samples_in(&[span], |_| true);
                Split::new(part(train), part(validation), part(test), labels.purge())
                    .map_err(|source| WindowError::Fold { fold: fold + 1, folds: self.folds, source })
            })
            .collect()
    }
}

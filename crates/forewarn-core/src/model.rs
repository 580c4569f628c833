pub(crate) mod evidence;
pub(crate) mod forecast;
pub(crate) mod history;
pub(crate) mod stateful;

use crate::{
    CoreError, Evidence, Forecast, History, LabelledWindows, Save, Score, Stateful, Train, Validation,
    Windows,
};
use forewarn_schema::Schema;
use std::sync::Arc;

/// A fitted model: from windows to scores.
///
/// Scoring a batch is the primitive; one window and live rows are adapters over it
/// ([`PredictorState`](crate::PredictorState)). A window's score must not depend on which other windows are scored
/// with it.
pub trait Predictor: Send + Sync {
    /// Features that a row must have, in order.
    fn input(&self) -> &Schema;

    /// Rows that a window must have.
    fn observation(&self) -> usize;

    /// Writes one score for each window.
    ///
    /// # Errors
    /// [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`] for windows of another shape or a wrong number
    /// of scores.
    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError>;

    /// The scores of all windows, in a new vector.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    fn score_all(&self, windows: Windows<'_>) -> Result<Vec<Score>, CoreError> {
        let mut scores = vec![Score::ZERO; windows.len()];
        self.score(windows, &mut scores)?;
        Ok(scores)
    }

    /// The score of one window, row-major `[observation, feature]`: the same bits as in a batch.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a window of another shape, and those of [`score`](Self::score).
    fn score_one(&self, window: &[f32]) -> Result<Score, CoreError> {
        let (schema, observation) = (self.input(), self.observation());
        self.expect_window(window)?;
        let mut score = [Score::ZERO];
        // An observation of 0 is refused with the windows.
        let last_row = [observation.saturating_sub(1) as u32];
        self.score(Windows::new(schema, window, observation, &last_row)?, &mut score)?;
        Ok(score[0])
    }

    /// When the event will come, for each window; `None`, unless overridden, for a predictor that says only whether
    /// it will. A forecast's probability within the period is the window's score, but for rounding.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    fn forecasts(&self, _windows: Windows<'_>) -> Result<Option<Vec<Forecast>>, CoreError> {
        Ok(None)
    }

    /// How the fits went that made the model, one entry for each of its members; none, unless overridden, for a model
    /// that is not fitted epoch by epoch, or of which it is not known.
    fn history(&self) -> &[History] {
        &[]
    }

    /// Refuses one window, row-major `[observation, feature]`, of another shape than the model was fitted for.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`].
    fn expect_window(&self, window: &[f32]) -> Result<(), CoreError> {
        let expected = self.observation().saturating_mul(self.input().len());
        if window.len() == expected {
            return Ok(());
        }
        Err(CoreError::LengthMismatch { what: "values of a window", expected, got: window.len() })
    }

    /// Why one window, row-major `[observation, feature]`, is scored as it is; `None`, unless overridden, for a model
    /// that cannot say.
    ///
    /// A type that is [`Explain`](crate::Explain) gives what that says; one that holds other models asks them,
    /// whatever their types.
    ///
    /// # Errors
    /// As [`Explain::explain`](crate::Explain::explain).
    fn evidence(&self, _window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        Ok(None)
    }

    /// The model as one that can be saved, whatever its type; `None`, unless overridden, for one that cannot.
    fn as_save(&self) -> Option<&dyn Save> {
        None
    }

    /// The model as one with states that run along with a stream; `None`, unless overridden, for one that only sees
    /// windows.
    fn as_stateful(&self) -> Option<&dyn Stateful> {
        None
    }

    /// Refuses windows that the model was not fitted for and buffers of a wrong length: the first line of every
    /// `score`.
    ///
    /// # Errors
    /// [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`].
    fn expect_shapes(&self, windows: Windows<'_>, scores: &[Score]) -> Result<(), CoreError> {
        windows.expect(self.input(), self.observation())?;
        if scores.len() != windows.len() {
            return Err(CoreError::LengthMismatch {
                what: "scores",
                expected: windows.len(),
                got: scores.len(),
            });
        }
        Ok(())
    }
}

/// Pointers score as what they point to, in every way that it has of its own.
macro_rules! forward {
    ($($pointer:ty),*) => {
        $(impl<P: Predictor + ?Sized> Predictor for $pointer {
            fn input(&self) -> &Schema {
                (**self).input()
            }

            fn observation(&self) -> usize {
                (**self).observation()
            }

            fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
                (**self).score(windows, scores)
            }

            fn score_all(&self, windows: Windows<'_>) -> Result<Vec<Score>, CoreError> {
                (**self).score_all(windows)
            }

            fn score_one(&self, window: &[f32]) -> Result<Score, CoreError> {
                (**self).score_one(window)
            }

            fn forecasts(&self, windows: Windows<'_>) -> Result<Option<Vec<Forecast>>, CoreError> {
                (**self).forecasts(windows)
            }

            fn history(&self) -> &[History] {
                (**self).history()
            }

            fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
                (**self).evidence(window)
            }

            fn as_save(&self) -> Option<&dyn Save> {
                (**self).as_save()
            }

            fn as_stateful(&self) -> Option<&dyn Stateful> {
                (**self).as_stateful()
            }

            fn expect_shapes(&self, windows: Windows<'_>, scores: &[Score]) -> Result<(), CoreError> {
                (**self).expect_shapes(windows, scores)
            }

            fn expect_window(&self, window: &[f32]) -> Result<(), CoreError> {
                (**self).expect_window(window)
            }
        })*
    };
}

forward!(Box<P>, Arc<P>, &P);

/// An unfitted model: parameters that `fit` turns into a [`Predictor`]. The two are different types, so nothing can
/// be scored before it is fitted.
pub trait Estimator: Send + Sync {
    /// What fitting makes.
    type Fitted: Predictor;

    /// Fits on `train`; `validation` is there to stop early and to choose strengths, never to learn weights from.
    /// Windows of `train` may stand for several ([`LabelledWindows::weight`]).
    ///
    /// # Errors
    /// [`CoreError::SingleClass`] without windows of both classes, [`CoreError::WeightsUnsupported`] for weights that
    /// the model cannot take, [`CoreError::NotFinite`] when the data or the fit is not finite, [`CoreError::Outside`]
    /// for an error of the model's own.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<Self::Fitted, CoreError>;
}

/// [`Estimator`] as a trait object, for lists of models. Implemented for every estimator; implement [`Estimator`]
/// instead.
pub trait DynEstimator: Send + Sync {
    /// Fits, and boxes what comes out.
    ///
    /// # Errors
    /// As [`Estimator::fit`].
    fn fit_boxed(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<Box<dyn Predictor>, CoreError>;
}

impl<E: Estimator> DynEstimator for E
where
    E::Fitted: 'static,
{
    fn fit_boxed(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<Box<dyn Predictor>, CoreError> {
        self.fit(train, validation, monitor).map(|fitted| Box::new(fitted) as Box<dyn Predictor>)
    }
}

/// How far a fit has come.
#[derive(Clone, Copy, Debug)]
pub struct FitProgress<'a> {
    /// Epochs, rounds or iterations done, from 1.
    pub iteration: usize,
    /// Most that there will be; fitting may stop before.
    pub max_iterations: usize,
    /// Measures after this iteration, such as `("loss", 0.1)`, `("validation_pr_auc", 0.3)`.
    pub measures: &'a [(&'static str, f64)],
}

/// Told how a fit goes on. Any `FnMut(FitProgress)` is one.
pub trait Monitor {
    /// One more iteration is done.
    fn report(&mut self, progress: FitProgress<'_>);

    /// Whether the fit should end with the best that it has found so far. Fits that go on for long ask after each
    /// iteration; never, unless a monitor says otherwise.
    fn should_stop(&self) -> bool {
        false
    }
}

impl<F: FnMut(FitProgress<'_>)> Monitor for F {
    fn report(&mut self, progress: FitProgress<'_>) {
        self(progress);
    }
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn report(&mut self, _: FitProgress<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Metric;

    /// Scores every way with a number of its own.
    struct OwnWays(Schema, usize);

    impl Predictor for OwnWays {
        fn input(&self) -> &Schema {
            &self.0
        }

        fn observation(&self) -> usize {
            self.1
        }

        fn score(&self, _: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
            scores.fill(Score::new(0.25)?);
            Ok(())
        }

        fn score_all(&self, _: Windows<'_>) -> Result<Vec<Score>, CoreError> {
            Ok(vec![Score::new(0.5)?])
        }

        fn score_one(&self, _: &[f32]) -> Result<Score, CoreError> {
            Score::new(0.75)
        }
    }

    /// Scores one window as any predictor does that says no other.
    struct Plain(OwnWays);

    impl Predictor for Plain {
        fn input(&self) -> &Schema {
            self.0.input()
        }

        fn observation(&self) -> usize {
            self.0.observation()
        }

        fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
            self.0.score(windows, scores)
        }
    }

    fn own_ways(observation: usize) -> OwnWays {
        OwnWays(Schema::new(vec![Metric::gauge("x")]).unwrap(), observation)
    }

    /// Scores of a batch, of all windows and of one.
    fn every_way(model: impl Predictor) -> [f32; 3] {
        let schema = model.input().clone();
        let windows = Windows::new(&schema, &[0.0], 1, &[0]).unwrap();
        let mut scores = [Score::ZERO];
        model.score(windows, &mut scores).unwrap();
        let all = model.score_all(windows).unwrap();
        [scores[0], all[0], model.score_one(&[0.0]).unwrap()].map(Score::get)
    }

    #[test]
    fn a_pointer_scores_as_what_it_points_to() {
        let ways = [0.25, 0.5, 0.75];
        let model = own_ways(1);
        assert_eq!(every_way(&model), ways);
        assert_eq!(every_way(model), ways);
        assert_eq!(every_way(Box::new(own_ways(1)) as Box<dyn Predictor>), ways);
        let shared: Arc<dyn Predictor> = Arc::new(own_ways(1));
        assert_eq!(every_way(Arc::clone(&shared)), ways);
        assert_eq!(every_way(&*shared), ways);
    }

    #[test]
    fn a_window_of_no_rows_is_refused() {
        assert_eq!(Plain(own_ways(1)).score_one(&[0.0]).unwrap().get(), 0.25);
        assert!(matches!(Plain(own_ways(0)).score_one(&[]), Err(CoreError::EmptyWindow { .. })));
        assert!(Plain(own_ways(usize::MAX)).score_one(&[0.0]).is_err());
    }
}

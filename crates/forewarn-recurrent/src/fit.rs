//! Fitting whole, epoch by epoch, or from where another process stopped.

pub(crate) mod checkpoint;
pub(crate) mod examples;
pub(crate) mod gradient;
pub(crate) mod helpers;
#[cfg(feature = "libtorch")]
pub(crate) mod libtorch;
pub(crate) mod optimiser;
pub(crate) mod random;
pub(crate) mod training;

use crate::{Checkpoint, Recurrent, RecurrentModel, Training};
use forewarn_core::{
    CoreError, Estimator, FitProgress, LabelledWindows, Monitor, Snapshots, Train, Validation,
};

impl Estimator for Recurrent {
    type Fitted = RecurrentModel;

    /// Fits the networks of the model, one after the other; the same settings and windows give the same model, bit
    /// for bit, with any number of threads and any [`Instructions`](crate::Instructions) but portable ones.
    ///
    /// A missing value (NaN) is read as 0, which is a feature's training mean once it is normalised: normalise
    /// before. The monitor hears of every epoch: `loss`, `validation_pr_auc`, `learning_rate` and `gradient_norm`.
    /// Where it says after one that the fit [should stop](Monitor::should_stop), the model has the networks that are
    /// done. To stop and go on later, or to look at each epoch, see [`Recurrent::start`].
    ///
    /// Costs a multiple of `epochs * windows * steps * gates * hidden * (features + hidden)`; memory for one batch,
    /// four bytes for each window of train and twelve for each of validation.
    ///
    /// # Errors
    /// As [`Recurrent::start`] and [`Training::epoch`].
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<RecurrentModel, CoreError> {
        self.run(self.start(train, validation)?, monitor)
    }
}

impl Recurrent {
    /// Fits on windows that are cut already and have no clock; whoever split them answers for `train` and
    /// `validation` sharing none.
    ///
    /// # Errors
    /// As [`Recurrent::start`] and [`Training::epoch`]: [`CoreError::InvalidSetting`] for a hazard or a service
    /// embedding, since nothing is known of times and services.
    pub fn fit_snapshots(
        &self,
        train: &Snapshots,
        validation: &Snapshots,
        monitor: &mut dyn Monitor,
    ) -> Result<RecurrentModel, CoreError> {
        let (train, validation) = (train.labelled(), validation.labelled());
        self.run(Training::new(self.settings().clone(), self, train, validation)?, monitor)
    }

    fn run(
        &self,
        mut training: Training<'_>,
        monitor: &mut dyn Monitor,
    ) -> Result<RecurrentModel, CoreError> {
        let settings = self.settings();
        loop {
            let (done, network) = training.epochs_and_networks();
            let Some(epoch) = training.epoch()? else { return training.finish() };
            monitor.report(FitProgress {
                iteration: network * settings.max_epochs + done + 1,
                max_iterations: settings.members * settings.max_epochs,
                measures: &[
                    ("loss", epoch.loss),
                    ("validation_pr_auc", epoch.validation_pr_auc),
                    ("learning_rate", epoch.learning_rate),
                    ("gradient_norm", epoch.gradient_norm),
                ],
            });
            if monitor.should_stop() {
                return training.finish_early();
            }
        }
    }
}

impl Recurrent {
    /// Begins a fit that is done epoch by epoch, for programs that stop and go on.
    ///
    /// ```
    /// # use forewarn_core::{LabelledWindows, Train, Validation};
    /// # use forewarn_recurrent::{Checkpoint, Recurrent, RecurrentModel};
    /// # fn fit(
    /// #     recurrent: Recurrent, train: Train<LabelledWindows<'_>>, validation: Validation<LabelledWindows<'_>>, path: &std::path::Path
    /// # ) -> Result<RecurrentModel, Box<dyn std::error::Error>> {
    /// let mut training = match path.exists() {
    ///     true => recurrent.resume(train, validation, Checkpoint::read(std::fs::File::open(path)?)?)?,
    ///     false => recurrent.start(train, validation)?,
    /// };
    /// let beside = path.with_extension("new");
    /// while let Some(epoch) = training.epoch()? {
    ///     println!("loss {}, PR-AUC {}", epoch.loss, epoch.validation_pr_auc);
    ///     training.checkpoint().write(std::fs::File::create(&beside)?)?;
    ///     // Whoever is interrupted has the one before, whole.
    ///     std::fs::rename(&beside, path)?;
    /// }
    /// Ok(training.finish()?)
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CoreError::SingleClass`] for train or validation windows of one class, [`CoreError::WeightsUnsupported`] for
    /// validation windows with weights, [`CoreError::TooLarge`] for a value that is infinite or beyond 1e30 (it names
    /// feature, service and time), [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`] for validation
    /// windows of another shape, [`CoreError::InvalidSetting`] for settings that need to know services or times of
    /// events with windows that do not, a hazard of more than 4096 steps, instructions or a device that are not
    /// there, or a network beyond memory, [`CoreError::UnknownOutcome`] for a hazard of labels without episodes,
    /// [`CoreError::Outside`] when threads cannot be made or libtorch fails.
    pub fn start<'a>(
        &self,
        train: Train<LabelledWindows<'a>>,
        validation: Validation<LabelledWindows<'a>>,
    ) -> Result<Training<'a>, CoreError> {
        Training::new(self.settings().clone(), self, *train, *validation)
    }

    /// Goes on from a checkpoint, with the windows that it was made with. The model has the same bits as one of a fit
    /// that was never interrupted, with any number of threads, and with any [`Instructions`](crate::Instructions) but
    /// for portable ones, which round otherwise.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`CoreError::InvalidSetting`] for a checkpoint of other settings or windows, or one
    /// that no fit can have come to.
    pub fn resume<'a>(
        &self,
        train: Train<LabelledWindows<'a>>,
        validation: Validation<LabelledWindows<'a>>,
        checkpoint: Checkpoint,
    ) -> Result<Training<'a>, CoreError> {
        let mut training = self.start(train, validation)?;
        training.take_up(checkpoint)?;
        Ok(training)
    }
}

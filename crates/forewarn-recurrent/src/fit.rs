//! Fitting: what both trainers share.

use crate::{
    Epoch, History, Recurrent, RecurrentModel, Settings, Trainer,
    gradient::{Batch, Gradient, Native},
    input,
    model::score_with,
    optimiser::Optimiser,
    random,
    shape::Shape,
};
use forewarn_core::{
    CoreError, Estimator, FitProgress, LabelledWindows, Monitor, Score, Train, Validation, average_precision,
};
use rand_chacha::ChaCha8Rng;

impl Estimator for Recurrent {
    type Fitted = RecurrentModel;

    /// Fits the networks of the model, one after the other; the same settings and windows give the same model, to the bit, on the
    /// same machine.
    ///
    /// A missing value (NaN) is read as 0, which is a feature's training mean once it is normalised: normalise before. The
    /// monitor hears of every epoch: `loss` and `validation_pr_auc`.
    ///
    /// Costs a multiple of `epochs * windows * steps * gates * hidden * (features + hidden)`, on one core; memory for one batch
    /// and four bytes a window.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`] for train or validation windows of one class, [`CoreError::NotFinite`] for an infinite value
    /// (it names the feature) or a fit that diverges (it names the epoch), [`CoreError::FeatureMismatch`] or
    /// [`CoreError::LengthMismatch`] for validation windows of another shape.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<RecurrentModel, CoreError> {
        train.expect_both_classes("train")?;
        validation.expect_both_classes("validation")?;
        let windows = train.windows();
        validation.windows().expect(windows.schema(), windows.observation())?;
        input::expect_finite(windows)?;
        input::expect_finite(validation.windows())?;
        let shape = self.shape(windows.schema().len());
        RecurrentModel::expect_size(shape, windows.observation(), self.settings().batch_size)?;
        let mut gradient = self.gradient(shape, windows.observation())?;
        let (mut members, mut history) = (Vec::new(), Vec::new());
        for member in 0..self.settings().members {
            let fit =
                Fit { settings: self.settings(), shape, train: *train, validation: *validation, member };
            let (weights, epochs) = fit.run(&mut *gradient, monitor)?;
            members.push(weights);
            history.push(epochs);
        }
        RecurrentModel::fitted(self.settings(), windows, shape, members, history)
    }
}

impl Recurrent {
    fn gradient(&self, shape: Shape, steps: usize) -> Result<Box<dyn Gradient>, CoreError> {
        match self.settings().trainer {
            Trainer::Native => Ok(Box::new(Native::new(shape, steps, self.settings().batch_size))),
            #[cfg(feature = "libtorch")]
            Trainer::Libtorch { device } => {
                Ok(Box::new(crate::libtorch::Libtorch::new(shape, steps, device)))
            }
        }
    }
}

/// The fit of one network.
struct Fit<'a> {
    settings: &'a Settings,
    shape: Shape,
    train: LabelledWindows<'a>,
    validation: LabelledWindows<'a>,
    member: usize,
}

impl Fit<'_> {
    fn run(
        &self,
        gradient: &mut dyn Gradient,
        monitor: &mut dyn Monitor,
    ) -> Result<(Vec<f32>, History), CoreError> {
        let settings = self.settings;
        let mut generator = random::generator(settings.seed, self.member);
        let mut weights = random::first_weights(self.shape, &mut generator);
        let mut grads = vec![0.0; weights.len()];
        let mut optimiser = Optimiser::new(self.shape, settings);
        let mut order = Order::new(self.train.windows().len());
        let mut batch = Buffers::new(self.shape, self.train.windows().observation(), settings);
        let mut scores = vec![Score::ZERO; self.validation.windows().len()];
        let mut history = History::default();
        let (mut best, mut best_weights) = (f64::NEG_INFINITY, weights.clone());
        let per_epoch = settings.windows_per_epoch.min(self.train.windows().len());
        for epoch in 1..=settings.max_epochs {
            let (mut loss, mut seen) = (0.0, 0);
            while seen < per_epoch {
                let picks = order.next((per_epoch - seen).min(settings.batch_size), &mut generator);
                let progress =
                    (epoch as f64 - 1.0 + seen as f64 / per_epoch as f64) / settings.max_epochs as f64;
                let batch = batch.fill(self.train, picks, settings, &mut generator)?;
                let mean = gradient.gradient(&weights, batch, &mut grads)?;
                let norm = optimiser.update(progress, &mut weights, &grads);
                if !(mean.is_finite() && norm.is_finite()) {
                    return Err(self.diverged("the loss or its gradient", epoch));
                }
                loss += mean * picks.len() as f64;
                seen += picks.len();
            }
            score_with(self.shape, std::slice::from_ref(&weights), self.validation.windows(), &mut scores)
                .map_err(|_| self.diverged("a score of the validation windows", epoch))?;
            let (loss, pr_auc) =
                (loss / seen as f64, average_precision(&scores, self.validation.positive())?);
            history.epochs.push(Epoch { loss, validation_pr_auc: pr_auc });
            monitor.report(FitProgress {
                iteration: self.member * settings.max_epochs + epoch,
                max_iterations: settings.members * settings.max_epochs,
                measures: &[("loss", loss), ("validation_pr_auc", pr_auc)],
            });
            if pr_auc > best {
                (best, history.best_epoch) = (pr_auc, epoch);
                best_weights.copy_from_slice(&weights);
            } else if epoch - history.best_epoch >= settings.patience {
                break;
            }
        }
        Ok((best_weights, history))
    }

    fn diverged(&self, what: &str, epoch: usize) -> CoreError {
        CoreError::NotFinite { what: format!("{what} in epoch {epoch} of network {}", self.member + 1) }
    }
}

/// Which windows come next: shuffled passes over all of them.
struct Order {
    order: Vec<u32>,
    next: usize,
}

impl Order {
    fn new(windows: usize) -> Self {
        Self { order: (0..windows as u32).collect(), next: windows }
    }

    /// At most `count` windows, fewer at the end of a pass.
    fn next(&mut self, count: usize, generator: &mut ChaCha8Rng) -> &[u32] {
        if self.next == self.order.len() {
            random::shuffle(&mut self.order, generator);
            self.next = 0;
        }
        let first = self.next;
        self.next = (first + count).min(self.order.len());
        &self.order[first..self.next]
    }
}

/// Memory of a batch.
struct Buffers {
    inputs: Vec<f32>,
    positive: Vec<bool>,
    mask: Vec<f32>,
    steps: usize,
    hidden: usize,
}

impl Buffers {
    fn new(shape: Shape, steps: usize, settings: &Settings) -> Self {
        let mask = if settings.dropout > 0.0 { settings.batch_size * shape.hidden } else { 0 };
        Self {
            inputs: vec![0.0; steps * settings.batch_size * shape.inputs],
            positive: vec![false; settings.batch_size],
            mask: vec![0.0; mask],
            steps,
            hidden: shape.hidden,
        }
    }

    fn fill(
        &mut self,
        train: LabelledWindows<'_>,
        picks: &[u32],
        settings: &Settings,
        generator: &mut ChaCha8Rng,
    ) -> Result<Batch<'_>, CoreError> {
        let size = self.steps * picks.len() * train.windows().schema().len();
        input::fill(train.windows(), picks.iter().map(|&pick| pick as usize), &mut self.inputs[..size])?;
        let positive = &mut self.positive[..picks.len()];
        for (to, &pick) in positive.iter_mut().zip(picks) {
            *to = train.positive()[pick as usize];
        }
        let mask = if settings.dropout > 0.0 {
            let mask = &mut self.mask[..picks.len() * self.hidden];
            random::dropout_mask(mask, settings.dropout, generator);
            Some(&*mask)
        } else {
            None
        };
        Ok(Batch { inputs: &self.inputs[..size], positive, mask, positive_weight: settings.positive_weight })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_takes_every_window_once() {
        let mut order = Order::new(10);
        let mut generator = random::generator(0, 0);
        let mut passes = Vec::new();
        for _ in 0..2 {
            let mut pass = Vec::new();
            while pass.len() < 10 {
                let picks = order.next(4, &mut generator);
                assert!((1..=4).contains(&picks.len()));
                pass.extend_from_slice(picks);
            }
            passes.push(pass.clone());
            pass.sort_unstable();
            assert_eq!(pass, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(passes[0], passes[1]);
    }
}

use crate::{
    Checkpoint, Epoch, History, Recurrent, RecurrentModel, Schedule, Settings, Trainer,
    ensemble::Ensemble,
    fit::{
        checkpoint::{Fingerprint, Member},
        examples::{Buffers, Examples, Order},
        gradient::{Gradient, Native, PIECE},
        optimiser::{Moments, Optimiser},
        random::{self, Use},
    },
    input,
    input::services::Services,
    network::shape::Shape,
    settings::PERIOD_LIMIT,
    simd::processor::Processor,
};
use forewarn_core::{CoreError, LabelledWindows, Score, Windows, average_precision};

/// A fit on its way. [`epoch`](Self::epoch) does one more, [`checkpoint`](Self::checkpoint) says where it stands, and
/// [`finish`](Self::finish) makes the model of what has been learnt so far.
pub struct Training<'a> {
    settings: Settings,
    shape: Shape,
    services: Services,
    train: LabelledWindows<'a>,
    validation: LabelledWindows<'a>,
    examples: Examples<'a>,
    data: Fingerprint,
    processor: Processor,
    gradient: Box<dyn Gradient + 'a>,
    optimiser: Optimiser,
    order: Order,
    buffers: Buffers,
    grads: Vec<f32>,
    scores: Vec<Score>,
    members: Vec<Vec<f32>>,
    history: Vec<History>,
    /// Its moments are with the optimiser.
    current: Member,
    /// Whether an epoch ended in an error, in the midst of a pass.
    failed: bool,
}

impl<'a> Training<'a> {
    pub(crate) fn new(
        settings: Settings,
        recurrent: &Recurrent,
        train: LabelledWindows<'a>,
        validation: LabelledWindows<'a>,
    ) -> Result<Self, CoreError> {
        train.expect_both_classes("train")?;
        validation.expect_both_classes("validation")?;
        validation.expect_unweighted("early stopping")?;
        let windows = train.windows();
        validation.windows().expect(windows.schema(), windows.observation())?;
        let examples = Examples::new(train, &settings)?;
        for windows in examples.windows().chain([validation.windows()]) {
            input::expect_finite(windows)?;
        }
        let services = match settings.service_embedding {
            Some(_) => Services::of(windows)?,
            None => Services::default(),
        };
        let period = train.outcomes().map_or(1, |outcomes| outcomes.period());
        let shape = recurrent.shape(windows.schema().len(), period, services.len());
        if shape.outputs > PERIOD_LIMIT {
            return Err(CoreError::InvalidSetting {
                name: "period of a hazard",
                value: shape.outputs.to_string(),
                expected: "at most 4096 steps",
            });
        }
        // The weights, the best, both moments and the gradient; one more for each network that is done; what a thread
        // packs, both ways; and the gradient of each piece of a batch.
        let copies = 5 + settings.members + 2 * settings.threads + settings.batch_size.div_ceil(PIECE);
        RecurrentModel::expect_size(shape, windows.observation(), settings.batch_size, copies)?;
        let processor = Processor::new(settings.instructions)?;
        let gradient: Box<dyn Gradient + 'a> = match settings.trainer {
            Trainer::Native => Box::new(Native::new(
                shape,
                windows.observation(),
                settings.batch_size,
                settings.threads,
                processor,
            )?),
            #[cfg(feature = "libtorch")]
            Trainer::Libtorch { device } => {
                Box::new(crate::fit::libtorch::Libtorch::new(shape, windows, device)?)
            }
        };
        Ok(Self {
            data: Fingerprint::new(&examples, &settings, train, validation),
            optimiser: Optimiser::new(shape, &settings)?,
            order: Order::new(examples.len(), settings.seed, 0, 0),
            buffers: Buffers::new(shape, windows, &services, &settings),
            grads: vec![0.0; shape.weights()],
            scores: vec![Score::ZERO; validation.windows().len()],
            current: first(shape, &settings, 0),
            failed: false,
            members: Vec::new(),
            history: Vec::new(),
            settings,
            shape,
            services,
            train,
            validation,
            examples,
            processor,
            gradient,
        })
    }

    /// Goes on from a checkpoint instead of from the start.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for one of another fit, or that no fit comes to.
    pub(crate) fn take_up(&mut self, checkpoint: Checkpoint) -> Result<(), CoreError> {
        let other = |what: &str| {
            Err(CoreError::InvalidSetting {
                name: "checkpoint",
                value: format!("one of other {what}"),
                expected: "a checkpoint of this fit",
            })
        };
        // How many threads compute, and by which instructions, may change from one machine to the next.
        let Settings { threads, instructions, .. } = self.settings;
        if (Settings { threads, instructions, ..checkpoint.settings.clone() }) != self.settings {
            return other("settings");
        }
        let windows = self.train.windows();
        if checkpoint.data != self.data
            || checkpoint.schema != *windows.schema()
            || checkpoint.observation != windows.observation()
        {
            return other("windows");
        }
        if !checkpoint.is_reachable(&self.settings, self.shape.weights()) {
            return other("networks");
        }
        self.members = checkpoint.members;
        self.history = checkpoint.history;
        self.current = checkpoint.current;
        std::mem::swap(&mut self.optimiser.moments, &mut self.current.moments);
        let (epochs, networks) = self.epochs_and_networks();
        let taken = epochs * self.windows_per_epoch();
        self.order = Order::new(self.examples.len(), self.settings.seed, networks, taken);
        Ok(())
    }

    /// Epochs that are done of the network that is being fitted, and networks that are done.
    #[must_use]
    pub fn epochs_and_networks(&self) -> (usize, usize) {
        (self.current.history.epochs.len(), self.members.len())
    }

    fn windows_per_epoch(&self) -> usize {
        self.settings.windows_per_epoch.min(self.examples.len())
    }

    /// Does one more epoch and says how it went; `None` when all networks are done.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] when the loss, its gradient or a score is not: it names the epoch, and the feature,
    /// service and time of the largest value in the batch; [`CoreError::Outside`] when libtorch fails. Then the fit
    /// is over: all later calls give [`CoreError::NotFinite`] too, and [`finish`](Self::finish) makes the model of
    /// the epochs before.
    pub fn epoch(&mut self) -> Result<Option<Epoch>, CoreError> {
        if self.members.len() == self.settings.members {
            return Ok(None);
        }
        if self.failed {
            return Err(CoreError::NotFinite { what: "what is left of a fit that has failed".to_owned() });
        }
        let epoch = self.next_epoch();
        self.failed = epoch.is_err();
        epoch.map(Some)
    }

    fn next_epoch(&mut self) -> Result<Epoch, CoreError> {
        let number = self.current.history.epochs.len() + 1;
        let per_epoch = self.windows_per_epoch();
        let member = self.members.len();
        let mut dropout = random::generator(self.settings.seed, member, Use::Dropout { epoch: number });
        let (mut loss, mut norms, mut seen, mut steps, mut rate) = (0.0, 0.0, 0, 0, 0.0);
        while seen < per_epoch {
            let picks = self.order.next((per_epoch - seen).min(self.settings.batch_size));
            let progress =
                (number as f64 - 1.0 + seen as f64 / per_epoch as f64) / self.settings.max_epochs as f64;
            let batch = self.buffers.fill(&self.examples, picks, &self.settings, &mut dropout);
            let mean = self.gradient.gradient(&self.current.weights, batch, &mut self.grads)?;
            rate = self.optimiser.rate(progress, self.current.reductions);
            let norm = self.optimiser.update(rate, &mut self.current.weights, &self.grads);
            if !(mean.is_finite() && norm.is_finite()) {
                let what = if mean.is_finite() { "gradient" } else { "loss" };
                let windows = picks.iter().map(|&pick| self.examples.window(pick as usize));
                return Err(diverged(what, number, member, windows));
            }
            loss += mean * picks.len() as f64;
            norms += norm;
            seen += picks.len();
            steps += 1;
        }
        let weights = std::slice::from_ref(&self.current.weights);
        let validation = self.validation.windows();
        Ensemble::packed(self.shape, weights, &self.services, self.processor)
            .score(validation, &mut self.scores)
            .map_err(|_| {
                let windows = (0..validation.len()).map(|index| (validation, index));
                diverged("score of a validation window", number, member, windows)
            })?;
        let epoch = Epoch {
            loss: loss / seen as f64,
            validation_pr_auc: average_precision(&self.scores, self.validation.positive())?,
            learning_rate: rate,
            gradient_norm: norms / f64::from(steps),
        };
        self.take_in(epoch, number);
        Ok(epoch)
    }

    /// Keeps the weights if they are better, slows down if they have not been for long, goes on to the next network
    /// if they have not been for longer.
    fn take_in(&mut self, epoch: Epoch, number: usize) {
        let current = &mut self.current;
        let best = current.history.epochs.get(current.history.best_epoch.wrapping_sub(1));
        let better = best.is_none_or(|best| epoch.validation_pr_auc > best.validation_pr_auc);
        current.history.epochs.push(epoch);
        if better {
            (current.history.best_epoch, current.plateau_from) = (number, number);
            current.best_weights.copy_from_slice(&current.weights);
        } else if let Schedule::Plateau { patience, .. } = self.settings.schedule
            && number - current.plateau_from >= patience
        {
            (current.reductions, current.plateau_from) = (current.reductions.saturating_add(1), number);
        }
        let waited = number - current.history.best_epoch >= self.settings.patience;
        if waited || number == self.settings.max_epochs {
            self.next_member();
        }
    }

    fn next_member(&mut self) {
        let member = self.members.len() + 1;
        let done = std::mem::replace(&mut self.current, first(self.shape, &self.settings, member));
        self.members.push(done.best_weights);
        self.history.push(done.history);
        self.optimiser.moments = Moments::new(self.shape);
        self.order = Order::new(self.examples.len(), self.settings.seed, member, 0);
    }

    /// Where the fit stands after its last epoch. One of a fit that has [failed](Self::epoch) is of no use: keep the
    /// one before.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            settings: self.settings.clone(),
            schema: self.train.windows().schema().clone(),
            observation: self.train.windows().observation(),
            data: self.data,
            members: self.members.clone(),
            history: self.history.clone(),
            current: Member { moments: self.optimiser.moments.clone(), ..self.current.clone() },
        }
    }

    /// The model of the networks that are done; of the best weights so far where that is the first one.
    pub(crate) fn finish_early(mut self) -> Result<RecurrentModel, CoreError> {
        // A network that has seen part of its epochs is worse than those beside it, and would pull their mean down.
        if !self.members.is_empty() {
            self.current.history.best_epoch = 0;
        }
        self.finish()
    }

    /// The model of the best weights so far.
    ///
    /// # Errors
    /// [`CoreError::NothingFitted`] before the first epoch; [`CoreError::TooLarge`] or [`CoreError::NotFinite`] for
    /// weights beyond all measure.
    pub fn finish(mut self) -> Result<RecurrentModel, CoreError> {
        if self.current.history.best_epoch > 0 {
            self.next_member();
        }
        if self.members.is_empty() {
            return Err(CoreError::NothingFitted);
        }
        let Self { settings, shape, services, train, members, history, .. } = self;
        RecurrentModel::fitted(&settings, train, shape, services, members, history)
    }
}

/// A network before its first epoch.
fn first(shape: Shape, settings: &Settings, member: usize) -> Member {
    let weights = random::first_weights(shape, &mut random::generator(settings.seed, member, Use::Weights));
    Member {
        best_weights: weights.clone(),
        weights,
        moments: Moments::new(shape),
        history: History::default(),
        reductions: 0,
        plateau_from: 0,
    }
}

/// Says what became infinite, and the largest value of these windows, which it may come from.
fn diverged<'a>(
    what: &str,
    epoch: usize,
    member: usize,
    windows: impl Iterator<Item = (Windows<'a>, usize)>,
) -> CoreError {
    let largest = windows.filter_map(|(windows, index)| input::largest(windows, index, |value| value));
    let largest = largest.max_by(|a, b| a.0.total_cmp(&b.0));
    let cause = largest.map_or_else(String::new, |(_, what)| format!(", where the largest value is {what}"));
    CoreError::NotFinite { what: format!("the {what} in epoch {epoch} of network {}{cause}", member + 1) }
}

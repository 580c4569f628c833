//! What a fit learns from: windows, and what each should come to.

use crate::{
    Output, Settings,
    fit::{
        gradient::Batch,
        random::{self, Use},
    },
    input::services::{Services, number_of},
    network::{pass::Truth, shape::Shape},
};
use forewarn_core::{CoreError, LabelledWindows, Outcome, Outcomes, Windows};
use forewarn_numerics::Fnv1a;
use rand_chacha::ChaCha8Rng;
use std::iter;

/// Share of windows of known services that are shown as those of an unknown one, so that there is something to say of
/// these too.
const UNKNOWN_SHARE: f32 = 0.1;

/// The examples of a fit: labelled windows and, for a hazard, those after them whose period was observed in part.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a> {
    labelled: LabelledWindows<'a>,
    partial: Option<(Windows<'a>, Outcomes<'a>)>,
    /// Mean weight of the labelled windows. Losses are divided by it, so that a learning rate means the same with
    /// weights and without.
    mean_weight: f64,
}

impl<'a> Examples<'a> {
    /// # Errors
    /// [`CoreError::InvalidSetting`] when settings ask for times of events and the windows do not know them;
    /// [`CoreError::UnknownOutcome`] when labels and times of events disagree.
    pub(crate) fn new(labelled: LabelledWindows<'a>, settings: &Settings) -> Result<Self, CoreError> {
        let hazard = settings.output == Output::Hazard;
        let mean_weight = labelled.weights().map_or(1.0, |weights| {
            weights.iter().copied().map(f64::from).sum::<f64>() / weights.len() as f64
        });
        if !hazard && settings.label_smoothing_steps == 0 {
            return Ok(Self { labelled, partial: None, mean_weight });
        }
        let outcomes = labelled.outcomes().ok_or_else(|| CoreError::InvalidSetting {
            name: if hazard { "output" } else { "label_smoothing_steps" },
            value: "windows whose events are not known".to_owned(),
            expected: "windows that come from samples",
        })?;
        for (index, &positive) in labelled.positive().iter().enumerate() {
            if positive != matches!(outcomes.get(index), Some(Outcome::At(_))) {
                let (service, time) = labelled.windows().place(index).ok_or(CoreError::LayoutMismatch)?;
                return Err(CoreError::UnknownOutcome { service: service.to_owned(), time });
            }
        }
        Ok(Self { labelled, partial: labelled.partly_observed().filter(|_| hazard), mean_weight })
    }

    /// All windows, which lie in one block.
    pub(crate) fn windows(&self) -> impl Iterator<Item = Windows<'a>> {
        iter::once(self.labelled.windows()).chain(self.partial.map(|(windows, _)| windows))
    }

    pub(crate) fn len(&self) -> usize {
        self.labelled.windows().len() + self.partial.map_or(0, |(windows, _)| windows.len())
    }

    /// The windows that example `index` is one of, and its place among them.
    pub(crate) fn window(&self, index: usize) -> (Windows<'a>, usize) {
        let labelled = self.labelled.windows();
        match self.partial {
            Some((windows, _)) if index >= labelled.len() => (windows, index - labelled.len()),
            _ => (labelled, index),
        }
    }

    fn outcome(&self, index: usize) -> Option<Outcome> {
        let labelled = self.labelled.windows().len();
        match self.partial {
            Some((_, outcomes)) if index >= labelled => outcomes.get(index - labelled),
            _ => self.labelled.outcomes()?.get(index),
        }
    }

    /// What a fit with these settings asks outcomes for.
    pub(crate) fn add_to(&self, hash: &mut Fnv1a, settings: &Settings) {
        let asks = settings.output == Output::Hazard || settings.label_smoothing_steps > 0;
        let Some(outcomes) = self.labelled.outcomes().filter(|_| asks) else { return };
        hash.add_size(outcomes.period());
        for index in 0..self.len() {
            hash.add(match settings.output {
                Output::Probability => outcomes.steps_to_event(index).unwrap_or_default(),
                Output::Hazard => match self.outcome(index) {
                    Some(Outcome::At(step)) => step,
                    Some(Outcome::NotWithin(steps)) => !steps,
                    None => 0,
                },
            });
        }
    }

    /// What example `index` should come to, and how much each output counts.
    fn truth(&self, index: usize, settings: &Settings, targets: &mut [f32], weights: &mut [f32]) {
        self.unweighted_truth(index, settings, targets, weights);
        if self.labelled.weights().is_some() {
            let own = (f64::from(self.labelled.weight(index)) / self.mean_weight) as f32;
            weights.iter_mut().for_each(|weight| *weight *= own);
        }
    }

    fn unweighted_truth(&self, index: usize, settings: &Settings, targets: &mut [f32], weights: &mut [f32]) {
        let positive_weight = settings.positive_weight as f32;
        match settings.output {
            Output::Probability => {
                targets[0] = self.probability(index, settings.label_smoothing_steps);
                weights[0] = 1.0 + (positive_weight - 1.0) * targets[0];
            }
            Output::Hazard => {
                let (observed, happened) = match self.outcome(index) {
                    Some(Outcome::At(step)) => (step as usize, true),
                    Some(Outcome::NotWithin(steps)) => (steps as usize, false),
                    None => (0, false),
                };
                for (step, (target, weight)) in targets.iter_mut().zip(weights).enumerate() {
                    let now = happened && step + 1 == observed;
                    *target = f32::from(u8::from(now));
                    *weight = match (step < observed, now) {
                        (false, _) => 0.0,
                        (true, true) => positive_weight,
                        (true, false) => 1.0,
                    };
                }
            }
        }
    }

    /// The label as a probability, which goes from 1 to 0 within `steps` steps of the period's end.
    fn probability(&self, index: usize, steps: usize) -> f32 {
        let label = f32::from(u8::from(self.labelled.positive()[index]));
        let Some(outcomes) = self.labelled.outcomes().filter(|_| steps > 0) else { return label };
        let Some(to_event) = outcomes.steps_to_event(index) else { return label };
        let inside = outcomes.period() as f64 + 0.5 - f64::from(to_event);
        (0.5 + inside / (2.0 * steps as f64)).clamp(0.0, 1.0) as f32
    }
}

/// Which examples come next: shuffled passes over all of them.
pub(crate) struct Order {
    seed: u64,
    member: usize,
    pass: usize,
    next: usize,
    order: Vec<u32>,
}

impl Order {
    /// The order of one member's fit after a number of examples.
    pub(crate) fn new(examples: usize, seed: u64, member: usize, taken: usize) -> Self {
        let mut order = Self { seed, member, pass: 0, next: 0, order: (0..examples as u32).collect() };
        order.shuffle(taken / examples);
        order.next = taken % examples;
        order
    }

    fn shuffle(&mut self, pass: usize) {
        (self.pass, self.next) = (pass, 0);
        for (place, number) in self.order.iter_mut().zip(0..) {
            *place = number;
        }
        random::shuffle(&mut self.order, &mut random::generator(self.seed, self.member, Use::Order { pass }));
    }

    /// At most `count` examples, fewer at the end of a pass.
    pub(crate) fn next(&mut self, count: usize) -> &[u32] {
        if self.next == self.order.len() {
            self.shuffle(self.pass + 1);
        }
        let first = self.next;
        self.next = (first + count).min(self.order.len());
        &self.order[first..self.next]
    }
}

/// Memory of a batch.
pub(crate) struct Buffers {
    shape: Shape,
    places: Vec<i64>,
    numbers: Vec<u32>,
    services: Vec<u32>,
    targets: Vec<f32>,
    weights: Vec<f32>,
    mask: Vec<f32>,
}

impl Buffers {
    pub(crate) fn new(shape: Shape, windows: Windows<'_>, services: &Services, settings: &Settings) -> Self {
        let windows_at_once = settings.batch_size;
        let mask = if settings.dropout > 0.0 { windows_at_once * shape.hidden } else { 0 };
        Self {
            shape,
            places: vec![0; windows_at_once],
            numbers: services.numbers(windows),
            services: vec![0; windows_at_once],
            targets: vec![0.0; windows_at_once * shape.outputs],
            weights: vec![0.0; windows_at_once * shape.outputs],
            mask: vec![0.0; mask],
        }
    }

    /// The examples at `picks`, with what dropout leaves of them.
    pub(crate) fn fill<'b>(
        &'b mut self,
        examples: &Examples<'b>,
        picks: &[u32],
        settings: &Settings,
        generator: &mut ChaCha8Rng,
    ) -> Batch<'b> {
        let Shape { inputs: width, outputs, hidden, .. } = self.shape;
        let windows = picks.len();
        for (place, &pick) in picks.iter().enumerate() {
            let (of, index) = examples.window(pick as usize);
            self.places[place] = of.offset(index).map_or(0, |offset| (offset / width) as i64);
            let number = number_of(of, &self.numbers, index);
            let hidden = number > 0 && random::chance(UNKNOWN_SHARE, generator);
            self.services[place] = if hidden { 0 } else { number };
            let outputs = place * outputs..(place + 1) * outputs;
            let (targets, weights) = (&mut self.targets[outputs.clone()], &mut self.weights[outputs]);
            examples.truth(pick as usize, settings, targets, weights);
        }
        let mask = &mut self.mask[..if settings.dropout > 0.0 { windows * hidden } else { 0 }];
        random::dropout_mask(mask, settings.dropout, generator);
        Batch {
            block: examples.labelled.windows().block(),
            places: &self.places[..windows],
            services: &self.services[..windows],
            truth: Truth {
                targets: &self.targets[..windows * outputs],
                weights: &self.weights[..windows * outputs],
            },
            mask: (!mask.is_empty()).then_some(&*mask),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_takes_every_example_once_and_goes_on_where_it_was() {
        let mut order = Order::new(10, 3, 1, 0);
        let mut passes = Vec::new();
        let mut all = Vec::new();
        for _ in 0..2 {
            let mut pass = Vec::new();
            while pass.len() < 10 {
                let picks = order.next(4);
                assert!((1..=4).contains(&picks.len()));
                pass.extend_from_slice(picks);
            }
            all.extend_from_slice(&pass);
            passes.push(pass.clone());
            pass.sort_unstable();
            assert_eq!(pass, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(passes[0], passes[1]);
        for (taken, &expected) in all.iter().enumerate().take(18) {
            let mut later = Order::new(10, 3, 1, taken);
            assert_eq!(later.next(2)[0], expected, "after {taken}");
        }
    }
}

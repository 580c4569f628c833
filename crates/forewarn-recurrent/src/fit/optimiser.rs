//! The update of the weights, the same whoever computed the gradient.

use crate::{
    Schedule, Settings,
    network::shape::Shape,
    simd::{
        arithmetic::Arithmetic,
        processor::{Processor, Task},
    },
};
use forewarn_core::CoreError;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// `AdamW` with the gradient's global norm clipped.
///
/// # References
/// I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, ICLR 2019. R. Pascanu, T. Mikolov and Y.
/// Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013.
pub(crate) struct Optimiser {
    /// What it has learnt of the gradients, to be saved with a checkpoint.
    pub(crate) moments: Moments,
    /// Ranges of weights and whether they decay.
    parts: Vec<(std::ops::Range<usize>, bool)>,
    processor: Processor,
    learning_rate: f64,
    schedule: Schedule,
    weight_decay: f64,
    gradient_clip: f64,
}

/// Running means of a gradient and of its square, and the updates that went into them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moments {
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
    pub(crate) step: i32,
}

impl Moments {
    /// Before the first update.
    pub(crate) fn new(shape: Shape) -> Self {
        Self { first: vec![0.0; shape.weights()], second: vec![0.0; shape.weights()], step: 0 }
    }
}

impl Optimiser {
    pub(crate) fn new(shape: Shape, settings: &Settings) -> Result<Self, CoreError> {
        Ok(Self {
            moments: Moments::new(shape),
            parts: shape.parts().into_iter().map(|part| (part.range, part.decays)).collect(),
            processor: Processor::new(settings.instructions)?,
            learning_rate: settings.learning_rate,
            schedule: settings.schedule,
            weight_decay: settings.weight_decay,
            gradient_clip: settings.gradient_clip,
        })
    }

    /// The learning rate at `progress`, the share of the longest possible fit that is done, after `reductions` by a
    /// plateau.
    pub(crate) fn rate(&self, progress: f64, reductions: i32) -> f64 {
        self.learning_rate * factor(self.schedule, progress, reductions)
    }

    /// One update. Returns the gradient's norm. When that is not finite nothing is changed.
    pub(crate) fn update(&mut self, rate: f64, weights: &mut [f32], grads: &[f32]) -> f64 {
        let norm = self.processor.run(Norm(grads));
        if !norm.is_finite() {
            return norm;
        }
        let scale = if norm > self.gradient_clip { (self.gradient_clip / norm) as f32 } else { 1.0 };
        let Moments { first, second, step } = &mut self.moments;
        *step = step.saturating_add(1);
        let step_size = (rate / (1.0 - f64::from(BETA_1).powi(*step))) as f32;
        let correction = (1.0 - f64::from(BETA_2).powi(*step)).sqrt().recip() as f32;
        for (range, decays) in &self.parts {
            let kept = if *decays { (1.0 - rate * self.weight_decay) as f32 } else { 1.0 };
            self.processor.run(Update {
                first: &mut first[range.clone()],
                second: &mut second[range.clone()],
                weights: &mut weights[range.clone()],
                grads: &grads[range.clone()],
                scale,
                step_size,
                correction,
                kept,
            });
        }
        norm
    }
}

/// The update of one tensor.
struct Update<'a> {
    first: &'a mut [f32],
    second: &'a mut [f32],
    weights: &'a mut [f32],
    grads: &'a [f32],
    scale: f32,
    step_size: f32,
    correction: f32,
    kept: f32,
}

impl Task for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, _: A) {
        let values = self.weights.iter_mut().zip(self.grads);
        for ((weight, &grad), (first, second)) in values.zip(self.first.iter_mut().zip(self.second)) {
            let grad = grad * self.scale;
            *first = BETA_1 * *first + (1.0 - BETA_1) * grad;
            *second = BETA_2 * *second + (1.0 - BETA_2) * grad * grad;
            *weight =
                *weight * self.kept - self.step_size * *first / (second.sqrt() * self.correction + EPSILON);
        }
    }
}

/// Share of the learning rate that is left at `progress`.
fn factor(schedule: Schedule, progress: f64, reductions: i32) -> f64 {
    const FLOOR: f64 = 0.01;
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Plateau { factor, .. } => factor.powi(reductions),
        Schedule::Cosine => FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
    }
}

/// Euclidean norm, in sixteen interleaved sums so that they can be added at once.
struct Norm<'a>(&'a [f32]);

impl Task for Norm<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, _: A) -> f64 {
        let (groups, rest) = self.0.as_chunks::<16>();
        let mut sums = [0.0f64; 16];
        for group in groups {
            for (sum, &value) in sums.iter_mut().zip(group) {
                *sum += f64::from(value) * f64::from(value);
            }
        }
        let rest: f64 = rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        (sums.iter().sum::<f64>() + rest).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cell, network::shape::strategies::plain};

    fn shape() -> Shape {
        plain(Cell::Gru, 1, 1, None)
    }

    fn norm(values: &[f32]) -> f64 {
        Processor::best().run(Norm(values))
    }

    fn settings() -> Settings {
        let base = Settings { learning_rate: 0.1, schedule: Schedule::Constant, ..Settings::default() };
        Settings { weight_decay: 0.5, gradient_clip: 1e9, ..base }
    }

    /// The published algorithm, in f64, one weight at a time.
    #[test]
    fn updates_are_those_of_adamw() {
        let count = shape().weights();
        let mut weights: Vec<f32> = (0..count).map(|i| i as f32 * 0.1 - 0.5).collect();
        let decays: Vec<bool> =
            shape().parts().iter().flat_map(|part| vec![part.decays; part.range.len()]).collect();
        let mut expected: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
        let (mut m, mut v) = (vec![0.0f64; count], vec![0.0f64; count]);
        let mut optimiser = Optimiser::new(shape(), &settings()).unwrap();
        for step in 1..=20 {
            let grads: Vec<f32> = (0..count).map(|i| ((i * 7 + step * 3) % 11) as f32 - 4.0).collect();
            optimiser.update(0.1, &mut weights, &grads);
            for i in 0..count {
                let grad = f64::from(grads[i]);
                m[i] = 0.9 * m[i] + 0.1 * grad;
                v[i] = 0.999 * v[i] + 0.001 * grad * grad;
                let (m_hat, v_hat) =
                    (m[i] / (1.0 - 0.9f64.powi(step as i32)), v[i] / (1.0 - 0.999f64.powi(step as i32)));
                let decay = if decays[i] { 0.5 } else { 0.0 };
                expected[i] -= 0.1 * (m_hat / (v_hat.sqrt() + 1e-8) + decay * expected[i]);
            }
        }
        for (got, expected) in weights.iter().zip(&expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{got} {expected}");
        }
    }

    #[test]
    fn a_long_gradient_is_scaled_and_one_that_is_not_finite_changes_nothing() {
        let count = shape().weights();
        let grads: Vec<f32> = (0..count).map(|i| i as f32 - 3.0).collect();
        let length = norm(&grads);
        let by_hand = grads.iter().map(|&grad| f64::from(grad).powi(2)).sum::<f64>().sqrt();
        assert!((length - by_hand).abs() < 1e-12);
        let mut clipped = Optimiser::new(shape(), &Settings { gradient_clip: 0.5, ..settings() }).unwrap();
        let mut weights = vec![0.0; count];
        assert_eq!(clipped.update(0.1, &mut weights, &grads), length);
        assert!((norm(&clipped.moments.first) - 0.05).abs() < 1e-6, "a tenth of a gradient of length 0.5");
        let before = weights.clone();
        assert!(clipped.update(0.1, &mut weights, &vec![f32::NAN; count]).is_nan());
        assert_eq!(weights, before);
    }

    #[test]
    fn a_cosine_falls_to_a_hundredth_and_a_plateau_by_its_factor() {
        assert_eq!(factor(Schedule::Cosine, 0.0, 0), 1.0);
        assert!((factor(Schedule::Cosine, 0.5, 0) - 0.505).abs() < 1e-12);
        assert!((factor(Schedule::Cosine, 1.0, 0) - 0.01).abs() < 1e-12);
        assert_eq!(factor(Schedule::Constant, 0.7, 0), 1.0);
        let plateau = Schedule::Plateau { factor: 0.5, patience: 2 };
        assert_eq!([0, 1, 3].map(|reductions| factor(plateau, 0.7, reductions)), [1.0, 0.5, 0.125]);
    }
}

//! The update of the weights, the same whoever computed the gradient.

use crate::{Schedule, Settings, shape::Shape};

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// `AdamW` with the gradient's global norm clipped.
///
/// # References
/// I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, ICLR 2019. R. Pascanu, T. Mikolov and Y. Bengio, *On the
/// difficulty of training recurrent neural networks*, ICML 2013.
pub(crate) struct Optimiser {
    first: Vec<f32>,
    second: Vec<f32>,
    /// Ranges of weights and whether they decay.
    parts: Vec<(std::ops::Range<usize>, bool)>,
    step: i32,
    learning_rate: f64,
    schedule: Schedule,
    weight_decay: f64,
    gradient_clip: f64,
}

impl Optimiser {
    pub(crate) fn new(shape: Shape, settings: &Settings) -> Self {
        Self {
            first: vec![0.0; shape.weights()],
            second: vec![0.0; shape.weights()],
            parts: shape.parts().into_iter().map(|part| (part.range.clone(), part.is_matrix())).collect(),
            step: 0,
            learning_rate: settings.learning_rate,
            schedule: settings.schedule,
            weight_decay: settings.weight_decay,
            gradient_clip: settings.gradient_clip,
        }
    }

    /// One update; `progress` is the share of the longest possible fit that is done. Returns the gradient's norm. When that is
    /// not finite nothing is changed.
    pub(crate) fn update(&mut self, progress: f64, weights: &mut [f32], grads: &[f32]) -> f64 {
        let norm = norm(grads);
        if !norm.is_finite() {
            return norm;
        }
        let scale = if norm > self.gradient_clip { (self.gradient_clip / norm) as f32 } else { 1.0 };
        self.step = self.step.saturating_add(1);
        let rate = self.learning_rate * factor(self.schedule, progress);
        let step_size = (rate / (1.0 - f64::from(BETA_1).powi(self.step))) as f32;
        let correction = (1.0 - f64::from(BETA_2).powi(self.step)).sqrt().recip() as f32;
        for (range, decays) in &self.parts {
            let kept = if *decays { (1.0 - rate * self.weight_decay) as f32 } else { 1.0 };
            let first = &mut self.first[range.clone()];
            let second = &mut self.second[range.clone()];
            let values = weights[range.clone()].iter_mut().zip(&grads[range.clone()]);
            for ((weight, &grad), (first, second)) in values.zip(first.iter_mut().zip(second)) {
                let grad = grad * scale;
                *first = BETA_1 * *first + (1.0 - BETA_1) * grad;
                *second = BETA_2 * *second + (1.0 - BETA_2) * grad * grad;
                *weight = *weight * kept - step_size * *first / (second.sqrt() * correction + EPSILON);
            }
        }
        norm
    }
}

/// Share of the learning rate that is left at `progress`.
fn factor(schedule: Schedule, progress: f64) -> f64 {
    const FLOOR: f64 = 0.01;
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
    }
}

/// Euclidean norm, in eight interleaved sums so that they can be added at once.
fn norm(values: &[f32]) -> f64 {
    let (groups, rest) = values.as_chunks::<8>();
    let mut sums = [0.0f64; 8];
    for group in groups {
        for (sum, &value) in sums.iter_mut().zip(group) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    let rest: f64 = rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
    (sums.iter().sum::<f64>() + rest).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;

    const SHAPE: Shape = Shape { cell: Cell::Gru, inputs: 1, hidden: 1, head: None };

    fn settings() -> Settings {
        let base = Settings { learning_rate: 0.1, schedule: Schedule::Constant, ..Settings::default() };
        Settings { weight_decay: 0.5, gradient_clip: 1e9, ..base }
    }

    /// The published algorithm, in f64, one weight at a time.
    #[test]
    fn updates_are_those_of_adamw() {
        let count = SHAPE.weights();
        let mut weights: Vec<f32> = (0..count).map(|i| i as f32 * 0.1 - 0.5).collect();
        let decays: Vec<bool> =
            SHAPE.parts().iter().flat_map(|part| vec![part.is_matrix(); part.range.len()]).collect();
        let mut expected: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
        let (mut m, mut v) = (vec![0.0f64; count], vec![0.0f64; count]);
        let mut optimiser = Optimiser::new(SHAPE, &settings());
        for step in 1..=20 {
            let grads: Vec<f32> = (0..count).map(|i| ((i * 7 + step * 3) % 11) as f32 - 4.0).collect();
            optimiser.update(0.0, &mut weights, &grads);
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
        let count = SHAPE.weights();
        let grads: Vec<f32> = (0..count).map(|i| i as f32 - 3.0).collect();
        let length = norm(&grads);
        let by_hand = grads.iter().map(|&grad| f64::from(grad).powi(2)).sum::<f64>().sqrt();
        assert!((length - by_hand).abs() < 1e-12);
        let mut clipped = Optimiser::new(SHAPE, &Settings { gradient_clip: 0.5, ..settings() });
        let mut weights = vec![0.0; count];
        assert_eq!(clipped.update(0.0, &mut weights, &grads), length);
        assert!((norm(&clipped.first) - 0.05).abs() < 1e-6, "a tenth of a gradient of length 0.5");
        let before = weights.clone();
        assert!(clipped.update(0.0, &mut weights, &vec![f32::NAN; count]).is_nan());
        assert_eq!(weights, before);
    }

    #[test]
    fn the_cosine_falls_to_a_hundredth() {
        assert_eq!(factor(Schedule::Cosine, 0.0), 1.0);
        assert!((factor(Schedule::Cosine, 0.5) - 0.505).abs() < 1e-12);
        assert!((factor(Schedule::Cosine, 1.0) - 0.01).abs() < 1e-12);
        assert_eq!(factor(Schedule::Constant, 0.7), 1.0);
    }
}

use crate::{
    real::Real,
    shape::Shape,
    workspace::{Start, Workspace},
};
use forewarn_core::{CoreError, sigmoid};

/// One batch of a fit.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// `[step, window, feature]`, no NaN.
    pub(crate) inputs: &'a [f32],
    /// One label a window.
    pub(crate) positive: &'a [bool],
    /// `[window, unit]`: what the last state is multiplied with; `None` without dropout.
    pub(crate) mask: Option<&'a [f32]>,
    /// How many times a positive window counts.
    pub(crate) positive_weight: f64,
}

/// Who computes gradients: all in which the trainers differ.
pub(crate) trait Gradient {
    /// Replaces `grads` by the derivatives of the batch's mean cross-entropy by the weights, and returns that mean.
    fn gradient(&mut self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, CoreError>;
}

/// Back-propagation through time in pure Rust. Nothing is allocated after [`new`](Self::new).
pub(crate) struct Native {
    space: Workspace<f32>,
}

impl Native {
    pub(crate) fn new(shape: Shape, steps: usize, batch_size: usize) -> Self {
        Self { space: Workspace::new(shape, steps, batch_size) }
    }
}

impl Gradient for Native {
    fn gradient(&mut self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, CoreError> {
        self.space.begin(batch.positive.len()).copy_from_slice(batch.inputs);
        if let Some(mask) = batch.mask {
            self.space.mask[..mask.len()].copy_from_slice(mask);
        }
        self.space.forward(weights, Start::Zero);
        let loss = cross_entropy(&mut self.space, batch.positive, batch.positive_weight);
        self.space.backward(weights, grads);
        Ok(loss)
    }
}

/// Mean cross-entropy of the logits; leaves its derivative in the workspace.
pub(crate) fn cross_entropy<T: Real>(
    space: &mut Workspace<T>,
    positive: &[bool],
    positive_weight: f64,
) -> f64 {
    let share = 1.0 / positive.len() as f64;
    let mut loss = 0.0;
    let outputs = space.logits.iter().zip(&mut space.logit_grad);
    for ((logit, grad), &positive) in outputs.zip(positive) {
        let logit = logit.to_f64();
        // -ln of the probability of what happened is ln(1 + exp(-x)) with x the log-odds of it.
        let (weight, odds, truth) = if positive { (positive_weight, logit, 1.0) } else { (1.0, -logit, 0.0) };
        loss += weight * ((-odds).max(0.0) + (-odds.abs()).exp().ln_1p());
        *grad = T::from_f64(share * weight * (sigmoid(logit) - truth));
    }
    loss * share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;
    use proptest::prelude::*;

    /// Numbers in -scale..scale that look random.
    fn numbers(count: usize, seed: u64, scale: f64) -> Vec<f64> {
        (0..count as u64)
            .map(|i| {
                let word = (i + 1)
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                    .wrapping_add(seed.wrapping_mul(0xD1B5_4A32_D192_ED03));
                let word = (word ^ (word >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                ((word >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * scale
            })
            .collect()
    }

    struct Case {
        shape: Shape,
        steps: usize,
        inputs: Vec<f64>,
        positive: Vec<bool>,
        mask: Vec<f64>,
    }

    impl Case {
        fn loss(&self, weights: &[f64], grads: Option<&mut [f64]>) -> f64 {
            let mut space = Workspace::new(self.shape, self.steps, self.positive.len());
            space.begin(self.positive.len()).copy_from_slice(&self.inputs);
            space.mask.copy_from_slice(&self.mask);
            space.forward(weights, Start::Zero);
            let loss = cross_entropy(&mut space, &self.positive, 2.5);
            if let Some(grads) = grads {
                space.backward(weights, grads);
            }
            loss
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn gradients_are_the_slopes_of_the_loss(
            gru: bool, inputs in 1usize..5, hidden in 1usize..6, head in proptest::option::of(1usize..5), steps in 1usize..6,
            batch in 1usize..5, seed in 0u64..1_000_000
        ) {
            let cell = if gru { Cell::Gru } else { Cell::Lstm };
            let shape = Shape { cell, inputs, hidden, head };
            let case = Case {
                shape,
                steps,
                inputs: numbers(steps * batch * inputs, seed, 2.0),
                positive: numbers(batch, seed + 1, 1.0).iter().map(|&x| x > 0.0).collect(),
                mask: numbers(batch * hidden, seed + 2, 1.0).iter().map(|&x| if x > 0.6 { 0.0 } else { 1.25 }).collect(),
            };
            let weights = numbers(shape.weights(), seed + 3, 1.0);
            // Filled, because a pass must replace what was there.
            let mut grads = vec![7.0; weights.len()];
            case.loss(&weights, Some(&mut grads));
            let nudge = 1e-5;
            for (i, &grad) in grads.iter().enumerate() {
                let mut moved = weights.clone();
                moved[i] += nudge;
                let above = case.loss(&moved, None);
                moved[i] -= 2.0 * nudge;
                let slope = (above - case.loss(&moved, None)) / (2.0 * nudge);
                prop_assert!((grad - slope).abs() < 1e-8 + 1e-6 * slope.abs(), "{cell} weight {i}: {grad} {slope}");
            }
        }

        #[test]
        fn single_precision_agrees_with_double(gru: bool, seed in 0u64..1000) {
            let cell = if gru { Cell::Gru } else { Cell::Lstm };
            let shape = Shape { cell, inputs: 7, hidden: 16, head: None };
            let (steps, batch) = (10, 9);
            let case = Case {
                shape,
                steps,
                inputs: numbers(steps * batch * 7, seed, 2.0).iter().map(|&x| f64::from(x as f32)).collect(),
                positive: numbers(batch, seed + 1, 1.0).iter().map(|&x| x > 0.0).collect(),
                mask: vec![1.0; batch * 16],
            };
            let weights: Vec<f32> = numbers(shape.weights(), seed + 3, 0.5).iter().map(|&x| x as f32).collect();
            let mut grads = vec![7.0; weights.len()];
            let loss = case.loss(&weights.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), Some(&mut grads));
            let inputs: Vec<f32> = case.inputs.iter().map(|&x| x as f32).collect();
            let mut single = vec![7.0; weights.len()];
            let batch = Batch { inputs: &inputs, positive: &case.positive, mask: None, positive_weight: 2.5 };
            let got = Native::new(shape, steps, 32).gradient(&weights, batch, &mut single).unwrap();
            prop_assert!((loss - got).abs() < 1e-5 * loss);
            let length = grads.iter().map(|x| x * x).sum::<f64>().sqrt();
            let apart = grads.iter().zip(&single).map(|(a, &b)| (a - f64::from(b)).powi(2)).sum::<f64>().sqrt();
            prop_assert!(apart < 1e-5 * length, "{apart} of {length}");
        }
    }
}

use crate::{
    Cell, Device,
    gradient::{Batch, Gradient},
    shape::{Part, Shape},
};
use forewarn_core::CoreError;
use tch::{Kind, Reduction, TchError, Tensor};

/// libtorch's automatic differentiation of the same network, on the same flat weights.
pub(crate) struct Libtorch {
    shape: Shape,
    parts: Vec<Part>,
    steps: usize,
    device: tch::Device,
}

impl Libtorch {
    pub(crate) fn new(shape: Shape, steps: usize, device: Device) -> Self {
        let device = match device {
            Device::Cpu => tch::Device::Cpu,
            Device::CudaIfAvailable => tch::Device::cuda_if_available(),
        };
        if device == tch::Device::Cpu {
            // Sums over several threads differ in the last bits with their number.
            tch::set_num_threads(1);
        }
        Self { shape, parts: shape.parts(), steps, device }
    }

    fn tensor(&self, values: &[f32], shape: &[usize]) -> Result<Tensor, TchError> {
        let shape: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        Tensor::f_from_slice(values)?.f_view(&shape[..])?.f_to_device(self.device)
    }

    /// The weights as one tensor for each part, in their order.
    fn parameters(&self, weights: &[f32]) -> Result<Vec<Tensor>, TchError> {
        let tensor = |part: &Part| self.tensor(&weights[part.range.clone()], &part.shape);
        self.parts.iter().map(|part| tensor(part)?.f_set_requires_grad(true)).collect()
    }

    /// `[window]`.
    fn logits(&self, parameters: &[Tensor], batch: Batch<'_>) -> Result<Tensor, TchError> {
        let (windows, hidden) = (batch.positive.len(), self.shape.hidden);
        let inputs = self.tensor(batch.inputs, &[self.steps, windows, self.shape.inputs])?;
        let zero = Tensor::f_zeros([1, windows as i64, hidden as i64], (Kind::Float, self.device))?;
        let (rnn, head) = parameters.split_at(4);
        let state = match self.shape.cell {
            Cell::Lstm => {
                let start = [zero.shallow_clone(), zero];
                inputs.f_lstm(&start, rnn, true, 1, 0.0, true, false, false)?.1
            }
            Cell::Gru => inputs.f_gru(&zero, rnn, true, 1, 0.0, true, false, false)?.1,
        };
        let mut features = state.f_squeeze_dim(0)?;
        if let Some(mask) = batch.mask {
            features = features.f_mul(&self.tensor(mask, &[windows, hidden])?)?;
        }
        for (layer, parameters) in head.chunks_exact(2).enumerate() {
            if layer > 0 {
                features = features.f_relu()?;
            }
            features = features.f_linear(&parameters[0], Some(&parameters[1]))?;
        }
        features.f_squeeze_dim(1)
    }

    fn compute(&self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, TchError> {
        let parameters = self.parameters(weights)?;
        let truth: Vec<f32> = batch.positive.iter().map(|&positive| f32::from(u8::from(positive))).collect();
        let truth = self.tensor(&truth, &[batch.positive.len()])?;
        let positive_weight = self.tensor(&[batch.positive_weight as f32], &[1])?;
        let loss = self.logits(&parameters, batch)?.f_binary_cross_entropy_with_logits(
            &truth,
            None::<&Tensor>,
            Some(&positive_weight),
            Reduction::Mean,
        )?;
        let by_part = Tensor::f_run_backward(&[&loss], &parameters, false, false)?;
        for (part, grad) in self.parts.iter().zip(by_part) {
            let grad = grad.f_to_device(tch::Device::Cpu)?.f_contiguous()?;
            grad.f_copy_data(&mut grads[part.range.clone()], part.range.len())?;
        }
        f64::try_from(&loss)
    }
}

impl Gradient for Libtorch {
    fn gradient(&mut self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, CoreError> {
        self.compute(weights, batch, grads).map_err(|error| CoreError::outside("libtorch", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gradient::Native,
        random,
        workspace::{Start, Workspace},
    };
    use proptest::prelude::*;
    use rand_chacha::rand_core::Rng;

    struct Case {
        weights: Vec<f32>,
        inputs: Vec<f32>,
        positive: Vec<bool>,
        mask: Vec<f32>,
    }

    impl Case {
        fn new(shape: Shape, steps: usize, windows: usize, seed: u64) -> Self {
            let mut generator = random::generator(seed, 0);
            let weights = random::first_weights(shape, &mut generator);
            let mut mask = vec![0.0; windows * shape.hidden];
            random::dropout_mask(&mut mask, 0.3, &mut generator);
            let mut number = || (generator.next_u32() >> 8) as f32 / 4_194_304.0 - 2.0;
            let inputs = (0..steps * windows * shape.inputs).map(|_| number()).collect();
            let positive = (0..windows).map(|_| number() > 0.0).collect();
            Self { weights, inputs, positive, mask }
        }

        fn batch(&self) -> Batch<'_> {
            Batch {
                inputs: &self.inputs,
                positive: &self.positive,
                mask: Some(&self.mask),
                positive_weight: 3.0,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn gradients_and_scores_agree_with_the_native_ones(
            gru: bool, inputs in 1usize..24, hidden in 1usize..70, head in proptest::option::of(1usize..20),
            steps in 1usize..12, windows in 1usize..70, seed in 0u64..1_000_000
        ) {
            let cell = if gru { Cell::Gru } else { Cell::Lstm };
            let shape = Shape { cell, inputs, hidden, head };
            let case = Case::new(shape, steps, windows, seed);
            let (mut native, mut torch) = (vec![7.0; case.weights.len()], vec![7.0; case.weights.len()]);
            let native_loss = Native::new(shape, steps, 70).gradient(&case.weights, case.batch(), &mut native).unwrap();
            let mut libtorch = Libtorch::new(shape, steps, Device::Cpu);
            let torch_loss = libtorch.gradient(&case.weights, case.batch(), &mut torch).unwrap();
            prop_assert!((native_loss - torch_loss).abs() < 1e-5 * torch_loss, "{native_loss} {torch_loss}");
            for part in shape.parts() {
                let (native, torch) = (&native[part.range.clone()], &torch[part.range.clone()]);
                let largest = torch.iter().fold(0.0f32, |largest, grad| largest.max(grad.abs()));
                for (a, b) in native.iter().zip(torch) {
                    prop_assert!((a - b).abs() <= 1e-4 * largest.max(1e-4), "{}: {a} {b}", part.name);
                }
            }

            let mut space = Workspace::new(shape, steps, windows);
            space.begin(windows).copy_from_slice(&case.inputs);
            space.forward(&case.weights, Start::Zero);
            let parameters = libtorch.parameters(&case.weights).unwrap();
            let logits = libtorch.logits(&parameters, Batch { mask: None, ..case.batch() }).unwrap();
            let scores = Vec::<f32>::try_from(logits.sigmoid()).unwrap();
            for (&logit, score) in space.logits().iter().zip(scores) {
                let native = forewarn_core::sigmoid(f64::from(logit));
                prop_assert!((native - f64::from(score)).abs() < 1e-5, "{native} {score}");
            }
        }
    }

    /// `cargo test --release -p forewarn-recurrent --features libtorch -- --ignored --nocapture step_times`
    #[test]
    #[ignore = "a measurement, to be run alone"]
    fn step_times() {
        for cell in [Cell::Lstm, Cell::Gru] {
            let shape = Shape { cell, inputs: 19, hidden: 64, head: None };
            let case = Case::new(shape, 10, 64, 1);
            let mut grads = vec![0.0; case.weights.len()];
            let mut fastest = |gradient: &mut dyn Gradient| {
                let times = (0..500).map(|_| {
                    let start = std::time::Instant::now();
                    gradient.gradient(&case.weights, case.batch(), &mut grads).unwrap();
                    start.elapsed()
                });
                times.min().unwrap()
            };
            let native = fastest(&mut Native::new(shape, 10, 64));
            let torch = fastest(&mut Libtorch::new(shape, 10, Device::Cpu));
            println!(
                "{cell}, 10 steps of 19 features, 64 units, 64 windows: native {native:?}, libtorch {torch:?}"
            );
        }
    }
}

//! libtorch's automatic differentiation of the same network, on the same flat weights.

use crate::{
    Cell, Device, Pooling,
    gradient::{Batch, Gradient},
    shape::{Part, Shape},
};
use forewarn_core::CoreError;
use tch::{Kind, Reduction, TchError, Tensor};

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

    /// `[window, output]`.
    fn logits(&self, parameters: &[Tensor], batch: Batch<'_>) -> Result<Tensor, TchError> {
        let Shape { cell, hidden, layers, pooling, embedding, .. } = self.shape;
        let mut inputs = self.tensor(batch.inputs, &[self.steps, batch.windows, self.shape.inputs])?;
        let mut parameters = parameters;
        let mut take = |count: usize| {
            let (taken, others) = parameters.split_at(count);
            parameters = others;
            taken
        };
        if let Some(embedding) = embedding {
            let services: Vec<i64> = batch.services.iter().map(|&service| i64::from(service)).collect();
            let services = Tensor::f_from_slice(&services)?.f_to_device(self.device)?;
            let described = Tensor::f_embedding(&take(1)[0], &services, -1, false, false)?;
            let sides = [self.steps as i64, batch.windows as i64, embedding.width as i64];
            let described = described.f_unsqueeze(0)?.f_expand(sides, false)?;
            inputs = Tensor::f_cat(&[inputs, described], 2)?;
        }
        let sides = [layers as i64, batch.windows as i64, hidden as i64];
        let zero = Tensor::f_zeros(sides, (Kind::Float, self.device))?;
        let (rnn, layers) = (take(4 * layers), layers as i64);
        let (states, last) = match cell {
            Cell::Lstm => {
                let start = [zero.shallow_clone(), zero];
                let (states, last, _) = inputs.f_lstm(&start, rnn, true, layers, 0.0, true, false, false)?;
                (states, last)
            }
            Cell::Gru => inputs.f_gru(&zero, rnn, true, layers, 0.0, true, false, false)?,
        };
        let mut features = match pooling {
            Pooling::LastState => last.f_select(0, layers - 1)?,
            Pooling::Attention => {
                let scores = states.f_linear(&take(1)[0], None::<&Tensor>)?;
                let shares = scores.f_softmax(0, Kind::Float)?;
                states.f_mul(&shares)?.f_sum_dim_intlist(&[0i64][..], false, Kind::Float)?
            }
        };
        if let Some(mask) = batch.mask {
            features = features.f_mul(&self.tensor(mask, &[batch.windows, hidden])?)?;
        }
        for (layer, parameters) in take(self.shape.places().head.len() * 2).chunks_exact(2).enumerate() {
            if layer > 0 {
                features = features.f_relu()?;
            }
            features = features.f_linear(&parameters[0], Some(&parameters[1]))?;
        }
        Ok(features)
    }

    fn compute(&self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, TchError> {
        let parameters = self.parameters(weights)?;
        let sides = [batch.windows, self.shape.outputs];
        let targets = self.tensor(batch.truth.targets, &sides)?;
        let counts = self.tensor(batch.truth.weights, &sides)?;
        let loss = self.logits(&parameters, batch)?.f_binary_cross_entropy_with_logits(
            &targets,
            Some(&counts),
            None::<&Tensor>,
            Reduction::Sum,
        )?;
        let loss = loss.f_div_scalar(batch.windows as f64)?;
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
        Instructions, arithmetic::Plain, gradient::tests::Case, network::Network, pass::Pass,
        shape::strategies,
    };
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn gradients_and_scores_agree_with_the_native_ones(
            shape in strategies::shape(24, 70, 20), steps in 1usize..12, windows in 1usize..70, seed in 0u64..1_000_000
        ) {
            let case = Case::new(shape, steps, windows, seed);
            let (native_loss, native) = case.native(1, Instructions::Best);
            let mut torch = vec![7.0; native.len()];
            let mut libtorch = Libtorch::new(shape, steps, Device::Cpu);
            let torch_loss = libtorch.gradient(&case.parameters, case.batch(), &mut torch).unwrap();
            prop_assert!((native_loss - torch_loss).abs() <= 1e-5 * torch_loss, "{native_loss} {torch_loss}");
            for part in shape.parts() {
                let (native, torch) = (&native[part.range.clone()], &torch[part.range.clone()]);
                let largest = torch.iter().fold(0.0f32, |largest, grad| largest.max(grad.abs()));
                for (a, b) in native.iter().zip(torch) {
                    prop_assert!((a - b).abs() <= 1e-4 * largest.max(1e-4), "{}: {a} {b}", part.name);
                }
            }

            let network = Network::<f32>::packed(shape, &case.parameters);
            let mut pass = Pass::new(&network, steps, windows);
            pass.begin(windows);
            let rows = pass.inputs.chunks_exact_mut(shape.row()).zip(case.inputs.chunks_exact(shape.inputs));
            rows.for_each(|(to, from)| to[..shape.inputs].copy_from_slice(from));
            pass.services.copy_from_slice(&case.services);
            pass.describe(&network);
            pass.forward(Plain::<f32>::default(), &network);
            let parameters = libtorch.parameters(&case.parameters).unwrap();
            let logits = libtorch.logits(&parameters, Batch { mask: None, ..case.batch() }).unwrap();
            let torch = Vec::<f32>::try_from(logits.sigmoid().view([-1])).unwrap();
            let native = pass.logits(&network);
            let native = native.values.chunks_exact(native.stride).flat_map(|row| &row[..shape.outputs]);
            for (&logit, score) in native.zip(torch) {
                let native = forewarn_core::sigmoid(f64::from(logit));
                prop_assert!((native - f64::from(score)).abs() < 1e-5, "{native} {score}");
            }
        }
    }
}

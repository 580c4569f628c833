//! libtorch's automatic differentiation of the same network, on the same flat weights.

mod block;
pub(crate) mod cuda;
pub(crate) mod device;

use crate::{
    Cell, Device, Pooling,
    fit::gradient::{Batch, Gradient},
    network::shape::{Part, Shape},
};
use block::Block;
use forewarn_core::{CoreError, Windows};
use tch::{Kind, Reduction, TchError, Tensor};

pub(crate) struct Libtorch<'a> {
    shape: Shape,
    parts: Vec<Part>,
    /// The windows that batches are picked from.
    block: Block<'a>,
    device: tch::Device,
    /// A gradient and its loss, on their way back.
    results: Vec<f32>,
}

impl<'a> Libtorch<'a> {
    /// For batches of these windows, and others of their block.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for a device that is not there; [`CoreError::Outside`] where the block does not
    /// fit into its memory.
    pub(crate) fn new(shape: Shape, windows: Windows<'a>, device: Device) -> Result<Self, CoreError> {
        let device = cuda::find(device)?;
        if device == tch::Device::Cpu {
            // Sums over several threads differ in the last bits with their number.
            tch::set_num_threads(1);
        }
        let block = Block::new(windows, device).map_err(outside)?;
        Ok(Self { shape, parts: shape.parts(), block, device, results: vec![0.0; shape.weights() + 1] })
    }

    fn tensor(&self, values: &[f32], shape: &[usize]) -> Result<Tensor, TchError> {
        let shape: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        Tensor::f_from_slice(values)?.f_view(&shape[..])?.f_to_device(self.device)
    }

    /// The weights as one tensor for each part, in their order: views of one that goes to the device at once.
    fn parameters(&self, weights: &[f32]) -> Result<Vec<Tensor>, TchError> {
        let all = self.tensor(weights, &[weights.len()])?;
        let view = |part: &Part| {
            let sides: Vec<i64> = part.shape.iter().map(|&side| side as i64).collect();
            let values = all.f_narrow(0, part.range.start as i64, part.range.len() as i64)?;
            values.f_view(&sides[..])?.f_detach()?.f_set_requires_grad(true)
        };
        self.parts.iter().map(view).collect()
    }

    /// `[window, output]`.
    fn logits(&self, parameters: &[Tensor], batch: Batch<'_>) -> Result<Tensor, TchError> {
        let Shape { cell, hidden, layers, pooling, embedding, .. } = self.shape;
        // `[step, window, feature]`.
        let mut inputs = self.block.gather(batch.places)?;
        let (steps, windows) = (inputs.size()[0], batch.windows() as i64);
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
            let sides = [steps, windows, embedding.width as i64];
            let described = described.f_unsqueeze(0)?.f_expand(sides, false)?;
            inputs = Tensor::f_cat(&[inputs, described], 2)?;
        }
        let sides = [layers as i64, windows, hidden as i64];
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
            features = features.f_mul(&self.tensor(mask, &[batch.windows(), hidden])?)?;
        }
        for (layer, parameters) in take(self.shape.places().head.len() * 2).chunks_exact(2).enumerate() {
            if layer > 0 {
                features = features.f_relu()?;
            }
            features = features.f_linear(&parameters[0], Some(&parameters[1]))?;
        }
        Ok(features)
    }

    fn compute(&mut self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, TchError> {
        let parameters = self.parameters(weights)?;
        let sides = [batch.windows(), self.shape.outputs];
        let targets = self.tensor(batch.truth.targets, &sides)?;
        let counts = self.tensor(batch.truth.weights, &sides)?;
        let loss = self.logits(&parameters, batch)?.f_binary_cross_entropy_with_logits(
            &targets,
            Some(&counts),
            None::<&Tensor>,
            Reduction::Sum,
        )?;
        let loss = loss.f_div_scalar(batch.windows() as f64)?;
        let by_part = Tensor::f_run_backward(&[&loss], &parameters, false, false)?;
        // One way back for all of them: parts tile the weights in order.
        let flat = by_part.iter().chain([&loss]).map(|result| result.f_reshape([-1i64]));
        let results = Tensor::f_cat(&flat.collect::<Result<Vec<_>, _>>()?, 0)?;
        let results = results.f_detach()?.f_to_device(tch::Device::Cpu)?;
        results.f_copy_data(&mut self.results, grads.len() + 1)?;
        grads.copy_from_slice(&self.results[..grads.len()]);
        Ok(f64::from(self.results[grads.len()]))
    }
}

impl Gradient for Libtorch<'_> {
    fn gradient(&mut self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, CoreError> {
        self.compute(weights, batch, grads).map_err(outside)
    }
}

fn outside(error: TchError) -> CoreError {
    CoreError::outside("libtorch", error)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        Instructions,
        fit::gradient::tests::Case,
        network::{Network, pass::Pass, shape::strategies},
        simd::arithmetic::Plain,
    };
    use forewarn_schema::{Metric, Schema};
    use proptest::prelude::*;

    /// A trainer of the case's windows.
    pub(crate) fn with<T>(case: &Case, work: impl FnOnce(Libtorch<'_>) -> T) -> T {
        let names = (0..case.shape.inputs).map(|feature| Metric::gauge(format!("m{feature}")));
        let schema = Schema::new(names.collect()).unwrap();
        let last_rows: Vec<u32> =
            case.places.iter().map(|&place| place as u32 + case.steps as u32 - 1).collect();
        let windows = Windows::new(&schema, &case.block, case.steps, &last_rows).unwrap();
        work(Libtorch::new(case.shape, windows, Device::Cpu).unwrap())
    }

    fn gradient(case: &Case) -> (f64, Vec<f32>) {
        let mut grads = vec![7.0; case.parameters.len()];
        let loss =
            with(case, |mut libtorch| libtorch.gradient(&case.parameters, case.batch(), &mut grads).unwrap());
        (loss, grads)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn gradients_and_scores_agree_with_the_native_ones(
            shape in strategies::shape(24, 70, 20), steps in 1usize..12, windows in 1usize..70, seed in 0u64..1_000_000
        ) {
            let case = Case::new(shape, steps, windows, seed);
            let (native_loss, native) = case.native(1, Instructions::Best);
            let (torch_loss, torch) = gradient(&case);
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
            for (window, &place) in case.places.iter().enumerate() {
                pass.read(&network, window, &case.block[place as usize * shape.inputs..]);
            }
            pass.services.copy_from_slice(&case.services);
            pass.describe(&network);
            pass.forward(Plain::<f32>::default(), &network);
            let torch = with(&case, |libtorch| {
                let parameters = libtorch.parameters(&case.parameters).unwrap();
                let logits = libtorch.logits(&parameters, Batch { mask: None, ..case.batch() }).unwrap();
                Vec::<f32>::try_from(logits.sigmoid().view([-1])).unwrap()
            });
            let native = pass.logits(&network);
            let native = native.values.chunks_exact(native.stride).flat_map(|row| &row[..shape.outputs]);
            for (&logit, score) in native.zip(torch) {
                let native = forewarn_core::sigmoid(f64::from(logit));
                prop_assert!((native - f64::from(score)).abs() < 1e-5, "{native} {score}");
            }
        }
    }

    /// Windows that share rows give what copies of them give, bit for bit; a value that is missing is 0.
    #[test]
    fn windows_that_are_views_give_what_copies_give() {
        for cell in [Cell::Lstm, Cell::Gru] {
            let case = Case::new(strategies::plain(cell, 3, 20, Some(8)), 5, 40, 3);
            assert!(case.block.iter().any(|value| value.is_nan()));
            let (loss, grads) = gradient(&case);
            assert!(grads.iter().all(|grad| grad.is_finite()) && grads.iter().any(|&grad| grad != 0.0));
            assert_eq!((loss, grads), gradient(&case.copied()));
            let mut beyond = case.places.clone();
            beyond[39] = 96;
            let beyond = Batch { places: &beyond, ..case.batch() };
            let result = with(&case, |mut libtorch| {
                libtorch.gradient(&case.parameters, beyond, &mut vec![0.0; case.parameters.len()])
            });
            assert!(matches!(result, Err(CoreError::Outside { .. })));
        }
    }

    /// Picking from a view must not copy the view, which is as many times the block as a window has rows.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_gradient_takes_memory_for_its_batch_alone() {
        // The most memory that this process ever had, in bytes.
        let most = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
        };
        let mut case = Case::new(strategies::plain(Cell::Gru, 16, 8, None), 32, 64, 3);
        case.block.resize(16 << 20, 0.5);
        let before = most();
        gradient(&case);
        let (grown, block) = (most() - before, size_of_val(&case.block[..]));
        assert!(grown < 2 * block, "{grown} for a block of {block}");
    }
}

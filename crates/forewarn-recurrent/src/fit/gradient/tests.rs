use super::*;
use crate::{
    Cell,
    network::shape::strategies,
    simd::{arithmetic::Plain, processor::Instructions},
};
use proptest::prelude::*;

/// Numbers in -scale..scale that look random.
pub(crate) fn numbers(count: usize, seed: u64, scale: f64) -> Vec<f64> {
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

pub(crate) fn single(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|&x| x as f32).collect()
}

/// Windows of any shape with anything for truth, as `f32` can hold it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) shape: Shape,
    pub(crate) steps: usize,
    /// `[row, feature]`; a value here and there is missing.
    pub(crate) block: Vec<f32>,
    pub(crate) places: Vec<i64>,
    pub(crate) services: Vec<u32>,
    pub(crate) targets: Vec<f32>,
    pub(crate) weights: Vec<f32>,
    pub(crate) mask: Vec<f32>,
    /// Of the network.
    pub(crate) parameters: Vec<f32>,
}

impl Case {
    pub(crate) fn new(shape: Shape, steps: usize, windows: usize, seed: u64) -> Self {
        let outputs = windows * shape.outputs;
        // Enough for windows to share some.
        let rows = steps + windows;
        let services = shape.embedding.map_or(1, |embedding| embedding.services + 1);
        let chosen = numbers(windows, seed + 4, 1.0);
        Self {
            shape,
            steps,
            block: numbers(rows * shape.inputs, seed, 2.0)
                .iter()
                .map(|&x| if x > 1.9 { f32::NAN } else { x as f32 })
                .collect(),
            places: numbers(windows, seed + 6, 1.0)
                .iter()
                .map(|&x| ((x + 1.0) / 2.0 * (rows - steps + 1) as f64) as i64)
                .collect(),
            services: chosen.iter().map(|&x| ((x + 1.0) / 2.0 * services as f64) as u32).collect(),
            targets: numbers(outputs, seed + 1, 1.0)
                .iter()
                .map(|&x| {
                    if x > 0.3 {
                        1.0
                    } else if x > 0.0 {
                        0.25
                    } else {
                        0.0
                    }
                })
                .collect(),
            weights: numbers(outputs, seed + 5, 1.0)
                .iter()
                .map(|&x| if x > 0.7 { 0.0 } else { 2.5 })
                .collect(),
            mask: numbers(windows * shape.hidden, seed + 2, 1.0)
                .iter()
                .map(|&x| if x > 0.6 { 0.0 } else { 1.25 })
                .collect(),
            parameters: single(&numbers(shape.weights(), seed + 3, (shape.hidden as f64).powf(-0.5))),
        }
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch {
            block: &self.block,
            places: &self.places,
            services: &self.services,
            truth: Truth { targets: &self.targets, weights: &self.weights },
            mask: Some(&self.mask),
        }
    }

    /// The same windows, each with rows of its own and 0 for what is missing.
    pub(crate) fn copied(&self) -> Self {
        let size = self.steps * self.shape.inputs;
        let rows = |&place: &i64| &self.block[place as usize * self.shape.inputs..][..size];
        let value = |value: &f32| if value.is_nan() { 0.0 } else { *value };
        Self {
            block: self.places.iter().flat_map(rows).map(value).collect(),
            places: (0..self.places.len()).map(|window| (window * self.steps) as i64).collect(),
            ..self.clone()
        }
    }

    /// In double precision and plain Rust.
    pub(crate) fn loss(&self, parameters: &[f64], grads: Option<&mut [f64]>) -> f64 {
        let mut network = Network::<f64>::new(self.shape).with_backward();
        network.fill(parameters);
        let windows = self.places.len();
        let mut pass = Pass::new(&network, self.steps, windows);
        pass.begin(windows);
        for (window, &place) in self.places.iter().enumerate() {
            pass.read(&network, window, &self.block[place as usize * self.shape.inputs..]);
        }
        pass.services.copy_from_slice(&self.services);
        pass.describe(&network);
        for (to, &from) in pass.mask.iter_mut().zip(&self.mask) {
            *to = f64::from(from);
        }
        let a = Plain::<f64>::default();
        pass.forward(a, &network);
        let share = 1.0 / windows as f64;
        let loss = pass.cross_entropy(&network, self.batch().truth, share) * share;
        if let Some(grads) = grads {
            // Filled, because a pass must replace what was there.
            let mut packed = vec![7.0; network.grads()];
            pass.backward(a, &network, &mut packed);
            network.unpack(&packed, grads);
        }
        loss
    }

    pub(crate) fn double(&self) -> Vec<f64> {
        self.parameters.iter().map(|&x| f64::from(x)).collect()
    }

    pub(crate) fn native(&self, threads: usize, instructions: Instructions) -> (f64, Vec<f32>) {
        let mut grads = vec![7.0; self.parameters.len()];
        let processor = Processor::new(instructions).unwrap();
        let batch_size = self.places.len() + 3;
        let mut native = Native::new(self.shape, self.steps, batch_size, threads, processor).unwrap();
        let loss = native.gradient(&self.parameters, self.batch(), &mut grads).unwrap();
        (loss, grads)
    }
}

/// Holds the gradient of a case against finite differences, at these weights.
fn expect_slopes(case: &Case, weights: impl IntoIterator<Item = usize>) {
    let parameters = case.double();
    let mut grads = vec![7.0; parameters.len()];
    case.loss(&parameters, Some(&mut grads));
    let nudge = 1e-5;
    for i in weights {
        let mut moved = parameters.clone();
        moved[i] += nudge;
        let above = case.loss(&moved, None);
        moved[i] -= 2.0 * nudge;
        let slope = (above - case.loss(&moved, None)) / (2.0 * nudge);
        let (grad, shape) = (grads[i], case.shape);
        assert!((grad - slope).abs() < 1e-8 + 1e-6 * slope.abs(), "{shape:?} weight {i}: {grad} {slope}");
    }
}

/// Units in two panels and in three, some of them filled in part. Checked are some weights of every part, always
/// the last, which is of the last unit.
#[test]
fn gradients_of_several_panels_are_the_slopes_of_the_loss() {
    use crate::{Pooling, network::shape::Embedding};
    let embedding = Some(Embedding { services: 3, width: 2 });
    for cell in [Cell::Lstm, Cell::Gru] {
        for (hidden, layers, head, pooling, embedding) in [
            (17, 1, None, Pooling::LastState, None),
            (32, 2, Some(18), Pooling::LastState, embedding),
            (36, 1, Some(33), Pooling::Attention, None),
            (36, 3, None, Pooling::Attention, embedding),
        ] {
            let shape =
                Shape { layers, pooling, embedding, outputs: 2, ..strategies::plain(cell, 19, hidden, head) };
            let case = Case::new(shape, 4, 3, hidden as u64);
            let some = |range: std::ops::Range<usize>| {
                let chosen = numbers(4, range.start as u64, 0.5).into_iter();
                let place = |x: f64| range.start + ((x + 0.5) * range.len() as f64) as usize;
                chosen.map(place).chain([range.end - 1]).collect::<Vec<_>>()
            };
            expect_slopes(&case, shape.parts().into_iter().flat_map(|part| some(part.range)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn gradients_are_the_slopes_of_the_loss(
        shape in strategies::shape(4, 5, 4), steps in 1usize..6, windows in 1usize..6, seed in 0u64..1_000_000
    ) {
        let case = Case::new(shape, steps, windows, seed);
        expect_slopes(&case, 0..case.parameters.len());
    }

    #[test]
    fn every_processor_agrees_with_double_precision(
        shape in strategies::shape(9, 40, 20), steps in 1usize..9, windows in 1usize..80, seed in 0u64..1000
    ) {
        let case = Case::new(shape, steps, windows, seed);
        let mut grads = vec![7.0; case.parameters.len()];
        let loss = case.loss(&case.double(), Some(&mut grads));
        let length = grads.iter().map(|x| x * x).sum::<f64>().sqrt();
        for instructions in Instructions::available() {
            let (got, single) = case.native(1, instructions);
            prop_assert!((loss - got).abs() < 1e-5 * loss.max(1e-3), "{instructions:?}: {loss} {got}");
            let apart = grads.iter().zip(&single).map(|(a, &b)| (a - f64::from(b)).powi(2)).sum::<f64>().sqrt();
            prop_assert!(apart < 1e-5 * length.max(1e-3), "{instructions:?}: {apart} of {length}");
        }
    }

    #[test]
    fn bits_depend_neither_on_threads_nor_on_where_windows_lie(
        shape in strategies::shape(9, 20, 20), windows in 1usize..200, threads in 2usize..5, seed in 0u64..1000
    ) {
        let case = Case::new(shape, 3, windows, seed);
        let alone = case.native(1, Instructions::Best);
        prop_assert_eq!(&alone, &case.native(threads, Instructions::Best));
        prop_assert_eq!(alone, case.copied().native(1, Instructions::Best), "windows that share rows");
    }
}

#[test]
fn processors_that_round_once_agree_to_the_bit() {
    for cell in [Cell::Lstm, Cell::Gru] {
        let case = Case::new(strategies::plain(cell, 19, 64, Some(32)), 10, 70, 3);
        let results: Vec<_> = Instructions::available()
            .into_iter()
            .filter(|&instructions| instructions != Instructions::Portable)
            .map(|instructions| case.native(1, instructions))
            .collect();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{cell}");
    }
}

#[test]
fn a_step_allocates_nothing() {
    for pooling in [crate::Pooling::LastState, crate::Pooling::Attention] {
        let shape = Shape { layers: 2, pooling, ..strategies::plain(Cell::Lstm, 19, 20, Some(8)) };
        let case = Case::new(shape, 5, 70, 3);
        let mut parameters = case.parameters.clone();
        let mut grads = vec![0.0; parameters.len()];
        let mut optimiser =
            crate::fit::optimiser::Optimiser::new(shape, &crate::Settings::default()).unwrap();
        // With a helper the caller boxes its work, and the pool's queue a block now and then.
        for (threads, most) in [(1, 0), (2, 4)] {
            let mut native = Native::new(shape, 5, 70, threads, Processor::best()).unwrap();
            let allocated = allocation_counter::measure(|| {
                for _ in 0..3 {
                    native.gradient(&parameters, case.batch(), &mut grads).unwrap();
                    optimiser.update(0.01, &mut parameters, &grads);
                }
            });
            assert!(allocated.count_total <= most, "{allocated:?}");
        }
    }
}

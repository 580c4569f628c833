use crate::{
    fit::helpers::Helpers,
    network::{
        Network,
        pass::{Pass, Truth},
        shape::Shape,
    },
    simd::{
        aligned::Aligned,
        arithmetic::Arithmetic,
        processor::{Processor, Task},
    },
};
use forewarn_core::CoreError;

/// One batch of a fit.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// `[row, feature]`: what all windows lie in; NaN for what is missing, nothing infinite or near.
    pub(crate) block: &'a [f32],
    /// `[window]`: the first of its rows.
    pub(crate) places: &'a [i64],
    /// `[window]`: the number of its service, 0 for one that is unknown.
    pub(crate) services: &'a [u32],
    /// `[window, output]`.
    pub(crate) truth: Truth<'a>,
    /// `[window, unit]`: what the pooled states are multiplied with; `None` without dropout.
    pub(crate) mask: Option<&'a [f32]>,
}

impl Batch<'_> {
    pub(crate) fn windows(&self) -> usize {
        self.places.len()
    }
}

/// Who computes gradients: all in which the trainers differ.
pub(crate) trait Gradient: Send {
    /// Replaces `grads` by the derivatives of the batch's mean cross-entropy by the weights, and returns that mean.
    fn gradient(&mut self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, CoreError>;
}

/// Windows whose gradient is computed in one piece. A batch is the sum of its pieces, in order, so its bits do not
/// depend on how many threads share them; and a piece's activations stay in the second-level cache.
pub(crate) const PIECE: usize = 32;

/// Back-propagation through time in pure Rust. Nothing is allocated after [`new`](Self::new) but, for every thread
/// beside the caller's, the boxes in which a step's work and the wait for the next are handed to it.
pub(crate) struct Native {
    processor: Processor,
    /// One for each thread.
    workers: Vec<Worker>,
    /// One for each piece of the largest batch.
    pieces: Vec<Piece>,
    /// The threads beside the caller's; `None` for that alone.
    helpers: Option<Helpers>,
}

/// What a thread works with. Each packs the weights for itself: packed by one they would have to travel from its
/// cache to the others', which takes longer.
struct Worker {
    network: Network<f32>,
    pass: Pass<f32>,
}

struct Piece {
    grads: Aligned<f32>,
    loss: f64,
}

impl Native {
    /// For batches of up to `batch_size` windows of `steps` rows.
    ///
    /// # Errors
    /// [`CoreError::Outside`] when threads cannot be made.
    pub(crate) fn new(
        shape: Shape,
        steps: usize,
        batch_size: usize,
        threads: usize,
        processor: Processor,
    ) -> Result<Self, CoreError> {
        let network = Network::new(shape).with_backward();
        let pieces = batch_size.div_ceil(PIECE);
        let threads = threads.min(pieces);
        let helpers = if threads > 1 { Some(Helpers::new(threads - 1)?) } else { None };
        let piece = || Piece { grads: Aligned::new(network.grads()), loss: 0.0 };
        let worker =
            || Worker { network: network.clone(), pass: Pass::new(&network, steps, batch_size.min(PIECE)) };
        Ok(Self {
            processor,
            workers: (0..threads).map(|_| worker()).collect(),
            pieces: (0..pieces).map(|_| piece()).collect(),
            helpers,
        })
    }
}

impl Gradient for Native {
    fn gradient(&mut self, weights: &[f32], batch: Batch<'_>, grads: &mut [f32]) -> Result<f64, CoreError> {
        let Self { processor, workers, pieces, helpers } = self;
        let pieces = &mut pieces[..batch.windows().div_ceil(PIECE)];
        let share = pieces.len().div_ceil(workers.len());
        let processor = *processor;
        // Thread i takes pieces i * share and those after.
        let compute = |(thread, (worker, pieces)): (usize, (&mut Worker, &mut [Piece]))| {
            let Worker { network, pass } = worker;
            network.fill(weights);
            for (number, piece) in pieces.iter_mut().enumerate() {
                let first = (thread * share + number) * PIECE;
                processor.run(Compute { network, batch, first, pass, piece });
            }
        };
        let shares = workers.iter_mut().zip(pieces.chunks_mut(share)).enumerate();
        match helpers {
            None => shares.for_each(compute),
            Some(helpers) => helpers.share_out(shares, compute),
        }
        let (first, others) = pieces.split_at_mut(1);
        for piece in others {
            processor.run(AddUp { to: &mut first[0].grads, from: &piece.grads });
            first[0].loss += piece.loss;
        }
        workers[0].network.unpack(&first[0].grads, grads);
        Ok(first[0].loss / batch.windows() as f64)
    }
}

/// The gradient of one piece of a batch.
struct Compute<'a> {
    network: &'a Network<f32>,
    batch: Batch<'a>,
    /// Its first window.
    first: usize,
    pass: &'a mut Pass<f32>,
    piece: &'a mut Piece,
}

impl Task for Compute<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, a: A) {
        let Self { network, batch, first, pass, piece } = self;
        let windows = PIECE.min(batch.windows() - first);
        let (inputs, outputs) = (network.shape.inputs, network.shape.outputs);
        pass.begin(windows);
        for (window, &place) in batch.places[first..first + windows].iter().enumerate() {
            pass.read(network, window, &batch.block[place as usize * inputs..]);
        }
        pass.services[..windows].copy_from_slice(&batch.services[first..first + windows]);
        pass.describe(network);
        let hidden = network.shape.hidden;
        if let Some(mask) = batch.mask {
            pass.mask[..windows * hidden].copy_from_slice(&mask[first * hidden..][..windows * hidden]);
        }
        pass.forward(a, network);
        let of = |values| -> &[f32] {
            let values: &[f32] = values;
            &values[first * outputs..][..windows * outputs]
        };
        let truth = Truth { targets: of(batch.truth.targets), weights: of(batch.truth.weights) };
        piece.loss = pass.cross_entropy(network, truth, 1.0 / batch.windows() as f64);
        pass.backward(a, network, &mut piece.grads);
    }
}

struct AddUp<'a> {
    to: &'a mut [f32],
    from: &'a [f32],
}

impl Task for AddUp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, _: A) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to += from;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

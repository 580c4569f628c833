//! All steps of a batch through one layer, what they leave behind, and the way back.

use super::{Inputs, Kept, Layer, Step};
use crate::{
    Cell,
    network::{
        gates::{Gates, SLOTS},
        gru::Gru,
        lstm::Lstm,
        shape::{LayerPlaces, LayerShape},
    },
    simd::{
        aligned::Aligned,
        arithmetic::{Arithmetic, LANES, Lanes},
        kernel::{From, Rows, lanes, lanes_mut, outer, product, side_by_side, sum_rows},
        real::Real,
    },
};

/// A layer's activations of a batch, which become derivatives on the way back. Time comes first in all.
#[derive(Clone, Debug)]
pub(crate) struct Trace<T> {
    /// `[step, window, panel, slot, lane]`.
    pub(crate) slots: Aligned<T>,
    /// `[step + 1, window, unit]`: the state before each step and after the last.
    pub(crate) states: Aligned<T>,
    /// Same shape: the memory of a cell that has one.
    pub(crate) cells: Aligned<T>,
    /// `[step, window, unit]`.
    pub(crate) squashed: Aligned<T>,
    /// `[step, window, unit]`: derivatives by the states after each step.
    pub(crate) state_grads: Aligned<T>,
    /// `[window, unit]`.
    memory_grads: Aligned<T>,
}

impl<T: Real> Trace<T> {
    pub(crate) fn new(shape: LayerShape, steps: usize, windows: usize) -> Self {
        let size = windows * shape.stride();
        let cells = usize::from(shape.cell == Cell::Lstm);
        Self {
            slots: Aligned::new(steps * size * SLOTS),
            states: Aligned::new((steps + 1) * size),
            cells: Aligned::new(cells * (steps + 1) * size),
            squashed: Aligned::new(cells * steps * size),
            state_grads: Aligned::new(steps * size),
            memory_grads: Aligned::new(size),
        }
    }
}

impl<T: Real> Layer<T> {
    /// All steps from a state of zeros. `inputs` is `[step, window, input]`.
    #[inline(always)]
    pub(crate) fn forward<A: Arithmetic<Number = T>>(
        &self,
        a: A,
        inputs: Rows<'_, T>,
        windows: usize,
        trace: &mut Trace<T>,
    ) {
        let size = windows * self.shape.stride();
        let steps = inputs.values.len() / (windows * inputs.stride);
        trace.states[..size].fill(T::ZERO);
        let has_cells = !trace.cells.is_empty();
        if has_cells {
            trace.cells[..size].fill(T::ZERO);
        }
        for t in 0..steps {
            let (before, after) = trace.states[t * size..][..2 * size].split_at_mut(size);
            let (memory, memory_after, squashed) = if has_cells {
                let (memory, after) = trace.cells[t * size..][..2 * size].split_at_mut(size);
                (&*memory, after, &mut trace.squashed[t * size..][..size])
            } else {
                (&*before, &mut [][..], &mut [][..])
            };
            let row = windows * inputs.stride;
            let step = Step {
                inputs: Inputs::Rows(Rows { values: &inputs.values[t * row..][..row], ..inputs }),
                before: (t > 0).then_some(&*before),
                memory,
                after,
                memory_after,
                kept: Some(Kept { slots: &mut trace.slots[t * size * SLOTS..][..size * SLOTS], squashed }),
            };
            self.step(a, step);
        }
    }

    /// From the derivatives by the states after each step, in `trace.state_grads`, to those by all weights, which are
    /// added to `grads`, and to those by the inputs, which are written to `input_grads` where that is asked for.
    #[inline(always)]
    pub(crate) fn backward<A: Arithmetic<Number = T>>(
        &self,
        a: A,
        inputs: Rows<'_, T>,
        windows: usize,
        trace: &mut Trace<T>,
        grads: &mut [T],
        input_grads: Option<&mut [T]>,
    ) {
        match self.shape.cell {
            Cell::Lstm => self.backward_as::<A, Lstm, 4>(a, inputs, windows, trace, grads, input_grads),
            Cell::Gru => self.backward_as::<A, Gru, 3>(a, inputs, windows, trace, grads, input_grads),
        }
    }

    #[inline(always)]
    fn backward_as<A: Arithmetic<Number = T>, C: Gates<G>, const G: usize>(
        &self,
        a: A,
        inputs: Rows<'_, T>,
        windows: usize,
        trace: &mut Trace<T>,
        grads: &mut [T],
        input_grads: Option<&mut [T]>,
    ) {
        let stride = self.shape.stride();
        let size = windows * stride;
        let steps = inputs.values.len() / (windows * inputs.stride);
        let Some(backward) = &self.backward else { return };
        trace.memory_grads[..size].fill(T::ZERO);
        for t in (0..steps).rev() {
            let slots = &mut trace.slots[t * size * SLOTS..][..size * SLOTS];
            let memory = if C::HAS_CELLS { &trace.cells } else { &trace.states };
            let (earlier, state_grads) = trace.state_grads.split_at_mut(t * size);
            for at in (0..size).step_by(LANES) {
                let slots: &mut [Lanes<T>; SLOTS] = slots[at * SLOTS..]
                    .as_chunks_mut::<LANES>()
                    .0
                    .first_chunk_mut()
                    .expect("four slots a unit");
                let mut activated = [a.splat(T::ZERO); SLOTS];
                for slot in 0..SLOTS {
                    activated[slot] = a.load(&slots[slot]);
                }
                let squashed =
                    if C::HAS_CELLS { a.load(lanes(&trace.squashed, t * size + at)) } else { activated[0] };
                let memory_grad = lanes_mut(&mut trace.memory_grads, at);
                let (by_sums, by_memory) = C::differentiate(
                    a,
                    activated,
                    a.load(lanes(memory, t * size + at)),
                    squashed,
                    a.load(lanes(state_grads, at)),
                    a.load(memory_grad),
                );
                for slot in 0..SLOTS {
                    a.store(by_sums[slot], &mut slots[slot]);
                }
                if C::HAS_CELLS {
                    a.store(by_memory, memory_grad);
                } else if t > 0 {
                    let earlier = lanes_mut(earlier, (t - 1) * size + at);
                    a.store(a.add(a.load(earlier), by_memory), earlier);
                }
            }
            if t > 0 {
                let to = &mut earlier[(t - 1) * size..];
                product(
                    a,
                    sums::<T, G>(slots, stride, C::STATE_SLOT),
                    &backward.state,
                    From::Result,
                    to,
                    stride,
                );
            }
        }

        let slots = &trace.slots[..steps * size * SLOTS];
        let panel_len = self.shape.panel_vectors() * LANES;
        let (biases, weights) = grads.split_at_mut(SLOTS * stride);
        sum_rows(a, slots, SLOTS * stride, biases);
        // The first step saw a state of zeros, so it has no part in the recurrent weights.
        let later = &slots[size * SLOTS..];
        let states = Rows::new(&trace.states[size..steps * size], stride, self.shape.hidden);
        for (panel, to) in weights.chunks_exact_mut(panel_len - SLOTS * LANES).enumerate() {
            let (to_inputs, to_states) = to.split_at_mut(self.shape.inputs * G * LANES);
            let at = panel * SLOTS * LANES;
            outer::<A, G>(a, inputs, slots, SLOTS * stride, at, to_inputs);
            outer::<A, G>(a, states, later, SLOTS * stride, at + C::STATE_SLOT * LANES, to_states);
        }
        if let (Some(panels), Some(to)) = (&backward.inputs, input_grads) {
            product(a, sums::<T, G>(slots, stride, 0), panels, From::Bias, to, panels.stride());
        }
    }

    /// Numbers of the layer's part of a gradient.
    pub(crate) fn grads(&self) -> usize {
        self.shape.panels() * self.shape.panel_vectors() * LANES
    }

    /// A gradient as [`backward`](Self::backward) leaves it, in PyTorch's order.
    pub(crate) fn unpack(&self, grads: &[T], places: &LayerPlaces, to: &mut [T]) {
        match self.shape.cell {
            Cell::Lstm => self.unpack_as::<Lstm, 4>(grads, places, to),
            Cell::Gru => self.unpack_as::<Gru, 3>(grads, places, to),
        }
    }

    fn unpack_as<C: Gates<G>, const G: usize>(&self, grads: &[T], places: &LayerPlaces, to: &mut [T]) {
        let LayerShape { inputs, hidden, .. } = self.shape;
        let (biases, weights) = grads.split_at(SLOTS * self.shape.stride());
        let panel_len = (inputs + hidden) * G * LANES;
        for unit in 0..hidden {
            let (panel, lane) = (unit / LANES, unit % LANES);
            let (of_inputs, of_states) =
                weights[panel * panel_len..][..panel_len].split_at(inputs * G * LANES);
            let biases = &biases[panel * SLOTS * LANES..];
            for gate in 0..G {
                let at = gate * LANES + lane;
                let row = C::INPUT_GATES[gate] * hidden + unit;
                let to_inputs = &mut to[places.weight_ih.clone()][row * inputs..][..inputs];
                gather::<T, G>(of_inputs, gate, lane, to_inputs);
                to[places.bias_ih.start + row] = biases[at];
                let row = C::STATE_GATES[gate] * hidden + unit;
                let to_states = &mut to[places.weight_hh.clone()][row * hidden..][..hidden];
                gather::<T, G>(of_states, gate, lane, to_states);
                to[places.bias_hh.start + row] = biases[at + C::STATE_SLOT * LANES];
            }
        }
    }
}

/// Of each unit's slots the `G` from `from` on.
fn sums<T, const G: usize>(values: &[T], stride: usize, from: usize) -> Rows<'_, T> {
    Rows { values, stride: SLOTS * stride, chunk: SLOTS * LANES, from: from * LANES, take: G * LANES }
}

/// Reads one lane of every `G`-th vector.
fn gather<T: Copy, const G: usize>(from: &[T], gate: usize, lane: usize, to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(side_by_side::<T, G>(from)) {
        *to = from[gate][lane];
    }
}

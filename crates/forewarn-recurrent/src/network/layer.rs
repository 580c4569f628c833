//! One recurrent layer, of either cell: its weights as products read them, and a step forward.

#![expect(clippy::needless_range_loop, reason = "sums and slots are registers, which constants name")]

mod trace;

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
        kernel::{Rows, accumulate, lanes, lanes_mut, side_by_side},
        panels::Panels,
        real::Real,
    },
};
pub(crate) use trace::Trace;

/// A layer's weights, panel by panel of sixteen units.
#[derive(Clone, Debug)]
pub(crate) struct Layer<T> {
    pub(crate) shape: LayerShape,
    /// For each panel `[4]` biases, `[input, gate]` and `[unit, gate]` vectors.
    forward: Aligned<T>,
    /// What a backward pass needs besides.
    backward: Option<Backward<T>>,
}

#[derive(Clone, Debug)]
struct Backward<T> {
    /// From the derivatives by the sums to those by the state before.
    state: Panels<T>,
    /// To those by the inputs; for layers whose inputs are learnt.
    inputs: Option<Panels<T>>,
}

/// The layer's weights and biases in PyTorch's order.
pub(crate) struct Flat<'a, T> {
    pub(crate) weight_ih: &'a [T],
    pub(crate) weight_hh: &'a [T],
    pub(crate) bias_ih: &'a [T],
    pub(crate) bias_hh: &'a [T],
}

impl<'a, T> Flat<'a, T> {
    pub(crate) fn new(weights: &'a [T], places: &LayerPlaces) -> Self {
        Self {
            weight_ih: &weights[places.weight_ih.clone()],
            weight_hh: &weights[places.weight_hh.clone()],
            bias_ih: &weights[places.bias_ih.clone()],
            bias_hh: &weights[places.bias_hh.clone()],
        }
    }
}

/// What a step reads of its inputs.
#[derive(Clone, Copy)]
pub(crate) enum Inputs<'a, T> {
    /// `[window, input]`.
    Rows(Rows<'a, T>),
    /// Rows that windows share, whose products with the weights have been taken once for all.
    Projected(Projected<'a, T>),
}

/// What [`Layer::project`] made of rows, and which of them windows are at.
#[derive(Clone, Copy)]
pub(crate) struct Projected<'a, T> {
    /// `[panel, row, gate, lane]`.
    pub(crate) sums: &'a [T],
    /// Rows that were projected.
    pub(crate) rows: usize,
    /// `[window]`: the first of its rows.
    pub(crate) places: &'a [u32],
    /// Rows since.
    pub(crate) step: usize,
}

/// One step of all windows: where it reads and writes.
pub(crate) struct Step<'a, T> {
    pub(crate) inputs: Inputs<'a, T>,
    /// `[window, unit]`: the states before; `None` for zeros, whose products are skipped.
    pub(crate) before: Option<&'a [T]>,
    /// `[window, unit]`: the memory before.
    pub(crate) memory: &'a [T],
    /// `[window, unit]`: the states after.
    pub(crate) after: &'a mut [T],
    /// `[window, unit]`: the memory after; empty for a cell without.
    pub(crate) memory_after: &'a mut [T],
    /// What a backward pass will read.
    pub(crate) kept: Option<Kept<'a, T>>,
}

/// What a step leaves for the way back.
pub(crate) struct Kept<'a, T> {
    /// `[window, panel, slot, lane]`.
    pub(crate) slots: &'a mut [T],
    /// `[window, unit]`; empty for a cell without memory.
    pub(crate) squashed: &'a mut [T],
}

impl<T: Real> Layer<T> {
    pub(crate) fn new(shape: LayerShape) -> Self {
        let panel = shape.panel_vectors() * LANES;
        Self { shape, forward: Aligned::new(shape.panels() * panel), backward: None }
    }

    /// Room for the way back as well, to the inputs too if they are learnt.
    pub(crate) fn with_backward(self, inputs_are_learnt: bool) -> Self {
        let rows = self.shape.panels() * self.shape.gates() * LANES;
        let inputs = inputs_are_learnt.then(|| Panels::new(rows, self.shape.inputs));
        let backward = Some(Backward { state: Panels::new(rows, self.shape.hidden), inputs });
        Self { backward, ..self }
    }

    /// Takes on new weights.
    pub(crate) fn fill(&mut self, flat: &Flat<'_, T>) {
        match self.shape.cell {
            Cell::Lstm => self.fill_as::<Lstm, 4>(flat),
            Cell::Gru => self.fill_as::<Gru, 3>(flat),
        }
    }

    fn fill_as<C: Gates<G>, const G: usize>(&mut self, flat: &Flat<'_, T>) {
        let LayerShape { inputs, hidden, .. } = self.shape;
        let panel_len = self.shape.panel_vectors() * LANES;
        for (panel, to) in self.forward.chunks_exact_mut(panel_len).enumerate() {
            let (bias, to) = to.split_at_mut(SLOTS * LANES);
            let (to_inputs, to_states) = to.split_at_mut(inputs * G * LANES);
            let units = panel * LANES..hidden.min((panel + 1) * LANES);
            bias.fill(T::ZERO);
            for (lane, unit) in units.enumerate() {
                for gate in 0..G {
                    let row = C::INPUT_GATES[gate] * hidden + unit;
                    bias[gate * LANES + lane] += flat.bias_ih[row];
                    scatter::<T, G>(&flat.weight_ih[row * inputs..][..inputs], to_inputs, gate, lane);
                    let row = C::STATE_GATES[gate] * hidden + unit;
                    bias[(C::STATE_SLOT + gate) * LANES + lane] += flat.bias_hh[row];
                    scatter::<T, G>(&flat.weight_hh[row * hidden..][..hidden], to_states, gate, lane);
                }
            }
        }
        let Some(backward) = &mut self.backward else { return };
        // Row k of the way back is the sum of a panel, gate and lane; those beyond the last unit are nothing.
        let row = |k: usize, gates: &[usize; G]| {
            let (panel, gate, lane) = (k / (G * LANES), k / LANES % G, k % LANES);
            let unit = panel * LANES + lane;
            (unit < hidden).then_some(gates[gate] * hidden + unit)
        };
        backward.state.fill(&[], |k| {
            row(k, &C::STATE_GATES).map_or(&[], |row| &flat.weight_hh[row * hidden..][..hidden])
        });
        if let Some(panels) = &mut backward.inputs {
            panels.fill(&[], |k| {
                row(k, &C::INPUT_GATES).map_or(&[], |row| &flat.weight_ih[row * inputs..][..inputs])
            });
        }
    }

    /// Numbers that [`project`](Self::project) makes of a row.
    pub(crate) fn projected(&self) -> usize {
        self.shape.stride() * self.shape.gates()
    }

    /// The inputs' share of the sums of every row, `[panel, row, gate, lane]`, with the bits that a step would come to.
    #[inline(always)]
    pub(crate) fn project<A: Arithmetic<Number = T>>(&self, a: A, rows: Rows<'_, T>, to: &mut [T]) {
        match self.shape.cell {
            Cell::Lstm => self.project_as::<A, 4>(a, rows, to),
            Cell::Gru => self.project_as::<A, 3>(a, rows, to),
        }
    }

    #[inline(always)]
    fn project_as<A: Arithmetic<Number = T>, const G: usize>(&self, a: A, rows: Rows<'_, T>, to: &mut [T]) {
        let count = rows.count();
        let panels = self.forward.chunks_exact(self.shape.panel_vectors() * LANES);
        for (weights, to) in panels.zip(to.chunks_exact_mut(count * G * LANES)) {
            let mut row = 0;
            if A::ROWS >= 4 {
                while row + 4 <= count {
                    self.project_block::<A, G, 4>(a, weights, rows, row, to);
                    row += 4;
                }
            }
            while row < count {
                self.project_block::<A, G, 1>(a, weights, rows, row, to);
                row += 1;
            }
        }
    }

    #[inline(always)]
    fn project_block<A: Arithmetic<Number = T>, const G: usize, const R: usize>(
        &self,
        a: A,
        weights: &[T],
        rows: Rows<'_, T>,
        row: usize,
        to: &mut [T],
    ) {
        let (bias, weights) = weights.split_at(SLOTS * LANES);
        let mut first = [a.splat(T::ZERO); G];
        for gate in 0..G {
            first[gate] = a.load(lanes(bias, gate * LANES));
        }
        let mut sums = [first; R];
        let for_inputs = &weights[..self.shape.inputs * G * LANES];
        accumulate(a, &mut sums, rows.some(row), side_by_side::<T, G>(for_inputs));
        for r in 0..R {
            for gate in 0..G {
                a.store(sums[r][gate], lanes_mut(to, ((row + r) * G + gate) * LANES));
            }
        }
    }

    /// One step of all windows.
    #[inline(always)]
    pub(crate) fn step<A: Arithmetic<Number = T>>(&self, a: A, step: Step<'_, T>) {
        match self.shape.cell {
            Cell::Lstm => self.step_as::<A, Lstm, 4>(a, step),
            Cell::Gru => self.step_as::<A, Gru, 3>(a, step),
        }
    }

    #[inline(always)]
    fn step_as<A: Arithmetic<Number = T>, C: Gates<G>, const G: usize>(&self, a: A, mut step: Step<'_, T>) {
        let windows = step.after.len() / self.shape.stride();
        let panel_len = self.shape.panel_vectors() * LANES;
        for (panel, weights) in self.forward.chunks_exact(panel_len).enumerate() {
            let mut window = 0;
            if A::ROWS >= 4 {
                while window + 4 <= windows {
                    self.block::<A, C, G, 4>(a, panel, weights, window, &mut step);
                    window += 4;
                }
            }
            while window < windows {
                self.block::<A, C, G, 1>(a, panel, weights, window, &mut step);
                window += 1;
            }
        }
    }

    /// `R` windows from `window` on, the units of one panel.
    #[inline(always)]
    fn block<A: Arithmetic<Number = T>, C: Gates<G>, const G: usize, const R: usize>(
        &self,
        a: A,
        panel: usize,
        weights: &[T],
        window: usize,
        step: &mut Step<'_, T>,
    ) {
        let LayerShape { inputs, hidden, .. } = self.shape;
        let stride = self.shape.stride();
        let (bias, weights) = weights.split_at(SLOTS * LANES);
        let (for_inputs, for_states) = weights.split_at(inputs * G * LANES);
        let mut first = [a.splat(T::ZERO); G];
        for gate in 0..G {
            first[gate] = a.load(lanes(bias, gate * LANES));
        }
        let mut input_sums = [first; R];
        match step.inputs {
            Inputs::Rows(inputs) => {
                accumulate(a, &mut input_sums, inputs.some(window), side_by_side::<T, G>(for_inputs));
            }
            Inputs::Projected(Projected { sums, rows, places, step }) => {
                for r in 0..R {
                    let row = panel * rows + places[window + r] as usize + step;
                    for gate in 0..G {
                        input_sums[r][gate] = a.load(lanes(sums, (row * G + gate) * LANES));
                    }
                }
            }
        }
        let last_bias = a.load(lanes(bias, (SLOTS - 1) * LANES));
        let mut sums = [first; R];
        for r in 0..R {
            sums[r] = C::turn(input_sums[r], last_bias);
        }
        if let Some(before) = step.before {
            let mut rows = [before; R];
            for r in 0..R {
                rows[r] = &before[(window + r) * stride..][..hidden];
            }
            accumulate(a, &mut sums, rows, side_by_side::<T, G>(for_states));
        }
        for r in 0..R {
            let at = (window + r) * stride + panel * LANES;
            let memory = a.load(lanes(step.memory, at));
            let done = C::step(a, C::slots(input_sums[r], sums[r]), memory);
            a.store(done.state, lanes_mut(step.after, at));
            if C::HAS_CELLS {
                a.store(done.memory, lanes_mut(step.memory_after, at));
            }
            if let Some(kept) = &mut step.kept {
                let slots: &mut [Lanes<T>; SLOTS] = kept.slots[at * SLOTS..]
                    .as_chunks_mut::<LANES>()
                    .0
                    .first_chunk_mut()
                    .expect("four slots a unit");
                for slot in 0..SLOTS {
                    a.store(done.slots[slot], &mut slots[slot]);
                }
                if C::HAS_CELLS {
                    a.store(done.squashed, lanes_mut(kept.squashed, at));
                }
            }
        }
    }
}

/// Writes `from` to one lane of every `G`-th vector.
fn scatter<T: Copy, const G: usize>(from: &[T], to: &mut [T], gate: usize, lane: usize) {
    for (to, &value) in to.as_chunks_mut::<LANES>().0.as_chunks_mut::<G>().0.iter_mut().zip(from) {
        to[gate][lane] = value;
    }
}

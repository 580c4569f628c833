//! The memory of a pass: inputs, activations and derivatives of a whole batch, allocated once.

use crate::{
    Cell,
    real::Real,
    shape::{Places, Shape},
};

/// Everything that a pass needs besides the weights, allocated once for batches of up to `capacity` windows.
///
/// Time comes first: row `t * batch + i` of `inputs` and `gates` is step `t` of window `i`. `states` and `cells` have one more
/// step in front, the state before the window.
#[derive(Clone, Debug)]
pub(crate) struct Workspace<T> {
    pub(crate) shape: Shape,
    pub(crate) places: Places,
    pub(crate) steps: usize,
    capacity: usize,
    pub(crate) batch: usize,
    /// `[step, window, feature]`.
    pub(crate) inputs: Vec<T>,
    /// `[step, window, gate, unit]`: activated gates; after the backward pass the derivatives by what was activated.
    pub(crate) gates: Vec<T>,
    /// GRU only, same shape: the products of the state alone, which the reset gate needs apart; then their derivatives.
    pub(crate) state_gates: Vec<T>,
    /// `[step + 1, window, unit]`: the hidden state after each step.
    pub(crate) states: Vec<T>,
    /// LSTM only, same shape: the cell state.
    pub(crate) cells: Vec<T>,
    /// LSTM only, `[step, window, unit]`: tanh of the cell state.
    pub(crate) squashed: Vec<T>,
    /// `[window, unit]`: derivative by the hidden state.
    pub(crate) state_grad: Vec<T>,
    /// `[window, unit]`: derivative by the cell state, or what bypasses the gates of a GRU.
    pub(crate) carry_grad: Vec<T>,
    /// Biases as they are added; see [`lstm`](crate::lstm) and [`gru`](crate::gru).
    pub(crate) bias: Vec<T>,
    /// `[window, unit]`: what dropout keeps, already scaled; all ones without dropout.
    pub(crate) mask: Vec<T>,
    /// `[window, unit]`: the last state times the mask.
    pub(crate) features: Vec<T>,
    /// `[window, head]`.
    pub(crate) head: Vec<T>,
    /// `[window, head]`.
    pub(crate) head_grad: Vec<T>,
    /// `[window]`.
    pub(crate) logits: Vec<T>,
    /// `[window]`: derivative of the loss by the logit.
    pub(crate) logit_grad: Vec<T>,
}

/// What the recurrent layer starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// A state of zeros; the product with it is skipped.
    Zero,
    /// What is in the first step of `states` and `cells`.
    Carried,
}

impl<T: Real> Workspace<T> {
    pub(crate) fn new(shape: Shape, steps: usize, capacity: usize) -> Self {
        let of = |values: usize| vec![T::ZERO; values];
        let (gates, states) = (steps * capacity * shape.gate_rows(), capacity * shape.hidden);
        let (lstm, gru) = match shape.cell {
            Cell::Lstm => (1, 0),
            Cell::Gru => (0, 1),
        };
        let head = shape.head.unwrap_or(0) * capacity;
        Self {
            shape,
            places: shape.places(),
            steps,
            capacity,
            batch: 0,
            inputs: of(steps * capacity * shape.inputs),
            gates: of(gates),
            state_gates: of(gru * gates),
            states: of((steps + 1) * states),
            cells: of(lstm * (steps + 1) * states),
            squashed: of(lstm * steps * states),
            state_grad: of(states),
            carry_grad: of(states),
            bias: of(4 * shape.hidden),
            mask: vec![T::ONE; states],
            features: of(states),
            head: of(head),
            head_grad: of(head),
            logits: of(capacity),
            logit_grad: of(capacity),
        }
    }

    /// Says how many windows the next pass has, at most the capacity, and where its inputs go: `[step, window, feature]`.
    pub(crate) fn begin(&mut self, batch: usize) -> &mut [T] {
        assert!(batch <= self.capacity, "a batch beyond the capacity of its workspace");
        self.batch = batch;
        &mut self.inputs[..self.steps * batch * self.shape.inputs]
    }

    /// Makes the state after the last step that of the start, for a pass that goes on from there.
    pub(crate) fn carry(&mut self) {
        let size = self.batch * self.shape.hidden;
        self.states.copy_within(self.steps * size..(self.steps + 1) * size, 0);
        if self.shape.cell == Cell::Lstm {
            self.cells.copy_within(self.steps * size..(self.steps + 1) * size, 0);
        }
    }

    pub(crate) fn logits(&self) -> &[T] {
        &self.logits[..self.batch]
    }
}

/// Sums of the columns of a row-major matrix, row after row.
pub(crate) fn sum_rows<T: Real>(matrix: &[T], sums: &mut [T]) {
    sums.fill(T::ZERO);
    for row in matrix.chunks_exact(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

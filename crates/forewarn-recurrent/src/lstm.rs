//! The LSTM layer.
//!
//! ```text
//! i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)     c' = f c + i g
//! f = sigmoid(W_if x + b_if + W_hf h + b_hf)     h' = o tanh(c')
//! g =    tanh(W_ig x + b_ig + W_hg h + b_hg)
//! o = sigmoid(W_io x + b_io + W_ho h + b_ho)
//! ```

use crate::{
    gemm::{Into, Matrix},
    real::Real,
    workspace::{Start, Workspace, sum_rows},
};

/// From the inputs' share of the gates to all states.
pub(crate) fn forward<T: Real>(space: &mut Workspace<T>, weights: &[T], start: Start) {
    let (batch, hidden, rows) = (space.batch, space.shape.hidden, space.shape.gate_rows());
    let weight_hh = Matrix::new(&weights[space.places.weight_hh.clone()], rows, hidden).transposed();
    let biases = weights[space.places.bias_ih.clone()].iter().zip(&weights[space.places.bias_hh.clone()]);
    for (sum, (&input, &state)) in space.bias.iter_mut().zip(biases) {
        *sum = input + state;
    }
    let size = batch * hidden;
    for step in 0..space.steps {
        let gates = &mut space.gates[step * batch * rows..][..batch * rows];
        let (before, after) = space.states[step * size..][..2 * size].split_at_mut(size);
        if step > 0 || start == Start::Carried {
            T::gemm(Into::Add, Matrix::new(before, batch, hidden), weight_hh, gates);
        }
        let (cells_before, cells_after) = space.cells[step * size..][..2 * size].split_at_mut(size);
        let squashed = &mut space.squashed[step * size..][..size];
        for (window, gates) in gates.chunks_exact_mut(rows).enumerate() {
            let units = window * hidden..(window + 1) * hidden;
            activate(gates, &space.bias, hidden);
            combine(
                gates,
                &cells_before[units.clone()],
                &mut cells_after[units.clone()],
                &mut squashed[units.clone()],
                &mut after[units],
            );
        }
    }
}

fn activate<T: Real>(gates: &mut [T], bias: &[T], hidden: usize) {
    let (input_forget, rest) = gates.split_at_mut(2 * hidden);
    let (new, output) = rest.split_at_mut(hidden);
    for (gate, &bias) in input_forget.iter_mut().zip(bias) {
        *gate = (*gate + bias).sigmoid();
    }
    for (gate, &bias) in new.iter_mut().zip(&bias[2 * hidden..]) {
        *gate = (*gate + bias).tanh();
    }
    for (gate, &bias) in output.iter_mut().zip(&bias[3 * hidden..]) {
        *gate = (*gate + bias).sigmoid();
    }
}

fn combine<T: Real>(gates: &[T], before: &[T], after: &mut [T], squashed: &mut [T], state: &mut [T]) {
    let hidden = before.len();
    let (input, rest) = gates.split_at(hidden);
    let (forget, rest) = rest.split_at(hidden);
    let (new, output) = rest.split_at(hidden);
    let (after, squashed, state) = (&mut after[..hidden], &mut squashed[..hidden], &mut state[..hidden]);
    let output = &output[..hidden];
    for unit in 0..hidden {
        after[unit] = forget[unit] * before[unit] + input[unit] * new[unit];
        squashed[unit] = after[unit].tanh();
        state[unit] = output[unit] * squashed[unit];
    }
}

/// From the derivative by the last state to those by the gates and the recurrent weights.
pub(crate) fn backward<T: Real>(space: &mut Workspace<T>, weights: &[T], grads: &mut [T]) {
    let (batch, hidden, rows) = (space.batch, space.shape.hidden, space.shape.gate_rows());
    let weight_hh = Matrix::new(&weights[space.places.weight_hh.clone()], rows, hidden);
    let size = batch * hidden;
    let state_grad = &mut space.state_grad[..size];
    let cell_grad = &mut space.carry_grad[..size];
    cell_grad.fill(T::ZERO);
    for step in (0..space.steps).rev() {
        let gates = &mut space.gates[step * batch * rows..][..batch * rows];
        let before = &space.cells[step * size..][..size];
        let squashed = &space.squashed[step * size..][..size];
        for (window, gates) in gates.chunks_exact_mut(rows).enumerate() {
            let units = window * hidden..(window + 1) * hidden;
            differentiate(
                gates,
                &before[units.clone()],
                &squashed[units.clone()],
                &state_grad[units.clone()],
                &mut cell_grad[units],
            );
        }
        if step > 0 {
            T::gemm(Into::Replace, Matrix::new(gates, batch, rows), weight_hh, state_grad);
        }
    }
    // The first step saw a state of zeros, so it has no part in the recurrent weights.
    let later = (space.steps - 1) * batch;
    let gate_grads = Matrix::new(&space.gates[batch * rows..], later, rows).transposed();
    let states = Matrix::new(&space.states[size..], later, hidden);
    let to = &mut grads[space.places.weight_hh.clone()];
    if later == 0 {
        to.fill(T::ZERO);
    } else {
        T::gemm(Into::Replace, gate_grads, states, to);
    }
    sum_rows(&space.gates[..space.steps * batch * rows], &mut grads[space.places.bias_hh.clone()]);
}

/// Replaces activated gates by the derivatives before their activation, and the derivative by the cell state by that of the step
/// before.
fn differentiate<T: Real>(
    gates: &mut [T],
    before: &[T],
    squashed: &[T],
    state_grad: &[T],
    cell_grad: &mut [T],
) {
    let hidden = before.len();
    let (input, rest) = gates.split_at_mut(hidden);
    let (forget, rest) = rest.split_at_mut(hidden);
    let (new, output) = rest.split_at_mut(hidden);
    let (squashed, state_grad) = (&squashed[..hidden], &state_grad[..hidden]);
    let (cell_grad, output) = (&mut cell_grad[..hidden], &mut output[..hidden]);
    for unit in 0..hidden {
        let (i, f, g, o) = (input[unit], forget[unit], new[unit], output[unit]);
        let (s, d) = (squashed[unit], state_grad[unit]);
        let c = cell_grad[unit] + d * o * (T::ONE - s * s);
        output[unit] = d * s * o * (T::ONE - o);
        input[unit] = c * g * i * (T::ONE - i);
        new[unit] = c * i * (T::ONE - g * g);
        forget[unit] = c * before[unit] * f * (T::ONE - f);
        cell_grad[unit] = c * f;
    }
}

//! The GRU layer.
//!
//! ```text
//! r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
//! z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
//! n =    tanh(W_in x + b_in + r (W_hn h + b_hn))
//! h' = (1 - z) n + z h
//! ```
//!
//! The workspace's biases are, in this order: `b_ir + b_hr`, `b_iz + b_hz`, `b_in`, `b_hn`.

use crate::{
    gemm::{Into, Matrix},
    real::Real,
    workspace::{Start, Workspace, sum_rows},
};

/// From the inputs' share of the gates to all states.
pub(crate) fn forward<T: Real>(space: &mut Workspace<T>, weights: &[T], start: Start) {
    let (batch, hidden, rows) = (space.batch, space.shape.hidden, space.shape.gate_rows());
    let weight_hh = Matrix::new(&weights[space.places.weight_hh.clone()], rows, hidden).transposed();
    let bias_ih = &weights[space.places.bias_ih.clone()];
    let bias_hh = &weights[space.places.bias_hh.clone()];
    for unit in 0..2 * hidden {
        space.bias[unit] = bias_ih[unit] + bias_hh[unit];
    }
    space.bias[2 * hidden..3 * hidden].copy_from_slice(&bias_ih[2 * hidden..]);
    space.bias[3 * hidden..4 * hidden].copy_from_slice(&bias_hh[2 * hidden..]);
    let size = batch * hidden;
    for step in 0..space.steps {
        let gates = &mut space.gates[step * batch * rows..][..batch * rows];
        let state_gates = &mut space.state_gates[step * batch * rows..][..batch * rows];
        let (before, after) = space.states[step * size..][..2 * size].split_at_mut(size);
        if step > 0 || start == Start::Carried {
            T::gemm(Into::Replace, Matrix::new(before, batch, hidden), weight_hh, state_gates);
        } else {
            state_gates.fill(T::ZERO);
        }
        let both = gates.chunks_exact_mut(rows).zip(state_gates.chunks_exact_mut(rows));
        for (window, (gates, state_gates)) in both.enumerate() {
            let units = window * hidden..(window + 1) * hidden;
            activate(gates, state_gates, &space.bias, hidden);
            combine(gates, &before[units.clone()], &mut after[units]);
        }
    }
}

/// Activates the gates; leaves `W_hn h + b_hn` in the last part of `state_gates`.
fn activate<T: Real>(gates: &mut [T], state_gates: &mut [T], bias: &[T], hidden: usize) {
    let (reset_update, new) = gates.split_at_mut(2 * hidden);
    let (state_reset_update, state_new) = state_gates.split_at_mut(2 * hidden);
    let (bias, bias_new) = bias.split_at(2 * hidden);
    let (bias_input, bias_state) = bias_new.split_at(hidden);
    for ((gate, &state), &bias) in reset_update.iter_mut().zip(&*state_reset_update).zip(bias) {
        *gate = (*gate + state + bias).sigmoid();
    }
    for (state, &bias) in state_new.iter_mut().zip(bias_state) {
        *state += bias;
    }
    let parts = reset_update.iter().zip(&*state_new).zip(bias_input);
    for (gate, ((&reset, &state), &bias)) in new.iter_mut().zip(parts) {
        *gate = (*gate + bias + reset * state).tanh();
    }
}

fn combine<T: Real>(gates: &[T], before: &[T], after: &mut [T]) {
    let hidden = before.len();
    let update = &gates[hidden..2 * hidden];
    let new = &gates[2 * hidden..3 * hidden];
    let after = &mut after[..hidden];
    for unit in 0..hidden {
        after[unit] = (T::ONE - update[unit]) * new[unit] + update[unit] * before[unit];
    }
}

/// From the derivative by the last state to those by the gates and the recurrent weights.
pub(crate) fn backward<T: Real>(space: &mut Workspace<T>, weights: &[T], grads: &mut [T]) {
    let (batch, hidden, rows) = (space.batch, space.shape.hidden, space.shape.gate_rows());
    let weight_hh = Matrix::new(&weights[space.places.weight_hh.clone()], rows, hidden);
    let size = batch * hidden;
    let state_grad = &mut space.state_grad[..size];
    let bypass = &mut space.carry_grad[..size];
    for step in (0..space.steps).rev() {
        let gates = &mut space.gates[step * batch * rows..][..batch * rows];
        let state_gates = &mut space.state_gates[step * batch * rows..][..batch * rows];
        let before = &space.states[step * size..][..size];
        let both = gates.chunks_exact_mut(rows).zip(state_gates.chunks_exact_mut(rows));
        for (window, (gates, state_gates)) in both.enumerate() {
            let units = window * hidden..(window + 1) * hidden;
            differentiate(
                gates,
                state_gates,
                &before[units.clone()],
                &state_grad[units.clone()],
                &mut bypass[units],
            );
        }
        if step > 0 {
            state_grad.copy_from_slice(bypass);
            T::gemm(Into::Add, Matrix::new(state_gates, batch, rows), weight_hh, state_grad);
        }
    }
    // The first step saw a state of zeros, so it has no part in the recurrent weights.
    let later = (space.steps - 1) * batch;
    let gate_grads = Matrix::new(&space.state_gates[batch * rows..], later, rows).transposed();
    let states = Matrix::new(&space.states[size..], later, hidden);
    let to = &mut grads[space.places.weight_hh.clone()];
    if later == 0 {
        to.fill(T::ZERO);
    } else {
        T::gemm(Into::Replace, gate_grads, states, to);
    }
    sum_rows(&space.state_gates[..space.steps * batch * rows], &mut grads[space.places.bias_hh.clone()]);
}

/// Replaces activated gates, and what the state gave to them, by the derivatives before their activation; `bypass` becomes what
/// reaches the state before without passing a gate.
fn differentiate<T: Real>(
    gates: &mut [T],
    state_gates: &mut [T],
    before: &[T],
    state_grad: &[T],
    bypass: &mut [T],
) {
    let hidden = before.len();
    let (reset, rest) = gates.split_at_mut(hidden);
    let (update, new) = rest.split_at_mut(hidden);
    let (state_reset, rest) = state_gates.split_at_mut(hidden);
    let (state_update, state_new) = rest.split_at_mut(hidden);
    let (state_grad, bypass) = (&state_grad[..hidden], &mut bypass[..hidden]);
    let (new, state_new) = (&mut new[..hidden], &mut state_new[..hidden]);
    for unit in 0..hidden {
        let (r, z, n, s) = (reset[unit], update[unit], new[unit], state_new[unit]);
        let d = state_grad[unit];
        let n_grad = d * (T::ONE - z) * (T::ONE - n * n);
        let z_grad = d * (before[unit] - n) * z * (T::ONE - z);
        let r_grad = n_grad * s * r * (T::ONE - r);
        bypass[unit] = d * z;
        (reset[unit], update[unit], new[unit]) = (r_grad, z_grad, n_grad);
        (state_reset[unit], state_update[unit], state_new[unit]) = (r_grad, z_grad, n_grad * r);
    }
}

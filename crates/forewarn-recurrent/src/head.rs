//! The head: from the last hidden state to the log-odds of a failure, through one linear unit or one hidden `ReLU` layer.

use crate::{
    gemm::{Into, Matrix},
    real::Real,
    workspace::{Workspace, sum_rows},
};

/// From the last states to the logits.
pub(crate) fn forward<T: Real>(space: &mut Workspace<T>, weights: &[T]) {
    let (batch, hidden) = (space.batch, space.shape.hidden);
    let size = batch * hidden;
    let last = &space.states[space.steps * size..][..size];
    for ((feature, &state), &kept) in space.features.iter_mut().zip(last).zip(&space.mask) {
        *feature = state * kept;
    }
    let bias = weights[space.places.head_bias.start];
    let last_weight = &weights[space.places.head_weight.clone()];
    let inputs = match (&space.places.head_hidden, space.shape.head) {
        (Some((weight, bias)), Some(width)) => {
            let weight = Matrix::new(&weights[weight.clone()], width, hidden).transposed();
            T::gemm(Into::Replace, Matrix::new(&space.features, batch, hidden), weight, &mut space.head);
            for row in space.head[..batch * width].chunks_exact_mut(width) {
                for (unit, &bias) in row.iter_mut().zip(&weights[bias.clone()]) {
                    let sum = *unit + bias;
                    // Written so that NaN stays NaN.
                    *unit = if sum < T::ZERO { T::ZERO } else { sum };
                }
            }
            &space.head
        }
        _ => &space.features,
    };
    for (logit, inputs) in space.logits[..batch].iter_mut().zip(inputs.chunks_exact(last_weight.len())) {
        let mut sum = bias;
        for (&input, &weight) in inputs.iter().zip(last_weight) {
            sum += input * weight;
        }
        *logit = sum;
    }
}

/// From the derivatives by the logits to those by the head's weights and by the last states.
pub(crate) fn backward<T: Real>(space: &mut Workspace<T>, weights: &[T], grads: &mut [T]) {
    let (batch, hidden) = (space.batch, space.shape.hidden);
    let logit_grad = Matrix::new(&space.logit_grad, batch, 1);
    sum_rows(&space.logit_grad[..batch], &mut grads[space.places.head_bias.clone()]);
    let last_weight = &weights[space.places.head_weight.clone()];
    let to = &mut grads[space.places.head_weight.clone()];
    match (&space.places.head_hidden, space.shape.head) {
        (Some((weight, bias)), Some(width)) => {
            let units = Matrix::new(&space.head, batch, width);
            T::gemm(Into::Replace, logit_grad.transposed(), units, to);
            let rows = space.head_grad.chunks_exact_mut(width).zip(space.head.chunks_exact(width));
            for ((grads, units), &grad) in rows.zip(&space.logit_grad[..batch]) {
                for ((to, &unit), &weight) in grads.iter_mut().zip(units).zip(last_weight) {
                    *to = if unit > T::ZERO { grad * weight } else { T::ZERO };
                }
            }
            let unit_grads = Matrix::new(&space.head_grad, batch, width);
            let features = Matrix::new(&space.features, batch, hidden);
            T::gemm(Into::Replace, unit_grads.transposed(), features, &mut grads[weight.clone()]);
            sum_rows(&space.head_grad[..batch * width], &mut grads[bias.clone()]);
            let weight = Matrix::new(&weights[weight.clone()], width, hidden);
            T::gemm(Into::Replace, unit_grads, weight, &mut space.state_grad);
        }
        _ => {
            let features = Matrix::new(&space.features, batch, hidden);
            T::gemm(Into::Replace, logit_grad.transposed(), features, to);
            for (row, &grad) in space.state_grad.chunks_exact_mut(hidden).zip(&space.logit_grad[..batch]) {
                for (to, &weight) in row.iter_mut().zip(last_weight) {
                    *to = grad * weight;
                }
            }
        }
    }
    for (grad, &kept) in space.state_grad[..batch * hidden].iter_mut().zip(&space.mask) {
        *grad = *grad * kept;
    }
}

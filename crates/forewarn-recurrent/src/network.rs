//! The network: a recurrent layer over the window, and a head on its last state. Forward and backward, for a whole batch.

use crate::{
    Cell,
    gemm::{Into, Matrix},
    gru, head, lstm,
    real::Real,
    workspace::{Start, Workspace, sum_rows},
};

impl<T: Real> Workspace<T> {
    /// From `inputs` to `logits`.
    pub(crate) fn forward(&mut self, weights: &[T], start: Start) {
        let (rows, inputs) = (self.shape.gate_rows(), self.shape.inputs);
        let weight_ih = Matrix::new(&weights[self.places.weight_ih.clone()], rows, inputs);
        // What the inputs add to the gates does not wait for the state: one product for all steps.
        let x = Matrix::new(&self.inputs, self.steps * self.batch, inputs);
        T::gemm(Into::Replace, x, weight_ih.transposed(), &mut self.gates);
        if start == Start::Zero {
            let first = self.batch * self.shape.hidden;
            self.states[..first].fill(T::ZERO);
            if self.shape.cell == Cell::Lstm {
                self.cells[..first].fill(T::ZERO);
            }
        }
        match self.shape.cell {
            Cell::Lstm => lstm::forward(self, weights, start),
            Cell::Gru => gru::forward(self, weights, start),
        }
        head::forward(self, weights);
    }

    /// From `logit_grad` to the derivatives by every weight, which replace what is in `grads`. Follows a
    /// [`forward`](Self::forward) from zero, whose activations it overwrites.
    pub(crate) fn backward(&mut self, weights: &[T], grads: &mut [T]) {
        head::backward(self, weights, grads);
        match self.shape.cell {
            Cell::Lstm => lstm::backward(self, weights, grads),
            Cell::Gru => gru::backward(self, weights, grads),
        }
        let (rows, inputs) = (self.shape.gate_rows(), self.shape.inputs);
        let steps = self.steps * self.batch;
        let gate_grads = Matrix::new(&self.gates, steps, rows);
        let x = Matrix::new(&self.inputs, steps, inputs);
        T::gemm(Into::Replace, gate_grads.transposed(), x, &mut grads[self.places.weight_ih.clone()]);
        sum_rows(&self.gates[..steps * rows], &mut grads[self.places.bias_ih.clone()]);
    }
}

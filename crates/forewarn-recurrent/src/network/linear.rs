use crate::{
    network::shape::LinearPlaces,
    simd::{
        arithmetic::{Arithmetic, LANES},
        kernel::{From, Rows, outer, product, sum_rows},
        panels::Panels,
        real::Real,
    },
};

/// A linear layer of the head: its weights as products read them.
#[derive(Clone, Debug)]
pub(crate) struct Linear<T> {
    pub(crate) places: LinearPlaces,
    forward: Panels<T>,
    backward: Option<Panels<T>>,
}

impl<T: Real> Linear<T> {
    pub(crate) fn new(places: LinearPlaces) -> Self {
        Self { forward: Panels::new(places.inputs, places.outputs), backward: None, places }
    }

    /// Room for the way back as well.
    pub(crate) fn with_backward(self) -> Self {
        let backward = Some(Panels::new(self.places.outputs, self.places.inputs));
        Self { backward, ..self }
    }

    /// Takes on new weights.
    pub(crate) fn fill(&mut self, weights: &[T]) {
        let weight = &weights[self.places.weight.clone()];
        self.forward.fill_transposed(&weights[self.places.bias.clone()], weight);
        if let Some(backward) = &mut self.backward {
            let inputs = self.places.inputs;
            backward.fill(&[], |k| &weight[k * inputs..][..inputs]);
        }
    }

    /// Width of a row of outputs, with what fills up the last vector.
    pub(crate) fn stride(&self) -> usize {
        self.forward.stride()
    }

    /// Width of a row of inputs.
    pub(crate) fn input_stride(&self) -> usize {
        self.places.inputs.next_multiple_of(LANES)
    }

    /// `to = inputs W + b`; both `[window, unit]`.
    #[inline(always)]
    pub(crate) fn forward<A: Arithmetic<Number = T>>(&self, a: A, inputs: &[T], to: &mut [T]) {
        let rows = Rows::new(inputs, self.input_stride(), self.places.inputs);
        product(a, rows, &self.forward, From::Bias, to, self.stride());
    }

    /// From the derivatives by the outputs to those by the weights, which are added to `grads`, and by the inputs.
    #[inline(always)]
    pub(crate) fn backward<A: Arithmetic<Number = T>>(
        &self,
        a: A,
        inputs: &[T],
        output_grads: &[T],
        grads: &mut [T],
        input_grads: &mut [T],
    ) {
        let stride = self.stride();
        let (biases, weights) = grads.split_at_mut(stride);
        sum_rows(a, output_grads, stride, biases);
        let rows = Rows::new(inputs, self.input_stride(), self.places.inputs);
        for (vector, to) in weights.chunks_exact_mut(self.places.inputs * LANES).enumerate() {
            outer::<A, 1>(a, rows, output_grads, stride, vector * LANES, to);
        }
        if let Some(panels) = &self.backward {
            let rows = Rows::new(output_grads, stride, self.places.outputs);
            product(a, rows, panels, From::Bias, input_grads, self.input_stride());
        }
    }

    /// Numbers of the layer's part of a gradient.
    pub(crate) fn grads(&self) -> usize {
        self.stride() * (1 + self.places.inputs)
    }

    /// A gradient as [`backward`](Self::backward) leaves it, in PyTorch's order.
    pub(crate) fn unpack(&self, grads: &[T], to: &mut [T]) {
        let LinearPlaces { inputs, outputs, .. } = self.places;
        let (biases, weights) = grads.split_at(self.stride());
        to[self.places.bias.clone()].copy_from_slice(&biases[..outputs]);
        for output in 0..outputs {
            let from = &weights[output / LANES * inputs * LANES + output % LANES..];
            let to = &mut to[self.places.weight.clone()][output * inputs..][..inputs];
            for (to, &value) in to.iter_mut().zip(from.iter().step_by(LANES)) {
                *to = value;
            }
        }
    }
}

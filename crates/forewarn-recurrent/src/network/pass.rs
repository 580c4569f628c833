//! Forward and backward through a network for a batch of windows, with the memory that it takes.

use crate::{
    input::copy_row,
    network::{Network, attention::Attended, layer::Trace, linear::Linear, rectify},
    simd::{aligned::Aligned, arithmetic::Arithmetic, kernel::Rows, real::Real},
};
use forewarn_core::sigmoid;

/// What windows should come to: for each output a probability, and how much it counts.
#[derive(Clone, Copy)]
pub(crate) struct Truth<'a> {
    /// `[window, output]`: 1 for what happened, 0 for what did not.
    pub(crate) targets: &'a [f32],
    /// `[window, output]`: 0 for what is not known.
    pub(crate) weights: &'a [f32],
}

/// Everything that a pass needs besides the weights, allocated once for batches of up to a number of windows.
#[derive(Clone, Debug)]
pub(crate) struct Pass<T> {
    steps: usize,
    windows: usize,
    /// `[step, window, feature]`, descriptions of services at each row's end.
    inputs: Vec<T>,
    /// `[window]`: the number of its service, 0 for one that is unknown.
    pub(crate) services: Vec<u32>,
    /// `[window, unit]` without padding: what dropout keeps of the pooled states, already scaled; all ones without
    /// dropout.
    pub(crate) mask: Vec<T>,
    layers: Vec<Trace<T>>,
    attended: Option<Attended<T>>,
    /// `[step, window]`.
    attention_scores: Vec<T>,
    /// `[window, unit]` of each layer of the head, the pooled states first, log-odds last; and their derivatives.
    features: Vec<Aligned<T>>,
    feature_grads: Vec<Aligned<T>>,
    /// `[step, window, input]`: derivatives by the lowest layer's inputs, when descriptions of services are learnt.
    input_grads: Aligned<T>,
}

impl<T: Real> Pass<T> {
    pub(crate) fn new(network: &Network<T>, steps: usize, windows: usize) -> Self {
        let shape = &network.shape;
        let features = || {
            let strides = std::iter::once(shape.stride()).chain(network.head.iter().map(Linear::stride));
            strides.map(|stride| Aligned::new(windows * stride)).collect()
        };
        let attention = usize::from(network.attention.is_some());
        let learnt = usize::from(shape.embedding.is_some());
        let row = shape.row().next_multiple_of(crate::simd::arithmetic::LANES);
        Self {
            steps,
            windows: 0,
            inputs: vec![T::ZERO; steps * windows * shape.row()],
            services: vec![0; windows],
            mask: vec![T::ONE; windows * shape.hidden],
            layers: shape.recurrent().map(|layer| Trace::new(layer, steps, windows)).collect(),
            attended: network.attention.as_ref().map(|_| Attended::new(windows, shape.stride())),
            attention_scores: vec![T::ZERO; attention * steps * windows],
            features: features(),
            feature_grads: features(),
            input_grads: Aligned::new(learnt * steps * windows * row),
        }
    }

    /// Says how many windows come next. Each is to be [`read`](Self::read), then all are [`describe`](Self::describe)d.
    pub(crate) fn begin(&mut self, windows: usize) {
        self.windows = windows;
    }

    /// Takes over the rows of one window, with 0 for what is missing; `rows` begins with them.
    pub(crate) fn read(&mut self, network: &Network<T>, window: usize, rows: &[f32]) {
        let (row, inputs) = (network.shape.row(), network.shape.inputs);
        for (step, from) in rows.chunks_exact(inputs).take(self.steps).enumerate() {
            // A fit has refused what is too large before its first step.
            copy_row(from, &mut self.inputs[(step * self.windows + window) * row..][..inputs]);
        }
    }

    /// Writes the description of each window's service to its rows.
    pub(crate) fn describe(&mut self, network: &Network<T>) {
        let (row, inputs) = (network.shape.row(), network.shape.inputs);
        if row == inputs {
            return;
        }
        for (place, to) in self.inputs[..self.steps * self.windows * row].chunks_exact_mut(row).enumerate() {
            let service = self.services[place % self.windows] as usize;
            to[inputs..].copy_from_slice(network.describe(service));
        }
    }

    /// From `inputs` to log-odds.
    #[inline(always)]
    pub(crate) fn forward<A: Arithmetic<Number = T>>(&mut self, a: A, network: &Network<T>) {
        let (windows, hidden, stride) = (self.windows, network.shape.hidden, network.shape.stride());
        let size = windows * stride;
        let row = network.shape.row();
        for layer in 0..network.layers.len() {
            let (below, this) = self.layers.split_at_mut(layer);
            let inputs = match below.last() {
                None => Rows::new(&self.inputs[..self.steps * windows * row], row, row),
                Some(below) => Rows::new(&below.states[size..(self.steps + 1) * size], stride, hidden),
            };
            network.layers[layer].forward(a, inputs, windows, &mut this[0]);
        }
        let top = &self.layers[self.layers.len() - 1];
        let pooled = &mut self.features[0][..size];
        if let (Some(attended), Some(weight)) = (&mut self.attended, &network.attention) {
            attended.clear();
            for step in 0..self.steps {
                let scores = &mut self.attention_scores[step * windows..][..windows];
                let states = &top.states[(step + 1) * size..][..size];
                attended.step(a, weight, states, |window, score| scores[window] = score);
            }
            attended.read(a, windows, pooled);
        } else {
            pooled.copy_from_slice(&top.states[self.steps * size..][..size]);
        }
        self.drop_out(hidden, stride, |pass| &mut pass.features[0]);
        for (number, linear) in network.head.iter().enumerate() {
            let (inputs, outputs) = self.features.split_at_mut(number + 1);
            let inputs = &mut inputs[number][..windows * linear.input_stride()];
            if number > 0 {
                rectify(inputs);
            }
            linear.forward(a, inputs, &mut outputs[0][..windows * linear.stride()]);
        }
    }

    fn drop_out(&mut self, hidden: usize, stride: usize, of: impl Fn(&mut Self) -> &mut Aligned<T>) {
        let mask = std::mem::take(&mut self.mask);
        let windows = self.windows;
        for (row, mask) in of(self).chunks_exact_mut(stride).zip(mask.chunks_exact(hidden)).take(windows) {
            for (value, &kept) in row.iter_mut().zip(mask) {
                *value = *value * kept;
            }
        }
        self.mask = mask;
    }

    /// The log-odds, row by row of the head's last width.
    #[cfg(all(test, feature = "libtorch"))]
    pub(crate) fn logits(&self, network: &Network<T>) -> Rows<'_, T> {
        let stride = network.head.last().map_or(1, Linear::stride);
        Rows::new(&self.features[network.head.len()][..self.windows * stride], stride, network.shape.outputs)
    }

    /// Sum over windows and outputs of the weighted cross-entropy; leaves its derivatives, times `share`, in the
    /// memory.
    ///
    /// For a hazard, with a weight for every step of the period that was survived or brought the event, this is the
    /// likelihood of the discrete-time model, censored windows included.
    ///
    /// # References
    /// J. Singer and J. Willett, *It's about time: using discrete-time survival analysis to study duration and the
    /// timing of events*, Journal of Educational Statistics 18(2), 1993.
    pub(crate) fn cross_entropy(&mut self, network: &Network<T>, truth: Truth<'_>, share: f64) -> f64 {
        let outputs = network.shape.outputs;
        let stride = network.head.last().map_or(1, Linear::stride);
        let last = network.head.len();
        let logits = self.features[last].chunks_exact(stride);
        let grads = self.feature_grads[last].chunks_exact_mut(stride);
        let truths = truth.targets.chunks_exact(outputs).zip(truth.weights.chunks_exact(outputs));
        let mut loss = 0.0;
        for ((logits, grads), (targets, weights)) in logits.zip(grads).zip(truths) {
            for output in 0..outputs {
                let (logit, weight) = (logits[output].to_f64(), f64::from(weights[output]));
                let target = f64::from(targets[output]);
                // -ln of a probability is ln(1 + exp(-x)) with x the log-odds of it.
                let no = logit.max(0.0) + (-logit.abs()).exp().ln_1p();
                // A weight of nothing is nothing, also where the log-odds are not finite.
                if weight > 0.0 {
                    loss += weight * (no - target * logit);
                }
                grads[output] = T::from_f64(share * weight * (sigmoid(logit) - target));
            }
        }
        loss
    }

    /// From the derivatives that [`cross_entropy`](Self::cross_entropy) left to those by every weight, packed, which
    /// replace what is in `grads`. Follows a [`forward`](Self::forward), whose activations it overwrites.
    #[inline(always)]
    pub(crate) fn backward<A: Arithmetic<Number = T>>(
        &mut self,
        a: A,
        network: &Network<T>,
        grads: &mut [T],
    ) {
        let (windows, hidden, stride) = (self.windows, network.shape.hidden, network.shape.stride());
        let size = windows * stride;
        let row = network.shape.row();
        grads.fill(T::ZERO);
        let mut parts = Parts { network, grads };
        for (number, linear) in network.head.iter().enumerate().rev() {
            let (input_grads, output_grads) = self.feature_grads.split_at_mut(number + 1);
            let inputs = &self.features[number][..windows * linear.input_stride()];
            let input_grads = &mut input_grads[number][..inputs.len()];
            let output_grads = &output_grads[0][..windows * linear.stride()];
            linear.backward(a, inputs, output_grads, parts.linear(number), input_grads);
            if number > 0 {
                for (grad, &unit) in input_grads.iter_mut().zip(inputs) {
                    *grad = if unit > T::ZERO { *grad } else { T::ZERO };
                }
            }
        }
        self.drop_out(hidden, stride, |pass| &mut pass.feature_grads[0]);
        let by_pooled = &self.feature_grads[0][..size];
        let last = self.layers.len() - 1;
        let top = &mut self.layers[last];
        let state_grads = &mut top.state_grads[..self.steps * size];
        if let (Some(attended), Some(weight)) = (&self.attended, &network.attention) {
            let states = &top.states[size..(self.steps + 1) * size];
            let scores = &self.attention_scores;
            attended.backward(a, weight, states, scores, by_pooled, parts.attention(), state_grads);
        } else {
            let (earlier, final_step) = state_grads.split_at_mut((self.steps - 1) * size);
            earlier.fill(T::ZERO);
            final_step.copy_from_slice(by_pooled);
        }
        for layer in (0..=last).rev() {
            let (below, this) = self.layers.split_at_mut(layer);
            let (inputs, to) = match below.last_mut() {
                None => {
                    let inputs = Rows::new(&self.inputs[..self.steps * windows * row], row, row);
                    (inputs, (!self.input_grads.is_empty()).then_some(&mut self.input_grads[..]))
                }
                Some(below) => {
                    let inputs = Rows::new(&below.states[size..(self.steps + 1) * size], stride, hidden);
                    (inputs, Some(&mut below.state_grads[..self.steps * size]))
                }
            };
            network.layers[layer].backward(a, inputs, windows, &mut this[0], parts.layer(layer), to);
        }
        let inputs = network.shape.inputs;
        let width = row - inputs;
        if width > 0 {
            let grad_row = row.next_multiple_of(crate::simd::arithmetic::LANES);
            let to = parts.embedding();
            let rows = self.input_grads.chunks_exact(grad_row).take(self.steps * windows);
            for (place, grad) in rows.enumerate() {
                let service = self.services[place % windows] as usize;
                for (to, &value) in to[service * width..][..width].iter_mut().zip(&grad[inputs..row]) {
                    *to += value;
                }
            }
        }
    }
}

/// Where the parts of a packed gradient lie: layers, attention, head, descriptions of services.
struct Parts<'a, T> {
    network: &'a Network<T>,
    grads: &'a mut [T],
}

impl<T: Real> Network<T> {
    fn layers_end(&self) -> usize {
        self.layers.iter().map(crate::network::layer::Layer::grads).sum()
    }

    fn attention_len(&self) -> usize {
        self.attention.as_ref().map_or(0, |weight| weight.len())
    }

    fn linear_start(&self, number: usize) -> usize {
        let linear: usize = self.head[..number].iter().map(Linear::grads).sum();
        self.layers_end() + self.attention_len() + linear
    }

    /// Numbers of a packed gradient.
    pub(crate) fn grads(&self) -> usize {
        self.linear_start(self.head.len()) + self.embedding.len()
    }

    /// A packed gradient in PyTorch's order.
    pub(crate) fn unpack(&self, grads: &[T], to: &mut [T]) {
        let mut next = 0;
        for (layer, places) in self.layers.iter().zip(&self.places.layers) {
            layer.unpack(&grads[next..next + layer.grads()], places, to);
            next += layer.grads();
        }
        if let Some(range) = &self.places.attention {
            to[range.clone()].copy_from_slice(&grads[next..next + range.len()]);
            next += self.attention_len();
        }
        for linear in &self.head {
            linear.unpack(&grads[next..next + linear.grads()], to);
            next += linear.grads();
        }
        if let Some(range) = &self.places.embedding {
            to[range.clone()].copy_from_slice(&grads[next..]);
        }
    }
}

impl<T: Real> Parts<'_, T> {
    fn layer(&mut self, number: usize) -> &mut [T] {
        let layers = &self.network.layers;
        let first: usize = layers[..number].iter().map(crate::network::layer::Layer::grads).sum();
        &mut self.grads[first..first + layers[number].grads()]
    }

    fn attention(&mut self) -> &mut [T] {
        let first = self.network.layers_end();
        &mut self.grads[first..first + self.network.attention_len()]
    }

    fn linear(&mut self, number: usize) -> &mut [T] {
        let first = self.network.linear_start(number);
        &mut self.grads[first..first + self.network.head[number].grads()]
    }

    fn embedding(&mut self) -> &mut [T] {
        let first = self.network.linear_start(self.network.head.len());
        &mut self.grads[first..]
    }
}

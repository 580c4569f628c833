//! The network: recurrent layers over the window, their states pooled, and a head. Its weights as products read them,
//! and the way from rows to log-odds that scoring takes.

pub(crate) mod attention;
pub(crate) mod gates;
pub(crate) mod gru;
pub(crate) mod layer;
pub(crate) mod linear;
pub(crate) mod lstm;
pub(crate) mod pass;
pub(crate) mod pooling;
pub(crate) mod shape;

use crate::{
    Cell, Pooling,
    network::{
        attention::Attended,
        layer::{Flat, Inputs, Layer, Step},
        linear::Linear,
        shape::{Places, Shape},
    },
    simd::{
        aligned::Aligned,
        arithmetic::Arithmetic,
        kernel::Rows,
        processor::{Processor, Task},
        real::Real,
    },
};

/// A network's weights, packed.
#[derive(Clone, Debug)]
pub(crate) struct Network<T> {
    pub(crate) shape: Shape,
    pub(crate) places: Places,
    pub(crate) layers: Vec<Layer<T>>,
    /// `[unit]`, filled up to whole vectors.
    pub(crate) attention: Option<Aligned<T>>,
    pub(crate) head: Vec<Linear<T>>,
    /// `[service, value]`, the one for unknown services first.
    pub(crate) embedding: Vec<T>,
}

impl<T: Real> Network<T> {
    /// A network for scoring, all of whose weights are zero.
    pub(crate) fn new(shape: Shape) -> Self {
        let places = shape.places();
        Self {
            layers: shape.recurrent().map(Layer::new).collect(),
            attention: (shape.pooling == Pooling::Attention).then(|| Aligned::new(shape.stride())),
            head: places.head.iter().cloned().map(Linear::new).collect(),
            embedding: vec![T::ZERO; places.embedding.as_ref().map_or(0, |range| range.len())],
            places,
            shape,
        }
    }

    /// A network that can be differentiated too.
    pub(crate) fn with_backward(mut self) -> Self {
        let learnt = self.shape.embedding.is_some();
        let layers = self.layers.into_iter().enumerate();
        self.layers = layers.map(|(layer, of)| of.with_backward(layer > 0 || learnt)).collect();
        self.head = self.head.into_iter().map(Linear::with_backward).collect();
        self
    }

    /// Takes on new weights. Nothing is allocated.
    pub(crate) fn fill(&mut self, weights: &[T]) {
        for (layer, places) in self.layers.iter_mut().zip(&self.places.layers) {
            layer.fill(&Flat::new(weights, places));
        }
        if let (Some(to), Some(range)) = (&mut self.attention, &self.places.attention) {
            to[..range.len()].copy_from_slice(&weights[range.clone()]);
        }
        for linear in &mut self.head {
            linear.fill(weights);
        }
        if let Some(range) = &self.places.embedding {
            self.embedding.copy_from_slice(&weights[range.clone()]);
        }
    }

    /// Numbers that are [remembered](Memory::remembered) of a window.
    pub(crate) fn remembered(&self) -> usize {
        let cells = usize::from(self.shape.cell == Cell::Lstm);
        let attended = self.attention.as_ref().map_or(0, |_| self.shape.stride() + 2);
        self.shape.layers * self.shape.stride() * (1 + cells) + attended
    }

    pub(crate) fn packed(shape: Shape, weights: &[T]) -> Self {
        let mut network = Self::new(shape);
        network.fill(weights);
        network
    }

    /// The description of a service by its number, 0 for one that is unknown.
    pub(crate) fn describe(&self, service: usize) -> &[T] {
        let width = self.shape.row() - self.shape.inputs;
        &self.embedding[service * width..][..width]
    }
}

/// What a network remembers of windows or streams from one step to the next, and room to read it.
#[derive(Clone, Debug)]
pub(crate) struct Memory<T> {
    windows: usize,
    pub(crate) layers: Vec<LayerMemory<T>>,
    pub(crate) attended: Option<Attended<T>>,
    /// `[window, unit]` of each layer of the head, the pooled states first.
    features: Vec<Aligned<T>>,
}

/// States and memories of one layer, `[window, unit]`: those that count, and room for the next.
#[derive(Clone, Debug)]
pub(crate) struct LayerMemory<T> {
    pub(crate) states: Aligned<T>,
    pub(crate) cells: Aligned<T>,
    next_states: Aligned<T>,
    next_cells: Aligned<T>,
}

/// Whether states are zeros, whose products need not be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    Zero,
    States,
}

impl<T: Real> Memory<T> {
    /// The memory of `windows` windows before the first step.
    pub(crate) fn new(network: &Network<T>, windows: usize) -> Self {
        let shape = &network.shape;
        let size = windows * shape.stride();
        let cells = if shape.cell == Cell::Lstm { size } else { 0 };
        let layer = || LayerMemory {
            states: Aligned::new(size),
            cells: Aligned::new(cells),
            next_states: Aligned::new(size),
            next_cells: Aligned::new(cells),
        };
        let features = network.head.iter().map(Linear::stride);
        let features = std::iter::once(shape.stride()).chain(features);
        Self {
            windows,
            layers: (0..shape.layers).map(|_| layer()).collect(),
            attended: network.attention.as_ref().map(|_| Attended::new(windows, shape.stride())),
            features: features.map(|stride| Aligned::new(windows * stride)).collect(),
        }
    }

    /// Back to before the first step.
    pub(crate) fn clear(&mut self) {
        for layer in &mut self.layers {
            layer.states.fill(T::ZERO);
            layer.cells.fill(T::ZERO);
        }
        if let Some(attended) = &mut self.attended {
            attended.clear();
        }
    }

    #[inline(always)]
    fn advance_by<A: Arithmetic<Number = T>>(
        &mut self,
        a: A,
        network: &Network<T>,
        inputs: Inputs<'_, T>,
        windows: usize,
        before: Before,
    ) {
        let mut inputs = inputs;
        let stride = network.shape.stride();
        let size = windows * stride;
        for (layer, memory) in network.layers.iter().zip(&mut self.layers) {
            let cells = size.min(memory.cells.len());
            layer.step(
                a,
                Step {
                    inputs,
                    before: (before == Before::States).then_some(&memory.states[..size]),
                    memory: if cells > 0 { &memory.cells[..size] } else { &memory.states[..size] },
                    after: &mut memory.next_states[..size],
                    memory_after: &mut memory.next_cells[..cells],
                    kept: None,
                },
            );
            inputs = Inputs::Rows(Rows::new(&memory.next_states[..size], stride, network.shape.hidden));
        }
        if let (Some(attended), Some(weight), Some(top)) =
            (&mut self.attended, &network.attention, self.layers.last())
        {
            attended.step(a, weight, &top.next_states[..size], |_, _| {});
        }
        for memory in &mut self.layers {
            std::mem::swap(&mut memory.states, &mut memory.next_states);
            std::mem::swap(&mut memory.cells, &mut memory.next_cells);
        }
    }

    #[inline(always)]
    fn read_by<A: Arithmetic<Number = T>>(&mut self, a: A, network: &Network<T>, windows: usize) {
        let size = windows * network.shape.stride();
        match (&self.attended, self.layers.last()) {
            (Some(attended), _) => attended.read(a, windows, &mut self.features[0][..size]),
            (None, Some(layer)) => self.features[0][..size].copy_from_slice(&layer.states[..size]),
            (None, None) => {}
        }
        for (number, linear) in network.head.iter().enumerate() {
            let (inputs, outputs) = self.features.split_at_mut(number + 1);
            let inputs = &mut inputs[number][..windows * linear.input_stride()];
            if number > 0 {
                rectify(inputs);
            }
            linear.forward(a, inputs, &mut outputs[0][..windows * linear.stride()]);
        }
    }

    /// Numbers that are remembered of a window.
    pub(crate) fn remembered(&self) -> usize {
        let layers = self.layers.iter().map(|layer| layer.states.len() + layer.cells.len()).sum::<usize>();
        let attended = self.attended.as_ref().map_or(0, |attended| attended.sums.len() + 2 * self.windows);
        (layers + attended) / self.windows
    }

    /// The blocks that hold something of every window.
    fn blocks(&mut self) -> impl Iterator<Item = &mut [T]> {
        let layers = self.layers.iter_mut().flat_map(|layer| [&mut layer.states[..], &mut layer.cells[..]]);
        let attended = self
            .attended
            .iter_mut()
            .flat_map(|attended| [&mut attended.sums[..], &mut attended.totals[..], &mut attended.most[..]]);
        layers.chain(attended)
    }

    /// Puts one window back to before the first step.
    pub(crate) fn forget(&mut self, window: usize) {
        let windows = self.windows;
        for block in self.blocks() {
            let width = block.len() / windows;
            block[window * width..][..width].fill(T::ZERO);
        }
        if let Some(attended) = &mut self.attended {
            attended.most[window] = T::from_f64(f64::NEG_INFINITY);
        }
    }

    /// Takes up what was [`store`](Self::store)d of a window.
    pub(crate) fn load(&mut self, window: usize, mut values: &[T]) {
        let windows = self.windows;
        for block in self.blocks() {
            let width = block.len() / windows;
            let (these, others) = values.split_at(width);
            block[window * width..][..width].copy_from_slice(these);
            values = others;
        }
    }

    /// Writes down what is remembered of a window.
    pub(crate) fn store(&self, window: usize, mut values: &mut [T]) {
        let layers = self.layers.iter().flat_map(|layer| [&layer.states[..], &layer.cells[..]]);
        let attended = self
            .attended
            .iter()
            .flat_map(|attended| [&attended.sums[..], &attended.totals[..], &attended.most[..]]);
        for block in layers.chain(attended) {
            let width = block.len() / self.windows;
            let (these, others) = values.split_at_mut(width);
            these.copy_from_slice(&block[window * width..][..width]);
            values = others;
        }
    }
}

impl Memory<f32> {
    /// Whether this number of rows can have led here, or at least nothing overflows from here on: a state lies within
    /// -1..=1, a cell and the total of an attention gain at most 1 a row, and a total is no less than the share of
    /// its largest. Twice that is let pass.
    pub(crate) fn is_reachable(&self, rows: usize) -> bool {
        let most = 2.0 * rows as f32;
        let within = |values: &[f32], most: f32| values.iter().all(|value| value.abs() <= most);
        let layers = self.layers.iter().all(|layer| within(&layer.states, 2.0) && within(&layer.cells, most));
        layers
            && self.attended.as_ref().is_none_or(|attended| {
                within(&attended.sums, most)
                    && attended.totals.iter().all(|total| (0.5..=most).contains(total))
                    && attended.most.iter().all(|most| most.is_finite())
            })
    }

    /// One step of the first `windows` windows.
    pub(crate) fn advance(
        &mut self,
        processor: Processor,
        network: &Network<f32>,
        inputs: Inputs<'_, f32>,
        windows: usize,
        before: Before,
    ) {
        processor.run(Advance { memory: self, network, inputs, windows, before });
    }

    /// The log-odds of each of the first `windows` windows.
    pub(crate) fn read(
        &mut self,
        processor: Processor,
        network: &Network<f32>,
        windows: usize,
    ) -> impl Iterator<Item = &[f32]> {
        processor.run(Read { memory: self, network, windows });
        let stride = network.head.last().map_or(1, Linear::stride);
        let outputs = network.shape.outputs;
        self.features[network.head.len()].chunks_exact(stride).take(windows).map(move |row| &row[..outputs])
    }
}

impl Network<f32> {
    /// Rows as the lowest layer's step reads them.
    pub(crate) fn inputs<'a>(&self, rows: &'a [f32]) -> Rows<'a, f32> {
        Rows::new(rows, self.shape.row(), self.shape.row())
    }

    /// What the lowest layer's steps make of rows whoever shares them: see [`Layer::project`].
    pub(crate) fn project(&self, processor: Processor, rows: &[f32], to: &mut [f32]) {
        processor.run(Project { network: self, rows, to });
    }
}

struct Project<'a> {
    network: &'a Network<f32>,
    rows: &'a [f32],
    to: &'a mut [f32],
}

impl Task for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, a: A) {
        self.network.layers[0].project(a, self.network.inputs(self.rows), self.to);
    }
}

struct Advance<'a> {
    memory: &'a mut Memory<f32>,
    network: &'a Network<f32>,
    inputs: Inputs<'a, f32>,
    windows: usize,
    before: Before,
}

impl Task for Advance<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, a: A) {
        self.memory.advance_by(a, self.network, self.inputs, self.windows, self.before);
    }
}

struct Read<'a> {
    memory: &'a mut Memory<f32>,
    network: &'a Network<f32>,
    windows: usize,
}

impl Task for Read<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, a: A) {
        self.memory.read_by(a, self.network, self.windows);
    }
}

/// `ReLU`, in which NaN stays NaN.
#[inline(always)]
pub(crate) fn rectify<T: Real>(values: &mut [T]) {
    for value in values {
        *value = if *value < T::ZERO { T::ZERO } else { *value };
    }
}

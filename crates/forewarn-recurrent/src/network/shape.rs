use crate::{Cell, Pooling, network::gates::SLOTS, simd::arithmetic::LANES};
use std::ops::Range;

/// Sides of a network, from which the place of every weight follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) cell: Cell,
    /// Features of a row.
    pub(crate) inputs: usize,
    /// The learnt description of a service, if there is one.
    pub(crate) embedding: Option<Embedding>,
    /// Width of the recurrent state.
    pub(crate) hidden: usize,
    /// Recurrent layers, one over the other.
    pub(crate) layers: usize,
    /// How states become features of the head.
    pub(crate) pooling: Pooling,
    /// Width of the head's hidden layer; `None` for a head that is one linear layer.
    pub(crate) head: Option<usize>,
    /// Log-odds that come out: 1, or one for each step of the prediction period.
    pub(crate) outputs: usize,
}

/// A vector for each service that a fit has seen, and one for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Embedding {
    /// Known services.
    pub(crate) services: usize,
    pub(crate) width: usize,
}

/// Sides of one recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayerShape {
    pub(crate) cell: Cell,
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
}

impl LayerShape {
    pub(crate) fn gates(self) -> usize {
        self.cell.gates()
    }

    /// Groups of [`LANES`] units.
    pub(crate) fn panels(self) -> usize {
        self.hidden.div_ceil(LANES)
    }

    /// Width of a state with what fills up the last panel.
    pub(crate) fn stride(self) -> usize {
        self.panels() * LANES
    }

    /// Vectors of weights that a panel has: biases, and one for each gate and input or unit.
    pub(crate) fn panel_vectors(self) -> usize {
        SLOTS + (self.inputs + self.hidden) * self.gates()
    }
}

/// One named tensor within the flat list of weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
    /// Inputs of a unit whose weights these are, which decides how large they are at first.
    pub(crate) fan_in: usize,
    /// Whether weight decay shrinks it.
    pub(crate) decays: bool,
}

/// Where the tensors of a recurrent layer lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayerPlaces {
    pub(crate) weight_ih: Range<usize>,
    pub(crate) weight_hh: Range<usize>,
    pub(crate) bias_ih: Range<usize>,
    pub(crate) bias_hh: Range<usize>,
}

/// Where the tensors of a linear layer lie, and its sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinearPlaces {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
}

/// Where each tensor lies in the flat list of weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) embedding: Option<Range<usize>>,
    pub(crate) layers: Vec<LayerPlaces>,
    pub(crate) attention: Option<Range<usize>>,
    pub(crate) head: Vec<LinearPlaces>,
}

impl Shape {
    /// Width of a state with what fills up the last vector.
    pub(crate) fn stride(&self) -> usize {
        self.hidden.next_multiple_of(LANES)
    }

    /// Width of a row with the service's description.
    pub(crate) fn row(&self) -> usize {
        self.inputs + self.embedding.map_or(0, |embedding| embedding.width)
    }

    /// Sides of each recurrent layer, the lowest first.
    pub(crate) fn recurrent(&self) -> impl Iterator<Item = LayerShape> {
        let Self { cell, hidden, .. } = *self;
        let row = self.row();
        (0..self.layers).map(move |layer| LayerShape {
            cell,
            inputs: if layer == 0 { row } else { hidden },
            hidden,
        })
    }

    /// Inputs and outputs of each linear layer of the head.
    fn head(&self) -> Vec<(usize, usize)> {
        match self.head {
            None => vec![(self.hidden, self.outputs)],
            Some(width) => vec![(self.hidden, width), (width, self.outputs)],
        }
    }

    /// The tensors in the order in which they lie, with the names that PyTorch would give to an `Embedding` called
    /// `service`, an `LSTM` or `GRU` called `rnn`, a `Linear` without bias called `attention`, and a `Linear`, or a
    /// `Sequential` of `Linear`, `ReLU`, `Linear`, called `head`.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let (hidden, mut parts) = (self.hidden, Parts::default());
        if let Some(Embedding { services, width }) = self.embedding {
            parts.add("service.weight".to_owned(), &[services + 1, width], 1, false);
        }
        for (layer, shape) in self.recurrent().enumerate() {
            let rows = shape.gates() * hidden;
            parts.add(format!("rnn.weight_ih_l{layer}"), &[rows, shape.inputs], hidden, true);
            parts.add(format!("rnn.weight_hh_l{layer}"), &[rows, hidden], hidden, true);
            parts.add(format!("rnn.bias_ih_l{layer}"), &[rows], hidden, false);
            parts.add(format!("rnn.bias_hh_l{layer}"), &[rows], hidden, false);
        }
        if self.pooling == Pooling::Attention {
            parts.add("attention.weight".to_owned(), &[1, hidden], hidden, true);
        }
        let linear = self.head();
        for (layer, &(inputs, outputs)) in linear.iter().enumerate() {
            // Between two linear layers of a `Sequential` lies the `ReLU`.
            let name = if linear.len() == 1 { "head".to_owned() } else { format!("head.{}", 2 * layer) };
            parts.add(format!("{name}.weight"), &[outputs, inputs], inputs, true);
            parts.add(format!("{name}.bias"), &[outputs], inputs, false);
        }
        parts.0
    }

    /// Number of weights.
    pub(crate) fn weights(&self) -> usize {
        self.parts().last().map_or(0, |part| part.range.end)
    }

    /// Numbers that one window takes up in a pass over `steps` rows, at most.
    pub(crate) fn activations(&self, steps: usize) -> usize {
        let widest = (4 * self.stride()).max(self.row()).max(self.outputs);
        widest.saturating_mul(steps.saturating_add(1)).saturating_mul(self.layers)
    }

    /// Numbers of a network that is packed for products, whose units are filled up to whole vectors.
    pub(crate) fn packed(&self) -> usize {
        let size = |units: usize, vectors: usize| units.next_multiple_of(LANES).saturating_mul(vectors);
        let layers = self.recurrent().map(|layer| size(layer.hidden, layer.panel_vectors()));
        let head = self.head().into_iter().map(|(inputs, outputs)| size(outputs, inputs.saturating_add(1)));
        let embedding = self.embedding.map(|of| of.width.saturating_mul(of.services.saturating_add(1)));
        layers.chain(head).chain(embedding).fold(self.stride(), usize::saturating_add)
    }

    pub(crate) fn places(&self) -> Places {
        let mut ranges = self.parts().into_iter().map(|part| part.range);
        let mut next = || ranges.next().unwrap_or_default();
        Places {
            embedding: self.embedding.map(|_| next()),
            layers: (0..self.layers)
                .map(|_| LayerPlaces {
                    weight_ih: next(),
                    weight_hh: next(),
                    bias_ih: next(),
                    bias_hh: next(),
                })
                .collect(),
            attention: (self.pooling == Pooling::Attention).then(&mut next),
            head: self
                .head()
                .into_iter()
                .map(|(inputs, outputs)| LinearPlaces { inputs, outputs, weight: next(), bias: next() })
                .collect(),
        }
    }
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn add(&mut self, name: String, shape: &[usize], fan_in: usize, decays: bool) {
        let first = self.0.last().map_or(0, |part| part.range.end);
        let range = first..first + shape.iter().product::<usize>();
        self.0.push(Part { name, shape: shape.to_vec(), range, fan_in, decays });
    }
}

#[cfg(test)]
pub(crate) mod strategies {
    use super::*;
    use proptest::prelude::*;

    /// Networks of every kind, with sides up to these.
    pub(crate) fn shape(inputs: usize, hidden: usize, head: usize) -> impl Strategy<Value = Shape> {
        let embedding = proptest::option::of((1usize..4, 1usize..4));
        let sides = (1..=inputs, 1..=hidden, 1usize..=3, proptest::option::of(1..=head), 1usize..6);
        (any::<[bool; 2]>(), sides, embedding).prop_map(
            |([gru, attention], (inputs, hidden, layers, head, outputs), embedding)| Shape {
                cell: if gru { Cell::Gru } else { Cell::Lstm },
                inputs,
                embedding: embedding.map(|(services, width)| Embedding { services, width }),
                hidden,
                layers,
                pooling: if attention { Pooling::Attention } else { Pooling::LastState },
                head,
                outputs,
            },
        )
    }

    /// One layer, its last state, one log-odds.
    pub(crate) fn plain(cell: Cell, inputs: usize, hidden: usize, head: Option<usize>) -> Shape {
        let pooling = Pooling::LastState;
        Shape { cell, inputs, embedding: None, hidden, layers: 1, pooling, head, outputs: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_parts_tile_the_weights(shape in strategies::shape(9, 40, 20)) {
            let mut next = 0;
            for part in shape.parts() {
                prop_assert_eq!(part.range.start, next);
                prop_assert_eq!(part.range.len(), part.shape.iter().product::<usize>());
                next = part.range.end;
            }
            prop_assert_eq!(shape.weights(), next);
            let places = shape.places();
            prop_assert_eq!(&places.head.last().unwrap().bias, &(next - shape.outputs..next));
            prop_assert_eq!(places.layers.len(), shape.layers);
        }
    }

    #[test]
    fn the_usual_network_has_the_usual_size() {
        let shape = strategies::plain(Cell::Lstm, 19, 64, None);
        assert_eq!(shape.weights(), 256 * (19 + 64 + 2) + 65);
        let names: Vec<_> = shape.parts().into_iter().map(|part| part.name).collect();
        assert_eq!(
            names,
            [
                "rnn.weight_ih_l0",
                "rnn.weight_hh_l0",
                "rnn.bias_ih_l0",
                "rnn.bias_hh_l0",
                "head.weight",
                "head.bias"
            ]
        );
    }
}

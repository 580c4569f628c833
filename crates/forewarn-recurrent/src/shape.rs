use crate::Cell;
use std::ops::Range;

/// Sides of a network, from which the place of every weight follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) cell: Cell,
    /// Features of a row.
    pub(crate) inputs: usize,
    /// Width of the recurrent state.
    pub(crate) hidden: usize,
    /// Width of the head's hidden layer; `None` for a head that is one linear unit.
    pub(crate) head: Option<usize>,
}

/// One named tensor within the flat list of weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
}

impl Part {
    /// Whether it is a matrix, which weight decay shrinks, rather than a bias.
    pub(crate) fn is_matrix(&self) -> bool {
        self.shape.len() == 2
    }
}

/// Where each tensor lies in the flat list of weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) weight_ih: Range<usize>,
    pub(crate) weight_hh: Range<usize>,
    pub(crate) bias_ih: Range<usize>,
    pub(crate) bias_hh: Range<usize>,
    /// Weight and bias of the head's hidden layer.
    pub(crate) head_hidden: Option<(Range<usize>, Range<usize>)>,
    pub(crate) head_weight: Range<usize>,
    pub(crate) head_bias: Range<usize>,
}

impl Shape {
    /// Rows of the recurrent weights: gates times hidden units.
    pub(crate) fn gate_rows(&self) -> usize {
        self.cell.gates() * self.hidden
    }

    /// The tensors in the order in which they lie, with the names that PyTorch would give to an `LSTM` or `GRU` called `rnn` and
    /// a `Linear`, or a `Sequential` of `Linear`, `ReLU`, `Linear`, called `head`.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let (rows, hidden) = (self.gate_rows(), self.hidden);
        let mut sides = vec![
            ("rnn.weight_ih_l0", vec![rows, self.inputs]),
            ("rnn.weight_hh_l0", vec![rows, hidden]),
            ("rnn.bias_ih_l0", vec![rows]),
            ("rnn.bias_hh_l0", vec![rows]),
        ];
        match self.head {
            None => sides.extend([("head.weight", vec![1, hidden]), ("head.bias", vec![1])]),
            Some(width) => sides.extend([
                ("head.0.weight", vec![width, hidden]),
                ("head.0.bias", vec![width]),
                ("head.2.weight", vec![1, width]),
                ("head.2.bias", vec![1]),
            ]),
        }
        let mut next = 0;
        sides
            .into_iter()
            .map(|(name, shape)| {
                let first = next;
                next += shape.iter().product::<usize>();
                Part { name, shape, range: first..next }
            })
            .collect()
    }

    /// Number of weights.
    pub(crate) fn weights(&self) -> usize {
        self.parts().last().map_or(0, |part| part.range.end)
    }

    pub(crate) fn places(&self) -> Places {
        let ranges: Vec<_> = self.parts().into_iter().map(|part| part.range).collect();
        let head = &ranges[4..];
        let head_hidden = (head.len() == 4).then(|| (head[0].clone(), head[1].clone()));
        Places {
            weight_ih: ranges[0].clone(),
            weight_hh: ranges[1].clone(),
            bias_ih: ranges[2].clone(),
            bias_hh: ranges[3].clone(),
            head_hidden,
            head_weight: head[head.len() - 2].clone(),
            head_bias: head[head.len() - 1].clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_tile_the_weights() {
        for cell in [Cell::Lstm, Cell::Gru] {
            for head in [None, Some(5)] {
                let shape = Shape { cell, inputs: 3, hidden: 4, head };
                let mut next = 0;
                for part in shape.parts() {
                    assert_eq!(part.range.start, next);
                    assert_eq!(part.range.len(), part.shape.iter().product::<usize>());
                    next = part.range.end;
                }
                assert_eq!(shape.weights(), next);
                assert_eq!(shape.places().head_bias, next - 1..next);
                let head_hidden = shape.places().head_hidden.map_or(0, |(weight, _)| weight.len());
                assert_eq!(head_hidden, head.map_or(0, |width| width * 4));
            }
        }
        let default = Shape { cell: Cell::Lstm, inputs: 19, hidden: 64, head: None };
        assert_eq!(default.weights(), 256 * (19 + 64 + 2) + 65);
    }
}

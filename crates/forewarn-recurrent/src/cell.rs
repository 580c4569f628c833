use serde::{Deserialize, Serialize};

/// Which recurrent cell reads the window.
///
/// Equations, gate order and the place of both biases are PyTorch's, so weights can be exchanged with it.
///
/// # References
/// S. Hochreiter and J. Schmidhuber, *Long short-term memory*, Neural Computation 9(8), 1997. K. Cho et al.,
/// *Learning phrase representations using RNN encoder-decoder for statistical machine translation*, EMNLP 2014; the
/// reset gate is applied after the matrix product, as in PyTorch and cuDNN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cell {
    /// Long short-term memory: gates input, forget, cell, output.
    #[default]
    Lstm,
    /// Gated recurrent unit: gates reset, update, new.
    Gru,
}

impl Cell {
    /// The kind of a saved model with this cell: `"lstm"` or `"gru"`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Lstm => "lstm",
            Self::Gru => "gru",
        }
    }

    /// Gates a hidden unit has, which is how many rows of weights it has.
    pub(crate) fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lstm => "LSTM",
            Self::Gru => "GRU",
        })
    }
}

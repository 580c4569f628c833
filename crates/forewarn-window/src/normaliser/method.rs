use serde::{Deserialize, Serialize};

/// Whose values a value is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// Those of its own service; of all services together for a service that was not trained on.
    #[default]
    Service,
    /// Those of all services together.
    Global,
}

/// How values are made comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Normalisation {
    /// Minus the mean, over the standard deviation of the population (`n` in the denominator, as scikit-learn's
    /// `StandardScaler`).
    #[default]
    ZScore,
    /// Minus the median, over the distance between the quartiles; divided by 1.349, which makes it the deviation
    /// where values are normal. Where half of the values are equal, over the root mean square distance from the
    /// median.
    Robust,
    /// Minus the smallest, over the range: 0 to 1 in training, beyond it later.
    MinMax,
    /// The share of training values below, 0 to 1, interpolated between this number of equally spaced quantiles (at
    /// least 2).
    Quantile {
        /// Quantiles that are kept, the smallest and the largest value among them.
        knots: usize,
    },
}

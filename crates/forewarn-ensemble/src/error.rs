use forewarn_core::CoreError;

/// Why models could not be put together.
///
/// The traits of `forewarn-core` report it as the source of a [`CoreError::Outside`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// Two models that are to be one mean different things by a column.
    #[error(
        "two models mean different things by column {column:?}: name the source of each model's columns with `Qualified`"
    )]
    TwoMeanings {
        /// The column.
        column: String,
    },
}

impl EnsembleError {
    /// The error as the traits of `forewarn-core` report it; `what` names the model.
    pub(crate) fn of(self, what: &'static str) -> CoreError {
        CoreError::outside(what, self)
    }
}

use forewarn_schema::Step;

/// How a file is to be understood.
///
/// ```
/// use forewarn_io::ReadOptions;
/// use forewarn_schema::Step;
///
/// let options = ReadOptions::default().with_outcome_column("failure").with_step(Step::from_millis(15_000)?);
/// assert_eq!(options.outcome_column.as_deref(), Some("failure"));
/// # Ok::<(), forewarn_schema::SchemaError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The column that says, with 0 and 1, whether the service was failing. None by default.
    pub outcome_column: Option<String>,
    /// Time between rows of one service. A minute by default.
    pub step: Step,
}

impl ReadOptions {
    /// With this column as the outcome: [`Kind::Outcome`](forewarn_schema::Kind::Outcome), never an input of a model.
    #[must_use]
    pub fn with_outcome_column(mut self, column: impl Into<String>) -> Self {
        self.outcome_column = Some(column.into());
        self
    }

    /// With this time between rows.
    #[must_use]
    pub fn with_step(mut self, step: Step) -> Self {
        self.step = step;
        self
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { outcome_column: None, step: Step::MINUTE }
    }
}

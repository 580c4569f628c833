/// Why bytes or text are not what they should be. What a server or a file says is quoted in at most 200 characters and
/// without control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrometheusError {
    /// The server understood the question and refuses it.
    #[error("the server refuses the query ({kind}): {message}")]
    Server {
        /// The server's `errorType`, such as `bad_data`, `timeout` or `execution`.
        kind: String,
        /// The server's words.
        message: String,
    },
    /// Bytes that are no answer of the HTTP API.
    #[error(
        "not an answer of the Prometheus API ({reason}): expected JSON with status and data, found {begins:?}"
    )]
    NotAnAnswer {
        /// What the JSON parser says.
        reason: String,
        /// The first characters.
        begins: String,
    },
    /// An answer of another kind than the question has.
    #[error("the answer holds a {found}, expected a {expected}")]
    OtherResult {
        /// What was asked for.
        expected: &'static str,
        /// The server's `resultType`.
        found: String,
    },
    /// More than the limits allow.
    #[error("{found} {what} exceed the limit of {limit}: send less at once or raise `{setting}`")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much was found, or declared.
        found: u64,
        /// How much is allowed.
        limit: u64,
        /// The field of [`Limits`](crate::Limits).
        setting: &'static str,
    },
    /// A label without a name.
    #[error("a label has no name (its value is {value:?})")]
    EmptyLabelName {
        /// Its value.
        value: String,
    },
    /// A label name that appears twice in one series.
    #[error("the label {name:?} appears twice in one series")]
    DuplicateLabel {
        /// The name.
        name: String,
    },
    /// A time that no calendar holds.
    #[error("a sample's time of {millis} ms since 1970 is outside the years -9999 to 9999")]
    Time {
        /// Milliseconds since 1970.
        millis: i64,
    },
    /// A line that is not of the text format.
    #[error("line {line}: {found:?}: expected {expected}")]
    Line {
        /// From 1.
        line: usize,
        /// The line, or its part that is wrong.
        found: String,
        /// What should be there.
        expected: &'static str,
    },
    /// OpenMetrics text that stops before its end.
    #[error("the text ends after line {lines} without \"# EOF\": it was cut off in transit")]
    NoEof {
        /// Lines that were read.
        lines: usize,
    },
    /// Bytes that are no snappy block.
    #[error("not a snappy block: {reason}")]
    Snappy {
        /// The decoder's words.
        reason: String,
    },
    /// Bytes that are not the protobuf message that they should be.
    #[error("not a {message} message: {reason}")]
    Protobuf {
        /// The message's name in its protocol.
        message: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// JSON that is not OTLP.
    #[error("not OTLP metrics in JSON: {reason}")]
    OtlpJson {
        /// What is wrong, with its line and column.
        reason: String,
    },
    /// Label matchers that PromQL would not take.
    #[error("label matchers {text:?}: {reason}; expected such as namespace=\"shop\", code=~\"5..\"")]
    Matchers {
        /// The matchers.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A recipe file that is not TOML of a recipe.
    #[error("not a recipe: {reason}")]
    RecipeSyntax {
        /// What is wrong, with its place.
        reason: String,
    },
    /// A recipe with a field that cannot be.
    #[error("recipe {recipe:?}: {field} is {found:?}, expected {expected}")]
    RecipeField {
        /// The recipe.
        recipe: String,
        /// Which field.
        field: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// No built-in recipe has this name.
    #[error("there is no built-in recipe {name:?}: expected one of {}", available.join(", "))]
    UnknownRecipe {
        /// The name.
        name: String,
        /// The names that there are.
        available: Vec<&'static str>,
    },
    /// A recipe for a metric that the schema lacks.
    #[error("recipe {recipe:?} makes {metric:?}, which the schema lacks; it has {}", available.join(", "))]
    UnknownMetric {
        /// The recipe, or whatever named the metric.
        recipe: String,
        /// The metric.
        metric: String,
        /// The schema's metrics.
        available: Vec<String>,
    },
    /// A query setting outside its range.
    #[error("{setting} is {found}, expected {expected}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A histogram whose parts contradict each other.
    #[error("a histogram {reason}")]
    Histogram {
        /// In what way.
        reason: String,
    },
}

use crate::{Timestamp, Unit, ValidRange};

/// Why a schema, a frame or an episode was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A schema needs at least one metric.
    #[error("a schema needs at least one metric")]
    NoMetrics,
    /// A metric's name is empty or only blanks.
    #[error("metric {index} has an empty name")]
    EmptyMetricName {
        /// Position in the schema, from 0.
        index: usize,
    },
    /// Two metrics of one schema have the same name.
    #[error("metric {name:?} appears twice")]
    DuplicateMetric {
        /// The repeated name.
        name: String,
    },
    /// A metric that a rule, a feature or a caller needs is not in the schema.
    #[error("metric {name:?} is missing: the schema has {}", crate::printable_names(available))]
    UnknownMetric {
        /// The metric asked for.
        name: String,
        /// The metrics there are.
        available: Vec<String>,
    },
    /// A range whose lower end is above its upper end, or with a NaN end.
    #[error("range {min}..={max} is empty")]
    EmptyRange {
        /// Lower end.
        min: f32,
        /// Upper end.
        max: f32,
    },
    /// A step of zero or negative length.
    #[error("a step must be longer than zero, got {millis} ms")]
    InvalidStep {
        /// The length asked for, in milliseconds.
        millis: i64,
    },
    /// A clock more than a day ahead of UTC, or behind it.
    #[error("a clock is {minutes} minutes ahead of UTC: expected -1440 to 1440")]
    InvalidUtcOffset {
        /// The offset asked for.
        minutes: i32,
    },
    /// A text that is not a length of time.
    #[error(
        "{text:?} is not a length of time: expected a number and a unit (ms, s, min, h, d), such as 15s or 5min"
    )]
    InvalidDuration {
        /// The text.
        text: String,
    },
    /// A text that is no timestamp.
    #[error("{text:?} is not a timestamp: expected RFC 3339, such as 2024-01-01T00:00:00Z")]
    InvalidTimestamp {
        /// The text.
        text: String,
    },
    /// A time of another program's that no timestamp holds.
    #[error("{secs} s since 1970 is not a time of the calendar: expected one in the years -9999 to 9999")]
    BeyondCalendar {
        /// Seconds since 1970-01-01T00:00:00Z.
        secs: f64,
    },
    /// A row's time beyond what a timestamp can hold.
    #[error("{start} plus {steps} steps of {step_millis} ms is beyond the calendar")]
    TimeOverflow {
        /// First row's time.
        start: Timestamp,
        /// Rows.
        steps: usize,
        /// Step.
        step_millis: i64,
    },
    /// A service's name is empty.
    #[error("a service needs a name")]
    EmptyServiceName,
    /// The block of values is not a whole number of rows.
    #[error("{service}: {values} values are not a whole number of rows of {metrics} metrics")]
    RaggedValues {
        /// Service.
        service: String,
        /// Values given.
        values: usize,
        /// Values a row.
        metrics: usize,
    },
    /// Columns are computed with one state for each service.
    #[error("{states} states for {services} services: one is needed for each")]
    StateCount {
        /// States given.
        states: usize,
        /// Services of the set.
        services: usize,
    },
    /// A row that has not one value for each metric of its schema.
    #[error("a row has {got} values, its schema {expected} metrics")]
    RowWidth {
        /// Metrics of the schema.
        expected: usize,
        /// Values of the row.
        got: usize,
    },
    /// An error with its place: whose row, and when.
    #[error("{service} at {time}: {source}")]
    InRow {
        /// Service.
        service: String,
        /// When.
        time: Timestamp,
        /// What is wrong there.
        source: Box<SchemaError>,
    },
    /// A value outside the metric's valid range (infinities always are).
    #[error("{metric} is {value}, outside {range} ({unit})")]
    OutOfRange {
        /// Which metric.
        metric: String,
        /// The value found.
        value: f32,
        /// What is allowed.
        range: ValidRange,
        /// The metric's unit.
        unit: Unit,
    },
    /// Two frames of one set have the same service.
    #[error("service {service:?} appears twice")]
    DuplicateService {
        /// The repeated name.
        service: String,
    },
    /// Frames of one set must share schema and step.
    #[error("service {service:?} has another {what} than the services before it")]
    MixedFrames {
        /// The frame that differs.
        service: String,
        /// `"schema"` or `"step"`.
        what: &'static str,
    },
    /// Sets of frames that are to be one must have the same services and times.
    #[error("a set of frames has other services or times than the first")]
    MixedLayouts,
    /// Derived columns that are more than anybody trains on, as a damaged or hostile file may ask for.
    #[error(
        "the features have {columns} columns or more, at most {most} are computed: name fewer metrics or nest fewer lists"
    )]
    TooManyColumns {
        /// Columns counted so far.
        columns: usize,
        /// Most that are allowed.
        most: usize,
    },
    /// More rows than a 32-bit row number can hold.
    #[error("{rows} rows are more than one frame set holds ({})", u32::MAX)]
    TooManyRows {
        /// Rows asked for.
        rows: usize,
    },
    /// An episode whose times are not `onset <= confirmed_at < end`.
    #[error("episode out of order: onset {onset}, confirmed at {confirmed_at}, end {end}")]
    EpisodeOrder {
        /// First failing minute.
        onset: Timestamp,
        /// Minute in which the rule was first satisfied.
        confirmed_at: Timestamp,
        /// First minute after it.
        end: Timestamp,
    },
    /// Episodes of one service overlap or are not in order of time.
    #[error("episode {index}, onset {onset}, begins before the one before it ended ({previous_end})")]
    EpisodesOverlap {
        /// Position of the later episode, from 0.
        index: usize,
        /// Its onset.
        onset: Timestamp,
        /// End of the one before it.
        previous_end: Timestamp,
    },
}

impl SchemaError {
    /// Says in whose row it happened, and when.
    #[must_use]
    pub fn in_row(self, service: impl Into<String>, time: Timestamp) -> Self {
        Self::InRow { service: service.into(), time, source: Box::new(self) }
    }
}

use crate::{DateOrder, IoError};
use forewarn_core::table::{Decimal, TableSettings};
use forewarn_schema::{Kind, Step, Unit, ValidRange};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::BTreeMap;

/// How files of metrics are to be understood: one settings type for every command and reader.
///
/// The default reads most files as they are: columns are recognised by their usual names, the separator, the form of
/// times and the step are found from the data, and each choice is said in
/// [`ReadSummary::notes`](crate::ReadSummary::notes).
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `time_columns` | columns that say when, joined with a blank | found by name | columns of the file |
/// | `service_columns` | columns that say which service, joined with `/` | found by name | columns of the file |
/// | `columns` | the metrics to take | every column left | columns of the file |
/// | `drop` | columns to leave out | none | any names |
/// | `rename` | names of the file to names to use | none | any names |
/// | `outcome_column` | says whether the service was failing | none | a column of the file |
/// | `outcome_equals` | the cell that means failing | a word for yes, or 1 | any word or number |
/// | `unknown_labels` | outcome cells that mean unknown | the missing words | any words |
/// | `missing_words` | further cells that mean missing | none | any words |
/// | `counters` | metrics that count since a process began | names in `_total` | metrics of the file |
/// | `units` | units in which the file has a metric | that of the metric | see [`with_unit`](ReadOptions::with_unit) |
/// | `metrics` | definitions of metrics, as in a schema file | none | see [`MetricSpec`] |
/// | `step` | time between the rows of a service | found, 1 s to 1 d | above zero |
/// | `timezone` | zone of times that have none | UTC | an IANA name, or an offset such as `+02:00` |
/// | `date_order` | whether `1/2/2024` begins with the day | what later dates show, else an error | `day_first`, `month_first` |
/// | `separator` | between two cells | found from the header | one ASCII character |
/// | `decimal` | decimal mark | found from the rows | `point`, `comma` |
/// | `shape` | what a row and a column are | found from the header | see [`Shape`] |
/// | `metric` | the metric of a wide file | none | any name |
/// | `duplicates` | what happens to two rows of one time | an error | see [`Duplicates`] |
///
/// Settings are checked when a file is read: [`IoError::Setting`], [`IoError::UnknownColumn`].
///
/// ```
/// use forewarn_io::ReadOptions;
/// use forewarn_schema::Step;
///
/// let options = ReadOptions::default().with_outcome_column("failure").with_step(Step::from_millis(15_000)?);
/// assert_eq!(options.outcome_column.as_deref(), Some("failure"));
/// # Ok::<(), forewarn_schema::SchemaError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The columns that say when; several, such as a date and a time, are joined with a blank. Found by their usual
    /// names by default.
    pub time_columns: Vec<String>,
    /// The columns that say which service; several are joined with `/`. Found by their usual names by default.
    pub service_columns: Vec<String>,
    /// The metrics to take; every column that is left, by default.
    pub columns: Vec<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// Names that the file has, and those to use for them; everything else here means the new names.
    pub rename: BTreeMap<String, String>,
    /// The column that says whether the service was failing. None by default.
    pub outcome_column: Option<String>,
    /// The cell of the outcome column that means failing, compared as a number where both are; every other known one
    /// then means that the service was well. By default `1`, `true`, `yes` and the like mean failing, their opposites
    /// well, and anything else is an error.
    pub outcome_equals: Option<String>,
    /// Words of the outcome column that mean unknown, besides the missing ones.
    pub unknown_labels: Vec<String>,
    /// Words that mean a missing value, besides the usual ones.
    pub missing_words: Vec<String>,
    /// Metrics that count since a process began; they become the increase per step, resets taken out. A name that
    /// ends in `_total` is taken as one without being named here, unless it falls too often.
    pub counters: Vec<String>,
    /// The units in which the file has a metric, by its symbol.
    pub units: BTreeMap<String, String>,
    /// Definitions of metrics.
    pub metrics: Vec<MetricSpec>,
    /// Time between rows of one service. Found from the data by default.
    #[serde(serialize_with = "step_to_text", deserialize_with = "step_from_text")]
    pub step: Option<Step>,
    /// The zone of times that do not name one. UTC by default.
    pub timezone: Option<String>,
    /// Which number of dates such as `1/2/2024` is the day. By default one of the first rows has to show it.
    pub date_order: Option<DateOrder>,
    /// What separates two cells of text.
    pub separator: Option<char>,
    /// The decimal mark of numbers.
    pub decimal: Option<Decimal>,
    /// What a row and a column of the file are.
    pub shape: Shape,
    /// The metric of a wide file, in which each column is a service.
    pub metric: Option<String>,
    /// What becomes of two rows of one service and time.
    pub duplicates: Duplicates,
}

/// What a row and a column of a file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shape {
    /// Long where there are a column of metric names and one of values, records elsewhere.
    #[default]
    Auto,
    /// A row is a service at a time, a column a metric.
    Records,
    /// A row is one metric of a service at a time.
    Long,
    /// A row is a time, a column a service; the metric is [`ReadOptions::metric`].
    Wide,
}

/// What becomes of two rows of one service and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Duplicates {
    /// An error that names both lines.
    #[default]
    Error,
    /// The first of them in the file is taken, the others are counted.
    First,
    /// The last of them in the file is taken, the others are counted.
    Last,
    /// Their mean is taken. An outcome is failing where one of them is; a counter is the last of them.
    Mean,
}

/// The definition of one metric: a `[[metric]]` of a schema file.
///
/// ```
/// use forewarn_io::MetricSpec;
///
/// let metrics = MetricSpec::from_toml(r#"
///     [[metric]]
///     name = "p99_latency"
///     column = "LatencyP99(s)"
///     unit = "s"
///
///     [[metric]]
///     name = "errors"
///     kind = "counter"
///     range = { min = 0 }
/// "#)?;
/// assert_eq!((metrics[0].name.as_str(), metrics[0].unit.as_deref()), ("p99_latency", Some("s")));
/// # Ok::<(), forewarn_io::IoError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MetricSpec {
    /// Name of the metric.
    pub name: String,
    /// Name of the column, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Unit in which the file has it; see [`ReadOptions::with_unit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Behaviour in time. A gauge by default, or as the metric of that name in the v1 schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Values that are not an error, in the unit that is stored. By default every finite number, or as in the v1
    /// schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<ValidRange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    metric: Vec<MetricSpec>,
}

impl MetricSpec {
    /// A metric of which only the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), column: None, unit: None, kind: None, range: None }
    }

    /// The metrics of a schema file: TOML with one `[[metric]]` each.
    ///
    /// # Errors
    /// [`IoError::SchemaFile`].
    pub fn from_toml(text: &str) -> Result<Vec<Self>, IoError> {
        let file: SchemaFile =
            toml::from_str(text).map_err(|source| IoError::SchemaFile { source: source.into() })?;
        Ok(file.metric)
    }
}

/// How a unit of a file becomes the one that is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conversion {
    pub(crate) unit: Unit,
    pub(crate) factor: f64,
}

impl Conversion {
    /// That of a unit's symbol: times become milliseconds, per cent a ratio, rates of bytes kilobytes per second;
    /// others stay.
    pub(crate) fn of(symbol: &str) -> Self {
        let known = |unit, factor| Self { unit, factor };
        match symbol.trim() {
            "ns" => known(Unit::Milliseconds, 1e-6),
            "us" | "usec" | "\u{b5}s" | "\u{3bc}s" | "microseconds" => known(Unit::Milliseconds, 1e-3),
            "ms" | "msec" | "milliseconds" => known(Unit::Milliseconds, 1.0),
            "s" | "sec" | "seconds" => known(Unit::Milliseconds, 1e3),
            "min" | "m" | "minutes" => known(Unit::Milliseconds, 60e3),
            "h" | "hours" => known(Unit::Milliseconds, 3600e3),
            "%" | "percent" | "pct" => known(Unit::Ratio, 0.01),
            "ratio" => known(Unit::Ratio, 1.0),
            "B/s" => known(Unit::KilobytesPerSecond, 1e-3),
            "kB/s" | "KB/s" => known(Unit::KilobytesPerSecond, 1.0),
            "MB/s" => known(Unit::KilobytesPerSecond, 1e3),
            "GB/s" => known(Unit::KilobytesPerSecond, 1e6),
            "KiB/s" => known(Unit::KilobytesPerSecond, 1.024),
            "MiB/s" => known(Unit::KilobytesPerSecond, 1048.576),
            "count per step" | "count" => known(Unit::CountPerStep, 1.0),
            "" | "dimensionless" => known(Unit::Dimensionless, 1.0),
            other => known(Unit::Other(other.to_owned()), 1.0),
        }
    }
}

impl ReadOptions {
    /// With these columns as the time, joined with a blank.
    #[must_use]
    pub fn with_time_columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.time_columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// With these columns as the service, joined with `/`.
    #[must_use]
    pub fn with_service_columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.service_columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// With these columns as the metrics, and no others.
    #[must_use]
    pub fn with_columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Without these columns.
    #[must_use]
    pub fn with_drop<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.drop = columns.into_iter().map(Into::into).collect();
        self
    }

    /// With one more column under another name.
    #[must_use]
    pub fn with_rename(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.rename.insert(from.into(), to.into());
        self
    }

    /// With this column as the outcome: [`Kind::Outcome`], never an input of a model.
    #[must_use]
    pub fn with_outcome_column(mut self, column: impl Into<String>) -> Self {
        self.outcome_column = Some(column.into());
        self
    }

    /// With this cell of the outcome column meaning that the service was failing, such as `0` of a column `up`.
    #[must_use]
    pub fn with_outcome_equals(mut self, cell: impl Into<String>) -> Self {
        self.outcome_equals = Some(cell.into());
        self
    }

    /// With these words of the outcome column meaning unknown.
    #[must_use]
    pub fn with_unknown_labels<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.unknown_labels = words.into_iter().map(Into::into).collect();
        self
    }

    /// With these further words for a missing value.
    #[must_use]
    pub fn with_missing_words<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.missing_words = words.into_iter().map(Into::into).collect();
        self
    }

    /// With these metrics as counters.
    #[must_use]
    pub fn with_counters<S: Into<String>>(mut self, metrics: impl IntoIterator<Item = S>) -> Self {
        self.counters = metrics.into_iter().map(Into::into).collect();
        self
    }

    /// With one more metric that the file has in another unit: `ns`, `us`, `ms`, `s`, `min` and `h` become
    /// milliseconds, `%` a ratio, `B/s`, `kB/s`, `MB/s`, `KiB/s` and `MiB/s` kilobytes per second; any other symbol
    /// is kept with the metric.
    #[must_use]
    pub fn with_unit(mut self, metric: impl Into<String>, unit: impl Into<String>) -> Self {
        self.units.insert(metric.into(), unit.into());
        self
    }

    /// With these definitions of metrics.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Vec<MetricSpec>) -> Self {
        self.metrics = metrics;
        self
    }

    /// With this time between rows.
    #[must_use]
    pub fn with_step(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    /// With times that name no zone in this one: an IANA name such as `Europe/Berlin`, or an offset such as `+02:00`.
    #[must_use]
    pub fn with_timezone(mut self, zone: impl Into<String>) -> Self {
        self.timezone = Some(zone.into());
        self
    }

    /// With dates such as `1/2/2024` in this order.
    #[must_use]
    pub fn with_date_order(mut self, order: DateOrder) -> Self {
        self.date_order = Some(order);
        self
    }

    /// With this between two cells.
    #[must_use]
    pub fn with_separator(mut self, separator: char) -> Self {
        self.separator = Some(separator);
        self
    }

    /// With this decimal mark.
    #[must_use]
    pub fn with_decimal(mut self, decimal: Decimal) -> Self {
        self.decimal = Some(decimal);
        self
    }

    /// With rows and columns of this meaning.
    #[must_use]
    pub fn with_shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// With this metric in all columns of a wide file.
    #[must_use]
    pub fn with_metric(mut self, metric: impl Into<String>) -> Self {
        self.metric = Some(metric.into());
        self
    }

    /// With this done to two rows of one time.
    #[must_use]
    pub fn with_duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// How text is to be cut into cells.
    ///
    /// # Errors
    /// [`IoError::Setting`] for a separator that is none.
    pub fn table_settings(&self) -> Result<TableSettings, IoError> {
        let mut settings = TableSettings::default();
        if let Some(separator) = self.separator {
            let byte =
                u8::try_from(separator).ok().filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte));
            settings = settings.with_separator(byte.ok_or_else(|| IoError::Setting {
                option: "separator",
                value: separator.to_string(),
                expected: "one ASCII character that is neither a quote nor a line end".to_owned(),
            })?);
        }
        if let Some(decimal) = self.decimal {
            settings = settings.with_decimal(decimal);
        }
        Ok(settings)
    }
}

#[expect(clippy::ref_option, reason = "the form that serde asks for")]
fn step_to_text<S: Serializer>(step: &Option<Step>, to: S) -> Result<S::Ok, S::Error> {
    step.map(|step| step.to_string()).serialize(to)
}

/// A text such as `15s`, or milliseconds.
fn step_from_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Step>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Millis(i64),
        Text(String),
    }
    let step = match Option::<Form>::deserialize(from)? {
        None => return Ok(None),
        Some(Form::Millis(millis)) => Step::from_millis(millis),
        Some(Form::Text(text)) => text.parse(),
    };
    step.map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_and_read() {
        let options = ReadOptions::default()
            .with_step(Step::from_millis(15_000).unwrap())
            .with_unit("p99_latency", "s")
            .with_rename("a", "b")
            .with_shape(Shape::Wide)
            .with_duplicates(Duplicates::Mean)
            .with_decimal(Decimal::Comma)
            .with_separator(';');
        let json = serde_json::to_string(&options).unwrap();
        assert!(json.contains(r#""step":"15 s""#), "{json}");
        assert_eq!(serde_json::from_str::<ReadOptions>(&json).unwrap(), options);
        let toml = "step = 60000\ntime_columns = [\"Time\"]\nduplicates = \"last\"";
        let read: ReadOptions = toml::from_str(toml).unwrap();
        let expected = ReadOptions::default().with_step(Step::MINUTE).with_time_columns(["Time"]);
        assert_eq!(read, expected.with_duplicates(Duplicates::Last));
        assert!(toml::from_str::<ReadOptions>("step = \"soon\"").is_err());
        assert!(toml::from_str::<ReadOptions>("stepp = 1").is_err());
    }

    #[test]
    fn a_separator_is_one_byte() {
        assert!(ReadOptions::default().with_separator('|').table_settings().is_ok());
        for wrong in ['"', '\n', 'é'] {
            let error = ReadOptions::default().with_separator(wrong).table_settings().unwrap_err();
            assert!(error.to_string().starts_with("separator"), "{error}");
        }
    }
}

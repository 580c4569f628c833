use std::fmt::Write;

use forewarn_schema::Timestamp;

use super::TextFormat;
use super::entry::FamilyKind;
use crate::recipe::is_series_name;
use crate::{Labels, PrometheusError, text};

/// Writes metrics of one's own, a family after the other, in either format.
///
/// ```
/// use forewarn_prometheus::{ExpositionWriter, FamilyKind, TextFormat};
///
/// let mut text = ExpositionWriter::new(TextFormat::OpenMetrics);
/// text.family("forewarn_rows", FamilyKind::Counter, None, "Rows that were scored.")?;
/// text.sample("_total", [("service", "shop/web")], 60.0, None)?;
/// let text = text.finish();
/// assert!(text.ends_with("forewarn_rows_total{service=\"shop/web\"} 60\n# EOF\n"));
/// # Ok::<(), forewarn_prometheus::PrometheusError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExpositionWriter {
    format: TextFormat,
    text: String,
    family: String,
}

impl ExpositionWriter {
    /// Nothing yet.
    #[must_use]
    pub fn new(format: TextFormat) -> Self {
        Self { format, text: String::new(), family: String::new() }
    }

    /// Begins a family. `name` is without the `_total` of counters and the `_info` of infos, which samples carry; the
    /// unit, where there is one, is its ending.
    ///
    /// # Errors
    /// [`PrometheusError::Setting`] for a name of other characters than letters, digits, `_` and `:`, or one that
    /// does not end in the unit.
    pub fn family(
        &mut self,
        name: &str,
        kind: FamilyKind,
        unit: Option<&str>,
        help: &str,
    ) -> Result<(), PrometheusError> {
        let setting =
            |expected| PrometheusError::Setting { setting: "name", found: text::quoted(name), expected };
        if !is_series_name(name) {
            return Err(setting("letters, digits, _ and :"));
        }
        if unit.is_some_and(|unit| !name.strip_suffix(unit).is_some_and(|stem| stem.ends_with('_'))) {
            return Err(setting("a name that ends in _ and its unit"));
        }
        self.family.clear();
        self.family.push_str(name);
        let open_metrics = self.format == TextFormat::OpenMetrics;
        // To Prometheus a family is called as its samples are.
        let (name, kind) = match (self.format, kind) {
            (TextFormat::Prometheus, FamilyKind::Counter) => (format!("{name}_total"), "counter".to_owned()),
            (TextFormat::Prometheus, FamilyKind::Info) => (format!("{name}_info"), "gauge".to_owned()),
            (TextFormat::Prometheus, FamilyKind::StateSet) => (name.to_owned(), "gauge".to_owned()),
            (TextFormat::Prometheus, FamilyKind::Unknown | FamilyKind::GaugeHistogram) => {
                (name.to_owned(), "untyped".to_owned())
            }
            (_, kind) => (name.to_owned(), kind.to_string()),
        };
        let help = escape(help, open_metrics);
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        if let Some(unit) = unit.filter(|_| open_metrics) {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
        Ok(())
    }

    /// Adds a sample to the family: `ending` is what its name has after the family's, such as `_total`, `_bucket` or
    /// nothing. A time is seldom of use: whoever scrapes puts its own.
    ///
    /// # Errors
    /// Those of [`Labels::new`].
    pub fn sample<'a>(
        &mut self,
        ending: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: f64,
        time: Option<Timestamp>,
    ) -> Result<(), PrometheusError> {
        let labels = Labels::new(labels)?;
        self.text.push_str(&self.family);
        self.text.push_str(ending);
        for (position, (name, value)) in labels.iter().enumerate() {
            self.text.push_str(if position == 0 { "{" } else { "," });
            let value = escape(value, true);
            // A name of other characters in quotes, as both formats have it since Prometheus 3.0.
            let _ = if is_series_name(name) && !name.contains(':') {
                write!(self.text, "{name}=\"{value}\"")
            } else {
                write!(self.text, "\"{}\"=\"{value}\"", escape(name, true))
            };
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = write!(self.text, " {}", number(value));
        if let Some(time) = time {
            let _ = match self.format {
                TextFormat::Prometheus => write!(self.text, " {}", time.millis()),
                TextFormat::OpenMetrics => {
                    // A quotient of integers, since not every millisecond is a double of seconds.
                    let (sign, millis) =
                        (if time.millis() < 0 { "-" } else { "" }, time.millis().unsigned_abs());
                    write!(self.text, " {sign}{}.{:03}", millis / 1000, millis % 1000)
                }
            };
        }
        self.text.push('\n');
        Ok(())
    }

    /// The text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.format == TextFormat::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// A number as Go writes it where the two differ.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

fn escape(text: &str, quotes: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '"' if quotes => escaped.push_str("\\\""),
            _ => escaped.push(c),
        }
    }
    escaped
}

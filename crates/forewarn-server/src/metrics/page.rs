//! A page of metrics, family by family.

use forewarn_prometheus::{ExpositionWriter, FamilyKind, PrometheusError, TextFormat};
use forewarn_schema::Timestamp;

/// Labels of a sample, in any order.
pub(super) type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Writes families.
pub(super) struct Page(ExpositionWriter);

impl Page {
    pub(super) fn new(format: TextFormat) -> Self {
        Self(ExpositionWriter::new(format))
    }

    pub(super) fn finish(self) -> String {
        self.0.finish()
    }

    /// A family of levels. `unit` is the ending of its name, where it has one.
    pub(super) fn gauge<'a>(
        &mut self,
        name: &str,
        unit: Option<&str>,
        help: &str,
        samples: impl IntoIterator<Item = (Pairs<'a>, f64)>,
    ) -> Result<(), PrometheusError> {
        self.0.family(name, FamilyKind::Gauge, unit, help)?;
        samples.into_iter().try_for_each(|(labels, value)| self.0.sample("", labels, value, None))
    }

    /// A family of counters; `name` is without `_total`.
    pub(super) fn counter<'a>(
        &mut self,
        name: &str,
        unit: Option<&str>,
        help: &str,
        samples: impl IntoIterator<Item = (Pairs<'a>, f64)>,
    ) -> Result<(), PrometheusError> {
        self.0.family(name, FamilyKind::Counter, unit, help)?;
        samples.into_iter().try_for_each(|(labels, value)| self.0.sample("_total", labels, value, None))
    }

    /// Labels of which the value is 1; `name` is without `_info`.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: Pairs<'_>) -> Result<(), PrometheusError> {
        self.0.family(name, FamilyKind::Info, None, help)?;
        self.0.sample("_info", labels, 1.0, None)
    }

    /// A histogram of values that are known with their counts, for each set of labels.
    pub(super) fn histogram<'a>(
        &mut self,
        name: &str,
        unit: &str,
        help: &str,
        bounds: &[f64],
        of: impl IntoIterator<Item = (Pairs<'a>, &'a [(i64, u64)])>,
    ) -> Result<(), PrometheusError> {
        self.0.family(name, FamilyKind::Histogram, Some(unit), help)?;
        for (labels, values) in of {
            let below = |bound: f64| {
                let counts =
                    values.iter().filter(|(value, _)| *value as f64 <= bound).map(|(_, count)| count);
                counts.sum::<u64>() as f64
            };
            for bound in bounds.iter().copied().chain([f64::INFINITY]) {
                let le = if bound.is_infinite() { "+Inf".to_owned() } else { format!("{bound:?}") };
                let labels = labels.iter().copied().chain([("le", le.as_str())]);
                self.0.sample("_bucket", labels, below(bound), None)?;
            }
            let sum: f64 = values.iter().map(|(value, count)| *value as f64 * *count as f64).sum();
            self.0.sample("_count", labels.iter().copied(), below(f64::INFINITY), None)?;
            self.0.sample("_sum", labels.iter().copied(), sum, None)?;
        }
        Ok(())
    }
}

/// A sample without labels.
pub(super) fn plain<'a>(value: f64) -> [(Pairs<'a>, f64); 1] {
    [(Vec::new(), value)]
}

/// A time as metrics have it.
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.millis() as f64 / 1000.0
}

/// 1 for yes.
pub(super) fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

//! From answers to rows.

use super::fetch::Fetched;
use super::queries::PrometheusQueries;
use forewarn_prometheus::{Placed, PlacedLeftOut, PrometheusError};
use forewarn_schema::{Metric, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Rows by time and service, one value a metric of the queries; NaN where there is none.
pub(crate) type RowsByTime = BTreeMap<Timestamp, BTreeMap<String, Vec<f32>>>;

/// What answers made.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) by_time: RowsByTime,
    /// What a share is a share of, by service.
    pub(crate) basis: BTreeMap<String, BTreeSet<String>>,
    /// Series and samples that belong to no service and metric.
    pub(crate) left_out: PlacedLeftOut,
    /// Values outside the range of their metric, infinities among them: they are missing.
    pub(crate) out_of_range: u64,
    /// Metrics that have no answer, with the server's words.
    pub(crate) failures: Vec<(String, String)>,
    /// The server's words of an answer that is not complete.
    pub(crate) partial: Option<String>,
}

impl Rows {
    /// Puts the answers to `queries` together, one [`Fetched`] each.
    pub(crate) fn of(queries: &PrometheusQueries, fetched: Vec<Fetched>) -> Self {
        let (mut rows, mut placed) = (Self::default(), Placed::default());
        for (query, fetched) in queries.set().queries().iter().zip(fetched) {
            rows.partial = rows.partial.take().or_else(|| fetched.partial());
            let mut failure = fetched.failure.map(|failure| failure.words);
            for answer in fetched.answers {
                let wrong = |error: PrometheusError| error.to_string();
                failure = failure.or(query.place(answer, &mut placed).map_err(wrong).err());
            }
            rows.failures.extend(failure.map(|words| (query.metric.clone(), words)));
        }
        rows.take(placed, queries.schema().metrics());
        rows
    }

    fn take(&mut self, placed: Placed, metrics: &[Metric]) {
        // Services come in order of their names, so that each minute's rows are in order too.
        let mut by_time: BTreeMap<Timestamp, Vec<(String, Vec<f32>)>> = BTreeMap::new();
        for (service, samples) in placed.services {
            for samples in samples.chunk_by(|a, b| a.time == b.time) {
                let at = by_time.entry(samples[0].time).or_default();
                let (mut row, mut is_known) = (vec![f32::NAN; metrics.len()], false);
                for sample in samples {
                    let Some(metric) = metrics.get(sample.metric) else { continue };
                    let value = within(metric, sample.value);
                    self.out_of_range += u64::from(value.is_nan() && !sample.value.is_nan());
                    row[sample.metric] = value;
                    is_known |= !value.is_nan();
                }
                if is_known {
                    at.push((service.clone(), row));
                }
            }
        }
        self.by_time = by_time.into_iter().map(|(time, rows)| (time, rows.into_iter().collect())).collect();
        (self.basis, self.left_out) = (placed.basis, placed.left_out);
    }
}

/// The value as rows have it: one that is outside its metric's range by no more than rounding is put on the range's
/// end, any other that is outside is missing.
fn within(metric: &Metric, value: f64) -> f32 {
    const ROUNDING: f64 = 1e-6;
    let (min, max) = (f64::from(metric.range.min()), f64::from(metric.range.max()));
    let near = |end: f64| (value - end).abs() <= ROUNDING * end.abs().max(1.0);
    let value = if value < min && near(min) {
        min
    } else if value > max && near(max) {
        max
    } else {
        value
    } as f32;
    if metric.range.contains(value) { value } else { f32::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrometheusConfig;
    use forewarn_prometheus::{Answer, Limits, QueryData, read_query};
    use forewarn_schema::{Schema, Step};

    fn answer(values: &str) -> Answer<QueryData> {
        let body = format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\
             \"metric\":{{\"job\":\"web\"}},\
             \"values\":[{values}]}}]}}}}"
        );
        read_query(body.as_bytes(), &Limits::default()).unwrap()
    }

    fn fetched(values: &str) -> Fetched {
        Fetched { answers: vec![answer(values)], failure: None }
    }

    #[test]
    fn answers_become_rows_and_what_is_missing_is_nan() {
        let config = PrometheusConfig::new("http://p", ["opentelemetry"]);
        let queries = PrometheusQueries::new(&config, Step::MINUTE).unwrap();
        let failure = super::super::retry::Failure::new("no", super::super::retry::Remedy::Nothing);
        let answers = vec![
            fetched("[60,\"10\"],[120,\"+Inf\"],[180,\"NaN\"]"),
            fetched("[60,\"1.0000001\"],[120,\"0.5\"]"),
            fetched("[60,\"-0.0000001\"]"),
            Fetched { answers: Vec::new(), failure: Some(failure) },
            fetched("[120,\"7\"]"),
        ];
        let rows = Rows::of(&queries, answers);
        let row = |seconds: i64| rows.by_time[&Timestamp::from_millis(seconds * 1000).unwrap()].get("web");
        let text = |row: Option<&Vec<f32>>| format!("{row:?}");
        assert_eq!(text(row(60)), "Some([10.0, 1.0, 0.0, NaN, NaN])");
        assert_eq!(text(row(120)), "Some([NaN, 0.5, NaN, NaN, 7.0])");
        assert_eq!(row(180), None, "a row without any value is none");
        assert_eq!((rows.out_of_range, rows.failures.len()), (1, 1));
        assert_eq!(rows.failures[0], ("p95_latency".to_owned(), "no".to_owned()));
    }

    #[test]
    fn only_rounding_is_put_on_the_end_of_a_range() {
        let schema = Schema::v1();
        let ratio = &schema.metrics()[1];
        assert_eq!(within(ratio, 1.000_000_5), 1.0);
        assert!(
            within(ratio, 1.01).is_nan() && within(ratio, -0.01).is_nan() && within(ratio, f64::NAN).is_nan()
        );
        assert!(within(&schema.metrics()[0], 1e300).is_nan(), "too large for a row");
    }
}

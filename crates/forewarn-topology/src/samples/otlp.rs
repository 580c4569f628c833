//! Samples as OTLP in JSON.

use super::{CallSamples, FAILURES, Quantity, REQUESTS, Series, histogram};
use crate::{TopologyError, text};
use serde::{Deserialize, Deserializer, de};

/// `aggregationTemporality` of a counter that restarts with each sample.
const DELTA: u8 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Export {
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics {
    #[serde(default)]
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Deserialize)]
struct ScopeMetrics {
    #[serde(default)]
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    name: String,
    #[serde(default)]
    unit: String,
    sum: Option<Points>,
    histogram: Option<Points>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Points {
    #[serde(default)]
    aggregation_temporality: Temporality,
    #[serde(default)]
    data_points: Vec<Point>,
}

/// The encoding allows a number, exporters also write the name.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Temporality {
    #[default]
    Unspecified,
    Number(u8),
    Name(String),
}

impl Temporality {
    fn is_delta(&self) -> bool {
        match self {
            Self::Unspecified => false,
            Self::Number(number) => *number == DELTA,
            Self::Name(name) => name == "AGGREGATION_TEMPORALITY_DELTA",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    time_unix_nano: Number,
    as_int: Option<Number>,
    as_double: Option<f64>,
    count: Option<Number>,
    sum: Option<f64>,
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    #[serde(default)]
    value: serde_json::Value,
}

impl Attribute {
    /// The value as a text: a string as it is, anything else as JSON.
    fn label(&self) -> (String, String) {
        let value = match self.value.get("stringValue").and_then(serde_json::Value::as_str) {
            Some(text) => text.to_owned(),
            None => self.value.to_string(),
        };
        (self.key.clone(), value)
    }
}

/// Whole numbers of 64 bits are written as strings, but not by everyone.
#[derive(Clone, Copy, Default)]
struct Number(i128);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(number.into())),
            Written::Text(text) => {
                let number = text
                    .parse::<u64>()
                    .map_err(|_| de::Error::custom(format!("{text:?} is no whole number, 0 or more")))?;
                Ok(Self(number.into()))
            }
        }
    }
}

impl CallSamples {
    /// Reads samples as OTLP in JSON, as a collector's file exporter writes them: one `{"resourceMetrics": [...]}`,
    /// or one a line.
    ///
    /// Counters of either temporality are read: cumulative ones at their latest, delta ones added up.
    ///
    /// # Errors
    /// [`TopologyError::UnreadableFile`], which names the field, within [`TopologyError::At`] with the line where
    /// there are several; [`TopologyError::InvalidNumber`] for a counter below 0; [`TopologyError::NoCalls`] where
    /// nothing is counted.
    pub fn from_otlp_json(text: &str) -> Result<Self, TopologyError> {
        let mut series = Series::default();
        match text::from_json::<Export>("OTLP metrics", text) {
            Ok(export) => export.collect(&mut series)?,
            // Several lines, or one that is wrong.
            Err(whole) if text.trim().lines().count() <= 1 => return Err(whole),
            Err(whole) => {
                for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                    let one_a_line = line.trim_end().ends_with('}') && line.trim_start().len() > 1;
                    if !one_a_line {
                        return Err(whole);
                    }
                    let place = format!("line {}", number + 1);
                    text::from_json::<Export>("OTLP metrics", line)
                        .and_then(|export| export.collect(&mut series))
                        .map_err(|error| error.at(place))?;
                }
            }
        }
        series.finish()
    }
}

impl Export {
    fn collect(&self, series: &mut Series) -> Result<(), TopologyError> {
        let scopes = self.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            match (&*metric.name, &metric.sum, &metric.histogram) {
                (REQUESTS, Some(points), _) => points.count(Quantity::Requests, &metric.name, series)?,
                (FAILURES, Some(points), _) => points.count(Quantity::Failures, &metric.name, series)?,
                (name, _, Some(points)) => {
                    if let Some((quantities, unit)) = histogram(name) {
                        // The field says it where the name does not.
                        let seconds = unit.unwrap_or(if metric.unit == "ms" { 1e-3 } else { 1.0 });
                        points.wait(quantities, seconds, name, series)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Points {
    fn count(&self, quantity: Quantity, metric: &str, series: &mut Series) -> Result<(), TopologyError> {
        for point in &self.data_points {
            let value = match (point.as_int, point.as_double) {
                (Some(number), _) => number.0 as f64,
                (None, Some(value)) => value,
                (None, None) => continue,
            };
            let fine = (0.0..f64::INFINITY).contains(&value);
            crate::error::refuse_unless(fine, metric, value, "a finite number, 0 or more")?;
            self.push(point, quantity, value, series);
        }
        Ok(())
    }

    fn wait(
        &self,
        [sum, count]: [Quantity; 2],
        seconds: f64,
        metric: &str,
        series: &mut Series,
    ) -> Result<(), TopologyError> {
        for point in &self.data_points {
            // A histogram may come without its sum.
            let (Some(total), Some(number)) = (point.sum, point.count) else { continue };
            let fine = (0.0..f64::INFINITY).contains(&total);
            crate::error::refuse_unless(fine, metric, total, "a finite sum, 0 or more")?;
            self.push(point, sum, total * seconds, series);
            self.push(point, count, number.0 as f64, series);
        }
        Ok(())
    }

    fn push(&self, point: &Point, quantity: Quantity, value: f64, series: &mut Series) {
        let labels = point.attributes.iter().map(Attribute::label).collect();
        if self.aggregation_temporality.is_delta() {
            series.add(quantity, labels, point.time_unix_nano.0, value);
        } else {
            series.push(quantity, labels, point.time_unix_nano.0, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SERVER, *};

    fn point(client: &str, rest: &str) -> String {
        format!(
            r#"{{"attributes":[{{"key":"client","value":{{"stringValue":"{client}"}}}},
                {{"key":"server","value":{{"stringValue":"db"}}}},{{"key":"failed","value":{{"boolValue":false}}}}],{rest}}}"#
        )
    }

    fn export(metrics: &str) -> String {
        format!(r#"{{"resourceMetrics":[{{"resource":{{}},"scopeMetrics":[{{"metrics":[{metrics}]}}]}}]}}"#)
            .replace('\n', " ")
    }

    fn counter(name: &str, temporality: &str, points: &[String]) -> String {
        format!(
            r#"{{"name":"{name}","sum":{{"aggregationTemporality":{temporality},"isMonotonic":true,"dataPoints":[{}]}}}}"#,
            points.join(",")
        )
    }

    #[test]
    fn counters_and_histograms_are_read() {
        let histogram = format!(
            r#"{{"name":"{SERVER}","unit":"ms","histogram":{{"dataPoints":[{}]}}}}"#,
            point("user", r#""count":"4","sum":80.0"#)
        );
        let text = export(&format!(
            "{},{},{histogram}",
            counter(REQUESTS, "2", &[point("user", r#""timeUnixNano":"5","asInt":"20""#)]),
            counter(FAILURES, "2", &[point("user", r#""timeUnixNano":"5","asDouble":3"#)]),
        ));
        let graph = CallSamples::parse(&text).unwrap().graph().unwrap();
        let traffic = graph.traffic(graph.index_of("user").unwrap(), 0).unwrap();
        assert_eq!(
            (traffic.requests, traffic.failures, traffic.latency_millis),
            (20.0, Some(3.0), Some(20.0))
        );
    }

    #[test]
    fn lines_are_one_stream_of_samples() {
        let of = |temporality: &str, time: u8, value: u8| {
            let point = point("user", &format!(r#""timeUnixNano":"{time}","asInt":{value}"#));
            export(&counter(REQUESTS, temporality, &[point]))
        };
        let requests = |text: String| {
            let graph = CallSamples::from_otlp_json(&text).unwrap().graph().unwrap();
            graph.edges().next().unwrap().2.requests
        };
        assert_eq!(requests(format!("{}\n{}\n", of("2", 9, 7), of("2", 8, 5))), 7.0);
        assert_eq!(requests(format!("{}\n{}\n", of("1", 9, 7), of("1", 8, 5))), 12.0);
        let named = "\"AGGREGATION_TEMPORALITY_DELTA\"";
        assert_eq!(requests(format!("{}\n{}", of(named, 9, 7), of(named, 8, 5))), 12.0);
    }

    #[test]
    fn deltas_between_two_exports_are_those_that_came_later() {
        let of = |times: &[(u8, u8)]| {
            let line = |&(time, value): &(u8, u8)| {
                let point = point("user", &format!(r#""timeUnixNano":"{time}","asInt":{value}"#));
                export(&counter(REQUESTS, "1", &[point]))
            };
            CallSamples::from_otlp_json(&times.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap()
        };
        let requests = |samples: CallSamples| samples.graph().unwrap().edges().next().unwrap().2.requests;
        let earlier = of(&[(1, 50), (2, 60)]);
        // The next export alone, and a file that has grown by it: 7 and 5 passed since.
        assert_eq!(requests(of(&[(3, 7), (4, 5)]).since(&earlier).unwrap()), 12.0);
        assert_eq!(requests(of(&[(1, 50), (2, 60), (3, 7), (4, 5)]).since(&earlier).unwrap()), 12.0);
        assert!(earlier.since(&earlier).is_err(), "nothing passed");
    }

    #[test]
    fn errors_point_at_the_field() {
        let says = |text: &str, parts: &[&str]| {
            let error = CallSamples::parse(text).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        says(r#"{"resourceMetrics": 7}"#, &["OTLP metrics", "resourceMetrics"]);
        says(r#"{"metrics": []}"#, &["missing field `resourceMetrics`"]);
        says("{\"resourceMetrics\": []}\n{\"resourceMetrics\": 7}", &["line 2", "resourceMetrics"]);
        says("{\n\"resourceMetrics\": 7\n}", &["line 2", "resourceMetrics"]);
        let negative = counter(REQUESTS, "2", &[point("a", r#""asDouble":-1"#)]);
        says(&export(&negative), &["is -1", "0 or more"]);
        says(&export(""), &["no call"]);
    }
}

//! Samples in the text format of Prometheus and `OpenMetrics`.

use super::{CallSamples, FAILURES, Labels, Quantity, REQUESTS, Series, histogram};
use crate::TopologyError;

impl CallSamples {
    /// Reads samples in the text format of Prometheus and `OpenMetrics`, as a collector's Prometheus exporter serves
    /// them.
    ///
    /// ```
    /// use forewarn_topology::CallSamples;
    ///
    /// let samples = CallSamples::from_exposition(r#"
    /// ## HELP traces_service_graph_request_total Total count of requests between two nodes
    /// ## TYPE traces_service_graph_request_total counter
    /// traces_service_graph_request_total{client="gateway",server="auth",connection_type="",failed="false"} 1200
    /// traces_service_graph_request_failed_total{client="gateway",server="auth",connection_type="",failed="true"} 4
    /// traces_service_graph_request_client_seconds_sum{client="gateway",server="auth"} 22.2
    /// traces_service_graph_request_client_seconds_count{client="gateway",server="auth"} 1200
    /// "#)?;
    /// let graph = samples.graph()?;
    /// let (gateway, auth) = (graph.index_of("gateway")?, graph.index_of("auth")?);
    /// let traffic = graph.traffic(gateway, auth)?;
    /// assert_eq!((traffic.requests, traffic.failures), (1200.0, Some(4.0)));
    /// assert!((traffic.latency_millis.unwrap() - 18.5).abs() < 1e-9);
    /// # Ok::<(), forewarn_topology::TopologyError>(())
    /// ```
    ///
    /// # Errors
    /// [`TopologyError::At`] with the line, and in it [`TopologyError::UnreadableSample`] for a line of a service
    /// graph's metric that is no sample; [`TopologyError::NoCalls`] where nothing is counted.
    pub fn from_exposition(text: &str) -> Result<Self, TopologyError> {
        let mut series = Series::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let broken = |reason| {
                TopologyError::UnreadableSample { text: line.chars().take(200).collect(), reason }
                    .at(format!("line {}", number + 1))
            };
            // A name in quotes stands among the labels; only such lines are worth a look that speak of a service
            // graph at all.
            let (name, rest) = if line.starts_with('{') && line.contains("traces_service_graph_request") {
                quoted_name(line).ok_or_else(|| broken("the quoted name of the metric does not end"))?
            } else {
                let end = line.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(line.len());
                (line[..end].to_owned(), line[end..].to_owned())
            };
            let Some((quantity, unit)) = quantity(&name) else { continue };
            let (labels, time, value) = sample(&rest).map_err(broken)?;
            let value = value * unit;
            series.push(quantity, labels, time, value);
        }
        series.finish()
    }
}

/// The metric's name and what follows it, of a line such as `{"name",label="value"} 1`.
fn quoted_name(line: &str) -> Option<(String, String)> {
    let inner = line.strip_prefix('{')?.trim_start().strip_prefix('"')?;
    let (name, rest) = quoted(inner)?;
    Some((name, format!("{{{rest}")))
}

/// Which number a metric is, and the factor that makes seconds of it, or 1.
fn quantity(name: &str) -> Option<(Quantity, f64)> {
    match name {
        REQUESTS => return Some((Quantity::Requests, 1.0)),
        FAILURES => return Some((Quantity::Failures, 1.0)),
        _ => {}
    }
    if let Some(([sum, _], unit)) = name.strip_suffix("_sum").and_then(histogram) {
        return Some((sum, unit.unwrap_or(1.0)));
    }
    let ([_, count], _) = histogram(name.strip_suffix("_count")?)?;
    Some((count, 1.0))
}

/// What follows the metric's name: `{label="value",...} value [time]`.
fn sample(rest: &str) -> Result<(Labels, i128, f64), &'static str> {
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(inner) => read_labels(inner)?,
        None => (Vec::new(), rest),
    };
    // What follows a # is an exemplar.
    let mut numbers = rest.split('#').next().unwrap_or_default().split_whitespace();
    let value = numbers.next().ok_or("the value is missing")?;
    let value: f64 = value.parse().map_err(|_| "the value is not a number")?;
    if !(0.0..f64::INFINITY).contains(&value) {
        return Err("a counter is a finite number, 0 or more");
    }
    // Milliseconds for Prometheus, seconds with a fraction for OpenMetrics: only their order counts.
    let time = match numbers.next() {
        Some(time) => (time.parse::<f64>().map_err(|_| "the time is not a number")? * 1000.0) as i128,
        None => 0,
    };
    Ok((labels, time, value))
}

/// Labels up to the closing brace, and what follows it.
fn read_labels(mut rest: &str) -> Result<(Labels, &str), &'static str> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once('=').ok_or("a label has no value, or the brace is not closed")?;
        let after = after.trim_start().strip_prefix('"').ok_or("a label's value is not in quotes")?;
        let (value, after) = quoted(after).ok_or("a label's value has no closing quote")?;
        labels.push((name.trim().trim_matches('"').to_owned(), value));
        rest = after;
    }
}

/// A text up to its closing quote, `\\`, `\"` and `\n` undone.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_pair_are_added_up_and_the_latest_sample_counts() {
        let samples = CallSamples::from_exposition(
            "traces_service_graph_request_total{client=\"a\", server=\"b\", zone=\"1\"} 5 1700000001000\n\
             traces_service_graph_request_total{server=\"b\",client=\"a\",zone=\"1\"} 3 1700000000000\n\
             traces_service_graph_request_total{client=\"a\",server=\"b\",zone=\"2\"} 4 # {trace_id=\"x\"} 1\n\
             traces_service_graph_request_total{client=\"b\",server=\"b\"} 4\n\
             traces_service_graph_request_total{client=\"\",server=\"b\"} 4\n\
             traces_service_graph_request_total{client=\"a\",server=\"c \\\"x\\\"\"} 1\n\
             traces_service_graph_request_server_seconds_bucket{client=\"a\",server=\"b\",le=\"+Inf\"} 9\n\
             up 1\n",
        )
        .unwrap();
        let graph = samples.graph().unwrap();
        assert_eq!(graph.services().collect::<Vec<_>>(), ["a", "b", "c \"x\""]);
        assert_eq!(graph.traffic(0, 1).unwrap().requests, 9.0);
        assert_eq!(samples.self_calls(), 1);
    }

    #[test]
    fn a_broken_line_is_named() {
        let says = |text: &str, reason: &str| {
            let error = CallSamples::from_exposition(&format!("up 1\n{text}")).unwrap_err().to_string();
            assert!(error.starts_with("line 2: ") && error.contains(reason), "{error}");
        };
        says("traces_service_graph_request_total{client=\"a\",server=\"b\"}", "value is missing");
        says("traces_service_graph_request_total{client=\"a\",server=\"b\"} x", "not a number");
        says("traces_service_graph_request_total{client=\"a\",server=\"b} 1", "closing quote");
        says("traces_service_graph_request_total{client=a} 1", "not in quotes");
        says("traces_service_graph_request_total{client=\"a\"", "brace");
        says("traces_service_graph_request_total{client=\"a\",server=\"b\"} -1", "0 or more");
        says("traces_service_graph_request_total{client=\"a\",server=\"b\"} NaN", "0 or more");
        assert!(matches!(CallSamples::from_exposition("up 1"), Err(TopologyError::NoCalls { .. })));
    }
}

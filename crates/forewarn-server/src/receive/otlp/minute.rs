//! The metrics of one service in one minute, of what its series have added.

use super::series::{Amount, SeriesKey};
use forewarn_prometheus::{Bucket, Labels, NativeHistogram};
use forewarn_schema::{Kind as MetricKind, Schema, Step};
use std::collections::BTreeMap;

/// Where requests, errors and latencies go.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestMetrics {
    count: Option<usize>,
    error_rate: Option<usize>,
    /// Quantile and place.
    quantiles: Vec<(f64, usize)>,
    /// Metrics that are added up, not averaged.
    sums: Vec<bool>,
}

impl RequestMetrics {
    /// Those of the v1 schema that the model reads.
    pub(super) fn of(metrics: &Schema) -> Self {
        let quantiles = [(0.5, "p50_latency"), (0.95, "p95_latency"), (0.99, "p99_latency")];
        let quantiles = quantiles.into_iter().filter_map(|(q, name)| Some((q, metrics.position(name)?)));
        Self {
            count: metrics.position("request_count"),
            error_rate: metrics.position("error_rate"),
            quantiles: quantiles.collect(),
            sums: metrics.metrics().iter().map(|metric| metric.kind == MetricKind::Delta).collect(),
        }
    }

    /// Milliseconds of the unit of a histogram of requests; `None` for any other metric. `http.server.duration` is its
    /// name before the conventions were stable.
    pub(super) fn scale(name: &str, unit: &str) -> Option<f64> {
        let is_requests = matches!(name, "http.server.request.duration" | "http.server.duration");
        match unit {
            _ if !is_requests => None,
            "s" => Some(1000.0),
            "ms" => Some(1.0),
            _ => Some(if name == "http.server.duration" { 1.0 } else { 1000.0 }),
        }
    }
}

/// What a part is of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Of requests, in a unit of this many milliseconds.
    Requests { scale: f64 },
    /// Of another metric.
    Other,
}

/// What one series has added to a minute.
#[derive(Debug)]
pub(super) struct Part {
    amount: Amount,
    /// Milliseconds in which it came together.
    span: i64,
    /// Levels that were added up.
    levels: u32,
    place: Option<usize>,
    kind: Kind,
}

impl Part {
    pub(super) fn new(amount: Amount, span: i64, place: Option<usize>, kind: Kind, step: i64) -> Self {
        Self { amount, span: if span > 0 { span } else { step }, levels: 1, place, kind }
    }

    fn join(&mut self, other: Self) {
        match (&mut self.amount, other.amount) {
            (Amount::Level(sum), Amount::Level(more)) => *sum += more,
            (Amount::Count(sum), Amount::Count(more)) => *sum += more,
            (Amount::Histogram(sum), Amount::Histogram(more)) => add(sum, &more, 1.0),
            // The instrument has changed: the newer one counts.
            (amount, more) => {
                *amount = more;
                (self.span, self.levels) = (0, 0);
            }
        }
        self.span += other.span;
        self.levels += other.levels;
    }

    /// By how much an increment is to be multiplied to be one of a step.
    fn to_step(&self, step: Step) -> f64 {
        step.millis() as f64 / self.span.max(1) as f64
    }
}

/// One service in one minute.
#[derive(Debug, Default)]
pub(super) struct Minute {
    parts: BTreeMap<SeriesKey, Part>,
    /// How many times its metrics were given.
    pub(super) version: u64,
}

impl Minute {
    pub(super) fn add(&mut self, key: SeriesKey, part: Part) {
        match self.parts.get_mut(&key) {
            Some(own) => own.join(part),
            None => drop(self.parts.insert(key, part)),
        }
    }

    /// Place and value of each metric that is known.
    pub(super) fn metrics(&self, requests: &RequestMetrics, step: Step) -> Vec<(usize, f64)> {
        let mut found = self.requests(requests, step);
        let mut others: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for part in self.parts.values() {
            let (Some(place), Kind::Other) = (part.place, part.kind) else { continue };
            let (value, weight) = match &part.amount {
                Amount::Level(sum) => (sum / f64::from(part.levels.max(1)), 1.0),
                Amount::Count(count) => (count * part.to_step(step), 0.0),
                Amount::Histogram(histogram) => (histogram.sum / histogram.count, 1.0),
            };
            if value.is_finite() {
                let all = others.entry(place).or_default();
                *all = (all.0 + value, all.1 + weight);
            }
        }
        // Events are added up over the series, levels averaged.
        found.extend(others.into_iter().map(|(place, (sum, weight))| {
            let is_sum = requests.sums.get(place).copied().unwrap_or(false) || weight == 0.0;
            (place, if is_sum { sum } else { sum / weight })
        }));
        found
    }

    fn requests(&self, places: &RequestMetrics, step: Step) -> Vec<(usize, f64)> {
        let (mut all, mut failed) = (0.0, 0.0);
        let mut latencies: Option<NativeHistogram> = None;
        for (key, part) in &self.parts {
            let (Amount::Histogram(histogram), Kind::Requests { scale }) = (&part.amount, part.kind) else {
                continue;
            };
            let weight = part.to_step(step);
            all += histogram.count * weight;
            failed += if is_failure(&key.attributes) { histogram.count * weight } else { 0.0 };
            let scaled = in_millis(histogram, scale);
            match &mut latencies {
                None => {
                    let mut first =
                        NativeHistogram { count: 0.0, sum: 0.0, buckets: Vec::new(), ..scaled.clone() };
                    add(&mut first, &scaled, weight);
                    latencies = Some(first);
                }
                Some(latencies) => add(latencies, &scaled, weight),
            }
        }
        let Some(latencies) = latencies else { return Vec::new() };
        let mut found: Vec<(usize, f64)> = places.count.map(|place| (place, all)).into_iter().collect();
        // Without traffic there is no error rate and no latency.
        if all > 0.0 {
            found.extend(places.error_rate.map(|place| (place, (failed / all).min(1.0))));
            let quantile = |&(q, place): &(f64, usize)| (place, latencies.quantile(q));
            found.extend(places.quantiles.iter().map(quantile).filter(|(_, value)| value.is_finite()));
        }
        found
    }
}

/// Of a server's answers 5xx are errors, 4xx are the client's.
fn is_failure(attributes: &Labels) -> bool {
    let status = attributes.get("http.response.status_code").or_else(|| attributes.get("http.status_code"));
    status.is_some_and(|status| status.len() == 3 && status.starts_with('5'))
}

fn in_millis(histogram: &NativeHistogram, scale: f64) -> NativeHistogram {
    let bucket =
        |bucket: &Bucket| Bucket { lower: bucket.lower * scale, upper: bucket.upper * scale, ..*bucket };
    NativeHistogram {
        sum: histogram.sum * scale,
        buckets: histogram.buckets.iter().map(bucket).collect(),
        ..histogram.clone()
    }
}

/// Adds the observations of another histogram, each `weight` times. Buckets of the same bounds become one; the others
/// stand beside each other in order.
fn add(sum: &mut NativeHistogram, more: &NativeHistogram, weight: f64) {
    sum.count += more.count * weight;
    sum.sum += more.sum * weight;
    let more = more.buckets.iter().map(|bucket| Bucket { count: bucket.count * weight, ..*bucket });
    sum.buckets.extend(more);
    sum.buckets.sort_by(|a, b| a.lower.total_cmp(&b.lower).then(a.upper.total_cmp(&b.upper)));
    sum.buckets.dedup_by(|later, first| {
        let is_same = later.lower == first.lower && later.upper == first.upper;
        if is_same {
            first.count += later.count;
        }
        is_same
    });
}

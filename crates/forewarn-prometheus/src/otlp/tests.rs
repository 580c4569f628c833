use proptest::prelude::*;
use prost::Message;
use serde_json::json;

use super::message::{
    AnyValue, Buckets, ExponentialPoint, HistogramPoint, KeyValue, NumberPoint, SummaryPoint, ValueAtQuantile,
};
use super::*;
use crate::{CounterState, Increment, Sample};

const SECOND: u64 = 1_000_000_000;

/// A field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![(number << 3) | 2];
    prost::encode_length_delimiter(bytes.len(), &mut field).unwrap();
    field.extend(bytes);
    field
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { string_value: Some(value.to_owned()), ..AnyValue::default() };
    KeyValue { key: key.to_owned(), value: Some(value) }
}

/// An export of one metric; `data` is the number of its field and the points, `end` what follows them.
fn export(attributes: &[KeyValue], data: u8, points: &[Vec<u8>], end: &[u8]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes.iter().flat_map(|one| field(1, &one.encode_to_vec())).collect();
    let points: Vec<u8> = points.iter().flat_map(|point| field(1, point)).collect();
    let data = field(data, &[points, end.to_vec()].concat());
    let metric = [field(1, b"http.server.requests"), field(3, b"{request}"), data].concat();
    let scope = field(2, &field(2, &metric));
    // The resource after what it is of: fields may come in any order.
    field(1, &[scope, field(1, &attributes)].concat())
}

fn read(body: &[u8]) -> OtlpMetrics {
    read_otlp(body, OtlpEncoding::Protobuf, &Limits::default()).unwrap()
}

fn web() -> Vec<KeyValue> {
    vec![text("service.name", "web"), text("service.namespace", "shop"), text("host.name", "h1")]
}

fn number(seconds: u64, value: f64) -> NumberPoint {
    NumberPoint {
        attributes: vec![text("method", "GET")],
        start_time_unix_nano: SECOND,
        time_unix_nano: seconds * SECOND,
        as_double: Some(value),
        ..NumberPoint::default()
    }
}

/// Temporality and monotonicity of a sum.
const CUMULATIVE: &[u8] = &[0x10, 2, 0x18, 1];
const DELTA: &[u8] = &[0x10, 1];

#[test]
fn gauges_and_sums_are_read_with_their_service() {
    let gauge = read(&export(&web(), 5, &[number(60, 0.5).encode_to_vec()], &[]));
    let metric = &gauge.metrics[0];
    assert_eq!(metric.service.as_deref(), Some("shop/web"));
    assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("http.server.requests", "{request}"));
    let point = &metric.points[0];
    assert_eq!((point.time.millis(), point.start.map(Timestamp::millis)), (60_000, Some(1_000)));
    assert_eq!((point.attributes.get("method"), &point.value), (Some("GET"), &OtlpValue::Gauge(0.5)));
    let sum = read(&export(&web(), 7, &[number(60, 5.0).encode_to_vec()], CUMULATIVE));
    let expected = OtlpValue::Sum { value: 5.0, temporality: Temporality::Cumulative, is_monotonic: true };
    assert_eq!(sum.metrics[0].points[0].value, expected);
    let integer = NumberPoint { as_double: None, as_int: Some(-3), ..number(60, 0.0) };
    let delta = read(&export(&web()[..1], 7, &[integer.encode_to_vec()], DELTA));
    assert_eq!(delta.metrics[0].service.as_deref(), Some("web"));
    let expected = OtlpValue::Sum { value: -3.0, temporality: Temporality::Delta, is_monotonic: false };
    assert_eq!(delta.metrics[0].points[0].value, expected);
    assert_eq!(delta.refused, RefusedPoints::default());
}

#[test]
fn a_made_up_name_is_no_service() {
    let attributes = [text("service.name", "unknown_service:java")];
    let gauge = read(&export(&attributes, 5, &[number(60, 0.5).encode_to_vec()], &[]));
    assert_eq!(gauge.metrics[0].service, None);
}

#[test]
fn a_cumulative_sum_that_started_later_was_reset() {
    let restarted = NumberPoint { start_time_unix_nano: 100 * SECOND, ..number(120, 9.0) };
    let points = [number(60, 5.0), restarted].map(|point| point.encode_to_vec());
    let metrics = read(&export(&web(), 7, &points, CUMULATIVE));
    let mut state = CounterState::default();
    let increments: Vec<Increment> = metrics.metrics[0]
        .points
        .iter()
        .map(|point| {
            let OtlpValue::Sum { value, .. } = point.value else { panic!("{point:?}") };
            state.push(Sample { time: point.time, value }, point.start)
        })
        .collect();
    // 9 is above 5: only the start tells.
    assert_eq!(
        increments,
        [Increment::First, Increment::By { value: 9.0, span_millis: 60_000, reset: true }]
    );
}

#[test]
fn histograms_of_both_sorts_give_quantiles() {
    let explicit = HistogramPoint {
        time_unix_nano: SECOND,
        count: 10,
        sum: Some(4.0),
        bucket_counts: vec![5, 4, 1, 0],
        explicit_bounds: vec![0.1, 0.5, 1.0],
        ..HistogramPoint::default()
    };
    let exponential = ExponentialPoint {
        time_unix_nano: SECOND,
        count: 8,
        scale: 0,
        zero_count: 0,
        // 1..2 and 2..4.
        positive: Some(Buckets { offset: 0, bucket_counts: vec![4, 4] }),
        ..ExponentialPoint::default()
    };
    let quantile = |data, point: Vec<u8>, q| {
        let metrics = read(&export(&web(), data, &[point], &[0x10, 2]));
        let OtlpValue::Histogram { histogram, temporality } = &metrics.metrics[0].points[0].value else {
            panic!("{metrics:?}")
        };
        assert_eq!(*temporality, Temporality::Cumulative);
        histogram.quantile(q)
    };
    // As the classic histogram of the same buckets: 0.1 + 0.4 * 2 / 4.
    assert!((quantile(9, explicit.encode_to_vec(), 0.7) - 0.3).abs() < 1e-12);
    assert!((quantile(10, exponential.encode_to_vec(), 0.75) - 8f64.sqrt()).abs() < 1e-12);
}

#[test]
fn summaries_and_points_without_a_value_are_read() {
    let summary = SummaryPoint {
        time_unix_nano: SECOND,
        count: 3,
        sum: 6.0,
        quantile_values: vec![ValueAtQuantile { quantile: 0.99, value: 4.0 }],
        ..SummaryPoint::default()
    };
    let read_one =
        |data, point: Vec<u8>| read(&export(&web(), data, &[point], &[])).metrics.remove(0).points.remove(0);
    let value = read_one(11, summary.encode_to_vec()).value;
    assert_eq!(value, OtlpValue::Summary { count: 3.0, sum: 6.0, quantiles: vec![(0.99, 4.0)] });
    let ended = NumberPoint { as_double: None, flags: 1, ..number(60, 0.0) };
    assert_eq!(read_one(5, ended.encode_to_vec()).value, OtlpValue::NoRecordedValue);
}

#[test]
fn what_cannot_be_taken_is_counted_and_the_rest_is_taken() {
    let empty = NumberPoint { as_double: None, ..number(60, 0.0) };
    let timeless = NumberPoint { time_unix_nano: 0, ..number(60, 0.0) };
    let twice = NumberPoint { attributes: vec![text("a", "1"), text("a", "2")], ..number(60, 0.0) };
    let wide =
        NumberPoint { attributes: (0..70).map(|i| text(&format!("a{i}"), "x")).collect(), ..number(60, 0.0) };
    let list = KeyValue { key: "list".to_owned(), value: Some(AnyValue::default()) };
    let structured = NumberPoint { attributes: vec![list], ..number(60, 7.0) };
    let points = [empty, timeless, twice, wide, structured].map(|point| point.encode_to_vec());
    let metrics = read(&export(&web(), 5, &points, &[]));
    assert_eq!(metrics.metrics[0].points.len(), 1);
    let refused = &metrics.refused;
    assert_eq!((refused.wrong_values, refused.wrong_attributes), (2, 2));
    assert_eq!((refused.points(), refused.structured_attributes), (4, 1));
    assert!(refused.first.as_ref().unwrap().to_string().contains("has no value"));
    // A sum that does not say what it counts from.
    assert_eq!(read(&export(&web(), 7, &[number(60, 1.0).encode_to_vec()], &[])).refused.wrong_values, 1);
    let histogram =
        HistogramPoint { time_unix_nano: SECOND, bucket_counts: vec![1, 2], ..HistogramPoint::default() };
    assert_eq!(read(&export(&web(), 9, &[histogram.encode_to_vec()], &[0x10, 1])).refused.wrong_values, 1);
    let limits = Limits { max_samples: 1, ..Limits::default() };
    let two = export(&web(), 5, &[number(1, 1.0).encode_to_vec(), number(2, 1.0).encode_to_vec()], &[]);
    assert_eq!(read_otlp(&two, OtlpEncoding::Protobuf, &limits).unwrap().refused.over_limit, 1);
}

/// As the OpenTelemetry protocol's own example of JSON has it: 64-bit integers as text, doubles as numbers.
fn example() -> String {
    let attributes = json!([{ "key": "method", "value": { "stringValue": "GET" } }]);
    let times = |mut point: serde_json::Value| {
        point["startTimeUnixNano"] = json!("1544712660300000000");
        point["timeUnixNano"] = json!("1544712661300000000");
        point["attributes"] = attributes.clone();
        point
    };
    json!({ "resourceMetrics": [{
        "resource": { "attributes": [
            { "key": "service.name", "value": { "stringValue": "my.service" } },
            { "key": "process.pid", "value": { "intValue": "17" } },
            { "key": "process.command_args", "value": { "arrayValue": { "values": [] } } },
        ] },
        "scopeMetrics": [{ "scope": { "name": "lib" }, "metrics": [
            { "name": "my.counter", "unit": "1", "sum": {
                "aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [times(json!({ "asDouble": 5 }))] } },
            { "name": "my.gauge", "gauge": { "dataPoints": [times(json!({ "asInt": "10" })), times(json!({ "asDouble": "NaN" }))] } },
            { "name": "my.histogram", "histogram": {
                "aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE",
                "dataPoints": [times(json!({ "count": "2", "sum": 2, "bucketCounts": ["1", 1], "explicitBounds": [1] }))] } },
            { "name": "my.exponential", "exponentialHistogram": { "aggregationTemporality": 2, "dataPoints": [times(
                json!({ "count": 3, "scale": 0, "zeroCount": "1", "positive": { "offset": 1, "bucketCounts": ["0", "2"] } }))] } },
        ] }],
    }] })
    .to_string()
}

#[test]
fn json_is_read_as_protobuf_is() {
    let metrics = read_otlp(example().as_bytes(), OtlpEncoding::Json, &Limits::default()).unwrap();
    assert_eq!(metrics.refused, RefusedPoints::default());
    let [counter, gauge, histogram, exponential] = metrics.metrics.as_slice() else { panic!("{metrics:?}") };
    assert_eq!(counter.service.as_deref(), Some("my.service"));
    assert_eq!(counter.points[0].time.millis(), 1_544_712_661_300);
    assert!(matches!(counter.points[0].value, OtlpValue::Sum { temporality: Temporality::Delta, .. }));
    assert_eq!(gauge.points[0].value, OtlpValue::Gauge(10.0));
    assert!(matches!(gauge.points[1].value, OtlpValue::Gauge(value) if value.is_nan()));
    let buckets = |metric: &OtlpMetric| match &metric.points[0].value {
        OtlpValue::Histogram { histogram, .. } => histogram
            .buckets
            .iter()
            .map(|bucket| (bucket.lower, bucket.upper, bucket.count))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(buckets(histogram), [(f64::NEG_INFINITY, 1.0, 1.0), (1.0, f64::INFINITY, 1.0)]);
    assert_eq!(buckets(exponential), [(-0.0, 0.0, 1.0), (4.0, 8.0, 2.0)]);
}

#[test]
fn json_that_is_none_says_why() {
    let error = |body: &str| {
        read_otlp(body.as_bytes(), OtlpEncoding::Json, &Limits::default()).unwrap_err().to_string()
    };
    assert!(error("[1").contains("line 1"));
    assert!(error(&example().replace("\"10\"", "\"ten\"")).contains("\"ten\" is not a number"));
    let many = format!(r#"{{"resourceMetrics":[{}{{}}]}}"#, "{},".repeat(1_000));
    assert!(error(&many).contains("objects"), "{}", error(&many));
    let limits = Limits { max_bytes: 10, ..Limits::default() };
    assert!(read_otlp(example().as_bytes(), OtlpEncoding::Json, &limits).is_err());
}

#[test]
fn encodings_are_known_by_their_media_types() {
    assert_eq!(OtlpEncoding::of_content_type("application/json; charset=utf-8"), Some(OtlpEncoding::Json));
    assert_eq!(OtlpEncoding::of_content_type("application/x-protobuf"), Some(OtlpEncoding::Protobuf));
    assert_eq!(OtlpEncoding::of_content_type("text/plain"), None);
}

proptest! {
    #[test]
    fn bytes_changed_anywhere_never_panic(
        in_json in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (mut bytes, encoding) = if in_json {
            (example().into_bytes(), OtlpEncoding::Json)
        } else {
            (export(&web(), 7, &[number(60, 5.0).encode_to_vec()], CUMULATIVE), OtlpEncoding::Protobuf)
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_otlp(&bytes, encoding, &Limits::default());
    }

    #[test]
    fn memory_keeps_in_proportion(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(metrics) = read_otlp(&bytes, OtlpEncoding::Protobuf, &Limits::default()) {
            let points: usize = metrics.metrics.iter().map(|metric| metric.points.len()).sum();
            prop_assert!(points <= bytes.len() / 2);
        }
    }
}

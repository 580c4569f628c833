use super::*;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;

fn receiver(config: &ReceiveConfig) -> OtlpReceiver {
    OtlpReceiver::new(config, &Schema::v1(), Step::MINUTE).unwrap()
}

fn nanos(millis: i64) -> String {
    format!("{millis}000000")
}

/// An export of cumulative histograms of seconds: status, start and time in milliseconds, counts of (0, 0.1], (0.1, 1]
/// and above.
fn histograms(points: &[(&str, i64, i64, [u64; 3])], temporality: u8) -> Value {
    let points: Vec<Value> = points
        .iter()
        .map(|(status, start, time, counts)| {
            json!({
                "attributes": [{ "key": "http.response.status_code", "value": { "intValue": status } }],
                "startTimeUnixNano": nanos(*start), "timeUnixNano": nanos(*time),
                "count": counts.iter().sum::<u64>().to_string(), "sum": 1.0,
                "bucketCounts": counts.map(|count| count.to_string()), "explicitBounds": [0.1, 1.0],
            })
        })
        .collect();
    let histogram = json!({ "dataPoints": points, "aggregationTemporality": temporality });
    export(json!({ "name": "http.server.request.duration", "unit": "s", "histogram": histogram }))
}

#[expect(clippy::needless_pass_by_value, reason = "it goes into what is exported")]
fn export(metric: Value) -> Value {
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "web" } }] });
    json!({ "resourceMetrics": [{ "resource": resource, "scopeMetrics": [{ "metrics": [metric] }] }] })
}

fn take(receiver: &OtlpReceiver, export: &Value) -> Taken {
    receiver.take("application/json", "", export.to_string().as_bytes()).unwrap()
}

/// The newest value of a metric of a minute, as the engine takes it.
fn value(inputs: &[Input], end: i64, metric: &str) -> Option<f64> {
    let own = inputs.iter().filter_map(|input| match input {
        Input::Sample { metric: own, time, value, service } if own == metric && service == "web" => {
            let time = time.millis();
            (time > end - MINUTE && time <= end).then_some((time, *value))
        }
        _ => None,
    });
    own.max_by_key(|(time, _)| *time).map(|(_, value)| value)
}

/// Starts long before, so that the first points are only what later ones are compared with.
const LONG_AGO: i64 = 1;

#[test]
fn cumulative_histograms_become_the_metrics_of_a_minute() {
    let receiver = receiver(&ReceiveConfig::default());
    let mut inputs = Vec::new();
    // Two processes of one service, told apart by their start, exporting at other moments.
    for minute in 1..=5u64 {
        let end = 1_000_000 * MINUTE + minute as i64 * MINUTE;
        for (start, offset) in [(LONG_AGO, 20_000), (LONG_AGO + 7, 35_000)] {
            let time = end - offset;
            let good = ("200", start, time, [90 * minute, 10 * minute, 0]);
            let bad = ("503", start, time, [0, 0, 25 * minute]);
            let taken = take(&receiver, &histograms(&[good, bad], 2));
            receiver.kept(&taken);
            inputs.extend(taken.inputs);
        }
    }
    let end = 1_000_000 * MINUTE + 4 * MINUTE;
    assert_eq!(value(&inputs, end, "request_count"), Some(250.0));
    assert_eq!(value(&inputs, end, "error_rate"), Some(0.2));
    // Rank 125 of 180 up to 100 ms; nothing is known beyond the highest bound.
    let p50 = value(&inputs, end, "p50_latency").unwrap();
    assert!((p50 - 100.0 * 125.0 / 180.0).abs() < 1e-6, "{p50}");
    assert_eq!(value(&inputs, end, "p99_latency"), Some(1000.0));
    assert_eq!(value(&inputs, end, "cpu_usage"), None);
    // The first minutes are not whole.
    assert_eq!(value(&inputs, end - 3 * MINUTE, "request_count"), None);
}

#[test]
fn a_repeated_request_changes_nothing_and_one_that_was_not_kept_is_given_again() {
    let receiver = receiver(&ReceiveConfig::default());
    let at = |minute: i64| histograms(&[("200", LONG_AGO, minute * MINUTE, [10 * minute as u64, 0, 0])], 2);
    for minute in 100..103 {
        receiver.kept(&take(&receiver, &at(minute)));
    }
    let first = take(&receiver, &at(103));
    assert_eq!(value(&first.inputs, 103 * MINUTE, "request_count"), Some(10.0));
    // It was not journaled: the sender comes again.
    let again = take(&receiver, &at(103));
    assert_eq!(value(&again.inputs, 103 * MINUTE, "request_count"), Some(10.0));
    receiver.kept(&again);
    assert_eq!(take(&receiver, &at(103)).inputs, []);
    assert_eq!(receiver.counts.now()["repeated_samples"], 2);
}

#[test]
fn resets_gaps_and_deltas_are_as_they_should_be() {
    let receiver = receiver(&ReceiveConfig::default());
    let mut inputs = Vec::new();
    let mut push = |receiver: &OtlpReceiver, export: &Value| {
        let taken = take(receiver, export);
        receiver.kept(&taken);
        inputs.extend(taken.inputs);
    };
    for minute in 100..104 {
        push(&receiver, &histograms(&[("200", LONG_AGO, minute * MINUTE, [7 * minute as u64, 0, 0])], 2));
    }
    // A new process, which began 30 seconds before: as many in half a minute are twice as many in a whole one.
    push(&receiver, &histograms(&[("200", 104 * MINUTE - 30_000, 104 * MINUTE, [6, 0, 0])], 2));
    // Nine minutes of silence, and the rate is not known.
    push(&receiver, &histograms(&[("200", 104 * MINUTE - 30_000, 113 * MINUTE, [600, 0, 0])], 2));
    for minute in 114..117 {
        let start = (minute - 1) * MINUTE;
        push(&receiver, &histograms(&[("200", start, minute * MINUTE, [5, 0, 0])], 1));
    }
    assert_eq!(value(&inputs, 103 * MINUTE, "request_count"), Some(7.0));
    assert_eq!(value(&inputs, 104 * MINUTE, "request_count"), Some(12.0));
    assert_eq!(value(&inputs, 113 * MINUTE, "request_count"), None);
    assert_eq!(value(&inputs, 116 * MINUTE, "request_count"), Some(5.0));
}

#[test]
fn other_metrics_are_averaged_or_added_up() {
    let config = ReceiveConfig {
        otlp_metrics: [("process.cpu.utilization", "cpu_usage"), ("k8s.restarts", "pod_restarts")]
            .map(|(name, metric)| (name.to_owned(), metric.to_owned()))
            .into(),
        ..ReceiveConfig::default()
    };
    let receiver = receiver(&config);
    let mut inputs = Vec::new();
    for minute in 100..104 {
        for (pod, cpu) in [("a", 0.2), ("b", 0.4)] {
            let attributes = json!([{ "key": "pod", "value": { "stringValue": pod } }]);
            let time = nanos(minute * MINUTE);
            let point = json!({ "attributes": attributes, "timeUnixNano": time, "asDouble": cpu });
            let gauge = json!({ "name": "process.cpu.utilization", "gauge": { "dataPoints": [point] } });
            let point = json!({
                "attributes": attributes, "timeUnixNano": time, "startTimeUnixNano": "1000000",
                "asInt": (2 * minute).to_string(),
            });
            let sum = json!({ "dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": true });
            let sum = json!({ "name": "k8s.restarts", "sum": sum });
            for metric in [gauge, sum] {
                let taken = take(&receiver, &export(metric));
                receiver.kept(&taken);
                inputs.extend(taken.inputs);
            }
        }
    }
    let cpu = value(&inputs, 103 * MINUTE, "cpu_usage").unwrap();
    assert!((cpu - 0.3).abs() < 1e-12, "{cpu}");
    assert_eq!(value(&inputs, 103 * MINUTE, "pod_restarts"), Some(4.0));
    let wrong = ReceiveConfig { otlp_metrics: [("a".to_owned(), "b".to_owned())].into(), ..config };
    assert!(OtlpReceiver::new(&wrong, &Schema::v1(), Step::MINUTE).is_err());
}

#[test]
fn statuses_are_those_of_the_protocol() {
    let receiver = receiver(&ReceiveConfig { max_bytes: 4096, ..ReceiveConfig::default() });
    let status =
        |content_type, encoding, body: &[u8]| receiver.take(content_type, encoding, body).unwrap_err().status;
    assert_eq!(status("text/plain", "", b"{}"), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(status("application/json", "br", b"{}"), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(status("application/json", "", b"{"), StatusCode::BAD_REQUEST);
    assert_eq!(status("application/json", "gzip", b"{"), StatusCode::BAD_REQUEST);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut bomb, &[b' '; 100_000]).unwrap();
    assert_eq!(status("application/json", "gzip", &bomb.finish().unwrap()), StatusCode::PAYLOAD_TOO_LARGE);
    // A point without a time is rejected, and the request is a success in part.
    let point = json!({ "asDouble": 1.0, "timeUnixNano": "0" });
    let gauge = export(json!({ "name": "g", "gauge": { "dataPoints": [point] } }));
    let reply = receiver.kept(&take(&receiver, &gauge));
    assert_eq!(reply.status, StatusCode::OK);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["partialSuccess"]["rejectedDataPoints"], "1");
}

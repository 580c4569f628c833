//! Receivers over HTTP, as senders see them.

use crate::real_servers::{free_port, receiving};
use forewarn_live::Input;
use forewarn_prometheus::{Labels, Sample, Series, encode_remote_write, encode_remote_write_2};
use forewarn_schema::Timestamp;
use forewarn_server::{
    Running, ServerError, Stop, WatchOptions, journal_inputs,
    runtime::{Clock, HttpRequest, HttpResponse, SystemClock, TlsSettings, Transport, UreqTransport},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

fn send(url: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
    let request = HttpRequest::post(url, body);
    let request = headers.iter().fold(request, |request, (name, value)| request.with_header(*name, *value));
    UreqTransport::new(&TlsSettings::default()).unwrap().send(&request).unwrap()
}

fn now() -> i64 {
    SystemClock::new().now().millis()
}

fn error_rate(time: i64) -> Vec<Series> {
    let labels = Labels::new([("__name__", "forewarn:error_rate"), ("job", "web")]).unwrap();
    let sample = Sample { time: Timestamp::from_millis(time).unwrap(), value: 0.25 };
    vec![Series { labels, samples: vec![sample], histograms: Vec::new() }]
}

#[test]
fn what_is_acknowledged_is_in_the_journal_and_nothing_is_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (port, token) = (free_port(), "a token that is long enough for this");
    std::fs::write(folder.path().join("token"), token).unwrap();
    let config = receiving(folder.path(), port, "bearer_file = \"token\"\nmax_bytes = 65536\n").unwrap();
    let store = config.store.path.clone();
    let running = Running::start(config, WatchOptions::default()).unwrap();
    let stop = Stop::default();
    let waits = stop.clone();
    let wait = thread::spawn(move || running.wait(&waits, &mut |_| {}).map_err(|error| error.to_string()));
    let samples = || {
        let inputs = journal_inputs(&store).unwrap();
        inputs.filter(|input| matches!(input, Ok(Input::Sample { .. }))).count()
    };

    let write = format!("http://127.0.0.1:{port}/api/v1/write");
    let bearer = format!("Bearer {token}");
    let v1 = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
    ];
    let body = encode_remote_write(&error_rate(now())).unwrap();
    assert_eq!(send(&write, &v1[1..], &body).status, 401);
    assert_eq!(send(&write, &[("authorization", "Bearer no"), v1[1], v1[2]], &body).status, 401);
    let answer = send(&write, &v1, &body);
    let written = answer.header("x-prometheus-remote-write-samples-written");
    assert_eq!((answer.status, written), (204, Some("1")), "{}", answer.text());
    assert_eq!(samples(), 1);
    assert_eq!(send(&write, &v1, &body).status, 204);
    assert_eq!(samples(), 1, "it was sent twice");
    let v2 = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    let later = encode_remote_write_2(&error_rate(now() + 1000)).unwrap();
    assert_eq!(send(&write, &[v1[0], v2, v1[2]], &later).status, 204);
    assert_eq!(samples(), 2);
    assert_eq!(send(&write, &[v1[0], ("content-type", "text/plain"), v1[2]], &body).status, 415);
    assert_eq!(send(&write, &v1, b"not snappy").status, 400);
    // A block that declares 1 GiB.
    assert_eq!(send(&write, &v1, &[0x80, 0x80, 0x80, 0x80, 0x04, 0]).status, 413);

    let otlp = format!("http://127.0.0.1:{port}/v1/metrics");
    let json_type = [v1[0], ("content-type", "application/json")];
    for minute in 0..4 {
        let time = format!("{}000000", now() - (3 - minute) * 60_000);
        let point = json!({
            "startTimeUnixNano": "1000000", "timeUnixNano": time, "count": (60 * minute).to_string(), "sum": 1.0,
            "bucketCounts": [(60 * minute).to_string(), "0"], "explicitBounds": [0.1],
        });
        let histogram = json!({ "dataPoints": [point], "aggregationTemporality": 2 });
        let metric = json!({ "name": "http.server.request.duration", "unit": "s", "histogram": histogram });
        let resource =
            json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "cart" } }] });
        let export = json!({ "resourceMetrics": [{ "resource": resource, "scopeMetrics": [{ "metrics": [metric] }] }] });
        let answer = send(&otlp, &json_type, export.to_string().as_bytes());
        assert_eq!((answer.status, &*answer.text()), (200, "{}"));
    }
    assert_eq!(send(&otlp, &json_type, b"{").status, 400);
    assert_eq!(send(&otlp, &[v1[0], ("content-type", "text/plain")], b"{}").status, 415);
    assert_eq!(send(&otlp, &json_type[1..], b"{}").status, 401);
    stop.stop();
    wait.join().unwrap().unwrap();
    let of_cart = journal_inputs(&store).unwrap().filter_map(|input| match input.unwrap() {
        Input::Sample { service, metric, value, .. } if service == "cart" => Some((metric, value)),
        _ => None,
    });
    let requests: Vec<f64> =
        of_cart.filter(|(metric, _)| metric == "request_count").map(|(_, value)| value).collect();
    assert!(!requests.is_empty() && requests.iter().all(|value| (value - 60.0).abs() < 1.0), "{requests:?}");
}

/// The clock of the machine, of which the engine's thread hears nothing while it is stuck.
#[derive(Default)]
struct Stuck {
    system: SystemClock,
    is_stuck: AtomicBool,
}

impl Clock for Stuck {
    fn now(&self) -> Timestamp {
        while thread::current().name() == Some("engine") && self.is_stuck.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(2));
        }
        self.system.now()
    }

    fn elapsed(&self) -> Duration {
        self.system.elapsed()
    }

    fn sleep(&self, time: Duration, stop: &Stop) -> bool {
        self.system.sleep(time, stop)
    }
}

#[test]
fn a_sender_is_sent_away_for_a_second_while_too_much_waits() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = receiving(folder.path(), port, "").unwrap();
    let clock = Arc::new(Stuck::default());
    let options = WatchOptions::default().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let running = Running::start(config, options).unwrap();
    let (handle, stop) = (running.handle().named("test"), Stop::default());
    let waits = stop.clone();
    let wait = thread::spawn(move || running.wait(&waits, &mut |_| {}).map_err(|error| error.to_string()));
    while !handle.view().is_ready {
        thread::sleep(Duration::from_millis(2));
    }
    clock.is_stuck.store(true, Ordering::SeqCst);
    let full = |()| {
        let batch = vec![Input::Advance { now: clock.system.now() }];
        matches!(handle.submit(batch), Err(ServerError::Busy { .. }))
    };
    // The engine may take what waits once more before it is stuck.
    let mut in_a_row = 0;
    while in_a_row < 20 {
        in_a_row = if full(()) { in_a_row + 1 } else { 0 };
        thread::sleep(Duration::from_millis(if in_a_row > 0 { 5 } else { 0 }));
    }
    let write = format!("http://127.0.0.1:{port}/api/v1/write");
    let v1 = [("content-type", "application/x-protobuf"), ("content-encoding", "snappy")];
    let body = encode_remote_write(&error_rate(now())).unwrap();
    let answer = send(&write, &v1, &body);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")), "{}", answer.text());
    let metric = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}]},
        "scopeMetrics":[{"metrics":[]}]}]}"#;
    let otlp = send(
        &format!("http://127.0.0.1:{port}/v1/metrics"),
        &[("content-type", "application/json")],
        metric.as_bytes(),
    );
    assert_eq!(otlp.status, 200, "nothing of it is to be journaled");
    clock.is_stuck.store(false, Ordering::SeqCst);
    let taken = |_| {
        thread::sleep(Duration::from_millis(10));
        send(&write, &v1, &body).status == 204
    };
    assert!((0..1_000).any(taken), "it is taken when there is room again");
    stop.stop();
    wait.join().unwrap().unwrap();
}

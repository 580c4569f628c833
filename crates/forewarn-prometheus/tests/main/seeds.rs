//! The files that fuzzing starts from.

use std::fs;
use std::path::{Path, PathBuf};

use forewarn_prometheus::{
    Labels, Limits, OtlpEncoding, Sample, Series, TextFormat, encode_remote_write, encode_remote_write_2,
    read_exposition, read_otlp, read_query,
};
use forewarn_schema::Timestamp;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds_prometheus")
}

const ANSWER: &str = r#"{"status":"success","warnings":["a store is down"],"data":{"resultType":"matrix","result":[
{"metric":{"__name__":"up","job":"web"},"values":[[1767225600,"1"],[1767225660.5,"NaN"]],
"histograms":[[1767225600,{"count":"8","sum":"20","buckets":[[0,"1","2","4"],[3,"-0.5","0.5","4"]]}]]}]}}"#;

const TEXT: &str =
    "# HELP a_total Help\\n\n# TYPE a_total counter\na_total{b=\"c\\\"\",d=\"e\"} 1e3 1767225600000\n";

const OPEN_METRICS: &str = "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
    a_seconds_bucket{le=\"+Inf\"} 2 1767225600.5 # {trace_id=\"x\"} 0.5\n{\"b.c\",\"d.e\"=\"f\"} NaN\n# EOF\n";

const OTLP: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},
"scopeMetrics":[{"metrics":[{"name":"a","unit":"s","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[
{"timeUnixNano":"1767225600000000000","count":"3","scale":1,"zeroCount":1,"positive":{"offset":-1,"bucketCounts":["1","1"]}}]}},
{"name":"b","sum":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"1767225600000000000","asInt":"5"}]}}]}]}]}"#;

/// A gauge `a` of service `web`: 0.5, at a time in 2026.
const OTLP_PROTOBUF: &[u8] = b"\x0a\x40\x0a\x17\x0a\x15\x0a\x0cservice.name\x12\x05\x0a\x03web\
    \x12\x25\x12\x23\x0a\x01a\x1a\x01s\x2a\x1b\x0a\x19\x19\x00\x00\xfa\xed\x51\x72\x86\x18\
    \x21\x00\x00\x00\x00\x00\x00\xe0\x3f\x3a\x05\x0a\x01m\x12\x00";

#[expect(clippy::unwrap_used, reason = "a part of tests")]
fn series() -> Vec<Series> {
    let time = Timestamp::from_millis(1_767_225_600_000).unwrap();
    let labels = Labels::new([("__name__", "up"), ("job", "web")]).unwrap();
    let samples = vec![Sample { time, value: 1.0 }, Sample::stale(time)];
    vec![Series { labels, samples, histograms: Vec::new() }]
}

#[expect(clippy::unwrap_used, reason = "a part of tests")]
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let written = |first: u8, body: Vec<u8>| [&[first], &body[..]].concat();
    vec![
        ("query_answer/matrix", ANSWER.into()),
        ("exposition/prometheus", TEXT.into()),
        ("exposition/open_metrics", OPEN_METRICS.into()),
        ("remote_write/v1", written(0, encode_remote_write(&series()).unwrap())),
        ("remote_write/v2", written(1, encode_remote_write_2(&series()).unwrap())),
        ("otlp/json", OTLP.into()),
        ("otlp/protobuf", OTLP_PROTOBUF.into()),
    ]
}

#[test]
#[ignore = "writes the files that fuzzing starts from"]
fn write_the_seeds_of_fuzzing() {
    for (name, bytes) in seeds() {
        let path = folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn seeds_of_fuzzing_are_read() {
    for (name, bytes) in seeds() {
        assert_eq!(fs::read(folder().join(name)).unwrap(), bytes, "{name}");
    }
    let limits = Limits::default();
    assert!(read_query(ANSWER.as_bytes(), &limits).unwrap().partial);
    for (text, format) in [(TEXT, TextFormat::Prometheus), (OPEN_METRICS, TextFormat::OpenMetrics)] {
        read_exposition(text.as_bytes(), format, &limits, |_| Ok(())).unwrap();
    }
    let points = |body: &[u8], encoding| {
        let metrics = read_otlp(body, encoding, &limits).unwrap();
        assert!(metrics.metrics.iter().all(|metric| metric.service.as_deref() == Some("web")));
        metrics.metrics.iter().map(|metric| metric.points.len()).sum::<usize>()
    };
    assert_eq!(points(OTLP.as_bytes(), OtlpEncoding::Json), 2);
    assert_eq!(points(OTLP_PROTOBUF, OtlpEncoding::Protobuf), 1);
}

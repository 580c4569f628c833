//! What the smallest messages of each protocol take in memory: a sender decides how many there are.

use forewarn_prometheus::{
    Limits, OtlpEncoding, RemoteWriteVersion, TextFormat, read_exposition, read_otlp, read_query,
    read_remote_write,
};

/// Bytes of memory for each byte of a message, at the most.
const TIMES: u64 = 64;

/// What is taken whatever the message.
const BESIDE: u64 = 64 << 10;

fn check(name: &str, bytes: usize, read: impl FnOnce()) {
    let taken = allocation_counter::measure(read).bytes_max;
    assert!(taken <= bytes as u64 * TIMES + BESIDE, "{name}: {taken} bytes of memory for {bytes}");
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [vec![(number << 3) | 2], varint(content.len()), content.to_vec()].concat()
}

/// A snappy block that holds its content as it is: of a size that no compression makes smaller.
fn block(content: &[u8]) -> Vec<u8> {
    let mut block = varint(content.len());
    for chunk in content.chunks(60) {
        block.push(((chunk.len() - 1) as u8) << 2);
        block.extend(chunk);
    }
    block
}

const MANY: usize = 200_000;

#[test]
fn the_smallest_parts_of_a_remote_write_take_memory_in_proportion() {
    let name = field(1, &[field(1, b"__name__"), field(2, b"up")].concat());
    let in_series = |part: &[u8]| field(1, &[name.clone(), part.repeat(MANY)].concat());
    for (what, message) in [
        ("series", field(1, &[]).repeat(MANY)),
        ("labels", in_series(&field(1, &[]))),
        ("samples", in_series(&field(2, &[]))),
        ("exemplars", in_series(&field(3, &[]))),
        ("histograms", in_series(&field(4, &[]))),
        ("histograms of nothing", in_series(&field(4, &[0x08, 0]))),
        ("spans", in_series(&field(4, &field(11, &[]).repeat(100)))[..MANY].to_vec()),
        ("metadata", field(3, &[]).repeat(MANY)),
    ] {
        let body = block(&message);
        check(what, body.len(), || {
            let _ = read_remote_write(&body, RemoteWriteVersion::V1, &Limits::default());
        });
    }
    // 2.0: many references to one long symbol, and many symbols.
    let symbols = [field(4, b""), field(4, b"__name__"), field(4, &[b'x'; 16_000])].concat();
    let series = field(5, &field(1, &[1, 2]));
    for (what, message) in [
        ("references", [symbols, series.repeat(MANY)].concat()),
        ("symbols", field(4, &[]).repeat(MANY)),
        ("series", field(5, &[]).repeat(MANY)),
    ] {
        let body = block(&message);
        check(what, body.len(), || {
            let _ = read_remote_write(&body, RemoteWriteVersion::V2, &Limits::default());
        });
    }
}

#[test]
fn the_smallest_parts_of_otlp_take_memory_in_proportion() {
    // Gauge, sum, histogram, exponential histogram and summary.
    for data in [5, 7, 9, 10, 11] {
        for (what, point) in [
            ("empty points", Vec::new()),
            ("points with a time", [vec![0x19], vec![1; 8]].concat()),
            ("points with attributes", field(if data == 9 { 9 } else { 7 }, &[]).repeat(50)),
        ] {
            let points = [field(1, &point).repeat(MANY / (point.len() + 2)), vec![0x10, 2]].concat();
            let metric = [field(1, b"a long name of a metric"), field(data, &points)].concat();
            let body = field(1, &field(2, &field(2, &metric)));
            check(&format!("{what} of {data}"), body.len(), || {
                let _ = read_otlp(&body, OtlpEncoding::Protobuf, &Limits::default());
            });
        }
    }
    let metrics = field(1, &field(2, &field(2, &field(5, &[])).repeat(MANY)));
    check("metrics", metrics.len(), || {
        let _ = read_otlp(&metrics, OtlpEncoding::Protobuf, &Limits::default());
    });
    let json = |part: &str| {
        let points = vec![part; MANY / 4].join(",");
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"gauge":{{"dataPoints":[{points}]}}}}]}}]}}]}}"#
        )
    };
    for part in ["{}", r#"{"asInt":1}"#, r#"{"attributes":[{}]}"#, r#"{"attributes":[{"key":"a"}]}"#] {
        let body = json(part);
        check(part, body.len(), || {
            let _ = read_otlp(body.as_bytes(), OtlpEncoding::Json, &Limits::default());
        });
    }
}

#[test]
fn the_smallest_parts_of_answers_and_text_take_memory_in_proportion() {
    for (kind, part) in [
        ("vector", r#"{"metric":{}}"#),
        ("matrix", r#"{"metric":{},"values":[[0,"0"]]}"#),
        ("matrix", r#"{"metric":{},"histograms":[[0,{"count":"0","sum":"0"}]]}"#),
        ("vector", r#"{"metric":{"a":"","b":"c"}}"#),
    ] {
        let parts = vec![part; MANY / 4].join(",");
        let body = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{parts}]}}}}"#);
        check(part, body.len(), || {
            let _ = read_query(body.as_bytes(), &Limits::default());
        });
    }
    let text = "a 1\n".repeat(MANY) + &"a".repeat(1 << 20);
    check("text", text.len(), || {
        let _ = read_exposition(text.as_bytes(), TextFormat::Prometheus, &Limits::default(), |_| Ok(()));
    });
}

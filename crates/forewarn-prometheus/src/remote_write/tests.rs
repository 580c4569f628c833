use forewarn_schema::Timestamp;
use proptest::prelude::*;
use prost::Message;

use super::message::{BucketSpan, Histogram, Metadata2, MetricMetadata, Request2, Sample, TimeSeries2};
use super::*;
use crate::{Bucket, BucketLayout, Labels, STALE_BITS};

/// A write of `up{job="web"}` with 1.5 at 1,000 ms, byte by byte as the specification has it.
const V1_BYTES: &[u8] = &[
    0x0a, 0x2c, // timeseries
    0x0a, 0x0e, 0x0a, 0x08, b'_', b'_', b'n', b'a', b'm', b'e', b'_', b'_', 0x12, 0x02, b'u',
    b'p', // label
    0x0a, 0x0a, 0x0a, 0x03, b'j', b'o', b'b', 0x12, 0x03, b'w', b'e', b'b', // label
    0x12, 0x0c, 0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xe8, 0x07, // sample
    // An exemplar without anything in it, which is no part of what is kept.
    0x1a, 0x00, //
];

/// The same in 2.0.
const V2_BYTES: &[u8] = &[
    0x22, 0x00, 0x22, 0x08, b'_', b'_', b'n', b'a', b'm', b'e', b'_', b'_', // symbols 0, 1
    0x22, 0x02, b'u', b'p', 0x22, 0x03, b'j', b'o', b'b', 0x22, 0x03, b'w', b'e',
    b'b', // symbols 2, 3, 4
    0x2a, 0x14, // timeseries
    0x0a, 0x04, 1, 2, 3, 4, // labels_refs, packed
    0x12, 0x0c, 0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xe8, 0x07, // sample
];

fn block(message: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(message).unwrap()
}

fn read(message: &[u8], version: RemoteWriteVersion) -> Result<WriteRequest, PrometheusError> {
    read_remote_write(&block(message), version, &Limits::default())
}

fn up() -> Series {
    let time = Timestamp::from_millis(1_000).unwrap();
    let labels = Labels::new([("__name__", "up"), ("job", "web")]).unwrap();
    Series { labels, samples: vec![crate::Sample { time, value: 1.5 }], histograms: Vec::new() }
}

use RemoteWriteVersion::{V1, V2};

#[test]
fn bytes_by_the_specification_are_read_in_both_versions() {
    let one = read(V1_BYTES, V1).unwrap();
    assert_eq!(one.series, [up()]);
    assert!(!one.refused.is_partial() && one.refused.exemplars == 1);
    assert_eq!(one.written(), Written { samples: 1, histograms: 0, exemplars: 0 });
    assert_eq!(read(V2_BYTES, V2).unwrap().series, [up()]);
    // References that are not packed, which a reader has to take as well.
    let mut unpacked = V2_BYTES.to_vec();
    unpacked.splice(26..34, [0x2a, 0x16, 0x08, 1, 0x08, 2, 0x08, 3, 0x08, 4]);
    assert_eq!(read(&unpacked, V2).unwrap().series, [up()]);
}

#[test]
fn messages_of_the_other_version_hold_nothing() {
    assert!(read(V1_BYTES, V2).unwrap().series.is_empty());
    assert!(read(V2_BYTES, V1).unwrap().series.is_empty());
}

#[test]
fn what_is_written_is_read_with_the_bits_of_stale_markers() {
    let mut two = vec![up(), up()];
    two[1].samples[0].value = f64::from_bits(STALE_BITS);
    two[1].labels = Labels::new([("__name__", "up"), ("job", "wéb\n")]).unwrap();
    for (body, version) in [(encode_remote_write(&two), V1), (encode_remote_write_2(&two), V2)] {
        let read = read_remote_write(&body.unwrap(), version, &Limits::default()).unwrap();
        assert_eq!(read.series, two);
        assert!(read.series[1].samples[0].is_stale());
    }
}

#[test]
fn what_cannot_be_taken_is_counted_and_the_rest_is_taken() {
    let bare = Series { labels: Labels::new([("job", "web")]).unwrap(), ..up() };
    let wide = Series {
        labels: Labels::new((0..70).map(|i| (format!("l{i}"), "x")).chain([("__name__".to_owned(), "up")]))
            .unwrap(),
        ..up()
    };
    for encode in [encode_remote_write, encode_remote_write_2] {
        let version = if encode(&[]).unwrap() == encode_remote_write(&[]).unwrap() { V1 } else { V2 };
        let body = encode(&[bare.clone(), up(), wide.clone()]).unwrap();
        let read = read_remote_write(&body, version, &Limits::default()).unwrap();
        assert_eq!(read.series, [up()]);
        assert_eq!(read.refused.series_with_wrong_labels, 1);
        assert_eq!(read.refused.series_over_label_limits, 1);
        assert_eq!(read.refused.samples_of_refused_series, 2);
        assert!(read.refused.first.unwrap().to_string().contains("no label __name__"));

        let body = encode(&[up(), up(), up()]).unwrap();
        let limits = Limits { max_series: 2, max_samples: 1, ..Limits::default() };
        let read = read_remote_write(&body, version, &limits).unwrap();
        assert_eq!(read.written().samples, 1);
        assert_eq!((read.refused.series_over_limit, read.refused.samples_over_limit), (1, 1));
    }
}

#[test]
fn samples_out_of_the_calendar_and_wrong_symbols_are_refused() {
    let request = Request2 {
        symbols: ["", "__name__", "up"].map(str::to_owned).to_vec(),
        timeseries: vec![
            TimeSeries2 {
                labels_refs: vec![1, 2],
                samples: vec![Sample { value: 1.0, timestamp: i64::MAX }],
                metadata: Some(Metadata2 { kind: 2, help_ref: 2, unit_ref: 99 }),
            },
            TimeSeries2 { labels_refs: vec![1, 7], ..TimeSeries2::default() },
            TimeSeries2 { labels_refs: vec![1], ..TimeSeries2::default() },
        ],
    };
    let one = read(&request.encode_to_vec(), V2).unwrap();
    assert_eq!((one.refused.samples_out_of_time, one.refused.series_with_wrong_labels), (1, 2));
    assert_eq!((one.metadata[0].kind, one.metadata[0].help.as_str()), (FamilyKind::Gauge, "up"));
    let wrong = Request2 { symbols: vec!["x".to_owned()], timeseries: Vec::new() };
    assert!(read(&wrong.encode_to_vec(), V2).unwrap_err().to_string().contains("first symbol"));
}

/// A series of one histogram.
fn with_histogram(histogram: &Histogram) -> Result<WriteRequest, PrometheusError> {
    let mut series = vec![0x0a, 0x0e, 0x0a, 8];
    series.extend(b"__name__\x12\x02up");
    let histogram = histogram.encode_to_vec();
    series.push(0x22);
    prost::encode_length_delimiter(histogram.len(), &mut series).unwrap();
    series.extend(histogram);
    let mut message = vec![0x0a];
    prost::encode_length_delimiter(series.len(), &mut message).unwrap();
    message.extend(series);
    read(&message, V1)
}

#[test]
fn native_histograms_become_buckets() {
    // The example of Prometheus' documentation of spans: buckets 1, 2, 5 of schema 0, that is up to 2, 4 and 32.
    let histogram = Histogram {
        count_int: Some(12),
        sum: 40.0,
        zero_threshold: 0.001,
        zero_count_int: Some(2),
        positive_spans: vec![BucketSpan { offset: 1, length: 2 }, BucketSpan { offset: 2, length: 1 }],
        positive_deltas: vec![3, 2, -3],
        timestamp: 1_000,
        ..Histogram::default()
    };
    let read = with_histogram(&histogram).unwrap();
    let one = &read.series[0].histograms[0];
    let bucket = |lower, upper, count| Bucket { lower, upper, count };
    let expected =
        [bucket(-0.001, 0.001, 2.0), bucket(1.0, 2.0, 3.0), bucket(2.0, 4.0, 5.0), bucket(16.0, 32.0, 2.0)];
    assert_eq!((one.count, one.sum, one.layout), (12.0, 40.0, BucketLayout::Exponential));
    assert_eq!(one.buckets, expected);

    let custom = Histogram {
        schema: -53,
        count_float: Some(3.0),
        custom_values: vec![0.5, 1.0],
        positive_spans: vec![BucketSpan { offset: 0, length: 3 }],
        positive_counts: vec![1.0, 0.0, 2.0],
        ..Histogram::default()
    };
    let read = with_histogram(&custom).unwrap();
    let expected = [bucket(f64::NEG_INFINITY, 0.5, 1.0), bucket(1.0, f64::INFINITY, 2.0)];
    assert_eq!(read.series[0].histograms[0].buckets, expected);
}

#[test]
fn histograms_that_contradict_themselves_are_refused() {
    let spans = |length| vec![BucketSpan { offset: 0, length }];
    for (histogram, reason) in [
        (Histogram::default(), "no count"),
        (Histogram { schema: 99, ..Histogram::default() }, "schema 99"),
        (
            Histogram { positive_spans: spans(2), positive_deltas: vec![1], ..Histogram::default() },
            "spans of 2",
        ),
        (Histogram { positive_spans: spans(u32::MAX), ..Histogram::default() }, "max_buckets"),
        (
            Histogram { positive_spans: spans(1), positive_deltas: vec![-1], ..Histogram::default() },
            "-1 observations",
        ),
        (Histogram { schema: -53, custom_values: vec![2.0, 1.0], ..Histogram::default() }, "do not ascend"),
    ] {
        let read = with_histogram(&histogram).unwrap();
        assert_eq!((read.series.len(), read.refused.wrong_histograms), (0, 1));
        let first = read.refused.first.unwrap().to_string();
        assert!(first.contains(reason), "{first}");
    }
}

#[test]
fn metadata_of_the_first_version_is_read() {
    let metadata = MetricMetadata { kind: 1, family: "up".into(), help: "h".into(), unit: String::new() };
    let mut message = vec![0x1a, metadata.encoded_len() as u8];
    message.extend(metadata.encode_to_vec());
    assert_eq!(read(&message, V1).unwrap().metadata[0].kind, FamilyKind::Counter);
}

#[test]
fn declared_sizes_are_checked_before_inflating() {
    // A block of six bytes that declares 4 GiB less one.
    let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
    let error = read_remote_write(&bomb, V1, &Limits::default()).unwrap_err();
    assert!(matches!(error, PrometheusError::Limit { setting: "max_bytes", .. }), "{error}");
    // One that declares 1 MiB, within the limit, which six bytes cannot hold.
    let error = read_remote_write(&[0x80, 0x80, 0x40, 0, 0, 0], V1, &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("cannot hold"), "{error}");
    assert!(matches!(
        read_remote_write(&[], V1, &Limits::default()),
        Err(PrometheusError::Snappy { .. }) | Ok(_)
    ));
    assert!(matches!(read(&[0x0a, 0x7f], V1), Err(PrometheusError::Protobuf { .. })));
}

#[test]
fn versions_are_known_by_their_media_types() {
    let of = RemoteWriteVersion::of_content_type;
    assert_eq!(of("application/x-protobuf"), Some(V1));
    assert_eq!(of(V1.content_type()), Some(V1));
    assert_eq!(of(V2.content_type()), Some(V2));
    assert_eq!(of("application/x-protobuf; proto=other"), None);
    assert_eq!(of("application/json"), None);
}

proptest! {
    #[test]
    fn bytes_changed_anywhere_never_panic(
        second in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (bytes, version) = if second { (V2_BYTES, V2) } else { (V1_BYTES, V1) };
        let mut bytes = bytes.to_vec();
        for &(at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&bytes, version);
        let mut packed = block(if second { V2_BYTES } else { V1_BYTES });
        for (at, byte) in changes {
            let at = at.index(packed.len());
            packed[at] = byte;
        }
        let _ = read_remote_write(&packed, version, &Limits::default());
    }

    #[test]
    fn memory_keeps_in_proportion(bytes in proptest::collection::vec(any::<u8>(), 0..200), second in any::<bool>()) {
        let version = if second { V2 } else { V1 };
        if let Ok(request) = read(&bytes, version) {
            let Written { samples, histograms, .. } = request.written();
            prop_assert!(samples + histograms <= bytes.len() as u64 / 2);
        }
    }
}

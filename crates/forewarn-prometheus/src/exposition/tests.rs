use forewarn_schema::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::Labels;

const PROMETHEUS: &str = "\
# HELP http_requests_total The total number of HTTP requests,\\nby \"code\" \\\\.
# TYPE http_requests_total counter
http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000
http_requests_total{method=\"post\",code=\"400\",}    3 1395066363000

# A remark
msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem=\"division by zero\"} +Inf -3982045
{\"my.dotted\", \"http.status\"=\"200\", a=\"b\"} NaN
# TYPE h histogram
h_bucket{le=\"+Inf\"} 144320\r
";

const OPEN_METRICS: &str = "\
# TYPE acme_http_router_request_seconds histogram
# UNIT acme_http_router_request_seconds seconds
# HELP acme_http_router_request_seconds Latency though all of ACME's HTTP request router.
acme_http_router_request_seconds_bucket{le=\"0.1\"} 17 # {trace_id=\"oHg5SJYRHA0\"} 9.8 1520879607.789
acme_http_router_request_seconds_count 17 1395066363.000
acme_http_router_request_seconds_created 1605281325.0
# TYPE foo counter
foo_total 17.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67
foo_created 1520430000.123
# TYPE foo_created gauge
foo_created 1
# EOF
";

fn read(text: &str, format: TextFormat) -> Result<Vec<String>, PrometheusError> {
    let mut all = Vec::new();
    read_exposition(text.as_bytes(), format, &Limits::default(), |entry| {
        all.push(format!("{entry:?}"));
        Ok(())
    })?;
    Ok(all)
}

fn samples(text: &str, format: TextFormat) -> Result<Vec<ExpositionSample>, PrometheusError> {
    let mut all = Vec::new();
    read_exposition(text.as_bytes(), format, &Limits::default(), |entry| {
        if let Entry::Sample(sample) = entry {
            all.push(sample);
        }
        Ok(())
    })?;
    Ok(all)
}

fn at(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millis(millis)
}

#[test]
fn prometheus_text_is_read() {
    let all = samples(PROMETHEUS, TextFormat::Prometheus).unwrap();
    assert_eq!(all.len(), 7);
    assert_eq!(all[0].labels.to_string(), "http_requests_total{code=\"200\", method=\"post\"}");
    assert_eq!(
        (all[0].value, all[0].time, all[0].kind),
        (1027.0, at(1_395_066_363_000), FamilyKind::Counter)
    );
    assert_eq!(all[2].labels.get("path"), Some("C:\\DIR\\FILE.TXT"));
    assert_eq!(all[2].labels.get("error"), Some("Cannot find file:\n\"FILE.TXT\""));
    assert_eq!(all[2].kind, FamilyKind::Unknown);
    assert_eq!((all[4].value, all[4].time), (f64::INFINITY, at(-3_982_045)));
    assert_eq!(all[5].labels.name(), Some("my.dotted"));
    assert_eq!(all[5].labels.get("http.status"), Some("200"));
    assert_eq!(all[6].kind, FamilyKind::Histogram);
    let entries = read(PROMETHEUS, TextFormat::Prometheus).unwrap();
    assert!(
        entries[0].contains(r#"help: "The total number of HTTP requests,\nby \"code\" \\.""#),
        "{}",
        entries[0]
    );
}

#[test]
fn open_metrics_is_read() {
    let all = samples(OPEN_METRICS, TextFormat::OpenMetrics).unwrap();
    let exemplar = all[0].exemplar.as_ref().unwrap();
    assert_eq!(exemplar.labels.get("trace_id"), Some("oHg5SJYRHA0"));
    assert_eq!((exemplar.value, exemplar.time), (9.8, at(1_520_879_607_789)));
    assert_eq!(all[1].time, at(1_395_066_363_000));
    // The start of a family is not a measurement; a gauge that is called so is.
    let created: Vec<bool> = all.iter().map(|sample| sample.is_created).collect();
    assert_eq!(created, [false, false, true, false, true, false]);
    assert_eq!(all[3].time, at(1_520_879_607_789));
    let entries = read(OPEN_METRICS, TextFormat::OpenMetrics).unwrap();
    assert!(entries[1].contains("unit: \"seconds\"") && entries.last().unwrap() == "End");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, found) in [
        ("a 1\nb one\n", "line 2: \"one\": expected a number"),
        ("a\n", "line 1: \"the end of the line\": expected a number"),
        ("a{b=\"c} 1\n", "expected a closing quote"),
        ("a{b=c} 1\n", "expected text in double quotes"),
        ("a{b=\"c\" d=\"e\"} 1\n", "expected a comma or }"),
        ("a{b} 1\n", "expected = and a value"),
        ("0a 1\n", "expected a name"),
        ("{a=\"b\"} 1\n", "expected a metric's name"),
        ("a 1 2 3\n", "expected the end of the line"),
        ("a 1 1.5\n", "expected a time in milliseconds"),
        ("# TYPE a thing\n", "expected a type"),
        ("a{b=\"1\",b=\"2\"} 1\n", "appears twice"),
        ("a 1 # {} 1\n", "expected the end of the line"),
    ] {
        let error = read(text, TextFormat::Prometheus).unwrap_err().to_string();
        assert!(error.contains(found), "{text}: {error}");
    }
    for (text, found) in [
        ("a 1\n", "ends after line 1 without \"# EOF\""),
        ("# EOF\na 1\n", "expected nothing after"),
        ("\n# EOF\n", "no empty line"),
        ("a 1 # 5\n# EOF\n", "expected an exemplar's labels"),
    ] {
        let error = read(text, TextFormat::OpenMetrics).unwrap_err().to_string();
        assert!(error.contains(found), "{text}: {error}");
    }
    let bytes =
        read_exposition(&b"a 1\n\xff 2\n"[..], TextFormat::Prometheus, &Limits::default(), |_| Ok(()));
    assert!(bytes.unwrap_err().to_string().starts_with("line 2"));
}

#[test]
fn limits_are_kept_before_memory_is_taken() {
    let limited = |limits: Limits| {
        read_exposition(PROMETHEUS.as_bytes(), TextFormat::Prometheus, &limits, |_| Ok(())).unwrap_err()
    };
    let setting = |error| match error {
        PrometheusError::Limit { setting, .. } => setting,
        other => panic!("{other}"),
    };
    assert_eq!(setting(limited(Limits { max_line_bytes: 20, ..Limits::default() })), "max_line_bytes");
    assert_eq!(setting(limited(Limits { max_samples: 2, ..Limits::default() })), "max_samples");
    assert_eq!(setting(limited(Limits { max_labels: 2, ..Limits::default() })), "max_labels");
    assert_eq!(setting(limited(Limits { max_label_bytes: 10, ..Limits::default() })), "max_label_bytes");
}

#[test]
fn formats_are_known_by_their_media_types() {
    for format in [TextFormat::Prometheus, TextFormat::OpenMetrics] {
        assert_eq!(TextFormat::of_content_type(format.content_type()), format);
    }
    assert_eq!(TextFormat::of_content_type("text/html"), TextFormat::Prometheus);
}

#[test]
fn a_family_is_named_as_its_format_wants() {
    let written = |format| {
        let mut writer = ExpositionWriter::new(format);
        writer.family("lead_seconds", FamilyKind::Gauge, Some("seconds"), "Lead,\n\"net\"").unwrap();
        writer.sample("", [("service", "a\"b")], f64::INFINITY, Timestamp::from_millis(1_500)).unwrap();
        writer.family("rows", FamilyKind::Counter, None, "Rows").unwrap();
        writer.sample("_total", [], 3.0, None).unwrap();
        writer.finish()
    };
    assert_eq!(
        written(TextFormat::Prometheus),
        "# HELP lead_seconds Lead,\\n\"net\"\n# TYPE lead_seconds gauge\nlead_seconds{service=\"a\\\"b\"} +Inf 1500\n\
         # HELP rows_total Rows\n# TYPE rows_total counter\nrows_total 3\n"
    );
    assert_eq!(
        written(TextFormat::OpenMetrics),
        "# HELP lead_seconds Lead,\\n\\\"net\\\"\n# TYPE lead_seconds gauge\n# UNIT lead_seconds seconds\n\
         lead_seconds{service=\"a\\\"b\"} +Inf 1.500\n# HELP rows Rows\n# TYPE rows counter\nrows_total 3\n# EOF\n"
    );
    let mut writer = ExpositionWriter::new(TextFormat::OpenMetrics);
    assert!(writer.family("lead", FamilyKind::Gauge, Some("seconds"), "").is_err());
    assert!(writer.family("le ad", FamilyKind::Gauge, None, "").is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        name in "[a-zA-Z_][a-zA-Z0-9_.]{0,8}",
        label in ".{0,12}",
        value in any::<f64>(),
        millis in -4_000_000_000_000i64..4_000_000_000_000,
        open_metrics in any::<bool>(),
    ) {
        prop_assume!(name != crate::NAME);
        let format = if open_metrics { TextFormat::OpenMetrics } else { TextFormat::Prometheus };
        let mut writer = ExpositionWriter::new(format);
        writer.family("x", FamilyKind::Gauge, None, &label).unwrap();
        writer.sample("", [(name.as_str(), label.as_str())], value, Timestamp::from_millis(millis)).unwrap();
        let read = samples(&writer.finish(), format).unwrap();
        let labels = Labels::new([(crate::NAME, "x"), (name.as_str(), label.as_str())]).unwrap();
        prop_assert_eq!(&read[0].labels, &labels);
        prop_assert_eq!(read[0].time, Timestamp::from_millis(millis));
        prop_assert!(read[0].value == value || (read[0].value.is_nan() && value.is_nan()));
    }

    #[test]
    fn bytes_changed_anywhere_never_panic(
        open_metrics in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (text, format) =
            if open_metrics { (OPEN_METRICS, TextFormat::OpenMetrics) } else { (PROMETHEUS, TextFormat::Prometheus) };
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_exposition(&bytes[..], format, &Limits::default(), |_| Ok(()));
    }
}

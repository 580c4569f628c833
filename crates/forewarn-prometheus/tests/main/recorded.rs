//! Bytes of real senders and servers: Prometheus 2.42, vmagent and VictoriaMetrics 1.79.

use std::collections::BTreeMap;

use forewarn_prometheus::{
    FamilyKind, FamilyMetadata, Flavour, Limits, PrometheusError, QueryData, RemoteWriteVersion, Sample,
    WriteRequest, read_build_info, read_query, read_remote_write,
};

#[expect(clippy::unwrap_used, reason = "a part of tests")]
fn written(body: &[u8]) -> WriteRequest {
    let request = read_remote_write(body, RemoteWriteVersion::V1, &Limits::default()).unwrap();
    assert!(!request.refused.is_partial(), "{:?}", request.refused);
    request
}

/// Samples by series, in order of time.
fn by_series(request: WriteRequest) -> BTreeMap<String, Vec<Sample>> {
    let mut all = BTreeMap::<String, Vec<Sample>>::new();
    for one in request.series {
        all.entry(one.labels.to_string()).or_default().extend(one.samples);
    }
    all
}

#[test]
fn prometheus_writes_samples_and_stale_markers() {
    // Scraped five times. The gauge b was there three times.
    let all = by_series(written(include_bytes!("../recorded/prometheus-2.42-samples.bin")));
    let values = |name: &str| {
        let samples = &all[&format!("{name}{{instance=\"127.0.0.1:19092\", job=\"shop\"}}")];
        assert!(samples.windows(2).all(|pair| pair[0].time < pair[1].time));
        samples.iter().filter(|sample| !sample.is_stale()).map(|sample| sample.value).collect::<Vec<_>>()
    };
    assert_eq!(all.len(), 3);
    assert_eq!(values("a_total"), [3.0; 5]);
    assert_eq!(values("b"), [0.5; 3]);
    assert_eq!(values("up"), [1.0; 5]);
    let stale: Vec<usize> =
        all.values().map(|samples| samples.iter().filter(|sample| sample.is_stale()).count()).collect();
    assert_eq!(stale, [0, 1, 0]);
    assert!(all.values().nth(1).and_then(|samples| samples.last()).is_some_and(|last| last.is_stale()));
}

#[test]
fn prometheus_writes_metadata() {
    let request = written(include_bytes!("../recorded/prometheus-2.42-metadata.bin"));
    let counter = FamilyMetadata {
        family: "a".to_owned(),
        kind: FamilyKind::Counter,
        help: String::new(),
        unit: String::new(),
    };
    assert_eq!(request.metadata, [counter]);
}

#[test]
fn vmagent_writes_samples() {
    let all = by_series(written(include_bytes!("../recorded/vmagent-1.79-samples.bin")));
    assert_eq!(all.len(), 8);
    assert_eq!(all["scrape_samples_scraped{instance=\"127.0.0.1:19090\", job=\"self\"}"][0].value, 330.0);
    assert_eq!(all["scrape_duration_seconds{instance=\"127.0.0.1:19090\", job=\"self\"}"][0].value, 0.004);
}

#[test]
fn servers_answer() {
    let limits = Limits::default();
    let matrix = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"127.0.0.1:1","job":"gone"},"values":[[1795871599,"0"],[1795871600.500,"0"],[1795871602,"0"]]}]}}"#;
    let QueryData::Matrix(series) = read_query(matrix, &limits).unwrap().data else { panic!("no matrix") };
    let millis: Vec<i64> = series[0].samples.iter().map(|sample| sample.time.millis()).collect();
    assert_eq!(millis, [1_795_871_599_000, 1_795_871_600_500, 1_795_871_602_000]);
    let scalar = br#"{"status":"success","data":{"resultType":"scalar","result":[1795871602.877,"1"]}}"#;
    assert!(matches!(
        read_query(scalar, &limits).unwrap().data,
        QueryData::Scalar(Sample { value: 1.0, .. })
    ));
    let refusals: [(&[u8], &str); 2] = [
        (
            br#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:9: parse error: unexpected \"(\" in grouping opts, expected label"}"#,
            "bad_data",
        ),
        (
            br#"{"status":"error","errorType":"422","error":"error when executing query=\"sum((\" for (time=1795871609973, step=300000): singleExpr: unexpected token \"\"; want \"(\", \"{\", \"-\", \"+\"; unparsed data: \"\""}"#,
            "422",
        ),
    ];
    for (body, expected) in refusals {
        let error = read_query(body, &limits).unwrap_err();
        assert!(matches!(&error, PrometheusError::Server { kind, .. } if kind == expected), "{error}");
    }
}

#[test]
fn servers_are_known_by_their_build_information() {
    let flavour = |body: &[u8]| read_build_info(body, &Limits::default()).unwrap().data.flavour();
    let prometheus = br#"{"status":"success","data":{"version":"2.42.0+ds","revision":"2.42.0+ds-5+b6","branch":"debian/sid","buildUser":"team+pkg-go@tracker.debian.org","buildDate":"20250421-12:29:42","goVersion":"go1.19.8"}}"#;
    assert_eq!(flavour(prometheus), Flavour::Prometheus);
    assert_eq!(flavour(br#"{"status":"success","data":{}}"#), Flavour::VictoriaMetrics);
}

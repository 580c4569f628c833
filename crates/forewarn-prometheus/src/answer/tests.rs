use forewarn_schema::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::Labels;

fn query(body: &str) -> Result<Answer<QueryData>, PrometheusError> {
    read_query(body.as_bytes(), &Limits::default())
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[
    {"metric":{"__name__":"up","job":"web"},"value":[1435781451.781,"1"]},
    {"metric":{},"value":[1435781451.781,"NaN"]}]}}"#;

const MATRIX: &str = r#"{"status":"success","data":{"result":[{"metric":{"job":"web"},
    "values":[[1435781430,"+Inf"],[1435781445.5,"-1e+06"],[1435781460,"-Inf"]]}],"resultType":"matrix"}}"#;

const NATIVE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"web"},
    "histogram":[1435781451,{"count":"8","sum":"20","buckets":[[0,"2","8","4"],[0,"1","2","4"]]}]}]}}"#;

#[test]
fn a_vector_keeps_numbers_and_milliseconds() {
    let answer = query(VECTOR).unwrap();
    assert!(!answer.partial && answer.warnings.is_empty());
    let QueryData::Vector(series) = answer.data else { panic!("{answer:?}") };
    assert_eq!(series[0].labels.to_string(), "up{job=\"web\"}");
    assert_eq!(series[0].samples, [Sample { time: at(1_435_781_451_781), value: 1.0 }]);
    assert!(series[1].labels.is_empty() && series[1].samples[0].value.is_nan());
}

#[test]
fn a_matrix_may_name_its_type_after_its_data() {
    let QueryData::Matrix(series) = query(MATRIX).unwrap().data else { panic!() };
    let values: Vec<f64> = series[0].samples.iter().map(|sample| sample.value).collect();
    assert_eq!(values, [f64::INFINITY, -1e6, f64::NEG_INFINITY]);
    assert_eq!(series[0].samples[1].time, at(1_435_781_445_500));
}

#[test]
fn scalars_text_and_native_histograms_are_read() {
    let scalar = query(r#"{"status":"success","data":{"resultType":"scalar","result":[10,"0.5"]}}"#).unwrap();
    assert_eq!(scalar.data, QueryData::Scalar(Sample { time: at(10_000), value: 0.5 }));
    assert!(scalar.data.into_series().is_err());
    let text = query(r#"{"status":"success","data":{"resultType":"string","result":[1.5,"a\"b"]}}"#).unwrap();
    assert_eq!(text.data, QueryData::Text("a\"b".to_owned()));
    let series = query(NATIVE).unwrap().data.into_series().unwrap();
    let native = &series[0].histograms[0];
    assert!((native.quantile(0.75) - 4.0).abs() < 1e-12 && native.count == 8.0);
}

#[test]
fn warnings_make_an_answer_partial_and_infos_do_not() {
    let tail = r#""data":{"resultType":"vector","result":[]}}"#;
    let warned = query(&format!(r#"{{"status":"success","warnings":["store down\n"],{tail}"#)).unwrap();
    assert!(warned.partial && warned.warnings == ["store down"]);
    let informed = query(&format!(r#"{{"status":"success","infos":["no counter"],{tail}"#)).unwrap();
    assert!(!informed.partial && informed.infos == ["no counter"]);
    assert!(query(&format!(r#"{{"status":"success","isPartial":true,{tail}"#)).unwrap().partial);
    assert!(
        !query(&format!(r#"{{"status":"success","isPartial":false,"warnings":null,{tail}"#)).unwrap().partial
    );
}

#[test]
fn a_refusal_is_quoted_short_and_plain() {
    let error = query(r#"{"status":"error","errorType":"bad_data","error":"1:5: \u001b[31mparse error"}"#);
    let message = "the server refuses the query (bad_data): 1:5:  [31mparse error";
    assert_eq!(error.unwrap_err().to_string(), message);
    let long = format!(r#"{{"status":"error","error":"{}"}}"#, "x".repeat(5000));
    assert!(query(&long).unwrap_err().to_string().len() < 300);
    // Data of another form beside the error.
    let with_data = r#"{"status":"error","errorType":"timeout","error":"slow","data":[1]}"#;
    assert!(matches!(query(with_data), Err(PrometheusError::Server { kind, .. }) if kind == "timeout"));
}

#[test]
fn what_is_no_answer_says_what_it_is() {
    let error = query("<html>\n<h1>502 Bad Gateway").unwrap_err().to_string();
    assert!(error.contains("<html> <h1>502 Bad Gateway"), "{error}");
    for wrong in [
        "",
        r#"{"status":"success"}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"one"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1e300,"1"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"1","a":"2"}}]}}"#,
        &VECTOR[..VECTOR.len() - 4],
    ] {
        assert!(matches!(query(wrong), Err(PrometheusError::NotAnAnswer { .. })), "{wrong}");
    }
    let other = r#"{"status":"success","data":{"resultType":"streams","result":[]}}"#;
    assert!(matches!(query(other), Err(PrometheusError::OtherResult { found, .. }) if found == "streams"));
    let contradicts = r#"{"status":"success","data":{"resultType":"scalar","result":[]}}"#;
    assert!(matches!(query(contradicts), Err(PrometheusError::OtherResult { .. })));
}

#[test]
fn limits_are_kept() {
    let limits = |limits: Limits| read_query(MATRIX.as_bytes(), &limits).unwrap_err();
    let named = |error, name| matches!(error, PrometheusError::Limit { setting, .. } if setting == name);
    assert!(named(limits(Limits { max_bytes: 50, ..Limits::default() }), "max_bytes"));
    assert!(named(limits(Limits { max_series: 0, ..Limits::default() }), "max_series"));
    assert!(named(limits(Limits { max_samples: 2, ..Limits::default() }), "max_samples"));
}

#[test]
fn names_and_metadata_are_read() {
    let body = br#"{"status":"success","data":["a","b"]}"#;
    assert_eq!(read_names(body, &Limits::default()).unwrap().data, ["a", "b"]);
    assert!(read_names(br#"{"status":"success","data":null}"#, &Limits::default()).is_err());
    let body = br#"{"status":"success","data":{"up":[{"type":"gauge","help":"h","unit":""}]}}"#;
    let metadata = read_metadata(body, &Limits::default()).unwrap().data;
    assert_eq!(metadata["up"][0].kind, "gauge");
}

#[test]
fn a_server_is_known_by_what_it_says_of_itself() {
    let flavour = |data: &str| {
        let body = format!(r#"{{"status":"success","data":{data}}}"#);
        read_build_info(body.as_bytes(), &Limits::default()).unwrap().data.flavour()
    };
    let go = r#""revision":"225c61122d88","branch":"HEAD","buildUser":"root","buildDate":"x","goVersion":"go1.19.8""#;
    assert_eq!(flavour(&format!(r#"{{"version":"2.42.0",{go}}}"#)), Flavour::Prometheus);
    assert_eq!(flavour(&format!(r#"{{"version":"3.5.0",{go}}}"#)), Flavour::Prometheus);
    assert_eq!(flavour(&format!(r#"{{"version":"0.35.1",{go}}}"#)), Flavour::Thanos);
    let mimir =
        format!(r#"{{"application":"Grafana Mimir","version":"2.14.0",{go},"features":{{"x":"true"}}}}"#);
    assert_eq!(flavour(&mimir), Flavour::Mimir);
    assert_eq!(flavour(r#"{"version":"2.24.0"}"#), Flavour::VictoriaMetrics);
    assert_eq!(flavour("{}"), Flavour::VictoriaMetrics);
    assert_eq!(flavour(r#"{"version":"1.0.0","revision":"x"}"#), Flavour::Unknown);
}

proptest! {
    #[test]
    fn bytes_changed_anywhere_never_panic(
        which in 0usize..3,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = [VECTOR, MATRIX, NATIVE][which].as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_query(&bytes, &Limits::default());
        let _ = read_query(&bytes[..cut.index(bytes.len())], &Limits::default());
        let _ = read_names(&bytes, &Limits::default());
    }

    #[test]
    fn any_number_comes_through(value in any::<f64>(), millis in 0i64..4_000_000_000_000) {
        let seconds = millis as f64 / 1000.0;
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},"value":[{seconds},"{value}"]}}]}}}}"#
        );
        let series = query(&body).unwrap().data.into_series().unwrap();
        let Sample { time, value: read } = series[0].samples[0];
        prop_assert_eq!(time, at(millis));
        prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
        prop_assert_eq!(&series[0].labels, &Labels::default());
    }
}

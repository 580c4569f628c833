//! Files as other programs export them, whose shape no option says.

use crate::read_with;
use forewarn_io::{ReadOptions, Recording, Shape, read_files};
use std::{collections::BTreeMap, fs};

/// Error rate and latency of two services, three minutes.
pub(crate) const RATES: [[(f32, f32); 2]; 3] =
    [[(0.01, 250.5), (0.02, 90.25)], [(0.1, 300.5), (0.03, 91.0)], [(0.2, 310.0), (0.04, 92.5)]];

pub(crate) fn time(row: usize) -> String {
    format!("2024-01-01T00:0{row}:00Z")
}

/// Values of each service and metric.
pub(crate) fn values(recording: &Recording) -> BTreeMap<(String, String), Vec<f32>> {
    let mut all = BTreeMap::new();
    for frame in recording.frames.frames() {
        for (column, name) in recording.frames.schema().names().enumerate() {
            let values = frame.values().iter().skip(column).step_by(recording.frames.schema().len());
            all.insert((frame.service().to_owned(), name.to_owned()), values.copied().collect());
        }
    }
    all
}

/// Whether a recording holds [`RATES`].
pub(crate) fn holds_rates(text: &str, options: &ReadOptions) -> Vec<String> {
    let recording = read_with(text, options).unwrap();
    let mut expected = BTreeMap::new();
    for (at, service) in ["web", "api"].into_iter().enumerate() {
        let rates = RATES.iter().map(|row| row[at].0).collect();
        let latencies = RATES.iter().map(|row| row[at].1).collect();
        expected.insert((service.to_owned(), "error_rate".to_owned()), rates);
        expected.insert((service.to_owned(), "p99_latency".to_owned()), latencies);
    }
    assert_eq!(values(&recording), expected, "{text}");
    recording.summary.notes
}

/// A wide file under these names of columns: error rate and latency of web, then of api.
fn wide(names: [&str; 4]) -> String {
    let mut text =
        format!("time,{}\n", names.map(|name| format!("\"{}\"", name.replace('"', "\"\""))).join(","));
    for (row, [web, api]) in RATES.iter().enumerate() {
        text += &format!("{},{},{},{},{}\n", time(row), web.0, web.1, api.0, api.1);
    }
    text
}

#[test]
fn wide_files_of_several_metrics_say_service_and_metric_in_their_names() {
    for names in [
        [
            r#"error_rate{service="web"}"#,
            r#"p99_latency{service="web"}"#,
            r#"error_rate{service="api"}"#,
            r#"p99_latency{service="api"}"#,
        ],
        [
            "avg:error_rate{env:prod,service:web} by {service}",
            "avg:p99_latency{env:prod,service:web}",
            "avg:error_rate{env:prod,service:api} by {service}",
            "avg:p99_latency{env:prod,service:api}",
        ],
        ["web.error_rate", "web.p99_latency", "api.error_rate", "api.p99_latency"],
        ["web_error_rate", "web_p99_latency", "api_error_rate", "api_p99_latency"],
        ["error_rate web", "p99_latency web", "error_rate api", "p99_latency api"],
        [
            "('web', 'error_rate')",
            "('web', 'p99_latency')",
            "('api', 'error_rate')",
            "('api', 'p99_latency')",
        ],
    ] {
        let notes = holds_rates(&wide(names), &ReadOptions::default()).join("\n");
        assert!(notes.contains("each column is a metric of a service (services web, api;"), "{notes}");
    }
    // Names that nobody knows are parted where the shape is said.
    let text = wide(["web.errors", "web.slow", "api.errors", "api.slow"]);
    let recording = read_with(&text, &ReadOptions::default().with_shape(Shape::Wide)).unwrap();
    assert_eq!(values(&recording).len(), 4);
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["errors", "slow"]);
    let recording = read_with(&text, &ReadOptions::default()).unwrap();
    assert_eq!(recording.frames.schema().len(), 4);
    // Metrics of one service that only look alike stay what they are.
    let recording = read_with(
        "time,node_cpu_usage,node_memory_usage\n0,0.5,0.25\n60,0.5,0.25\n",
        &ReadOptions::default(),
    );
    assert_eq!(recording.unwrap().frames.schema().names().next(), Some("node_cpu_usage"));
}

#[test]
fn labels_in_the_metrics_of_a_long_file_name_its_services() {
    let mut text = "Time,Metric,Value\n".to_owned();
    for (row, of_services) in RATES.iter().enumerate() {
        for (service, (rate, latency)) in ["web", "api"].iter().zip(of_services) {
            text += &format!("{},\"error_rate{{service=\"\"{service}\"\"}}\",{rate}\n", time(row));
            text += &format!("{},\"p99_latency{{service=\"\"{service}\"\"}}\",{latency}\n", time(row));
        }
    }
    holds_rates(&text, &ReadOptions::default());
    let lines: String = RATES
        .iter()
        .enumerate()
        .flat_map(|(row, of_services)| {
            ["web", "api"].into_iter().zip(of_services).flat_map(move |(service, (rate, latency))| {
                [("error_rate", rate), ("p99_latency", latency)].map(|(metric, value)| {
                    let name = format!("{metric}{{service=\\\"{service}\\\"}}");
                    format!("{{\"time\": \"{}\", \"metric\": \"{name}\", \"value\": {value}}}\n", time(row))
                })
            })
        })
        .collect();
    holds_rates(&lines, &ReadOptions::default());
}

#[test]
fn annotated_csv_may_hold_tables_of_several_kinds() {
    let header =
        |columns: &str| format!("#group,false,false\n#datatype,string,long\n#default,_result,\n{columns}\n");
    let mut text = header(",result,table,_time,_value,_field,host");
    for (row, [web, _]) in RATES.iter().enumerate() {
        text += &format!(
            ",,0,{},{},error_rate,web\n,,1,{},{},p99_latency,web\n",
            time(row),
            web.0,
            time(row),
            web.1
        );
    }
    text += "\n";
    text += &header(",result,table,_start,_time,_value,_field,zone,host");
    for (row, [_, api]) in RATES.iter().enumerate() {
        text += &format!(
            ",,2,{0},{0},{1},error_rate,a,api\n,,3,{0},{0},{2},p99_latency,a,api\n",
            time(row),
            api.0,
            api.1
        );
    }
    holds_rates(&text, &ReadOptions::default());
    let wrong = text.replace(",p99_latency,a,api\n", ",p99_latency,a\n");
    let error = read_with(&wrong, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("m.csv, line 17: has 8 fields where the header has 9"), "{error}");
}

#[test]
fn python_writes_numbers_that_json_does_not_know() {
    let text = r#"[{"time": 0, "x": NaN, "y": 1, "host": "NaN, Infinity"}, {"time": 60, "x": -Infinity, "y": 2, "host": "NaN, Infinity"}]"#;
    let recording = read_with(text, &ReadOptions::default()).unwrap();
    let summary = recording.summary;
    assert_eq!((summary.missing_cells, summary.services[0].infinite_cells), (2, 1));
    assert_eq!(summary.services[0].name, "NaN, Infinity");
    let error = read_with("[{\"time\": 0, \"x\": nan}]", &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("m.csv, line 1: "), "{error}");
}

#[test]
fn dates_without_marks_are_not_read_as_seconds() {
    let recording = read_with("date,x\n20240131,1\n20240201,2\n", &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-31T00:00:00Z");
    assert_eq!(recording.summary.step.to_string(), "1 d");
    let text = "date,time,x,memory\n20240131,09:05:00,1,20110523\n20240131,09:06:00,2,20110523\n";
    let recording = read_with(text, &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-31T09:05:00Z");
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["x", "memory"]);
    let json = "{\"ts\": 20240131090500, \"x\": 1}\n{\"ts\": 20240131090600, \"x\": 2}\n";
    let recording = read_with(json, &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-31T09:05:00Z");
}

#[test]
fn what_may_be_several_services_or_the_answer_is_said() {
    let notes = |text: &str| read_with(text, &ReadOptions::default()).unwrap().summary.notes.join("\n");
    let text = "time,cluster,pod,x\n0,eu,web,1\n30,us,web,2\n60,eu,web,1\n90,us,web,2\n";
    assert!(notes(text).contains("--service-column \"cluster\" --service-column \"pod\""), "{}", notes(text));
    let text = "time,cluster,pod,x\n0,eu,web,1\n0,us,api,2\n60,eu,web,1\n60,us,api,2\n";
    assert!(!notes(text).contains("--service-column"), "{}", notes(text));
    let text = "time,x,label\n0,1,0\n60,2,1\n";
    assert!(notes(text).contains("--failure-column label"), "{}", notes(text));
    let text = "time,x,label\n0,1,0\n60,2,7\n";
    assert!(!notes(text).contains("--failure-column"), "{}", notes(text));
}

#[test]
fn names_that_servers_wrap_are_unwrapped() {
    let text = "{\"_source\": {\"@timestamp\": \"2024-01-01T00:00:00Z\", \"service\": {\"name\": \"web\"}, \"metrics\": {\"x\": 1}}}\n\
                {\"_source\": {\"@timestamp\": \"2024-01-01T00:01:00Z\", \"service\": {\"name\": \"web\"}, \"metrics\": {\"x\": 1}}}\n";
    let recording = read_with(text, &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services[0].name, "web");
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["metrics.x"]);
    let text = text.replace("\"x\"", "\"error_rate\"");
    let recording =
        read_with(text.replace("{\"_source\": ", "").replace("}}}", "}}"), &ReadOptions::default());
    assert_eq!(recording.unwrap().frames.schema().names().collect::<Vec<_>>(), ["error_rate"]);
    let open_telemetry = "{\"time\": 1.7040672e18, \"resource\": {\"service.name\": \"web\"}, \"x\": 1}\n\
                          {\"time\": 1.70406726e18, \"resource\": {\"service.name\": \"web\"}, \"x\": 1}\n";
    let recording = read_with(open_telemetry, &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services[0].name, "web");
}

#[test]
fn records_that_splunk_wraps_are_unwrapped() {
    let row = |minute: u32| {
        format!(
            "{{\"preview\": false, \"offset\": {minute}, \"result\": {{\"_time\": \"2024-01-01T00:0{minute}:00Z\", \
             \"service\": \"web\", \"error_rate\": \"0.1\"}}}}\n"
        )
    };
    let recording = read_with((0..4).map(row).collect::<String>(), &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services[0].name, "web");
    let names: Vec<&str> = recording.frames.schema().names().collect();
    assert!(names.contains(&"error_rate") && !names.contains(&"offset"), "{names:?}");
}

#[test]
fn frames_that_terminals_draw_are_no_rows() {
    let plain = "timestamp,service,error_rate\n2024-01-01 00:00:00,web,0.1\n2024-01-01 00:01:00,web,0.2\n";
    let expected = read_with(plain, &ReadOptions::default()).unwrap();
    let rows = plain.lines().map(|line| format!("| {} |\n", line.replace(',', " | "))).collect::<Vec<_>>();
    let (header, rows) = (&rows[0], rows[1..].concat());
    for text in [
        // psql, MySQL, Markdown
        format!(
            "{}-----------+-----+------\n{}(2 rows)\n\n",
            header.trim_matches(['|', ' ', '\n']).to_owned() + "\n",
            rows.replace("| 2024", " 2024").replace(" |\n", "\n")
        ),
        format!(
            "+-----+-----+------+\n{header}+-----+-----+------+\n{rows}+-----+-----+------+\n2 rows in set\n"
        ),
        format!("{header}|---|:---|--:|\n{rows}"),
    ] {
        let recording =
            read_with(&text, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(recording.frames.values(), expected.frames.values(), "{text}");
        assert_eq!(recording.summary.services[0].name, "web");
    }
}

#[test]
fn day_and_time_of_day_may_have_german_names() {
    let text = "Datum;Uhrzeit;host;error_rate\n31.01.2024;00:00;web;0,1\n31.01.2024;00:01;web;0,2\n";
    let recording = read_with(text, &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-31T00:00:00Z");
    let note = "columns \"Datum\" and \"Uhrzeit\" were read as the time";
    assert!(recording.summary.notes.iter().any(|found| found == note), "{:?}", recording.summary.notes);
}

#[test]
fn utf_16_and_folders_with_escapes_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let text: Vec<u8> =
        "\u{feff}timestamp\tx\r\n0\t1\r\n60\t2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = folder.path().join("service=shop%2Fweb");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("a.csv"), text).unwrap();
    let recording = read_files(&[folder.path()], &ReadOptions::default()).unwrap();
    assert_eq!((recording.summary.services[0].name.as_str(), recording.summary.rows), ("shop/web", 2));
    // A folder without a value is a service without a name, not one called after the file.
    let path = folder.path().join("service=__HIVE_DEFAULT_PARTITION__");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("b.csv"), "timestamp,x\n0,1\n60,2\n").unwrap();
    let error = read_files(&[folder.path()], &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("the service is empty"), "{error}");
}

#[test]
fn series_under_one_name_are_read() {
    let graphite = r#"[{"target": "web.error_rate", "datapoints": [[0.5, 0], [null, 60], [0.25, 120]]}, {"target": "api.error_rate", "datapoints": [[0.125, 0]]}]"#;
    let recording = read_with(graphite, &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.services.iter().map(|s| s.rows).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(recording.frames.values()[..2], [0.125, 0.5]);
    let cloud_watch = r#"{"MetricDataResults": [{"Id": "a", "Label": "web", "Timestamps": ["2024-01-01T00:01:00Z", "2024-01-01T00:00:00Z"], "Values": [0.5, 0.25], "StatusCode": "Complete"}]}"#;
    let recording = read_with(cloud_watch, &ReadOptions::default().with_metric("error_rate")).unwrap();
    assert_eq!(
        (recording.summary.services[0].name.as_str(), recording.frames.values()),
        ("web", &[0.25, 0.5][..])
    );
    let error = read_with(cloud_watch.replace("0.5, 0.25", "0.5"), &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("2 timestamps beside 1 values"), "{error}");
}

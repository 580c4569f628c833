//! Forms of tables that some programs write: rows below the header that hold no values, separators that separate
//! nothing, headers that are comments, and JSON that names the columns once.

use crate::{
    exports::{RATES, holds_rates, time, values},
    read_with,
};
use forewarn_io::{ReadOptions, read_files};
use std::fs;

/// Rows of both services under `time,service,error_rate,p99_latency`, with times by `time`.
fn rows(time: impl Fn(usize) -> String, cells: impl Fn(f32, f32) -> String) -> String {
    let mut text = String::new();
    for (row, both) in RATES.iter().enumerate() {
        for (service, &(rate, latency)) in ["web", "api"].into_iter().zip(both) {
            text += &format!("{},{service},{}\n", time(row), cells(rate, latency));
        }
    }
    text
}

fn plain(rate: f32, latency: f32) -> String {
    format!("{rate},{latency}")
}

const HEADER: &str = "time,service,error_rate,p99_latency\n";

fn error(text: &str, options: &ReadOptions) -> String {
    read_with(text, options).unwrap_err().to_string()
}

fn has(notes: &[String], part: &str) {
    assert!(notes.iter().any(|note| note.contains(part)), "{part:?} is not in {notes:#?}");
}

#[test]
fn a_row_of_units_is_taken_as_units() {
    let in_seconds = |rate: f32, latency: f32| format!("{},{}", f64::from(rate) * 100.0, latency / 1e3);
    for units in [",,%,s\n", "[UTC],-,[%],[s]\n", "(ISO 8601),,(percent),(seconds)\n"] {
        let text = format!("{HEADER}{units}{}", rows(time, in_seconds));
        let recording = read_with(&text, &ReadOptions::default()).unwrap();
        for ((service, metric), found) in values(&recording) {
            let at = usize::from(service == "api");
            for (found, row) in found.iter().zip(RATES) {
                let expected = if metric == "error_rate" { row[at].0 } else { row[at].1 };
                assert!((found - expected).abs() <= 1e-6 * expected, "{units}: {found} {expected}");
            }
        }
        has(&recording.summary.notes, "line 2, below the header, says units: error_rate");
    }
    // What a setting says counts, and a unit that a metric cannot have is refused.
    let text =
        format!("{HEADER},,%,s\n{}", rows(time, |rate, latency| format!("{},{latency}", 100.0 * rate)));
    let recording = read_with(&text, &ReadOptions::default().with_unit("p99_latency", "ms")).unwrap();
    assert_eq!(values(&recording)[&("web".to_owned(), "p99_latency".to_owned())][0], RATES[0][0].1);
    let message = error(&text.replace(",,%,s", ",,1/s,s"), &ReadOptions::default());
    assert!(message.contains("error_rate=1/s"), "{message}");
    // A unit that is none of the known ones stays with the metric.
    let recording = read_with(
        "time,x,y\n,MB,ms\n2024-01-01T00:00:00Z,1,2\n2024-01-01T00:01:00Z,1,2\n",
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(recording.frames.schema().metrics()[0].unit.to_string(), "MB");
}

#[test]
fn files_that_are_read_together_agree_on_their_units() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, day: u32, units: &str| {
        let path = folder.path().join(name);
        let row = |minute: u32| format!("2024-01-0{day}T00:0{minute}:00Z,0.{minute}\n");
        fs::write(&path, format!("time,p99_latency\n{units}{}{}", row(1), row(2))).unwrap();
        path
    };
    let read = |a: &str, b: &str| {
        let files = [file("a.csv", 1, a), file("b.csv", 2, b)];
        read_files(&files, &ReadOptions::default())
    };
    assert_eq!(read(",s\n", ",s\n").unwrap().frames.values()[0], 100.0);
    assert_eq!(read("", "").unwrap().frames.values()[0], 0.1);
    for (a, b) in [(",s\n", ",ms\n"), (",s\n", ""), ("", ",s\n")] {
        let message = read(a, b).unwrap_err().to_string();
        assert!(message.contains("p99_latency") && message.contains("in all files"), "{message}");
    }
}

#[test]
fn rows_of_types_and_descriptions_are_left_out_with_a_note() {
    let legend = "datetime,string,float,float\nwhen,who,\"share, failed\",slowest\n,,Avg,min\n";
    let notes = holds_rates(&format!("{HEADER}{legend}{}", rows(time, plain)), &ReadOptions::default());
    for line in ["line 2, below the header, holds no values", "line 3,", "line 4,"] {
        has(&notes, line);
    }
    // Where nothing but words follows, they are the rows, and what is wrong with them is said.
    let message = error("time,service,x\nsoon,web,a\nlater,web,b\n", &ReadOptions::default());
    assert!(message.starts_with("m.csv, line 2, column \"x\""), "{message}");
    // A wide file's columns are services: a unit has to be said of the metric.
    let wide = "time,web,api\n,%,%\n2024-01-01T00:00:00Z,1,2\n2024-01-01T00:01:00Z,1,2\n";
    let message =
        error(wide, &ReadOptions::default().with_shape(forewarn_io::Shape::Wide).with_metric("error_rate"));
    assert!(message.contains("line 2 says units"), "{message}");
}

#[test]
fn separators_at_the_end_of_lines_separate_nothing() {
    let body = rows(time, plain);
    for (end, note) in [(",", "1 more ','"), (",,", "2 more ','")] {
        let text = HEADER.to_owned() + &body.replace('\n', &format!("{end}\n"));
        has(&holds_rates(&text, &ReadOptions::default()), &format!("each row ends with {note}"));
        let text = HEADER.replace('\n', &format!("{end}\n")) + &body;
        has(&holds_rates(&text, &ReadOptions::default()), &format!("the header ends with {note}"));
    }
    let semicolons = (HEADER.to_owned() + &body.replace('\n', ",\n")).replace(',', ";");
    holds_rates(&semicolons, &ReadOptions::default());
    // A cell behind the last column is no surplus, nor is a row that lacks one among those that have it.
    let message = error(&(HEADER.to_owned() + &body.replacen('\n', ",\n", 1)), &ReadOptions::default());
    assert!(message.starts_with("m.csv, line 3: has 4 fields"), "{message}");
    let some = HEADER.to_owned() + &body.replace('\n', ",\n").replacen("0.03,91,", "0.03,91,7", 1);
    let message = error(&some, &ReadOptions::default());
    assert!(message.contains("has 5 fields where the header has"), "{message}");
}

#[test]
fn the_table_of_sadf_is_read() {
    let row = |minute: u32, idle: f32| {
        format!("web;60;2024-01-01 00:0{minute}:01 UTC;-1;{};{idle}\n", 100.0 - idle)
    };
    let header = "# hostname;interval;timestamp;CPU;%user;%idle[...]\n";
    let text = format!(
        "{header}{}{}web;-1;2024-01-01 00:03:30 UTC;LINUX-RESTART\t(2 CPU)\n{header}{}",
        row(1, 90.5),
        row(2, 80.5),
        row(4, 70.5)
    );
    let recording = read_with(&text, &ReadOptions::default()).unwrap();
    let summary = &recording.summary;
    assert_eq!((summary.rows, summary.gap_rows, summary.services[0].name.as_str()), (3, 1, "web"));
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["interval", "CPU", "%user", "%idle"]);
    assert_eq!(recording.frames.values()[..4], [60.0, -1.0, 9.5, 90.5]);
    has(&summary.notes, "1 lines about restarts");
    has(&summary.notes, "1 rows repeat the header");
    // Another table that follows is none of this one.
    let other = format!("{text}# hostname;interval;timestamp;proc/s;cswch/s;x\n{}", row(5, 0.5));
    assert!(error(&other, &ReadOptions::default()).contains("line 7"));
}

#[test]
fn times_with_points_and_numbers_without_their_last_digits() {
    let oracle = |row: usize| format!("01-JAN-24 12.0{row}.00.000000 AM");
    holds_rates(&(HEADER.to_owned() + &rows(oracle, plain)), &ReadOptions::default());
    // Java writes as many digits as there are.
    let java = |row: usize| format!("1.70406{}E9", ["72", "726", "732"][row]);
    holds_rates(&(HEADER.to_owned() + &rows(java, plain)), &ReadOptions::default());
    let options = ReadOptions::default().with_duplicates(forewarn_io::Duplicates::First);
    let message = error(&(HEADER.to_owned() + &rows(|_| "1.70407E+09".to_owned(), plain)), &options);
    assert!(message.contains("line 2") && message.contains("export whole numbers"), "{message}");
}

#[test]
fn long_rows_end_wherever_they_begin() {
    // Rows of 9 and 13 MB, behind short ones.
    for megabytes in [9, 13] {
        let note = "x".repeat(megabytes << 20);
        let mut text = "time,note,x\n".to_owned();
        for row in 0..3 {
            text += &format!("{},a,{row}\n{},{note},{row}\n", time(2 * row), time(2 * row + 1));
        }
        let recording = read_with(&text, &ReadOptions::default()).unwrap();
        assert_eq!(recording.frames.values(), [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
    }
}

/// Rows as arrays, with cells by `cell`.
fn arrays(cell: impl Fn(usize, &str, f32, f32) -> String) -> String {
    let mut rows = Vec::new();
    for (row, both) in RATES.iter().enumerate() {
        for (service, &(rate, latency)) in ["web", "api"].into_iter().zip(both) {
            rows.push(format!("[{}]", cell(row, service, rate, latency)));
        }
    }
    format!("[{}]", rows.join(", "))
}

fn array_rows() -> String {
    arrays(|row, service, rate, latency| format!("\"{}\",\"{service}\",{rate},{latency}", time(row)))
}

const COLUMNS: &str = r#"["time","service","error_rate","p99_latency"]"#;

#[test]
fn json_may_name_the_columns_once() {
    let rows = array_rows();
    let described = r#"[{"name":"time","type":"datetime"},{"name":"service"},{"name":"error_rate"},{"name":"p99_latency"}]"#;
    let kusto = described.replace("\"name\"", "\"ColumnName\"");
    let numbers: Vec<String> = (0..6).map(|row| row.to_string()).collect();
    let inside = rows.strip_prefix('[').unwrap();
    for text in [
        format!(r#"{{"columns": {COLUMNS}, "rows": {rows}}}"#),
        format!(r#"{{"columns": {COLUMNS}, "index": [{}], "data": {rows}}}"#, numbers.join(",")),
        format!(r#"{{"columns": {described}, "data": {rows}, "rowCount": 6}}"#),
        format!(r#"{{"meta": {described}, "data": {rows}, "rows": 6, "statistics": {{"elapsed": 1}}}}"#),
        format!(r#"{{"tables":[{{"name":"PrimaryResult","columns":{described},"rows":{rows}}}]}}"#),
        format!(r#"{{"Tables":[{{"TableName":"T","Columns":{kusto},"Rows":{rows}}}]}}"#),
        format!(r#"{{"schema": {described}, "datarows": {rows}, "total": 6}}"#),
        format!("[{COLUMNS}, {inside}"),
        format!("{COLUMNS}\n{}", inside.strip_suffix(']').unwrap().replace("], [", "]\n[")),
    ] {
        holds_rates(&text, &ReadOptions::default());
    }
}

#[test]
fn the_index_of_a_frame_may_be_the_time() {
    let rows = arrays(|_, service, rate, latency| format!("\"{service}\",{rate},{latency}"));
    let quoted: fn(usize) -> String = |row| format!("\"{}\"", time(row));
    let millis: fn(usize) -> String = |row| (1_704_067_200_000 + 60_000 * row).to_string();
    for form in [quoted, millis] {
        let index: Vec<String> = (0..6).map(|row| form(row / 2)).collect();
        let text = format!(
            r#"{{"columns":["service","error_rate","p99_latency"],"index":[{}],"data":{rows}}}"#,
            index.join(",")
        );
        holds_rates(&text, &ReadOptions::default());
    }
    // An index that is longer than what is looked at first.
    let index: Vec<String> = (0..20_000).map(|row| (1_704_067_200 + 60 * row).to_string()).collect();
    let rows: Vec<String> = (0..20_000).map(|row| format!("[{row}]")).collect();
    let text = format!(r#"{{"columns":["x"],"index":[{}],"data":[{}]}}"#, index.join(","), rows.join(","));
    let recording = read_with(&text, &ReadOptions::default()).unwrap();
    assert_eq!((recording.summary.rows, recording.frames.values()[19_999]), (20_000, 19_999.0));
}

#[test]
fn tables_that_follow_one_another_are_all_read() {
    let series = |at: usize, service: &str| {
        let row = |row: usize| format!("[\"{}\",{},{}]", time(row), RATES[row][at].0, RATES[row][at].1);
        let rows: Vec<String> = (0..3).map(row).collect();
        format!(
            r#"{{"name":"m","tags":{{"service":"{service}"}},"columns":["time","error_rate","p99_latency"],"values":[{}]}}"#,
            rows.join(",")
        )
    };
    let text = format!(
        r#"{{"results":[{{"statement_id":0,"series":[{},{}]}}]}}"#,
        series(0, "web"),
        series(1, "api")
    );
    holds_rates(&text, &ReadOptions::default());
    let unnamed = text.replacen(r#"},"columns":["time","error_rate","p99_latency"]"#, "}", 2).replacen(
        r#""tags":{"service":"web"}"#,
        r#""tags":{"service":"web"},"columns":["time","error_rate","p99_latency"]"#,
        1,
    );
    assert!(error(&unnamed, &ReadOptions::default()).contains("before the names of their columns"));
}

#[test]
fn what_is_wrong_with_a_table_in_json_is_said() {
    let options = ReadOptions::default();
    let rows = array_rows();
    let late = format!(r#"{{"data": {rows}, "columns": {COLUMNS}}}"#);
    assert!(error(&late, &options).contains("before the names of their columns"));
    for (row, part) in [
        (r#"["2024-01-01T00:03:00Z","web",1]"#, "4 values"),
        (r#"["2024-01-01T00:03:00Z","web",1,2,3]"#, "more than 4 values"),
        (r#"{"time":"2024-01-01T00:03:00Z"}"#, "begins with ["),
    ] {
        let text =
            format!("{{\"columns\": {COLUMNS},\n \"rows\": {},\n{row}]}}", rows.strip_suffix(']').unwrap());
        let message = error(&text, &options);
        assert!(message.starts_with("m.csv, line 3") && message.contains(part), "{message}");
    }
}

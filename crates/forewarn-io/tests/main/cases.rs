//! Files as people have them: each in a shape that other tools write.

use crate::{read, read_with, refusal};
use forewarn_io::{
    CellChange, Duplicates, Format, IoError, MetricSpec, ReadOptions, Recording, Shape, inspect_from, json,
    read_files, read_metrics, read_sides,
};
use forewarn_schema::{Kind, Step, Unit};
use std::{fs, io::Write};

const PLAIN: &str = "timestamp,service,error_rate,p99_latency\n\
    2024-01-01T00:00:00Z,web,0.00617,255.22\n2024-01-01T00:01:00Z,web,0.00561,248.6\n2024-01-01T00:02:00Z,web,0.00709,257.78\n";

/// The plain file with its cells written otherwise.
fn rewritten(pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(PLAIN.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Whether a file holds what the plain one holds; gives its notes.
fn same(text: impl AsRef<[u8]>, options: &ReadOptions) -> Vec<String> {
    let recording = read_with(text, options).unwrap();
    let expected = read(PLAIN).unwrap();
    assert_eq!(recording.frames.values(), expected.frames.values());
    assert_eq!(recording.frames.layout(), expected.frames.layout());
    assert_eq!(recording.frames.schema(), expected.frames.schema());
    recording.summary.notes
}

fn plainly(text: impl AsRef<[u8]>) -> String {
    same(text, &ReadOptions::default()).join("\n")
}

#[test]
fn times_without_a_zone_are_read_with_one_note() {
    let text = rewritten(&[("T", " "), ("Z,", ",")]);
    assert_eq!(plainly(&text), "the timestamps have no zone and were read as UTC");
    let text = rewritten(&[("T00", " 01"), ("Z,", ",")]);
    let berlin = ReadOptions::default().with_timezone("Europe/Berlin");
    assert_eq!(same(&text, &berlin), ["the timestamps have no zone and were read as Europe/Berlin"]);
}

#[test]
fn times_may_be_numbers_with_a_fraction() {
    let text = rewritten(&[
        ("2024-01-01T00:00:00Z", "1704067200.0"),
        ("2024-01-01T00:01:00Z", "1704067260.000"),
        ("2024-01-01T00:02:00Z", "1704067320"),
    ]);
    assert_eq!(plainly(&text), "numeric timestamps were read as seconds since 1970");
}

#[test]
fn usual_names_are_recognised_and_others_named() {
    for (time, service) in [
        ("Time", "host"),
        ("_time", "instance"),
        ("TimeStamp", "PodName"),
        ("ts", "job"),
        ("date", "container"),
    ] {
        let text = PLAIN.replacen("timestamp,service", &format!("{time},{service}"), 1);
        let notes = plainly(&text);
        assert!(notes.contains(&format!("column {time:?} was read as the time")), "{notes}");
        assert!(notes.contains(&format!("column {service:?} was read as the service")), "{notes}");
    }
    let text = PLAIN.replacen("timestamp,service", "wann,wer", 1);
    let options = ReadOptions::default().with_service_columns(["wer"]);
    assert_eq!(same(&text, &options), ["column \"wann\" was read as the time"]);
    let options = options.with_time_columns(["wann"]);
    assert_eq!(same(&text, &options), [""; 0]);
    let options = ReadOptions::default().with_rename("wann", "timestamp").with_rename("wer", "service");
    assert_eq!(same(&text, &options), [""; 0]);
    assert!(matches!(
        read_with(&text, &ReadOptions::default().with_time_columns(["x"])),
        Err(IoError::UnknownColumn { .. })
    ));
    assert!(matches!(
        read_with(
            PLAIN,
            &ReadOptions::default().with_time_columns(["service"]).with_service_columns(["service"])
        ),
        Err(IoError::ColumnTwice { .. })
    ));
}

#[test]
fn several_columns_make_a_time_or_a_service() {
    let text = "date,time,job,instance,x\n2024-01-01,00:00,api,a,1\n2024-01-01,00:01,api,a,2\n2024-01-01,00:00,api,b,3\n";
    let options = ReadOptions::default().with_service_columns(["job", "instance"]);
    let recording = read_with(text, &options).unwrap();
    let services: Vec<_> = recording.summary.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!((services, recording.frames.values()), (vec!["api/a", "api/b"], &[1.0, 2.0, 3.0][..]));
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-01T00:00:00Z");
}

#[test]
fn row_numbers_and_calendar_columns_are_left_out() {
    for header in ["", "Unnamed: 0", "index", "id"] {
        let lines: Vec<String> = PLAIN
            .lines()
            .enumerate()
            .map(
                |(row, line)| {
                    if row == 0 { format!("{header},{line}") } else { format!("{},{line}", row - 1) }
                },
            )
            .collect();
        let notes = plainly(lines.join("\n") + "\n");
        assert!(notes.contains("counts rows and was left out"), "{header:?}: {notes}");
    }
    let notes = plainly(PLAIN.replace('\n', ",2024\n").replacen(",2024", ",year", 1));
    assert!(notes.contains("parts of the time: \"year\""), "{notes}");
    let notes = plainly(PLAIN.replace('\n', ",eu-west\n").replacen(",eu-west", ",region", 1));
    assert!(notes.contains("which hold text: \"region\""), "{notes}");
    // A trailing separator on every line.
    assert_eq!(plainly(PLAIN.replace('\n', ",\n")), "");
    let text = PLAIN.replace('\n', ",7.5\n").replacen(",7.5", ",noise", 1);
    assert!(same(&text, &ReadOptions::default().with_drop(["noise"]))[0].contains("as asked: \"noise\""));
    let options = ReadOptions::default().with_columns(["error_rate", "p99_latency"]);
    assert!(same(&text, &options)[0].contains("not asked for: \"noise\""));
}

#[test]
fn separators_decimals_comments_and_line_ends_are_found() {
    assert!(plainly(PLAIN.replace(',', ";")).contains("separated by ';'"));
    assert!(plainly(PLAIN.replace(',', "\t")).contains("tabs"));
    assert!(plainly(PLAIN.replace(',', ";").replace('.', ",")).contains("decimal comma"));
    assert!(plainly(format!("sep=;\r\n{}", PLAIN.replace(',', ";").replace('\n', "\r\n"))).contains("';'"));
    assert_eq!(plainly(PLAIN.replace('\n', "\r")), "");
    assert_eq!(plainly(format!("# exported by hand\n{PLAIN}")), "");
    assert_eq!(plainly(format!("\u{feff}{PLAIN}")), "");
}

#[test]
fn annotated_csv_is_read() {
    let text = "#group,false,false,true,false,false\n#datatype,string,long,string,dateTime:RFC3339,double\n#default,mean,,,,\n\
                ,result,table,service,_time,_value\n,,0,web,2024-01-01T00:00:00Z,0.01\n,,0,web,2024-01-01T00:01:00Z,0.02\n\
                \n#group,false,false,true,false,false\n,result,table,service,_time,_value\n,,1,api,2024-01-01T00:00:00Z,0.03\n";
    let recording = read(text).unwrap();
    assert_eq!(recording.frames.values(), [0.03, 0.01, 0.02]);
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["_value"]);
}

fn long(cells: &[(&str, &str, &str)]) -> String {
    let rows: String = cells
        .iter()
        .map(|(time, metric, value)| format!("2024-01-01T00:0{time}:00Z,web,{metric},{value}\n"))
        .collect();
    format!("timestamp,service,metric,value\n{rows}")
}

#[test]
fn long_files_are_found_and_said() {
    let cells = [
        ("0", "error_rate", "0.00617"),
        ("1", "error_rate", "0.00561"),
        ("2", "error_rate", "0.00709"),
        ("0", "p99_latency", "255.22"),
        ("1", "p99_latency", "248.6"),
        ("2", "p99_latency", "257.78"),
    ];
    assert!(plainly(long(&cells)).contains("read as a long file"));
    // The metrics of a time one after another, and from the last to the first.
    let mut turned = cells;
    turned.sort();
    plainly(long(&turned));
    turned.reverse();
    let recording = read(long(&turned)).unwrap();
    assert_eq!(
        recording.frames.frame(0).unwrap().column("error_rate").unwrap().collect::<Vec<_>>(),
        [0.00617, 0.00561, 0.00709]
    );
    // What is not there is missing, and a cell that is there twice is named with both lines.
    let recording = read(long(&cells[..5])).unwrap();
    assert_eq!((recording.summary.missing_cells, recording.summary.rows), (1, 3));
    let message = refusal(long(&[cells[0], cells[3], cells[1], cells[3]]));
    assert!(
        message
            .starts_with("m.csv, line 5: \"web\" has had a row at 2024-01-01T00:00:00Z already, in line 3"),
        "{message}"
    );
}

#[test]
fn settings_name_the_metrics_of_a_long_file() {
    let cells = [
        ("0", "a", "1"),
        ("0", "b", "2"),
        ("0", "down", "yes"),
        ("1", "a", "3"),
        ("1", "b", "4"),
        ("1", "down", "no"),
    ];
    let options = ReadOptions::default().with_outcome_column("down").with_rename("b", "c").with_drop(["a"]);
    let recording = read_with(long(&cells), &options).unwrap();
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["c", "down"]);
    assert_eq!(recording.frames.values(), [2.0, 1.0, 4.0, 0.0]);
    let recording =
        read_with(long(&cells), &ReadOptions::default().with_columns(["a"]).with_shape(Shape::Long)).unwrap();
    assert_eq!(recording.frames.values(), [1.0, 3.0]);
    let message = refusal(long(&[("0", "a", "1"), ("1", "", "2")]));
    assert_eq!(message, "m.csv, line 3: the metric is empty, expected its name");
}

#[test]
fn a_long_file_of_many_metrics_costs_no_more_than_its_cells() {
    let mut text = "timestamp,service,metric,value\n".to_owned();
    for metric in 0..300 {
        for minute in 0..20 {
            text += &format!("{},s{},m{metric},{}\n", minute * 60, metric % 3, metric * 100 + minute);
        }
    }
    let recording = read(&text).unwrap();
    assert_eq!((recording.frames.schema().len(), recording.summary.rows), (300, 60));
    for (service, frame) in recording.frames.frames().enumerate() {
        for metric in 0..300usize {
            let values: Vec<f32> = frame.column(&format!("m{metric}")).unwrap().collect();
            let expected = |minute: usize| (metric * 100 + minute) as f32;
            if metric % 3 == service {
                assert!(values.iter().enumerate().all(|(minute, value)| *value == expected(minute)));
            } else {
                assert!(values.iter().all(|value| value.is_nan()));
            }
        }
    }
    assert_eq!(recording.summary.missing_cells, 3 * 20 * 200);
}

#[test]
fn wide_files_need_to_be_told_their_metric() {
    let text = "timestamp,api,web\n2024-01-01T00:00:00Z,0.5,0.25\n2024-01-01T00:01:00Z,0.75,\n";
    let wide = ReadOptions::default().with_shape(Shape::Wide);
    let recording = read_with(text, &wide.clone().with_metric("error_rate")).unwrap();
    let services: Vec<_> = recording.summary.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!((services, recording.summary.missing_cells), (vec!["api", "web"], 1));
    assert_eq!(recording.frames.schema().metrics()[0].unit, Unit::Ratio);
    let error = read_with(text, &wide).unwrap_err().to_string();
    assert!(error.contains("set the option `metric`"), "{error}");
    let notes = read(text).unwrap().summary.notes.join("\n");
    assert!(notes.contains("give the shape `wide` and a `metric`"), "{notes}");
}

fn cells(recording: &Recording) -> Vec<(&str, &str, CellChange, u64)> {
    recording
        .summary
        .cells
        .iter()
        .map(|count| (count.service.as_str(), count.metric.as_str(), count.change, count.cells))
        .collect()
}

#[test]
fn cells_that_are_not_taken_as_they_are_are_counted() {
    let recording = read(rewritten(&[("248.6", "+Inf")])).unwrap();
    assert_eq!(cells(&recording), [("web", "p99_latency", CellChange::Infinite, 1)]);
    assert_eq!((recording.summary.missing_cells, recording.summary.services[0].infinite_cells), (1, 1));

    let recording = read(rewritten(&[("0.00617", "-1e-17"), ("0.00709", "1.0000001")])).unwrap();
    assert_eq!(cells(&recording), [("web", "error_rate", CellChange::Clamped, 2)]);
    assert_eq!(recording.summary.services[0].clamped_cells, 2);
    assert!(refusal(rewritten(&[("0.00617", "-0.01")])).contains("-0.01 is outside 0..=1"));

    let recording = read(rewritten(&[("0.00617", "0.617 %"), ("248.6", "0.2486s")])).unwrap();
    assert!(
        recording
            .frames
            .values()
            .iter()
            .zip(read(PLAIN).unwrap().frames.values())
            .all(|(a, b)| (a - b).abs() <= 1e-5 * b)
    );
    assert_eq!(cells(&recording).iter().map(|cell| cell.3).sum::<u64>(), 2);

    for word in ["-", "<NA>", "No data", "undefined", "\\N", "#N/A"] {
        let recording = read(rewritten(&[("248.6", word)])).unwrap();
        assert_eq!((recording.summary.missing_cells, cells(&recording)), (1, vec![]), "{word}");
    }
    let options = ReadOptions::default().with_missing_words(["kaputt"]);
    assert_eq!(read_with(rewritten(&[("248.6", "KAPUTT")]), &options).unwrap().summary.missing_cells, 1);
}

#[test]
fn thousands_are_told_from_fractions_or_refused() {
    let recording = read(rewritten(&[("248.6", "\"1,234\"")])).unwrap();
    assert_eq!(recording.frames.values()[3], 1234.0);
    let message = refusal("timestamp;x\n60;1,234\n120;2,345\n");
    assert!(
        message.starts_with("m.csv, line 2, column \"x\": \"1,234\" may be above one thousand"),
        "{message}"
    );
}

#[test]
fn outcomes_are_words_in_any_case_and_may_be_the_other_way_round() {
    let text = "timestamp,x,down\n60,1,no\n120,1,YES\n180,1,\n240,1,unlabelled\n";
    let options = ReadOptions::default().with_outcome_column("down").with_unknown_labels(["unlabelled"]);
    let recording = read_with(text, &options).unwrap();
    let down: Vec<f32> = recording.frames.frame(0).unwrap().column("down").unwrap().collect();
    assert!(down[..2] == [0.0, 1.0] && down[2..].iter().all(|value| value.is_nan()), "{down:?}");
    let text = "timestamp,x,up\n60,1,1\n120,1,0\n";
    let options = ReadOptions::default().with_outcome_column("up").with_outcome_equals("0");
    let recording = read_with(text, &options).unwrap();
    assert_eq!(recording.frames.frame(0).unwrap().column("up").unwrap().collect::<Vec<_>>(), [0.0, 1.0]);
    assert_eq!(recording.frames.schema().metrics()[1].kind, Kind::Outcome);
}

#[test]
fn counters_become_increases_wherever_they_start() {
    let text = |start: u64, name: &str| {
        let rows: String =
            (0..50u64).map(|row| format!("{},{},0.5\n", row * 60, start + row * (1 + row / 10))).collect();
        format!("timestamp,{name},load\n{rows}")
    };
    let values = |start, name: &str, options: &ReadOptions| {
        let recording = read_with(text(start, name), options).unwrap();
        let values: Vec<String> =
            recording.frames.frame(0).unwrap().column(name).unwrap().map(|value| value.to_string()).collect();
        (values, recording)
    };
    let plain = ReadOptions::default();
    let (from_zero, recording) = values(0, "errors_total", &plain);
    assert_eq!(from_zero[..3], ["NaN", "1", "1"]);
    assert_eq!(recording.frames.schema().metrics()[0].kind, Kind::Delta);
    assert!(recording.summary.notes.iter().any(|note| note.starts_with("read as counters")));
    assert_eq!(recording.summary.missing_cells, 0);
    for start in [500_000_000, 5_000_000_000_000] {
        assert_eq!(values(start, "errors_total", &plain).0, from_zero);
        assert_eq!(values(start, "errors", &plain.clone().with_counters(["errors"])).0, from_zero);
        // A level that only rises loses its increases, and is noted.
        let (_, recording) = values(start, "errors", &plain);
        // Where single precision shows no rise at all, there is none to note.
        assert!(
            start > 1 << 32
                || recording.summary.notes.iter().any(|note| note.contains("name it in `counters`"))
        );
    }
    // Rows in another order make no difference.
    let mut lines: Vec<String> = text(500_000_000, "errors_total").lines().map(str::to_owned).collect();
    lines[1..].reverse();
    let recording = read(lines.join("\n") + "\n").unwrap();
    let shown: Vec<String> =
        recording.frames.frame(0).unwrap().column("errors_total").unwrap().map(|v| v.to_string()).collect();
    assert_eq!(shown, from_zero);
    // What often falls is not a counter, whatever its name.
    let rows: String = (0..50).map(|row| format!("{},{}\n", row * 60, row % 3)).collect();
    let recording = read(format!("timestamp,memory_total\n{rows}")).unwrap();
    assert_eq!(recording.frames.values()[..4], [0.0, 1.0, 2.0, 0.0]);
    assert!(recording.summary.notes.iter().any(|note| note.contains("often fall")));
    let recording = read("timestamp,a_total\n0,5\n60,9\n120,2\n").unwrap();
    assert_eq!(recording.frames.values()[1..], [4.0, 2.0]);
    assert_eq!(cells(&recording), [("service", "a_total", CellChange::Reset, 1)]);
}

#[test]
fn units_and_definitions_come_from_settings_or_a_schema_file() {
    let text = "timestamp,LatencyP99(s),errors\n0,0.25,10\n60,0.5,14\n";
    let metrics = MetricSpec::from_toml(
        "[[metric]]\nname = \"p99_latency\"\ncolumn = \"LatencyP99(s)\"\nunit = \"s\"\n[[metric]]\nname = \"errors\"\nkind = \"counter\"\n",
    );
    let recording = read_with(text, &ReadOptions::default().with_metrics(metrics.unwrap())).unwrap();
    let metrics = recording.frames.schema().metrics();
    assert_eq!(
        (metrics[0].name.as_str(), metrics[0].unit.clone(), metrics[1].kind),
        ("p99_latency", Unit::Milliseconds, Kind::Delta)
    );
    assert_eq!((recording.frames.values()[0], &recording.frames.values()[2..]), (250.0, &[500.0, 4.0][..]));
    let options =
        ReadOptions::default().with_rename("LatencyP99(s)", "p99_latency").with_unit("p99_latency", "s");
    assert_eq!(read_with(text, &options).unwrap().frames.values(), [250.0, 10.0, 500.0, 14.0]);
    assert!(MetricSpec::from_toml("[[metric]]\nnam = 1").is_err());
    let wrong = ReadOptions::default().with_unit("error_rate", "s");
    assert!(matches!(read_with(PLAIN, &wrong), Err(IoError::Setting { option: "units", .. })));
}

#[test]
fn json_lines_and_arrays_are_read() {
    let record = |line: &str| {
        let mut cells = line.split(',');
        let mut next = || cells.next().unwrap();
        format!(
            "{{\"timestamp\": \"{}\", \"service\": \"{}\", \"error_rate\": {}, \"p99_latency\": \"{}\"}}",
            next(),
            next(),
            next(),
            next()
        )
    };
    let records: Vec<String> = PLAIN.lines().skip(1).map(record).collect();
    assert_eq!(plainly(records.join("\n")), "");
    assert_eq!(plainly(format!("[\n{}\n]\n", records.join(",\n"))), "");
    let recording = read_with(records.join("\n"), &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.format, Format::Json);
    let cut = &records.join("\n")[..200];
    assert!(read_with(cut, &ReadOptions::default()).unwrap_err().to_string().contains("it was cut off"));

    // Numbers as times, nested fields, fields that come later, and a service that one record lacks.
    let text = "{\"ts\":1704067200,\"host\":\"a\",\"x\":1,\"tags\":{\"k\":[1]}}\n{\"ts\":1704067260,\"host\":\"a\",\"y\":true}\n";
    let recording = json::read_from(text.as_bytes(), "m.json", &ReadOptions::default()).unwrap();
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!((recording.summary.missing_cells, recording.frames.values()[3]), (2, 1.0));
    let text = format!("{text}{{\"ts\":1704067320,\"x\":1}}\n");
    let error = json::read_from(text.as_bytes(), "m.json", &ReadOptions::default()).unwrap_err().to_string();
    assert_eq!(error, "m.json, line 3: the service is empty, expected its name");
    let error =
        read_with("[{\"ts\":0,\"x\":1},\n{\"ts\":60,\"x\":\"one\"}]", &ReadOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "m.csv, line 2, column \"x\": \"one\" is not a number");
}

#[test]
fn compressed_files_folders_and_patterns_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    plainly(gzip(PLAIN));
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write("hive/service=web/part-0.csv", b"timestamp,x\n0,1\n60,2\n");
    write("hive/service=web/part-1.csv.gz", &gzip("timestamp,x\n120,3\n"));
    write("hive/service=api/part-0.jsonl", b"{\"timestamp\":0,\"x\":4}\n");
    write("hive/_SUCCESS", b"");
    let read = |paths: &[&str]| {
        let paths: Vec<_> = paths.iter().map(|path| folder.path().join(path)).collect();
        read_files(&paths, &ReadOptions::default())
    };
    let recording = read(&["hive"]).unwrap();
    let summary = recording.summary;
    assert_eq!(
        (recording.frames.values(), summary.files, summary.format),
        (&[4.0, 1.0, 2.0, 3.0][..], 3, Format::Several)
    );
    assert_eq!(summary.services.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["api", "web"]);
    // Files without a service are one each; two files may hold one service, and a duplicate names both.
    write("pods/a.csv", b"timestamp,x,y\n0,1,2\n60,1,2\n");
    write("pods/b.csv", b"timestamp,z,x\n0,7,5\n");
    let recording = read(&["pods/*.csv"]).unwrap();
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["x", "y", "z"]);
    assert_eq!(recording.frames.frame(1).unwrap().service(), "b");
    let shown: Vec<String> = recording.frames.values().iter().map(|value| value.to_string()).collect();
    assert_eq!(shown, ["1", "2", "NaN", "1", "2", "NaN", "5", "NaN", "7"]);
    let error = read(&["hive/service=web", "hive/service=web/part-1.csv.gz"]).unwrap_err().to_string();
    assert!(error.contains("part-1.csv.gz, line 2") && error.contains("already, in"), "{error}");
}

#[test]
fn a_summary_without_values_says_the_same() {
    for text in [
        PLAIN.to_owned(),
        rewritten(&[("248.6", "+Inf"), ("0.00561", "")]),
        "timestamp,service,a_total\n0,b,1\n60,b,\n180,b,9\n0,a,4\n60,a,5\n".to_owned(),
        long(&[("0", "x", "1"), ("1", "x", "2"), ("1", "y", "2")]),
    ] {
        let whole = read_with(&text, &ReadOptions::default()).unwrap().summary;
        assert_eq!(inspect_from(text.as_bytes(), "m.csv", &ReadOptions::default()).unwrap(), whole, "{text}");
    }
}

#[test]
fn values_of_some_metrics_are_those_of_all_and_the_summary_counts_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.csv");
    for text in [
        rewritten(&[("248.6", "+Inf"), ("0.00561", ""), ("service,error_rate", "service,first,error_rate"), (",web,", ",web,1,")]),
        "timestamp,service,x,a_total,b_total,up\n0,b,7,1,5,1\n60,b,8,,6,2\n180,b,9,9,7,20000000\n0,a,7,4,1,3\n60,a,7,5,0,4\n".to_owned(),
        "timestamp,service,x,y,rising\n120,b,7,1,16777215\n0,b,1,,1\n60,b,4,3,5\n".to_owned(),
        long(&[("0", "x", "1"), ("1", "x", "2"), ("1", "y", "2"), ("0", "y", "5"), ("0", "a_total", "5")]),
    ] {
        fs::write(&path, &text).unwrap();
        let options = ReadOptions::default();
        let whole = read_files(&[&path], &options).unwrap();
        for wanted in ["p99_latency", "a_total", "y", "no such metric"] {
            let some = read_metrics(&[&path], &options, move |name| name == wanted).unwrap();
            let mut expected = whole.summary.clone();
            // A fall of a counter is only seen where its values are kept.
            let is_there = |name: &str| some.frames.schema().position(name).is_some();
            expected.cells.retain(|count| count.change != CellChange::Reset || is_there(&count.metric));
            let is_fall = |note: &String| note.contains("times a counter fell");
            expected.notes.retain(|note| !is_fall(note));
            let mut found = some.summary.clone();
            found.notes.retain(|note| !is_fall(note));
            assert_eq!(found, expected, "{text}{wanted}");
            let kept = whole.frames.clone().retain_metrics(|metric| is_there(&metric.name)).unwrap();
            assert_eq!(some.frames.schema(), kept.schema());
            let bits = |recording: &[f32]| recording.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(some.frames.values()), bits(kept.values()), "{text}{wanted}");
            assert_eq!(some.frames.layout(), whole.frames.layout());
        }
    }
}

#[test]
fn dates_as_people_write_them_are_read_where_their_order_is_shown() {
    let dated = |first: &str, second: &str| {
        let row = |date: &str, time: &str| format!("\"{date} {time}\",web,0.01,250\n");
        let rows = row(first, "23:59") + &row(second, "00:00") + &row(second, "00:01");
        "timestamp,service,error_rate,p99_latency\n".to_owned() + &rows
    };
    let start = |text: &str, options: &ReadOptions| {
        let recording = read_with(text, options).unwrap();
        assert_eq!(recording.summary.gap_rows, 0);
        (recording.frames.frame(0).unwrap().start().to_string(), recording.summary.notes.join("\n"))
    };
    let plain = ReadOptions::default();
    for (first, second, expected) in [
        ("12/03/2024", "13/03/2024", "2024-03-12T23:59:00Z"),
        ("03/12/2024", "03/13/2024", "2024-03-12T23:59:00Z"),
        ("31 Mar 2024", "1 Apr 2024", "2024-03-31T23:59:00Z"),
        ("Sun, 31 Mar 2024", "Mon, 01 Apr 2024", "2024-03-31T23:59:00Z"),
    ] {
        assert_eq!(start(&dated(first, second), &plain).0, expected);
    }
    assert!(start(&dated("12/03/2024", "13/03/2024"), &plain).1.contains("with the day first"));
    let open = dated("2/1/2024", "3/1/2024");
    let error = refusal(&open);
    assert!(error.contains("line 2") && error.contains("date_order"), "{error}");
    let day_first = plain.clone().with_date_order(forewarn_io::DateOrder::DayFirst);
    assert_eq!(start(&open, &day_first).0, "2024-01-02T23:59:00Z");
    let month_first = plain.with_date_order(forewarn_io::DateOrder::MonthFirst);
    assert!(
        read_with(dated("28/2/2024", "29/2/2024"), &month_first)
            .unwrap_err()
            .to_string()
            .contains("month first")
    );
}

#[test]
fn blanks_of_any_number_separate_cells() {
    let aligned = PLAIN.replace(',', "   ").replace("\n", "  \n");
    assert_eq!(plainly(&aligned), "the cells are separated by blanks");
    assert_eq!(plainly(PLAIN.replace(',', " ")), "the cells are separated by blanks");
}

#[test]
fn lines_that_are_no_rows_are_left_out_with_a_note() {
    let titled = format!("Export of Grafana, 2024\n\n{PLAIN}");
    assert_eq!(plainly(titled), "1 lines above the header were left out");
    let header = PLAIN.lines().next().unwrap();
    let joined = PLAIN.replace("2024-01-01T00:01", &format!("{header}\n2024-01-01T00:01"));
    assert_eq!(plainly(joined), "1 rows repeat the header and were left out");
    let message = refusal(PLAIN.split_once('\n').unwrap().1);
    assert!(
        message.starts_with("m.csv, line 1: looks like a row, expected the names of the columns"),
        "{message}"
    );
}

#[test]
fn names_are_the_same_whatever_stands_between_their_words() {
    for (time, service) in
        [("Time Stamp", "Service Name"), ("LOG-TIME", "kubernetes.pod_name"), ("start_time", "Host")]
    {
        let text = rewritten(&[("timestamp", time), ("service", service)]);
        let notes = plainly(text);
        assert!(notes.contains(&format!("column {time:?} was read as the time")), "{notes}");
        assert!(notes.contains(&format!("column {service:?} was read as the service")), "{notes}");
    }
    // Of two that may be meant by their last part neither is taken.
    let text = "timestamp,client.app,server.app,x\n2024-01-01T00:00:00Z,a,b,1\n";
    assert_eq!(read(text).unwrap().summary.services[0].name, "service");
}

#[test]
fn the_metric_of_a_long_file_may_be_called_name_beside_a_service() {
    let text = "timestamp,service,name,value\n2024-01-01T00:00:00Z,web,x,1\n2024-01-01T00:00:00Z,web,y,2\n";
    let recording = read(text).unwrap();
    assert_eq!(recording.frames.values(), [1.0, 2.0]);
    assert_eq!(recording.summary.rows, 1);
}

#[test]
fn legends_of_wide_files_name_their_services() {
    let text = "Time,\"error_rate{service=\"\"web\"\"}\",\"error_rate{service=\"\"api\"\"}\"\n2024-01-01T00:00:00Z,0.1,0.2\n";
    let mut options = ReadOptions::default().with_shape(Shape::Wide);
    options.metric = Some("error_rate".to_owned());
    let recording = read_with(text, &options).unwrap();
    let names: Vec<&str> = recording.summary.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["api", "web"]);
}

#[test]
fn fields_of_objects_within_a_record_are_fields() {
    let record = |minute: u32, value: &str| {
        format!(
            r#"{{"@timestamp":"2024-01-01T00:0{minute}:00Z","service":{{"name":"web"}},"metrics":{{"error_rate":{value},"tags":[1]}}}}"#
        )
    };
    let text = format!("{}\n{}\n", record(0, "0.25"), record(1, "null"));
    let recording =
        read_with(&text, &ReadOptions::default().with_rename("metrics.error_rate", "error_rate")).unwrap();
    assert_eq!(recording.summary.services[0].name, "web");
    let values = recording.frames.values();
    assert!(values.len() == 2 && values[0] == 0.25 && values[1].is_nan(), "{values:?}");
    // In an array of an object, as servers answer.
    let wrapped = format!(r#"{{"took":3,"hits":{{"hits":[{},{}]}}}}"#, record(0, "0.25"), record(1, "0.5"));
    assert_eq!(read_with(wrapped, &ReadOptions::default()).unwrap().summary.rows, 2);
}

#[test]
fn series_with_labels_and_samples_are_read() {
    let expected = read(PLAIN).unwrap();
    let (times, columns) = (
        ["1704067200", "1704067260", "1704067320.0"],
        [["0.00617", "0.00561", "0.00709"], ["255.22", "248.6", "257.78"]],
    );
    let labels = |metric: &str| format!(r#"{{"__name__":"{metric}","instance":"web","zone":"a"}}"#);
    let series: Vec<String> = ["error_rate", "p99_latency"]
        .iter()
        .zip(columns)
        .map(|(metric, values)| {
            let pairs: Vec<String> =
                times.iter().zip(values).map(|(time, value)| format!(r#"[{time},"{value}"]"#)).collect();
            format!(r#"{{"metric":{},"values":[{}]}}"#, labels(metric), pairs.join(","))
        })
        .collect();
    let answer = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}},"stats":{{"seriesFetched":"2"}}}}"#,
        series.join(",")
    );
    let exported: Vec<String> = ["error_rate", "p99_latency"]
        .iter()
        .zip(columns)
        .map(|(metric, values)| {
            format!(
                r#"{{"metric":{},"values":[{}],"timestamps":[1704067200000,1704067260000,1704067320000]}}"#,
                labels(metric),
                values.join(",")
            )
        })
        .collect();
    for text in [answer, exported.join("\n")] {
        let recording = read_with(&text, &ReadOptions::default()).unwrap();
        assert_eq!(recording.frames.values(), expected.frames.values(), "{text}");
        assert_eq!(recording.frames.layout(), expected.frames.layout());
        assert!(recording.summary.notes.contains(&"label \"instance\" was read as the service".to_owned()));
    }
    let nameless = r#"{"metric":{"app":"web"},"values":[[1704067200,"1"]]}"#;
    let message = read_with(nameless, &ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("without the label __name__") && message.contains("`metric`"), "{message}");
    let mut options = ReadOptions::default();
    options.metric = Some("x".to_owned());
    assert_eq!(read_with(nameless, &options).unwrap().frames.values(), [1.0]);
    let short = r#"{"metric":{"__name__":"x"},"values":[1,2],"timestamps":[1704067200]}"#;
    assert!(read_with(short, &options).unwrap_err().to_string().contains("1 timestamps beside 2 values"));
}

#[test]
fn one_object_of_columns_is_refused_with_what_to_write() {
    for text in [
        r#"{"timestamp":["2024-01-01T00:00:00Z"],"x":[1]}"#,
        r#"{"timestamp":{"0":"2024-01-01T00:00:00Z","1":"2024-01-01T00:01:00Z"},"x":{"0":1,"1":2}}"#,
    ] {
        let message = read_with(text, &ReadOptions::default()).unwrap_err().to_string();
        assert!(message.contains("an object a row") && message.contains("orient=\"records\""), "{message}");
    }
}

#[test]
fn objects_within_objects_cannot_ask_for_much_memory() {
    let many: Vec<String> = (0..20_000).map(|field| format!("\"{field}\":1")).collect();
    let text = format!(
        "{{\"timestamp\":\"2024-01-01T00:00:00Z\",\"x\":1}}\n{{\"timestamp\":\"2024-01-01T00:01:00Z\",\"a\":{{{}}}}}",
        many.join(",")
    );
    let message = read_with(text, &ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("more than 10000 fields"), "{message}");
}

#[test]
fn wide_files_are_read_as_the_long_ones_of_their_cells() {
    // Rows enough that the step is known, in turns forwards and backwards, a gap, a further row, and cells of any kind.
    let minutes = (200..400).chain((0..200).rev()).chain(500..600).chain([550]);
    let (mut wide, mut long) =
        ("timestamp,a,b,c\n".to_owned(), "timestamp,service,metric,value\n".to_owned());
    for (line, minute) in minutes.enumerate() {
        let time = format!("2024-01-01T{:02}:{:02}:0{}Z", minute / 60, minute % 60, line % 3);
        let cells = [
            format!("0.{line}"),
            if line % 7 == 0 { String::new() } else { "0.5".into() },
            format!("{}%", line % 90),
        ];
        wide += &format!("{time},{}\n", cells.join(","));
        for (service, cell) in ["a", "b", "c"].iter().zip(&cells) {
            long += &format!("{time},{service},error_rate,{cell}\n");
        }
    }
    for duplicates in [Duplicates::First, Duplicates::Last, Duplicates::Mean] {
        let options = ReadOptions::default().with_duplicates(duplicates);
        let mut of_wide = options.clone().with_shape(Shape::Wide);
        of_wide.metric = Some("error_rate".to_owned());
        let (wide, long) = (read_with(&wide, &of_wide).unwrap(), read_with(&long, &options).unwrap());
        let bits = |recording: &Recording| {
            recording.frames.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&wide), bits(&long), "{duplicates:?}");
        assert_eq!(wide.frames.layout(), long.frames.layout());
        assert_eq!(wide.summary.services, long.summary.services);
        assert_eq!(wide.summary.cells, long.summary.cells);
    }
    let mut options = ReadOptions::default().with_shape(Shape::Wide);
    options.metric = Some("error_rate".to_owned());
    let message = read_with(&wide, &options).unwrap_err().to_string();
    assert!(message.contains(r#"line 502: "a" has had a row at 2024-01-01T09:10:0"#), "{message}");
}

#[test]
fn sides_of_limits_are_those_of_the_values() {
    let folder = tempfile::tempdir().unwrap();
    let limits = [0.0f32, 0.05];
    let rows =
        "time,service,error_rate,x\n60,web,0.05,1\n0,web,0.01,2\n240,web,0.2,3\n0,api,,4\n60,api,0,5\n";
    let long = "time,service,metric,value\n0,web,x,1\n0,web,error_rate,0.05\n120,web,error_rate,0.5\n60,api,error_rate,0.01\n";
    let wide = "time,web,api\n0,0.01,0.05\n60,,0.06\n180,0.05,0\n";
    let plain = ReadOptions::default();
    let of_wide = plain.clone().with_shape(Shape::Wide).with_metric("error_rate");
    // Where the step is known, a row of a wide file is placed as one.
    let at_once = of_wide.clone().with_step(Step::MINUTE);
    for (text, options) in [(rows, &plain), (long, &plain), (wide, &of_wide), (wide, &at_once)] {
        let path = folder.path().join("m.csv");
        fs::write(&path, text).unwrap();
        let asked = |name: &str| (name == "error_rate").then(|| vec![0.0, 0.05]);
        let sides = read_sides(&[&path], options, asked).unwrap().unwrap();
        let whole = read_files(&[&path], options).unwrap();
        assert_eq!(sides.summary, whole.summary, "{text}");
        assert_eq!(sides.schema().names().collect::<Vec<_>>(), ["error_rate"]);
        let column = whole.frames.schema().position("error_rate").unwrap();
        for (side, frame) in sides.frames().zip(whole.frames.frames()) {
            let side = side.unwrap();
            let side = side.view();
            assert_eq!(
                (side.service(), side.start(), side.rows()),
                (frame.service(), frame.start(), frame.rows())
            );
            let values = frame.values().iter().skip(column).step_by(whole.frames.schema().len());
            for (&value, &other) in values.zip(side.values()) {
                let order = |value: f32| limits.map(|limit| value.partial_cmp(&limit));
                assert_eq!(order(value), order(other), "{text}: {value} {other}");
            }
        }
    }
    let path = folder.path().join("counter.csv");
    fs::write(&path, "time,x_total\n0,1\n60,2\n").unwrap();
    assert!(read_sides(&[&path], &plain, |_| Some(vec![1.0])).unwrap().is_none());
    assert!(read_sides(&[&path], &plain, |_| None).unwrap().is_none());
}

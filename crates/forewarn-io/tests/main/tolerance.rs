use crate::{read, refusal};
use forewarn_io::ReadOptions;
use forewarn_schema::{Kind, Schema, Step};

#[test]
fn marks_breaks_quotes_and_blanks_are_fine() {
    let plain =
        read("timestamp,service,x,y\n2024-01-01T00:00:00Z,a b,1,-2.5\n2024-01-01T00:01:00Z,a b,3,4\n")
            .unwrap();
    for text in [
        "\u{feff}timestamp,service,x,y\n2024-01-01T00:00:00Z,a b,1,-2.5\n2024-01-01T00:01:00Z,a b,3,4\n",
        "timestamp,service,x,y\r\n2024-01-01T00:00:00Z,a b,1,-2.5\r\n2024-01-01T00:01:00Z,a b,3,4\r\n",
        "\"timestamp\",\"service\",\"x\",\"y\"\r\n\"2024-01-01T00:00:00Z\",\"a b\",\"1\",\"-2.5\"\r\n2024-01-01T00:01:00Z,a b,3,\"4\"\r\n",
        " timestamp , service,x ,\ty\n 2024-01-01T00:00:00Z , a b , 1 ,\t-2.5\n\n2024-01-01T00:01:00Z,a b,+3,4.\n \n",
        "y,timestamp,x,service\n-2.5,2024-01-01T02:00:00+02:00,1e0,a b\n4,2024-01-01 00:01:00+00:00,.3e1,a b\n",
    ] {
        let recording = read(text).unwrap();
        assert_eq!(
            (&recording.summary.services, &recording.summary.notes),
            (&plain.summary.services, &plain.summary.notes),
            "{text:?}"
        );
        let column = |name| recording.frames.frame(0).unwrap().column(name).unwrap().collect::<Vec<_>>();
        assert_eq!((column("x"), column("y")), (vec![1.0, 3.0], vec![-2.5, 4.0]), "{text:?}");
    }
}

#[test]
fn a_last_line_without_a_break_is_remarked_on() {
    for (text, notes) in [
        ("timestamp,x\n2024-01-01T00:00:00Z,12", 1),
        ("\u{feff}timestamp,x\r\n2024-01-01T00:00:00Z,12", 1),
        ("timestamp,x\n2024-01-01T00:00:00Z,12\n", 0),
        ("timestamp,x\r\n2024-01-01T00:00:00Z,12\r\n", 0),
    ] {
        let recording = read(text).unwrap();
        assert_eq!(recording.frames.values(), [12.0]);
        let cut = "the last line has no line break: the file may have been cut";
        assert_eq!(recording.summary.notes.iter().filter(|note| *note == cut).count(), notes, "{text:?}");
    }
}

#[test]
fn the_ten_metrics_in_any_order_make_the_v1_schema() {
    let names = "pod_restarts,network_out,network_in,memory_usage,cpu_usage,p99_latency,p95_latency,p50_latency,error_rate,request_count";
    let row = "0,9,8,0.7,0.6,5,4,3,0.2,1";
    let recording = read(format!("timestamp,{names}\n0,{row}\n")).unwrap();
    assert_eq!(*recording.frames.schema(), Schema::v1());
    assert_eq!(recording.frames.values(), [1.0, 0.2, 3.0, 4.0, 5.0, 0.6, 0.7, 8.0, 9.0, 0.0]);

    // With an outcome, which comes last wherever it stands.
    let recording = read(format!("timestamp,failure,{names}\n0,1,{row}\n")).unwrap();
    let metrics = recording.frames.schema().metrics();
    assert_eq!(metrics[..10], *Schema::v1().metrics());
    assert_eq!((metrics[10].name.as_str(), metrics[10].kind), ("failure", Kind::Outcome));
    assert_eq!(recording.frames.values()[10], 1.0);

    // One more metric, and the order is the file's; what has a v1 name keeps its meaning.
    let recording = read(format!("timestamp,{names},queue\n0,{row},5\n")).unwrap();
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>().join(","), format!("{names},queue"));
    assert_eq!(recording.frames.schema().metrics()[0], Schema::v1().metrics()[9]);
}

#[test]
fn outcomes_may_be_words_or_missing() {
    let recording = read("timestamp,x,failure\n0,1,True\n60,1,0\n120,1,\n180,1,1.0\n240,1,false\n").unwrap();
    let outcomes: Vec<_> = recording.frames.frame(0).unwrap().column("failure").unwrap().collect();
    assert_eq!((outcomes[0], outcomes[1], outcomes[3], outcomes[4]), (1.0, 0.0, 1.0, 0.0));
    assert!(outcomes[2].is_nan());
}

#[test]
fn names_of_columns_that_nothing_has_are_refused() {
    let wide = "timestamp,service,error_rate,p99_latency\n0,web,0.1,5\n60,web,0.1,5\n";
    let long =
        "timestamp,service,metric,value\n0,web,error_rate,0.1\n0,web,p99_latency,5\n60,web,error_rate,0.1\n";
    let lines = "{\"timestamp\": 0, \"service\": \"web\", \"error_rate\": 0.1, \"p99_latency\": 5}\n\
                 {\"timestamp\": 60, \"service\": \"web\", \"error_rate\": 0.1, \"depth\": 5}\n";
    let series = "{\"metric\": {\"__name__\": \"error_rate\", \"service\": \"web\"}, \"values\": [[0, \"0.1\"], [60, \"0.1\"]]}";
    let refusal = |text: &str, options: &ReadOptions| {
        forewarn_io::read_from(text.as_bytes(), "m", options).map(|_| ()).unwrap_err().to_string()
    };
    for text in [wide, long, lines, series] {
        for (setting, options) in [
            ("drop", ReadOptions::default().with_drop(["error_rates"])),
            ("rename", ReadOptions::default().with_rename("error_rates", "depth")),
            ("columns", ReadOptions::default().with_columns(["error_rate", "error_rates"])),
        ] {
            let message = refusal(text, &options);
            assert!(message.contains("\"error_rates\"") && message.contains("\"error_rate\""), "{message}");
            // Where columns are metrics, this one is looked for at once.
            let is_named = message.contains(&format!("`{setting}`"));
            assert!(
                is_named || setting == "columns" && message.contains("has no column"),
                "{setting}: {message}"
            );
        }
    }
    for text in [wide, long, lines] {
        let options = ReadOptions::default().with_drop(["p99_latency"]).with_rename("error_rate", "errors");
        let read = forewarn_io::read_from(text.as_bytes(), "m", &options).unwrap();
        assert_eq!(read.frames.schema().metrics()[0].name, "errors");
    }
    // One file of several may have it.
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], "timestamp,service,error_rate\n0,web,0.1\n60,web,0.1\n").unwrap();
    std::fs::write(&paths[1], "timestamp,service,error_rate,noise\n0,api,0.1,1\n60,api,0.1,2\n").unwrap();
    assert!(forewarn_io::read_files(&paths, &ReadOptions::default().with_drop(["noise"])).is_ok());
    let message =
        forewarn_io::inspect(&paths, &ReadOptions::default().with_drop(["noises"])).unwrap_err().to_string();
    assert!(message.contains("a.csv and 1 more: no column or metric is called \"noises\""), "{message}");
}

#[test]
fn totals_and_remarks_below_the_rows_are_left_out() {
    let text = "timestamp,service,error_rate\n0,web,0.1\n60,web,0.2\n";
    let plain = read(text).unwrap();
    for (below, rows) in [
        ("Total,,0.3\n", 1),
        ("Average,,0.15\nMax,,0.2\n,,\n", 2),
        (",Total,0.3\n", 1),
        ("\nGenerated by Acme 2.3 at noon\n", 1),
        ("Total,,0.3\nGenerated by Acme, at noon\nTotal:,,0.3", 3),
        ("(2 rows)\n\n", 1),
    ] {
        let recording = read(format!("{text}{below}")).unwrap();
        assert_eq!(recording.frames.values(), plain.frames.values(), "{below:?}");
        let note = format!("{rows} rows below the table were left out, from line ");
        assert!(
            recording.summary.notes.iter().any(|found| found.starts_with(&note)),
            "{:?}",
            recording.summary
        );
    }
    for (below, line) in [
        ("Total,,0.3\n120,web,0.1\n", 4),
        ("soon,web,0.1\n", 4),
        (",web,0.1\n", 4),
        ("2024-01-01 00:0,,\n", 4),
        ("Total,,0.3\n120,web\n", 4),
    ] {
        let message = refusal(format!("{text}{below}"));
        assert!(message.starts_with(&format!("m.csv, line {line}")), "{below:?}: {message}");
    }
}

#[test]
fn days_of_spreadsheets_are_times() {
    let day = |minute: u32| format!("{:.5}", 45292.0 + f64::from(minute) / 1440.0);
    for (mark, separator) in [('.', ','), (',', ';')] {
        let rows: Vec<String> = (0..4)
            .map(|minute| {
                format!("{0}{separator}web{separator}1{mark}5\n", day(minute).replace('.', &mark.to_string()))
            })
            .collect();
        let recording =
            read(format!("timestamp{separator}service{separator}queue\n{}", rows.concat())).unwrap();
        assert_eq!(recording.summary.step, Step::MINUTE);
        assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-01T00:00:00Z");
        assert!(recording.summary.notes.iter().any(|note| note.contains("days as spreadsheets")));
    }
    // Whole days, where the column is called so.
    let recording = read("Date,queue\n45292,1\n45293,2\n45294,3\n").unwrap();
    assert_eq!(recording.summary.step, Step::from_millis(86_400_000).unwrap());
    // Midnight comes first.
    let lines = "{\"time\": 45292, \"queue\": 1}\n{\"time\": 45292.5, \"queue\": 1}\n{\"time\": 45293, \"queue\": 1}\n";
    let recording = forewarn_io::read_from(lines.as_bytes(), "m.json", &ReadOptions::default()).unwrap();
    assert_eq!(recording.summary.step, Step::from_millis(43_200_000).unwrap());
}

#[test]
fn names_of_settings_that_nothing_has_are_noted() {
    let text = "timestamp,error_rate,p99_latency\n0,0.1,5\n60,0.1,5\n";
    let notes = |options: &ReadOptions| crate::read_with(text, options).unwrap().summary.notes;
    let wrong = ReadOptions::default()
        .with_unit("latency", "s")
        .with_counters(["p99_latencies"])
        .with_metric("error_rate");
    let found = notes(&wrong);
    for (setting, name) in
        [("`units`", "\"latency\""), ("`counters`", "\"p99_latencies\""), ("`metric`", "\"error_rate\"")]
    {
        assert!(found.iter().any(|note| note.contains(setting) && note.contains(name)), "{name}: {found:?}");
    }
    let right = ReadOptions::default()
        .with_rename("p99_latency", "slowest")
        .with_unit("slowest", "s")
        .with_counters(["slowest"])
        .with_drop(["error_rate"]);
    assert!(!notes(&right).iter().any(|note| note.contains("which `")), "{:?}", notes(&right));
}

use crate::read;
use forewarn_io::ReadOptions;
use forewarn_schema::{Kind, Schema};

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
fn names_of_settings_that_nothing_has_are_noted() {
    let text = "timestamp,error_rate,p99_latency\n0,0.1,5\n60,0.1,5\n";
    let notes = |options: &ReadOptions| crate::read_with(text, options).unwrap().summary.notes;
    let wrong = ReadOptions::default()
        .with_drop(["p9_latency"])
        .with_rename("errors", "error_rate2")
        .with_unit("latency", "s")
        .with_counters(["p99_latencies"])
        .with_metric("error_rate");
    let found = notes(&wrong);
    for (setting, name) in [
        ("`drop`", "\"p9_latency\""),
        ("`rename`", "\"errors\""),
        ("`units`", "\"latency\""),
        ("`counters`", "\"p99_latencies\""),
        ("`metric`", "\"error_rate\""),
    ] {
        assert!(found.iter().any(|note| note.contains(setting) && note.contains(name)), "{name}: {found:?}");
    }
    let right = ReadOptions::default()
        .with_rename("p99_latency", "slowest")
        .with_unit("slowest", "s")
        .with_counters(["slowest"])
        .with_drop(["error_rate"]);
    assert!(!notes(&right).iter().any(|note| note.contains("which `")), "{:?}", notes(&right));
}

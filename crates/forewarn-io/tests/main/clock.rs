use crate::{read, read_with, refusal};
use forewarn_io::{Duplicates, ReadOptions, StepSource};
use forewarn_schema::Step;

fn every(millis: i64) -> ReadOptions {
    ReadOptions::default().with_step(Step::from_millis(millis).unwrap())
}

#[test]
fn rows_off_the_clock_are_refused_with_both_times() {
    let text = "timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,1\n2024-01-01T00:02:30Z,1\n";
    assert_eq!(
        read_with(text, &every(60_000)).unwrap_err().to_string(),
        "m.csv, line 4: \"service\" is off its clock: 2024-01-01T00:02:30Z is 90 s after 2024-01-01T00:01:00Z in line 3, \
         expected a multiple of 60 s: is `step` right?"
    );
}

#[test]
fn jittered_rows_are_put_on_whole_steps_with_a_note() {
    let text =
        "timestamp,x\n2024-01-01T00:00:28.410Z,1\n2024-01-01T00:01:28.447Z,2\n2024-01-01T00:02:29.484Z,3\n";
    let recording = read(text).unwrap();
    assert_eq!(recording.frames.values(), [1.0, 2.0, 3.0]);
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-01T00:00:00Z");
    assert_eq!(
        recording.summary.notes,
        ["2 rows are off the clock by up to 1.074 s and were put on the nearest step of 1 min"]
    );
}

#[test]
fn rows_in_any_order_are_sorted_with_a_note() {
    let rows = ["180,a,4", "0,b,9", "60,a,2", "0,a,1", "120,a,3", "60,b,8"];
    for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 2, 5, 4, 1]] {
        let lines: Vec<&str> = order.iter().map(|&row| rows[row]).collect();
        let recording = read(format!("timestamp,service,x\n{}\n", lines.join("\n"))).unwrap();
        assert_eq!(recording.frames.values(), [1.0, 2.0, 3.0, 4.0, 9.0, 8.0], "{order:?}");
        assert_eq!(recording.summary.gap_rows, 0);
        assert!(recording.summary.notes.iter().any(|note| note.contains("were sorted")), "{order:?}");
    }
}

#[test]
fn duplicates_are_an_error_or_what_the_settings_say() {
    let text = "timestamp,service,x,failure\n60,a,1,0\n60,b,1,0\n60,a,4,1\n120,a,,0\n60,a,4,0\n120,a,7,\n";
    let message = refusal(text);
    assert!(
        message.starts_with(
            "m.csv, line 4: \"a\" has had a row at 1970-01-01T00:01:00Z already, in line 2; set `duplicates`"
        ),
        "{message}"
    );
    let outcome = ReadOptions::default().with_outcome_column("failure");
    for (duplicates, expected) in [
        (Duplicates::First, [1.0, 0.0, f32::NAN, 0.0, 1.0, 0.0]),
        (Duplicates::Last, [4.0, 0.0, 7.0, f32::NAN, 1.0, 0.0]),
        (Duplicates::Mean, [3.0, 1.0, 7.0, 0.0, 1.0, 0.0]),
    ] {
        let recording = read_with(text, &outcome.clone().with_duplicates(duplicates)).unwrap();
        let shown = |values: &[f32]| values.iter().map(|value| format!("{value}")).collect::<Vec<_>>();
        assert_eq!(shown(recording.frames.values()), shown(&expected), "{duplicates:?}");
        assert_eq!(recording.summary.services.iter().map(|s| s.duplicate_rows).collect::<Vec<_>>(), [3, 0]);
    }
}

#[test]
fn services_have_clocks_of_their_own_and_take_turns() {
    let recording = read("timestamp,service,x\n0,b,1\n30,a,2\n60,b,3\n90,a,4\n120,b,5\n").unwrap();
    assert_eq!(recording.frames.values(), [2.0, 4.0, 1.0, 3.0, 5.0]);
    let summary = recording.summary;
    assert_eq!((summary.rows, summary.gap_rows), (5, 0));
    let spans: Vec<_> = summary
        .services
        .iter()
        .map(|service| (service.name.as_str(), service.start.millis(), service.end.millis(), service.rows))
        .collect();
    assert_eq!(spans, [("a", 30_000, 150_000, 2), ("b", 0, 180_000, 3)]);
}

#[test]
fn the_step_is_found_or_given() {
    let text = "timestamp,x\n1704067200000,1\n1704067215000,2\n1704067230000,3\n";
    for (options, source, notes) in
        [(ReadOptions::default(), StepSource::Found, 2), (every(15_000), StepSource::Given, 1)]
    {
        let recording = read_with(text, &options).unwrap();
        assert_eq!(recording.frames.values(), [1.0, 2.0, 3.0]);
        let summary = recording.summary;
        assert_eq!((summary.step.millis(), summary.step_source), (15_000, source));
        assert_eq!(summary.notes.len(), notes, "{:?}", summary.notes);
        assert_eq!(summary.notes[0], "numeric timestamps were read as milliseconds since 1970");
    }
    for (seconds, shown) in [(300, "5 min"), (3600, "1 h"), (86_400, "1 d"), (1, "1 s")] {
        let text = format!("timestamp,x\n0,1\n{seconds},2\n{},3\n", 2 * seconds);
        assert_eq!(read(text).unwrap().summary.step.to_string(), shown);
    }
    let alone = read("timestamp,x\n0,1\n").unwrap().summary;
    assert_eq!((alone.step, alone.step_source), (Step::MINUTE, StepSource::Assumed));
    let weekly = refusal("timestamp,x\n0,1\n604800,2\n");
    assert!(
        weekly.starts_with("m.csv: rows of a service are 604800 s apart, expected 1 s to 1 day"),
        "{weekly}"
    );
}

#[test]
fn a_slower_clock_than_asked_for_is_refused_and_a_single_gap_is_not() {
    let slow = "timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:02:00Z,2\n2024-01-01T00:06:00Z,3\n";
    assert_eq!(
        read_with(slow, &every(60_000)).unwrap_err().to_string(),
        "m.csv: no two rows of a service are closer than 120 s, expected a row every 60 s"
    );
    assert_eq!(read(slow).unwrap().summary.step.millis(), 120_000);
    let gap = "timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:05:00Z,2\n";
    let gap = read_with(gap, &every(60_000)).unwrap();
    assert_eq!(gap.summary.gap_rows, 4);
    assert_eq!(
        gap.summary.notes,
        ["no two rows of a service are one step apart: the rows between were taken as missing"]
    );
}

#[test]
fn the_repeated_hour_is_told_apart_by_its_order_where_the_zone_is_named() {
    let rows: Vec<String> = ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
        .iter()
        .enumerate()
        .map(|(row, time)| format!("2024-10-27 {time}:00,{row}\n"))
        .collect();
    let text = format!("timestamp,x\n{}", rows.concat());
    let message = refusal(&text);
    assert!(message.contains("in line 4") && message.contains("the `timezone`"), "{message}");
    let recording = read_with(&text, &ReadOptions::default().with_timezone("Europe/Berlin")).unwrap();
    assert_eq!(recording.frames.values(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-10-26T23:00:00Z");
    assert!(recording.summary.notes.iter().any(|note| note.starts_with("2 rows of a repeated hour")));
}

#[test]
fn the_repeated_hour_is_told_apart_in_either_direction_and_in_long_files() {
    let berlin = ReadOptions::default().with_timezone("Europe/Berlin");
    for minutes in [5, 30, 60] {
        // From 01:00 in summer time to 03:00 in winter time: four hours, of which the clock shows three.
        let rows: Vec<(String, i64)> = (0..=240 / minutes)
            .map(|row| {
                let passed = row * minutes;
                let shown = 60 + if passed < 120 { passed } else { passed - 60 };
                (format!("2024-10-27 {:02}:{:02}:00", shown / 60, shown % 60), row)
            })
            .collect();
        let expected: Vec<f32> = rows.iter().map(|(_, row)| *row as f32).collect();
        let text = |rows: &[(String, i64)]| {
            rows.iter().fold("timestamp,x\n".to_owned(), |text, (time, row)| format!("{text}{time},{row}\n"))
        };
        let newest_first: Vec<_> = rows.iter().rev().cloned().collect();
        for text in [text(&rows), text(&newest_first)] {
            let recording = read_with(&text, &berlin).unwrap();
            assert_eq!(recording.frames.values(), expected, "{text}");
            assert_eq!(recording.summary.gap_rows, 0);
        }
        let long = rows.iter().fold("timestamp,metric,value\n".to_owned(), |text, (time, row)| {
            format!("{text}{time},x,{row}\n{time},y,{row}\n")
        });
        let recording = read_with(&long, &berlin).unwrap();
        let both: Vec<f32> = expected.iter().flat_map(|value| [*value, *value]).collect();
        assert_eq!(recording.frames.values(), both, "{long}");
    }
}

#[test]
fn metrics_of_a_long_file_may_come_one_after_another() {
    let mut text = "timestamp,service,metric,value\n".to_owned();
    for metric in ["x", "y"] {
        for minute in 0..4 {
            text += &format!("2024-01-01T00:0{minute}:00Z,web,{metric},{minute}\n");
        }
    }
    let summary = read(&text).unwrap().summary;
    assert_eq!((summary.rows, summary.services[0].rows), (4, 4));
    assert!(!summary.notes.iter().any(|note| note.contains("sorted")), "{:?}", summary.notes);
}

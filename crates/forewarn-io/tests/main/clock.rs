use crate::{read, refusal};
use forewarn_io::{ReadOptions, csv};
use forewarn_schema::Step;

#[test]
fn rows_off_the_clock_are_refused_with_both_times() {
    assert_eq!(
        refusal("timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,1\n2024-01-01T00:02:30Z,1\n"),
        "m.csv, line 4: \"service\" is off its clock: 2024-01-01T00:02:30Z is 90 s after 2024-01-01T00:01:00Z in line 3, \
         expected a multiple of 60 s"
    );
    assert_eq!(
        refusal("timestamp,service,x\n60,a,1\n60,b,1\n60,a,2\n"),
        "m.csv, line 4: \"a\" has had a row at 1970-01-01T00:01:00Z already, in line 2"
    );
    assert_eq!(
        refusal("timestamp,service,x\n120,a,1\n120,b,1\n60,b,1\n"),
        "m.csv, line 4: \"b\" goes back in time, from 1970-01-01T00:02:00Z in line 3 to 1970-01-01T00:01:00Z"
    );
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
fn the_step_is_an_option() {
    let text = "timestamp,x\n1704067200000,1\n1704067215000,2\n1704067230000,3\n";
    assert!(refusal(text).contains("expected a multiple of 60 s"));
    let options = ReadOptions::default().with_step(Step::from_millis(15_000).unwrap());
    let recording = csv::read_from(text.as_bytes(), "m.csv", &options).unwrap();
    assert_eq!(recording.frames.values(), [1.0, 2.0, 3.0]);
    assert_eq!(recording.summary.notes, ["integer timestamps were read as milliseconds since 1970"]);
}

#[test]
fn a_slower_clock_is_refused_and_a_single_gap_is_not() {
    let slow = "timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:02:00Z,2\n2024-01-01T00:06:00Z,3\n";
    assert_eq!(
        refusal(slow),
        "m.csv: no two rows of a service are closer than 120 s, expected a row every 60 s"
    );
    let gap = read("timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:05:00Z,2\n").unwrap();
    assert_eq!(gap.summary.gap_rows, 4);
    assert_eq!(
        gap.summary.notes,
        ["no two rows of a service are one step apart: the rows between were taken as missing"]
    );
}

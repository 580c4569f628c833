use crate::{read, read_with};
use forewarn_io::{IoError, ReadOptions};
use forewarn_schema::Step;

#[test]
fn missing_rows_become_nan_and_are_counted_apart_from_missing_cells() {
    let recording = read("timestamp,service,x,y\n0,a,1,\n0,b,1,2\n180,a,3,nan\n120,b,5,6\n").unwrap();
    let (summary, frames) = (&recording.summary, &recording.frames);
    assert_eq!((summary.rows, summary.missing_cells, summary.gap_rows), (4, 2, 3));
    assert_eq!(summary.services.iter().map(|s| (s.rows, s.gap_rows)).collect::<Vec<_>>(), [(2, 2), (2, 1)]);
    let shown: Vec<_> = frames.values().iter().map(|value| format!("{value}")).collect();
    let n = "NaN";
    assert_eq!(shown, ["1", n, n, n, n, n, "3", n, "1", "2", n, n, "5", "6"]);
    assert_eq!(summary.to_string(), "4 rows of 2 services every 1 min (CSV); 2 cells and 3 rows are missing");
}

#[test]
fn a_gap_of_years_is_a_wrong_time_and_no_allocation() {
    let minute = ReadOptions::default().with_step(Step::MINUTE);
    let read = |text: &str| read_with(text, &minute);
    assert_eq!(
        read("timestamp,x\n2024-01-01T00:00:00Z,1\n2204-01-01T00:00:00Z,1\n").unwrap_err().to_string(),
        "m.csv, line 3: 94669919 rows of \"service\" are missing between 2024-01-01T00:00:00Z in line 2 and \
         2204-01-01T00:00:00Z: is one of these times wrong, or `step` too short?"
    );
    // Backwards, too.
    let error = read("timestamp,x\n2024-01-01T00:00:00Z,1\n1999-01-01T00:00:00Z,1\n").unwrap_err();
    assert!(matches!(error, IoError::Gap { .. }), "{error}");
    // Months are filled.
    let recording = read("timestamp,x\n2014-01-01T00:00:00Z,1\n2014-10-28T00:00:00Z,1\n").unwrap();
    assert_eq!(recording.summary.gap_rows, 300 * 1440 - 1);
    // Many long gaps add up: most of a year for each of 100 services would be 160 MB from a few lines.
    let mut text = "timestamp,service,x\n".to_owned();
    for service in 0..100 {
        text += &format!("2014-01-01T00:00:00Z,s{service},1\n2014-10-28T00:00:00Z,s{service},1\n");
    }
    assert!(matches!(read(&text).unwrap_err(), IoError::Gap { .. }));
    // So do many columns.
    let header: String = (0..1000).map(|i| format!(",m{i}")).collect();
    let row = ",1".repeat(1000);
    let text = format!("timestamp{header}\n2014-01-01T00:00:00Z{row}\n2015-01-01T00:00:00Z{row}\n");
    assert!(matches!(read(&text).unwrap_err(), IoError::Gap { missing_rows: 525_599, .. }));
}

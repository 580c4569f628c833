use crate::{read, refusal};
use forewarn_io::{IoError, ReadOptions, csv};

/// Every line: a file, and the whole of the one message that it is refused with.
#[test]
fn each_fault_has_one_message_with_its_place() {
    let table: &[(&str, &str)] = &[
        ("", "m.csv: is empty"),
        ("\n\r\n  \n", "m.csv: is empty"),
        ("timestamp,x\n", "m.csv: has columns but no rows"),
        (
            "when,x\nsoon,1\n",
            r#"m.csv: has no column "timestamp", nor one of the other usual names of a time: the columns are "when", "x"; name it with `time_columns`"#,
        ),
        ("timestamp,x,y,x\n", r#"m.csv: columns 2 and 4 are both called "x""#),
        ("timestamp,timestamp\n", r#"m.csv: columns 1 and 2 are both called "timestamp""#),
        ("timestamp,x,\n60,1,7.5\n", "m.csv: column 3 has no name"),
        ("timestamp,\" \",x\n60,a,1\n", "m.csv: column 2 has no name"),
        ("timestamp,service\n", r#"m.csv: has no metric: the columns are "timestamp", "service""#),
        (
            "timestamp,failure\n2024-01-01T00:00:00Z,1\n",
            r#"m.csv: has no metric: the columns are "timestamp", "failure""#,
        ),
        (
            "timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z\n",
            "m.csv, line 3: has 1 fields where the header has 2",
        ),
        ("timestamp,x\n2024-01-01T00:00:00Z,1,2\n", "m.csv, line 2: has 3 fields where the header has 2"),
        (
            "timestamp,x,y\n2024-01-01T00:00:00Z,1,2\n2024-01-01T00:0",
            "m.csv, line 3: has 1 fields where the header has 3, and the file ends in it: it was cut off",
        ),
        (
            "timestamp,x\r\n\r\n2024-01-01T00:00:00Z,1\r\n2024-01-01T00:01:00Z,one\r\n",
            r#"m.csv, line 4, column "x": "one" is not a number"#,
        ),
        (
            "timestamp,x\n2024-01-01T00:00:00Z,1e39\n",
            r#"m.csv, line 2, column "x": 1e39 is outside the finite numbers (dimensionless)"#,
        ),
        (
            "timestamp,error_rate\n2024-01-01T00:00:00Z,7\n",
            r#"m.csv, line 2, column "error_rate": 7 is outside 0..=1 (ratio); give the unit % (`units`) if it is per cent"#,
        ),
        (
            "timestamp,p50_latency\n2024-01-01T00:00:00Z, -3 \n",
            r#"m.csv, line 2, column "p50_latency": -3 is outside 0.. (ms); name it in `missing_words` if it means that nothing is known"#,
        ),
        (
            "timestamp,x,failure\n2024-01-01T00:00:00Z,1,0.5\n",
            r#"m.csv, line 2, column "failure": "0.5" is not an outcome, expected 0 or 1, true or false, yes or no, or an empty cell; name the one that means failing as `outcome_equals` (--failure-column 'NAME == WORD'), or words for unknown as `unknown_labels`"#,
        ),
        (
            "timestamp,x,failure\n2024-01-01T00:00:00Z,1,maybe\n",
            r#"m.csv, line 2, column "failure": "maybe" is not an outcome, expected 0 or 1, true or false, yes or no, or an empty cell; name the one that means failing as `outcome_equals` (--failure-column 'NAME == WORD'), or words for unknown as `unknown_labels`"#,
        ),
        (
            "timestamp,service,x\n2024-01-01T00:00:00Z,,1\n",
            "m.csv, line 2: the service is empty, expected its name",
        ),
        (
            "timestamp,x\nyesterday,1\n",
            r#"m.csv, line 2, column "timestamp": "yesterday" is not a time, expected a time such as 2024-01-01T00:00:00Z or 2024-01-01 00:00:00, or a count of seconds or a finer unit since 1970"#,
        ),
        (
            "timestamp,x\n1704067200,1\n2024-01-01T00:01:00Z,1\n",
            r#"m.csv, line 3, column "timestamp": "2024-01-01T00:01:00Z" is not a time, expected seconds since 1970, as in the rows before"#,
        ),
        (
            "timestamp,x\n2024-01-01T00:00:00Z,1\n,1\n",
            r#"m.csv, line 3, column "timestamp": "" is not a time, expected RFC 3339 with a zone, such as 2024-01-01T00:00:00Z, as in the rows before"#,
        ),
    ];
    for (text, message) in table {
        assert_eq!(refusal(text), *message, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_named() {
    for (bytes, what) in [
        (&b"PAR1\x15\x04"[..], "a Parquet file"),
        (b"\x1f\x8b\x08\0", "gzip-compressed data"),
        (b"\x28\xb5\x2f\xfd\0", "zstd-compressed data"),
        (b"PK\x03\x04\0", "a zip archive or a spreadsheet"),
        (b"\xff\xfet\0i\0", "text in UTF-16"),
        (b"timestamp,x\n\0\0\0", "binary data"),
    ] {
        assert_eq!(refusal(bytes), format!("m.csv: looks like {what}, expected text in UTF-8"));
    }
    assert_eq!(
        refusal(b"timestamp,service,x\n2024-01-01T00:00:00Z,caf\xe9,1\n"),
        r#"m.csv, line 2, column "service": is not valid UTF-8"#
    );
    assert_eq!(refusal(b"timestamp,\xe9\n"), r#"m.csv, line 1, column "column 2": is not valid UTF-8"#);
}

#[test]
fn an_unknown_outcome_lists_what_there_is() {
    let text = "timestamp,service,x,y\n2024-01-01T00:00:00Z,a,1,0\n";
    for asked in ["failed", "timestamp", "service"] {
        let options = ReadOptions::default().with_outcome_column(asked);
        let error = csv::read_from(text.as_bytes(), "m.csv", &options).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(r#"m.csv: has no column "{asked}" to be the outcome: it could be "x", "y""#)
        );
    }
}

#[test]
fn a_quote_left_open_ends_at_the_limit_and_not_with_the_memory() {
    let mut text = b"timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,\"1\n".to_vec();
    text.resize(40 << 20, b'\n');
    let error = read(&text).unwrap_err();
    let IoError::LongRow { place, limit_bytes } = error else { panic!("{error}") };
    assert_eq!((place.row, limit_bytes), (3, 16 << 20));
    // A short file with such a quote ends in the row.
    let error = refusal(
        "timestamp,x,y\n2024-01-01T00:00:00Z,1,2\n2024-01-01T00:01:00Z,\"1,2\n2024-01-01T00:02:00Z,1,2",
    );
    assert!(error.starts_with("m.csv, line 3: has 2 fields"), "{error}");
}

#[test]
fn a_fault_late_in_a_long_file_has_the_right_line() {
    for line_break in ["\n", "\r\n"] {
        let mut text = format!("timestamp,x{line_break}");
        for minute in 0..20_000 {
            text += &format!("{},{minute}{line_break}", minute * 60);
        }
        text += "x";
        assert!(refusal(&text).starts_with("m.csv, line 20002: has 1 fields"), "{}", refusal(&text));
    }
}

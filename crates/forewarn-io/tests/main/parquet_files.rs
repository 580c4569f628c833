use crate::round_trip::{assert_same, frame_set};
use ::parquet::{
    basic::Compression,
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
        FloatType, Int32Type, Int64Type, Int96, Int96Type,
    },
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use forewarn_io::{Format, IoError, ReadOptions, Recording, parquet, read};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};
use proptest::prelude::*;
use std::{fs, path::PathBuf, sync::Arc};
use tempfile::TempDir;

/// One column chunk: its values, and for an optional column the level of each row.
enum Column {
    Bool(Vec<bool>, Option<Vec<i16>>),
    Int32(Vec<i32>, Option<Vec<i16>>),
    Int64(Vec<i64>, Option<Vec<i16>>),
    Float(Vec<f32>, Option<Vec<i16>>),
    Double(Vec<f64>, Option<Vec<i16>>),
    Text(Vec<&'static str>, Option<Vec<i16>>),
    Int96(Vec<Int96>),
    Fixed(Vec<Vec<u8>>),
}

/// A file of columns such as `required int64 timestamp;`, one list of chunks a row group.
struct Sample {
    folder: TempDir,
}

impl Sample {
    fn new(columns: &str, groups: &[Vec<Column>]) -> Self {
        Self::compressed(columns, groups, Compression::SNAPPY)
    }

    fn compressed(columns: &str, groups: &[Vec<Column>], compression: Compression) -> Self {
        let sample = Self { folder: tempfile::tempdir().unwrap() };
        let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} }}")).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let file = fs::File::create(sample.path()).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
        for group in groups {
            let mut row_group = writer.next_row_group().unwrap();
            for column in group {
                let mut chunk = row_group.next_column().unwrap().unwrap();
                fn put<T: DataType>(
                    chunk: &mut ::parquet::file::writer::SerializedColumnWriter<'_>,
                    values: &[T::T],
                    levels: &Option<Vec<i16>>,
                ) {
                    chunk.typed::<T>().write_batch(values, levels.as_deref(), None).unwrap();
                }
                match column {
                    Column::Bool(values, levels) => put::<BoolType>(&mut chunk, values, levels),
                    Column::Int32(values, levels) => put::<Int32Type>(&mut chunk, values, levels),
                    Column::Int64(values, levels) => put::<Int64Type>(&mut chunk, values, levels),
                    Column::Float(values, levels) => put::<FloatType>(&mut chunk, values, levels),
                    Column::Double(values, levels) => put::<DoubleType>(&mut chunk, values, levels),
                    Column::Int96(values) => put::<Int96Type>(&mut chunk, values, &None),
                    Column::Fixed(values) => {
                        let values: Vec<_> =
                            values.iter().map(|bytes| FixedLenByteArray::from(bytes.clone())).collect();
                        put::<FixedLenByteArrayType>(&mut chunk, &values, &None);
                    }
                    Column::Text(values, levels) => {
                        let values: Vec<_> = values.iter().map(|text| ByteArray::from(*text)).collect();
                        put::<ByteArrayType>(&mut chunk, &values, levels);
                    }
                }
                chunk.close().unwrap();
            }
            row_group.close().unwrap();
        }
        writer.close().unwrap();
        sample
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("m.parquet")
    }

    fn read(&self) -> Result<Recording, IoError> {
        read(self.path(), &ReadOptions::default())
    }

    /// The message without the folder's name.
    fn refusal(&self, options: &ReadOptions) -> String {
        let message = read(self.path(), options).expect_err("the file must be refused").to_string();
        message.replace(&self.path().display().to_string(), "m.parquet")
    }
}

const TIME: &str = "required int64 timestamp (TIMESTAMP(MILLIS,true));";

fn minutes(range: std::ops::Range<i64>) -> Column {
    Column::Int64(range.map(|minute| minute * 60_000).collect(), None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn parquet_keeps_every_bit(frames in frame_set()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.parquet");
        parquet::write(&frames, &path).unwrap();
        let recording = read(&path, &ReadOptions::default()).unwrap();
        assert_same(&recording.frames, &frames);
        let summary = recording.summary;
        prop_assert_eq!((summary.format, summary.gap_rows), (Format::Parquet, 0));
        let mut bytes = Vec::new();
        parquet::write_to(&frames, &mut bytes).unwrap();
        prop_assert!(fs::read(&path).unwrap() == bytes, "the same frames give the same bytes");
    }
}

#[test]
fn more_rows_than_a_batch_and_a_row_group_hold() {
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
    let frame = |name, rows: u32| {
        let value = |row: u32| [row as f32, if row.is_multiple_of(7) { f32::NAN } else { -(row as f32) }];
        let values = (0..rows).flat_map(value).collect();
        Frame::new(name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
    };
    let frames =
        FrameSet::from_frames(vec![frame("a", 100_001), frame("b", 1), frame("c", 199_999)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.parquet");
    parquet::write(&frames, &path).unwrap();
    let recording = parquet::read(&path, &ReadOptions::default()).unwrap();
    assert_same(&recording.frames, &frames);
    assert_eq!(recording.summary.rows, 300_001);
}

#[test]
fn every_type_and_null_is_read() {
    let columns = "
        required binary service (UTF8); required int64 timestamp (TIMESTAMP(NANOS,false)); optional boolean up;
        optional int32 a; required int32 b (INTEGER(32,false)); optional int64 c; required float d; optional double e;";
    let levels = || Some(vec![1, 0, 1]);
    let group = |start: i64| {
        vec![
            Column::Text(vec!["web", "web", " web "], None),
            Column::Int64((start..start + 3).map(|minute| minute * 60_000_000_000 + 999_999).collect(), None),
            Column::Bool(vec![true, false], levels()),
            Column::Int32(vec![-1, 2], levels()),
            Column::Int32(vec![-1, 0, 1], None),
            Column::Int64(vec![-3, 1 << 40], levels()),
            Column::Float(vec![0.5, f32::NAN, 1.5], None),
            Column::Double(vec![0.1, -1e30], levels()),
        ]
    };
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
    ] {
        let sample = Sample::compressed(columns, &[group(0), group(3)], compression);
        let recording = sample.read().unwrap();
        let web = recording.frames.frame(0).unwrap();
        assert_eq!((web.service(), web.start(), web.rows()), ("web", Timestamp::EPOCH, 6));
        for first in [0, 3] {
            let row = |row: usize| web.row(first + row).unwrap();
            assert_eq!(*row(0), [1.0, -1.0, u32::MAX as f32, -3.0, 0.5, 0.1]);
            assert_eq!(
                row(1).iter().map(|value| value.is_nan()).collect::<Vec<_>>(),
                [true, true, false, true, true, true]
            );
            assert_eq!(*row(2), [0.0, 2.0, 1.0, (1u64 << 40) as f32, 1.5, -1e30]);
        }
        assert_eq!(recording.summary.missing_cells, 10);
        assert_eq!(recording.summary.notes, ["the timestamps have no zone and were read as UTC"]);
    }
}

#[test]
fn times_may_be_integers_or_text() {
    let x = || Column::Float(vec![1.0, 2.0], None);
    let columns = "required int64 timestamp; required float x;";
    let sample = Sample::new(columns, &[vec![Column::Int64(vec![1_704_067_200, 1_704_067_260], None), x()]]);
    let recording = sample.read().unwrap();
    assert_eq!(recording.summary.services[0].start.to_string(), "2024-01-01T00:00:00Z");
    assert_eq!(recording.summary.notes, ["numeric timestamps were read as seconds since 1970"]);
    let columns = "required binary timestamp (UTF8); required float x;";
    let texts = vec!["2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z"];
    let recording = Sample::new(columns, &[vec![Column::Text(texts, None), x()]]).read().unwrap();
    assert_eq!(recording.summary.services[0].end.to_string(), "2024-01-01T00:02:00Z");
}

#[test]
fn a_row_index_is_left_out_with_a_note() {
    let columns = format!("{TIME} required float x; required int64 __index_level_0__;");
    let group = vec![minutes(0..2), Column::Float(vec![1.0, 2.0], None), Column::Int64(vec![7, 8], None)];
    assert_eq!(
        Sample::new(&columns, &[group]).read().unwrap().summary.notes,
        [r#"column "__index_level_0__" counts rows and was left out"#]
    );
}

#[test]
fn fields_of_structs_are_columns() {
    let columns = format!(
        "{TIME} optional group labels {{ optional binary service (UTF8); }} optional group metrics {{ optional float error_rate; required float x; }}"
    );
    // Of the second row the struct is null, of the third only the field.
    let row = vec![
        minutes(0..3),
        Column::Text(vec!["web", "web", "web"], Some(vec![2, 2, 2])),
        Column::Float(vec![0.25], Some(vec![2, 0, 1])),
        Column::Float(vec![1.0, 3.0], Some(vec![1, 0, 1])),
    ];
    let recording = Sample::new(&columns, &[row]).read().unwrap();
    assert_eq!(recording.summary.services[0].name, "web");
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["error_rate", "metrics.x"]);
    let values = recording.frames.values();
    assert_eq!((values[0], values[1], values[5]), (0.25, 1.0, 3.0));
    assert!(values[2..5].iter().all(|value| value.is_nan()));
}

#[test]
fn each_fault_has_one_message_with_its_place() {
    let x = |values: &[f32]| Column::Float(values.to_vec(), None);
    let plain = ReadOptions::default();
    let refuse = |columns: &str, groups: &[Vec<Column>]| Sample::new(columns, groups).refusal(&plain);

    assert_eq!(
        refuse(
            &format!("{TIME} required float error_rate;"),
            &[vec![minutes(0..2), x(&[0.1, 0.2])], vec![minutes(2..4), x(&[0.3, 7.0])]]
        ),
        r#"m.parquet, row 4, column "error_rate": 7 is outside 0..=1 (ratio); give the unit % (`units`) if it is per cent"#
    );
    assert_eq!(
        refuse(
            &format!("{TIME} required double x;"),
            &[vec![minutes(0..1), Column::Double(vec![1e39], None)]]
        ),
        r#"m.parquet, row 1, column "x": 1000000000000000000000000000000000000000 is outside the finite numbers (dimensionless)"#
    );
    assert_eq!(
        refuse(
            &format!("{TIME} required float x;"),
            &[vec![minutes(0..2), x(&[1.0, 1.0])], vec![minutes(1..2), x(&[1.0])]]
        ),
        r#"m.parquet, row 3: "service" has had a row at 1970-01-01T00:01:00Z already, in row 2; set `duplicates` to first, last or mean to take one, name further `service_columns` where these are two services, or the `timezone` where it is the repeated hour of local times"#
    );
    assert_eq!(
        refuse(
            &format!("{TIME} required int32 day (DATE);"),
            &[vec![minutes(0..1), Column::Int32(vec![1], None)]]
        ),
        r#"m.parquet: has no metric: the columns are "timestamp", "day""#
    );
    assert_eq!(
        refuse(
            "required boolean timestamp; required float x;",
            &[vec![Column::Bool(vec![true], None), x(&[1.0])]]
        ),
        r#"m.parquet, column "timestamp": is BOOLEAN, expected a timestamp, a date, a number or text"#
    );
    assert_eq!(
        refuse("required int64 when; required float x;", &[vec![minutes(0..1), x(&[1.0])]]),
        r#"m.parquet: has no column "timestamp", nor one of the other usual names of a time: the columns are "when", "x"; name it with `time_columns`"#
    );
    assert_eq!(refuse(&format!("{TIME} required float x;"), &[]), "m.parquet: has columns but no rows");
    let optional = "optional int64 timestamp (TIMESTAMP(MILLIS,true)); optional binary service (UTF8); required float x;";
    let times = |levels| Column::Int64(vec![60_000], Some(levels));
    let names = |levels| Column::Text(vec!["a"], Some(levels));
    let one = x(&[1.0, 1.0]);
    let error = refuse(optional, &[vec![times(vec![1, 0]), names(vec![1, 0]), one]]);
    assert!(error.starts_with(r#"m.parquet, row 2, column "timestamp": "" is not a time"#), "{error}");
    let both = Column::Int64(vec![60_000, 120_000], Some(vec![1, 1]));
    assert_eq!(
        refuse(optional, &[vec![both, names(vec![0, 1]), x(&[1.0, 1.0])]]),
        "m.parquet, row 1: the service is empty, expected its name"
    );

    let sample = Sample::new(
        &format!("{TIME} required float x; required int32 failure;"),
        &[vec![minutes(0..1), x(&[1.0]), Column::Int32(vec![2], None)]],
    );
    assert_eq!(
        sample.refusal(&plain.clone().with_outcome_column("failure")),
        r#"m.parquet, row 1, column "failure": "2" is not an outcome, expected 0 or 1, true or false, yes or no, or an empty cell; name the one that means failing as `outcome_equals` (--failure-column 'NAME == WORD'), or words for unknown as `unknown_labels`"#
    );
    assert_eq!(
        sample.refusal(&plain.with_outcome_column("failed")),
        r#"m.parquet: has no column "failed" to be the outcome: it could be "x", "failure""#
    );
}

#[test]
fn types_of_other_writers_are_read() {
    let columns = "required int96 time; required int64 host; required fixed_len_byte_array(5) price (DECIMAL(10,2)); \
                   required int32 ratio (DECIMAL(9,4)); required fixed_len_byte_array(2) half (FLOAT16); required binary color (UTF8); \
                   required int32 born (DATE);";
    let decimal = |value: i64| value.to_be_bytes()[3..].to_vec();
    let group = vec![
        Column::Int96(vec![int96(0), int96(1), int96(2)]),
        Column::Int64(vec![7; 3], None),
        Column::Fixed(vec![decimal(1_234_567), decimal(-5), decimal(0)]),
        Column::Int32(vec![12_345, -1, 0], None),
        Column::Fixed(vec![vec![0x00, 0x3c], vec![0x00, 0xc0], vec![0x00, 0x7e]]),
        Column::Text(vec!["red"; 3], None),
        Column::Int32(vec![1, 2, 3], None),
    ];
    let recording = Sample::new(columns, &[group]).read().unwrap();
    let host = recording.frames.frame(0).unwrap();
    assert_eq!((host.service(), host.start().to_string().as_str()), ("7", "2024-01-01T00:00:00Z"));
    assert_eq!(recording.frames.schema().names().collect::<Vec<_>>(), ["price", "ratio", "half"]);
    assert_eq!(*host.row(0).unwrap(), [12_345.67, 1.2345, 1.0]);
    assert_eq!(*host.row(1).unwrap(), [-0.05, -0.0001, -2.0]);
    assert!(host.row(2).unwrap()[2].is_nan());
    let notes = recording.summary.notes.join("\n");
    for part in [
        "\"host\" was read as the service",
        "which hold text: \"color\"",
        "which hold times: \"born\"",
        "INT96",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
}

#[test]
fn dates_numbers_and_text_may_be_times_and_outcomes() {
    let x = || Column::Float(vec![1.0, 2.0], None);
    let read = |columns: &str, time: Column| {
        let recording =
            Sample::new(&format!("{columns} required float x;"), &[vec![time, x()]]).read().unwrap();
        (recording.summary.services[0].start.to_string(), recording.summary.step.to_string())
    };
    let day = ("2024-01-01T00:00:00Z".to_owned(), "1 d".to_owned());
    assert_eq!(read("required int32 date (DATE);", Column::Int32(vec![19_723, 19_724], None)), day);
    assert_eq!(
        read("required double ts;", Column::Double(vec![1_704_067_200.0, 1_704_153_600.0], None)),
        day
    );
    assert_eq!(
        read("required binary time (UTF8);", Column::Text(vec!["2024-01-01", "2024-01-02"], None)),
        day
    );
    let columns = format!("{TIME} required binary down (UTF8); required float x;");
    let group = vec![minutes(0..2), Column::Text(vec!["Yes", "no"], None), x()];
    let sample = Sample::new(&columns, &[group]);
    let recording = read_path(&sample, &ReadOptions::default().with_outcome_column("down"));
    assert_eq!(recording.frames.values(), [1.0, 1.0, 0.0, 2.0]);
}

#[test]
fn long_and_wide_files_and_counters() {
    let columns = format!(
        "{TIME} required binary service (UTF8); required binary metric (UTF8); optional double value;"
    );
    let long = vec![
        Column::Int64(vec![0, 60_000, 0, 60_000], None),
        Column::Text(vec!["web"; 4], None),
        Column::Text(vec!["a", "a", "b", "b"], None),
        Column::Double(vec![1.0, 2.0, 4.0], Some(vec![1, 1, 0, 1])),
    ];
    let recording = Sample::new(&columns, &[long]).read().unwrap();
    let [first, missing, second, last] = *recording.frames.values() else {
        panic!("two rows of two metrics")
    };
    assert!(missing.is_nan());
    assert_eq!([first, second, last], [1.0, 2.0, 4.0]);

    let columns = format!("{TIME} required double api; required double web;");
    let wide =
        || vec![minutes(0..2), Column::Double(vec![1.0, 2.0], None), Column::Double(vec![3.0, 4.0], None)];
    let sample = Sample::new(&columns, &[wide()]);
    let options = ReadOptions::default().with_shape(forewarn_io::Shape::Wide).with_metric("error_count");
    let recording = read_path(&sample, &options);
    assert_eq!((recording.frames.values(), recording.summary.services.len()), (&[1.0, 2.0, 3.0, 4.0][..], 2));

    // A counter far from zero keeps its increments, in a whole reading and in a stream.
    let columns = format!("{TIME} required int64 requests_total; required float x;");
    let group = |start: i64| {
        vec![
            minutes(start..start + 3),
            Column::Int64((start..start + 3).map(|minute| 5_000_000_000_000 + 7 * minute).collect(), None),
            Column::Float(vec![0.5; 3], None),
        ]
    };
    let sample = Sample::new(&columns, &[group(0), group(3)]);
    let recording = sample.read().unwrap();
    let increases: Vec<f32> = recording.frames.frame(0).unwrap().column("requests_total").unwrap().collect();
    assert!(increases[0].is_nan() && increases[1..] == [7.0; 5]);
    assert_eq!(recording.summary.missing_cells, 0);
    let mut stream = parquet::ParquetStream::open(sample.path(), &ReadOptions::default()).unwrap();
    let mut streamed = Vec::new();
    while let Some(piece) = forewarn_core::FrameStream::next_piece(&mut stream).unwrap() {
        streamed.extend_from_slice(piece.values);
    }
    let shown = |values: &[f32]| values.iter().map(|value| value.to_string()).collect::<Vec<_>>();
    assert_eq!(shown(&streamed), shown(recording.frames.values()));
    assert_eq!(*stream.summary(), recording.summary);
}

/// Reads the file of a sample.
fn read_path(sample: &Sample, options: &ReadOptions) -> Recording {
    read(sample.path(), options).unwrap()
}

#[test]
fn damaged_files_are_refused_or_read_and_never_panic() {
    let columns = format!("{TIME} required binary service (UTF8); optional float x;");
    let group = |start: i64| {
        vec![
            minutes(start..start + 8),
            Column::Text(vec!["web"; 8], None),
            Column::Float(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], Some(vec![1, 1, 0, 1, 1, 1, 0, 1])),
        ]
    };
    let sample = Sample::new(&columns, &[group(0), group(8)]);
    assert!(sample.read().is_ok());
    let whole = fs::read(sample.path()).unwrap();
    for length in 0..whole.len() {
        fs::write(sample.path(), &whole[..length]).unwrap();
        let error = sample.read().expect_err("a part of a file is not a file");
        let expected = match length {
            0 => matches!(error, IoError::Empty { .. }),
            1..4 => matches!(error, IoError::NotParquet { .. }),
            _ => matches!(error, IoError::ParquetCut { .. }),
        };
        assert!(expected, "{length}: {error}");
    }
    let mut refused = 0;
    for at in 4..whole.len() - 4 {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            fs::write(sample.path(), &bytes).unwrap();
            refused += usize::from(sample.read().is_err());
        }
    }
    assert!(refused > whole.len(), "{refused} of {} damaged files were refused", 3 * (whole.len() - 8));
}

/// Minutes after the start of 2024 as older writers have them: a Julian day, and its nanoseconds.
fn int96(minute: u64) -> Int96 {
    let nanos = minute * 60_000_000_000;
    let mut time = Int96::new();
    time.set_data(nanos as u32, (nanos >> 32) as u32, 2_440_588 + 19_723);
    time
}

#[test]
fn rows_of_any_file_are_cells_of_text() {
    let text = |texts: [&'static str; 2]| Column::Text(texts.into(), None);
    let sample = Sample::new(
        "required int64 t (TIMESTAMP(MILLIS,true)); required int64 l (TIMESTAMP(MILLIS,false)); required int32 d (DATE); \
         required int64 n; required float s; optional double m; required boolean b; required binary name (UTF8); \
         required int96 o;",
        &[vec![
            Column::Int64(vec![1_704_067_200_000, 1_704_067_260_500], None),
            Column::Int64(vec![1_704_067_200_000, 1_704_067_260_000], None),
            Column::Int32(vec![19_723, 19_724], None),
            Column::Int64(vec![1_704_067_200_123_456_789, -1], None),
            Column::Float(vec![0.1, f32::NAN], None),
            Column::Double(vec![0.25], Some(vec![0, 1])),
            Column::Bool(vec![true, false], None),
            text([" web", "api"]),
            Column::Int96(vec![int96(0), int96(1)]),
        ]],
    );
    let rows = forewarn_io::CellRows::open(sample.path(), &ReadOptions::default()).unwrap();
    let found = crate::cell_rows::all(rows).unwrap();
    let first = [
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00",
        "1704067200123456789",
        "0.1",
        "",
        "1",
        "web",
        "2024-01-01T00:00:00Z",
    ];
    let second = [
        "2024-01-01T00:01:00.5Z",
        "2024-01-01T00:01:00",
        "2024-01-02T00:00:00",
        "-1",
        "NaN",
        "0.25",
        "0",
        "api",
        "2024-01-01T00:01:00Z",
    ];
    assert_eq!(found, [(1, first.map(str::to_owned).to_vec()), (2, second.map(str::to_owned).to_vec())]);
}

#[test]
fn rows_go_on_over_row_groups_and_batches() {
    let group = |first: i64, rows: i64| vec![Column::Int64((first..first + rows).collect(), None)];
    let sample = Sample::new("required int64 n;", &[group(0, 10_000), group(10_000, 3)]);
    let rows = forewarn_io::CellRows::open(sample.path(), &ReadOptions::default()).unwrap();
    let found = crate::cell_rows::all(rows).unwrap();
    let expected = (0..10_003).map(|row: u64| (row + 1, vec![row.to_string()]));
    assert!(found.into_iter().eq(expected));
}

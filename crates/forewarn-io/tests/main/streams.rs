//! Files piece by piece: the same rows as the whole file, in bounded pieces.

use crate::round_trip::assert_same;
use forewarn_core::{FrameStream, PieceOrder};
use forewarn_io::{
    IoError, ReadOptions,
    parquet::{self, ParquetStream, ParquetWriter},
};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};
use proptest::{collection::vec, prelude::*};
use std::path::PathBuf;
use tempfile::TempDir;

fn schema() -> Schema {
    Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap()
}

fn frame(service: &str, minute: i64, values: Vec<f32>) -> Frame {
    let start = Timestamp::EPOCH.checked_add(Step::MINUTE, minute).unwrap();
    Frame::new(service, schema(), start, Step::MINUTE, values).unwrap()
}

/// A file of these frames, in this order.
fn file(frames: &[Frame]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.parquet");
    let mut writer = ParquetWriter::create(&path, &schema()).unwrap();
    frames.iter().for_each(|frame| writer.write(frame.view()).unwrap());
    writer.finish().unwrap();
    (folder, path)
}

/// All values of a pass, where the layout has them; and the most values that came at once.
fn pass(stream: &mut ParquetStream) -> (Vec<f32>, usize) {
    let width = stream.schema().len();
    let mut values = vec![f32::INFINITY; stream.layout().rows() * width];
    let (mut order, mut most) = (PieceOrder::start(stream).unwrap(), 0);
    while let Some(piece) = stream.next_piece().unwrap() {
        order.take(&piece).unwrap();
        values[piece.rows.start * width..piece.rows.end * width].copy_from_slice(piece.values);
        most = most.max(piece.values.len());
    }
    order.finish().unwrap();
    (values, most)
}

/// A few services, each a list of rows missing before, and rows of values; NaN where a value is.
fn services() -> impl Strategy<Value = Vec<Vec<(i64, Vec<f32>)>>> {
    let value = prop_oneof![1 => Just(f32::NAN), 9 => -1e3f32..1e3];
    let values = vec(value, 1..20).prop_map(|mut values| {
        values.truncate(values.len().max(2) / 2 * 2);
        if values.len() == 1 {
            values.push(0.5);
        }
        values
    });
    let gap = prop_oneof![4 => Just(0i64), 3 => 1i64..5, 1 => 1000i64..4000];
    vec(vec((gap, values), 1..6), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_are_the_rows_of_the_file(
        services in services(), start in -1000i64..1000, rows_at_once in prop_oneof![Just(1usize), 1usize..60, Just(1 << 16)]
    ) {
        // Services take turns.
        let (mut frames, mut next) = (Vec::new(), vec![start; services.len()]);
        for turn in 0..6 {
            for (service, runs) in services.iter().enumerate().rev() {
                if let Some((gap, values)) = runs.get(turn) {
                    let minute = next[service] + if turn == 0 { 7 * service as i64 } else { *gap };
                    frames.push(frame(&format!("s{service}"), minute, values.clone()));
                    next[service] = minute + values.len() as i64 / 2;
                }
            }
        }
        let (_folder, path) = file(&frames);
        let options = ReadOptions::default().with_step(Step::MINUTE);
        let whole = parquet::read(&path, &options).unwrap();
        let mut stream = ParquetStream::open(&path, &options).unwrap().with_rows_at_once(rows_at_once);
        prop_assert_eq!(stream.layout(), whole.frames.layout());
        // Twice, since fitting and applying are two passes.
        for _ in 0..2 {
            let (values, most) = pass(&mut stream);
            let pieces = whole.frames.derive(schema(), values).unwrap();
            assert_same(&pieces, &whole.frames);
            prop_assert_eq!(stream.summary(), &whole.summary);
            if rows_at_once == 1 {
                // A row group at a time, or a piece of a long gap.
                prop_assert!(most <= 2 * 1024 + 40, "{most}");
            }
        }
    }
}

#[test]
fn a_gap_of_years_takes_no_memory() {
    let (_folder, path) = file(&[frame("s", 0, vec![1.0; 40]), frame("s", 500_000, vec![2.0; 4])]);
    let mut stream = ParquetStream::open(&path, &ReadOptions::default()).unwrap();
    assert_eq!((stream.layout().rows(), stream.summary().gap_rows), (500_002, 499_980));
    let (values, most) = pass(&mut stream);
    assert_eq!(most, 2 * 1024);
    assert_eq!(values.iter().filter(|value| !value.is_nan()).sum::<f32>(), 48.0);
}

#[test]
fn what_a_whole_reading_refuses_a_stream_refuses() {
    let twice = [frame("s", 0, vec![1.0; 4]), frame("t", 0, vec![1.0; 4]), frame("s", 1, vec![1.0; 4])];
    let (_folder, path) = file(&twice);
    let options = ReadOptions::default();
    let message = |error: IoError| error.to_string();
    let whole = message(parquet::read(&path, &options).unwrap_err());
    assert_eq!(message(ParquetStream::open(&path, &options).err().unwrap()), whole);
    assert!(whole.contains("row 5"), "{whole}");
    // Values are only seen in a pass.
    let (_folder, path) = file(&[frame("s", 0, vec![1.0, 0.5, 1.0, 7.0])]);
    let options = options.with_outcome_column("b");
    let whole = message(parquet::read(&path, &options).unwrap_err());
    let mut stream = ParquetStream::open(&path, &options).unwrap();
    let error = stream.next_piece().unwrap_err().to_string();
    assert!(error.contains(&whole) && whole.contains("row 1"), "{error}");
    assert!(ParquetStream::open(path.with_file_name("elsewhere"), &options).is_err());
}

#[test]
fn a_file_that_changes_is_noticed() {
    let rows = |service, minute| frame(service, minute, (0..600u16).map(f32::from).collect());
    let (_folder, path) = file(&[rows("s", 0)]);
    for other in [rows("t", 0), rows("s", 1)] {
        let mut stream = ParquetStream::open(&path, &ReadOptions::default()).unwrap();
        let (_other_folder, changed) = file(&[other]);
        // In place, as a program that writes over its own file does.
        std::fs::write(&path, std::fs::read(changed).unwrap()).unwrap();
        assert!(stream.next_piece().is_err());
    }
}

#[test]
fn frames_of_other_metrics_or_names_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = ParquetWriter::create(folder.path().join("a.parquet"), &schema()).unwrap();
    let other = Schema::new(vec![Metric::gauge("a")]).unwrap();
    let other = Frame::new("s", other, Timestamp::EPOCH, Step::MINUTE, vec![1.0]).unwrap();
    assert!(matches!(writer.write(other.view()), Err(IoError::Schema { .. })));
    assert!(matches!(writer.write(frame(" s", 0, vec![1.0; 2]).view()), Err(IoError::Unwritable { .. })));
    let timestamp = Schema::new(vec![Metric::gauge("timestamp")]).unwrap();
    assert!(ParquetWriter::create(folder.path().join("b.parquet"), &timestamp).is_err());
    let set = FrameSet::from_frames(vec![frame("s", 0, vec![1.0; 6]), frame("t", 5, vec![2.0; 2])]).unwrap();
    set.frames().for_each(|frame| writer.write(frame).unwrap());
    writer.finish().unwrap();
    let read = parquet::read(folder.path().join("a.parquet"), &ReadOptions::default()).unwrap();
    assert_same(&read.frames, &set);
}

use forewarn_io::{IoError, ReadOptions, csv};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp, strategies};
use proptest::prelude::*;

/// One to three services of one schema, none without rows.
pub(crate) fn frame_set() -> impl Strategy<Value = FrameSet> {
    let schema = prop_oneof![strategies::schema(5), Just(Schema::v1())];
    let services =
        prop_oneof![Just(vec!["service"]), Just(vec!["a,\"b\""]), Just(vec!["web", "auth", "db é"])];
    (schema, services)
        .prop_flat_map(|(schema, services)| {
            services.into_iter().map(|name| strategies::frame(name, schema.clone(), 30)).collect::<Vec<_>>()
        })
        .prop_filter("a service needs rows", |frames| frames.iter().all(|frame| frame.view().rows() > 0))
        .prop_map(|frames| FrameSet::from_frames(frames).unwrap())
}

/// Equal to the bit, in names, times and values; NaN is NaN.
pub(crate) fn assert_same(a: &FrameSet, b: &FrameSet) {
    let bits = |set: &FrameSet| -> Vec<Option<u32>> {
        set.values().iter().map(|value| (!value.is_nan()).then_some(value.to_bits())).collect()
    };
    assert_eq!(a.schema(), b.schema());
    assert_eq!(a.layout(), b.layout());
    assert_eq!(bits(a), bits(b));
}

fn to_text(frames: &FrameSet) -> String {
    let mut text = Vec::new();
    csv::write(frames, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

proptest! {
    #[test]
    fn csv_keeps_every_bit(frames in frame_set()) {
        let text = to_text(&frames);
        let recording = csv::read_from(text.as_bytes(), "m.csv", &ReadOptions::default()).unwrap();
        assert_same(&recording.frames, &frames);
        prop_assert_eq!(recording.summary.gap_rows, 0);
        let missing = frames.values().iter().filter(|value| value.is_nan()).count();
        prop_assert_eq!(recording.summary.missing_cells, missing as u64);
        let assumed = frames.frames().all(|frame| frame.rows() == 1);
        let notes = recording.summary.notes.iter().filter(|note| !note.starts_with("no column names services"));
        prop_assert_eq!(notes.count(), usize::from(assumed));
    }

    #[test]
    fn any_finite_number_survives_as_text(bits in any::<u32>()) {
        let value = f32::from_bits(bits);
        prop_assume!(value.is_finite());
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = Frame::new("service", schema, Timestamp::EPOCH, Step::MINUTE, vec![value]).unwrap();
        let frames = FrameSet::from_frames(vec![frame]).unwrap();
        let recording = csv::read_from(to_text(&frames).as_bytes(), "m.csv", &ReadOptions::default()).unwrap();
        assert_same(&recording.frames, &frames);
    }
}

fn frames_of(services: &[&str], metric: &str, values: &[f32]) -> FrameSet {
    let schema = Schema::new(vec![Metric::gauge(metric)]).unwrap();
    let frame = |name: &&str| {
        Frame::new(*name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values.to_vec()).unwrap()
    };
    FrameSet::from_frames(services.iter().map(frame).collect()).unwrap()
}

#[test]
fn the_text_is_what_other_programs_expect() {
    let values = [0.1, f32::NAN, 1e-7, 16_777_216.0, 3e38, -0.0];
    assert_eq!(
        to_text(&frames_of(&["service"], "x", &values)),
        "timestamp,x\n1970-01-01T00:00:00Z,0.1\n1970-01-01T00:01:00Z,\n1970-01-01T00:02:00Z,1e-7\n\
         1970-01-01T00:03:00Z,16777216\n1970-01-01T00:04:00Z,3e38\n1970-01-01T00:05:00Z,-0\n"
    );
    assert_eq!(
        to_text(&frames_of(&["b", "a"], "x", &[2.0])),
        "timestamp,service,x\n1970-01-01T00:00:00Z,a,2\n1970-01-01T00:00:00Z,b,2\n"
    );
    assert!(to_text(&frames_of(&["web"], "x", &[2.0])).starts_with("timestamp,service,x\n"));
}

#[test]
fn what_would_not_be_read_back_is_not_written() {
    for (frames, what) in [
        (frames_of(&["a"], "service", &[1.0]), "metric"),
        (frames_of(&["a"], "timestamp", &[1.0]), "metric"),
        (frames_of(&["a"], "x ", &[1.0]), "metric"),
        (frames_of(&[" a"], "x", &[1.0]), "service"),
        (frames_of(&["a"], "x", &[]), "service"),
    ] {
        let error = csv::write(&frames, Vec::new()).unwrap_err();
        assert!(matches!(&error, IoError::Unwritable { what: got, .. } if *got == what), "{error}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = csv::write(&frames_of(&["a"], "x", &[1.0]), Full).unwrap_err();
    assert_eq!(error.to_string(), "CSV: cannot be written: disk full");
}

use crate::support::labels;
use forewarn_core::{CoreError, InPieces, LabelledWindows, WindowSpec};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};
use forewarn_window::{
    Ewma, Features, Fractions, Normalisation, Pipeline, RecentNormal, Rolling, Scope, SeasonalResidual,
    Statistic, WindowError, chronological, downsample_negatives,
};
use proptest::prelude::*;

/// Three services of different length with gaps, and one without a row.
fn fleet(seed: u32) -> FrameSet {
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
    let frame = |(service, rows): (&str, u32)| {
        let value = |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 16) as f32 / 100.0;
        let gap = |i: u32| if i % 13 == 3 { f32::NAN } else { value(i) };
        let values = (0..2 * rows).map(gap).collect();
        Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
    };
    let services = [("a", 400), ("b", 230), ("c", 0), ("d", 317)];
    FrameSet::from_frames(services.map(frame).into()).unwrap()
}

/// Features that remember: for a step, for a while, for ever.
fn features() -> Features {
    Features::default()
        .with(Rolling::new(Statistic::Std, 7).unwrap())
        .with(RecentNormal::new(20).unwrap())
        .with(SeasonalResidual::new(60).unwrap())
        .with(Ewma::half_life(9.0).unwrap())
}

fn bits(windows: LabelledWindows<'_>) -> Vec<u32> {
    windows.windows().iter().flatten().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pieces_give_what_the_whole_gives(
        seed in any::<u32>(), rows_a_piece in prop_oneof![1usize..40, Just(1 << 20)],
        method in prop_oneof![Just(Normalisation::ZScore), Just(Normalisation::MinMax)],
        scope in prop_oneof![Just(Scope::Service), Just(Scope::Global)],
        observation in 1usize..12,
    ) {
        let frames = fleet(seed);
        let labels = labels(&frames, WindowSpec::new(observation, 0, 5).unwrap());
        let split = chronological(&labels, Fractions::default()).unwrap();
        let picked = downsample_negatives(split.train(), 0.3, 7).unwrap();
        let whole = Pipeline::fit(features(), picked.samples(), &frames, method, scope, 2).unwrap();
        let mut stream = InPieces::new(&frames, rows_a_piece);
        let pieces = Pipeline::fit_pieces(features(), picked.samples(), &mut stream, method, scope).unwrap();
        prop_assert_eq!(pieces.normaliser(), whole.normaliser());

        let columns = whole.apply(&frames).unwrap();
        let (mut seen, test) = (0, split.test());
        let expected = bits(*test.on(&columns).unwrap());
        let (mut made, mut windows) = (Vec::new(), pieces.windows(&mut stream, test).unwrap());
        while let Some(piece) = windows.next_piece().unwrap() {
            prop_assert_eq!(piece.samples.start, seen);
            seen = piece.samples.end;
            let labelled = piece.labelled().unwrap();
            prop_assert_eq!(labelled.positive(), &test.positive()[piece.samples.clone()]);
            made.extend(bits(labelled));
        }
        prop_assert!(windows.next_piece().unwrap().is_none());
        prop_assert_eq!(seen, test.len());
        prop_assert!(made == expected);

        let copies = pieces.copy_windows(&mut stream, picked.samples()).unwrap();
        let copied = picked.samples().with_windows(copies.windows().unwrap()).unwrap();
        let train = picked.samples().on(&columns).unwrap();
        prop_assert!(bits(*copied) == bits(*train));
        prop_assert_eq!(copied.weights(), train.weights());
        prop_assert!(copied.weights().is_some());
    }
}

#[test]
fn what_needs_all_values_or_fits_no_samples_is_refused() {
    let frames = fleet(1);
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological(&labels, Fractions::default()).unwrap();
    let mut stream = InPieces::new(&frames, 50);
    for method in [Normalisation::Robust, Normalisation::Quantile { knots: 9 }] {
        let error = Pipeline::fit_pieces(features(), split.train(), &mut stream, method, Scope::Global);
        assert!(matches!(error.err().unwrap(), WindowError::NeedsEveryValue { .. }));
    }
    let pipeline =
        Pipeline::fit(features(), split.train(), &frames, Normalisation::ZScore, Scope::Global, 1).unwrap();
    let other = FrameSet::from_frames(vec![
        Frame::new("a", frames.schema().clone(), Timestamp::EPOCH, Step::MINUTE, vec![0.0; 800]).unwrap(),
    ])
    .unwrap();
    let mut other = InPieces::new(&other, 50);
    let error = pipeline.windows(&mut other, split.test()).err().unwrap();
    assert!(matches!(error, WindowError::Core(CoreError::LayoutMismatch)));
    let error =
        Pipeline::fit_pieces(features(), split.train(), &mut other, Normalisation::ZScore, Scope::Global);
    assert!(matches!(error.err().unwrap(), WindowError::Core(CoreError::LayoutMismatch)));
}

#[test]
fn a_value_out_of_range_is_named() {
    let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
    let value = |row: u16| if row == 190 { 3e38 } else { f32::from(row % 2) * 1e-3 };
    let values = (0..200).map(value).collect();
    let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap();
    let frames = FrameSet::from_frames(vec![frame]).unwrap();
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological(&labels, Fractions::default()).unwrap();
    let fit =
        Pipeline::fit(Features::default(), split.train(), &frames, Normalisation::ZScore, Scope::Global, 1);
    let pipeline = fit.unwrap();
    let whole = pipeline.apply(&frames).unwrap_err().to_string();
    for rows in [1, 7, 1000] {
        let mut stream = InPieces::new(&frames, rows);
        let mut windows = pipeline.windows(&mut stream, split.test()).unwrap();
        let error = loop {
            match windows.next_piece() {
                Ok(piece) => assert!(piece.is_some(), "no error"),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(error, whole);
    }
}

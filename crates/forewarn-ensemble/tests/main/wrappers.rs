//! Calibration, combination and cold start: around any predictor, saved with what is inside.

use crate::line::{FittedLine, Line, registry};
use crate::support::{Data, noisy, through_a_file};
use forewarn_core::{
    CoreError, Envelope, Explain, Forecast, History, ModelFileError, Origin, Predictor, PredictorState, Save,
    Score, Silent, Windows, average_precision, sigmoid,
};
use forewarn_ensemble::{
    Calibrated, CalibrationMethod, ColdStart, Combined, FittedNovelty, Novelty, Qualified, Unknown,
    side_by_side,
};
use forewarn_schema::{FrameSet, Schema, Step, Timestamp};

fn scores(model: &impl Predictor, data: &Data) -> Vec<Score> {
    model.score_all(data.split.test().on(&data.frames).unwrap().windows()).unwrap()
}

#[test]
fn calibration_undoes_what_scores_are_off_by() {
    let data = noisy(4000);
    let raw = data.fit(&Line { off: 1.5, ..Line::default() }).unwrap();
    let raw_scores = scores(&raw, &data);
    let mean = |scores: &[Score]| {
        scores.iter().map(|score| f64::from(score.get())).sum::<f64>() / scores.len() as f64
    };
    let share = data.split.test().positives() as f64 / data.split.test().len() as f64;
    assert!((mean(&raw_scores) - share).abs() > 0.05);
    for calibration in [CalibrationMethod::Platt, CalibrationMethod::Isotonic, CalibrationMethod::Beta] {
        let validation = data.split.validation().on(&data.frames).unwrap();
        let model = Calibrated::fit(raw.clone(), calibration, validation).unwrap();
        let [before, after] = model.validation_log_loss().unwrap();
        assert!(after < before - 0.005 && !model.is_identity(), "{calibration:?} {before} {after}");
        let calibrated = scores(&model, &data);
        assert!((mean(&calibrated) - share).abs() < 0.01, "{calibration:?}");
        let mut order: Vec<usize> = (0..raw_scores.len()).collect();
        order.sort_by_key(|&window| raw_scores[window]);
        assert!(order.windows(2).all(|pair| calibrated[pair[0]] <= calibrated[pair[1]]), "{calibration:?}");
        if calibration != CalibrationMethod::Isotonic {
            let [raw, calibrated] =
                [&raw_scores, &calibrated].map(|s| average_precision(s, data.positive()).unwrap());
            assert!((raw - calibrated).abs() < 1e-4, "{calibration:?} {raw} {calibrated}");
        }
        let envelope = model.to_envelope(data.spec).unwrap();
        let read = registry().predictor(through_a_file(&envelope)).unwrap();
        assert_eq!(scores(&read, &data), calibrated);
        assert!(Combined::from_envelope(envelope, &registry().reader()).is_err());
    }
}

/// Says when as well as whether, by the first value of a window's last row.
struct When {
    schema: Schema,
    observation: usize,
    history: [History; 1],
}

impl Predictor for When {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        let forecasts = self.forecasts(windows)?.ok_or(CoreError::LayoutMismatch)?;
        for (score, forecast) in scores.iter_mut().zip(forecasts) {
            *score = Score::new(forecast.within() as f32)?;
        }
        Ok(())
    }

    fn forecasts(&self, windows: Windows<'_>) -> Result<Option<Vec<Forecast>>, CoreError> {
        let hazards = |row: &[f32]| {
            let hazard = if row[0].is_nan() { 0.5 } else { sigmoid(f64::from(row[0])) };
            Forecast::from_hazards(&[hazard, 0.5 * hazard])
        };
        windows.iter_last().map(hazards).collect::<Result<_, _>>().map(Some)
    }

    fn history(&self) -> &[History] {
        &self.history
    }
}

#[test]
fn a_wrapper_knows_when_as_what_is_inside_does() {
    let data = noisy(4000);
    let validation = data.split.validation().on(&data.frames).unwrap();
    let windows = validation.windows();
    let (schema, observation) = (windows.schema().clone(), windows.observation());
    let when = || When { schema: schema.clone(), observation, history: [History::default()] };
    let inner = when().forecasts(windows).unwrap().unwrap();

    let qualified = Qualified::new(when(), "metrics").unwrap();
    let named = Windows::new(qualified.input(), windows.block(), observation, windows.last_rows()).unwrap();
    assert!(qualified.forecasts(named).unwrap().unwrap() == inner);
    assert_eq!(qualified.history().len(), 1);
    assert!(matches!(qualified.forecasts(windows), Err(CoreError::FeatureMismatch { .. })));

    let calibrated = Calibrated::fit(when(), CalibrationMethod::Platt, validation).unwrap();
    assert!(!calibrated.is_identity());
    let scores = calibrated.score_all(windows).unwrap();
    let raw = calibrated.inner().score_all(windows).unwrap();
    assert!(raw.iter().zip(&scores).all(|(&raw, &score)| calibrated.calibrate(raw).unwrap() == score));
    assert_ne!(raw, scores);
    let forecasts = calibrated.forecasts(windows).unwrap().unwrap();
    for ((forecast, inner), score) in forecasts.iter().zip(&inner).zip(scores) {
        assert!((forecast.within() - f64::from(score.get())).abs() < 1e-6);
        let [when, before] = [forecast, inner].map(|forecast| forecast.expected_steps().unwrap());
        assert!((when - before).abs() < 1e-9);
    }
    assert_eq!(calibrated.history().len(), 1);
}

#[test]
fn a_stack_is_no_worse_than_its_members_and_is_saved() {
    let data = noisy(4000);
    let last = data.fit(&Line::default()).unwrap();
    let means = data.fit(&Line { of_means: true, off: 0.5 }).unwrap();
    let members: Vec<FittedLine> = vec![last, means];
    let validation = data.split.validation().on(&data.frames).unwrap();
    let stack = Combined::stacked(members.clone(), validation).unwrap();
    let loss = |scores: Vec<Score>| -> f64 {
        let losses = scores.into_iter().zip(data.positive()).map(|(score, &positive)| {
            let log_odds = score.log_odds();
            if positive { (-log_odds).exp().ln_1p() } else { log_odds.exp().ln_1p() }
        });
        losses.sum::<f64>() / data.positive().len() as f64
    };
    for (member, weight) in stack.members() {
        assert!(
            weight >= 0.0 && loss(scores(&stack, &data)) <= loss(scores(member, &data)) + 1e-3,
            "{weight}"
        );
    }
    let envelope = stack.to_envelope(data.spec).unwrap();
    let read = registry().predictor(through_a_file(&envelope)).unwrap();
    assert_eq!(scores(&read, &data), scores(&stack, &data));
    let average = Combined::average(members).unwrap();
    assert!(average.members().all(|(_, weight)| weight == 0.5));
    assert!(matches!(Combined::<FittedLine>::average(Vec::new()), Err(CoreError::InvalidSetting { .. })));
}

/// The first and the last metric alone, four times as large.
fn other_rows(frames: &FrameSet) -> FrameSet {
    let schema =
        Schema::new([0, 2].map(|column| frames.schema().metrics()[column].clone()).to_vec()).unwrap();
    let values = frames.values().chunks(3).flat_map(|row| [4.0 * row[0], 4.0 * row[2]]).collect();
    frames.derive(schema, values).unwrap()
}

/// A line on raw rows, one on other rows of the same names, and one on a shorter window of these: a combination of
/// all that may differ.
fn of_different_rows(data: &Data) -> (FrameSet, Vec<Qualified<FittedLine>>) {
    let other = other_rows(&data.frames);
    let wide = side_by_side(&[("measured", &data.frames), ("other", &other)]).unwrap();
    let fit_on = |frames: &FrameSet, estimator: &dyn Fn(Parts<'_>) -> FittedLine| {
        let (train, validation) = (data.split.train(), data.split.validation());
        estimator((train.on(frames).unwrap(), validation.on(frames).unwrap()))
    };
    let last = data.fit(&Line::default()).unwrap();
    let of_other = fit_on(&other, &|(train, validation)| {
        forewarn_core::Estimator::fit(&Line::default(), train, validation, &mut Silent).unwrap()
    });
    let short = Data::new(data.frames.schema(), 2, &data.values, &every_third(&data.values));
    let means = short.fit(&Line { of_means: true, off: 0.0 }).unwrap();
    let members = [(last, "measured"), (of_other, "other"), (means, "measured")];
    (wide, members.map(|(member, source)| Qualified::new(member, source).unwrap()).into())
}

type Parts<'a> = (
    forewarn_core::Train<forewarn_core::LabelledWindows<'a>>,
    forewarn_core::Validation<forewarn_core::LabelledWindows<'a>>,
);

fn every_third(values: &[f32]) -> Vec<bool> {
    (0..values.len() / 3).map(|row| row % 3 == 0).collect()
}

#[test]
fn members_may_read_different_rows_and_windows() {
    let data = noisy(3000);
    let (wide, members) = of_different_rows(&data);
    let validation = data.split.validation().on(&wide).unwrap();
    let stack = Combined::stacked(members.clone(), validation).unwrap();
    assert_eq!((stack.observation(), stack.input().len()), (4, 5));
    let names: Vec<&str> = stack.input().names().collect();
    assert_eq!(names, ["measured.m0", "measured.m1", "measured.m2", "other.m0", "other.m2"]);

    // Each member scores what it would score alone, on its own rows.
    let windows = data.split.test().on(&wide).unwrap();
    let scores = stack.score_all(windows.windows()).unwrap();
    let other = other_rows(&data.frames);
    let rows = data.split.test().rows();
    let alone: Vec<Vec<Score>> = members
        .iter()
        .map(|member| {
            let frames = if member.source() == "other" { &other } else { &data.frames };
            let (model, values) = (member.inner(), frames.values());
            let windows = Windows::new(model.input(), values, model.observation(), rows).unwrap();
            model.score_all(windows).unwrap()
        })
        .collect();
    let alone: Vec<&[Score]> = alone.iter().map(Vec::as_slice).collect();
    assert_eq!(stack.blend().apply(&alone).unwrap(), scores);
    // In any order of windows, and some of them only.
    let picked: Vec<u32> = rows.iter().rev().step_by(3).chain(&rows[5..7]).copied().collect();
    let few = Windows::new(wide.schema(), wide.values(), 4, &picked).unwrap();
    for (&row, score) in picked.iter().zip(stack.score_all(few).unwrap()) {
        let at = rows.iter().position(|&other| other == row).unwrap();
        assert_eq!(score, scores[at]);
    }

    // Live, the rows of both sources one behind the other.
    let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
    let mut live = PredictorState::start(stack.clone(), origin).unwrap();
    let block = &wide.values()[wide.values().len() / 3 * 2..];
    let streamed: Vec<Score> =
        block.chunks(5).filter_map(|row| live.push_at(live.next(), row).unwrap().result).collect();
    assert_eq!(streamed, scores);

    for window in windows.windows().iter().step_by(101) {
        let evidence = stack.explain(window).unwrap();
        assert_eq!(evidence.score(), stack.score_one(window).unwrap());
        assert!(evidence.contributions().iter().all(|part| stack.input().index_of(&part.metric).is_ok()));
    }

    let envelope = through_a_file(&stack.to_envelope(data.spec).unwrap());
    assert_eq!((envelope.window, &envelope.schema), (data.spec, stack.input()));
    let registry = registry();
    let read = Combined::from_envelope(envelope.clone(), &registry.reader()).unwrap();
    assert_eq!(read.score_all(windows.windows()).unwrap(), scores);
    assert_eq!(read.to_envelope(data.spec).unwrap(), envelope);
    let narrower = Envelope { schema: data.frames.schema().clone(), ..envelope };
    assert!(matches!(
        Combined::from_envelope(narrower, &registry.reader()),
        Err(ModelFileError::Core(CoreError::FeatureMismatch { .. }))
    ));
}

#[test]
fn one_name_for_two_things_is_refused() {
    let data = noisy(1000);
    let line = data.fit(&Line::default()).unwrap();
    let mut metrics = data.frames.schema().metrics().to_vec();
    metrics[1].kind = forewarn_schema::Kind::Delta;
    let other = data.frames.derive(Schema::new(metrics).unwrap(), data.frames.values().to_vec()).unwrap();
    let (train, validation) = (data.split.train(), data.split.validation());
    let (train, validation) = (train.on(&other).unwrap(), validation.on(&other).unwrap());
    let other = forewarn_core::Estimator::fit(&Line::default(), train, validation, &mut Silent).unwrap();
    let error = Combined::average(vec![line.clone(), other.clone()]).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("\"m1\"") && source.contains("Qualified"), "{source}");
    let apart = [(line, "a"), (other, "b")].map(|(model, source)| Qualified::new(model, source).unwrap());
    assert_eq!(Combined::average(apart.into()).unwrap().input().len(), 6);
    assert!(side_by_side(&[]).is_err() && side_by_side(&[("a", &data.frames), ("a", &data.frames)]).is_err());
    assert!(side_by_side(&[("a", &data.frames), ("b", &noisy(20).frames)]).is_err());
}

#[test]
fn what_cannot_be_told_is_the_same_live_saved_and_in_a_batch() {
    let mut data = noisy(1200);
    let line = data.fit(&Line::default()).unwrap();
    let guarded = ColdStart::new(line, data.fit(&Novelty).unwrap()).unwrap();
    let guarded = guarded.with_least_present(0.8).with_most_distance(1.4);
    data.values[30..60].fill(f32::NAN);
    data.values[600..630].fill(9.0);
    let rows: Vec<u32> = (3..1200).collect();
    let windows = Windows::new(data.frames.schema(), &data.values, 4, &rows).unwrap();
    let batch = guarded.judge_all(windows).unwrap();
    for unknown in [None, Some(Unknown::Missing), Some(Unknown::Unfamiliar)] {
        assert!(batch.iter().filter(|judgement| judgement.unknown == unknown).count() > 5, "{unknown:?}");
    }
    assert!(batch.iter().all(|judgement| judgement.score.is_some() == judgement.unknown.is_none()));

    let envelope = guarded.to_envelope(data.spec).unwrap();
    assert_eq!((envelope.kind.as_str(), envelope.window), ("cold_start", data.spec));
    let read = |envelope| ColdStart::from_envelope(envelope, &registry().reader());
    let read_again = read(through_a_file(&envelope)).unwrap();
    assert_eq!(read_again.judge_all(windows).unwrap(), batch);
    let boxed = |guarded: &ColdStart<FittedLine>| read(guarded.to_envelope(data.spec).unwrap()).unwrap();
    let (mut own, mut again) = (guarded.clone().stream(), boxed(&guarded).stream());
    for (row, sample) in data.values.chunks(3).enumerate() {
        let judgement = own.push(sample).unwrap();
        assert_eq!(again.push(sample).unwrap(), judgement);
        assert_eq!(judgement.score.is_some(), row >= 3 && batch[row - 3].score.is_some());
        assert!(row < 3 || judgement == batch[row - 3]);
    }

    let anywhere = guarded.clone().with_most_distance(f32::INFINITY);
    let anywhere = boxed(&anywhere);
    assert_eq!(anywhere.judge(&[1e6; 12]).unwrap().unknown, None);
    // A guard that compares with NaN never strikes: it is refused, wherever it comes from.
    let shares = [1.1, -0.1, f64::NAN, f64::INFINITY].map(|share| guarded.clone().with_least_present(share));
    let distances = [-1.0, f32::NAN, f32::NEG_INFINITY].map(|far| guarded.clone().with_most_distance(far));
    for wrong in shares.into_iter().chain(distances) {
        let error = wrong.judge(&[0.5; 12]).unwrap_err();
        assert!(matches!(error, CoreError::InvalidSetting { .. }), "{error}");
        assert!(wrong.judge_all(windows).is_err() && wrong.to_envelope(data.spec).is_err());
    }
    for (setting, wrong) in [("most_distance", -1.0), ("least_present", 1.1)] {
        let mut damaged = envelope.clone();
        damaged.parameters["settings"][setting] = wrong.into();
        let error = read(damaged).err().unwrap();
        assert!(
            matches!(error, ModelFileError::Core(CoreError::InvalidSetting { .. })),
            "{setting}: {error}"
        );
    }
    let one = Calibrated::from_envelope(envelope, &registry().reader());
    assert!(matches!(one, Err(ModelFileError::WrongKind { .. })));
    let other = Windows::new(data.frames.schema(), &data.values, 3, &rows).unwrap();
    assert!(matches!(guarded.judge_all(other), Err(CoreError::LengthMismatch { .. })));
}

#[test]
fn a_young_or_strange_service_is_not_told_anything() {
    let data = noisy(1000);
    let model = data.fit(&Line::default()).unwrap();
    let guarded = ColdStart::new(model.clone(), data.fit(&Novelty).unwrap()).unwrap();
    let mut stream = guarded.clone().stream();
    let windows = data.split.test().on(&data.frames).unwrap();
    let batch = model.score_all(windows.windows()).unwrap();
    let mut told = 0;
    for (row, sample) in data.values.chunks(3).enumerate() {
        for wrong in [&[f32::INFINITY, 0.0, 0.0][..], &[0.0; 2]] {
            assert!(stream.push(wrong).is_err(), "and nothing is taken in");
        }
        let judgement = stream.push(sample).unwrap();
        if row < 3 {
            assert_eq!(judgement.unknown, Some(Unknown::History { rows: row + 1, needed: 4 }));
            assert!(judgement.score.is_none());
        } else {
            assert_eq!((judgement.score, judgement.unknown), (Some(batch[row - 3]), None));
            told += 1;
        }
        assert!(judgement.present <= 1.0 && judgement.distance.is_some());
    }
    assert_eq!(told, batch.len());
    let missing = guarded.judge(&[f32::NAN; 12]).unwrap();
    assert_eq!((missing.unknown, missing.score, missing.novelty.get()), (Some(Unknown::Missing), None, 0.5));
    let strange = guarded.judge(&[40.0; 12]).unwrap();
    assert_eq!((strange.unknown, strange.score), (Some(Unknown::Unfamiliar), None));
    assert!(strange.novelty.get() > 0.99 && guarded.judge(&[0.1; 12]).unwrap().novelty.get() < 0.05);
    assert!(guarded.judge(&[0.0; 13]).is_err() && guarded.judge(&[0.0; 15]).is_err());
    let text = serde_json::to_string(&stream.push(&[0.0; 3]).unwrap()).unwrap();
    assert!(text.contains(r#""unknown":null"#), "{text}");
}

#[test]
fn strangeness_grows_with_the_distance() {
    let data = noisy(1000);
    let novelty = data.fit(&Novelty).unwrap();
    let scores: Vec<Score> =
        (0..60u8).map(|step| novelty.score_one(&[f32::from(step) / 4.0; 12]).unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] <= pair[1]));
    // On the training windows it is uniform.
    let own = self::scores(&novelty, &data);
    let mean = own.iter().map(|score| f64::from(score.get())).sum::<f64>() / own.len() as f64;
    assert!((mean - 0.5).abs() < 0.01, "{mean}");
    let envelope = novelty.to_envelope(data.spec).unwrap();
    let read = FittedNovelty::from_envelope(through_a_file(&envelope)).unwrap();
    assert_eq!(self::scores(&read, &data), own);
}

#[test]
fn a_model_around_one_that_cannot_be_saved_says_so() {
    let data = noisy(1000);
    let (schema, observation) = (data.frames.schema().clone(), 4);
    let when = When { schema, observation, history: [History::default()] };
    let error = Qualified::new(when, "a").unwrap().to_envelope(data.spec).unwrap_err();
    assert!(matches!(error, ModelFileError::NotSavable { .. }), "{error}");
}

#[test]
fn qualified_columns_are_those_of_the_file_or_refused() {
    let data = noisy(1000);
    let line = data.fit(&Line::default()).unwrap();
    let twice = Qualified::new(Qualified::new(line, "a").unwrap(), "b").unwrap();
    let envelope = through_a_file(&twice.to_envelope(data.spec).unwrap());
    assert_eq!(registry().predictor(envelope.clone()).unwrap().input(), twice.input());
    // A long source would make names of its length, for every column and level; it is compared with those in the file
    // instead.
    let mut long = envelope.clone();
    long.parameters["settings"]["source"] = "x".repeat(1 << 20).into();
    let error = registry().predictor(long).err().unwrap();
    assert!(matches!(error, ModelFileError::NotAModel { .. }), "{error}");
    let other = Envelope { schema: data.frames.schema().clone(), ..envelope };
    assert!(registry().predictor(other).is_err());
}

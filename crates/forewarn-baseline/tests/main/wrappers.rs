//! Calibration, combination and cold start: around any predictor, saved with what is inside.

use crate::support::{Data, noisy, through_a_file};
use forewarn_baseline::{
    Baseline, BoostedTrees, Calibrated, Calibration, ClassWeight, ColdStart, Combined,
    FittedLogisticRegression, Input, LogisticRegression, Novelty, Unknown,
};
use forewarn_core::{CoreError, Predictor, Score, average_precision};

fn scores(model: &impl Predictor, data: &Data) -> Vec<Score> {
    model.score_all(data.split.test().on(&data.frames).unwrap().windows()).unwrap()
}

#[test]
fn calibration_undoes_class_weights() {
    let data = noisy(4000);
    let weighted = LogisticRegression::default().with_class_weight(ClassWeight::Balanced);
    let raw = data.fit(&weighted).unwrap();
    let raw_scores = scores(&raw, &data);
    let mean = |scores: &[Score]| {
        scores.iter().map(|score| f64::from(score.get())).sum::<f64>() / scores.len() as f64
    };
    let share = data.split.test().positives() as f64 / data.split.test().len() as f64;
    assert!((mean(&raw_scores) - share).abs() > 0.05);
    for calibration in [Calibration::Platt, Calibration::Isotonic, Calibration::Beta] {
        let validation = data.split.validation().on(&data.frames).unwrap();
        let model = Calibrated::fit(raw.clone(), calibration, validation).unwrap();
        let [before, after] = model.validation_log_loss().unwrap();
        assert!(after < before - 0.005 && !model.is_identity(), "{calibration:?} {before} {after}");
        let calibrated = scores(&model, &data);
        assert!((mean(&calibrated) - share).abs() < 0.01, "{calibration:?}");
        let mut order: Vec<usize> = (0..raw_scores.len()).collect();
        order.sort_by_key(|&window| raw_scores[window]);
        assert!(order.windows(2).all(|pair| calibrated[pair[0]] <= calibrated[pair[1]]), "{calibration:?}");
        if calibration != Calibration::Isotonic {
            let [raw, calibrated] =
                [&raw_scores, &calibrated].map(|s| average_precision(s, data.positive()).unwrap());
            assert!((raw - calibrated).abs() < 1e-4, "{calibration:?} {raw} {calibrated}");
        }
        let envelope = model.to_envelope(|inner| inner.to_envelope(data.spec)).unwrap();
        let read =
            Calibrated::from_envelope(through_a_file(&envelope), FittedLogisticRegression::from_envelope)
                .unwrap();
        assert_eq!(scores(&read, &data), calibrated);
        assert!(Combined::<Baseline>::from_envelope(envelope, Baseline::from_envelope).is_err());
    }
}

#[test]
fn a_stack_is_no_worse_than_its_members_and_is_saved() {
    let data = noisy(4000);
    let trees = data.fit(&BoostedTrees::default().with_trees(60, 60).with_shares(1.0, 1.0)).unwrap();
    let line = data.fit(&LogisticRegression::new(Input::Aggregates)).unwrap();
    let members: Vec<Baseline> = vec![trees.into(), line.into()];
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
    let envelope = stack.to_envelope(|member| member.to_envelope(data.spec)).unwrap();
    let read = Combined::from_envelope(through_a_file(&envelope), Baseline::from_envelope).unwrap();
    assert_eq!(scores(&read, &data), scores(&stack, &data));
    let average = Combined::average(members).unwrap();
    assert!(average.members().all(|(_, weight)| weight == 0.5));
    assert!(matches!(Combined::<Baseline>::average(Vec::new()), Err(CoreError::InvalidSetting { .. })));
}

#[test]
fn a_young_or_strange_service_is_not_told_anything() {
    let data = noisy(1000);
    let model = data.fit(&LogisticRegression::default()).unwrap();
    let guarded = ColdStart::new(model.clone(), data.fit(&Novelty).unwrap()).unwrap();
    let mut stream = guarded.clone().stream();
    let windows = data.split.test().on(&data.frames).unwrap();
    let batch = model.score_all(windows.windows()).unwrap();
    let mut told = 0;
    for (row, sample) in data.values.chunks(3).enumerate() {
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
    let read = Baseline::from_envelope(through_a_file(&envelope)).unwrap();
    assert_eq!(self::scores(&read, &data), own);
}

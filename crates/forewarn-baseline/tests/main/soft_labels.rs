//! Soft labels: what fits learn from them, and what their scores then mean.

use crate::support::{Data, gauges, noisy};
use forewarn_baseline::BoostedTrees;
use forewarn_core::{CoreError, Estimator, Predictor, Samples, Score, Silent, sigmoid};
use forewarn_numerics::{logistic_loss, uniform};

/// What a fit on few windows with these soft labels says of many others, and whether each of those is positive.
fn scores(data: &Data, soft: Option<fn(&Data, &Samples) -> Vec<f32>>) -> (Vec<Score>, Vec<bool>) {
    let picks = |from: u32, to: u32| (from..to).collect::<Vec<u32>>();
    let train = data.split.train().select(&picks(0, 400)).unwrap();
    let validation = data.split.validation().select(&picks(400, 3000)).unwrap();
    let test = data.split.test().select(&picks(3000, 6000)).unwrap();
    let (train, validation) = match soft {
        Some(soft) => {
            let (of_train, of_validation) = (soft(data, &train), soft(data, &validation));
            (train.with_soft_labels(of_train).unwrap(), validation.with_soft_labels(of_validation).unwrap())
        }
        None => (train, validation),
    };
    let (train, validation) = (train.on(&data.frames).unwrap(), validation.on(&data.frames).unwrap());
    let model = BoostedTrees::default().with_threads(1).fit(train, validation, &mut Silent).unwrap();
    let scores = model.score_all(test.on(&data.frames).unwrap().windows()).unwrap();
    (scores, test.positive().to_vec())
}

/// Rows of which the first of three features makes one in twenty positive.
fn rare() -> Data {
    let number = |index: u64| uniform(17, index)[0];
    let values: Vec<f32> = (0..6000 * 3).map(|cell| number(cell) as f32).collect();
    let happens =
        |(row, sample): (u64, &[f32])| uniform(18, row)[0] < sigmoid(8.0 * f64::from(sample[0]) - 9.0);
    let positive: Vec<bool> = (0..).zip(values.chunks_exact(3)).map(happens).collect();
    Data::new(&gauges(&["x", "y", "z"]), 1, &values, &positive)
}

/// Half of what happened, and half of how near the first feature came.
fn telling(data: &Data, samples: &Samples) -> Vec<f32> {
    let soft = |(&row, &positive): (&u32, &bool)| {
        let near = data.values[3 * (row as usize % (data.values.len() / 3))];
        (f32::from(u8::from(positive)) + near.powi(4)) / 2.0
    };
    samples.rows().iter().zip(samples.positive()).map(soft).collect()
}

/// A tenth of what happened, and a half whatever happens.
fn shifted(_: &Data, samples: &Samples) -> Vec<f32> {
    samples.positive().iter().map(|&positive| 0.5 + 0.1 * f32::from(u8::from(positive))).collect()
}

fn log_loss(scores: &[Score], positive: &[bool]) -> f64 {
    let loss = |(score, &positive): (&Score, &bool)| logistic_loss(score.log_odds(), positive);
    scores.iter().zip(positive).map(loss).sum::<f64>() / positive.len() as f64
}

fn mean(scores: &[Score]) -> f64 {
    scores.iter().map(|score| f64::from(score.get())).sum::<f64>() / scores.len() as f64
}

#[test]
fn trees_learn_more_and_their_scores_are_probabilities_of_the_label() {
    let data = rare();
    let (plain, positive) = scores(&data, None);
    let prevalence = positive.iter().filter(|&&positive| positive).count() as f64 / positive.len() as f64;
    let (soft, _) = scores(&data, Some(telling));
    let losses = [log_loss(&plain, &positive), log_loss(&soft, &positive)];
    assert!(losses[1] < 0.97 * losses[0], "{losses:?}");
    for soft in [soft, scores(&data, Some(shifted)).0] {
        assert!((mean(&soft) - prevalence).abs() < 0.5 * prevalence, "{} of {prevalence}", mean(&soft));
    }
}

#[test]
fn soft_labels_are_numbers_from_0_to_1_one_for_each_window() {
    let data = noisy(100);
    let windows = data.split.train().len();
    for wrong in [vec![0.5; windows + 1], vec![-0.1; windows], vec![1.1; windows], vec![f32::NAN; windows]] {
        let found = data.split.train().clone().with_soft_labels(wrong.clone());
        assert!(matches!(found, Err(CoreError::LengthMismatch { .. } | CoreError::InvalidSetting { .. })));
        let labelled = data.split.train().on(&data.frames).unwrap();
        assert!(labelled.with_soft_labels(&wrong).is_err());
    }
}

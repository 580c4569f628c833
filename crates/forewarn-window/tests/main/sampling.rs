use crate::support::{frames, labels};
use forewarn_core::{Score, Split, WindowSpec};
use forewarn_window::{Fractions, Picked, Skip, chronological, downsample_negatives, hard_negatives, stride};

fn split() -> Split {
    let frames = frames(&[4000]);
    chronological(&labels(&frames, WindowSpec::default()), Fractions::default()).unwrap()
}

#[test]
fn negatives_are_thinned_and_weighted_back() {
    let split = split();
    let train = split.train();
    let picked = downsample_negatives(train, 0.25, 7).unwrap();
    assert_eq!(picked.samples().positives(), train.positives());
    let negatives = (picked.samples().len() - train.positives()) as f64;
    let all = (train.len() - train.positives()) as f64;
    // Five deviations of a binomial count.
    assert!((negatives - all * 0.25).abs() < 5.0 * (all * 0.25 * 0.75).sqrt());
    let weights = picked.samples().weights().unwrap();
    for (&weight, &positive) in weights.iter().zip(picked.samples().positive()) {
        assert_eq!(weight, if positive { 1.0 } else { 4.0 });
    }
    assert_eq!(picked.unweighted().weights(), None);
    // A half of a quarter stands for eight.
    let again = downsample_negatives(picked.samples(), 0.5, 9).unwrap();
    let of = |picked: &Picked, class: bool| {
        let samples = picked.samples();
        let weights = samples.weights().unwrap().iter().zip(samples.positive());
        weights.filter(|&(_, &positive)| positive == class).map(|(&weight, _)| weight).collect::<Vec<_>>()
    };
    assert!(of(&again, false).iter().all(|&weight| weight == 8.0));
    assert!(of(&again, true).iter().all(|&weight| weight == 1.0));
    assert!(!of(&again, false).is_empty());
    assert_eq!(downsample_negatives(train, 0.25, 7).unwrap().samples().rows(), picked.samples().rows());
    assert_ne!(downsample_negatives(train, 0.25, 8).unwrap().samples().rows(), picked.samples().rows());
    assert_eq!(downsample_negatives(train, 1.0, 7).unwrap().samples().rows(), train.rows());
    for wrong in [0.0, -1.0, 1.1, f64::NAN] {
        assert!(downsample_negatives(train, wrong, 7).is_err());
    }
    // With a quarter of the negatives, odds of 1 : 1 are 1 : 4 among all.
    assert!((picked.correct(Score::new(0.5).unwrap()).unwrap().get() - 0.2).abs() < 1e-7);
    for end in [0.0, 1.0] {
        assert_eq!(picked.correct(Score::new(end).unwrap()).unwrap().get(), end);
    }
}

#[test]
fn a_stride_keeps_positives_unless_told_otherwise() {
    let split = split();
    let train = split.train();
    let thin = stride(train, 10, Skip::Any).unwrap();
    assert!(thin.samples().rows().iter().all(|row| row % 10 == 0));
    let kept = stride(train, 10, Skip::Negatives).unwrap();
    assert_eq!(kept.samples().positives(), train.positives());
    assert!(kept.samples().rows().iter().all(|row| row % 10 == 0 || row % 7 == 0));
    assert!(thin.samples().weights().is_none() && kept.samples().weights().unwrap().contains(&10.0));
    assert!(stride(train, 0, Skip::Any).is_err());
}

#[test]
fn the_hardest_negatives_are_those_scored_highest() {
    let split = split();
    let train = split.train();
    let score = |i: usize| Score::new(((i * 7919) % 10_007) as f32 / 10_007.0).unwrap();
    let scores: Vec<Score> = (0..train.len()).map(score).collect();
    let picked = hard_negatives(train, &scores, 50, 20, 3).unwrap();
    assert_eq!(picked.samples().len(), train.positives() + 70);
    let mut negative: Vec<(Score, u32)> = scores
        .iter()
        .zip(train.rows().iter().zip(train.positive()))
        .filter(|(_, (_, positive))| !**positive)
        .map(|(&score, (&row, _))| (score, row))
        .collect();
    negative.sort_by_key(|&(score, _)| std::cmp::Reverse(score));
    for (_, row) in &negative[..50] {
        assert!(picked.samples().rows().contains(row));
    }
    let everything = hard_negatives(train, &scores, usize::MAX, 5, 3).unwrap();
    assert_eq!(everything.samples().rows(), train.rows());
    assert!(hard_negatives(train, &scores[1..], 50, 20, 3).is_err());
    assert!(train.select(&[3, 3]).is_err() && train.select(&[u32::MAX]).is_err());
}

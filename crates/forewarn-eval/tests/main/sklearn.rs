//! The same figures as scikit-learn, run side by side on random, tied and degenerate input.
//!
//! Needs a Python with scikit-learn: `FOREWARN_PYTHON=python3 cargo test -p forewarn-eval -- --ignored scikit_learn`.

use forewarn_core::Score;
use forewarn_core::average_precision;
use forewarn_eval::{RankedWindows, brier, log_loss, roc_auc};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
};

struct Case {
    scores: Vec<Score>,
    positive: Vec<bool>,
    weights: Vec<f64>,
    threshold: Score,
    highest_rate: f64,
}

fn cases() -> Vec<Case> {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let mut cases = Vec::new();
    for round in 0..200 {
        let windows = [2, 3, 10, 100, 3000][round % 5];
        // All different, few levels, two levels, all the same, only 0 and 1.
        let levels = [f32::INFINITY, 8.0, 1.0, 0.0, 1.0][round / 5 % 5];
        let prevalence = [0.5, 0.02, 0.9][round % 3];
        let mut positive: Vec<bool> = (0..windows).map(|_| random.random_bool(prevalence)).collect();
        (positive[0], positive[1]) = (true, false);
        let score = |positive: &bool| {
            let value = (random.random::<f32>() + f32::from(u8::from(*positive)) * 0.2).min(1.0);
            match levels {
                0.0 => 0.3,
                levels if levels.is_finite() => (value * levels).round() / levels,
                _ => value,
            }
        };
        let scores: Vec<Score> = positive.iter().map(score).map(|value| Score::new(value).unwrap()).collect();
        let weights =
            (0..windows).map(|_| if round % 2 == 0 { 1.0 } else { 3.0 * random.random::<f64>() + 1e-3 });
        let weights = weights.collect();
        let threshold = if round % 7 == 0 { Score::ONE } else { scores[windows / 2] };
        cases.push(Case {
            scores,
            positive,
            weights,
            threshold,
            highest_rate: [0.01, 0.3, 0.999][round % 3],
        });
    }
    cases
}

fn asked_of_python(cases: &[Case]) -> Vec<Value> {
    let python = std::env::var_os("FOREWARN_PYTHON").expect("FOREWARN_PYTHON is set");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/measure_with_sklearn.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("FOREWARN_PYTHON names a program");
    let asked: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "scores": case.scores, "positive": case.positive, "weights": case.weights,
                "threshold": case.threshold, "max_fpr": case.highest_rate,
            })
        })
        .collect();
    child.stdin.take().unwrap().write_all(serde_json::to_string(&asked).unwrap().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "tests/measure_with_sklearn.py failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs a Python with scikit-learn, which FOREWARN_PYTHON names"]
fn figures_are_those_of_scikit_learn() {
    let cases = cases();
    let expected = asked_of_python(&cases);
    assert_eq!(expected.len(), cases.len());
    for (index, (case, expected)) in cases.iter().zip(&expected).enumerate() {
        let Case { scores, positive, weights, .. } = case;
        let ranked = RankedWindows::weighted(scores, positive, weights).unwrap();
        let counts = ranked.counts(case.threshold);
        let mut figures = vec![
            ("average_precision", ranked.average_precision()),
            ("trapezoidal_pr_auc", ranked.trapezoidal_pr_auc()),
            ("roc_auc", ranked.roc_auc()),
            ("partial_roc_auc", ranked.partial_roc_auc(case.highest_rate).unwrap()),
            ("precision", counts.precision()),
            ("recall", counts.recall()),
            ("f1", counts.f_beta(1.0)),
            ("f2", counts.f_beta(2.0)),
            ("mcc", counts.mcc()),
            ("brier", ranked.brier()),
            ("log_loss", ranked.log_loss()),
        ];
        if weights.iter().all(|&weight| weight == 1.0) {
            figures.push(("average_precision", average_precision(scores, positive).unwrap()));
            figures.push(("roc_auc", roc_auc(scores, positive).unwrap()));
            figures.push(("brier", brier(scores, positive).unwrap()));
            figures.push(("log_loss", log_loss(scores, positive).unwrap()));
        }
        for (name, got) in figures {
            let expected = expected[name].as_f64().unwrap_or_else(|| panic!("{name} of case {index}"));
            assert!(
                (got - expected).abs() < 1e-9,
                "{name} of case {index}: {got}, scikit-learn has {expected}"
            );
        }
    }
}

//! Scores made probabilities, by three families of curves, on a table of labelled snapshots.
//!
//! `cargo run --release --example calibrate`, or `... calibrate -- table.csv`: rows without a clock, with a column
//! `will_have_incident` of 0 and 1 and a column `split` of `train` and `test`. Without a file, a table is made up.

use forewarn::{
    baseline::ClassWeight,
    core::Snapshots,
    ensemble::{Calibrated, CalibrationMethod, Combined},
    eval::roc_auc,
    io::csv,
    prelude::*,
};
use std::{error::Error, fmt::Write, process::ExitCode};

/// The column of what is predicted.
const OUTCOME: &str = "will_have_incident";
const SPLIT: &str = "split";

/// The train and the test part of a table.
fn parts(path: Option<&str>) -> Result<[Snapshots; 2], Box<dyn Error>> {
    let table = match path {
        None => csv::snapshots_from(made_up()?.as_bytes(), "made up", OUTCOME, &[SPLIT])?,
        Some(path) => csv::read_snapshots(path, OUTCOME, &[SPLIT])?,
    };
    let parts = ["train", "test"].map(|part| table.with_word(SPLIT, part));
    if parts.iter().any(Snapshots::is_empty) {
        return Err(format!("column {SPLIT:?} must mark rows as train and as test").into());
    }
    Ok(parts)
}

/// Snapshots of a queue and a processor that fail together, with noise; the last fifth is the test.
fn made_up() -> Result<String, std::fmt::Error> {
    let mut text = format!("queue_length,cpu_usage,{OUTCOME},{SPLIT}\n");
    // Multiples of the golden ratio and of the roots of two and three: evenly spread, the same on every machine.
    let part = |row: u32, step: f64| (f64::from(row) * step).fract();
    for row in 0..6000 {
        let (queue, cpu, chance) =
            (part(row, 0.618_033_988), part(row, 0.414_213_562), part(row, 0.732_050_807));
        let risk = if queue > 0.7 && cpu > 0.6 { 0.6 } else { 0.05 + 0.1 * queue };
        let split = if row < 4800 { "train" } else { "test" };
        writeln!(text, "{:.1},{cpu:.4},{},{split}", 500.0 * queue, u8::from(chance < risk))?;
    }
    Ok(text)
}

struct Figures {
    log_loss: f64,
    accuracy: f64,
    roc_auc: f64,
}

fn measure(model: &dyn Predictor, test: &Snapshots) -> Result<Figures, Box<dyn Error>> {
    let scores = model.score_all(test.labelled().windows())?;
    let rows = scores.len() as f64;
    let losses = scores.iter().zip(test.positive()).map(|(score, &positive)| {
        let log_odds = score.log_odds();
        let wrong = if positive { -log_odds } else { log_odds };
        wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
    });
    let right = scores
        .iter()
        .zip(test.positive())
        .filter(|(score, positive)| (score.get() >= 0.5) == **positive)
        .count();
    Ok(Figures {
        log_loss: losses.sum::<f64>() / rows,
        accuracy: right as f64 / rows,
        roc_auc: roc_auc(&scores, test.positive())?,
    })
}

/// Shows the figures of each model on the test part, as it is and calibrated.
fn calibrate(path: Option<&str>) -> Result<(), Box<dyn Error>> {
    let [train, test] = parts(path)?;
    // Every fifth row chooses and calibrates; examples without a clock have no order to respect.
    let (fitting, validation) = (train.filter(|row| row % 5 != 0), train.filter(|row| row % 5 == 0));
    println!(
        "{} rows to fit on, {} to choose by, {} to test on",
        fitting.len(),
        validation.len(),
        test.len()
    );
    let trees = BoostedTrees::default().with_shares(0.5, 0.3).with_leaves(&[2, 3, 4, 8]);
    let honest = trees.fit_snapshots(&fitting, &validation, &mut Silent)?;
    // Class weights are often advised. They rank as well, and give probabilities twice too high.
    let weighted = trees.clone().with_class_weight(ClassWeight::Balanced).fit_snapshots(
        &fitting,
        &validation,
        &mut Silent,
    )?;
    // Five fits, each of which holds another fifth out: their mean has seen every row, and none is left to calibrate
    // it by.
    let mut members = Vec::with_capacity(5);
    for fold in 0..5 {
        let (rest, held_out) = (train.filter(|row| row % 5 != fold), train.filter(|row| row % 5 == fold));
        members.push(trees.fit_snapshots(&rest, &held_out, &mut Silent)?);
    }
    let five = Combined::average(members)?;
    let line = LogisticRegression::default().with_c_from_validation(&[1e-6, 1e-5, 1e-4, 1e-3]);
    let line = line.fit_snapshots(&fitting, &validation, &mut Silent)?;

    println!("\n{:42} {:>9} {:>9} {:>9}", "test part", "log loss", "accuracy", "ROC-AUC");
    let show = |name: &str, figures: &Figures| {
        let Figures { log_loss, accuracy, roc_auc } = figures;
        println!("{name:42} {log_loss:9.4} {accuracy:9.4} {roc_auc:9.4}");
    };
    show("mean of five fits of boosted trees", &measure(&five, &test)?);
    let models: [(&str, Box<dyn Predictor>); 3] = [
        ("boosted trees", Box::new(honest)),
        ("boosted trees with class weights", Box::new(weighted)),
        ("logistic regression", Box::new(line)),
    ];
    for (name, mut model) in models {
        show(name, &measure(&model, &test)?);
        for method in [CalibrationMethod::Platt, CalibrationMethod::Isotonic, CalibrationMethod::Beta] {
            let calibrated = Calibrated::fit_snapshots(model, method, &validation)?;
            let [before, after] = calibrated.validation_log_loss().unwrap_or_default();
            assert!(after <= before, "no curve may do harm where it was fitted");
            show(&format!("  {method:?}").to_lowercase(), &measure(&calibrated, &test)?);
            model = calibrated.into_inner();
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match calibrate(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

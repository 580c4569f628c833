//! From metrics to an evaluated early warning, one stage after another.
//!
//! `cargo run --release --example quickstart`

use forewarn::{baseline::Input, prelude::*};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // Thirty days of one simulated service, one sample a minute.
    let run = StressWalk::new(30 * 24 * 60, 7).run()?;
    let frames = FrameSet::from_frames(vec![run.frame])?;

    // Failing is an error rate of 5 % for two minutes. Does a failure begin in the next five?
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;

    // The ten metrics and their changes, normalised by what training has seen.
    let features = Features::default().apply(&frames)?;
    let features = ZScore::fit(split.train(), &features, Scope::Service)?.apply(features)?;

    let (train, validation) = (split.train().on(&features)?, split.validation().on(&features)?);
    let model = LogisticRegression::new(Input::Snapshot).fit(train, validation, &mut Silent)?;

    let test = split.test().on(&features)?;
    let scores = model.score_all(test.windows())?;
    let (pr_auc, prevalence) = (
        average_precision(&scores, test.positive())?,
        test.positives() as f64 / test.positive().len() as f64,
    );
    println!("PR-AUC {pr_auc:.3}, {:.1} times the prevalence of {prevalence:.4}", pr_auc / prevalence);
    // No predictor can do much better here: a Bayes filter that knows the process reaches 2.7 times the prevalence.
    assert!(pr_auc > 2.0 * prevalence);
    Ok(())
}

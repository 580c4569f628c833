//! What lies beside a model's weights, with features of several crates.

use forewarn_core::{Target, WindowSpec};
use forewarn_label::{Rule, Verdicts, label};
use forewarn_live::standard_registry;
use forewarn_schema::FrameSet;
use forewarn_sim::StressWalk;
use forewarn_window::{Features, Fractions, Normalisation, Pipeline, Scope, chronological};

#[test]
fn a_pipeline_with_the_verdicts_of_a_rule_is_saved_and_makes_the_same_bits() -> Result<(), BoxError> {
    let frames = FrameSet::from_frames(vec![StressWalk::new(2 * 1440, 7).run()?.frame])?;
    let rule: Rule = "error_rate >= 0.05 for 2 steps".parse()?;
    let labels = label(&frames, &rule, WindowSpec::default(), Target::Active)?;
    let split = chronological(&labels, Fractions::default())?;
    let features = Features::default().with(Verdicts::of(&rule, frames.schema()));
    let pipeline = Pipeline::fit(features, split.train(), &frames, Normalisation::ZScore, Scope::Service, 1)?;
    let saved = serde_json::to_value(&pipeline)?;
    let read = Pipeline::from_saved(&saved, &standard_registry())?;
    let bits = |pipeline: &Pipeline| {
        let frames = pipeline.apply(&frames)?;
        Ok::<_, BoxError>(frames.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>())
    };
    assert_eq!(bits(&read)?, bits(&pipeline)?);
    assert_eq!(serde_json::to_value(&read)?, saved);

    let error =
        serde_json::from_value::<Pipeline>(saved.clone()).err().ok_or("read by who does not know it")?;
    assert!(error.to_string().contains("verdicts"), "{error}");
    let mut damaged = saved;
    damaged["features"][2]["verdicts"][0] = serde_json::json!("error_rate is high");
    let error = Pipeline::from_saved(&damaged, &standard_registry()).err().ok_or("damaged")?;
    assert!(error.to_string().contains("verdicts[0]"), "{error}");
    Ok(())
}

type BoxError = Box<dyn std::error::Error>;

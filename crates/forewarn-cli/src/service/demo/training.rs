use super::{BUDGET, shop::shop};
use crate::{
    error::{About, CliError},
    output::progress::Reporter,
};
use forewarn::{
    baseline::BoostedTrees,
    core::Envelope,
    ensemble::{Calibrate, CalibrationMethod},
    eval::AlarmBudget,
    experiment::{Data, Experiment, Model, ModelRows, StandardModels},
    label::Rule,
    prelude::{Schema, Timestamp},
    topology::TopologyFeatures,
};

/// Days of the shop that models are trained on.
const DAYS: usize = 12;

/// False alarms that the threshold may cost on validation. The controller holds the budget in the long run; where it
/// begins is half as strict, because it is raised by false alarms within hours and comes down again over days: a
/// threshold that begins too high would be silent for as long as anyone watches.
fn budget() -> AlarmBudget {
    AlarmBudget { per_service_week: 2.0 * BUDGET, confidence: 0.5 }
}

/// What is fitted: each takes seconds. The better one on validation warns, the other runs beside it.
const MODELS: [&str; 2] = ["boosted_trees", "logistic_window"];

/// Fits the models on days of the same shop with other luck, before the first minute that it shows. The better one
/// comes first.
pub(super) fn train(
    seed: u64,
    start: Timestamp,
    progress: &Reporter,
) -> Result<Vec<(String, Envelope)>, CliError> {
    progress.stage(&format!("training on {DAYS} simulated days"));
    let minutes = DAYS * 24 * 60;
    let earlier = start.millis() - 60_000 * minutes as i64;
    let earlier =
        Timestamp::from_millis(earlier).ok_or_else(|| CliError::failed("a start before the calendar"))?;
    let data = Data::from_fleet(shop(seed.wrapping_add(1), earlier, minutes, start))?;
    let rule = Rule::v1();
    let standard = StandardModels { seed, ..StandardModels::new(rule.clone(), Schema::v1()) };
    let mut experiment = Experiment::new(rule.clone()).with_alternatives(&rule).with_budget(budget());
    if let Some(graph) = data.service_graph()? {
        experiment = experiment.with_topology(TopologyFeatures::new(&graph));
    }
    // Fewer and larger steps than usual, and one size of trees: seconds instead of minutes.
    let trees = BoostedTrees::default().with_leaves(&[8]).with_learning_rate(0.1).with_trees(250, 40);
    let sentence =
        "gradient-boosted trees, at most 250 of 8 leaves, calibrated by Platt's method on validation";
    let trees = Calibrate::new(trees.with_seed(seed), CalibrationMethod::Platt);
    let trees = Model::new(MODELS[0], sentence, ModelRows::Features, trees);
    experiment = experiment.with_model(trees).with_model(standard.get(MODELS[1])?);
    let trained = experiment.train(data, progress).about("simulation")?;
    let best = trained.summary().chosen().map(|chosen| chosen.name.clone());
    let best = best.ok_or_else(|| CliError::failed("no model could be chosen on validation"))?;
    let mut names = MODELS.to_vec();
    names.sort_by_key(|name| *name != best);
    names.into_iter().map(|name| Ok((name.to_owned(), trained.to_envelope(name)?))).collect()
}

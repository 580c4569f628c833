//! What is known of simulated data beyond its metrics.

use crate::ExperimentError;
use forewarn_core::{FailureRule, Samples, Score, Target, WindowSpec};
use forewarn_eval::{Bound, Ceiling, Curve, CurveKind, EpisodeClasses};
use forewarn_label::ThresholdRule;
use forewarn_sim::{Fleet, StressWalkRun, ceiling, fleet::RollOuts};

/// Where the metrics of an experiment come from, where that is known.
pub(super) enum Truth {
    StressWalk(StressWalkRun),
    Fleet(Box<Fleet>),
}

/// The best that anybody could have scored on the test windows.
pub(super) struct BestPossible {
    pub(super) ceiling: Ceiling,
    pub(super) curves: Vec<Curve>,
    /// How it was found, where that is not exact.
    pub(super) note: Option<String>,
}

/// Futures that are drawn for a minute of a fleet.
const FUTURES: usize = 64;
/// Simulated minutes of one service that an estimate may cost: some ten seconds on two cores.
const BUDGET: usize = 8_000_000;

impl Truth {
    /// What tells failures apart; `None` where nobody knows.
    pub(super) fn classes(&self, rule: &dyn FailureRule) -> Result<Option<EpisodeClasses>, ExperimentError> {
        match self {
            Self::StressWalk(_) => Ok(None),
            Self::Fleet(fleet) => fault_kinds(fleet, rule).map(Some),
        }
    }

    /// The ceiling on the windows of `test`; `None` where it is not known for this rule.
    pub(super) fn ceiling(
        &self,
        rule: &dyn FailureRule,
        spec: WindowSpec,
        target: Target,
        test: &Samples,
    ) -> Result<Option<BestPossible>, ExperimentError> {
        match self {
            // Its ceiling is computed for the rule that the process itself follows.
            Self::StressWalk(_) if rule.describe() != ThresholdRule::v1().describe() => Ok(None),
            Self::StressWalk(run) => stress_walk(run, spec, target, test).map(Some),
            Self::Fleet(fleet) => of_fleet(fleet, rule, spec, target, test),
        }
    }
}

/// The kind of fault but for which each failure would not have happened.
fn fault_kinds(fleet: &Fleet, rule: &dyn FailureRule) -> Result<EpisodeClasses, ExperimentError> {
    let mut classes = EpisodeClasses::new("fault kind");
    let causes = fleet.causes(rule)?;
    for failure in &causes.failures {
        if let Some(fault) = failure.root.and_then(|root| causes.fault(root)) {
            let service = fleet.blueprint().services()[failure.service].name.as_str();
            classes.episode(service, &failure.episode, fault.injection.kind.name())?;
        }
    }
    Ok(classes)
}

fn stress_walk(
    run: &StressWalkRun,
    spec: WindowSpec,
    target: Target,
    test: &Samples,
) -> Result<BestPossible, ExperimentError> {
    let truth = ceiling(run, spec, target)?;
    let at_test =
        |scores: &[Score]| -> Vec<Score> { test.rows().iter().map(|&row| scores[row as usize]).collect() };
    let (oracle, filter) = (at_test(&truth.oracle), at_test(&truth.bayes_filter));
    let curve = |name, scores: &[Score]| Curve::new(name, CurveKind::Ceiling, scores, test.positive());
    let bound = |scores: &[Score]| Bound::new(scores, test.positive());
    Ok(BestPossible {
        ceiling: Ceiling::new(Some(bound(&oracle)?), Some(bound(&filter)?)),
        curves: vec![curve("Bayes filter", &filter)?, curve("oracle", &oracle)?],
        note: None,
    })
}

/// By drawing futures, for every minute of the test span or, where that would take long, for every so many.
fn of_fleet(
    fleet: &Fleet,
    rule: &dyn FailureRule,
    spec: WindowSpec,
    target: Target,
    test: &Samples,
) -> Result<Option<BestPossible>, ExperimentError> {
    // Services of the set are those of the graph, both in order of name, each with as many rows.
    let place = |row: u32| (row as usize / fleet.minutes(), row as usize % fleet.minutes());
    let minutes = test.rows().iter().map(|&row| place(row).1);
    let Some((first, last)) = minutes.clone().min().zip(minutes.max()) else { return Ok(None) };
    let ahead = spec.horizon() + rule.confirmation_at(forewarn_schema::Step::MINUTE);
    let cost = (last + 1 - first) * FUTURES * ahead * fleet.blueprint().services().len();
    let every = cost.div_ceil(BUDGET);
    let roll_outs = RollOuts { futures: FUTURES, every, ..RollOuts::default() };
    let foresights = fleet.ceiling(rule, spec, target, first..last + 1, roll_outs)?;
    let (mut scores, mut positive) = (Vec::new(), Vec::new());
    for (&row, &label) in test.rows().iter().zip(test.positive()) {
        let (service, minute) = place(row);
        if (minute - first).is_multiple_of(every) {
            scores.push(foresights[(minute - first) / every].probabilities[service]);
            positive.push(label);
        }
    }
    if !(positive.contains(&true) && positive.contains(&false)) {
        return Ok(None);
    }
    let note = format!(
        "The ceiling is that of a predictor which knows the hidden state of the whole fleet: {FUTURES} futures were drawn for {} of {} test \
         windows{}.",
        scores.len(),
        test.len(),
        if every > 1 { format!(", those of one minute in {every}") } else { String::new() }
    );
    Ok(Some(BestPossible {
        ceiling: Ceiling::new(Some(Bound::new(&scores, &positive)?), None),
        curves: vec![Curve::new("oracle", CurveKind::Ceiling, &scores, &positive)?],
        note: Some(note),
    }))
}

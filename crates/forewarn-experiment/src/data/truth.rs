//! What is known of simulated data beyond its metrics.

use crate::{ExperimentError, Observer, Phase, Progress, progress::whole};
use forewarn_core::{AlarmPolicy, Assessment, CoreError, FailureRule, Samples, Score, Target, WindowSpec};
use forewarn_eval::{Bound, Ceiling, EpisodeClasses, LeadCurve, ScoredSet};
use forewarn_label::ThresholdRule;
use forewarn_report::{CurveKind, PrCurve};
use forewarn_schema::{Episodes, FrameView, Step, Timestamp};
use forewarn_sim::{
    Fleet, StressWalkRun, ceiling,
    fleet::{Foresight, RollOuts},
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Where the metrics of an experiment come from, where that is known.
pub(crate) enum Truth {
    StressWalk(StressWalkRun),
    Fleet(Box<Fleet>),
}

/// The theoretical ceiling on the test windows.
pub(crate) struct BestPossible {
    pub(crate) ceiling: Ceiling,
    pub(crate) curves: Vec<PrCurve>,
    /// What it detects at budgets of false alarms.
    pub(crate) at_budgets: Vec<LeadCurve>,
    /// How it was found, where that is not exact.
    pub(crate) note: Option<String>,
}

/// Futures that are drawn for a minute of a fleet. More would tell small probabilities apart, at the cost of failures
/// to rank: these are what a ceiling is short of.
const FUTURES: usize = 32;
/// Simulated minutes of one service that an estimate may cost: some twenty seconds on two cores.
const BUDGET: usize = 16_500_000;
/// Minutes in a row that are estimated, so that alarms can be raised on them. A part of a day.
const BLOCK: usize = 40;
const BLOCKS_A_DAY: usize = 24 * 60 / BLOCK;
/// False alarms per service and week that the ceiling is given: one, one a day, five a day and twenty a day.
const BUDGETS: [f64; 4] = [1.0, 7.0, 35.0, 140.0];

impl Truth {
    /// What tells failures apart; `None` where it is not known.
    pub(crate) fn classes(&self, rule: &dyn FailureRule) -> Result<Option<EpisodeClasses>, ExperimentError> {
        match self {
            Self::StressWalk(_) => Ok(None),
            Self::Fleet(fleet) => fault_kinds(fleet, rule).map(Some),
        }
    }

    /// The ceiling on the windows of `test`; `None` where it is not known for this rule.
    pub(crate) fn ceiling(
        &self,
        rule: &dyn FailureRule,
        spec: WindowSpec,
        target: Target,
        test: (&Samples, &[Episodes]),
        observer: &dyn Observer,
    ) -> Result<Option<BestPossible>, ExperimentError> {
        match self {
            // Its ceiling is computed for the rule that the process itself follows.
            Self::StressWalk(_) if rule.describe() != ThresholdRule::v1().describe() => Ok(None),
            Self::StressWalk(run) => {
                whole(observer, Phase::Ceiling, || stress_walk(run, spec, target, test)).map(Some)
            }
            Self::Fleet(fleet) => of_fleet(fleet, rule, spec, target, test, observer),
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
    (test, episodes): (&Samples, &[Episodes]),
) -> Result<BestPossible, ExperimentError> {
    let truth = ceiling(run, spec, target)?;
    let at_test =
        |scores: &[Score]| -> Vec<Score> { test.rows().iter().map(|&row| scores[row as usize]).collect() };
    let (oracle, filter) = (at_test(&truth.oracle), at_test(&truth.bayes_filter));
    let curve = |name, scores: &[Score]| PrCurve::new(name, CurveKind::Ceiling, scores, test.positive());
    let bound = |scores: &[Score]| Bound::new(scores, test.positive());
    Ok(BestPossible {
        ceiling: Ceiling::new(Some(bound(&oracle)?), Some(bound(&filter)?)),
        curves: vec![curve("Bayes filter", &filter)?, curve("oracle", &oracle)?],
        at_budgets: at_budgets(&ScoredSet::from_samples(test, &filter, episodes)?)?,
        note: None,
    })
}

/// By drawing futures, for every minute of the test span or, where that would take long, for blocks of minutes.
fn of_fleet(
    fleet: &Fleet,
    rule: &dyn FailureRule,
    spec: WindowSpec,
    target: Target,
    (test, episodes): (&Samples, &[Episodes]),
    observer: &dyn Observer,
) -> Result<Option<BestPossible>, ExperimentError> {
    let places = places(fleet, test)?;
    let minutes = places.iter().flatten().map(|&(_, minute)| minute);
    let Some((first, last)) = minutes.clone().min().zip(minutes.max()) else { return Ok(None) };
    let ahead = spec.horizon() + rule.confirmation_at(Step::MINUTE);
    let services = fleet.blueprint().services().len();
    let cost = (last + 1 - first) * FUTURES * ahead * services;
    // No multiple of a part of the day, or the same hours would be met again and again.
    let every = (cost.div_ceil(BUDGET)..).find(|&every| coprime(every, BLOCKS_A_DAY)).unwrap_or(1);
    let roll_outs = RollOuts { futures: FUTURES, block: BLOCK, every, ..RollOuts::default() };
    let estimated = (0..last + 1 - first).filter(|&minute| roll_outs.estimates(minute)).count();
    let total = estimated * FUTURES * services;
    let counting = Counting { rule, observer, done: AtomicUsize::new(0), total };
    observer.progress(Progress::Phase { phase: Phase::Ceiling, done: 0, total });
    let foresights = fleet.ceiling(&counting, spec, target, first..last + 1, roll_outs)?;
    observer.progress(Progress::Phase { phase: Phase::Ceiling, done: total, total });
    let of_minute: BTreeMap<usize, &Foresight> = foresights.iter().map(|found| (found.row, found)).collect();
    let (mut scores, mut picks) = (Vec::new(), Vec::new());
    for (index, place) in places.iter().enumerate() {
        let Some((service, minute)) = *place else { continue };
        if let Some(found) = of_minute.get(&minute) {
            scores.push(found.probabilities[service]);
            picks.push(index as u32);
        }
    }
    let seen = test.select(&picks)?;
    let positive = seen.positive();
    if !(positive.contains(&true) && positive.contains(&false)) {
        return Ok(None);
    }
    let at_budgets = at_budgets(&ScoredSet::from_samples(&seen, &scores, episodes)?)?;
    let failures = at_budgets.first().map_or(0, |curve| curve.episodes);
    let note = format!(
        "The ceiling is that of a predictor which knows the hidden state of the whole fleet: {FUTURES} futures were drawn \
         for {} of {} test windows, with {failures} failures{}.",
        scores.len(),
        test.len(),
        if every > 1 {
            format!(", those of {BLOCK} minutes in a row of {}", every * BLOCK)
        } else {
            String::new()
        }
    );
    Ok(Some(BestPossible {
        ceiling: Ceiling::new(Some(Bound::new(&scores, positive)?), None),
        curves: vec![PrCurve::new("oracle", CurveKind::Ceiling, &scores, positive)?],
        at_budgets,
        note: Some(note),
    }))
}

/// Whether two numbers, not both 0, have no common divisor but 1.
fn coprime(mut a: usize, mut b: usize) -> bool {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// What such scores detect at budgets of false alarms.
fn at_budgets(set: &ScoredSet) -> Result<Vec<LeadCurve>, ExperimentError> {
    let policy = AlarmPolicy::for_window(Score::ONE, set.spec());
    let found = BUDGETS.iter().map(|&budget| LeadCurve::in_hindsight(set, policy, budget));
    Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// For each sample the position of its service in the fleet, and its minute there; `None` for a time before or after
/// the simulation.
fn places(fleet: &Fleet, samples: &Samples) -> Result<Vec<Option<(usize, usize)>>, ExperimentError> {
    let names = samples.layout().services().iter().map(|place| place.name());
    let services: Vec<usize> =
        names.map(|name| fleet.blueprint().index_of(name)).collect::<Result<_, _>>()?;
    let minute_of = Step::MINUTE.steps_from(fleet.start());
    let place = |(service, time): (usize, Timestamp)| {
        let minute = usize::try_from(minute_of(time)).ok().filter(|&minute| minute < fleet.minutes());
        minute.map(|minute| (services[service], minute))
    };
    Ok(samples.places().map(place).collect())
}

/// A failure rule that reports how many of the futures it has judged.
struct Counting<'a> {
    rule: &'a dyn FailureRule,
    observer: &'a dyn Observer,
    done: AtomicUsize,
    total: usize,
}

impl FailureRule for Counting<'_> {
    fn describe(&self) -> String {
        self.rule.describe()
    }

    fn confirmation(&self) -> usize {
        self.rule.confirmation()
    }

    fn confirmation_at(&self, step: Step) -> usize {
        self.rule.confirmation_at(step)
    }

    fn settling_at(&self, step: Step) -> usize {
        self.rule.settling_at(step)
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        let done = self.done.fetch_add(1, Ordering::Relaxed);
        // About a hundred reports; the last one comes when all is done.
        if done.is_multiple_of((self.total / 100).max(1)) && done > 0 && done < self.total {
            self.observer.progress(Progress::Phase { phase: Phase::Ceiling, done, total: self.total });
        }
        self.rule.assess(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_label::{Rule, label};
    use forewarn_schema::{Frame, FrameSet};

    /// The fleet's frames without its first service and without the first hours of the second.
    fn part_of(frames: &FrameSet) -> FrameSet {
        let frame = |(index, view): (usize, FrameView<'_>)| {
            let from = if index == 1 { 300 } else { 0 };
            let values = view.values()[from * view.schema().len()..].to_vec();
            Frame::new(view.service(), view.schema().clone(), view.time(from), view.step(), values).unwrap()
        };
        FrameSet::from_frames(frames.frames().enumerate().skip(1).map(frame).collect()).unwrap()
    }

    #[test]
    fn a_sample_is_found_by_its_service_and_time() {
        let mut fleet = Fleet::shop(7).with_minutes(600);
        let frames = forewarn_core::Source::frames(&mut fleet).unwrap();
        let labels = |frames| label(frames, &Rule::v1(), WindowSpec::default(), Target::Onset).unwrap();
        let whole = labels(&frames).samples(|_, _| true);
        let all = places(&fleet, &whole).unwrap();
        assert_eq!(all.len(), whole.len());
        for (place, &row) in all.iter().zip(whole.rows()) {
            assert_eq!(*place, Some((row as usize / 600, row as usize % 600)));
        }
        let part = labels(&part_of(&frames)).samples(|_, _| true);
        let found = places(&fleet, &part).unwrap();
        assert_eq!(found.len(), part.len());
        assert!(found.iter().all(|place| matches!(place, Some((1.., _)))), "the first service is not there");
        let of_second = |place: &&Option<(usize, usize)>| matches!(place, Some((1, _)));
        let first = found.iter().find(of_second).unwrap();
        assert_eq!(*first, Some((1, 309)), "the last row of its first window");
    }

    #[test]
    fn blocks_of_a_long_span_meet_every_hour_of_the_day() {
        for cost in [1, 2, 4, 6, 9, 30] {
            let every = (cost..).find(|&every| coprime(every, BLOCKS_A_DAY)).unwrap();
            let roll_outs = RollOuts { block: BLOCK, every, ..RollOuts::default() };
            let hours: std::collections::BTreeSet<usize> = (0..90 * 24 * 60)
                .filter(|&minute| roll_outs.estimates(minute))
                .map(|minute| minute / 60 % 24)
                .collect();
            assert_eq!(hours.len(), 24, "every {every}");
        }
    }

    #[test]
    fn the_ceiling_reports_how_far_it_has_come() {
        let mut fleet = Fleet::shop(7).with_minutes(2880);
        let frames = forewarn_core::Source::frames(&mut fleet).unwrap();
        let spec = WindowSpec::default();
        let labels = label(&frames, &Rule::v1(), spec, Target::Onset).unwrap();
        let from = frames.frame(0).unwrap().time(2700);
        let test = labels.samples(|_, time| (0.0..60.0).contains(&time.minutes_since(from)));
        let seen = std::sync::Mutex::new(Vec::new());
        let observer = |progress: Progress<'_>| {
            if let Progress::Phase { phase: Phase::Ceiling, done, total } = progress {
                seen.lock().unwrap().push((done, total));
            }
        };
        let test = (&test, labels.episodes());
        Truth::Fleet(Box::new(fleet)).ceiling(&Rule::v1(), spec, Target::Onset, test, &observer).unwrap();
        let seen = seen.into_inner().unwrap();
        let total = seen[0].1;
        assert_eq!((seen[0], *seen.last().unwrap()), ((0, total), (total, total)));
        assert!(seen.len() > 90 && seen.len() < 110, "{}", seen.len());
        let within = &seen[1..seen.len() - 1];
        assert!(within.iter().all(|&(done, of)| 0 < done && done < total && of == total));
        assert!(within.iter().any(|&(done, _)| done > total / 100 * 97), "every future is counted");
    }
}

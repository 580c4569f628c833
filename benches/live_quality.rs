//! What the engine of a live service is worth on replays: one incident a cascade, a budget that holds in drift, and a
//! month that teaches more than a week.
//!
//! It prints tables; `docs/explanation/live-quality.md` has those of a release. Parts by name, all without one:
//!
//! ```text
//! cargo bench -p forewarn-benches --bench live_quality -- incidents budget learning
//! cargo bench -p forewarn-benches --bench live_quality --features forewarn/parquet -- \
//!     metrics smd_servers.parquet failure
//! ```
//!
//! A name of data or of a model beside that of a part leaves the others out: `-- incidents generated`,
//! `-- budget twelve gru`, and with `seed=71` they are of other seeds.
//!
//! With `--test` spans are short: it shows that the program works. With `FOREWARN_MISSES`, cascades whose root is not
//! the first suspect go to standard error.

use forewarn::{
    core::{AlarmPolicy, BudgetMode, BudgetSettings, FailureRule, Score},
    eval::{BlockBootstrap, Events, ScoredSeries, ScoredSet},
    experiment::{Data, Experiment, Progress, StandardModels},
    io::ReadOptions,
    label::Rule,
    live::{
        ActedOn, Engine, EngineConfig, EngineModels, Event, EventBody, IncidentState, Input, LedgerBook,
        LedgerQuery, ServedModel, TrainingRows, WarningState,
    },
    schema::{Frame, FrameSet, Schema, Step, Timestamp},
    sim::{
        Fleet,
        fleet::{Blueprint, Causes, Load},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    path::Path,
    sync::Arc,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const DAY: usize = 1440;
/// Days of each graph whose cascades are joined, for each seed: together some hundreds of cascades of the shop and of
/// twelve, so that a share is known to about .05.
const SHOP_DAYS: usize = 42;
const TWELVE_DAYS: usize = 21;
const GENERATED_DAYS: usize = 6;
/// Days to fit on, and days of the replay that drifts half-way: with fewer, twelve false alarms more or less would
/// decide.
const FIT_DAYS: usize = 21;
const DRIFT_DAYS: usize = 42;
const BUDGET_HEAD: &str = "| data | model | mode | false alarms a service and week | failures detected \
                           | static threshold of that rate |";

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let names: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|name| !name.starts_with("--")).collect();
    if is_test {
        // That it runs: two days say nothing of quality.
        return incidents("shop", &Blueprint::shop(), 2, 1.0, FIRST_SEED);
    }
    if let ["metrics", path, column] = names[..] {
        return budget_of_a_file(Path::new(path), column);
    }
    let is_asked = |name| names.is_empty() || names.contains(&name);
    let has_data = |name| !DATA.iter().any(|data| names.contains(data)) || names.contains(&name);
    let seed = names.iter().find_map(|name| name.strip_prefix("seed=")?.parse().ok());
    if is_asked("incidents") {
        println!(
            "| graph | seed | cascades | warnings and failures a cascade | incidents a cascade \
             | faults an incident | root first | root in three |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        let seeds = seed.map_or_else(|| vec![FIRST_SEED, 31, 32], |seed| vec![seed]);
        for &seed in &seeds {
            if has_data("shop") {
                incidents("shop", &Blueprint::shop(), SHOP_DAYS, 1.0, seed)?;
            }
            if has_data("twelve") {
                incidents("twelve", &Blueprint::twelve(), TWELVE_DAYS, 1.0, seed)?;
            }
        }
        for seed in seeds.into_iter().filter(|_| has_data("generated")) {
            // As many faults a day as a fleet of twelve has: who runs a hundred services has no hundred faults a day,
            // and each that acts is simulated once more without it.
            let name = format!("generated {seed}, 100 services");
            incidents(&name, &Blueprint::layered(seed, 100)?, GENERATED_DAYS, 0.12, seed)?;
        }
    }
    if is_asked("budget") {
        println!("\n{BUDGET_HEAD}");
        println!("|---|---|---|---|---|---|");
        // The controller was tuned on seeds of the first kind.
        for (name, blueprint, usual) in [
            ("shop", Blueprint::shop(), 5),
            ("shop, fresh", Blueprint::shop(), 41),
            ("twelve", Blueprint::twelve(), 45),
        ] {
            if !has_data(name) {
                continue;
            }
            let seed = seed.unwrap_or(usual);
            let train = Fleet::new(blueprint.clone(), FIT_DAYS * DAY, seed);
            let mut models = if seed == 5 { &MODELS[..] } else { &MODELS[..3] }.to_vec();
            if MODELS.iter().any(|model| names.contains(model)) {
                models = MODELS.into_iter().filter(|model| names.contains(model)).collect();
            }
            budget(name, &frames_of(train)?, &drifting(&blueprint, DRIFT_DAYS, seed)?, &Rule::v1(), &models)?;
        }
    }
    if is_asked("learning") {
        learning(7, 28, 14)?;
    }
    Ok(())
}

/// Names of data that can be asked for alone.
const DATA: [&str; 4] = ["shop", "shop, fresh", "twelve", "generated"];

/// The network only for the smaller fleet: it takes the longest.
const MODELS: [&str; 4] = ["logistic_window", "boosted_trees", "rolling_mean", "gru"];

fn frames_of(fleet: Fleet) -> Outcome<FrameSet> {
    Ok(Data::from_fleet(fleet)?.frames().clone())
}

/// A span at the usual load, and as long a one with a third more users and twice the faults.
fn drifting(blueprint: &Blueprint, days: usize, seed: u64) -> Outcome<FrameSet> {
    let half = days * DAY / 2;
    let calm = Fleet::new(blueprint.clone(), half, seed + 1);
    let mut faults = forewarn::sim::fleet::FaultSchedule::default();
    faults.per_service_day.values_mut().for_each(|rate| *rate *= 2.0);
    let load = Load { level: 1.33, ..Load::default() };
    let busy = Fleet::new(blueprint.clone(), half, seed + 2).with_load(load).with_faults(faults);
    let (calm, busy) = (frames_of(calm)?, frames_of(busy)?);
    let joined = calm.frames().zip(busy.frames()).map(|(one, other)| {
        let values = [one.values(), other.values()].concat();
        Frame::new(one.service(), one.schema().clone(), one.start(), one.step(), values)
    });
    Ok(FrameSet::from_frames(joined.collect::<Result<_, _>>()?)?)
}

struct Frames(FrameSet);

impl forewarn::core::Source for Frames {
    fn describe(&self) -> String {
        "frames of a benchmark".to_owned()
    }

    fn frames(&mut self) -> Result<FrameSet, forewarn::core::CoreError> {
        Ok(self.0.clone())
    }
}

/// Fits a model by name, as `forewarn train` does.
fn fit(name: &str, rule: &Rule, frames: &FrameSet) -> Outcome<Arc<ServedModel>> {
    let data = Data::from_source(&mut Frames(frames.clone()))?;
    let standard =
        StandardModels { members: 1, ..StandardModels::new(rule.clone(), frames.schema().clone()) };
    let trained =
        Experiment::new(rule.clone()).with_model(standard.get(name)?).train(data, &|_: Progress<'_>| {})?;
    Ok(Arc::new(ServedModel::from_envelope(trained.to_envelope(name)?)?))
}

/// The rows of all services, minute by minute, as a live source brings them.
fn rows(frames: &FrameSet, metrics: &Schema) -> Outcome<Vec<Input>> {
    let columns = metrics.names().map(|name| frames.schema().index_of(name));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let mut inputs: Vec<(Timestamp, Input)> = Vec::new();
    for frame in frames.frames() {
        for (row, values) in frame.values().chunks_exact(frames.schema().len()).enumerate() {
            let values: Vec<f32> = columns.iter().map(|&column| values[column]).collect();
            if values.iter().any(|value| !value.is_nan()) {
                let (service, time) = (frame.service().to_owned(), frame.time(row));
                inputs.push((time, Input::Row { service, time, values }));
            }
        }
    }
    inputs.sort_by_key(|&(time, _)| time);
    Ok(inputs.into_iter().map(|(_, input)| input).collect())
}

fn replay(config: EngineConfig, models: EngineModels, inputs: Vec<Input>) -> Outcome<(Engine, Vec<Event>)> {
    let mut engine = Engine::new(config, models)?;
    let mut events = Vec::new();
    for input in inputs {
        events.extend(engine.apply(input)?);
    }
    Ok((engine, events))
}

fn settings(mode: BudgetMode, per_service_week: f64) -> EngineConfig {
    let budget = BudgetSettings { per_service_week, mode, ..BudgetSettings::default() };
    EngineConfig { budget, ..EngineConfig::default() }
}

/// The seed that ranking was tuned on; the others are fresh.
const FIRST_SEED: u64 = 9;

/// Cascades of a fleet whose causes are known, against the incidents that the engine makes of them. A service has
/// `share` of the usual faults a day.
fn incidents(name: &str, blueprint: &Blueprint, days: usize, share: f64, seed: u64) -> Outcome<()> {
    let rule = Rule::v1();
    let fleet = |seed: u64| -> Outcome<Fleet> {
        let mut faults = forewarn::sim::fleet::FaultSchedule::default();
        faults.per_service_day.values_mut().for_each(|rate| *rate *= share);
        Ok(Fleet::new(blueprint.clone(), days * DAY, seed).with_faults(faults))
    };
    let model = fit("logistic_window", &rule, &frames_of(fleet(5)?)?)?;
    let fleet = fleet(seed)?;
    let calls =
        fleet.blueprint().calls().iter().map(|call| (call.client.clone(), call.server.clone())).collect();
    let causes = fleet.causes(&rule)?;
    let mut inputs = vec![Input::Graph { calls }];
    inputs.extend(rows(&frames_of(fleet)?, model.metrics())?);
    let (_, events) = replay(settings(BudgetMode::Adaptive, 7.0), EngineModels::new("line", model), inputs)?;
    let found = Found::new(&events);
    let (mut cascades, mut parts, mut incidents, mut first, mut three) = (0, 0, 0, 0, 0);
    for cascade in causes.cascades().filter(|cascade| cascade.victims.len() > 1) {
        let Some(seen) = found.of(&causes, &cascade.failures) else { continue };
        cascades += 1;
        parts += seen.parts;
        incidents += seen.incidents;
        let root = cascade.fault.injection.target.as_str();
        if env::var_os("FOREWARN_MISSES").is_some()
            && seen.suspects.first().is_none_or(|suspect| suspect != root)
        {
            let kind = cascade.fault.injection.kind.name();
            eprintln!(
                "{name}: {kind} of {root}, victims {:?}, suspects {:?}",
                cascade.victims, seen.suspects
            );
        }
        first += usize::from(seen.suspects.first().is_some_and(|suspect| suspect == root));
        three += usize::from(seen.suspects.iter().take(3).any(|suspect| suspect == root));
    }
    let of = |count: usize| count as f64 / f64::from(cascades.max(1));
    let faults = found.faults_an_incident(&causes);
    println!(
        "| {name}, {days} days | {seed} | {cascades} | {:.1} | {:.2} | {faults:.2} | {:.0} % | {:.0} % |",
        of(parts),
        of(incidents),
        100.0 * of(first),
        100.0 * of(three)
    );
    Ok(())
}

/// What the engine said of warnings, failures and incidents.
#[derive(Default)]
struct Found {
    /// Times and incident of each service's warnings and failures.
    parts: Vec<(String, Timestamp, String)>,
    /// When something was said of an incident, and its suspects then.
    told: Vec<(Timestamp, String, Vec<String>)>,
}

struct Seen {
    parts: usize,
    incidents: usize,
    suspects: Vec<String>,
}

impl Found {
    fn new(events: &[Event]) -> Self {
        let mut found = Self::default();
        // The incident that each service joined last, and who is in each.
        let mut member: BTreeMap<String, String> = BTreeMap::new();
        let mut listed: BTreeSet<(String, String)> = BTreeSet::new();
        let mut waiting: Vec<(String, Timestamp, Option<String>)> = Vec::new();
        for event in events {
            match &event.body {
                EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                    waiting.push((warning.service.clone(), event.time, warning.incident.clone()));
                }
                EventBody::Failure(failure) if failure.end.is_none() => {
                    waiting.push((failure.service.clone(), event.time, None));
                }
                EventBody::Incident(incident) if incident.state != IncidentState::Closed => {
                    for service in &incident.services {
                        if listed.insert((incident.id.clone(), service.clone())) {
                            member.insert(service.clone(), incident.id.clone());
                        }
                    }
                    let suspects = incident.suspects.iter().map(|(service, _)| service.clone()).collect();
                    found.told.push((event.time, incident.id.clone(), suspects));
                }
                // Incidents are told at the end of the minute.
                EventBody::Budget(_) | EventBody::Row(_) | EventBody::Score(_)
                    if waiting.first().is_some_and(|&(_, time, _)| time < event.time) =>
                {
                    for (service, time, incident) in waiting.drain(..) {
                        if let Some(incident) = incident {
                            member.insert(service.clone(), incident);
                        }
                        let incident = member.get(&service).cloned().unwrap_or_default();
                        found.parts.push((service, time, incident));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// What belongs to some failures: warnings up to 15 minutes before them and until they end, and the failures.
    fn parts_of(&self, causes: &Causes, failures: &[usize]) -> BTreeSet<(String, Timestamp, String)> {
        let mut parts = BTreeSet::new();
        for &failure in failures {
            let failure = &causes.failures[failure];
            let service = &causes.services[failure.service];
            let (from, until) =
                (failure.episode.onset().millis() - 15 * 60_000, failure.episode.end().millis());
            let is_of = |part: &&(String, Timestamp, String)| {
                part.0 == *service && (from..until).contains(&part.1.millis())
            };
            parts.extend(self.parts.iter().filter(is_of).cloned());
        }
        parts
    }

    /// Faults that made something fail in an incident, in the mean over incidents with such failures: one, unless
    /// incidents join what does not belong together.
    fn faults_an_incident(&self, causes: &Causes) -> f64 {
        let mut roots: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for (place, failure) in causes.failures.iter().enumerate() {
            let Some(root) = failure.root else { continue };
            let parts = self.parts_of(causes, &[place]);
            for (_, _, incident) in parts.into_iter().filter(|part| part.1 >= failure.episode.onset()) {
                roots.entry(incident).or_default().insert(root);
            }
        }
        let faults: usize = roots.values().map(BTreeSet::len).sum();
        faults as f64 / roots.len().max(1) as f64
    }

    /// What was seen of a cascade's failures.
    fn of(&self, causes: &Causes, failures: &[usize]) -> Option<Seen> {
        let parts = self.parts_of(causes, failures);
        let incidents: BTreeSet<&String> = parts.iter().map(|(_, _, incident)| incident).collect();
        // What is said of an incident with the cascade's first warning or failure.
        let (_, first, incident) = parts.iter().min_by_key(|(_, time, _)| *time)?;
        let mut told = self.told.iter().filter(|(_, id, _)| id == incident);
        let (_, _, suspects) = told.clone().find(|(time, ..)| time >= first).or_else(|| told.next_back())?;
        Some(Seen { parts: parts.len(), incidents: incidents.len(), suspects: suspects.clone() })
    }
}

/// The rate and the failures detected by each mode, and what a static threshold of the same rate would have detected.
fn budget(name: &str, train: &FrameSet, test: &FrameSet, rule: &Rule, models: &[&str]) -> Outcome<()> {
    for model_name in models {
        let model = fit(model_name, rule, train)?;
        let inputs = rows(test, model.metrics())?;
        for mode in [BudgetMode::Static, BudgetMode::Adaptive] {
            let models = EngineModels::new(*model_name, Arc::clone(&model));
            let (engine, events) = replay(settings(mode, 1.0), models, inputs.clone())?;
            let mut book = LedgerBook::new(model.step());
            events.iter().for_each(|event| book.take(event));
            let figures = book.figures(&LedgerQuery::default(), &BlockBootstrap::default());
            let rate = figures.false_alarms_per_service_week.and_then(|rate| rate.value).unwrap_or_default();
            let failures = figures.detected + figures.missed;
            let set = scored(&engine, &events, test, &model)?;
            let hindsight = hindsight(&set, model.policy().ok_or("a policy")?, rate);
            println!(
                "| {name} | {model_name} | {} | {rate:.2} | {} of {failures} | {hindsight} |",
                if mode == BudgetMode::Static { "static" } else { "adaptive" },
                figures.detected
            );
        }
    }
    Ok(())
}

/// The scores of a replay with the failures of its rows, as an evaluation takes them.
fn scored(engine: &Engine, events: &[Event], frames: &FrameSet, model: &ServedModel) -> Outcome<ScoredSet> {
    let mut by_service: BTreeMap<&str, (Vec<Timestamp>, Vec<Score>)> = BTreeMap::new();
    for event in events {
        if let EventBody::Score(score) = &event.body
            && let Some(probability) = score.probability
        {
            let (times, scores) = by_service.entry(&score.service).or_default();
            times.push(event.time);
            scores.push(Score::new(probability as f32)?);
        }
    }
    let mut series = Vec::new();
    for frame in frames.frames() {
        let Some((times, scores)) = by_service.remove(frame.service()) else { continue };
        let (positive, episodes) = (vec![false; times.len()], engine.rule().assess(frame)?.episodes);
        series.push(ScoredSeries::new(frame.service(), times, scores, positive, episodes)?);
    }
    Ok(ScoredSet::new(model.window(), model.step(), series)?)
}

/// Failures that the lowest static threshold detects which raises no more false alarms than this.
fn hindsight(set: &ScoredSet, policy: AlarmPolicy, rate: f64) -> usize {
    let (mut low, mut high) = (-12.0_f64, 12.0_f64);
    let counts = |log_odds: f64| {
        let threshold = Score::from_logit(log_odds).unwrap_or(Score::ONE);
        Events::new(set, policy.at(threshold)).totals()
    };
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        let found = 7.0 * counts(middle).false_alarms_per_service_day().unwrap_or_default();
        if found <= rate { high = middle } else { low = middle }
    }
    counts(high).caught()
}

/// The first half of a metrics file trains, the second is replayed.
fn budget_of_a_file(path: &Path, column: &str) -> Outcome<()> {
    let data = Data::from_path(path, &ReadOptions::default().with_outcome_column(column))?;
    let half = |is_first: bool| -> Outcome<FrameSet> {
        let frames = data.frames().frames().map(|frame| {
            let (middle, width) = (frame.rows() / 2, data.frames().schema().len());
            let (from, until) = if is_first { (0, middle) } else { (middle, frame.rows()) };
            let values = frame.values()[from * width..until * width].to_vec();
            Frame::new(frame.service(), frame.schema().clone(), frame.time(from), frame.step(), values)
        });
        Ok(FrameSet::from_frames(frames.collect::<Result<_, _>>()?)?)
    };
    println!("{BUDGET_HEAD}");
    println!("|---|---|---|---|---|---|");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    budget(
        &name,
        &half(true)?,
        &half(false)?,
        &Rule::outcome(column)?,
        &["logistic_window", "boosted_trees", "gru"],
    )
}

/// A model of a week runs live for a month; one trained on the journal's rows runs beside it for the weeks after.
fn learning(week: usize, month: usize, after: usize) -> Outcome<()> {
    let rule = Rule::v1();
    let all = frames_of(Fleet::new(Blueprint::twelve(), (week + month + after) * DAY, 21))?;
    let span = |from: usize, until: usize| -> Outcome<FrameSet> {
        let width = all.schema().len();
        let frames = all.frames().map(|frame| {
            let values = frame.values()[from * DAY * width..until * DAY * width].to_vec();
            Frame::new(frame.service(), frame.schema().clone(), frame.time(from * DAY), frame.step(), values)
        });
        Ok(FrameSet::from_frames(frames.collect::<Result<_, _>>()?)?)
    };
    let name = "boosted_trees";
    let first = fit(name, &rule, &span(0, week)?)?;
    let models = EngineModels::new("week", Arc::clone(&first));
    let (_, events) = replay(
        settings(BudgetMode::Adaptive, 2.0),
        models,
        rows(&span(week, week + month)?, first.metrics())?,
    )?;
    let mut journal = TrainingRows::new(first.metrics(), first.step(), first.window(), ActedOn::LeftOut);
    events.iter().try_for_each(|event| journal.take(event))?;
    let (frames, left_out) = journal.finish()?;
    let second = fit(name, &rule, &frames)?;
    let models = EngineModels::new("week", Arc::clone(&first)).with_shadow("month", second);
    let inputs = rows(&span(week + month, week + month + after)?, first.metrics())?;
    let (_, events) = replay(settings(BudgetMode::Adaptive, 2.0), models, inputs)?;
    let mut book = LedgerBook::new(Step::MINUTE);
    events.iter().for_each(|event| book.take(event));
    let bootstrap = BlockBootstrap::default();
    println!("\n{left_out:?}");
    for model in ["week", "month"] {
        let query = LedgerQuery { model: Some(model.to_owned()), ..LedgerQuery::default() };
        let figures = book.figures(&query, &bootstrap);
        println!(
            "{model}: {} of {} failures, {:?}",
            figures.detected,
            figures.detected + figures.missed,
            figures.false_alarms_per_service_week
        );
    }
    let compared = book.compare("week", "month", &LedgerQuery::default(), 2.0, &bootstrap);
    println!("{}", compared.ok_or("both scored")?.reason);
    Ok(())
}

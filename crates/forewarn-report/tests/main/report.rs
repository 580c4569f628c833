//! The report: its numbers, its JSON, its table and its page.

use crate::{minute, scores};
use forewarn_core::{AlarmPolicy, average_precision};
use forewarn_core::{CoreError, Epoch, Forecast, History, Label, Labels, Score, Split, Target, WindowSpec};
use forewarn_eval::{
    BlockBootstrap, Bound, Ceiling, Confusion, EpisodeClasses, EvalError, Events, InputSummary, LeakAudit,
    ModelComparison, ModelReport, ModelRun, PartSummary, Report, ScoredSet, ServiceCounts, SplitSummary,
    TestSummary, TimingReliability, WalkForwardReport, WalkRun, WindowSummary, best_f1_threshold, brier,
    predictions_csv, roc_auc,
};
use forewarn_report::{CurveKind, Mark, Pictures, PrCurve, Present, ServiceOnsets, Timeline};
use forewarn_schema::{Episode, Episodes, Frame, FrameSet, Kind, Metric, Schema, Step, Unit, ValidRange};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{sync::Arc, time::Duration};

const ROWS: i64 = 12_000;
const SCRIPT: &str = "<script>alert('x')</script>";

/// Services that fail every 50 minutes for three, with a metric that rises before; labels, and a split by time.
struct World {
    frames: FrameSet,
    labels: Labels,
    split: Split,
}

fn world(services: &[&str], metric: &str) -> World {
    let schema = Schema::new(vec![
        Metric::new(metric, Unit::Ratio, Kind::Ratio, ValidRange::UNIT),
        Metric::gauge("load"),
    ])
    .unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let frames = services.iter().map(|service| {
        let values = (0..ROWS).flat_map(|t| {
            let ahead = 50 - t % 50;
            let rise = if ahead <= 5 { 0.1 * (6 - ahead) as f32 } else { 0.0 };
            let missing = t == 100;
            let value = 0.5 * random.random::<f32>().powi(2) + rise;
            [if missing { f32::NAN } else { value }, if missing { f32::NAN } else { 1.0 }]
        });
        Frame::new(*service, schema.clone(), minute(0), Step::MINUTE, values.collect()).unwrap()
    });
    let frames = FrameSet::from_frames(frames.collect()).unwrap();
    let spec = WindowSpec::default();
    let is_failing = |t: i64| t >= 50 && t % 50 < 3;
    let label = |t: i64| match t {
        t if t + 5 >= ROWS => Label::Excluded(forewarn_core::Exclusion::Censored),
        t if is_failing(t) => Label::Excluded(forewarn_core::Exclusion::Ongoing),
        t if (t + 1..=t + 5).any(|ahead| ahead % 50 == 0) => Label::Positive,
        _ => Label::Negative,
    };
    let failures =
        (1..ROWS / 50).map(|i| Episode::new(minute(50 * i), minute(50 * i + 1), minute(50 * i + 3)).unwrap());
    let episodes = vec![Episodes::new(failures.collect()).unwrap(); services.len()];
    let labels = services.iter().flat_map(|_| (0..ROWS).map(label)).collect();
    let labels = Labels::new(Arc::clone(frames.layout()), spec, Target::Onset, 2, labels, episodes).unwrap();
    let part = |from: i64, to: i64| labels.samples(|_, time| minute(from) <= time && time < minute(to));
    let split = Split::new(part(0, 1500), part(1520, 2200), part(2220, ROWS), labels.purge()).unwrap();
    World { frames, labels, split }
}

impl World {
    /// The metric itself, or another number where it is missing.
    fn scores(&self, samples: &forewarn_core::Samples) -> Vec<Score> {
        let width = self.frames.schema().len();
        let value = |row: &u32| self.frames.values()[*row as usize * width];
        samples.rows().iter().map(|row| Score::new(value(row).max(0.01)).unwrap()).collect()
    }

    /// The score as the probability of the whole period, the same in each of its minutes but for a first that grows
    /// with it.
    fn forecasts(&self, samples: &forewarn_core::Samples, scores: &[Score]) -> Vec<Forecast> {
        assert_eq!(samples.len(), scores.len());
        let hazards = |score: f64| [score * score, 0.2 * score, 0.2 * score, 0.2 * score, 0.2 * score];
        scores.iter().map(|score| Forecast::from_hazards(&hazards(f64::from(score.get()))).unwrap()).collect()
    }

    fn test(&self, scores: &[Score]) -> ScoredSet {
        ScoredSet::from_samples(self.split.test(), scores, self.labels.episodes()).unwrap()
    }

    fn validation(&self, scores: &[Score]) -> ScoredSet {
        ScoredSet::from_samples(self.split.validation(), scores, self.labels.episodes()).unwrap()
    }

    fn model(&self, name: &str, validation: &[Score], test: &ScoredSet) -> Result<ModelReport, EvalError> {
        let validation = self.validation(validation);
        let run = ModelRun::new(name, &validation, test).with_description("The metric, as it is");
        let classes = [self.classes()];
        let run = run
            .with_durations(Duration::from_millis(1500), Duration::from_millis(250))
            .with_classes(&classes);
        ModelReport::evaluate(&run)
    }

    /// Every other failure is of a kind, of a name that is markup; the rest are of none.
    fn classes(&self) -> EpisodeClasses {
        let mut classes = EpisodeClasses::new("fault kind");
        for (place, episodes) in self.frames.layout().services().iter().zip(self.labels.episodes()) {
            for episode in episodes.iter().step_by(2) {
                classes.episode(place.name(), episode, SCRIPT).unwrap();
            }
        }
        classes
    }

    /// Two folds of the test part, in the second of which the model was fitted to say more.
    fn walk(&self, name: &str, test: &ScoredSet) -> WalkForwardReport {
        let policy = AlarmPolicy::for_window(Score::new(0.5).unwrap(), test.spec());
        let folds = [(minute(2220), minute(7000)), (minute(7001), minute(ROWS))];
        let refitted: Vec<_> =
            folds.iter().map(|&(from, to)| (test.between(from, to).unwrap(), policy)).collect();
        let trained = [PartSummary::new("train", self.split.train()).unwrap(); 2];
        let runs = [WalkRun { name, fixed: (test, policy), refitted }];
        WalkForwardReport::new(3.0, &trained, &runs, &BlockBootstrap::default()).unwrap()
    }

    fn report(&self) -> (Report, Pictures) {
        let (validation, test_scores) =
            (self.scores(self.split.validation()), self.scores(self.split.test()));
        let test = self.test(&test_scores);
        let constant = vec![Score::ZERO; test_scores.len()];
        let mut report = Report::new(
            {
                let mut input = InputSummary::new(format!("{SCRIPT}.csv"), "csv", &self.frames).unwrap();
                input.by_service = ServiceCounts::of_labels(&self.labels);
                input
            },
            format!("{SCRIPT} is high"),
            self.labels.target(),
            WindowSummary::new(self.labels.spec(), Step::MINUTE),
            self.frames.schema().names().map(str::to_owned).collect(),
            SplitSummary::new(&self.split).unwrap(),
            TestSummary::new(&test).unwrap(),
        );
        report
            .models
            .push(self.model("silent", &vec![Score::ZERO; validation.len()], &self.test(&constant)).unwrap());
        let mut metric = self.model(&format!("metric {SCRIPT}"), &validation, &test).unwrap();
        metric.trainer = Some("native".to_owned());
        metric.training = training();
        metric.timing = TimingReliability::new(
            &self.forecasts(self.split.test(), &test_scores),
            self.split.test().outcomes(),
            TimingReliability::BINS,
        )
        .unwrap();
        report.models.push(metric);
        report.notes.push(format!("note {SCRIPT}"));
        let silent = self.test(&constant);
        let compared = [("silent", &silent), (report.models[1].name.as_str(), &test)];
        report.comparison = ModelComparison::new(&compared, &BlockBootstrap::default()).unwrap();
        let positive = self.split.test().positive();
        report.ceiling = Some(Ceiling::new(Some(Bound::new(&test_scores, positive).unwrap()), None));

        report.audit = LeakAudit::new().with_scores(&test).run().unwrap().about(SCRIPT).checks;
        report.walk_forward = Some(self.walk(&report.models[1].name, &test));
        let mut pictures = Pictures::default();
        let chosen = report.chosen().unwrap();
        let metrics: Vec<&str> = self.frames.schema().names().collect();
        let scored = [(chosen.name.clone(), test.clone())];
        pictures.add_moments(&report, &scored, &self.frames, &metrics).unwrap();
        for (name, kind) in [(&chosen.name, CurveKind::Model), (&"oracle".to_owned(), CurveKind::Ceiling)] {
            pictures.curves.push(PrCurve::new(name, kind, &test_scores, positive).unwrap());
        }
        let places = self.frames.layout().services().iter().zip(self.labels.episodes());
        pictures.onsets =
            places.map(|(place, episodes)| ServiceOnsets::new(place.name(), episodes)).collect();
        (report, pictures)
    }
}

/// Two networks, one of which stopped early.
fn training() -> Vec<History> {
    let epoch = |number: i32, rise: f64| Epoch {
        loss: 0.1 + 0.3 * 0.7f64.powi(number),
        validation_pr_auc: 0.2 + rise * (1.0 - 0.6f64.powi(number)) - 0.002 * f64::from(number * number),
        learning_rate: 1e-3,
        gradient_norm: 0.1,
    };
    [(9, 0.3, 5), (7, 0.26, 4)]
        .map(|(epochs, rise, best_epoch)| History {
            epochs: (1..=epochs).map(|n| epoch(n, rise)).collect(),
            best_epoch,
        })
        .to_vec()
}

/// A report with everything in it, and names that try to be markup.
pub(crate) fn example() -> (Report, Pictures) {
    world(&["a service with quite a long name", SCRIPT], "error_rate").report()
}

#[test]
fn a_model_is_measured_as_its_parts_say() {
    let world = world(&["a", "b"], "error_rate");
    let (validation, test_scores) =
        (world.scores(world.split.validation()), world.scores(world.split.test()));
    let test = world.test(&test_scores);
    let model = world.model("metric", &validation, &test).unwrap();
    let positive = world.split.test().positive();
    let (threshold, f1) = best_f1_threshold(&validation, world.split.validation().positive()).unwrap();
    let windows = Confusion::at(threshold, &test_scores, positive).unwrap();
    assert_eq!((model.threshold, model.validation.f1), (threshold, f1));
    assert_eq!(
        (model.precision, model.recall, model.f1),
        (windows.precision(), windows.recall(), windows.f1())
    );
    assert_eq!(model.pr_auc, average_precision(&test_scores, positive).unwrap());
    assert_eq!(model.roc_auc, roc_auc(&test_scores, positive).unwrap());
    assert_eq!(model.brier, brier(&test_scores, positive).unwrap());
    assert_eq!((model.fit_seconds, model.score_seconds), (Some(1.5), Some(0.25)));
    assert_eq!(model.refractory_steps, 5);
    let totals = Events::new(&test, AlarmPolicy::new(threshold, 5)).totals();
    assert_eq!(
        (model.alarms, model.false_alarms, model.late_alarms),
        (totals.alarms, totals.false_alarms, 0)
    );
    assert_eq!(model.event_recall, totals.recall());
    assert!(model.episodes_caught > 10 && model.false_alarms > 0, "{model:?}");
    assert_eq!(model.false_alarms_per_service_day, totals.false_alarms as f64 / test.service_days());
    let operation = model.operation.as_ref().unwrap();
    assert_eq!(operation.alarm_precision, totals.alarm_precision());
    assert_eq!(operation.worst.false_alarms.len(), model.false_alarms.min(5));
    // Services add up to the whole.
    let sum =
        |field: fn(&forewarn_eval::ServiceReport) -> usize| model.services.iter().map(field).sum::<usize>();
    assert_eq!(model.services.len(), 2);
    assert_eq!(sum(|one| one.windows), test.windows());
    assert_eq!(sum(|one| one.alarms), model.alarms);
    assert_eq!(sum(|one| one.false_alarms), model.false_alarms);
    assert_eq!(sum(|one| one.episodes_caught), model.episodes_caught);
    assert!(model.services.iter().all(|one| one.intervals.unwrap().event_recall.is_some()));
    // So do classes, with those that have none.
    let sum =
        |field: fn(&forewarn_eval::ClassReport) -> usize| model.classes.iter().map(field).sum::<usize>();
    let names: Vec<_> = model.classes.iter().map(|class| class.class.as_deref()).collect();
    assert_eq!(names, [Some(SCRIPT), None]);
    assert_eq!((sum(|one| one.episodes), sum(|one| one.episodes_caught)), (totals.episodes, totals.caught()));
    assert!(model.classes[0].event_recall_interval.unwrap().contains(model.classes[0].event_recall.unwrap()));
}

#[test]
fn a_single_class_names_model_and_part() {
    let world = world(&["a"], "error_rate");
    let (validation, scores) = (world.scores(world.split.validation()), world.scores(world.split.test()));
    let test = world.test(&scores);
    let quiet = |from: i64, to: i64| {
        let samples = world.labels.samples(|_, time| minute(from) <= time && time < minute(to));
        ScoredSet::from_samples(&samples, &world.scores(&samples), world.labels.episodes()).unwrap()
    };
    let run = |validation: &ScoredSet, test: &ScoredSet| {
        ModelReport::evaluate(&ModelRun::new("metric", validation, test))
    };
    let error = run(&quiet(1555, 1590), &test).unwrap_err();
    assert_eq!(
        error.to_string(),
        "model \"metric\": validation has 0 positive windows of 35: both classes are needed"
    );
    let validation = world.validation(&validation);
    let EvalError::Model { source, .. } = run(&validation, &quiet(2255, 2290)).unwrap_err() else {
        panic!("another error")
    };
    assert!(matches!(
        *source,
        EvalError::Core(CoreError::SingleClass { part: "test", positives: 0, windows: 35 })
    ));
    assert!(TestSummary::new(&quiet(2255, 2290)).is_err());
}

#[test]
fn json_has_the_documented_keys_and_comes_back() {
    let (report, _) = world(&["a", "b"], "error_rate").report();
    let json = report.to_json().unwrap();
    assert_eq!(Report::from_json(&json).unwrap(), report);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let documented = include_str!("../../docs/report.md");
    let mut paths = Vec::new();
    collect_keys("", &value, &mut paths);
    paths.sort();
    paths.dedup();
    for path in &paths {
        assert!(
            documented.contains(&format!("`{path}`")),
            "crates/forewarn-report/docs/report.md lacks {path}"
        );
    }
    for path in [
        "format",
        "version",
        "input.missing_cells",
        "failure_rule",
        "target",
        "window.step_minutes",
        "features",
        "split.purge",
        "split.train.excluded.ongoing",
        "test.prevalence",
        "test.service_days",
        "ceiling.oracle.pr_auc",
        "models[].trainer",
        "models[].lead_time_minutes.p10",
        "models[].false_alarms_per_service_day",
        "models[].services[].event_recall",
        "models[].intervals.partial_roc_auc",
        "models[].services[].intervals.event_recall",
        "models[].classes[].event_recall_interval",
        "models[].secondary.nab.value",
        "walk_forward.models[].gain.interval",
        "audit[].finding",
        "comparison.differences[].is_real",
        "notes",
    ] {
        assert!(paths.iter().any(|found| found == path), "report.json lacks {path}");
    }
    assert_eq!((value["format"].as_str(), value["version"].as_u64()), (Some("forewarn-report"), Some(1)));
    assert_eq!(value["target"], "onset");
    // The threshold is written as the shortest text of its 32 bits, the way predictions.csv writes scores.
    let threshold = report.models[1].threshold.get();
    assert!(json.contains(&format!("\"threshold\": {threshold},")), "{json}");
    // What was never caught has no lead time, which is null and not a number.
    assert!(
        value["models"][0]["lead_time_minutes"]["mean"].is_null() || report.models[0].episodes_caught > 0
    );
}

/// Paths of all keys; elements of lists are not told apart, and an interval is documented once for all.
fn collect_keys(path: &str, value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) if fields.keys().eq(["high", "level", "low"]) => {}
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                out.push(path.clone());
                collect_keys(&path, value, out);
            }
        }
        serde_json::Value::Array(values) => {
            values.iter().for_each(|value| collect_keys(&format!("{path}[]"), value, out));
        }
        _ => {}
    }
}

#[test]
fn another_format_or_version_is_refused() {
    let (report, _) = world(&["a"], "error_rate").report();
    let json = report.to_json().unwrap();
    let newer = Report::from_json(&json.replace("\"version\": 1", "\"version\": 2")).unwrap_err().to_string();
    assert!(newer.contains("version 2 is none of 1 to 1"), "{newer}");
    let other = Report::from_json(&json.replace("forewarn-report", "else")).unwrap_err().to_string();
    assert!(other.contains("format is \"else\""), "{other}");
    assert!(Report::from_json("{}").is_err());
    let impossible = json.replacen("\"threshold\": 0", "\"threshold\": 1.5, \"x\": 0", 1);
    assert!(Report::from_json(&impossible).is_err());
}

#[test]
fn predictions_recompute_the_report() {
    let world = world(&["a", "b"], "error_rate");
    let (report, _) = world.report();
    let model = &report.models[1];
    let test = world.test(&world.scores(world.split.test()));
    let mut csv = Vec::new();
    predictions_csv(&mut csv, &[("metric", &test)]).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let threshold: f64 = model.threshold.get().to_string().parse().unwrap();
    let rows = csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let called: Vec<bool> =
        rows.filter(|row| row[4].parse::<f64>().unwrap() >= threshold).map(|row| row[2] == "1").collect();
    let right = called.iter().filter(|&&label| label).count();
    assert_eq!(right as f64 / called.len() as f64, model.precision);
    assert_eq!(right as f64 / report.test.positives as f64, model.recall);
}

#[test]
fn the_table_is_narrow_and_says_what_matters() {
    let (report, _) = world(&["a", "b\u{1b}[31m"], "error_rate").report();
    let table = report.to_table();
    assert!(table.lines().all(|line| line.chars().count() <= 112), "{table}");
    assert!(!table.contains('\u{1b}'));
    let model = &report.models[1];
    let (caught, all) = (model.episodes_caught, report.test.episodes);
    let first = table.lines().next().unwrap();
    // Two days of validation prove no budget of one a week: the nearest that they do is said.
    let nearest = &model.operation.as_ref().unwrap().headline.as_ref().unwrap().outcome.unwrap();
    let budget = nearest.choice.budget.per_service_week;
    assert!(budget > 1.0, "{budget}");
    let said =
        format!("Validation does not prove one false alarm per service and week. At {budget} false alarms");
    assert!(first.starts_with(&said), "{first}");
    assert!(table.contains("on test/week"), "{table}");
    let line = |name: &str| {
        // The table of models begins with no skill; the one of budgets stands before it.
        let from = table.lines().position(|line| line.starts_with("no skill")).unwrap();
        let found = table.lines().skip(from).position(|line| line.starts_with(name));
        from + found.unwrap_or_else(|| panic!("{name}: {table}"))
    };
    // No skill, then models with the best first, then the ceiling.
    assert!(
        line("no skill") < line("metric")
            && line("metric") < line("silent")
            && line("silent") < line("oracle")
    );
    assert!(table.contains("Real differences of PR-AUC (1 of 1): metric"), "{table}");
    assert!(table.contains("The test part has only 8 blocks of time"), "{table}");
    assert!(table.lines().nth(line("metric")).unwrap().contains(&format!("{caught}/{all}")), "{table}");
}

#[test]
fn headlines() {
    let (mut report, _) = world(&["a"], "error_rate").report();
    let model = report.models.len() - 1;
    report.models[model].episodes_caught = 0;
    report.models[model].lead_time_minutes = forewarn_eval::LeadTimes::new(vec![]);
    report.models[model].false_alarms = 0;
    report.models[model].false_alarms_per_service_day = 0.0;
    let all = report.test.episodes;
    {
        let operation = report.models[model].operation.as_mut().unwrap();
        let outcome = operation.headline.as_mut().unwrap().outcome.as_mut().unwrap();
        outcome.choice.budget.per_service_week = 1.0;
        (outcome.episodes_caught, outcome.lead_time_median_minutes) = (Some(33), Some(3.0));
        (outcome.test_rate, outcome.choice.days) = (0.6, forewarn_eval::DayAssumption::Holds);
        let moving = outcome.adaptive.as_mut().unwrap();
        (moving.test_rate, moving.episodes_caught) = (1.02, 41);
    }
    assert_eq!(
        report.headline(),
        format!(
            "At one false alarm per service and week: 33 of {all} failures detected, a median 3 minutes ahead; on test the rate was 0.6. \
             A threshold that moves, as that of the live service, detects 41 at a rate of 1.02."
        )
    );
    report.models[model].operation.as_mut().unwrap().headline.as_mut().unwrap().outcome = None;
    assert_eq!(report.headline(), format!("None of {all} failures detected, at no false alarm."));
    report.models[model].episodes_caught = 1;
    report.models[model].lead_time_minutes = forewarn_eval::LeadTimes::new(vec![1.0]);
    report.models[model].false_alarms = 3;
    report.models[model].false_alarms_per_service_day = 1.25;
    assert_eq!(
        report.headline(),
        format!("1 of {all} failures detected, 1 minute ahead, at 1.25 false alarms a day.")
    );
    report.models.clear();
    assert_eq!(report.headline(), "No model was evaluated.");
    assert!(report.to_table().contains("No model was evaluated."));
    assert!(report.to_html(&Pictures::default()).contains("No model was evaluated."));
}

#[test]
fn the_ceiling_is_the_whole_and_a_guess_is_nothing() {
    let (mut report, _) = world(&["a"], "error_rate").report();
    let model = report.models[1].clone();
    assert_eq!(report.share_of_ceiling(&model), Some(1.0), "the ceiling is the model itself");
    let mut guess = model.clone();
    guess.pr_auc = report.test.prevalence;
    assert_eq!(report.share_of_ceiling(&guess), Some(0.0));
    report.ceiling = None;
    assert_eq!(report.share_of_ceiling(&model), None);
}

#[test]
fn validation_chooses_and_not_the_test() {
    let (mut report, _) = world(&["a"], "error_rate").report();
    assert!(report.chosen().unwrap().name.starts_with("metric"));
    report.models[0].pr_auc = 1.0;
    assert!(report.chosen().unwrap().name.starts_with("metric"));
    report.models[0].validation.pr_auc = report.models[1].validation.pr_auc;
    assert_eq!(report.chosen().unwrap().name, "silent", "of equal ones the first");
    // Several blocks of time say more than one span.
    report.models[1].is_weighed_by_blocks = true;
    assert_eq!(report.chosen().unwrap().name, report.models[1].name);
    assert!(report.to_table().contains("weighed by several blocks of time before test"));
}

#[test]
fn the_page_is_whole_and_foreign_text_stays_text() {
    let (report, pictures) = world(&[SCRIPT, "b"], "a<b>&\"c").report();
    let page = report.to_html(&pictures);
    assert!(!page.contains("<script") && !page.contains("a<b>"), "markup from a file");
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    for address in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(address), "{address}");
    }
    for nan in ["NaN", "inf"] {
        assert!(!page.split(['"', ',', ' ', '>', '<']).any(|word| word == nan), "{nan}");
    }
    // A drawing for each screen of the six wide figures, one histogram a model that caught something, one reliability
    // curve a model, one of quality over time, and one a worst case.
    let histograms = report.models.iter().filter(|model| model.episodes_caught > 0).count();
    let worst = &report.chosen().unwrap().operation.as_ref().unwrap().worst;
    let worst = worst.misses.len() + worst.false_alarms.len();
    assert!(worst >= 5, "mistakes are made");
    assert_eq!(page.matches("<svg").count(), 12 + histograms + report.models.len() + 1 + worst + 1 + 1 + 5);
    assert_eq!(page.matches("class=\"best ").count(), 4, "the best epoch of each network, in both panels");
    for tag in ["svg", "table", "figure", "main", "dl", "ul", "div", "section", "tr", "p"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    assert_eq!(page, report.to_html(&pictures));
    // Without pictures the numbers are still there.
    let bare = report.to_html(&Pictures::default());
    assert!(bare.contains("Service by service") && bare.len() < page.len());
    // A report of models that say only whether, and were not fitted by epochs, has neither section.
    let sections = ["How fitting went", "When the failure will come"];
    assert!(sections.iter().all(|section| page.contains(section)));
    let mut plain = report;
    for model in &mut plain.models {
        (model.training, model.timing) = (Vec::new(), None);
    }
    let plain = plain.to_html(&pictures);
    assert!(sections.iter().all(|section| !plain.contains(section)));
}

#[test]
fn a_timeline_needs_its_metrics_and_its_service() {
    let world = world(&["a", "b"], "error_rate");
    let test = world.test(&scores(&vec![0.5; world.split.test().len()]));
    let policy = AlarmPolicy::new(Score::ONE, 5);
    let episode = world.labels.episodes()[0][50];
    let frame = world.frames.frame(0).unwrap();
    let cut = |metrics: &[&str], mark| {
        Timeline::new(frame, metrics, ("m", test.service("a").unwrap()), policy, mark, 20)
    };
    let good = cut(&["load"], Mark::Failure(episode)).unwrap();
    assert_eq!(good.start, minute(51 * 50 - 20));
    assert_eq!(good.end, minute(51 * 50 + 3 + 20));
    assert_eq!(good.metrics[0].samples.len(), 44);
    assert_eq!(good.failures, [episode]);
    assert!(cut(&["nothing"], Mark::Failure(episode)).unwrap_err().to_string().contains("\"nothing\""));
    let alarm = cut(&["load"], Mark::Alarm(minute(100))).unwrap();
    assert_eq!((alarm.start, alarm.end), (minute(80), minute(120)));
    assert_eq!(alarm.failures.len(), 1);
    let elsewhere = Episode::new(minute(-5), minute(-5), minute(-4)).unwrap();
    let error = cut(&["load"], Mark::Failure(elsewhere)).unwrap_err().to_string();
    assert!(error.contains("a time within the frame"), "{error}");
}

#[test]
fn a_report_with_any_counts_is_shown() {
    let (report, pictures) = example();
    let mut json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    let huge = serde_json::json!(usize::MAX);
    let part = serde_json::json!({"ongoing": huge, "censored": huge, "missing": huge, "unknown": huge});
    for name in ["train", "validation", "test"] {
        json["split"][name]["excluded"] = part.clone();
        json["split"][name]["windows"] = huge.clone();
    }
    json["split"]["purge"] = huge.clone();
    json["test"]["episodes"] = huge.clone();
    for (period, lead) in [(0, usize::MAX), (usize::MAX, usize::MAX)] {
        json["window"]["period"] = serde_json::json!(period);
        json["window"]["lead"] = serde_json::json!(lead);
        let forged = Report::from_json(&json.to_string()).unwrap();
        assert!(forged.to_table().contains("18,446,744,073,709,551,615 in a failure already"));
        assert!(forged.to_html(&pictures).ends_with("</html>\n"));
    }
}

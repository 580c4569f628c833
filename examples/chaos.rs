//! Break a running system by hand and watch: what fails, in which order, and what a model said before.
//!
//! `cargo run --release --example chaos`, or with a scenario of your own: `... chaos -- my_scenario.toml`
//! (docs/explanation/simulator.md shows one)

use forewarn::{
    baseline::Input,
    core::Origin,
    eval::best_f1_threshold,
    prelude::*,
    sim::{
        Fleet,
        fleet::{Blueprint, FaultKind, FaultSchedule, Injection, Load},
    },
    window::{Normalisation, WindowState},
};
use std::{error::Error, process::ExitCode};

/// Calm services, one of which begins to lose memory in minute 15.
fn scenario(path: Option<&str>) -> Result<Fleet, Box<dyn Error>> {
    if let Some(path) = path {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        return Ok(Fleet::from_toml(&text).map_err(|error| format!("{path}: {error}"))?);
    }
    let leak =
        Injection::new(FaultKind::MemoryLeak, "database").with_severity(0.9).with_duration_minutes(30.0);
    let calm = Fleet::new(Blueprint::shop(), 60, 7).with_load(Load::steady(1.0));
    Ok(calm.with_faults(FaultSchedule::none()).with_injection(15, leak))
}

/// What was learnt from two weeks of the same services under the usual faults.
struct Trained {
    pipeline: Pipeline,
    model: Box<dyn Predictor>,
    threshold: Score,
}

fn train(graph: &Blueprint) -> Result<Trained, Box<dyn Error>> {
    let frames = Fleet::new(graph.clone(), 14 * 1440, 1).frames()?;
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), &frames, Normalisation::ZScore, Scope::Service, 1)?;
    let pipeline = pipeline.with_limit(20.0)?;
    let columns = pipeline.apply(&frames)?;
    let (train, validation) = (split.train().on(&columns)?, split.validation().on(&columns)?);
    let model = LogisticRegression::new(Input::Aggregates).fit(train, validation, &mut Silent)?;
    let scores = model.score_all(validation.windows())?;
    let (threshold, _) = best_f1_threshold(&scores, validation.positive())?;
    Ok(Trained { pipeline, model: Box::new(model), threshold })
}

/// One service under watch.
struct Watched {
    live: WindowState,
    /// Minutes in a row with an error rate that violates the rule.
    violations: u32,
    /// Minutes with an alarm, without those in which the rule is already violated.
    alarms: Vec<usize>,
}

impl Watched {
    /// A cell of the table: state, error rate, 99th percentile and probability.
    fn minute(&mut self, minute: usize, sample: &[f32], trained: &Trained) -> Result<String, Box<dyn Error>> {
        let score = match self.live.push_at(self.live.next(), sample)?.result {
            Some(window) => Some(trained.model.score_all(window)?[0]),
            None => None,
        };
        self.violations = if sample[1] >= 0.05 { self.violations + 1 } else { 0 };
        let is_alarm = score.is_some_and(|score| score >= trained.threshold);
        if is_alarm && self.violations == 0 {
            self.alarms.push(minute);
        }
        let mark = match self.violations {
            2.. => '#',
            _ if is_alarm => '!',
            _ => '.',
        };
        let score = score.map_or("   -".to_owned(), |score| format!("{:4.2}", score.get()));
        Ok(format!("{mark} {:5.1}% {:6.0} ms {score}", 100.0 * sample[1], sample[4]))
    }
}

fn run(path: Option<&str>) -> Result<(), Box<dyn Error>> {
    let fleet = scenario(path)?;
    let names: Vec<&str> = fleet.blueprint().services().iter().map(|service| &*service.name).collect();
    eprintln!("learning from two weeks of {} services ...", names.len());
    let trained = train(fleet.blueprint())?;
    let bound = trained.pipeline.bind(&Schema::v1(), WindowSpec::default().observation())?;
    let mut watched = Vec::new();
    for service in &names {
        let live = bound.start(Origin { service, start: fleet.start(), step: Step::MINUTE })?;
        watched.push(Watched { live, violations: 0, alarms: Vec::new() });
    }

    println!("Each service: error rate, 99th percentile, probability of a failure in the next 5 minutes.");
    println!(". well   ! alarm (at {:.2} and more)   # failing\n", trained.threshold.get());
    let header: String = names.iter().map(|name| format!("{name:<26}")).collect();
    println!("min  {}", header.trim_end());
    let mut simulation = fleet.simulation()?;
    for minute in 0..fleet.minutes() {
        let begun = simulation.log().len();
        simulation.step();
        for record in &simulation.log()[begun..] {
            let Injection { kind, target, severity, .. } = &record.injection;
            println!("     >>> {kind} on {target}, severity {severity:.2}");
        }
        let mut line = String::new();
        for (index, service) in watched.iter_mut().enumerate() {
            line += &format!("{:<26}", service.minute(minute, simulation.metrics(index), &trained)?);
        }
        println!("{minute:3}  {}", line.trim_end());
    }

    // The simulator knows why: it runs the same world without each fault, and sees what does not fail there.
    println!();
    let causes = fleet.causes(&ThresholdRule::v1())?;
    for failure in &causes.failures {
        let onset = failure.episode.onset().minutes_since(fleet.start()) as usize;
        let root = failure.root.and_then(|root| causes.fault(root)).map(|record| &record.injection);
        let why = root.map_or("chance".to_owned(), |root| format!("{} on {}", root.kind, root.target));
        let parent = failure.parent.map(|parent| names[causes.failures[parent].service]);
        let through = parent.map_or(String::new(), |parent| format!(", through {parent}"));
        let before = onset.saturating_sub(WindowSpec::default().horizon())..onset;
        let alarm = watched[failure.service].alarms.iter().find(|alarm| before.contains(alarm));
        let said = alarm.map_or("without an alarm".to_owned(), |&alarm| {
            format!("{} min after the first alarm", onset - alarm)
        });
        println!("minute {onset:3}: {} fails because of {why}{through}, {said}", names[failure.service]);
    }
    // The service that was struck is not the only one that fails.
    assert!(path.is_some() || causes.failures.iter().any(|failure| failure.parent.is_some()));
    Ok(())
}

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

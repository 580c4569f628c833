//! Break a running system by hand and watch: what fails, in which order, and what the predictions said before.
//!
//! `cargo run --release --example chaos`, or with a scenario of your own: `... chaos -- my_scenario.toml` (see docs/explanation/simulator.md)

use forewarn::sim::Fleet;
use forewarn::{
    baseline::Input,
    core::Origin,
    eval::best_f1_threshold,
    prelude::*,
    sim::fleet::{Blueprint, FaultKind, FaultSchedule, Injection, Load, Simulation},
    window::{Normalisation, WindowState},
};
use std::{error::Error, process::ExitCode};

/// An evening's peak that never ends, and a database that loses memory.
fn scenario() -> Result<Fleet, Box<dyn Error>> {
    if let Some(path) = std::env::args().nth(1) {
        let said = |error: &dyn Error| format!("{path}: {error}");
        let text = std::fs::read_to_string(&path).map_err(|error| said(&error))?;
        return Ok(Fleet::from_toml(&text).map_err(|error| said(&error))?);
    }
    let leak = Injection::new(FaultKind::MemoryLeak, "database").severity(0.9).duration_minutes(30.0);
    let calm = Fleet::new(Blueprint::shop(), 60, 7)?.with_load(Load::steady(1.0))?;
    Ok(calm.with_faults(FaultSchedule::none())?.with_injection(15, leak)?)
}

/// What has learnt from two weeks of the same services under the usual faults.
struct Trained {
    pipeline: Pipeline,
    model: Box<dyn Predictor>,
    threshold: f32,
}

fn train(graph: &Blueprint) -> Result<Trained, Box<dyn Error>> {
    let frames = Fleet::new(graph.clone(), 14 * 1440, 1)?.frames()?;
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), &frames, Normalisation::ZScore, Scope::Service, 1)?;
    let pipeline = pipeline.with_limit(20.0)?;
    let columns = pipeline.apply(&frames)?;
    let (train, validation) = (split.train().on(&columns)?, split.validation().on(&columns)?);
    let model = LogisticRegression::new(Input::Aggregates).fit(train, validation, &mut Silent)?;
    let validation = split.validation().on(&columns)?;
    let scores = model.score_all(validation.windows())?;
    let (threshold, _) = best_f1_threshold(&scores, validation.positive())?;
    Ok(Trained { pipeline, model: Box::new(model), threshold: threshold.get() })
}

/// One service under watch.
struct Watched {
    name: String,
    live: WindowState,
    /// Minutes in a row with an error rate that violates the rule.
    violations: u32,
    first_alarm: Option<usize>,
    onset: Option<usize>,
}

impl Watched {
    /// A cell of the table: error rate, 99th percentile, probability, and what to make of them.
    fn minute(
        &mut self,
        minute: usize,
        sample: &[f32; 10],
        trained: &Trained,
    ) -> Result<String, Box<dyn Error>> {
        let score = match self.live.push_at(self.live.next(), sample)?.result {
            Some(window) => Some(trained.model.score_all(window)?[0].get()),
            None => None,
        };
        self.violations = if sample[1] >= 0.05 { self.violations + 1 } else { 0 };
        let is_alarm = score.is_some_and(|score| score >= trained.threshold);
        let mark = match self.violations {
            2.. => '#',
            _ if is_alarm => '!',
            _ => '.',
        };
        if self.violations == 2 && self.onset.is_none() {
            self.onset = Some(minute - 1);
        }
        if is_alarm && self.violations == 0 && self.onset.is_none() && self.first_alarm.is_none() {
            self.first_alarm = Some(minute);
        }
        let score = score.map_or("   -".to_owned(), |score| format!("{score:4.2}"));
        Ok(format!("{mark} {:5.1}% {:6.0} ms {score}", 100.0 * sample[1], sample[4]))
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let fleet = scenario()?;
    eprintln!("learning from two weeks of {} services ...", fleet.blueprint().services().len());
    let trained = train(fleet.blueprint())?;
    let mut simulation: Simulation = fleet.simulation();
    let bound = trained.pipeline.bind(&Schema::v1(), 10)?;
    let mut watched = Vec::new();
    for service in fleet.blueprint().services() {
        let origin = Origin { service: &service.name, start: fleet.start(), step: Step::MINUTE };
        let live = bound.start(origin)?;
        let name = service.name.clone();
        watched.push(Watched { name, live, violations: 0, first_alarm: None, onset: None });
    }
    println!(
        "Each service: error rate, 99th percentile, probability that a failure begins in the next 5 minutes."
    );
    println!(". well   ! alarm (at {:.2} and more)   # failing\n", trained.threshold);
    println!("min  {}", watched.iter().map(|service| format!("{:<26}", service.name)).collect::<String>());
    for minute in 0..fleet.minutes() {
        let (known, open) = (simulation.log().len(), running(&simulation));
        simulation.step();
        for record in &simulation.log()[known..] {
            println!(
                "     >>> {} on {}, severity {:.2}",
                record.injection.kind, record.injection.target, record.injection.severity
            );
        }
        let mut line = String::new();
        for (index, service) in watched.iter_mut().enumerate() {
            line += &format!("{:<26}", service.minute(minute, simulation.metrics(index), &trained)?);
        }
        println!("{minute:3}  {}", line.trim_end());
        if running(&simulation) < open {
            println!("     <<< recovered by itself");
        }
    }
    println!();
    for service in &watched {
        let said = match (service.first_alarm, service.onset) {
            (Some(alarm), Some(onset)) => {
                format!("failed in minute {onset}, {} minutes after the first alarm", onset - alarm)
            }
            (None, Some(onset)) => format!("failed in minute {onset}, unannounced"),
            (Some(alarm), None) => format!("was said to fail in minute {alarm}, and did not"),
            (None, None) => "never failed".to_owned(),
        };
        println!("{:<10} {said}", service.name);
    }
    let causes = fleet.causes(&ThresholdRule::v1())?;
    for failure in &causes.failures {
        let name = |index: usize| watched[index].name.as_str();
        let root = failure.root.and_then(|root| causes.fault(root));
        let why = root.map_or("chance".to_owned(), |root| {
            format!("{} on {}", root.injection.kind, root.injection.target)
        });
        let through = failure
            .parent
            .map_or(String::new(), |parent| format!(", through {}", name(causes.failures[parent].service)));
        println!(
            "{} {:<10} but for {why}{through}, it would not have failed",
            failure.episode.onset(),
            name(failure.service)
        );
    }
    // Without the fault nothing fails, and the one that was struck is not the only one that falls.
    assert!(std::env::args().count() > 1 || causes.failures.iter().any(|failure| failure.parent.is_some()));
    Ok(())
}

/// Faults that are under way.
fn running(simulation: &Simulation) -> usize {
    simulation.log().iter().filter(|record| record.ended.is_none()).count()
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

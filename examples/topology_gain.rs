//! What the service graph adds to a model, and how often a ranking finds the root: two tables on simulated cascades.
//!
//! `cargo run --release --example topology_gain` makes the tables of docs/reference/topology.md.

use forewarn::{
    baseline::Input,
    eval::{BlockBootstrap, Events, LeadTimes, ModelComparison, ScoredSet},
    experiment::{Data, ModelRows, Progress, Results, RootCase, fleet_graph},
    prelude::*,
    sim::Fleet,
    topology::{Group, HealthRules, RankingQuality, RootRanking, ServiceGraph, Suspect, TopologyFeatures},
};
use std::error::Error;

const DAY: usize = 24 * 60;
const SEED: u64 = 7;
/// Days of each fleet for the models: more than half of them are tested on, and hold some 800 failures.
const DAYS: [usize; 2] = [120, 45];
/// Days for roots.
const ROOT_DAYS: usize = 30;

/// All that speaks of other services; the time of day would help with and without a graph.
const GROUPS: [Group; 5] =
    [Group::Servers, Group::DependencyHealth, Group::CascadeRisk, Group::CriticalPath, Group::Violations];

/// One experiment on a fleet, with or without the columns of its graph.
fn results(fleet: &Fleet, topology: Option<TopologyFeatures>) -> Result<Results, Box<dyn Error>> {
    let logistic = |input| LogisticRegression::new(input);
    let mut experiment = Experiment::new(Rule::v1())
        .with_split(Fractions::new(0.3, 0.1, 0.6)?)
        .with_model(Model::new("last minute", "logistic", ModelRows::Features, logistic(Input::Snapshot)))
        .with_model(Model::new("window", "logistic", ModelRows::Features, logistic(Input::Aggregates)));
    if let Some(topology) = topology {
        experiment = experiment.with_topology(topology);
    }
    Ok(experiment.run(Data::from_source(&mut fleet.clone())?, &|_: Progress<'_>| {})?)
}

/// Share of the failures detected, and the median lead time, at one false alarm per service and day.
fn events(set: &ScoredSet) -> Result<(f64, f64), Box<dyn Error>> {
    let mut best = (0.0, 0.0);
    for step in 1..=400u16 {
        let threshold = Score::new(f32::from(step) / 400.0)?;
        let totals = Events::new(set, AlarmPolicy::for_window(threshold, set.spec())).totals();
        if totals.false_alarms_per_service_day() <= Some(1.0) {
            let leads = LeadTimes::new(totals.leads_minutes.clone());
            best = (totals.recall().unwrap_or(0.0), leads.median.unwrap_or(0.0));
            break;
        }
    }
    Ok(best)
}

/// Only services that call others: nothing can be added to the rest.
fn clients(graph: &ServiceGraph, set: &ScoredSet) -> Result<ScoredSet, Box<dyn Error>> {
    let calls = |service: &str| graph.find(service).is_some_and(|client| graph.servers_of(client).len() > 0);
    let series = set.series().iter().filter(|series| calls(series.service())).cloned().collect();
    Ok(ScoredSet::new(set.spec(), set.step(), series)?)
}

fn gains(name: &str, fleet: &Fleet) -> Result<(), Box<dyn Error>> {
    let graph = fleet_graph(fleet.blueprint())?;
    let without = results(fleet, None)?;
    let with = results(fleet, Some(TopologyFeatures::new(&graph).with_groups(&GROUPS)))?;
    for model in ["last minute", "window"] {
        let (Some(a), Some(b)) = (without.scores(model), with.scores(model)) else { continue };
        let (a, b) = (&clients(&graph, a)?, &clients(&graph, b)?);
        let bootstrap = BlockBootstrap::default();
        let compared = ModelComparison::new(&[("without", a), ("with", b)], &bootstrap)?;
        let difference = compared.as_ref().and_then(|compared| compared.differences.first());
        let Some(difference) = difference else { return Err("the test span is too short".into()) };
        let sign = if difference.better == "with" { 1.0 } else { -1.0 };
        let ends =
            difference.interval.map_or([f64::NAN; 2], |interval| [sign * interval.low, sign * interval.high]);
        let area = |set: &ScoredSet| -> Result<f64, Box<dyn Error>> {
            let (scores, positive) = set.pooled("test")?;
            Ok(average_precision(&scores, &positive)?)
        };
        let ((recall_a, lead_a), (recall_b, lead_b)) = (events(a)?, events(b)?);
        println!(
            "| {name} | {model} | {:.3} | {:.3} | {:+.3} ({:+.3} to {:+.3}) | {:.0} % | {:.0} % \
             | {lead_a:.0} | {lead_b:.0} |",
            area(a)?,
            area(b)?,
            sign * difference.pr_auc,
            ends[0].min(ends[1]),
            ends[0].max(ends[1]),
            100.0 * recall_a,
            100.0 * recall_b,
        );
    }
    Ok(())
}

/// Suspects in order of a weight.
fn by(weights: &[f64]) -> Vec<Suspect> {
    let mut suspects: Vec<Suspect> =
        weights.iter().enumerate().map(|(service, &score)| Suspect { service, score }).collect();
    suspects.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.service.cmp(&b.service)));
    suspects
}

fn roots(name: &str, fleet: &Fleet) -> Result<(), Box<dyn Error>> {
    let graph = fleet_graph(fleet.blueprint())?;
    let frames = fleet.run()?.frames;
    let causes = fleet.causes(&Rule::v1())?;
    let cases = RootCase::all(&graph, &frames, &causes, &HealthRules::v1(), 2)?;
    let mut quality = [const { Vec::new() }; 3].map(|_: Vec<()>| RankingQuality::default());
    for case in &cases {
        let early = RootRanking::earliness(&case.onsets, 2.0)?;
        let timed: Vec<f64> =
            case.anomalies.iter().zip(&early).map(|(anomaly, early)| anomaly * early).collect();
        quality[0].add(&by(&case.anomalies), case.root);
        quality[1].add(&RootRanking::default().rank(&graph, &case.anomalies)?, case.root);
        quality[2].add(&RootRanking::default().rank(&graph, &timed)?, case.root);
    }
    for (ranking, quality) in
        ["most anomalous first", "PageRank", "PageRank, earliest weighs most"].iter().zip(&quality)
    {
        let (low, high) = quality.top_interval(1)?;
        println!(
            "| {name} | {ranking} | {} | {:.2} ({low:.2} to {high:.2}) | {:.2} |",
            quality.len(),
            quality.top(1)?,
            quality.average_of_top(5)?
        );
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let fleets = |[shop, twelve]: [usize; 2]| -> Result<_, Box<dyn Error>> {
        Ok([
            ("shop", Fleet::shop(SEED).with_minutes(shop * DAY)),
            ("twelve", Fleet::twelve(SEED).with_minutes(twelve * DAY)),
        ])
    };
    println!(
        "| fleet | logistic regression on | PR-AUC without | with | difference (95 %) \
         | failures detected without | with | median lead, min, without | with |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    fleets(DAYS)?.iter().try_for_each(|(name, fleet)| gains(name, fleet))?;
    println!(
        "\n| fleet | ranking | cascades | top 1 (95 %) | average of top 1 to 5 |\n|---|---|---|---|---|"
    );
    fleets([ROOT_DAYS; 2])?.iter().try_for_each(|(name, fleet)| roots(name, fleet))
}

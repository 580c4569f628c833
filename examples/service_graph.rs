//! A service graph, scored: how each service does, alone and with what it calls, who may bring whom down, what makes requests slow, and where the
//! trouble began.
//!
//! `cargo run --release --example service_graph`, or on your own: `... service_graph -- GRAPH [METRICS]`, where GRAPH is an edge list, TOML, JSON
//! or OpenTelemetry service graph samples, and METRICS a CSV or Parquet file with the metrics of version 1.

use forewarn::io::ReadOptions;
use forewarn::prelude::*;
use forewarn::topology::ServiceGraph;
use forewarn::topology::{
    CallSamples, HealthRules, LatencyKind, Method, Overview, Slo, SloReport, Strengths, Watch, Worlds,
};
use std::{error::Error, process::ExitCode};

/// What a collector's `servicegraph` connector says of a shop whose database is in trouble.
const SHOP: &str = r#"
traces_service_graph_request_total{client="user",server="gateway",connection_type="virtual_node"} 120000
traces_service_graph_request_failed_total{client="user",server="gateway",connection_type="virtual_node"} 5600
traces_service_graph_request_client_seconds_sum{client="user",server="gateway"} 49200
traces_service_graph_request_client_seconds_count{client="user",server="gateway"} 120000
traces_service_graph_request_total{client="gateway",server="auth"} 120000
traces_service_graph_request_failed_total{client="gateway",server="auth"} 360
traces_service_graph_request_client_seconds_sum{client="gateway",server="auth"} 3000
traces_service_graph_request_client_seconds_count{client="gateway",server="auth"} 120000
traces_service_graph_request_total{client="gateway",server="profile"} 96000
traces_service_graph_request_failed_total{client="gateway",server="profile"} 7200
traces_service_graph_request_client_seconds_sum{client="gateway",server="profile"} 41000
traces_service_graph_request_client_seconds_count{client="gateway",server="profile"} 96000
traces_service_graph_request_total{client="auth",server="cache"} 120000
traces_service_graph_request_client_seconds_sum{client="auth",server="cache"} 240
traces_service_graph_request_client_seconds_count{client="auth",server="cache"} 120000
traces_service_graph_request_total{client="profile",server="database",connection_type="database"} 192000
traces_service_graph_request_failed_total{client="profile",server="database",connection_type="database"} 16000
traces_service_graph_request_client_seconds_sum{client="profile",server="database"} 36500
traces_service_graph_request_client_seconds_count{client="profile",server="database"} 192000
"#;

/// What is known of each service: health (0 to 1), latency in milliseconds, objectives. NaN where nothing is.
struct Known {
    health: Vec<f64>,
    latency: Vec<f64>,
    slos: Vec<(String, SloReport)>,
}

/// From what clients saw of their servers.
fn from_calls(graph: &ServiceGraph) -> Result<Known, Box<dyn Error>> {
    let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
    let rules = HealthRules::new(vec![Watch::new("error_rate", 0.01, 0.05).down_at(0.5)])?.bind(&schema)?;
    let health = graph.observed_error_rates().iter().map(|&rate| rules.health(&[rate as f32])).collect();
    Ok(Known { health, latency: graph.observed_latencies_millis(), slos: Vec::new() })
}

/// From the last minute of a metrics file; objectives over all of it.
fn from_metrics(graph: &ServiceGraph, path: &str) -> Result<Known, Box<dyn Error>> {
    let frames = forewarn::io::read(path, &ReadOptions::default())?.frames;
    let rules = HealthRules::v1().bind(frames.schema())?;
    let nan = || vec![f64::NAN; graph.len()];
    let mut known = Known { health: nan(), latency: nan(), slos: Vec::new() };
    for frame in frames.frames() {
        let Some(service) = graph.find(frame.service()) else {
            eprintln!("{}: not in the graph, left out", frame.service());
            continue;
        };
        known.health[service] = rules.latest(frame);
        known.latency[service] = frame.column("p99_latency")?.last().map_or(f64::NAN, f64::from);
        for slo in Slo::v1() {
            known.slos.push((frame.service().to_owned(), slo.assess(frame)?));
        }
    }
    Ok(known)
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let graph = match arguments.next() {
        Some(path) => ServiceGraph::from_path(path)?,
        None => CallSamples::parse(SHOP)?.graph()?,
    };
    let known = match arguments.next() {
        Some(path) => from_metrics(&graph, &path)?,
        None => from_calls(&graph)?,
    };
    let strengths = Strengths::given(&graph, Strengths::USUAL)?;
    let radii = Method::Auto(Worlds::new(128, 7)?);
    let overview = Overview::new(&graph, &strengths, LatencyKind::Inclusive, Method::default(), radii)?;
    // What is unhealthy may fail by itself: half of its health gone is an even chance.
    let own: Vec<f64> = known.health.iter().map(|health| (1.0 - health).max(0.0)).collect();
    let scores = overview.update(&known.health, &own, &known.latency)?;

    println!(
        "{} services, {} calls; health of the system {:.2}\n",
        graph.len(),
        graph.calls(),
        scores.dependency.system
    );
    println!("suspect  service           status     health  with servers  may fail  brings down  latency");
    for (place, suspect) in scores.suspects.iter().enumerate().take(20) {
        let service = suspect.service;
        println!(
            "{:>2} {:.2}  {:<16}  {:<9}  {:>6.2}  {:>12.2}  {:>8.2}  {:>11.2}  {:>4.0} ms",
            place + 1,
            suspect.score,
            graph.name(service).unwrap_or_default(),
            scores.status[service],
            known.health[service],
            scores.dependency.services[service],
            scores.failing[service].value,
            overview.blast_radii()[service].value,
            scores.latencies_millis[service],
        );
    }
    if let Some(path) = &scores.critical_path {
        println!("\ncritical path, {:.0} ms:", path.latency_millis);
        for stop in &path.stops {
            let bar = "#".repeat((40.0 * stop.share).round() as usize);
            println!(
                "  {:<16}  {:>4.0} %  {bar}",
                graph.name(stop.service).unwrap_or_default(),
                100.0 * stop.share
            );
        }
    }
    for (service, slo) in known.slos.iter().filter(|(_, slo)| slo.budget_spent > Some(1.0)) {
        println!(
            "{service}: {} missed its objective, {} violations in {} rows",
            slo.name, slo.violations, slo.rows
        );
    }
    if std::env::args().len() == 1 {
        let name = |service: usize| graph.name(service).unwrap_or_default();
        assert_eq!(name(scores.suspects[0].service), "database", "the errors come from there");
        let path = scores.critical_path.ok_or("the shop has a critical path")?;
        assert_eq!(path.bottleneck().map(|stop| name(stop.service)), Some("database"));
    }
    Ok(())
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

//! What a server of the Prometheus API has, as text.

use crate::output::printable;
use forewarn_server::{PrometheusFindings, TrainedOn};
use std::fmt::Write;

/// Names that are listed at most.
const MOST_NAMES: usize = 20;

/// What does not fit between the queries and a model.
pub(super) fn compare_model(trained_on: TrainedOn, findings: &mut PrometheusFindings) {
    match trained_on {
        TrainedOn::TheseQueries => {}
        TrainedOn::OtherQueries => {
            findings.problems.push("the model was trained on other queries than these".to_owned());
            findings.is_usable = false;
        }
        _ => findings.notes.push("the model's file does not say on which queries it was trained".to_owned()),
    }
}

pub(super) fn text(findings: &PrometheusFindings) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", printable::text(&words));
    };
    if findings.server.is_empty() {
        line(format!("server: {} does not answer as one", findings.url));
    } else {
        let clock = match findings.clock_skew_secs {
            Some(skew) => format!("its clock differs by {skew:.1} s"),
            None => "its clock is not known".to_owned(),
        };
        line(format!(
            "server: {} at {}; {clock}; asked {} s after the end of a minute",
            findings.server, findings.url, findings.settle_secs
        ));
    }
    for recipe in &findings.recipes {
        let all = recipe.found.len() + recipe.lacking.len();
        let is_chosen = findings.chosen.contains(&recipe.name);
        let lacks = if is_chosen && !recipe.lacking.is_empty() {
            format!("; lacking: {}", some(recipe.lacking.iter()))
        } else {
            String::new()
        };
        let asked = if is_chosen { "asked" } else { "not asked" };
        line(format!(
            "recipe {}: {} of {all} series are there, {asked}{lacks}",
            recipe.name,
            recipe.found.len()
        ));
    }
    if let Some(interval) = findings.scrape_interval_secs {
        line(format!("scrapes: every {interval:.0} s; rates are taken over {:.0} s", findings.range_secs));
    }
    if !findings.metrics.is_empty() {
        line(format!(
            "\n{:<15} {:<14} {:<15} {:>8} {:>8} {:>10} {:>10}",
            "metric", "recipe", "unit", "services", "missing", "median", "at ceiling"
        ));
    }
    for metric in &findings.metrics {
        let share = |share: Option<f64>| {
            share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0))
        };
        line(format!(
            "{:<15} {:<14} {:<15} {:>8} {:>8} {:>10} {:>10}",
            metric.name,
            metric.recipe,
            metric.unit,
            metric.services,
            share(metric.missing_share),
            metric.median.map_or_else(|| "-".to_owned(), |median| format!("{median:.4}")),
            share(metric.at_ceiling_share)
        ));
    }
    if !findings.services.is_empty() {
        let names = findings.services.iter().map(|service| &service.name);
        line(format!("\n{} services: {}", findings.services.len(), some(names)));
    }
    if let Some(graph) = &findings.graph {
        let unmatched = match graph.unmatched.len() {
            0 => String::new(),
            _ => format!("; names without a service: {}", some(graph.unmatched.iter())),
        };
        line(format!("service graph: {} calls{unmatched}", graph.calls));
    }
    if let Some(tick) = findings.tick {
        line(format!(
            "a minute costs {} queries, {:.2} s and {:.1} kB",
            tick.queries,
            tick.seconds,
            tick.bytes as f64 / 1000.0
        ));
    }
    for join in &findings.joins {
        line(format!("join: {join}"));
    }
    for note in &findings.notes {
        line(format!("note: {note}"));
    }
    for problem in &findings.problems {
        line(format!("problem: {problem}"));
    }
    line(if findings.is_usable { "usable: rows would come" } else { "not usable as it is" }.to_owned());
    text
}

fn some<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let mut shown = names.take(MOST_NAMES).map(|name| printable::name(name)).collect::<Vec<_>>().join(", ");
    if more > 0 {
        shown += &format!(" and {more} more");
    }
    shown
}

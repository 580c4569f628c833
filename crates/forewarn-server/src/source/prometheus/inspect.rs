//! What a server has for forewarn: the question before the first model.

mod findings;
mod joins;

pub use findings::{GraphMatch, MetricFinding, PrometheusFindings, ServiceFinding, TickCost};

use super::{
    client::{Client, MOST_SKEW_SECS},
    detect::{detect, look},
    fetch::Fetcher,
    graph::{CALLS, Calls},
    queries::PrometheusQueries,
    retry::{Failure, Retries},
    rows::Rows,
    server::settle_secs,
    span::{MOST_POINTS, Span},
};
use crate::{
    PrometheusConfig, ServerError,
    runtime::{Clock, Stop, Transport},
};
use forewarn_prometheus::{CeilingCheck, Placed, Query};
use forewarn_schema::{Step, Timestamp, printable, printable_names};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Minutes that are looked at.
const MINUTES: i64 = 60;
/// Share of cells of a metric that may be missing without a word.
const MISSING: f64 = 0.2;
/// Median of latencies above which their unit is doubted: an hour.
const SLOW_MILLIS: f64 = 3_600_000.0;

/// Asks a server what it is, which recipes match, which services and metrics it has, what joins, and what a minute
/// costs. What is wrong is in the findings, not an error.
///
/// # Errors
/// [`ServerError::Config`] and [`ServerError::File`] for settings and recipes that cannot be.
pub fn inspect_prometheus(
    config: &PrometheusConfig,
    step: Step,
    clock: &Arc<dyn Clock>,
    transport: Arc<dyn Transport>,
    stop: &Stop,
) -> Result<PrometheusFindings, ServerError> {
    let client = Client::new(config, transport, Arc::clone(clock))?;
    let mut findings = PrometheusFindings { url: printable(&config.url), ..PrometheusFindings::default() };
    if let Err(failure) = meet(&client, config, &mut findings) {
        findings.problems.push(failure.words);
        return Ok(findings);
    }
    let mut config = config.clone();
    if config.recipes.is_empty() {
        match detect(&client) {
            Ok(detected) => {
                findings.recipes = detected.matches;
                config.recipes = detected.chosen;
            }
            Err(failure) => findings.problems.push(failure.words),
        }
        if config.recipes.is_empty() {
            findings
                .problems
                .push("no built-in recipe has its series here: write one of your own".to_owned());
            return Ok(findings);
        }
    }
    let queries = PrometheusQueries::new(&config, step)?;
    if findings.recipes.is_empty() {
        match look(&client, queries.recipes()) {
            Ok(matches) => findings.recipes = matches,
            Err(failure) => findings.problems.push(failure.words),
        }
    }
    findings.chosen = queries.recipes().iter().map(|recipe| recipe.name().to_owned()).collect();
    findings.fingerprint = PrometheusQueries::fingerprint(std::slice::from_ref(&queries));
    findings.range_secs = queries.settings().range_millis() as f64 / 1000.0;
    let settled = clock.now().millis() - 1000 * i64::from(findings.settle_secs);
    let last =
        Timestamp::from_millis(settled - settled.rem_euclid(step.millis())).unwrap_or(Timestamp::EPOCH);
    let look =
        Look { client: &client, queries: &queries, clock: &**clock, stop, last, step, config: &config };
    look.at_metrics(&mut findings);
    look.at_scrapes(&mut findings);
    look.at_graph(&mut findings);
    look.at_cost(&mut findings);
    findings.is_usable = findings.problems.is_empty();
    Ok(findings)
}

/// Which server it is, and whether its clock is right.
fn meet(
    client: &Client,
    config: &PrometheusConfig,
    findings: &mut PrometheusFindings,
) -> Result<(), Failure> {
    let about = client.about()?;
    findings.server = about.to_string();
    findings.settle_secs = config.settle_secs.unwrap_or_else(|| settle_secs(about.flavour));
    let skew = client.skew_millis()?;
    findings.clock_skew_secs = skew.map(|millis| millis as f64 / 1000.0);
    if skew.is_none() {
        findings.notes.push(format!(
            "the server does not say what time it is; a clock that is off by more than {MOST_SKEW_SECS} s gives \
             rows of other minutes"
        ));
    }
    client.check_clock()
}

/// What is looked at.
struct Look<'a> {
    client: &'a Client,
    queries: &'a PrometheusQueries,
    clock: &'a dyn Clock,
    stop: &'a Stop,
    last: Timestamp,
    step: Step,
    config: &'a PrometheusConfig,
}

impl Look<'_> {
    fn fetch(&self, span: Span) -> Option<Rows> {
        let expressions: Vec<&str> =
            self.queries.set().queries().iter().map(|query| query.expression.as_str()).collect();
        let fetcher = Fetcher {
            client: self.client,
            clock: self.clock,
            stop: self.stop,
            concurrency: self.config.concurrency as usize,
            most_points: MOST_POINTS,
        };
        let fetched = fetcher.fetch(&expressions, span, &mut Retries::new(3, &self.config.url, 0))?;
        Some(Rows::of(self.queries, fetched))
    }

    /// Metrics and services of the last hour.
    fn at_metrics(&self, findings: &mut PrometheusFindings) {
        let back = MINUTES * 60_000 / self.step.millis() - 1;
        let first = self.last.checked_add(self.step, -back.max(0)).unwrap_or(self.last);
        let Some(rows) = self.fetch(Span { first, last: self.last, step: self.step }) else { return };
        if let Some(words) = &rows.partial {
            findings.notes.push(format!("the server's answers are not complete: {words}"));
        }
        let left_out = &rows.left_out;
        if left_out.series_without_service > 0 {
            findings.notes.push(format!(
                "{} series lack a label of their service's name: see `services`",
                left_out.series_without_service
            ));
        }
        if !left_out.not_mapped.is_empty() {
            let names: Vec<&str> = left_out.not_mapped.iter().map(String::as_str).collect();
            findings.notes.push(format!(
                "{} series of names that the map lacks are left out: {}",
                left_out.series_not_mapped,
                printable_names(&names)
            ));
        }
        if rows.out_of_range > 0 {
            findings.notes.push(format!(
                "{} values are outside the range of their metric and count as missing",
                rows.out_of_range
            ));
        }
        // Service, metric: values in order of time.
        let mut cells: BTreeMap<&str, Vec<Vec<f32>>> = BTreeMap::new();
        let width = self.queries.schema().len();
        for (service, values) in rows.by_time.values().flatten() {
            let own = cells.entry(service).or_insert_with(|| vec![Vec::new(); width]);
            for (cell, value) in own.iter_mut().zip(values) {
                cell.extend(Some(*value).filter(|value| !value.is_nan()));
            }
        }
        for query in self.queries.set().queries() {
            let failure = rows.failures.iter().find(|(metric, _)| *metric == query.metric);
            findings.metrics.push(self.metric(
                query,
                &cells,
                failure.map(|(_, words)| words.clone()),
                back + 1,
            ));
        }
        let names: Vec<&str> = self.queries.schema().names().collect();
        for (service, cells) in &cells {
            let (has, lacks) = (0..width).partition::<Vec<_>, _>(|&at| !cells[at].is_empty());
            let named = |places: Vec<usize>| places.into_iter().map(|at| names[at].to_owned()).collect();
            findings.services.push(ServiceFinding {
                name: (*service).to_owned(),
                metrics: named(has),
                lacking: named(lacks),
                basis: rows.basis.get(*service).into_iter().flatten().cloned().collect(),
            });
        }
        self.judge(findings);
        findings.joins = joins::suggestions(findings, self.queries);
    }

    fn metric(
        &self,
        query: &Query,
        cells: &BTreeMap<&str, Vec<Vec<f32>>>,
        failure: Option<String>,
        steps: i64,
    ) -> MetricFinding {
        let own: Vec<(&str, &Vec<f32>)> = cells
            .iter()
            .map(|(service, cells)| (*service, &cells[query.index]))
            .filter(|(_, values)| !values.is_empty())
            .collect();
        let known: usize = own.iter().map(|(_, values)| values.len()).sum();
        let all = own.len() as i64 * steps;
        let mut finding = MetricFinding {
            name: query.metric.clone(),
            recipe: query.recipe.clone(),
            unit: self.queries.schema().metrics()[query.index].unit.to_string(),
            services: own.len(),
            missing_share: (all > 0).then(|| 1.0 - known as f64 / all as f64),
            median: median(own.iter().flat_map(|(_, values)| values.iter().copied()).collect()),
            at_ceiling_share: None,
            blind: Vec::new(),
            failure,
        };
        if let Some(ceiling) = &query.ceiling
            && let Ok(answer) = self.client.at(ceiling, Some(self.last))
        {
            let mut placed = Placed::default();
            let bounds = query.place(answer, &mut placed).map(|()| placed.services).unwrap_or_default();
            let mut all = CeilingCheck::default();
            for (service, values) in own {
                let Some(bound) = bounds.get(service).and_then(|bounds| bounds.first()) else { continue };
                let check = CeilingCheck::of(
                    values.iter().map(|&value| f64::from(value)),
                    bound.value * (1.0 - 1e-6),
                );
                all.rows += check.rows;
                all.at_ceiling += check.at_ceiling;
                if check.is_blind() {
                    finding.blind.push(service.to_owned());
                }
            }
            finding.at_ceiling_share = all.share();
        }
        finding
    }

    /// Problems and notes that follow from the metrics.
    fn judge(&self, findings: &mut PrometheusFindings) {
        let (mut problems, mut notes) = (Vec::new(), Vec::new());
        for metric in &findings.metrics {
            let name = &metric.name;
            if let Some(words) = &metric.failure {
                problems.push(format!("{name} ({}): {words}", metric.recipe));
            } else if metric.services == 0 {
                notes.push(format!("{name} ({}): no service has it", metric.recipe));
            }
            if let Some(share) = metric.missing_share.filter(|share| *share > MISSING) {
                notes.push(format!("{name}: {:.0} % of its values are missing", share * 100.0));
            }
            if !metric.blind.is_empty() {
                notes.push(format!(
                    "{name}: most values of {} lie at the highest finite bucket, beyond which no quantile goes: give \
                     the histogram higher buckets, or leave the metric out",
                    printable_names(&metric.blind)
                ));
            }
            if metric.unit == "ms" && metric.median.is_some_and(|median| median > SLOW_MILLIS) {
                notes.push(format!(
                    "{name}: half of its values are above an hour: is the unit of the recipe right?"
                ));
            }
        }
        if findings.services.is_empty() && problems.is_empty() {
            problems.push("no service has a value in the last hour".to_owned());
        }
        let not_limit: Vec<&str> = findings
            .services
            .iter()
            .filter(|service| service.basis.iter().any(|basis| basis != "limit"))
            .map(|service| service.name.as_str())
            .collect();
        if !not_limit.is_empty() {
            notes.push(format!(
                "CPU or memory is a share of the request or of the node, for want of a limit: {}",
                printable_names(&not_limit)
            ));
        }
        findings.problems.append(&mut problems);
        findings.notes.append(&mut notes);
    }

    /// Time between scrapes of the first counter of the recipes, by the samples of ten minutes, or as many as there are.
    fn at_scrapes(&self, findings: &mut PrometheusFindings) {
        let Some(series) = findings.recipes.iter().find_map(|recipe| recipe.found.first()) else { return };
        let span = format!("timestamp({series}) - min_over_time(timestamp({series})[10m:15s])");
        let query = format!("quantile(0.5, ({span}) / (count_over_time({series}[10m]) - 1))");
        let answer = self.client.at(&query, Some(self.last)).ok();
        let series = answer.and_then(|answer| answer.data.into_series().ok()).unwrap_or_default();
        let seconds = series.first().and_then(|one| one.samples.first()).map(|sample| sample.value);
        // One sample says nothing of the time between two.
        let Some(seconds) = seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0) else { return };
        let interval = usual(seconds);
        findings.scrape_interval_secs = Some(interval);
        let said = f64::from(self.config.scrape_interval_secs);
        if interval > said {
            findings.notes.push(format!(
                "series are scraped every {interval:.0} s, and rates are taken over {:.0} s, less than four scrapes: \
                 set scrape_interval_secs = {interval:.0}",
                findings.range_secs
            ));
        }
    }

    fn at_graph(&self, findings: &mut PrometheusFindings) {
        let Ok(answer) = self.client.at(CALLS, Some(self.last)) else { return };
        let Ok(series) = answer.data.into_series() else { return };
        let services: BTreeSet<String> =
            findings.services.iter().map(|service| service.name.clone()).collect();
        let calls = Calls::of(&series, &services);
        if !calls.calls.is_empty() {
            let unmatched = calls.unmatched.into_iter().collect();
            findings.graph = Some(GraphMatch { calls: calls.calls.len(), unmatched });
        }
    }

    /// What a minute costs: its queries once more, with the minutes that are read again.
    fn at_cost(&self, findings: &mut PrometheusFindings) {
        let back = i64::from(self.config.reread_minutes) * 60_000 / self.step.millis();
        let first = self.last.checked_add(self.step, -back).unwrap_or(self.last);
        let (bytes, began) = (self.client.bytes(), self.clock.elapsed());
        if self.fetch(Span { first, last: self.last, step: self.step }).is_none() {
            return;
        }
        findings.tick = Some(TickCost {
            queries: self.queries.set().queries().len(),
            seconds: self.clock.elapsed().saturating_sub(began).as_secs_f64(),
            bytes: self.client.bytes() - bytes,
        });
    }
}

/// Intervals that people set.
const USUAL_SECS: [f64; 8] = [5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0];

/// The usual interval that is near enough: a scrape more or less in ten minutes is no other interval.
fn usual(interval: f64) -> f64 {
    let near = |usual: &f64| (interval - usual).abs() <= 0.1 * usual;
    USUAL_SECS.into_iter().find(near).unwrap_or(interval)
}

fn median(mut values: Vec<f32>) -> Option<f64> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).map(|&value| f64::from(value))
}

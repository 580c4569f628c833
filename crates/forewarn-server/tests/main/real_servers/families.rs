//! Every recipe beside a real Prometheus, on series that were worked out by hand: the rows that the engine is given are
//! what Prometheus computes, and that is what is expected.

#[path = "../../../../forewarn-prometheus/tests/main/promtool/cases.rs"]
mod cases;

use super::servers::{post, prometheus};
use forewarn_schema::{Step, Timestamp};
use forewarn_server::{
    PastDay, PrometheusConfig, PrometheusPast, PrometheusQueries, Stop,
    runtime::{Clock, SystemClock, TlsSettings, Transport, UreqTransport},
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write, fs, sync::Arc};

/// What a query has to give for one set of series.
struct Case {
    recipe: &'static str,
    about: &'static str,
    /// Series and their values every 15 seconds, in promtool's notation.
    series: Vec<(String, &'static str)>,
    /// Metric, labels and value after ten minutes; none where the metric has to be missing.
    expected: Vec<(&'static str, &'static str, Option<f64>)>,
}

/// The values of promtool's notation: `a+bxn` is a, a + b, ... n times; `axn` is a, n + 1 times; `_` is none.
fn expand(notation: &str) -> Vec<Option<f64>> {
    let mut values = Vec::new();
    for word in notation.split_whitespace() {
        let number = |text: &str| text.parse::<f64>().unwrap();
        let (base, times) = match word.split_once('x') {
            Some((base, times)) => (base, times.parse::<usize>().unwrap()),
            None => (word, 0),
        };
        match base.split_once('+') {
            _ if base == "_" => values.extend(vec![None; times.max(1)]),
            Some((first, growth)) => {
                values.extend((0..=times).map(|at| Some(number(first) + at as f64 * number(growth))));
            }
            None => values.extend(vec![Some(number(base)); times + 1]),
        }
    }
    values
}

/// The series of each case as OpenMetrics text, each case an hour after the one before.
fn text(cases: &[Case], begin: i64) -> String {
    let mut text = String::new();
    for (hour, case) in (0..).zip(cases) {
        for (series, notation) in &case.series {
            for (at, value) in (0..).zip(expand(notation)) {
                let Some(value) = value else { continue };
                let time = begin + 3_600 * hour + 15 * at;
                writeln!(text, "{} {value} {time}", series.replace("\", ", "\",")).unwrap();
            }
        }
    }
    text + "# EOF\n"
}

/// The service that labels such as `{namespace="shop", workload="web"}` name.
fn service(queries: &PrometheusQueries, labels: &BTreeMap<String, String>) -> String {
    let names = &queries.recipes()[0].service().labels;
    names.iter().map(|name| labels[name].as_str()).collect::<Vec<_>>().join("/")
}

fn labels(text: &str) -> BTreeMap<String, String> {
    let pairs = text.trim_matches(['{', '}']).split(", ").filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// What Prometheus computes at a time, by service.
fn computed(url: &str, queries: &PrometheusQueries, query: &str, time: Timestamp) -> BTreeMap<String, f32> {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("query={encoded}&time={}", time.millis() / 1000);
    let answer: Value = serde_json::from_slice(&post(&format!("{url}/api/v1/query"), &form).body).unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    let mut found = BTreeMap::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        let labels: BTreeMap<String, String> = serde_json::from_value(series["metric"].clone()).unwrap();
        let value: f64 = series["value"][1].as_str().unwrap().parse().unwrap();
        if value.is_finite() {
            found.insert(service(queries, &labels), value as f32);
        }
    }
    found
}

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn rows_of_every_recipe_are_what_prometheus_computes_and_what_was_worked_out() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let cases = cases::all();
    let now = clock.now().millis() / 1000;
    let begin = now - now.rem_euclid(3_600) - 3_600 * (cases.len() as i64 + 2);
    let samples = folder.path().join("samples");
    fs::write(&samples, text(&cases, begin)).unwrap();
    let server = prometheus(&samples, folder.path());
    let mut transport = |_: &PrometheusConfig| -> Result<Arc<dyn Transport>, _> {
        Ok(Arc::new(UreqTransport::new(&TlsSettings::default())?))
    };
    let (mut values, mut recipes) = (0, std::collections::BTreeSet::new());
    for (hour, case) in (0..).zip(&cases) {
        let time = Timestamp::from_millis(1000 * (begin + 3_600 * hour + 600)).unwrap();
        let config = PrometheusConfig::new(&server.url, [case.recipe]);
        let past = PrometheusPast::new(&config, Step::MINUTE, &clock, &mut transport).unwrap();
        let queries = PrometheusQueries::new(&config, Step::MINUTE).unwrap();
        let rows = past.read(PastDay { first: time, last: time }, &Stop::default()).unwrap().unwrap();
        let row = |service: &str, metric: &str| {
            let frame = rows.frames.iter().find(|frame| frame.view().service() == service)?;
            let value = frame.view().row(0)?[past.schema().position(metric)?];
            (!value.is_nan()).then_some(value)
        };
        let about = format!("{}: {}", case.recipe, case.about);
        for query in queries.set().queries() {
            let expected = computed(&server.url, &queries, &query.expression, time);
            let names = rows.frames.iter().map(|frame| frame.view().service().to_owned());
            let found: BTreeMap<String, f32> =
                names.filter_map(|name| row(&name, &query.metric).map(|value| (name, value))).collect();
            assert_eq!(found, expected, "{about}: {}", query.metric);
        }
        for &(metric, told, expected) in case.expected.iter().filter(|(metric, ..)| !metric.contains('/')) {
            let service = service(&queries, &labels(told));
            match (row(&service, metric), expected) {
                (None, None) => {}
                (Some(found), Some(expected)) => {
                    let near = (f64::from(found) - expected).abs() <= 2e-6 * expected.abs().max(1.0);
                    assert!(near, "{about}: {metric} of {service} is {found}, expected {expected}");
                    values += 1;
                }
                (found, expected) => panic!("{about}: {metric} of {service}: {found:?}, {expected:?}"),
            }
        }
        recipes.insert(case.recipe);
    }
    assert_eq!(recipes.len(), cases::RECIPES.len());
    assert!(values > 50, "{values}");
}

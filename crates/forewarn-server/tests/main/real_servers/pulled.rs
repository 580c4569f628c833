//! Rows are what Prometheus computes, live and of the past.

use super::{
    history::History,
    servers::{post, prometheus},
};
use forewarn_live::Input;
use forewarn_schema::{Schema, Step, Timestamp};
use forewarn_server::{
    PastDay, PrometheusConfig, PrometheusPast, PrometheusQueries, Running, Stop, WatchConfig, WatchOptions,
    inspect_prometheus, join_days, journal_inputs,
    runtime::{Clock, SystemClock, TlsSettings, Transport, UreqTransport},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
    time::Duration,
};

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn transport(_: &PrometheusConfig) -> Result<Arc<dyn Transport>, forewarn_server::ServerError> {
    Ok(Arc::new(UreqTransport::new(&TlsSettings::default())?))
}

/// The time on the clock of minutes that is at or before now less `minutes`.
fn minutes_ago(minutes: i64) -> i64 {
    let now = SystemClock::new().now().millis() / 1000;
    now - now.rem_euclid(60) - 60 * minutes
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000).unwrap()
}

/// What Prometheus computes for a query at a time, by service: one query of its own.
fn computed(url: &str, query: &str, time: Timestamp) -> BTreeMap<String, f32> {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("query={encoded}&time={}", time.millis() / 1000);
    let answer: Value = serde_json::from_slice(&post(&format!("{url}/api/v1/query"), &form).body).unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    let result = answer["data"]["result"].as_array().unwrap();
    let values = result.iter().map(|series| {
        let value: f64 = series["value"][1].as_str().unwrap().parse().unwrap();
        (series["metric"]["job"].as_str().unwrap().to_owned(), value as f32)
    });
    values.filter(|(_, value)| value.is_finite()).collect()
}

/// Compares a row with what Prometheus computes, and gives how many values there were.
fn expect_row(
    url: &str,
    queries: &PrometheusQueries,
    time: Timestamp,
    rows: &BTreeMap<String, Vec<f32>>,
) -> usize {
    let mut values = 0;
    for (place, query) in queries.set().queries().iter().enumerate() {
        let expected = computed(url, &query.expression, time);
        let found: BTreeMap<String, f32> = rows
            .iter()
            .map(|(service, row)| (service.clone(), row[place]))
            .filter(|(_, value)| !value.is_nan())
            .collect();
        assert_eq!(found, expected, "{} at {time}", query.metric);
        values += found.len();
    }
    values
}

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn a_month_that_is_read_back_is_what_prometheus_computes_at_every_border() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (minutes_ago(31 * 1440), minutes_ago(5));
    let samples = folder.path().join("samples");
    History { from, to, step: 60 }.write(&samples);
    let server = prometheus(&samples, folder.path());
    let config = PrometheusConfig {
        scrape_interval_secs: 60,
        ..PrometheusConfig::new(&server.url, ["opentelemetry"])
    };
    let past = PrometheusPast::new(&config, Step::MINUTE, &clock(), &mut transport).unwrap();
    let days = PastDay::between(at(from), at(to), Step::MINUTE);
    assert!(days.len() >= 32, "{}", days.len());
    let stop = Stop::default();
    let read: Vec<_> = days.iter().map(|&day| past.read(day, &stop).unwrap().unwrap()).collect();
    assert!(read.iter().all(|rows| rows.partial.is_none() && rows.out_of_range == 0));
    let frames = join_days(read, past.schema(), Step::MINUTE).unwrap();
    let names: Vec<&str> = frames.frames().map(|frame| frame.service()).collect();
    assert_eq!(names, ["shop/cart", "shop/web"]);
    let queries = PrometheusQueries::new(&config, Step::MINUTE).unwrap();
    // Both sides of each border between two days, and a prime number of minutes through the whole month.
    let borders = days.iter().flat_map(|day| [day.first, day.last]);
    let others = (from..to).step_by(60 * 997).map(at);
    let mut values = 0;
    for time in borders.chain(others).collect::<BTreeSet<_>>() {
        let row = |frame: forewarn_schema::FrameView<'_>| {
            let row = (time.millis() - frame.start().millis()).div_euclid(60_000);
            let row = usize::try_from(row).ok().and_then(|row| frame.row(row))?;
            Some((frame.service().to_owned(), row.to_vec()))
        };
        let rows = frames.frames().filter_map(row).collect();
        values += expect_row(&server.url, &queries, time, &rows);
    }
    assert!(values > 700, "{values}");
    let web = frames.frames().last().unwrap();
    // All but the first rows, which have no rate yet.
    assert!((44_630..=44_640).contains(&web.rows()), "{}", web.rows());
}

/// Runs a service until the minute that it closes next is as it should be.
fn run_until(config: &WatchConfig, is_enough: impl Fn(i64) -> bool) {
    let running = Running::start(config.clone(), WatchOptions::default()).unwrap();
    let (handle, stop) = (running.handle().clone(), Stop::default());
    let waits = stop.clone();
    let wait = thread::spawn(move || running.wait(&waits, &mut |_| {}).map_err(|error| error.to_string()));
    let has_come = |_| {
        let is_there = handle.view().view.next.is_some_and(|next| is_enough(next.millis() / 1000));
        if !is_there {
            thread::sleep(Duration::from_millis(20));
        }
        is_there
    };
    assert!((0..3_000).any(has_come), "the past is not read");
    stop.stop();
    wait.join().unwrap().unwrap();
}

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn a_live_service_journals_what_prometheus_computes() {
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples");
    History { from: minutes_ago(120), to: minutes_ago(-15), step: 15 }.write(&samples);
    let server = prometheus(&samples, folder.path());
    let source = format!(
        "kind = \"prometheus\"\nurl = \"{}\"\nrecipes = [\"opentelemetry\"]\nwarm_up_minutes = 45\nsettle_secs = 0",
        server.url
    );
    let config = super::service::pulling(folder.path(), &source).unwrap();
    let store = config.store.path.clone();
    // Ended somewhere on the way, and started again.
    run_until(&config, |next| next > minutes_ago(45));
    run_until(&config, |next| next >= minutes_ago(0));
    let mut rows: BTreeMap<Timestamp, BTreeMap<String, Vec<f32>>> = BTreeMap::new();
    let (mut about, mut ups) = (String::new(), 0);
    for input in journal_inputs(&store).unwrap() {
        match input.unwrap() {
            Input::Row { service, time, values } => {
                let twice = rows.entry(time).or_default().insert(service, values);
                assert!(twice.is_none(), "a row of {time} came twice");
            }
            Input::About { text, .. } => about = text,
            Input::Source { .. } => ups += 1,
            _ => {}
        }
    }
    assert!(about.starts_with("Prometheus 2."), "{about}");
    // Once for each start that had something left to ask.
    assert!((1..=2).contains(&ups), "{ups}");
    let queries = PrometheusConfig::new(&server.url, ["opentelemetry"]);
    let queries = PrometheusQueries::new(&queries, Step::MINUTE).unwrap();
    assert!(rows.len() >= 45, "{}", rows.len());
    for (&time, row) in rows.iter().step_by(7) {
        assert!(expect_row(&server.url, &queries, time, row) > 0);
    }
}

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn a_look_at_the_server_finds_its_recipe_its_services_and_its_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples");
    History { from: minutes_ago(120), to: minutes_ago(-5), step: 30 }.write(&samples);
    let server = prometheus(&samples, folder.path());
    let none: [&str; 0] = [];
    let config = PrometheusConfig::new(&server.url, none);
    let look =
        || inspect_prometheus(&config, Step::MINUTE, &clock(), transport(&config).unwrap(), &Stop::default());
    let found = look().unwrap();
    assert_eq!(found.chosen, ["opentelemetry"], "{found:#?}");
    assert!(found.server.starts_with("Prometheus 2.") && found.is_usable, "{found:#?}");
    assert_eq!(
        found.services.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["shop/cart", "shop/web"]
    );
    assert_eq!(found.metrics.len(), 5);
    let interval = found.scrape_interval_secs.unwrap();
    assert!((28.0..33.0).contains(&interval), "{interval}");
    assert!(found.notes.iter().any(|note| note.contains("scrape_interval_secs = 30")), "{:#?}", found.notes);
    // A tenth of the requests, and more, take longer than the highest finite bucket.
    let p99 = found.metrics.iter().find(|metric| metric.name == "p99_latency").unwrap();
    assert!(p99.at_ceiling_share.unwrap() > 0.9 && !p99.blind.is_empty(), "{p99:?}");
    assert!(found.tick.unwrap().bytes > 100);
    drop(server);
    let away = look().unwrap();
    assert!(!away.is_usable && away.problems.len() == 1, "{away:#?}");
}

#[test]
fn the_metrics_of_the_recipe_are_those_of_the_schema() {
    let queries = PrometheusConfig::new("http://p", ["opentelemetry"]);
    let queries = PrometheusQueries::new(&queries, Step::MINUTE).unwrap();
    assert!(queries.schema().names().eq(Schema::v1().names().take(5)));
}

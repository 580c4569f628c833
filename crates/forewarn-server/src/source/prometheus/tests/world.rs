//! A clock, a server and a journal in memory.

use super::super::pull::Inlet;
use crate::{
    ServerError,
    runtime::{Clock, HttpRequest, HttpResponse, Stop, Transport},
};
use forewarn_live::{Input, SourceStatus};
use forewarn_schema::{Step, Timestamp};
use serde_json::json;
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// The end of a minute since 2026.
pub(super) fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + minute * 60_000).unwrap()
}

fn minute(time: Timestamp) -> i64 {
    (time.millis() - at(0).millis()) / 60_000
}

/// What is out there, and the time.
pub(super) struct World {
    clock: Arc<VirtualClock>,
    state: Arc<Mutex<State>>,
}

struct VirtualClock {
    now: AtomicI64,
    end: AtomicI64,
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst)).unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now.load(Ordering::SeqCst).unsigned_abs())
    }

    fn sleep(&self, duration: Duration, stop: &Stop) -> bool {
        let now =
            self.now.fetch_add(duration.as_millis() as i64, Ordering::SeqCst) + duration.as_millis() as i64;
        if now >= self.end.load(Ordering::SeqCst) {
            stop.stop();
        }
        !stop.is_stopped()
    }
}

#[derive(Default)]
struct State {
    outages: Vec<(Option<String>, Range<i64>)>,
    refusals: Vec<(Range<i64>, u16, String)>,
    partial: Vec<Range<i64>>,
    most_points: Option<i64>,
    late: Vec<(String, Range<i64>, i64)>,
    changes: Vec<(String, i64, i64)>,
    skew_secs: i64,
    calls: Vec<(String, String)>,
    requests: Vec<Asked>,
}

/// A request as the server understood it.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) query: String,
    pub(super) step: String,
    pub(super) last: Option<Timestamp>,
    pub(super) sent: i64,
}

impl World {
    /// It is half a minute after `now`.
    pub(super) fn new(now: i64) -> Self {
        let now = at(now).millis() - 30_000;
        let clock = VirtualClock { now: AtomicI64::new(now), end: AtomicI64::new(i64::MAX) };
        Self { clock: Arc::new(clock), state: Arc::default() }
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    pub(super) fn transport(&self, url: &str) -> Arc<dyn Transport> {
        Arc::new(Server {
            url: url.to_owned(),
            clock: Arc::clone(&self.clock),
            state: Arc::clone(&self.state),
        })
    }

    /// A stop that comes half a minute after `minute`.
    pub(super) fn until(&self, minute: i64) -> Stop {
        self.clock.end.store(at(minute).millis() - 30_000, Ordering::SeqCst);
        Stop::default()
    }

    fn with(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    pub(super) fn outage(&self, minutes: Range<i64>) {
        self.with(|state| state.outages.push((None, minutes)));
    }

    pub(super) fn outage_of(&self, url: &str, minutes: Range<i64>) {
        self.with(|state| state.outages.push((Some(url.to_owned()), minutes)));
    }

    pub(super) fn answer_with(&self, minutes: Range<i64>, status: u16, words: &str) {
        self.with(|state| state.refusals.push((minutes, status, words.to_owned())));
    }

    pub(super) fn partial(&self, minutes: Range<i64>) {
        self.with(|state| state.partial.push(minutes));
    }

    pub(super) fn most_points(&self, points: i64) {
        self.with(|state| state.most_points = Some(points));
    }

    /// Rows of one more service, which come `by` minutes too late.
    pub(super) fn late(&self, service: &str, minutes: Range<i64>, by: i64) {
        self.with(|state| state.late.push((service.to_owned(), minutes, by)));
    }

    /// The row of a service is another from `by` minutes after it on.
    pub(super) fn change(&self, service: &str, minute: i64, by: i64) {
        self.with(|state| state.changes.push((service.to_owned(), minute, by)));
    }

    pub(super) fn skew_secs(&self, seconds: i64) {
        self.with(|state| state.skew_secs = seconds);
    }

    pub(super) fn calls(&self, calls: &[(&str, &str)]) {
        let calls = calls.iter().map(|(client, server)| ((*client).to_owned(), (*server).to_owned()));
        self.with(|state| state.calls = calls.collect());
    }

    pub(super) fn requests(&self) -> Vec<Asked> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The value of a service's metric; the first metric is a count, the others are ratios.
    pub(super) fn value(&self, service: &str, metric: usize, minute: i64) -> f32 {
        value(service, metric, minute)
    }
}

fn value(service: &str, metric: usize, minute: i64) -> f32 {
    let base = service.bytes().map(i64::from).sum::<i64>() + 7 * minute + 13 * metric as i64;
    if metric == 0 { base as f32 } else { (base % 97) as f32 / 128.0 }
}

struct Server {
    url: String,
    clock: Arc<VirtualClock>,
    state: Arc<Mutex<State>>,
}

impl Transport for Server {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, ServerError> {
        let mut state = self.state.lock().unwrap();
        let now = self.clock.now();
        let (form, this) = (form(&request.body), minute(now));
        let get = |name: &str| form.get(name).cloned().unwrap_or_default();
        let time = |name: &str| {
            get(name).parse::<f64>().ok().and_then(|s| Timestamp::from_millis((s * 1000.0) as i64))
        };
        state.requests.push(Asked {
            url: request.url.clone(),
            query: get("query"),
            step: get("step"),
            last: time("end"),
            sent: now.millis(),
        });
        let is_out = |(url, minutes): &(Option<String>, Range<i64>)| {
            url.as_ref().is_none_or(|url| *url == self.url) && minutes.contains(&this)
        };
        if state.outages.iter().any(is_out) {
            let reason = "connection refused".to_owned();
            return Err(ServerError::Transport { url: request.printable_url(), reason });
        }
        let date = now.millis() + state.skew_secs * 1000;
        let answer = |status: u16, body: serde_json::Value| {
            HttpResponse::new(status, body.to_string()).with_header("date", http_date(date))
        };
        if request.url.ends_with("/buildinfo") {
            let data = json!({ "version": "2.42.0", "revision": "x", "goVersion": "go1.19" });
            return Ok(answer(200, json!({ "status": "success", "data": data })));
        }
        if let Some((_, status, words)) = state.refusals.iter().find(|(minutes, ..)| minutes.contains(&this))
        {
            let body = json!({ "status": "error", "errorType": "bad_data", "error": words });
            return Ok(answer(*status, body));
        }
        if get("query") == "time()" {
            let data = json!({ "resultType": "scalar", "result": [date / 1000, (date / 1000).to_string()] });
            return Ok(answer(200, json!({ "status": "success", "data": data })));
        }
        if get("query").contains("service_graph") {
            let counted = if get("query").contains("failed") { "45" } else { "900" };
            let series = state.calls.iter().map(|(client, server)| {
                json!({ "metric": { "client": client, "server": server }, "value": [now.millis() / 1000, counted] })
            });
            let data = json!({ "resultType": "vector", "result": series.collect::<Vec<_>>() });
            return Ok(answer(200, json!({ "status": "success", "data": data })));
        }
        let (first, last) = (time("start").unwrap(), time("end").unwrap());
        let points = minute(last) - minute(first) + 1;
        if state.most_points.is_some_and(|most| points > most) {
            let words = "query processing would load too many samples into memory in query execution";
            return Ok(answer(422, json!({ "status": "error", "errorType": "execution", "error": words })));
        }
        let metric = metric(&get("query"));
        let mut services = vec!["a".to_owned(), "b".to_owned()];
        services.extend(state.late.iter().map(|(service, ..)| service.clone()));
        let result: Vec<_> = services
            .iter()
            .filter_map(|service| {
                let values: Vec<_> = (minute(first)..=minute(last))
                    .filter(|&row| at(row) <= now)
                    .filter(|&row| {
                        let late = state.late.iter().find(|(name, ..)| name == service);
                        late.is_none_or(|(_, rows, by)| rows.contains(&row) && this >= row + by)
                    })
                    .map(|row| {
                        let changed = state.changes.iter().any(|(name, changed, by)| {
                            name == service && *changed == row && this >= row + by
                        });
                        let value = value(service, metric, row) + if changed { 0.25 } else { 0.0 };
                        json!([at(row).millis() / 1000, value.to_string()])
                    })
                    .collect();
                (!values.is_empty()).then(|| json!({ "metric": { "job": service }, "values": values }))
            })
            .collect();
        let mut body = json!({ "status": "success", "data": { "resultType": "matrix", "result": result } });
        if state.partial.iter().any(|minutes| minutes.contains(&this)) {
            body["warnings"] = json!(["a store did not answer"]);
        }
        Ok(answer(200, body))
    }
}

/// Which metric of the recipe a query makes.
fn metric(query: &str) -> usize {
    match query {
        _ if query.starts_with("clamp_max") => 1,
        _ if query.contains("(0.5,") => 2,
        _ if query.contains("(0.95,") => 3,
        _ if query.contains("(0.99,") => 4,
        _ => 0,
    }
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn http_date(millis: i64) -> String {
    let text = Timestamp::from_millis(millis).unwrap().to_string();
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [text[5..7].parse::<usize>().unwrap() - 1];
    format!("Mon, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19])
}

/// What a service would have journaled.
#[derive(Default)]
pub(super) struct Journal {
    inputs: Mutex<Vec<Input>>,
}

impl Inlet for Journal {
    fn send(&self, inputs: Vec<Input>) -> Result<(), ServerError> {
        self.inputs.lock().unwrap().extend(inputs);
        Ok(())
    }

    fn has(&self, _: Timestamp, _: &str) -> bool {
        false
    }

    fn status(&self, source: &str) -> Option<SourceStatus> {
        self.all().into_iter().rev().find_map(|input| match input {
            Input::Source { source: said, status } if said == source => Some(status),
            _ => None,
        })
    }

    fn tell(&self, _: String) {}

    fn next_minute(&self) -> Option<Timestamp> {
        let closed = self.closed();
        closed.last().and_then(|&last| at(last).checked_add(Step::MINUTE, 1))
    }
}

impl Journal {
    pub(super) fn all(&self) -> Vec<Input> {
        self.inputs.lock().unwrap().clone()
    }

    /// Minutes that have rows, in the order in which they came first.
    pub(super) fn minutes(&self) -> Vec<i64> {
        let mut minutes: Vec<i64> = self
            .all()
            .iter()
            .filter_map(|input| match input {
                Input::Row { time, .. } => Some(minute(*time)),
                _ => None,
            })
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        minutes.retain(|minute| seen.insert(*minute));
        minutes
    }

    /// Minutes that were closed, in order.
    pub(super) fn closed(&self) -> Vec<i64> {
        self.all()
            .iter()
            .filter_map(|input| match input {
                Input::Advance { now } => Some(minute(*now) - 1),
                _ => None,
            })
            .collect()
    }

    /// Services of a minute, with the first of their values.
    pub(super) fn rows_at(&self, wanted: i64) -> Vec<(&'static str, f32)> {
        let known = |service: &str| ["a", "b", "c"].into_iter().find(|name| *name == service).unwrap();
        self.all()
            .iter()
            .filter_map(|input| match input {
                Input::Row { service, time, values } if *time == at(wanted) => {
                    Some((known(service), values[0]))
                }
                _ => None,
            })
            .collect()
    }

    pub(super) fn statuses(&self) -> Vec<String> {
        self.all()
            .iter()
            .filter_map(|input| match input {
                Input::Source { source, status } => Some(match status {
                    SourceStatus::Up => format!("{source} up"),
                    SourceStatus::Down { reason } => format!("{source} down: {reason}"),
                    _ => format!("{source} partial"),
                }),
                _ => None,
            })
            .collect()
    }

    pub(super) fn graphs(&self) -> Vec<Vec<(String, String)>> {
        self.all()
            .iter()
            .filter_map(|input| match input {
                Input::Graph { calls } => Some(calls.clone()),
                _ => None,
            })
            .collect()
    }
}

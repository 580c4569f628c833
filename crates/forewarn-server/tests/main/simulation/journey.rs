//! A service from its first minute to its last, over several lives.

use super::{
    outside::{Line, Outside},
    prometheus::Prometheus,
};
use crate::world::{BoxError, write_model_to};
use forewarn_live::{Event, EventBody, SourceStatus, WarningState};
use forewarn_schema::Timestamp;
use forewarn_server::{
    Running, Stop, WatchConfig, WatchOptions,
    runtime::{Clock, Transport},
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

/// Threads that sleep by the clock: the source and two targets.
const THREADS: usize = 3;
/// Seconds that pass at once.
const PACE: u64 = 10;
/// Minutes after an outage in which Alertmanager may not know yet: its longest pause, and a resend.
const GRACE: u64 = 7;

/// What happens, in minutes since the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) minutes: u64,
    pub(super) prometheus_down: Vec<Range<u64>>,
    pub(super) alertmanager_down: Vec<Range<u64>>,
    /// Kills between two requests.
    pub(super) kills: Vec<u64>,
    /// Numbers of requests to targets in the middle of which the service is killed; before they arrive where the number
    /// is even, after where it is odd.
    pub(super) killed_requests: Vec<u64>,
}

/// What came of a plan.
pub(super) struct Journey {
    /// The file of events.
    pub(super) events: String,
    /// Everything that was sent to a target.
    pub(super) sent: Vec<(Timestamp, String, Vec<u8>)>,
    /// What Alertmanager told people.
    pub(super) notified: Vec<String>,
    pub(super) kills: usize,
    /// Times at which the standing warnings were compared with Alertmanager's alerts, and where they differed.
    pub(super) compared: usize,
    pub(super) differences: Vec<String>,
    hook: Vec<Value>,
    plan: Plan,
    start: Timestamp,
    read: Vec<Event>,
}

/// One life of the service.
struct Life {
    line: Arc<Line>,
    handle: forewarn_server::runtime::Handle,
    stop: Stop,
    thread: thread::JoinHandle<Result<(), String>>,
}

impl Life {
    fn begin(outside: &Arc<Outside>, folder: &Path, remains: &Path) -> Result<Self, BoxError> {
        let config = WatchConfig::from_path(&folder.join("forewarn.toml"))?;
        let line = Arc::new(Line::new(outside, folder, remains));
        let options = WatchOptions::default()
            .with_clock(Arc::clone(&outside.clock) as Arc<dyn Clock>)
            .with_transport(Arc::clone(&line) as Arc<dyn Transport>);
        let running = Running::start(config, options)?;
        let (handle, stop) = (running.handle().clone(), Stop::default());
        let asked = stop.clone();
        let wait = move || running.wait(&asked, &mut |_| {}).map(drop).map_err(|error| error.to_string());
        Ok(Self { line, handle, stop, thread: thread::spawn(wait) })
    }

    fn end(self) -> Result<(), BoxError> {
        self.stop.stop();
        Ok(self.thread.join().map_err(|_| "the service panicked")??)
    }
}

fn write_config(folder: &Path) -> Result<(), BoxError> {
    fs::create_dir_all(folder)?;
    write_model_to(folder)?;
    fs::write(folder.join("sim.toml"), Prometheus::recipe())?;
    let text = "[model]\npath = \"model.safetensors\"\n[source]\nkind = \"prometheus\"\n\
                url = \"http://prometheus\"\nrecipes = [\"sim.toml\"]\nwarm_up_minutes = 30\n[store]\npath = \"store\"\n\
                checkpoint_minutes = 10080\n[events]\npath = \"events.ndjson\"\n[budget]\nmode = \"static\"\n\
                [[alertmanager]]\nurl = \"http://alertmanager\"\n[[webhook]]\nurl = \"http://hook\"\n\
                group_wait_secs = 0\n";
    Ok(fs::write(folder.join("forewarn.toml"), text)?)
}

impl Journey {
    pub(super) fn run(plan: &Plan) -> Result<Self, BoxError> {
        let folder = tempfile::tempdir()?;
        let life = |number: usize| folder.path().join(format!("life-{number}"));
        write_config(&life(0))?;
        let start: Timestamp = "2026-03-02T08:00:00Z".parse()?;
        let outside = Arc::new(Outside::new(plan, start));
        let (mut kills, mut compared, mut differences) = (0, 0, Vec::new());
        let mut planned = plan.kills.iter().copied().peekable();
        let mut one = Life::begin(&outside, &life(0), &life(1))?;
        while outside.minute() < plan.minutes {
            outside.clock.run(Duration::from_secs(PACE), THREADS);
            if planned.next_if(|&minute| minute <= outside.minute()).is_some() {
                outside.clock.wait_for_sleepers(THREADS);
                one.line.kill();
            }
            if one.line.is_dead() {
                kills += 1;
                one.end()?;
                one = Life::begin(&outside, &life(kills), &life(kills + 1))?;
                continue;
            }
            if plan.is_settled(outside.minute()) {
                outside.clock.wait_for_sleepers(THREADS);
                let view = one.handle.view();
                let stands = view.view.services.iter().filter(|service| service.warning.is_some());
                let stands: BTreeSet<String> = stands.map(|service| service.name.clone()).collect();
                let told = outside.with(|state| state.alertmanager.services());
                compared += 1;
                if stands != told {
                    differences.push(format!("{}: {stands:?} but {told:?}", outside.clock.now()));
                }
            }
        }
        outside.clock.wait_for_sleepers(THREADS);
        one.end()?;
        let events = fs::read_to_string(life(kills).join("events.ndjson"))?;
        #[derive(Deserialize)]
        struct Entry {
            event: Event,
        }
        let read = events.lines().map(|line| Ok(serde_json::from_str::<Entry>(line)?.event));
        let read = read.collect::<Result<Vec<_>, BoxError>>()?;
        let (sent, notified, hook) = outside.with(|state| {
            let hook = state.hook.values().cloned().collect();
            (state.sent.clone(), state.alertmanager.notified.clone(), hook)
        });
        let plan = plan.clone();
        Ok(Self { events, sent, notified, kills, compared, differences, hook, plan, start, read })
    }

    /// What the engine said of services, without numbers and without what is said of the source.
    pub(super) fn stories(&self) -> Vec<(Timestamp, EventBody)> {
        let told = self.read.iter().filter(|event| {
            !matches!(event.body, EventBody::Source { .. } | EventBody::Budget(_) | EventBody::Late { .. })
        });
        let mut stories: Vec<_> = told.map(|event| (event.time, event.body.clone())).collect();
        stories.sort_by_key(|(time, _)| *time);
        stories
    }

    pub(super) fn source_changes(&self) -> Vec<&'static str> {
        let word = |event: &Event| match &event.body {
            EventBody::Source { status: SourceStatus::Up, .. } => Some("up"),
            EventBody::Source { status: SourceStatus::Down { .. }, .. } => Some("down"),
            EventBody::Source { .. } => Some("partial"),
            _ => None,
        };
        self.read.iter().filter_map(word).collect()
    }

    /// Ids of the warnings that were raised, sorted.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.spans().into_keys().collect();
        ids.sort();
        ids
    }

    /// Row times at which each warning was raised, and at which it was over.
    pub(super) fn spans(&self) -> BTreeMap<String, (Timestamp, Option<Timestamp>)> {
        let mut spans = BTreeMap::new();
        for event in &self.read {
            let EventBody::Warning(warning) = &event.body else { continue };
            match warning.state {
                WarningState::Firing => {
                    let twice = spans.insert(warning.id.clone(), (warning.since, None));
                    assert_eq!(twice, None, "{} was raised twice", warning.id);
                }
                WarningState::Resolved => {
                    if let Some(span) = spans.get_mut(&warning.id) {
                        span.1 = Some(event.time);
                    }
                }
                WarningState::Pending => {}
            }
        }
        spans
    }

    /// Ids of the warnings that the webhook was told of in this state, sorted, each as often as it was told.
    pub(super) fn hook_keys(&self, state: &str) -> Vec<String> {
        let alerts = self.hook.iter().flat_map(|body| body["alerts"].as_array().cloned().unwrap_or_default());
        let in_state = alerts.filter(|alert| alert["status"] == state);
        let warning = |alert: Value| alert["annotations"]["warning"].as_str().map(str::to_owned);
        let mut keys: Vec<String> = in_state.filter_map(warning).collect();
        keys.sort();
        keys
    }

    /// Warnings of which Alertmanager told no one. One that begins with the end of another of its service is the same
    /// alert to it, which goes on.
    pub(super) fn not_notified(&self) -> Vec<String> {
        let is_told = |id: &String, since: Timestamp| {
            let service = id.trim_start_matches("w:").split(':').next().unwrap_or_default();
            let service = service.rsplit('/').next().unwrap_or_default();
            let (service, since) = (format!("\"service\":\"{service}\""), format!("since {since}"));
            self.notified
                .iter()
                .any(|told| told.starts_with("firing") && told.contains(&service) && told.ends_with(&since))
        };
        let spans = self.spans();
        let service = |id: &str| id.rsplitn(4, ':').last().unwrap_or_default().to_owned();
        let goes_on = |id: &String, since: Timestamp| {
            spans.iter().any(|(other, (_, until))| service(other) == service(id) && *until == Some(since))
        };
        let missing = spans.iter().filter(|(id, (since, _))| !is_told(id, *since) && !goes_on(id, *since));
        missing.map(|(id, _)| id.clone()).collect()
    }

    /// Whether a warning began while Alertmanager could not hear of it, and was over, or replaced by one that goes on,
    /// before it could. The rows of the time without Prometheus come all at once.
    pub(super) fn began_and_ended_unseen(&self, id: &str) -> bool {
        let spans = self.spans();
        let Some((since, until)) = spans.get(id) else { return false };
        let minute = |time: &Timestamp| (time.millis() - self.start.millis()) / 60_000;
        let away = self.plan.alertmanager_down.iter().chain(&self.plan.prometheus_down);
        away.into_iter().any(|away| {
            let (begin, end) = (away.start as i64 - 2, away.end as i64 + GRACE as i64);
            (begin..end).contains(&minute(since)) && until.is_some_and(|until| minute(&until) <= end)
        })
    }
}

impl Plan {
    /// Whether Alertmanager has had the time to hear of what stands.
    fn is_settled(&self, minute: u64) -> bool {
        let soon_after = |&from: &u64| (from.saturating_sub(1)..from + GRACE).contains(&minute);
        let away = self.prometheus_down.iter().chain(&self.alertmanager_down);
        !(away.into_iter().any(|away| (away.start..away.end + GRACE).contains(&minute))
            || self.kills.iter().any(soon_after)
            || minute < GRACE)
    }
}

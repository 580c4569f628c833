//! All that a service is connected to, and how it reaches that.

use super::{alertmanager::Alertmanager, journey::Plan, prometheus::Prometheus};
use forewarn_schema::Timestamp;
use forewarn_server::{
    ServerError,
    runtime::{Clock, HttpRequest, HttpResponse, Transport, VirtualClock},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Servers, and what they took.
pub(super) struct Outside {
    pub(super) clock: Arc<VirtualClock>,
    pub(super) start: Timestamp,
    plan: Plan,
    prometheus: Prometheus,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) alertmanager: Alertmanager,
    /// By the notification's number: what the webhook was told.
    pub(super) hook: BTreeMap<String, Value>,
    /// Everything that was sent to a target: when, where, what.
    pub(super) sent: Vec<(Timestamp, String, Vec<u8>)>,
    /// Requests to targets so far.
    requests: u64,
}

impl Outside {
    pub(super) fn new(plan: &Plan, start: Timestamp) -> Self {
        let first = start.millis() / 60_000 - 60;
        Self {
            clock: Arc::new(VirtualClock::new(start)),
            start,
            plan: plan.clone(),
            prometheus: Prometheus::new(first, 60 + plan.minutes as usize + 1),
            state: Mutex::default(),
        }
    }

    /// Minutes since the start.
    pub(super) fn minute(&self) -> u64 {
        ((self.clock.now().millis() - self.start.millis()) / 60_000) as u64
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap();
        if self.is_away(&self.plan.alertmanager_down) {
            state.alertmanager.forget();
        } else {
            state.alertmanager.pass(self.clock.now());
        }
        look(&mut state)
    }

    pub(super) fn is_away(&self, away: &[std::ops::Range<u64>]) -> bool {
        away.iter().any(|range| range.contains(&self.minute()))
    }
}

/// How one life of the service reaches the outside.
pub(super) struct Line {
    outside: Arc<Outside>,
    /// What it keeps on disk, and where that goes when it is killed.
    folder: PathBuf,
    remains: PathBuf,
    is_dead: AtomicBool,
}

impl Line {
    pub(super) fn new(outside: &Arc<Outside>, folder: &Path, remains: &Path) -> Self {
        Self {
            outside: Arc::clone(outside),
            folder: folder.to_owned(),
            remains: remains.to_owned(),
            is_dead: AtomicBool::new(false),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    /// A kill at this moment: what is on disk now is all that is left.
    pub(super) fn kill(&self) {
        if !self.is_dead.swap(true, Ordering::SeqCst) {
            copy(&self.folder, &self.remains).unwrap();
        }
    }

    fn lost(request: &HttpRequest, reason: &str) -> ServerError {
        ServerError::Transport { url: request.printable_url(), reason: reason.to_owned() }
    }

    fn to_target(&self, request: &HttpRequest) -> Result<HttpResponse, ServerError> {
        let outside = &self.outside;
        if request.url.contains("alertmanager") && outside.is_away(&outside.plan.alertmanager_down) {
            return Err(Self::lost(request, "connection refused"));
        }
        let now = outside.clock.now();
        let number = outside.with(|state| {
            state.requests += 1;
            state.requests
        });
        let is_killed = outside.plan.killed_requests.contains(&number);
        if is_killed && number.is_multiple_of(2) {
            self.kill();
            return Err(Self::lost(request, "killed before it arrived"));
        }
        outside.with(|state| {
            state.sent.push((now, request.url.clone(), request.body.clone()));
            if request.url.ends_with("/api/v2/alerts") {
                state.alertmanager.take(&request.body, now);
            } else if request.url.contains("hook") {
                let body = serde_json::from_slice(&request.body).unwrap();
                let id = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-forewarn-id"));
                state.hook.insert(id.map(|(_, id)| id.clone()).unwrap(), body);
            }
        });
        if is_killed {
            self.kill();
            return Err(Self::lost(request, "killed before the answer came"));
        }
        let body = if request.url.contains("/api/v2/alerts?") { b"[]".to_vec() } else { Vec::new() };
        Ok(HttpResponse::new(200, body))
    }
}

impl Transport for Line {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, ServerError> {
        let outside = &self.outside;
        if self.is_dead() {
            return Err(Self::lost(request, "the service is dead"));
        }
        if !request.url.contains("prometheus") {
            return self.to_target(request);
        }
        if outside.is_away(&outside.plan.prometheus_down) {
            return Err(Self::lost(request, "connection refused"));
        }
        Ok(outside.prometheus.answer(request, outside.clock.now().millis()))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let copied = if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(drop)
        };
        // Other threads go on: what has got its final name, or was removed, since the folder was read is not there.
        copied.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    Ok(())
}

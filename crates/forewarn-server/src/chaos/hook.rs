mod runs;
#[cfg(test)]
mod tests;

use super::{
    ChaosControl, ChaosError, ChaosExperiment, ChaosKindInfo, ChaosParameters, ChaosPhase, ChaosRequest,
    ChaosState, Readings, Span, log::ChaosLog, verdict::judge,
};
use crate::{
    ChaosConfig, ChaosExperimentConfig, ServerError,
    outgoing::{Credentials, read_secret},
    runtime::{Clock, Handle, HttpRequest, HttpResponse, Stop, Transport},
    sink::signed_headers,
};
use forewarn_schema::{Timestamp, printable};
use runs::{HookEntry, Run, Runs};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

/// The log of what was asked of the target, in the folder of the store.
const LOG: &str = "chaos-target.ndjson";
/// What its first line says.
const HEADER: &str = "target";
/// Time between two looks at what is due.
const LOOK: Duration = Duration::from_millis(500);
/// Bytes of an answer that are read, and characters of it that are told.
const MOST_ANSWER: (u64, usize) = (64 << 10, 200);
/// Least severity.
const LEAST_SEVERITY: f64 = 0.01;

/// A target of the configuration that starts and ends faults when it is told to over HTTP.
///
/// A fault is written down before the target is told, and its end is asked for until the target takes it: after its
/// time, when a person stops it, after a kill of this process, when it is not known whether it began, and when the
/// service ends in order. The target is told how long the fault is to last as well, so that it can end it by itself.
pub struct HookChaos {
    config: ChaosConfig,
    credentials: Credentials,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    /// The service that watches it, to say which failures it announced.
    watcher: OnceLock<Handle>,
}

#[derive(Debug)]
struct Inner {
    runs: Runs,
    log: ChaosLog,
}

/// What the target is told.
#[derive(Serialize)]
struct Told<'a> {
    action: &'static str,
    id: u32,
    kind: &'a str,
    service: &'a str,
    severity: f64,
    seconds: f64,
}

impl HookChaos {
    /// The target of a configuration, with the faults of the log in `folder`: those that had not ended go on, or end
    /// as soon as [`run`](Self::run) runs.
    ///
    /// # Errors
    /// [`ServerError`] for a log or a secret that cannot be read.
    pub(crate) fn open(
        config: &ChaosConfig,
        folder: &Path,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| ServerError::File { path: folder.to_owned(), source })?;
        if let Some(path) = &config.secret_file {
            read_secret(path)?;
        }
        let (log, entries) = ChaosLog::open::<HookEntry>(&folder.join(LOG), HEADER)?;
        Ok(Self {
            credentials: Credentials::of_target(&config.target),
            config: config.clone(),
            transport,
            clock,
            inner: Mutex::new(Inner { runs: Runs::of(entries), log }),
            watcher: OnceLock::new(),
        })
    }

    /// From now on [`state`](ChaosControl::state) says which failures the service behind `watcher`
    /// announced.
    pub(crate) fn judge_by(&self, watcher: Handle) {
        self.watcher.get_or_init(|| watcher);
    }

    /// Ends faults when their time is over, until it is asked to stop; then ends all.
    pub(crate) fn run(&self, stop: &Stop) {
        loop {
            self.tick();
            if !self.clock.sleep(LOOK, stop) {
                break;
            }
        }
        if let Err(error) = self.stop_all() {
            tracing::error!(%error, "faults may go on after the end of the service");
        }
    }

    /// Ends what is due.
    fn tick(&self) {
        let now = self.clock.now();
        let due = self.lock().runs.due(now);
        for id in due {
            let entry = HookEntry::End { id, at: now, stopped: false };
            if let Err(error) = self.lock().carry_out(&entry) {
                tracing::error!(%error, id, "the end of a fault cannot be kept on disk; it is tried again");
            }
        }
        let to_end = self.lock().runs.to_end(now);
        to_end.iter().for_each(|run| self.end(run));
    }

    /// Asks for the end of a fault.
    fn end(&self, run: &Run) {
        let answer = self.tell("stop", run);
        let now = self.clock.now();
        let mut inner = self.lock();
        let failed = match answer {
            Ok(answer) if answer.is_success() => {
                inner.carry_out(&HookEntry::Over { id: run.id, at: now }).err().map(|error| error.to_string())
            }
            Ok(answer) => Some(format!("status {}: {}", answer.status, said(&answer))),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = failed {
            tracing::error!(id = run.id, error, "the target does not end a fault; it is asked again");
            if let Some(run) = inner.runs.get_mut(run.id) {
                run.try_later(now);
            }
        }
    }

    fn tell(&self, action: &'static str, run: &Run) -> Result<HttpResponse, ServerError> {
        let Run { id, kind, service, severity, seconds, .. } = run;
        let told = Told { action, id: *id, kind, service, severity: *severity, seconds: *seconds };
        let body = serde_json::to_vec(&told)
            .map_err(|error| ServerError::Config { reason: format!("chaos: {error}") })?;
        let number = format!("chaos-{id}-{action}");
        let secret = self.config.secret_file.as_deref().map(read_secret).transpose()?;
        let seconds = self.clock.now().millis() / 1_000;
        let headers = signed_headers(&number, secret.as_deref().map(str::as_bytes), seconds, &body);
        let mut request =
            HttpRequest::post(&self.config.target.url, body).with_header("Content-Type", "application/json");
        request.headers.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        request.headers.extend(self.credentials.headers()?);
        self.transport.send(&request.with_most_bytes(MOST_ANSWER.0))
    }

    /// The fault that is asked for, where it is one of the configuration.
    fn check(&self, request: &ChaosRequest) -> Result<(f64, f64), ChaosError> {
        let experiments = &self.config.experiments;
        let found = experiments.iter().find(|one| one.kind == request.kind);
        let experiment = found.ok_or_else(|| ChaosError::UnknownKind {
            kind: request.kind.clone(),
            expected: experiments.iter().map(|one| one.kind.clone()).collect(),
        })?;
        if !experiment.services.contains(&request.service) {
            let expected = experiment.services.iter().cloned().collect();
            return Err(ChaosError::UnknownService { service: request.service.clone(), expected });
        }
        let severity = request.severity.unwrap_or(experiment.severity);
        let seconds = request.seconds.unwrap_or(experiment.seconds.into());
        let (least, most) = (ChaosExperimentConfig::LEAST_SECONDS, experiment.most_seconds);
        for (field, value, least, most) in
            [("severity", severity, LEAST_SEVERITY, 1.0), ("seconds", seconds, least.into(), most.into())]
        {
            if !(least..=most).contains(&value) {
                let expected = format!("{least} to {most}");
                return Err(ChaosError::OutOfRange { field, value: value.to_string(), expected });
            }
        }
        Ok((severity, seconds))
    }

    /// The service and all that depend on it over calls.
    fn reaches(&self, service: &str) -> Vec<String> {
        let mut reached = BTreeSet::from([service.to_owned()]);
        if let Some(watcher) = self.watcher.get() {
            let snapshot = watcher.view();
            let mut waiting = vec![service];
            while let Some(server) = waiting.pop() {
                for (client, _) in snapshot.view.calls.iter().filter(|(_, called)| called == server) {
                    if reached.insert(client.clone()) {
                        waiting.push(client);
                    }
                }
            }
        }
        reached.into_iter().collect()
    }

    fn shown(&self, run: &Run) -> ChaosExperiment {
        run.shown(self.clock.now(), self.reaches(&run.service))
    }

    fn one(&self, id: u32) -> Result<ChaosExperiment, ChaosError> {
        let run = self.lock().runs.get(id).cloned();
        run.map(|run| self.shown(&run)).ok_or(ChaosError::NotFound { id })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Faults and log are whole between two calls, whatever a thread did that held them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Writes an entry down, then does what it says.
    fn carry_out(&mut self, entry: &HookEntry) -> Result<(), ChaosError> {
        let path = self.log.path().to_owned();
        self.log.append(entry).map_err(|source| ChaosError::Storage { path, source })?;
        self.runs.apply(entry);
        Ok(())
    }

    /// Writes down that a fault is to begin, if there is a place for it.
    fn begin(
        &mut self,
        request: &ChaosRequest,
        numbers: (f64, f64),
        most: usize,
        at: Timestamp,
    ) -> Result<Run, ChaosError> {
        if self.runs.open().count() >= most {
            return Err(ChaosError::TooMany { most });
        }
        let (id, (severity, seconds)) = (self.runs.next_id(), numbers);
        let (kind, service) = (request.kind.clone(), request.service.clone());
        self.carry_out(&HookEntry::Begin { id, kind, service, severity, seconds, at })?;
        let run = self.runs.get_mut(id).ok_or(ChaosError::NotFound { id })?;
        run.is_starting = true;
        Ok(run.clone())
    }
}

impl ChaosControl for HookChaos {
    fn kinds(&self) -> Vec<ChaosKindInfo> {
        let span = |least, most, usual| Span { least, most, usual };
        let info = |one: &ChaosExperimentConfig| {
            let mut label = one.kind.replace('_', " ");
            label[..1].make_ascii_uppercase();
            let least = f64::from(ChaosExperimentConfig::LEAST_SECONDS);
            ChaosKindInfo {
                kind: one.kind.clone(),
                label,
                description: one.description.clone(),
                routine: false,
                gradual: false,
                parameters: ChaosParameters {
                    severity: span(LEAST_SEVERITY, 1.0, one.severity),
                    seconds: span(least, one.most_seconds.into(), one.seconds.into()),
                },
                services: one.services.iter().cloned().collect(),
            }
        };
        self.config.experiments.iter().map(info).collect()
    }

    fn state(&self) -> ChaosState {
        let (open, past): (Vec<Run>, Vec<Run>) = {
            let inner = self.lock();
            (inner.runs.open().cloned().collect(), inner.runs.past().cloned().collect())
        };
        let now = self.clock.now();
        // Many faults struck the same few services, and the graph may be large.
        let mut reached = BTreeMap::new();
        let mut shown = |run: &Run| {
            let reaches = reached.entry(run.service.clone()).or_insert_with(|| self.reaches(&run.service));
            run.shown(now, reaches.clone())
        };
        let mut state = ChaosState {
            now,
            most_active: self.config.most_active,
            active: open.iter().map(&mut shown).collect(),
            past: past.iter().map(&mut shown).collect(),
        };
        if let Some(watcher) = self.watcher.get() {
            judge(&mut state, &watcher.view().recent);
        }
        state
    }

    fn inject(&self, request: &ChaosRequest) -> Result<ChaosExperiment, ChaosError> {
        let numbers = self.check(request)?;
        let run = self.lock().begin(request, numbers, self.config.most_active, self.clock.now())?;
        let answer = self.tell("start", &run);
        let mut inner = self.lock();
        if let Some(run) = inner.runs.get_mut(run.id) {
            run.is_starting = false;
        }
        let unanswered = match answer {
            Ok(answer) if answer.is_success() => None,
            Ok(answer) if (400..500).contains(&answer.status) => {
                inner.carry_out(&HookEntry::Refused { id: run.id })?;
                return Err(ChaosError::Refused { status: answer.status, text: said(&answer) });
            }
            Ok(answer) => Some(format!("status {}: {}", answer.status, said(&answer))),
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = unanswered {
            inner.carry_out(&HookEntry::End { id: run.id, at: self.clock.now(), stopped: false })?;
            return Err(ChaosError::Unanswered { reason });
        }
        drop(inner);
        self.one(run.id)
    }

    fn stop(&self, id: u32) -> Result<ChaosExperiment, ChaosError> {
        let run = {
            let mut inner = self.lock();
            let run = inner.runs.get(id).ok_or(ChaosError::NotFound { id })?;
            if run.phase == ChaosPhase::Active {
                inner.carry_out(&HookEntry::End { id, at: self.clock.now(), stopped: true })?;
            }
            inner.runs.get(id).filter(|run| run.phase == ChaosPhase::Recovering && !run.is_starting).cloned()
        };
        if let Some(run) = run {
            self.end(&run);
        }
        self.one(id)
    }

    fn stop_all(&self) -> Result<Vec<ChaosExperiment>, ChaosError> {
        let open: Vec<u32> = self.lock().runs.open().map(|run| run.id).collect();
        open.into_iter().map(|id| self.stop(id)).collect()
    }

    fn reset(&self) -> Result<usize, ChaosError> {
        self.stop_all().map(|ended| ended.len())
    }

    fn readings(&self) -> Option<Readings> {
        None
    }
}

/// The beginning of an answer, for a message.
fn said(answer: &HttpResponse) -> String {
    printable(&answer.text()).chars().take(MOST_ANSWER.1).collect()
}

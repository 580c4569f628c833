//! A webhook: told once when an alert begins and once when it is over.

use super::{
    Answer, Next, Outgoing, Outlet, TargetKind, TargetStatus, Truth, Verdict,
    alerts::{
        alert::Alert,
        book::{AlertBook, Change},
        payload::Payload,
        time::plus_millis,
    },
    delivery::{pause::Pause, sign},
    template::Template,
};
use crate::{
    config::{AlertsConfig, WebhookConfig},
    text::hex,
};
use forewarn_live::Event;
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Alerts of one notification.
const MOST_ALERTS: usize = 100;

/// One webhook, without socket and clock.
///
/// What is to be told waits in a queue, oldest first, until it is taken or refused. Alerts of one incident that come
/// within `group_wait_secs` are one notification. The queue is kept over restarts: a notification whose answer was
/// lost is sent again, with the same number in `X-Forewarn-Id`.
pub(crate) struct Webhook {
    alerts: AlertsConfig,
    config: WebhookConfig,
    template: Template,
    secret: Option<Vec<u8>>,
    state: Saved,
    in_flight: bool,
    pause: Pause,
    status: TargetStatus,
    is_changed: bool,
}

/// What is kept over a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Saved {
    book: AlertBook,
    /// Alerts that are gathered, by group, and until when.
    gathered: BTreeMap<String, Gathered>,
    queue: VecDeque<Notification>,
    /// Keys of alerts whose beginning was told, or waits to be.
    told: std::collections::BTreeSet<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Gathered {
    until: Timestamp,
    alerts: Vec<Alert>,
}

/// Something to be told.
#[derive(Debug, Serialize, Deserialize)]
struct Notification {
    /// Its number: the same for every try.
    id: String,
    group: String,
    alerts: Vec<Alert>,
    /// When it was made.
    made: Timestamp,
}

impl Webhook {
    /// One that goes on from `state`, or begins.
    ///
    /// # Errors
    /// What is wrong with the state.
    pub(crate) fn new(
        alerts: AlertsConfig,
        config: &WebhookConfig,
        template: Template,
        secret: Option<Vec<u8>>,
        state: Option<&[u8]>,
    ) -> Result<Self, serde_json::Error> {
        let name = config.target.name();
        let state = state.map(serde_json::from_slice).transpose()?;
        Ok(Self {
            template,
            pause: Pause::new(name),
            status: TargetStatus::new(TargetKind::Webhook, name),
            config: config.clone(),
            alerts,
            secret,
            state: state.unwrap_or_default(),
            in_flight: false,
            is_changed: false,
        })
    }

    fn change(&mut self, changes: Vec<Change>, now: Timestamp) {
        for change in changes {
            match change {
                Change::Fired(alert) => {
                    let severity = alert.labels.get("severity").map(String::as_str).unwrap_or_default();
                    let is_wanted =
                        self.config.severities.is_empty() || self.config.severities.contains(severity);
                    if is_wanted && self.state.told.insert(alert.key.clone()) {
                        self.gather(alert, now);
                    }
                }
                Change::Resolved(alert) => {
                    if self.state.told.remove(&alert.key) && self.config.send_resolved {
                        self.gather(alert, now);
                    }
                }
                // The other shard has told of it; its end is ours to tell.
                Change::Adopted(alert) => self.is_changed |= self.state.told.insert(alert.key),
                Change::Released(alert) => self.is_changed |= self.state.told.remove(&alert.key),
                // What is gathered still becomes better; what was told is not told again.
                Change::Updated(alert) => {
                    let gathered = self.state.gathered.values_mut().flat_map(|group| &mut group.alerts);
                    for waiting in gathered.filter(|waiting| waiting.key == alert.key && !waiting.is_over()) {
                        *waiting = alert.clone();
                    }
                }
            }
        }
    }

    fn gather(&mut self, alert: Alert, now: Timestamp) {
        self.is_changed = true;
        let until = plus_millis(now, i64::from(self.config.group_wait_secs) * 1000);
        let group = alert.incident.clone().unwrap_or_else(|| alert.key.clone());
        let gathered =
            self.state.gathered.entry(group).or_insert_with(|| Gathered { until, alerts: Vec::new() });
        match gathered.alerts.iter_mut().find(|waiting| waiting.key == alert.key) {
            Some(waiting) => *waiting = alert,
            None => gathered.alerts.push(alert),
        }
    }

    /// Puts what was gathered for long enough into the queue, and drops what is too old or too much.
    fn queue(&mut self, now: Timestamp) {
        let latest = plus_millis(now, i64::from(self.config.group_wait_secs) * 1000);
        let is_due = |group: &Gathered| group.until <= now || group.until > latest;
        let due: Vec<String> = self
            .state
            .gathered
            .iter()
            .filter(|(_, group)| is_due(group))
            .map(|(name, _)| name.clone())
            .collect();
        for group in due {
            let Some(gathered) = self.state.gathered.remove(&group) else { continue };
            for alerts in gathered.alerts.chunks(MOST_ALERTS) {
                let id = notification_id(alerts);
                let notification =
                    Notification { id, group: group.clone(), alerts: alerts.to_vec(), made: now };
                self.state.queue.push_back(notification);
            }
            self.is_changed = true;
        }
        let oldest = plus_millis(now, -i64::from(self.config.give_up_hours) * 3_600_000);
        // The first is on its way, and is not dropped under its answer.
        while self.state.queue.len() > self.config.most_waiting
            || (!self.in_flight && self.state.queue.front().is_some_and(|first| first.made < oldest))
        {
            let place = usize::from(self.in_flight);
            if self.state.queue.remove(place).is_none() {
                break;
            }
            self.status.dropped += 1;
            self.is_changed = true;
        }
    }

    fn request(&self, first: &Notification, now: Timestamp) -> Result<Outgoing, String> {
        let external = self.alerts.external_url.as_deref().unwrap_or_default();
        let payload = Payload::new(self.config.target.name(), &first.group, external, &first.alerts);
        let body = self.template.body(&payload)?;
        let mut headers = vec![("Content-Type", self.config.content_type.clone())];
        headers.extend(sign::headers(&first.id, self.secret.as_deref(), now.millis() / 1000, &body));
        Ok(Outgoing { is_post: true, url: self.config.target.url.clone(), headers, body })
    }

    fn done(&mut self) {
        self.state.queue.pop_front();
        self.is_changed = true;
    }
}

/// A number that depends on what is told alone, so that a notification that is made again has it again.
fn notification_id(alerts: &[Alert]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for alert in alerts {
        let state = if alert.is_over() { "resolved" } else { "firing" };
        hash.update(format!("{}\n{state}\n", alert.key));
    }
    hex(&hash.finalize()[..16])
}

impl Outlet for Webhook {
    fn next_seq(&self) -> u64 {
        self.state.book.next_seq()
    }

    fn take(&mut self, event: &Event, now: Timestamp) {
        // What was gathered for long enough is told as it was, not as it is by now.
        self.queue(now);
        let changes = self.state.book.take(&self.alerts, event, now);
        self.change(changes, now);
    }

    fn reconcile(&mut self, truth: &Truth<'_>, now: Timestamp) {
        let changes = self.state.book.reconcile(&self.alerts, truth, now);
        self.change(changes, now);
    }

    fn next(&mut self, now: Timestamp) -> Next {
        let released = self.state.book.release(now);
        self.change(released, now);
        self.queue(now);
        if let Some(until) = self.pause.waits_until(now) {
            return Next::Wait(until);
        }
        while let Some(first) = self.state.queue.front() {
            match self.request(first, now) {
                Ok(request) => {
                    self.in_flight = true;
                    return Next::Send(request);
                }
                Err(reason) => {
                    self.status.refused(1, reason);
                    self.done();
                }
            }
        }
        let due = self.state.gathered.values().map(|group| group.until);
        let due = due.chain(self.state.book.next_release()).min();
        due.map_or(Next::Idle, |due| Next::Wait(due.max(now)))
    }

    fn answered(&mut self, answer: &Answer, now: Timestamp) {
        if !std::mem::take(&mut self.in_flight) {
            return;
        }
        match answer.verdict() {
            Verdict::Taken => {
                self.pause.succeed();
                self.status.arrived(now, 1);
                self.done();
            }
            Verdict::Refused(words) => {
                self.pause.succeed();
                self.status.refused(1, words);
                self.done();
            }
            Verdict::Later(words, asked) => {
                self.pause.fail(now, asked);
                self.status.failed(words);
            }
        }
    }

    fn hurry(&mut self, now: Timestamp) {
        self.pause.succeed();
        for gathered in self.state.gathered.values_mut() {
            gathered.until = gathered.until.min(now);
        }
    }

    fn status(&self) -> TargetStatus {
        let waiting = self.state.queue.len() + self.state.gathered.len();
        TargetStatus { waiting, ..self.status.clone() }
    }

    fn changed_state(&mut self) -> Option<Vec<u8>> {
        if !(std::mem::take(&mut self.is_changed) | self.state.book.was_changed()) {
            return None;
        }
        serde_json::to_vec(&self.state).ok()
    }
}

#[cfg(test)]
mod tests;

//! An Alertmanager: told of every alert that stands, again and again, until it is over.

mod muted;

use super::{
    Answer, Next, Outgoing, Outlet, TargetKind, TargetStatus, Truth, Verdict,
    alerts::{
        alert::Alert,
        book::{AlertBook, Change},
        labels::LabelSet,
        time::plus_millis,
    },
    delivery::pause::Pause,
};
use crate::config::{AlertmanagerConfig, AlertsConfig, TargetConfig};
use forewarn_live::Event;
use forewarn_schema::Timestamp;
use muted::MutedReader;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Alerts in one request.
const BATCH: usize = 200;
/// Requests of one round that a refused batch may be split into.
const MOST_SPLITS: u32 = 256;
/// Alerts that are over, and of which it is still told.
const MOST_RESOLVED: usize = 10_000;
/// How many resend intervals an alert lives without being heard of.
const LIFE_IN_RESENDS: i64 = 4;

/// One Alertmanager, without socket and clock.
///
/// An alert that stands is sent at once, and again each `resend_secs` with `endsAt` four times as far ahead: if this
/// service dies, Alertmanager ends its alerts by itself; if it comes back before, or its replica goes on, nothing is
/// noticed. One that is over is sent until it arrived, and for `keep_resolved_secs` more. So what waits is bounded by
/// the alerts that stand, however long Alertmanager is away, and what stands when it is back arrives then.
///
/// Alertmanager answers 400 for a batch of which it refuses one alert, and takes the others: such a batch is split
/// until what is refused is alone; the others do not wait for it.
pub(crate) struct Alertmanager {
    alerts: AlertsConfig,
    target: TargetConfig,
    book: AlertBook,
    tracked: BTreeMap<LabelSet, Tracked>,
    /// Batches that are still to be sent in this round.
    work: VecDeque<Vec<LabelSet>>,
    splits_left: u32,
    in_flight: Option<InFlight>,
    pause: Pause,
    muted: MutedReader,
    status: TargetStatus,
    versions: u64,
    is_changed: bool,
}

/// An alert that it is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tracked {
    alert: Alert,
    /// Changes with the alert, so that an answer is not taken for one to a later content.
    version: u64,
    /// When it is to be sent.
    due: Timestamp,
    /// Until when it is repeated that it is over; known once that arrived.
    until: Option<Timestamp>,
    /// Whether this content arrived.
    has_arrived: bool,
    /// Whether it was refused the last time, so that it is sent alone.
    is_refused: bool,
}

#[derive(Debug)]
enum InFlight {
    Alerts(Vec<(LabelSet, u64)>),
    Muted,
}

/// What is kept over a restart.
#[derive(Serialize, Deserialize)]
struct Saved {
    book: AlertBook,
    /// Alerts that are over, and until when that is repeated.
    ended: Vec<(Alert, Option<Timestamp>)>,
}

impl Alertmanager {
    /// One that goes on from `state`, or begins.
    ///
    /// # Errors
    /// What is wrong with the state.
    pub(crate) fn new(
        alerts: AlertsConfig,
        config: &AlertmanagerConfig,
        state: Option<&[u8]>,
    ) -> Result<Self, serde_json::Error> {
        let saved = state.map(serde_json::from_slice::<Saved>).transpose()?;
        let name = config.target.name();
        let mut new = Self {
            muted: MutedReader::new(&alerts),
            pause: Pause::new(name),
            status: TargetStatus::new(TargetKind::Alertmanager, name),
            target: config.target.clone(),
            alerts,
            book: AlertBook::default(),
            tracked: BTreeMap::new(),
            work: VecDeque::new(),
            splits_left: 0,
            in_flight: None,
            versions: 0,
            is_changed: false,
        };
        if let Some(saved) = saved {
            for (alert, until) in saved.ended {
                new.track(alert, Timestamp::EPOCH, until);
            }
            for alert in saved.book.visible() {
                new.track(alert.clone(), Timestamp::EPOCH, None);
            }
            new.book = saved.book;
        }
        Ok(new)
    }

    fn track(&mut self, alert: Alert, due: Timestamp, until: Option<Timestamp>) {
        self.versions += 1;
        let is_refused = self.tracked.get(&alert.labels).is_some_and(|before| before.is_refused);
        let version = self.versions;
        let tracked = Tracked { alert, version, due, until, has_arrived: false, is_refused };
        self.tracked.insert(tracked.alert.labels.clone(), tracked);
    }

    fn change(&mut self, changes: Vec<Change>, now: Timestamp) {
        for change in changes {
            match change {
                Change::Fired(alert) | Change::Updated(alert) | Change::Adopted(alert) => {
                    self.track(alert, now, None);
                }
                // No more is sent of it: it lives on by what the other shard sends.
                Change::Released(alert) => {
                    self.tracked.retain(|_, one| one.alert.key != alert.key);
                }
                Change::Resolved(alert) => {
                    // Another warning of the same labels may have begun since: then it goes on.
                    let current = self.tracked.get(&alert.labels);
                    if current.is_none_or(|current| current.alert.key == alert.key) {
                        self.track(alert, now, None);
                    }
                }
            }
        }
        let mut ended: Vec<_> = self
            .tracked
            .values()
            .filter(|tracked| tracked.alert.is_over())
            .map(|tracked| (tracked.alert.ended_at, tracked.alert.labels.clone()))
            .collect();
        if ended.len() > MOST_RESOLVED {
            ended.sort();
            for (_, labels) in &ended[..ended.len() - MOST_RESOLVED] {
                self.tracked.remove(labels);
                self.status.dropped += 1;
            }
        }
    }

    fn resend_millis(&self) -> i64 {
        i64::from(self.alerts.resend_secs) * 1000
    }

    /// Puts what is due into batches, what was refused before alone.
    fn plan(&mut self, now: Timestamp) {
        self.splits_left = MOST_SPLITS;
        let latest = plus_millis(now, self.resend_millis());
        // A time far ahead is from before a clock was set back.
        let due = |tracked: &&Tracked| tracked.due <= now || tracked.due > latest;
        let (alone, together): (Vec<&Tracked>, Vec<&Tracked>) =
            self.tracked.values().filter(due).partition(|tracked| tracked.is_refused);
        let labels = |tracked: &[&Tracked]| tracked.iter().map(|one| one.alert.labels.clone()).collect();
        self.work = together.chunks(BATCH).map(labels).collect();
        let group = (alone.len() / (MOST_SPLITS as usize / 2)).max(1);
        self.work.extend(alone.chunks(group).map(labels));
    }

    fn body(&self, batch: &[(LabelSet, u64)], now: Timestamp) -> Vec<u8> {
        let life = plus_millis(now, LIFE_IN_RESENDS * self.resend_millis());
        let alerts = batch.iter().filter_map(|(labels, _)| self.tracked.get(labels));
        let posted: Vec<Posted<'_>> = alerts.map(|tracked| Posted::new(&tracked.alert, now, life)).collect();
        // Text keys and text values: it cannot fail.
        serde_json::to_vec(&posted).unwrap_or_default()
    }

    fn taken(&mut self, batch: &[(LabelSet, u64)], now: Timestamp) {
        let next = plus_millis(now, self.resend_millis());
        let keep = plus_millis(now, i64::from(self.alerts.keep_resolved_secs) * 1000);
        for (labels, version) in batch {
            let Some(tracked) = self.tracked.get_mut(labels) else { continue };
            tracked.is_refused = false;
            if tracked.version != *version {
                continue;
            }
            (tracked.due, tracked.has_arrived) = (next, true);
            if tracked.alert.is_over() && tracked.until.is_none() {
                tracked.until = Some(keep);
                self.is_changed = true;
            }
        }
        let before = self.tracked.len();
        self.tracked.retain(|_, tracked| tracked.until.is_none_or(|until| now < until));
        self.is_changed |= self.tracked.len() != before;
    }

    fn refused(&mut self, batch: Vec<(LabelSet, u64)>, words: String, now: Timestamp) {
        if batch.len() > 1 && self.splits_left > 1 {
            self.splits_left -= 2;
            let labels = |part: &[(LabelSet, u64)]| part.iter().map(|(labels, _)| labels.clone()).collect();
            let (first, second) = batch.split_at(batch.len() / 2);
            self.work.push_front(labels(second));
            self.work.push_front(labels(first));
            return;
        }
        let next = plus_millis(now, self.resend_millis());
        self.status.refused(batch.len(), words);
        for (labels, version) in batch {
            if let Some(tracked) = self.tracked.get_mut(&labels).filter(|tracked| tracked.version == version)
            {
                (tracked.is_refused, tracked.due) = (true, next);
            }
        }
    }
}

impl Outlet for Alertmanager {
    fn next_seq(&self) -> u64 {
        self.book.next_seq()
    }

    fn take(&mut self, event: &Event, now: Timestamp) {
        let changes = self.book.take(&self.alerts, event, now);
        self.change(changes, now);
    }

    fn reconcile(&mut self, truth: &Truth<'_>, now: Timestamp) {
        let changes = self.book.reconcile(&self.alerts, truth, now);
        self.change(changes, now);
    }

    fn next(&mut self, now: Timestamp) -> Next {
        let released = self.book.release(now);
        self.change(released, now);
        if let Some(until) = self.pause.waits_until(now) {
            return Next::Wait(until);
        }
        if self.work.is_empty() {
            self.plan(now);
        }
        while let Some(labels) = self.work.pop_front() {
            let known = labels.into_iter().filter_map(|one| Some((self.tracked.get(&one)?.version, one)));
            let batch: Vec<(LabelSet, u64)> = known.map(|(version, labels)| (labels, version)).collect();
            if batch.is_empty() {
                continue;
            }
            let body = self.body(&batch, now);
            self.in_flight = Some(InFlight::Alerts(batch));
            return Next::Send(Outgoing {
                is_post: true,
                url: self.target.url_of("/api/v2/alerts"),
                headers: vec![("Content-Type", "application/json".to_owned())],
                body,
            });
        }
        let stands = self.tracked.values().any(|tracked| !tracked.alert.is_over());
        if let Some(path) = self.muted.next(now, stands) {
            self.in_flight = Some(InFlight::Muted);
            let url = self.target.url_of(&path);
            return Next::Send(Outgoing { is_post: false, url, headers: Vec::new(), body: Vec::new() });
        }
        let due = self.tracked.values().map(|tracked| tracked.due);
        let due = due.chain(self.book.next_release()).chain(self.muted.due(stands)).min();
        due.map_or(Next::Idle, |due| Next::Wait(due.max(now)))
    }

    fn answered(&mut self, answer: &Answer, now: Timestamp) {
        match (self.in_flight.take(), answer.verdict()) {
            (Some(InFlight::Alerts(batch)), Verdict::Taken) => {
                self.pause.succeed();
                self.status.arrived(now, batch.len());
                self.taken(&batch, now);
            }
            (Some(InFlight::Alerts(batch)), Verdict::Refused(words)) => {
                self.pause.succeed();
                self.refused(batch, words, now);
            }
            (Some(InFlight::Alerts(_)), Verdict::Later(words, asked)) => {
                self.pause.fail(now, asked);
                self.status.failed(words);
                self.work.clear();
            }
            (Some(InFlight::Muted), _) => {
                let tracked = self.tracked.values().map(|tracked| &tracked.alert);
                self.muted.answered(answer, now, tracked, &mut self.status);
            }
            (None, _) => {}
        }
    }

    fn hurry(&mut self, _now: Timestamp) {
        self.pause.succeed();
    }

    fn status(&self) -> TargetStatus {
        let waiting = self.tracked.values().filter(|tracked| !tracked.has_arrived).count();
        TargetStatus { waiting, ..self.status.clone() }
    }

    fn changed_state(&mut self) -> Option<Vec<u8>> {
        if !(std::mem::take(&mut self.is_changed) | self.book.was_changed()) {
            return None;
        }
        let ended = self.tracked.values().filter(|tracked| tracked.alert.is_over());
        let ended = ended.map(|tracked| (tracked.alert.clone(), tracked.until)).collect();
        serde_json::to_vec(&Saved { book: self.book.clone(), ended }).ok()
    }
}

/// An alert as Alertmanager takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    labels: &'a LabelSet,
    annotations: &'a BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

impl<'a> Posted<'a> {
    /// Row times may be ahead of the clock, as in a simulation that runs fast; a start after the end would be refused.
    fn new(alert: &'a Alert, now: Timestamp, life: Timestamp) -> Self {
        let starts_at = alert.starts_at.min(now);
        let ends_at = alert.ended_at.map_or(life, |ended| ended.min(now).max(starts_at));
        let (labels, annotations, link) = (&alert.labels, &alert.annotations, alert.link.as_deref());
        Self { labels, annotations, starts_at, ends_at, link }
    }
}

#[cfg(test)]
mod tests;

//! An Alertmanager: alerts in memory, which a kill loses, and what it told, which it keeps on disk.

use forewarn_schema::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Labels as text.
type Labels = String;

#[derive(Default)]
pub(super) struct Alertmanager {
    /// When each alert ends, unless it hears of it again.
    alerts: BTreeMap<Labels, Timestamp>,
    /// Alerts of which it told that they fire.
    told: BTreeSet<Labels>,
    /// What it told people: state, labels, and since when.
    pub(super) notified: Vec<String>,
}

impl Alertmanager {
    /// It was killed.
    pub(super) fn forget(&mut self) {
        self.alerts.clear();
    }

    /// Ends what it has not heard of.
    pub(super) fn pass(&mut self, now: Timestamp) {
        let over = self.alerts.iter().filter(|(_, ends)| **ends <= now).map(|(labels, _)| labels.clone());
        for labels in over.collect::<Vec<_>>() {
            self.alerts.remove(&labels);
            if self.told.remove(&labels) {
                self.notified.push(format!("resolved {labels} unheard of at {now}"));
            }
        }
    }

    /// Takes `POST /api/v2/alerts`.
    pub(super) fn take(&mut self, body: &[u8], now: Timestamp) {
        self.pass(now);
        let alerts: Vec<Value> = serde_json::from_slice(body).unwrap();
        for alert in alerts {
            let labels = alert["labels"].to_string();
            let time = |name: &str| alert[name].as_str().unwrap().parse::<Timestamp>().unwrap();
            let (starts, ends) = (time("startsAt"), time("endsAt"));
            assert!(starts <= ends, "{alert}");
            if ends > now {
                self.alerts.insert(labels.clone(), ends);
                if self.told.insert(labels.clone()) {
                    self.notified.push(format!("firing {labels} since {starts}"));
                }
            } else {
                self.alerts.remove(&labels);
                if self.told.remove(&labels) {
                    self.notified.push(format!("resolved {labels} since {starts}"));
                }
            }
        }
    }

    /// Services that it has an alert of.
    pub(super) fn services(&self) -> BTreeSet<String> {
        let service = |labels: &Labels| -> Option<String> {
            let labels: Value = serde_json::from_str(labels).ok()?;
            Some(format!("{}/{}", labels["namespace"].as_str()?, labels["service"].as_str()?))
        };
        self.alerts.keys().filter_map(service).collect()
    }
}

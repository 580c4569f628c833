//! What a webhook is told: Alertmanager's payload, version 4.

use super::{
    alert::Alert,
    labels::{LabelSet, fingerprint},
};
use forewarn_schema::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Time of the end of an alert that stands, as Go writes a time that is not set.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A payload as Alertmanager 0.7 and later send it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payload<'a> {
    /// Always `4`.
    version: &'static str,
    group_key: &'a str,
    /// Alerts that were left out: none.
    truncated_alerts: u32,
    status: &'static str,
    receiver: &'a str,
    group_labels: LabelSet,
    common_labels: LabelSet,
    common_annotations: BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    alerts: Vec<PayloadAlert<'a>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PayloadAlert<'a> {
    status: &'static str,
    labels: &'a LabelSet,
    annotations: &'a BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: String,
}

impl<'a> Payload<'a> {
    /// The payload of these alerts, for the webhook `receiver`.
    pub(crate) fn new(
        receiver: &'a str,
        group_key: &'a str,
        external_url: &'a str,
        alerts: &'a [Alert],
    ) -> Self {
        let common_labels = common(alerts.iter().map(|alert| &alert.labels));
        let group_labels = common_labels
            .iter()
            .filter(|(name, _)| *name == "alertname")
            .map(|(a, b)| (a.clone(), b.clone()));
        Self {
            version: "4",
            group_key,
            truncated_alerts: 0,
            status: if alerts.iter().all(Alert::is_over) { "resolved" } else { "firing" },
            receiver,
            group_labels: group_labels.collect(),
            common_annotations: common(alerts.iter().map(|alert| &alert.annotations)),
            common_labels,
            external_url,
            alerts: alerts.iter().map(PayloadAlert::new).collect(),
        }
    }
}

impl<'a> PayloadAlert<'a> {
    fn new(alert: &'a Alert) -> Self {
        Self {
            status: if alert.is_over() { "resolved" } else { "firing" },
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: alert.starts_at,
            ends_at: alert.ended_at.map_or_else(|| NO_TIME.to_owned(), |ended| ended.to_string()),
            generator_url: alert.link.as_deref().unwrap_or_default(),
            fingerprint: fingerprint(&alert.labels),
        }
    }
}

/// What all have in common.
fn common<'a>(mut all: impl Iterator<Item = &'a BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let Some(first) = all.next() else { return BTreeMap::new() };
    all.fold(first.clone(), |mut common, next| {
        common.retain(|name, value| next.get(name) == Some(value));
        common
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::AlertsConfig,
        sink::testing::{minute, warning},
    };

    #[test]
    fn a_payload_has_the_fields_of_version_4() {
        let config = AlertsConfig::default();
        let mut alerts = ["shop/web", "shop/db"].map(|name| Alert::of_warning(&config, &warning(name, 5)));
        alerts[1].ended_at = Some(minute(9));
        let payload = serde_json::to_value(Payload::new("chat", "g", "http://f", &alerts)).unwrap();
        assert_eq!((&payload["version"], &payload["status"]), (&"4".into(), &"firing".into()));
        assert_eq!(payload["groupLabels"], serde_json::json!({"alertname": "ForewarnFailurePredicted"}));
        assert_eq!(payload["commonLabels"]["namespace"], "shop");
        assert!(payload["commonLabels"].get("service").is_none());
        assert_eq!(payload["truncatedAlerts"], 0);
        assert_eq!(payload["externalURL"], "http://f");
        let (first, second) = (&payload["alerts"][0], &payload["alerts"][1]);
        assert_eq!((&first["status"], &first["endsAt"]), (&"firing".into(), &NO_TIME.into()));
        assert_eq!(
            (&second["status"], &second["endsAt"]),
            (&"resolved".into(), &minute(9).to_string().into())
        );
        assert_eq!(first["startsAt"], minute(5).to_string());
        assert_eq!(first["fingerprint"].as_str().map(str::len), Some(16));
        let over = [alerts[1].clone()];
        assert_eq!(serde_json::to_value(Payload::new("a", "g", "", &over)).unwrap()["status"], "resolved");
    }
}

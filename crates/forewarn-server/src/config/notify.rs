mod check;

use crate::{config::BasicConfig, runtime::TlsSettings};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// What alerts are called and how long they live: the table `[alerts]`.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `alertname` | name of the alert of a warning | `ForewarnFailurePredicted` | |
/// | `source_alertname` | name of the alert of a source that does not answer | `ForewarnSourceDown` | |
/// | `slo_alertname` | name of the alert of an objective whose error budget burns too fast | `ForewarnErrorBudgetBurn` | |
/// | `labels` | labels that every alert has, such as `cluster` | none | names of Prometheus' labels |
/// | `namespace` | `from-name`: `shop/web` becomes the labels `namespace="shop"` and `service="web"`; `none`: the whole name is `service` | `from-name` | |
/// | `severities` | label `severity` of a warning by its level when it fires | `high = "warning"`, `critical = "critical"` | |
/// | `source_severity` | label `severity` of a source that does not answer | `critical` | |
/// | `slo_severities` | label `severity` of an objective by its level | `ticket = "warning"`, `page = "critical"` | |
/// | `external_url` | where people reach this service; links in alerts begin with it | none: no links | `http://` or `https://` |
/// | `source_down_secs` | how long a source does not answer before it is an alert | 120 | 0 to 86,400 |
/// | `resend_secs` | time after which an Alertmanager is told again; it forgets an alert after four times as long | 60 | 1 to 3,600 |
/// | `keep_resolved_secs` | how long an Alertmanager is told again that an alert is over | 900 | 60 to 86,400 |
///
/// A changed label is another alert, so labels hold nothing that changes while an alert fires.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsConfig {
    /// Name of the alert of a warning.
    pub alertname: String,
    /// Name of the alert of a source that does not answer.
    pub source_alertname: String,
    /// Name of the alert of an objective.
    pub slo_alertname: String,
    /// Labels that every alert has.
    pub labels: BTreeMap<String, String>,
    /// What becomes of `/` in names of services.
    pub namespace: NamespaceLabel,
    /// Severity of a warning by its level.
    pub severities: Severities,
    /// Severity of a source that does not answer.
    pub source_severity: String,
    /// Severity of an objective by its level.
    pub slo_severities: SloSeverities,
    /// Where people reach this service.
    pub external_url: Option<String>,
    /// Seconds for which a source does not answer before it is an alert.
    pub source_down_secs: u32,
    /// Seconds after which an Alertmanager is told again.
    pub resend_secs: u32,
    /// Seconds for which an Alertmanager is told that an alert is over.
    pub keep_resolved_secs: u32,
}

/// What becomes of `/` in the name of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NamespaceLabel {
    /// What is before the first `/` is the label `namespace`, the rest `service`.
    #[default]
    FromName,
    /// The whole name is the label `service`.
    None,
}

/// The label `severity` of a warning: fixed when it fires.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Severities {
    /// Of a warning of the levels up to high. `warning` by default.
    pub high: String,
    /// Of a warning of the level critical. `critical` by default.
    pub critical: String,
}

impl Default for Severities {
    fn default() -> Self {
        Self { high: "warning".to_owned(), critical: "critical".to_owned() }
    }
}

/// The label `severity` of an objective whose error budget burns too fast.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SloSeverities {
    /// At the level ticket: too fast to wait for weeks. `warning` by default.
    pub ticket: String,
    /// At the level page: too fast to wait for hours. `critical` by default.
    pub page: String,
}

impl Default for SloSeverities {
    fn default() -> Self {
        Self { ticket: "warning".to_owned(), page: "critical".to_owned() }
    }
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self {
            alertname: "ForewarnFailurePredicted".to_owned(),
            source_alertname: "ForewarnSourceDown".to_owned(),
            slo_alertname: "ForewarnErrorBudgetBurn".to_owned(),
            labels: BTreeMap::new(),
            namespace: NamespaceLabel::FromName,
            severities: Severities::default(),
            source_severity: "critical".to_owned(),
            slo_severities: SloSeverities::default(),
            external_url: None,
            source_down_secs: 120,
            resend_secs: 60,
            keep_resolved_secs: 900,
        }
    }
}

/// How requests to a target are made: part of each `[[alertmanager]]`, `[[webhook]]` and `[[remote_write]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TargetConfig {
    /// Its address, with a path prefix where it has one.
    pub url: String,
    /// What it is called in metrics, logs and the API; no other target of its kind has this name. Host and port of the
    /// address by default.
    #[serde(default)]
    pub name: Option<String>,
    /// File with a bearer token, read again for every request, so that it may be rotated.
    #[serde(default)]
    pub bearer_file: Option<PathBuf>,
    /// User and password.
    #[serde(default)]
    pub basic: Option<BasicConfig>,
    /// More headers, such as a tenant.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Seconds after which a request is given up, 1 to 300. 10 by default.
    #[serde(default = "timeout_secs")]
    pub timeout_secs: u32,
    /// Whom to trust over TLS: the authorities of the system by default.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// An Alertmanager: one `[[alertmanager]]`. Where there are several, as in a cluster of them, name each: every one is
/// told everything, and they agree among themselves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerConfig {
    /// Where it is.
    #[serde(flatten)]
    pub target: TargetConfig,
}

/// A webhook: one `[[webhook]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// File with the secret that bodies are signed with; without one they are not signed.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// What is sent: `alertmanager` (Alertmanager's payload, version 4; the default), `slack`, `discord`, `teams`, or
    /// a file with a template.
    #[serde(default = "template")]
    pub template: String,
    /// `Content-Type` of what the template makes. `application/json` by default.
    #[serde(default = "content_type")]
    pub content_type: String,
    /// Whether it is told when an alert is over. Yes by default.
    #[serde(default = "yes")]
    pub send_resolved: bool,
    /// Severities that it is told of; all by default.
    #[serde(default)]
    pub severities: BTreeSet<String>,
    /// Seconds for which alerts of one incident are gathered into one notification, 0 to 600. 5 by default.
    #[serde(default = "group_wait_secs")]
    pub group_wait_secs: u32,
    /// Notifications that wait while it does not answer, 1 to 100,000. Beyond that the oldest is dropped and counted.
    /// 1,000 by default.
    #[serde(default = "most_waiting")]
    pub most_waiting: usize,
    /// Hours after which a notification that no target took is dropped and counted, 1 to 168. 24 by default.
    #[serde(default = "give_up_hours")]
    pub give_up_hours: u32,
    /// Where it is.
    #[serde(flatten)]
    pub target: TargetConfig,
}

/// Where scores are written to: one `[[remote_write]]`, a Prometheus or whatever takes remote write 1.0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteWriteConfig {
    /// Samples that wait while it does not answer, 1,000 to 10,000,000. Beyond that the oldest are dropped and
    /// counted. 200,000 by default.
    #[serde(default = "most_samples")]
    pub most_samples: usize,
    /// Whether scores of models that only run beside the main one are written too. No by default.
    #[serde(default)]
    pub shadows: bool,
    /// Where it is.
    #[serde(flatten)]
    pub target: TargetConfig,
}

/// Metrics of this service itself: the table `[metrics]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Whether `/metrics` has the score of every service: as many series as there are services, three times. Off by
    /// default.
    pub services: bool,
}

/// Alerts of other programs that come back by a webhook: the table `[inbound]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InboundConfig {
    /// Names of alerts that say that a service fails. Empty, the default, for all but those of this service.
    pub alertnames: BTreeSet<String>,
    /// Labels whose values, joined by `/`, are the name of the service; those that an alert lacks are left out.
    /// `namespace` and `service` by default.
    pub service_labels: Vec<String>,
}

impl Default for InboundConfig {
    fn default() -> Self {
        Self {
            alertnames: BTreeSet::new(),
            service_labels: vec!["namespace".to_owned(), "service".to_owned()],
        }
    }
}

fn timeout_secs() -> u32 {
    10
}

fn template() -> String {
    "alertmanager".to_owned()
}

fn content_type() -> String {
    "application/json".to_owned()
}

fn yes() -> bool {
    true
}

fn group_wait_secs() -> u32 {
    5
}

fn most_waiting() -> usize {
    1_000
}

fn give_up_hours() -> u32 {
    24
}

fn most_samples() -> usize {
    200_000
}

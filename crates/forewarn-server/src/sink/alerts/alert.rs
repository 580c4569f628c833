//! Alerts: what the outside is told of warnings and of sources that do not answer.

use super::labels::LabelSet;
use crate::config::AlertsConfig;
use crate::text::percent_encoded;
use forewarn_live::{EvidenceItem, IncidentEvent, ProbableKind, WarningEvent};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write};

/// Services of an incident that an annotation names.
const MOST_NAMES: usize = 10;

/// An alert as the outside sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alert {
    /// What it is about: the id of a warning, or `source:` and the name of a source.
    pub(crate) key: String,
    /// What identifies it.
    pub(crate) labels: LabelSet,
    /// What there is to say of it; may change.
    pub(crate) annotations: BTreeMap<String, String>,
    /// Row time at which it began.
    pub(crate) starts_at: Timestamp,
    /// Row time at which it was over.
    pub(crate) ended_at: Option<Timestamp>,
    /// A page about it.
    pub(crate) link: Option<String>,
    /// The incident that it belongs to.
    pub(crate) incident: Option<String>,
}

impl Alert {
    /// The alert of a warning that was raised.
    pub(crate) fn of_warning(config: &AlertsConfig, warning: &WarningEvent) -> Self {
        let service = &warning.service;
        let mut notes = BTreeMap::new();
        let mut note = |name: &str, text: String| {
            notes.insert(name.to_owned(), text);
        };
        let kind = kind(warning.kind);
        let probability = warning.probability.map(percent);
        let mut summary = format!("{service} may fail soon");
        if let Some(probability) = &probability {
            let _ = write!(summary, ": probability {probability}");
        }
        if let Some(minutes) = warning.minutes_to_failure {
            let _ = write!(summary, ", in about {minutes:.0} minutes");
            note("minutes_to_failure", format!("{minutes:.1}"));
        }
        if warning.kind != ProbableKind::Unknown {
            let _ = write!(summary, "; looks like {kind}");
        }
        let evidence = evidence(&warning.evidence);
        let mut description = warning.recommendation.text.clone();
        if !evidence.is_empty() {
            let _ = write!(description, " Evidence: {evidence}.");
            note("evidence", evidence);
        }
        note("summary", summary);
        note("description", description);
        note("recommendation", warning.recommendation.text.clone());
        note("warning", warning.id.clone());
        note("service_name", service.clone());
        note("model", warning.model.clone());
        note("kind", kind.to_owned());
        note("kind_confidence", percent(warning.kind_confidence));
        note("threshold", percent(warning.threshold));
        if let Some(probability) = probability {
            note("probability", probability);
        }
        if let Some(runbook) = &warning.recommendation.runbook {
            note("runbook_url", runbook.clone());
        }
        if let Some(incident) = &warning.incident {
            note("incident", incident.clone());
        }
        let link = config.external_url.as_deref().map(|url| {
            let name = percent_encoded(service);
            format!("{}/services/{name}", url.trim_end_matches('/'))
        });
        if let Some(link) = &link {
            note("dashboard", link.clone());
        }
        Self {
            key: warning.id.clone(),
            labels: config.warning_labels(service, warning.level),
            annotations: notes,
            starts_at: warning.since,
            ended_at: None,
            link,
            incident: warning.incident.clone(),
        }
    }

    /// The one alert of a source that does not answer.
    pub(crate) fn of_source(config: &AlertsConfig, source: &str, reason: &str, since: Timestamp) -> Self {
        let summary = format!("source {source} does not answer");
        let description = format!(
            "{reason}. Until it answers again nothing is known of its services: warnings are neither raised nor ended."
        );
        let annotations = [("summary", summary), ("description", description), ("reason", reason.to_owned())];
        let link = config.external_url.as_deref().map(|url| format!("{}/status", url.trim_end_matches('/')));
        Self {
            key: source_key(source),
            labels: config.source_labels(source),
            annotations: annotations.map(|(name, text)| (name.to_owned(), text)).into(),
            starts_at: since,
            ended_at: None,
            link,
            incident: None,
        }
    }

    /// Says where the incident probably began and who may follow; whether that changed anything.
    pub(crate) fn note_incident(&mut self, incident: &IncidentEvent) -> bool {
        let shares = |of: &[(String, f64)]| {
            let mut text: Vec<String> = of
                .iter()
                .take(MOST_NAMES)
                .map(|(name, share)| format!("{name} ({})", percent(*share)))
                .collect();
            if of.len() > MOST_NAMES {
                text.push(format!("{} more", of.len() - MOST_NAMES));
            }
            text.join(", ")
        };
        let before = self.annotations.clone();
        for (name, text) in [("root", shares(&incident.suspects)), ("victims", shares(&incident.victims))] {
            if text.is_empty() {
                self.annotations.remove(name);
            } else {
                self.annotations.insert(name.to_owned(), text);
            }
        }
        self.annotations != before
    }

    /// Its incident became part of another one.
    pub(crate) fn join_incident(&mut self, into: &str) {
        self.annotations.insert("incident".to_owned(), into.to_owned());
        self.incident = Some(into.to_owned());
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }
}

/// The key of a source's alert. Ids of warnings begin with `w:`.
pub(crate) fn source_key(source: &str) -> String {
    format!("source:{source}")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn kind(kind: ProbableKind) -> &'static str {
    match kind {
        ProbableKind::Latency => "latency",
        ProbableKind::Errors => "errors",
        ProbableKind::Cpu => "cpu",
        ProbableKind::Memory => "memory",
        ProbableKind::Traffic => "traffic",
        ProbableKind::Restarts => "restarts",
        ProbableKind::Dependency => "dependency",
        _ => "unknown",
    }
}

/// The contributions to a score in words.
fn evidence(items: &[EvidenceItem]) -> String {
    let item = |item: &EvidenceItem| {
        let mut text = format!("{} {}", item.metric, item.view);
        if let Some(value) = item.value {
            let _ = write!(text, " {}", short(value));
        }
        if let Some(normal) = item.normal {
            let _ = write!(text, " (normal {})", short(normal));
        }
        text
    };
    items.iter().map(item).collect::<Vec<_>>().join("; ")
}

/// Three digits, which is what a person reads.
fn short(value: f32) -> String {
    let size = value.abs();
    if size >= 100.0 || value == 0.0 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.1}")
    } else if size >= 0.001 {
        format!("{value:.4}")
    } else {
        format!("{value:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::testing::{minute, warning};
    use forewarn_live::IncidentState;

    #[test]
    fn all_that_changes_is_in_annotations() {
        let config = AlertsConfig {
            external_url: Some("http://forewarn/base/".to_owned()),
            ..AlertsConfig::default()
        };
        let raised = warning("shop/web", 5);
        let alert = Alert::of_warning(&config, &raised);
        assert_eq!(alert.starts_at, minute(5));
        assert_eq!(alert.link.as_deref(), Some("http://forewarn/base/services/shop%2Fweb"));
        let note = |name: &str| alert.annotations.get(name).map(String::as_str);
        assert_eq!(note("probability"), Some("43 %"));
        assert_eq!(note("evidence"), Some("p99_latency last 840 (normal 210); error_rate mean 0.0200"));
        assert_eq!(
            note("summary"),
            Some("shop/web may fail soon: probability 43 %, in about 4 minutes; looks like latency")
        );
        assert_eq!(note("service_name"), Some("shop/web"));
        // Later scores change neither labels nor start.
        let later = WarningEvent { probability: Some(0.9), threshold: 0.2, ..raised };
        assert_eq!(Alert::of_warning(&config, &later).labels, alert.labels);
    }

    #[test]
    fn a_hundred_victims_are_ten_and_a_number() {
        let mut alert = Alert::of_warning(&AlertsConfig::default(), &warning("web", 5));
        let victims = (0..100).map(|number| (format!("s{number}"), 0.5)).collect();
        let incident = IncidentEvent {
            id: "i".to_owned(),
            state: IncidentState::Updated,
            since: minute(5),
            services: vec!["web".to_owned()],
            suspects: vec![("db".to_owned(), 0.75)],
            victims,
            merged_into: None,
        };
        assert!(alert.note_incident(&incident) && !alert.note_incident(&incident));
        assert_eq!(alert.annotations["root"], "db (75 %)");
        assert!(alert.annotations["victims"].ends_with("s9 (50 %), 90 more"));
    }
}

//! Which alerts Alertmanager keeps to itself, by its own word.

use crate::{
    config::AlertsConfig,
    sink::{
        Answer, MutedAlert, SilenceNote, TargetStatus,
        alerts::{alert::Alert, labels::LabelSet, time::plus_millis},
    },
    text::percent_encoded,
};
use forewarn_schema::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Asks, each resend interval while alerts stand, which of them are silenced or inhibited and by which silences.
/// Alertmanager matches its silences itself, so that no matcher is read in two ways.
#[derive(Debug)]
pub(super) struct MutedReader {
    paths: [String; 2],
    interval_millis: i64,
    due: Timestamp,
    /// What the first of the two questions gave.
    found: Option<Vec<(LabelSet, Muting)>>,
}

/// An alert as Alertmanager shows it.
#[derive(Debug, Deserialize)]
struct Shown {
    labels: LabelSet,
    status: Muting,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Muting {
    #[serde(default)]
    silenced_by: Vec<String>,
    #[serde(default)]
    inhibited_by: Vec<String>,
}

/// A silence as Alertmanager shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Silence {
    id: String,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    ends_at: String,
}

impl MutedReader {
    pub(super) fn new(alerts: &AlertsConfig) -> Self {
        let names = alerts.names();
        let pattern: Vec<String> = names.iter().map(|name| quoted_pattern(name)).collect();
        let filter = percent_encoded(&format!("alertname=~\"{}\"", pattern.join("|")));
        Self {
            paths: [format!("/api/v2/alerts?filter={filter}"), "/api/v2/silences".to_owned()],
            interval_millis: i64::from(alerts.resend_secs) * 1000,
            due: Timestamp::EPOCH,
            found: None,
        }
    }

    /// What to ask now.
    pub(super) fn next(&mut self, now: Timestamp, stands: bool) -> Option<String> {
        if self.found.is_some() {
            return Some(self.paths[1].clone());
        }
        let is_due = self.due <= now || self.due > plus_millis(now, self.interval_millis);
        (stands && is_due).then(|| self.paths[0].clone())
    }

    /// When it will ask.
    pub(super) fn due(&self, stands: bool) -> Option<Timestamp> {
        stands.then_some(self.due)
    }

    /// What came of the question. One that was not answered is asked again in the next interval.
    pub(super) fn answered<'a>(
        &mut self,
        answer: &Answer,
        now: Timestamp,
        alerts: impl Iterator<Item = &'a Alert>,
        status: &mut TargetStatus,
    ) {
        let body = match answer {
            Answer::Response { status: 200, body, .. } => Some(body),
            _ => None,
        };
        self.due = plus_millis(now, self.interval_millis);
        let Some(found) = self.found.take() else {
            let shown = body.and_then(|body| serde_json::from_slice::<Vec<Shown>>(body).ok());
            let Some(shown) = shown else { return };
            let is_muted =
                |muting: &Muting| !muting.silenced_by.is_empty() || !muting.inhibited_by.is_empty();
            let muted: Vec<_> = shown
                .into_iter()
                .filter(|shown| is_muted(&shown.status))
                .map(|shown| (shown.labels, shown.status))
                .collect();
            if muted.iter().any(|(_, muting)| !muting.silenced_by.is_empty()) {
                self.found = Some(muted);
            } else {
                status.muted = noted(muted, &BTreeMap::new(), alerts);
            }
            return;
        };
        let silences = body.and_then(|body| serde_json::from_slice::<Vec<Silence>>(body).ok());
        let silences = silences.unwrap_or_default().into_iter().map(|one| (one.id.clone(), one)).collect();
        status.muted = noted(found, &silences, alerts);
    }
}

/// What is muted, by the alert's own key.
fn noted<'a>(
    muted: Vec<(LabelSet, Muting)>,
    silences: &BTreeMap<String, Silence>,
    alerts: impl Iterator<Item = &'a Alert>,
) -> Vec<MutedAlert> {
    let keys: BTreeMap<&LabelSet, &str> = alerts.map(|alert| (&alert.labels, &*alert.key)).collect();
    let note = |id: String| match silences.get(&id) {
        Some(silence) => SilenceNote {
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
            ends_at: silence.ends_at.parse().ok(),
            id,
        },
        None => SilenceNote { id, created_by: String::new(), comment: String::new(), ends_at: None },
    };
    let noted = muted.into_iter().filter_map(|(labels, muting)| {
        Some(MutedAlert {
            key: (*keys.get(&labels)?).to_owned(),
            inhibited: !muting.inhibited_by.is_empty(),
            silences: muting.silenced_by.into_iter().map(note).collect(),
        })
    });
    noted.collect()
}

/// A regular expression that fits this text, in a quoted string of a matcher.
fn quoted_pattern(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || c == '_' {
            pattern.push(c);
        } else if c == '"' || c == '\\' {
            pattern.push('.');
        } else {
            pattern.push_str(&format!("[{c}]"));
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::testing::warning;

    fn ok(body: &str) -> Answer {
        Answer::Response { status: 200, retry_after: None, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn what_alertmanager_silences_is_shown_with_who_and_why() {
        let config = AlertsConfig::default();
        let alert = Alert::of_warning(&config, &warning("web", 5));
        let now = crate::sink::testing::minute(100);
        let mut reader = MutedReader::new(&config);
        let mut status = TargetStatus::new(crate::sink::TargetKind::Alertmanager, "a");
        assert_eq!(reader.next(now, false), None);
        let path = reader.next(now, true).unwrap();
        assert_eq!(
            path,
            "/api/v2/alerts?filter=alertname%3D~%22ForewarnFailurePredicted%7CForewarnSourceDown%7CForewarnErrorBudgetBurn%22"
        );
        let labels = serde_json::to_string(&alert.labels).unwrap();
        let shown = format!(
            r#"[{{"labels":{labels},"status":{{"state":"suppressed","silencedBy":["s1"],"inhibitedBy":[]}}}},
                {{"labels":{{"alertname":"Other"}},"status":{{"silencedBy":["s1"]}}}}]"#
        );
        reader.answered(&ok(&shown), now, [&alert].into_iter(), &mut status);
        assert_eq!(reader.next(now, true).as_deref(), Some("/api/v2/silences"));
        let silences =
            r#"[{"id":"s1","createdBy":"mia","comment":"deploy","endsAt":"2026-01-01T00:00:00Z"}]"#;
        reader.answered(&ok(silences), now, [&alert].into_iter(), &mut status);
        assert_eq!(status.muted.len(), 1);
        let muted = &status.muted[0];
        assert_eq!((&*muted.key, muted.inhibited), (&*alert.key, false));
        assert_eq!((&*muted.silences[0].created_by, &*muted.silences[0].comment), ("mia", "deploy"));
        assert!(muted.silences[0].ends_at.is_some());
        // It asks again after an interval, and forgets what is silenced no more.
        assert_eq!(reader.next(now, true), None);
        let later = plus_millis(now, 60_000);
        assert!(reader.next(later, true).is_some());
        reader.answered(&ok("[]"), later, [&alert].into_iter(), &mut status);
        assert!(status.muted.is_empty());
    }

    #[test]
    fn names_are_matched_as_they_are() {
        assert_eq!(quoted_pattern("A.b\"c"), "A[.]b.c");
    }
}

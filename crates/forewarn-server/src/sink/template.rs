//! Bodies of webhooks: Alertmanager's payload, or what a template makes of it.

use super::alerts::{alert::Alert, payload::Payload};
use crate::{ServerError, config::AlertsConfig};
use forewarn_core::read_text_file;
use forewarn_live::{
    EvidenceItem, IncidentEvent, IncidentState, ProbableKind, Recommendation, RiskLevel, WarningEvent,
    WarningState,
};
use forewarn_schema::Timestamp;
use minijinja::{Environment, UndefinedBehavior};
use std::path::Path;

/// Most bytes of a template's file and of what a template makes.
const MOST_BYTES: usize = 1 << 20;
/// The name of the one template of an environment.
const NAME: &str = "body";

const SLACK: &str = include_str!("template/slack.j2");
const DISCORD: &str = include_str!("template/discord.j2");
const TEAMS: &str = include_str!("template/teams.j2");

/// How the body of a webhook is made.
#[derive(Debug)]
pub(crate) enum Template {
    /// The payload as it is.
    Payload,
    /// A template that is given the payload's fields.
    Text(Box<Environment<'static>>),
}

impl Template {
    /// A built-in template by its name, or the one in a file. It is filled in once with an alert that has every
    /// annotation, so that a misspelt name is found at the start and not with the first warning.
    ///
    /// # Errors
    /// [`ServerError::File`] for a file that cannot be read, [`ServerError::Config`] for one that is too large, is no
    /// template, or names what there is not.
    pub(crate) fn new(template: &str) -> Result<Self, ServerError> {
        match template {
            "alertmanager" => Ok(Self::Payload),
            "slack" => Self::of_text(template, SLACK.to_owned()),
            "discord" => Self::of_text(template, DISCORD.to_owned()),
            "teams" => Self::of_text(template, TEAMS.to_owned()),
            path => {
                let path = Path::new(path);
                let cannot = |source| ServerError::File { path: path.to_owned(), source };
                let text = read_text_file(path, MOST_BYTES as u64).map_err(cannot)?;
                Self::of_text(&path.display().to_string(), text)
            }
        }
    }

    fn of_text(place: &str, text: String) -> Result<Self, ServerError> {
        let wrong = |error: minijinja::Error| ServerError::Config {
            reason: format!("template {place}: {}", in_one_line(&error)),
        };
        let mut environment = Environment::new();
        environment.add_filter("mrkdwn", mrkdwn);
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.add_template_owned(NAME, text).map_err(wrong)?;
        let alert = sample();
        let over = Alert { ended_at: Some(alert.starts_at), ..alert.clone() };
        let alerts = [alert, over];
        let payload = Payload::new("sample", "sample", "http://forewarn", &alerts);
        environment.get_template(NAME).and_then(|found| found.render(&payload)).map_err(wrong)?;
        // An annotation that an alert lacks is empty, and no reason to keep the alert back.
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        Ok(Self::Text(Box::new(environment)))
    }

    /// The body for this payload.
    ///
    /// # Errors
    /// Why the template cannot be filled in.
    pub(crate) fn body(&self, payload: &Payload<'_>) -> Result<Vec<u8>, String> {
        let body = match self {
            Self::Payload => serde_json::to_vec(payload).map_err(|error| error.to_string())?,
            Self::Text(environment) => {
                let filled = environment.get_template(NAME).and_then(|found| found.render(payload));
                filled.map_err(|error| format!("template: {}", in_one_line(&error)))?.into_bytes()
            }
        };
        if body.len() > MOST_BYTES {
            return Err(format!("the template made {} bytes, expected at most {MOST_BYTES}", body.len()));
        }
        Ok(body)
    }
}

fn in_one_line(error: &minijinja::Error) -> String {
    error.to_string().replace(['\n', '\r'], " ")
}

/// Text in Slack's markup, in which three characters have a meaning.
#[expect(clippy::needless_pass_by_value, reason = "a filter of a template is called with a text of its own")]
fn mrkdwn(text: String) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An alert that has all that an alert can have.
fn sample() -> Alert {
    let config = AlertsConfig { external_url: Some("http://forewarn".to_owned()), ..AlertsConfig::default() };
    let warning = WarningEvent {
        id: "w:shop/web:1970-01-01T00:00:00Z".to_owned(),
        service: "shop/web".to_owned(),
        state: WarningState::Firing,
        since: Timestamp::EPOCH,
        model: "model".to_owned(),
        probability: Some(0.43),
        threshold: 0.31,
        level: RiskLevel::High,
        kind: ProbableKind::Latency,
        kind_confidence: 0.8,
        root: None,
        evidence: vec![EvidenceItem {
            metric: "p99_latency".to_owned(),
            view: "last".to_owned(),
            value: Some(840.0),
            normal: Some(210.0),
            deviations: Some(3.2),
            log_odds: 1.9,
        }],
        minutes_to_failure: Some(4.0),
        recommendation: Recommendation {
            text: "Look at the pools.".to_owned(),
            runbook: Some("http://runbooks/latency".to_owned()),
        },
        incident: Some("i:shop/web:1970-01-01T00:00:00Z".to_owned()),
        silenced: false,
    };
    let mut alert = Alert::of_warning(&config, &warning);
    alert.note_incident(&IncidentEvent {
        id: "i:shop/web:1970-01-01T00:00:00Z".to_owned(),
        state: IncidentState::Opened,
        since: Timestamp::EPOCH,
        services: vec!["shop/web".to_owned()],
        suspects: vec![("shop/db".to_owned(), 0.7)],
        victims: vec![("shop/cart".to_owned(), 0.4)],
        merged_into: None,
    });
    alert.annotations.insert("reason".to_owned(), "connection refused".to_owned());
    alert
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn filled(template: &str, alerts: &[Alert]) -> Value {
        let template = Template::new(template).unwrap();
        let body = template.body(&Payload::new("chat", "g", "http://f", alerts)).unwrap();
        serde_json::from_slice(&body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)))
    }

    #[test]
    fn built_in_templates_make_json_of_any_alert() {
        let mut odd = sample();
        let quote = "a \"quote\", a \\ and a \n line, <b> & \u{1b}[31m @everyone";
        odd.annotations.insert("summary".to_owned(), quote.to_owned());
        odd.annotations.insert("description".to_owned(), "x".repeat(5_000));
        let bare =
            Alert { annotations: [("summary".to_owned(), "bare".to_owned())].into(), link: None, ..sample() };
        let alerts = [odd, bare, Alert { ended_at: Some(Timestamp::EPOCH), ..sample() }];
        let slack = filled("slack", &alerts);
        let text = slack["text"].as_str().unwrap();
        assert!(
            text.contains("&lt;b&gt; &amp;") && text.contains("a \"quote\", a \\ and a \n line"),
            "{text}"
        );
        assert!(
            text.contains("Resolved: *shop/web may fail soon") && text.contains("http://runbooks/latency")
        );
        let discord = filled("discord", &alerts);
        assert!(discord["content"].as_str().is_some_and(|text| text.chars().count() <= 2_000));
        assert_eq!(discord["allowed_mentions"]["parse"], serde_json::json!([]));
        let teams = filled("teams", &alerts);
        let card = &teams["attachments"][0]["content"];
        assert_eq!(card["body"].as_array().map(Vec::len), Some(8), "{teams}");
        assert_eq!(filled("alertmanager", &alerts)["alerts"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn a_template_of_ones_own_is_tried_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let with = |text: &str| {
            let path = folder.path().join("own.j2");
            std::fs::write(&path, text).unwrap();
            Template::new(path.to_str().unwrap()).map_err(|error| error.to_string())
        };
        let own = with("{% for a in alerts %}{{ a.labels.service }} {{ a.annotations.root }};{% endfor %}")
            .unwrap();
        let bare = Alert { annotations: Default::default(), ..sample() };
        let body = own.body(&Payload::new("chat", "g", "", &[sample(), bare])).unwrap();
        assert_eq!(String::from_utf8(body).unwrap(), "web shop/db (70 %);web ;");
        for (wrong, told) in [
            ("{% for a in alerts %}", "own.j2"),
            ("{{ alerts[0].anotations.summary }}", "undefined"),
            ("{{ alerts | nosuch }}", "nosuch"),
        ] {
            let error = with(wrong).unwrap_err();
            assert!(error.contains(told), "{wrong}: {error}");
        }
        assert!(Template::new("/nowhere/own.j2").is_err());
        let endless = with("{% for a in range(9000) %}{{ 'x' * 1 }}{{ alerts }}{% endfor %}");
        assert!(endless.is_err() || endless.unwrap().body(&Payload::new("c", "g", "", &[sample()])).is_err());
    }
}

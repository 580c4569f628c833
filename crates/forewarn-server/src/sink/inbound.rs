//! What comes back by webhook: an alert of another program, and what an operator did.

use crate::config::{AlertsConfig, InboundConfig};
use forewarn_live::{Action, AlertState, EngineView, Input};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Alerts that are taken of one body.
const MOST_ALERTS: usize = 10_000;

/// What was taken of a body, and what was left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Received {
    pub(crate) inputs: Vec<Input>,
    pub(crate) left_out: LeftOut,
}

/// Alerts that were left out, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LeftOut {
    /// Alerts of this service itself, which must not confirm themselves.
    pub(crate) own: u64,
    /// Alerts whose names are not among those that say that a service fails.
    pub(crate) other_names: u64,
    /// Alerts without a name, or without the labels of a service.
    pub(crate) without_service: u64,
    /// Alerts without a time, or of another status than firing and resolved.
    pub(crate) unclear: u64,
    /// Alerts beyond 10,000 of one body.
    pub(crate) beyond_limit: u64,
}

/// What Alertmanager sends to a webhook, version 4, as far as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub(crate) struct AlertPayload {
    /// The alerts.
    alerts: Vec<ReceivedAlert>,
}

/// An alert of another program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReceivedAlert {
    /// `firing` or `resolved`.
    #[serde(default)]
    status: String,
    /// Its labels: `alertname`, and those that name a service.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// When it began: RFC 3339.
    #[serde(default)]
    starts_at: String,
}

/// The alerts of Alertmanager's payload as inputs of the engine.
pub(crate) fn read_alerts(config: &InboundConfig, alerts: &AlertsConfig, body: AlertPayload) -> Received {
    let mut received = Received::default();
    let left_out = &mut received.left_out;
    left_out.beyond_limit = body.alerts.len().saturating_sub(MOST_ALERTS) as u64;
    for told in body.alerts.into_iter().take(MOST_ALERTS) {
        let name = told.labels.get("alertname").cloned().unwrap_or_default();
        if alerts.names().contains(&name.as_str()) {
            left_out.own += 1;
            continue;
        }
        if !(config.alertnames.is_empty() || config.alertnames.contains(&name)) {
            left_out.other_names += 1;
            continue;
        }
        let parts =
            config.service_labels.iter().filter_map(|label| told.labels.get(label).map(String::as_str));
        let service = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        if name.is_empty() || service.is_empty() {
            left_out.without_service += 1;
            continue;
        }
        let state = match told.status.as_str() {
            "firing" => Some(AlertState::Firing),
            "resolved" => Some(AlertState::Resolved),
            _ => None,
        };
        match (state, told.starts_at.parse::<Timestamp>()) {
            (Some(state), Ok(since)) => {
                received.inputs.push(Input::Alert { service, alert: name, state, since });
            }
            _ => left_out.unclear += 1,
        }
    }
    received
}

/// What an operator did, as a button of a chat tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionBody {
    /// What it was.
    action: Did,
    /// Id of the warning.
    #[serde(default)]
    warning: Option<String>,
    /// A service, in place of the id of the warning that it has now.
    #[serde(default)]
    service: Option<String>,
}

/// What was done about a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Did {
    /// It was seen.
    Acknowledged,
    /// Something was done against the failure.
    Acted,
}

/// Why an action cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ActionError {
    /// Neither a warning nor a service is named, or both are.
    #[error("expected either \"warning\" with an id or \"service\" with a name")]
    About,
    /// The service has no warning that fires.
    #[error("service {0:?} has no warning that fires")]
    NoWarning(String),
}

/// What an operator did as an input of the engine.
///
/// # Errors
/// Why it cannot be taken.
pub(crate) fn read_action(view: &EngineView, told: ActionBody) -> Result<Input, ActionError> {
    let warning = match (told.warning, told.service) {
        (Some(warning), None) => warning,
        (None, Some(name)) => {
            let service = view.services.iter().find(|service| service.name == name);
            service.and_then(|service| service.warning.clone()).ok_or(ActionError::NoWarning(name))?
        }
        _ => return Err(ActionError::About),
    };
    Ok(Input::Action(match told.action {
        Did::Acknowledged => Action::Acknowledge { warning },
        Did::Acted => Action::Acted { warning },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::testing::{minute, service_view, view};
    use serde_json::json;

    fn read(config: &InboundConfig, alerts: &serde_json::Value) -> Received {
        let body = json!({ "version": "4", "status": "firing", "alerts": alerts });
        read_alerts(config, &AlertsConfig::default(), serde_json::from_value(body).unwrap())
    }

    fn alert(name: &str, status: &str, service: Option<&str>) -> serde_json::Value {
        let mut labels = json!({ "alertname": name, "namespace": "shop" });
        if let Some(service) = service {
            labels["service"] = service.into();
        }
        json!({ "status": status, "labels": labels, "startsAt": minute(7).to_string() })
    }

    #[test]
    fn real_alerts_become_inputs_and_what_is_left_out_is_counted() {
        let alerts = json!([
            alert("HighErrorRate", "firing", Some("web")),
            alert("HighErrorRate", "resolved", Some("web")),
            alert("ForewarnFailurePredicted", "firing", Some("web")),
            alert("HighErrorRate", "pending", Some("web")),
            { "status": "firing", "labels": { "alertname": "A" }, "startsAt": minute(7).to_string() },
            { "status": "firing", "labels": { "alertname": "A", "service": "web" } },
        ]);
        let received = read(&InboundConfig::default(), &alerts);
        let input = |state| Input::Alert {
            service: "shop/web".to_owned(),
            alert: "HighErrorRate".to_owned(),
            state,
            since: minute(7),
        };
        assert_eq!(received.inputs, [input(AlertState::Firing), input(AlertState::Resolved)]);
        let left_out = LeftOut { own: 1, unclear: 2, without_service: 1, ..LeftOut::default() };
        assert_eq!(received.left_out, left_out);
        // One label is enough where an alert has no other.
        assert_eq!(read(&InboundConfig::default(), &json!([alert("A", "firing", None)])).inputs.len(), 1);
        let few = InboundConfig { alertnames: ["Down".to_owned()].into(), ..InboundConfig::default() };
        let received = read(&few, &alerts);
        assert_eq!((received.inputs.len(), received.left_out.other_names, received.left_out.own), (0, 5, 1));
    }

    #[test]
    fn a_button_tells_by_warning_or_by_service() {
        let id = "w:web:1970-01-01T00:05:00Z".to_owned();
        let view = view(vec![service_view("web", Some(id.clone())), service_view("db", None)]);
        let read = |body: serde_json::Value| {
            let told = serde_json::from_value(body).map_err(|error| error.to_string())?;
            read_action(&view, told).map_err(|error| error.to_string())
        };
        let acted = Input::Action(Action::Acted { warning: id.clone() });
        assert_eq!(read(json!({"action": "acted", "warning": id})).unwrap(), acted);
        assert_eq!(read(json!({"action": "acted", "service": "web"})).unwrap(), acted);
        let seen = Input::Action(Action::Acknowledge { warning: id.clone() });
        assert_eq!(read(json!({"action": "acknowledged", "service": "web"})).unwrap(), seen);
        for (wrong, told) in [
            (json!({"action": "acted", "service": "db"}), "no warning"),
            (json!({"action": "acted"}), "either"),
            (json!({"action": "acted", "service": "web", "warning": id}), "either"),
            (json!({"action": "promote", "service": "web"}), "promote"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}

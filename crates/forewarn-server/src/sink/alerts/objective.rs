//! Alerts of service level objectives whose error budget burns too fast.

use super::alert::Alert;
use crate::{config::AlertsConfig, text::percent_encoded};
use forewarn_label::SloLevel;
use forewarn_live::SloEvent;
use forewarn_schema::Timestamp;
use std::fmt::Write;

/// The levels that are alerts, each with one of its own: severity is a label, and a changed label is another alert.
pub(in crate::sink) const LEVELS: [SloLevel; 2] = [SloLevel::Ticket, SloLevel::Page];

/// The key of the alert of an objective at a level. The objective's name is escaped, so that no two have the same.
pub(in crate::sink) fn slo_key(slo: &SloEvent, level: SloLevel) -> String {
    format!("slo:{}:{}:{}", word(level), percent_encoded(&slo.slo), slo.service)
}

fn word(level: SloLevel) -> &'static str {
    if level == SloLevel::Page { "page" } else { "ticket" }
}

impl Alert {
    /// The alert of an objective that stands at a level since this row time.
    pub(in crate::sink) fn of_slo(
        config: &AlertsConfig,
        slo: &SloEvent,
        level: SloLevel,
        since: Timestamp,
    ) -> Self {
        let SloEvent { service, slo: name, target, period_days, .. } = slo;
        let mut notes = vec![("service_name", service.clone()), ("level", word(level).to_owned())];
        let mut summary = format!("{service} uses up the error budget of {name}");
        let fastest = slo.burn_rates.iter().filter_map(|burn| Some((burn.rate?, burn.window_minutes)));
        if let Some((rate, minutes)) = fastest.max_by(|a, b| a.0.total_cmp(&b.0)) {
            let _ = write!(summary, ": {rate:.1} times as fast as allowed over {minutes} minutes");
            notes.push(("burn_rate", format!("{rate:.1}")));
        }
        let percent = shortest(target * 100.0);
        let mut description = format!("{percent} % of the events of {period_days} days should be good.");
        if let Some(left) = slo.budget_left {
            let _ = write!(description, " {:.0} % of the error budget is left.", left * 100.0);
            notes.push(("budget_left", format!("{:.0} %", left * 100.0)));
        }
        if let Some(minutes) = slo.minutes_to_exhaustion {
            let _ = write!(description, " At the pace of the last hour it lasts {minutes:.0} minutes.");
            notes.push(("minutes_to_exhaustion", format!("{minutes:.0}")));
        }
        let link = config.external_url.as_deref().map(|url| format!("{}/slos", url.trim_end_matches('/')));
        notes.extend(link.clone().map(|link| ("dashboard", link)));
        notes.extend([("summary", summary), ("description", description)]);
        Self {
            key: slo_key(slo, level),
            labels: config.slo_labels(service, name, level),
            annotations: notes.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
            starts_at: since,
            ended_at: None,
            link,
            incident: None,
        }
    }
}

/// A share without the noise of its binary form: 99.9, not 99.90000000000001.
fn shortest(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::testing::{minute, slo};

    #[test]
    fn what_changes_is_in_annotations_and_severity_is_that_of_the_level() {
        let config =
            AlertsConfig { external_url: Some("http://forewarn/".to_owned()), ..AlertsConfig::default() };
        let stands = slo("shop/web", SloLevel::Page);
        let alert = Alert::of_slo(&config, &stands, SloLevel::Page, minute(5));
        let labels: Vec<(&str, &str)> =
            alert.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected = [
            ("alertname", "ForewarnErrorBudgetBurn"),
            ("namespace", "shop"),
            ("service", "web"),
            ("severity", "critical"),
            ("slo", "answers"),
        ];
        assert_eq!(labels, expected);
        assert_eq!(alert.starts_at, minute(5));
        assert_eq!(alert.annotations["burn_rate"], "14.4");
        assert_eq!(alert.annotations["budget_left"], "40 %");
        assert!(alert.annotations["description"].starts_with("99.9 % of the events of 28 days"));
        assert_eq!(alert.link.as_deref(), Some("http://forewarn/slos"));
        let ticket = Alert::of_slo(&config, &stands, SloLevel::Ticket, minute(5));
        assert_eq!(ticket.labels["severity"], "warning");
        assert_ne!(ticket.key, alert.key);
    }

    #[test]
    fn no_two_objectives_have_one_key() {
        let named = |name: &str, service: &str| {
            let slo = SloEvent { slo: name.to_owned(), ..slo(service, SloLevel::Page) };
            slo_key(&slo, SloLevel::Page)
        };
        assert_ne!(named("a:b", "c"), named("a", "b:c"));
    }
}

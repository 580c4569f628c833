//! Labels: what identifies an alert.

use crate::config::{AlertsConfig, NamespaceLabel};
use forewarn_label::SloLevel;
use forewarn_live::RiskLevel;
use forewarn_numerics::Fnv1a;
use std::collections::BTreeMap;

/// Labels of an alert by name. Two alerts with equal labels are one to Alertmanager.
pub(crate) type LabelSet = BTreeMap<String, String>;

/// Namespace and service of a service's name. Two names have never the same pair.
pub(crate) fn split_name(name: &str, namespace: NamespaceLabel) -> (Option<&str>, &str) {
    match (namespace, name.split_once('/')) {
        (NamespaceLabel::FromName, Some((space, service))) if !space.is_empty() && !service.is_empty() => {
            (Some(space), service)
        }
        _ => (None, name),
    }
}

impl AlertsConfig {
    /// Names of all alerts of this service.
    pub(crate) fn names(&self) -> [&str; 3] {
        [&self.alertname, &self.source_alertname, &self.slo_alertname]
    }

    /// Labels that say which service it is.
    pub(crate) fn service_labels(&self, service: &str) -> LabelSet {
        let mut labels = self.labels.clone();
        let (namespace, service) = split_name(service, self.namespace);
        labels.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace.to_owned())));
        labels.insert("service".to_owned(), service.to_owned());
        labels
    }

    /// Labels of the alert of a warning. Nothing in them changes while it fires.
    pub(crate) fn warning_labels(&self, service: &str, level: RiskLevel) -> LabelSet {
        let mut labels = self.service_labels(service);
        let severity =
            if level == RiskLevel::Critical { &self.severities.critical } else { &self.severities.high };
        labels.insert("severity".to_owned(), severity.clone());
        labels.insert("alertname".to_owned(), self.alertname.clone());
        labels
    }

    /// Labels of the alert of an objective at a level.
    pub(crate) fn slo_labels(&self, service: &str, slo: &str, level: SloLevel) -> LabelSet {
        let mut labels = self.service_labels(service);
        let severity =
            if level == SloLevel::Page { &self.slo_severities.page } else { &self.slo_severities.ticket };
        labels.insert("slo".to_owned(), slo.to_owned());
        labels.insert("severity".to_owned(), severity.clone());
        labels.insert("alertname".to_owned(), self.slo_alertname.clone());
        labels
    }

    /// Labels of the alert of a source that does not answer.
    pub(crate) fn source_labels(&self, source: &str) -> LabelSet {
        let mut labels = self.labels.clone();
        labels.insert("source".to_owned(), source.to_owned());
        labels.insert("severity".to_owned(), self.source_severity.clone());
        labels.insert("alertname".to_owned(), self.source_alertname.clone());
        labels
    }
}

/// The number by which Alertmanager shows an alert: FNV-1a of names and values, each with a byte 255 after it.
pub(crate) fn fingerprint(labels: &LabelSet) -> String {
    let mut hash = Fnv1a::new();
    for word in labels.iter().flat_map(|(name, value)| [name, value]) {
        hash.add_bytes(word.as_bytes());
        hash.add_bytes(&[255]);
    }
    format!("{:016x}", hash.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_slash_have_a_namespace_and_no_two_names_the_same_labels() {
        let split = |name| split_name(name, NamespaceLabel::FromName);
        assert_eq!(split("shop/web"), (Some("shop"), "web"));
        assert_eq!(split("shop/web/eu"), (Some("shop"), "web/eu"));
        assert_eq!(split("web"), (None, "web"));
        // An empty label is no label to Prometheus.
        assert_eq!(split("/web"), (None, "/web"));
        assert_eq!(split("shop/"), (None, "shop/"));
        assert_eq!(split_name("shop/web", NamespaceLabel::None), (None, "shop/web"));
    }

    #[test]
    fn severity_is_that_of_the_level_and_all_labels_are_there() {
        let config = AlertsConfig {
            labels: [("cluster".to_owned(), "eu-1".to_owned())].into(),
            ..AlertsConfig::default()
        };
        let labels = config.warning_labels("shop/web", RiskLevel::Critical);
        let pairs: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            pairs,
            [
                ("alertname", "ForewarnFailurePredicted"),
                ("cluster", "eu-1"),
                ("namespace", "shop"),
                ("service", "web"),
                ("severity", "critical"),
            ]
        );
        // A policy of k of n may raise an alarm at a score that is below the threshold again.
        for level in [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High] {
            assert_eq!(config.warning_labels("a", level)["severity"], "warning");
        }
    }

    #[test]
    fn no_labels_hash_to_the_offset() {
        assert_eq!(fingerprint(&LabelSet::new()), "cbf29ce484222325");
    }
}

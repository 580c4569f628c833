//! What kind of failure a warning looks like, and what may help.

use crate::engine::{EngineConfig, EvidenceItem, ProbableKind, Recommendation, RecommendationRule};
use forewarn_core::Evidence;

/// Words in the name of a feature, and the kind of failure that it speaks for; the first that fits.
const WORDS: [(&str, ProbableKind); 20] = [
    ("servers_", ProbableKind::Dependency),
    ("dependency", ProbableKind::Dependency),
    ("cascade", ProbableKind::Dependency),
    ("critical_path", ProbableKind::Dependency),
    ("restart", ProbableKind::Restarts),
    ("latency", ProbableKind::Latency),
    ("duration", ProbableKind::Latency),
    ("response_time", ProbableKind::Latency),
    ("error", ProbableKind::Errors),
    ("fail", ProbableKind::Errors),
    ("5xx", ProbableKind::Errors),
    ("cpu", ProbableKind::Cpu),
    ("load", ProbableKind::Cpu),
    ("memory", ProbableKind::Memory),
    ("heap", ProbableKind::Memory),
    ("swap", ProbableKind::Memory),
    ("request", ProbableKind::Traffic),
    ("network", ProbableKind::Traffic),
    ("traffic", ProbableKind::Traffic),
    ("connections", ProbableKind::Traffic),
];

/// Every kind with what the engine recommends; `docs` and the crate's README have the same table.
const DEFAULTS: [(ProbableKind, &str); 8] = [
    (
        ProbableKind::Latency,
        "Look for slow queries and saturated pools; consider adding instances or shedding load.",
    ),
    (ProbableKind::Errors, "Look at the newest deployment and at error logs; consider rolling back."),
    (ProbableKind::Cpu, "Add instances or processor limits; look for a hot loop since the last deployment."),
    (ProbableKind::Memory, "Look for a leak; restart instances one by one before the limit kills them."),
    (
        ProbableKind::Traffic,
        "Check whether clients retry; scale out, or limit the rate of the largest client.",
    ),
    (
        ProbableKind::Restarts,
        "Read the logs of the last container and why it ended; look at probes and limits.",
    ),
    (
        ProbableKind::Dependency,
        "Look at the suspects of the incident first: the trouble comes from a server.",
    ),
    (ProbableKind::Unknown, "Look at the metrics of the service and of its servers."),
];

/// The kind of failure that a feature speaks for, by its name.
pub(in crate::engine) fn kind_of(feature: &str) -> ProbableKind {
    let name = feature.to_lowercase();
    let found = WORDS.iter().find(|(word, _)| name.contains(word));
    found.map_or(ProbableKind::Unknown, |&(_, kind)| kind)
}

/// The kind of failure that most evidence speaks for, and its share of all that speaks for a failure.
pub(in crate::engine) fn probable_kind(evidence: Option<&Evidence>) -> (ProbableKind, f64) {
    let mut sums: [(ProbableKind, f64); 8] = DEFAULTS.map(|(kind, _)| (kind, 0.0));
    let mut all = 0.0;
    // A metric has many parts.
    let mut kinds: Vec<(&str, ProbableKind)> = Vec::new();
    for part in evidence.map_or(&[][..], Evidence::contributions).iter().filter(|part| part.log_odds > 0.0) {
        let known = kinds.iter().find(|(metric, _)| *metric == part.metric).map(|&(_, kind)| kind);
        let kind = known.unwrap_or_else(|| {
            let kind = kind_of(&part.metric);
            kinds.push((&part.metric, kind));
            kind
        });
        if let Some((_, sum)) = sums.iter_mut().find(|(of, _)| *of == kind) {
            *sum += part.log_odds;
        }
        all += part.log_odds;
    }
    // The first of equal ones, in the order of the table.
    let best = sums.iter().fold(
        (ProbableKind::Unknown, 0.0),
        |best, &(kind, sum)| {
            if sum > best.1 { (kind, sum) } else { best }
        },
    );
    if all > 0.0 { (best.0, best.1 / all) } else { (ProbableKind::Unknown, 0.0) }
}

/// The five parts that moved the score most.
pub(in crate::engine) fn top_evidence(evidence: Option<&Evidence>) -> Vec<EvidenceItem> {
    let parts = evidence.map_or(&[][..], Evidence::contributions);
    let item = |part: &forewarn_core::Contribution| EvidenceItem {
        metric: part.metric.clone(),
        view: part.view.clone(),
        value: part.value,
        normal: part.normal,
        deviations: part.deviations(),
        log_odds: part.log_odds,
    };
    parts.iter().take(5).map(item).collect()
}

fn look_at(root: &str) -> String {
    format!("Look at {root} first: the incident probably began there.")
}

impl EngineConfig {
    /// What may help: to look where the incident probably began, if that is elsewhere, and the first of the user's
    /// rules that fits, or what the engine says itself.
    pub(in crate::engine) fn recommendation(
        &self,
        kind: ProbableKind,
        service: &str,
        root: Option<&str>,
    ) -> Recommendation {
        let fits = |rule: &&RecommendationRule| {
            rule.kind.is_none_or(|of| of == kind) && rule.service.as_deref().is_none_or(|of| of == service)
        };
        let rule = self.recommendations.iter().find(fits);
        let own = DEFAULTS.iter().find(|(of, _)| *of == kind).map_or("", |(_, text)| text);
        let text = rule.map_or(own, |rule| &rule.text);
        let text = match root {
            // That the trouble comes from a server is said.
            Some(root) if rule.is_none() && kind == ProbableKind::Dependency => look_at(root),
            Some(root) => format!("{} {text}", look_at(root)),
            None => text.to_owned(),
        };
        Recommendation { text, runbook: rule.and_then(|rule| rule.runbook.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{Attribution, Contribution, Score};

    fn evidence(parts: &[(&str, f64)]) -> Evidence {
        let part = |&(metric, log_odds): &(&str, f64)| Contribution {
            metric: metric.to_owned(),
            view: "last".to_owned(),
            oldest_steps_ago: 0,
            newest_steps_ago: 0,
            value: None,
            normal: None,
            deviation: None,
            log_odds,
        };
        let sum: f64 = parts.iter().map(|(_, log_odds)| log_odds).sum();
        let parts = parts.iter().map(part).collect();
        Evidence::new(Score::from_logit(sum).unwrap(), Attribution::Linear, 0.0, parts).unwrap()
    }

    #[test]
    fn the_kind_is_what_most_evidence_speaks_for() {
        let mixed = evidence(&[
            ("p99_latency", 1.0),
            ("mean(cpu_usage)", 2.0),
            ("p50_latency", 1.5),
            ("error_rate", -9.0),
        ]);
        let (kind, confidence) = probable_kind(Some(&mixed));
        assert!(kind == ProbableKind::Latency && (confidence - 2.5 / 4.5).abs() < 1e-9);
        assert_eq!(
            probable_kind(Some(&evidence(&[("servers_worst_latency", 1.0)]))).0,
            ProbableKind::Dependency
        );
        assert_eq!(probable_kind(Some(&evidence(&[("error_rate", -1.0)]))), (ProbableKind::Unknown, 0.0));
        assert_eq!(probable_kind(None), (ProbableKind::Unknown, 0.0));
    }

    #[test]
    fn users_come_first() {
        let rule = |kind, service: Option<&str>, text: &str| RecommendationRule {
            kind,
            service: service.map(str::to_owned),
            text: text.to_owned(),
            runbook: Some("https://runbooks/cpu".to_owned()),
        };
        let rules =
            vec![rule(Some(ProbableKind::Cpu), None, "scale"), rule(None, Some("cart"), "call the team")];
        let config = EngineConfig { recommendations: rules, ..EngineConfig::default() };
        assert_eq!(config.recommendation(ProbableKind::Cpu, "cart", None).text, "scale");
        assert_eq!(config.recommendation(ProbableKind::Errors, "cart", None).text, "call the team");
        let own = config.recommendation(ProbableKind::Errors, "login", None);
        assert!(own.text.contains("deployment") && own.runbook.is_none());
        // Where to look comes before what anyone says.
        let elsewhere = config.recommendation(ProbableKind::Cpu, "cart", Some("db"));
        assert_eq!(elsewhere.text, "Look at db first: the incident probably began there. scale");
        assert!(elsewhere.runbook.is_some());
        let victim = config.recommendation(ProbableKind::Dependency, "login", Some("db"));
        assert_eq!(victim.text, "Look at db first: the incident probably began there.");
    }
}

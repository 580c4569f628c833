//! How the ways out do.

use super::page::{Page, Pairs, flag, seconds};
use crate::sink::TargetStatus;
use forewarn_prometheus::PrometheusError;

fn labels(target: &TargetStatus) -> Pairs<'_> {
    vec![("kind", target.kind.word()), ("target", &target.name)]
}

pub(super) fn render(targets: &[TargetStatus], page: &mut Page) -> Result<(), PrometheusError> {
    let counted = |of: fn(&TargetStatus) -> u64| targets.iter().map(move |one| (labels(one), of(one) as f64));
    page.gauge(
        "forewarn_target_up",
        None,
        "Whether the last request to a target was answered; absent before the first.",
        targets.iter().filter_map(|one| Some((labels(one), flag(one.is_up?)))),
    )?;
    page.gauge(
        "forewarn_target_last_success_timestamp_seconds",
        Some("seconds"),
        "When a target last took something.",
        targets.iter().filter_map(|one| Some((labels(one), seconds(one.last_success?)))),
    )?;
    page.gauge(
        "forewarn_target_waiting",
        None,
        "Alerts, notifications or samples that wait for a target.",
        targets.iter().map(|one| (labels(one), one.waiting as f64)),
    )?;
    page.counter(
        "forewarn_target_delivered",
        None,
        "Alerts, notifications or samples that a target took; an Alertmanager is told of an alert many times.",
        counted(|one| one.delivered),
    )?;
    page.counter(
        "forewarn_target_requests_failed",
        None,
        "Requests to a target that failed and are repeated.",
        counted(|one| one.failed_requests),
    )?;
    page.counter(
        "forewarn_target_refused",
        None,
        "Alerts, notifications or samples that a target refused.",
        counted(|one| one.refused),
    )?;
    page.counter(
        "forewarn_target_dropped",
        None,
        "Alerts, notifications or samples that were dropped, because too many waited or they waited too long.",
        counted(|one| one.dropped),
    )?;
    page.gauge(
        "forewarn_target_muted_alerts",
        None,
        "Alerts that stand and that an Alertmanager has silenced or inhibited.",
        targets.iter().map(|one| (labels(one), one.muted.len() as f64)),
    )
}

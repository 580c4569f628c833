//! Metrics of the engine, its sources and its disk.

use super::{
    Shown,
    page::{Page, flag, plain, seconds},
};
use forewarn_live::{RiskLevel, ServiceView, SourceStatus};
use forewarn_prometheus::PrometheusError;

/// What a service is, the worst first.
const STATES: [&str; 5] = ["failing", "warning", "at_risk", "ok", "unknown"];

fn state(service: &ServiceView) -> &'static str {
    if service.failing_since.is_some() {
        STATES[0]
    } else if service.warning.is_some() {
        STATES[1]
    } else {
        match service.level {
            None => STATES[4],
            Some(RiskLevel::Low) => STATES[3],
            Some(_) => STATES[2],
        }
    }
}

pub(super) fn render(shown: &Shown<'_>, page: &mut Page) -> Result<(), PrometheusError> {
    let (snapshot, view) = (shown.snapshot, &shown.snapshot.view);
    page.info("forewarn_build", "The version that runs.", vec![("version", env!("CARGO_PKG_VERSION"))])?;
    page.gauge(
        "forewarn_ready",
        None,
        "Whether models are loaded and the journal is replayed.",
        plain(flag(snapshot.is_ready)),
    )?;
    let last_row = snapshot.last_row.map(|time| (Vec::new(), seconds(time)));
    page.gauge(
        "forewarn_last_row_timestamp_seconds",
        Some("seconds"),
        "Row time of the minute that was closed last.",
        last_row,
    )?;
    page.gauge(
        "forewarn_clock_timestamp_seconds",
        Some("seconds"),
        "The clock of the service, to compare row times with.",
        plain(seconds(shown.now)),
    )?;
    let count = |name: &str| view.services.iter().filter(|service| state(service) == name).count() as f64;
    page.gauge(
        "forewarn_services",
        None,
        "Services by state: failing by the failure rule, with a warning that fires, at risk, ok, or unknown because \
         the model cannot tell.",
        STATES.map(|name| (vec![("state", name)], count(name))),
    )?;
    page.gauge(
        "forewarn_incidents_open",
        None,
        "Incidents that are open.",
        plain(view.incidents.len() as f64),
    )?;
    counters(shown, page)?;
    sources(shown, page)?;
    received(shown, page)?;
    disk(shown, page)?;
    let reload = shown.reload;
    page.counter(
        "forewarn_config_reloads",
        None,
        "How often the configuration was read again, by result.",
        [("accepted", reload.accepted), ("refused", reload.refused)]
            .map(|(result, count)| (vec![("result", result)], count as f64)),
    )?;
    page.gauge(
        "forewarn_config_last_reload_successful",
        None,
        "Whether the configuration that was read last holds.",
        plain(flag(reload.error.is_none())),
    )
}

fn counters(shown: &Shown<'_>, page: &mut Page) -> Result<(), PrometheusError> {
    let counters = &shown.snapshot.view.counters;
    page.counter(
        "forewarn_steps_closed",
        None,
        "Steps that were closed: minutes, unless the model has other rows.",
        plain(counters.minutes as f64),
    )?;
    page.counter(
        "forewarn_inputs_refused",
        None,
        "Inputs that changed no row, by reason.",
        [
            ("late", counters.late),
            ("ahead", counters.ahead),
            ("unknown_metric", counters.unknown_metrics),
            ("duplicate_row", counters.duplicate_rows),
            ("wrong_row", counters.wrong_rows),
            ("name", counters.refused_names),
            ("too_many_services", counters.refused_services),
            ("too_many_samples", counters.refused_samples),
            ("out_of_range", counters.out_of_range),
            ("alert", counters.refused_alerts),
        ]
        .map(|(reason, count)| (vec![("reason", reason)], count as f64)),
    )?;
    page.counter(
        "forewarn_inputs_of_other_shards",
        None,
        "Inputs since the start that are another shard's.",
        plain(shown.snapshot.other_shards as f64),
    )?;
    page.counter(
        "forewarn_clock_set_back",
        None,
        "Times that the clock of the sources was set back.",
        plain(counters.clock_set_back as f64),
    )?;
    page.counter(
        "forewarn_ledger_faults",
        None,
        "Services whose ledger had to begin again.",
        plain(counters.ledger_faults as f64),
    )?;
    page.gauge(
        "forewarn_inputs_waiting",
        None,
        "Inputs that wait for the engine.",
        plain(shown.load.0 as f64),
    )?;
    page.counter(
        "forewarn_batches_refused",
        None,
        "Batches of inputs that were refused because too many waited.",
        plain(shown.load.1 as f64),
    )
}

fn sources(shown: &Shown<'_>, page: &mut Page) -> Result<(), PrometheusError> {
    let statuses = &shown.snapshot.view.sources;
    let each = |is: fn(&SourceStatus) -> bool| {
        statuses.iter().map(move |(name, status)| (vec![("source", &**name)], flag(is(status))))
    };
    page.gauge(
        "forewarn_source_up",
        None,
        "Whether a source answers.",
        each(|status| !matches!(status, SourceStatus::Down { .. })),
    )?;
    page.gauge(
        "forewarn_source_partial",
        None,
        "Whether a source said that its last answer was not complete.",
        each(|status| matches!(status, SourceStatus::Partial)),
    )?;
    let ages = &shown.snapshot.sources;
    page.counter(
        "forewarn_source_rows",
        None,
        "Rows that a source sent since the start.",
        ages.iter().map(|(name, age)| (vec![("source", &**name)], age.rows as f64)),
    )?;
    page.counter(
        "forewarn_source_samples",
        None,
        "Samples that a source sent since the start.",
        ages.iter().map(|(name, age)| (vec![("source", &**name)], age.samples as f64)),
    )?;
    page.gauge(
        "forewarn_source_last_heard_timestamp_seconds",
        Some("seconds"),
        "When the last batch of a source was taken.",
        ages.iter().filter_map(|(name, age)| Some((vec![("source", &**name)], seconds(age.heard?)))),
    )
}

fn received(shown: &Shown<'_>, page: &mut Page) -> Result<(), PrometheusError> {
    let all = shown.received.iter().flat_map(|(receiver, counts)| {
        counts.iter().map(|(what, count)| (vec![("receiver", *receiver), ("what", *what)], *count as f64))
    });
    page.counter("forewarn_received", None, "What receivers of pushed samples took and refused.", all)?;
    page.counter(
        "forewarn_http_requests_refused",
        None,
        "Requests that the HTTP server refused, by the limit that was reached.",
        shown.limits.iter().map(|(limit, count)| (vec![("limit", *limit)], *count as f64)),
    )
}

fn disk(shown: &Shown<'_>, page: &mut Page) -> Result<(), PrometheusError> {
    let store = &shown.snapshot.store;
    page.gauge(
        "forewarn_store_failing",
        None,
        "Whether the disk fails: scoring goes on, and what could not be written waits in memory.",
        plain(flag(store.failing.is_some())),
    )?;
    page.gauge(
        "forewarn_store_checkpoint_failing",
        None,
        "Whether the last checkpoint could not be written.",
        plain(flag(store.checkpoint_error.is_some())),
    )?;
    page.gauge(
        "forewarn_store_pending_records",
        None,
        "Records of the journal that are not on disk yet.",
        plain(store.pending_records as f64),
    )?;
    page.gauge(
        "forewarn_store_pending_bytes",
        Some("bytes"),
        "Memory that records take that are not on disk yet.",
        plain(store.pending_bytes as f64),
    )?;
    page.gauge(
        "forewarn_store_pending_events",
        None,
        "Events that are not on disk yet.",
        plain(store.pending_events as f64),
    )?;
    page.counter(
        "forewarn_store_records",
        None,
        "Records of the journal, from its beginning.",
        plain(store.next_record as f64),
    )
}

//! Metrics of the service itself, at `/metrics`.

mod engine;
mod page;
mod process;
mod quality;
mod services;
mod targets;

use crate::{
    api::Shared,
    config::{AlertsConfig, MetricsConfig},
    http::Limit,
    runtime::{ReloadState, Snapshot},
    sink::TargetStatus,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use forewarn_prometheus::{PrometheusError, TextFormat};
use forewarn_schema::Timestamp;
use page::Page;
use process::Process;
use std::collections::BTreeMap;

/// What is shown.
pub(crate) struct Shown<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) targets: &'a [TargetStatus],
    pub(crate) reload: &'a ReloadState,
    /// Inputs that wait for the engine, and batches that were refused because too many waited.
    pub(crate) load: (usize, u64),
    /// What receivers took and refused, by receiver and counter.
    pub(crate) received: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// How often limits of the HTTP server were reached.
    pub(crate) limits: BTreeMap<&'static str, u64>,
    pub(crate) process: Option<Process>,
    pub(crate) config: MetricsConfig,
    pub(crate) alerts: &'a AlertsConfig,
    pub(crate) now: Timestamp,
}

/// The text of all metrics.
///
/// # Errors
/// [`PrometheusError`] for a name that is none, which tests exclude.
pub(crate) fn render(shown: &Shown<'_>, format: TextFormat) -> Result<String, PrometheusError> {
    let mut page = Page::new(format);
    engine::render(shown, &mut page)?;
    quality::render(&shown.snapshot.view, &mut page)?;
    targets::render(shown.targets, &mut page)?;
    if shown.config.services {
        services::render(&shown.snapshot.view, shown.alerts, &mut page)?;
    }
    if let Some(process) = &shown.process {
        process.render(&mut page)?;
    }
    Ok(page.finish())
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(api): State<Shared>, headers: HeaderMap) -> Response {
    let context = &api.context;
    let format = asked_format(&headers);
    let (snapshot, reload) = (context.handle.view(), context.reload.state());
    let targets = context.targets.all();
    let shown = Shown {
        snapshot: &snapshot,
        targets: &targets,
        load: context.handle.load(),
        received: context.received(),
        limits: Limit::ALL.map(|limit| (limit.name(), api.guard.counters.get(limit))).into(),
        process: Process::read(),
        config: reload.config.metrics,
        alerts: &reload.config.alerts,
        reload: &reload,
        now: context.clock.now(),
    };
    match render(&shown, format) {
        Ok(text) => ([(header::CONTENT_TYPE, format.content_type())], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// OpenMetrics where `Accept` names it with a weight above 0 and not below that of plain text, else Prometheus' own.
fn asked_format(headers: &HeaderMap) -> TextFormat {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut open, mut plain) = (0.0_f64, 0.0_f64);
    for range in accept.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        match media.as_str() {
            "application/openmetrics-text" => open = open.max(weight),
            "text/plain" => plain = plain.max(weight),
            _ => {}
        }
    }
    if open > 0.0 && open >= plain { TextFormat::OpenMetrics } else { TextFormat::Prometheus }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_of(accept: &str) -> TextFormat {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        asked_format(&headers)
    }

    #[test]
    fn the_format_is_what_is_asked_for() {
        // As Prometheus 2.42 asks.
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(format_of(prometheus), TextFormat::OpenMetrics);
        assert_eq!(format_of("text/plain, application/openmetrics-text;q=0.3"), TextFormat::Prometheus);
        assert_eq!(format_of("application/openmetrics-text;q=0"), TextFormat::Prometheus);
        assert_eq!(format_of("text/html,*/*;q=0.8"), TextFormat::Prometheus);
        assert_eq!(asked_format(&HeaderMap::new()), TextFormat::Prometheus);
    }
}

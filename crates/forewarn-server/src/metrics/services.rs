//! Metrics of each service, where they are asked for.

use super::page::{Page, Pairs, flag};
use crate::{
    config::AlertsConfig,
    sink::{PROBABILITY, split_name},
};
use forewarn_live::{EngineView, ServiceView};
use forewarn_prometheus::PrometheusError;

pub(super) fn render(
    view: &EngineView,
    alerts: &AlertsConfig,
    page: &mut Page,
) -> Result<(), PrometheusError> {
    page.gauge(
        PROBABILITY,
        Some("ratio"),
        "Probability that a failure of the service begins in the prediction period; absent where the main model \
         cannot tell.",
        view.services.iter().filter_map(|service| Some((named(service, alerts), service.probability?))),
    )?;
    page.gauge(
        "forewarn_service_warning",
        None,
        "Whether a warning of the service fires.",
        view.services.iter().map(|service| (named(service, alerts), flag(service.warning.is_some()))),
    )?;
    page.gauge(
        "forewarn_service_failing",
        None,
        "Whether the service fails by the failure rule.",
        view.services.iter().map(|service| (named(service, alerts), flag(service.failing_since.is_some()))),
    )
}

/// As alerts and remote write name a service, so that the three can be joined.
fn named<'a>(service: &'a ServiceView, alerts: &AlertsConfig) -> Pairs<'a> {
    let (namespace, name) = split_name(&service.name, alerts.namespace);
    namespace.map(|namespace| ("namespace", namespace)).into_iter().chain([("service", name)]).collect()
}

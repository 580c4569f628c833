use super::{Clock, Handle, Reload, Reporter, Stop};
use crate::{
    WatchConfig, chaos::ChaosControl, http::Pages, receive::Receivers, sink::Targets, source::Flows,
};
use std::{collections::BTreeMap, sync::Arc};

/// What the HTTP server has.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpContext {
    /// The configuration that the service was started with; [`Reload::state`] has the one that holds.
    pub config: Arc<WatchConfig>,
    /// The service.
    pub handle: Handle,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Reads the configuration again.
    pub reload: Arc<Reload>,
    /// What others push to, where the configuration says so.
    pub(crate) receivers: Option<Receivers>,
    /// Asks the whole service to end.
    pub stop: Stop,
    /// Tells the operator.
    pub reporter: Reporter,
    /// What injects faults, where something takes them.
    pub chaos: Option<Arc<dyn ChaosControl>>,
    /// What goes over the calls of the service graph, where the source knows it.
    pub(crate) flows: Flows,
    /// The page, where there is one.
    pub pages: Option<Pages>,
    /// Where warnings and scores go, and how that does.
    pub targets: Targets,
}

impl HttpContext {
    /// What receivers took and refused so far, by receiver and counter.
    #[must_use]
    pub fn received(&self) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
        self.receivers.as_ref().map(Receivers::counts).unwrap_or_default()
    }
}

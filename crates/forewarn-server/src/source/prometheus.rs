//! Rows from servers of the Prometheus API.

mod client;
mod date;
mod detect;
mod fetch;
mod graph;
mod inspect;
mod late;
mod past;
mod pull;
mod queries;
mod retry;
mod rows;
mod server;
mod span;
#[cfg(test)]
mod tests;

pub use detect::RecipeMatch;
pub use inspect::{
    GraphMatch, MetricFinding, PrometheusFindings, ServiceFinding, TickCost, inspect_prometheus,
};
pub use past::{PastDay, PastRows, PrometheusPast, join_days};
pub use queries::{PrometheusQueries, TrainedOn};

use crate::{
    PrometheusConfig, ServerError,
    runtime::{Source, SourceContext},
    watch::WatchOptions,
};
use forewarn_live::{Input, ServedModel, SourceStatus};
use forewarn_schema::Timestamp;
use pull::{Inlet, Pull};

/// Connects to a server of the configuration.
type Connect<'a> =
    dyn FnMut(&PrometheusConfig) -> Result<std::sync::Arc<dyn crate::runtime::Transport>, ServerError> + 'a;

/// Servers of the Prometheus API as the source of a live service.
pub(super) struct PullSource {
    pull: Pull,
}

impl PullSource {
    /// Of the servers of `config`. `settle_secs` is that of the engine, for a service that has no other source.
    pub(super) fn new(
        config: &PrometheusConfig,
        model: &ServedModel,
        settle_secs: Option<u32>,
        options: &WatchOptions,
    ) -> Result<Self, ServerError> {
        let transport = &mut |one: &PrometheusConfig| options.transport(&one.tls);
        let pull = Pull::new(config, model, settle_secs, &options.clock, transport)?;
        Ok(Self { pull: pull.with_flows(options.flows.clone()) })
    }
}

impl Source for PullSource {
    fn name(&self) -> &str {
        self.pull.name()
    }

    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError> {
        self.pull.notes().for_each(|note| context.reporter.tell(note));
        match self.pull.run(&Running(context), &context.stop) {
            // Its own error says why.
            Err(ServerError::Stopped) => Ok(()),
            ended => ended,
        }
    }
}

/// A running service.
struct Running<'a>(&'a SourceContext);

impl Inlet for Running<'_> {
    fn send(&self, inputs: Vec<Input>) -> Result<(), ServerError> {
        self.0.handle.send(inputs).map(drop)
    }

    fn next_minute(&self) -> Option<Timestamp> {
        self.0.resume.next
    }

    fn has(&self, time: Timestamp, service: &str) -> bool {
        let taken = &self.0.resume.taken;
        !taken.is_empty() && taken.contains(&(time, service.to_owned()))
    }

    fn status(&self, source: &str) -> Option<SourceStatus> {
        self.0.handle.view().view.sources.get(source).cloned()
    }

    fn tell(&self, line: String) {
        self.0.reporter.tell(line);
    }
}

//! Wide features: what is known at a time beyond the last minutes of a service's own metrics.

use crate::{ExperimentError, experiment::Settings};
use forewarn_schema::{FrameSet, Schema, Step};
use forewarn_topology::{FleetColumns, ServiceGraph, TopologyFeatures};
use forewarn_window::{
    Calendar, FeatureExt as _, Features, Impute, RecentNormal, Rolling, Select, Statistic,
};

/// Services of which each other one sees the metrics by name, where it is not known who calls whom.
const MOST_NAMED: usize = 8;
/// Minutes over which a metric's own recent normal is taken.
const NORMAL_MINUTES: [i64; 3] = [30, 120, 720];
/// Minutes over which its maximum is taken.
const MAXIMUM_MINUTES: [i64; 2] = [30, 720];
/// Steps that a recent normal needs at least.
const FEWEST_STEPS: i64 = 4;

/// What wide features are computed from: metrics, the columns of the service graph if there is one, and those of the
/// fleet.
pub(crate) struct WideSources {
    pub(crate) frames: FrameSet,
    /// Settings of the columns behind the metrics; `None` where there are none.
    pub(crate) topology: Option<TopologyFeatures>,
}

impl WideSources {
    pub(crate) fn new(
        settings: &Settings,
        metrics: &FrameSet,
        with_graph: Option<&FrameSet>,
    ) -> Result<Self, ExperimentError> {
        let Some(topology) = settings.fleet(metrics)? else {
            return Ok(Self {
                frames: with_graph.unwrap_or(metrics).clone(),
                topology: settings.topology.clone(),
            });
        };
        let (frames, _) = settings.beside_graph(metrics, &topology)?;
        Ok(Self { frames, topology: Some(topology) })
    }
}

impl Settings {
    /// Columns of the service graph, if they are asked for, and of the fleet, if it has more than one service.
    fn fleet(&self, metrics: &FrameSet) -> Result<Option<TopologyFeatures>, ExperimentError> {
        let services: Vec<&str> = metrics.layout().services().iter().map(|place| place.name()).collect();
        let names = metrics.schema().names();
        let graph = self.topology.as_ref().map(TopologyFeatures::graph).or(self.graph.as_ref());
        let joined = graph.map_or(0, |graph| joined(graph, &services));
        let fleet = match services.len() {
            0 | 1 => return Ok(None),
            // Less of a graph tells less than names.
            2..=MOST_NAMED if 2 * joined < services.len() => {
                FleetColumns::by_name(names, services.iter().copied())?
            }
            // Of many services none is told from the others without calls.
            _ if joined == 0 => return Ok(None),
            _ => FleetColumns::pooled(names)?,
        };
        Ok(Some(match (&self.topology, graph) {
            (Some(topology), _) => topology.clone().with_fleet(fleet),
            (None, Some(graph)) => TopologyFeatures::of_fleet(graph, fleet),
            (None, None) => TopologyFeatures::of_fleet(&ServiceGraph::with_services(services, [])?, fleet),
        }))
    }

    /// What follows the usual features in the list of wide ones; `sources` are the frames that it is computed from.
    pub(crate) fn behind(
        &self,
        metrics: &Schema,
        sources: &Schema,
        step: Step,
    ) -> Result<Features, ExperimentError> {
        let steps = |minutes: i64| {
            let steps = minutes.saturating_mul(60_000).div_euclid(step.millis()).max(FEWEST_STEPS);
            usize::try_from(steps).unwrap_or(usize::MAX)
        };
        let of_metrics = || Select::Only(metrics.names().map(str::to_owned).collect());
        let mut long = Features::new();
        // On a coarse clock two spans may be as many steps.
        let spans = |minutes: &[i64]| -> Vec<usize> {
            let mut spans: Vec<usize> = minutes.iter().map(|&minutes| steps(minutes)).collect();
            spans.dedup();
            spans
        };
        for steps in spans(&NORMAL_MINUTES) {
            long = long.with(RecentNormal::new(steps)?);
        }
        for steps in spans(&MAXIMUM_MINUTES) {
            long = long.with(Rolling::new(Statistic::Max, steps)?);
        }
        let mut behind = Features::new().with(self.impute()?.with_metrics(of_metrics()).then(long));
        if let Some(history) = self.rule.history(metrics) {
            behind = behind.with(history);
        }
        behind = behind.with(Calendar::time_of_day());
        let fleet: Vec<String> = sources
            .names()
            .filter(|name| metrics.position(name).is_none() && is_of_fleet(name))
            .map(str::to_owned)
            .collect();
        if !fleet.is_empty() {
            behind = behind.with(Impute::none().with_metrics(Select::Only(fleet)));
        }
        Ok(behind)
    }
}

/// How many of the services are in calls with another one of them.
fn joined(graph: &ServiceGraph, services: &[&str]) -> usize {
    let mut places: Vec<usize> = services.iter().filter_map(|service| graph.find(service)).collect();
    places.sort_unstable();
    let is_measured = |place: usize| places.binary_search(&place).is_ok();
    let is_joined = |&&place: &&usize| {
        let servers = graph.servers_of(place).map(|(server, _)| server);
        servers.chain(graph.clients_of(place).map(|(client, _)| client)).any(is_measured)
    };
    places.iter().filter(is_joined).count()
}

/// Whether a column is one of [`FleetColumns`].
fn is_of_fleet(name: &str) -> bool {
    ["last(", "change_", "max_"].iter().any(|start| name.starts_with(start)) && name.contains('.')
}

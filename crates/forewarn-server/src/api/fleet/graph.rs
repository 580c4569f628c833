//! The service graph: who calls whom, where trouble would go.

use super::{
    gauges::Dials,
    overview::Graphs,
    services::{Standing, standing},
};
use crate::api::{Shared, alarms::incidents::Victim, state::Api};
use crate::{
    chaos::CallReading,
    http::{Params, Problem},
    runtime::Snapshot,
};
use axum::{Json, extract::State};
use forewarn_live::ServiceView;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};

/// Calls from the centre unless said otherwise.
const USUAL_DEPTH: u32 = 2;
/// Most calls from the centre.
const MOST_DEPTH: u32 = 20;

/// A service of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Node {
    /// The service.
    pub(crate) service: String,
    /// 1 for well to 0 for down; null where it is not known.
    pub(crate) health: Option<f64>,
    /// Probability that a failure begins; null where the model cannot tell.
    pub(crate) probability: Option<f64>,
    /// How it stands.
    pub(crate) status: Standing,
    /// Whether it is on the critical path.
    pub(crate) critical: bool,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Edge {
    /// Who calls.
    pub(crate) client: String,
    /// Who is called.
    pub(crate) server: String,
    /// Requests a second over this call; null where that is not known.
    pub(crate) requests: Option<f64>,
    /// Share of them that failed; null where that is not known.
    pub(crate) error_rate: Option<f64>,
}

/// What may follow from one service's trouble.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct CascadeView {
    /// The service that warns or fails.
    pub(crate) root: String,
    /// The services that may follow, the likeliest first.
    pub(crate) victims: Vec<Victim>,
    /// Expected minutes until the root's failure; null where the model does not know, or it fails already.
    pub(crate) minutes: Option<f64>,
}

/// The service graph.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Graph {
    /// The services, in order of name: those of calls, and those that are watched.
    pub(crate) nodes: Vec<Node>,
    /// The calls.
    pub(crate) edges: Vec<Edge>,
    /// The services on the way on which the slowest entry service waits longest.
    pub(crate) critical_path: Vec<String>,
    /// What may follow from each service that warns or fails.
    pub(crate) cascades: Vec<CascadeView>,
    /// Services that the failure of each is expected to bring down.
    pub(crate) blast_radius: BTreeMap<String, f64>,
}

impl Graph {
    /// The whole graph, or the services in `only`.
    pub(crate) fn of(
        api: &Api,
        snapshot: &Snapshot,
        graphs: &Graphs,
        only: Option<&BTreeSet<String>>,
    ) -> Self {
        let is_shown = |name: &str| only.is_none_or(|only| only.contains(name));
        let services: BTreeMap<&str, &ServiceView> =
            snapshot.view.services.iter().map(|service| (service.name.as_str(), service)).collect();
        let names: BTreeSet<&str> = services.keys().copied().chain(graphs.graph.services()).collect();
        let path = critical_path(snapshot, graphs, &services);
        let node = |name: &str| {
            let service = services.get(name);
            Node {
                service: name.to_owned(),
                health: service.and_then(|service| api.health(service)),
                probability: service.and_then(|service| service.probability),
                status: service.map_or(Standing::Unknown, |service| standing(service)),
                critical: path.iter().any(|stop| stop == name),
            }
        };
        let readings = api.call_readings();
        let flows: BTreeMap<(&str, &str), &CallReading> =
            readings.iter().map(|call| ((call.client.as_str(), call.server.as_str()), call)).collect();
        let edge = |(client, server): &(String, String)| {
            let flow = flows.get(&(client.as_str(), server.as_str()));
            Edge {
                client: client.clone(),
                server: server.clone(),
                requests: flow.map(|flow| flow.requests),
                error_rate: flow.and_then(|flow| flow.error_rate),
            }
        };
        let calls = graphs.calls.iter().filter(|(client, server)| is_shown(client) && is_shown(server));
        let radius = |name: &str| Some((name.to_owned(), graphs.blast_radius(name)?));
        let shown = || names.iter().copied().filter(|name| is_shown(name));
        Self {
            nodes: shown().map(node).collect(),
            edges: calls.map(edge).collect(),
            cascades: cascades(snapshot, graphs, is_shown),
            blast_radius: shown().filter_map(radius).collect(),
            critical_path: path,
        }
    }
}

/// The critical path of the slowest entry service, by the latencies of the last rows.
fn critical_path(
    snapshot: &Snapshot,
    graphs: &Graphs,
    services: &BTreeMap<&str, &ServiceView>,
) -> Vec<String> {
    let dials = Dials::of(&snapshot.about.metrics, snapshot.about.step);
    let latency = |name: &str| services.get(name).and_then(|service| dials.read(&service.row, None).latency);
    let latencies: Vec<f64> = graphs.graph.services().map(|name| latency(name).unwrap_or(f64::NAN)).collect();
    // Latencies in rows are not negative; where they would be, there is no path.
    let ends = graphs.paths.latencies(&latencies).unwrap_or_default();
    let known = graphs.graph.entries().into_iter().filter_map(|entry| Some((entry, (*ends.get(entry)?)?)));
    let slowest = known.reduce(|slowest, entry| if entry.1 > slowest.1 { entry } else { slowest });
    let path = slowest.and_then(|(entry, _)| graphs.paths.from(entry, &latencies).ok());
    let stops = path.map(|path| path.stops).unwrap_or_default();
    stops.iter().filter_map(|stop| graphs.graph.name(stop.service)).map(str::to_owned).collect()
}

fn cascades(snapshot: &Snapshot, graphs: &Graphs, is_shown: impl Fn(&str) -> bool) -> Vec<CascadeView> {
    let troubled = snapshot.view.services.iter().filter(|service| {
        is_shown(&service.name) && (service.warning.is_some() || service.failing_since.is_some())
    });
    let cascade = |service: &ServiceView| {
        let root = graphs.graph.find(&service.name)?;
        let victim = |(place, probability): (usize, f64)| Victim {
            service: graphs.graph.name(place).unwrap_or_default().to_owned(),
            probability,
        };
        let score =
            snapshot.recent.last().and_then(|block| block.row(&service.name)).and_then(|row| row.main());
        let minutes = score.and_then(|score| score.detail).and_then(|detail| detail.minutes_to_failure);
        Some(CascadeView {
            root: service.name.clone(),
            victims: graphs.victims(root).into_iter().map(victim).collect(),
            minutes: minutes.map(f64::from).filter(|_| service.failing_since.is_none()),
        })
    };
    troubled.filter_map(cascade).collect()
}

/// Which part of the graph to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct GraphQuery {
    /// Only what is near this service.
    around: Option<String>,
    /// How many calls away that may be, 2 unless given.
    #[param(minimum = 1, maximum = 20)]
    depth: Option<u32>,
}

/// The service graph, with health, critical path and predicted cascades.
#[utoipa::path(get, path = "/api/v1/graph", tag = "graph", params(GraphQuery),
    responses((status = 200, body = Graph)))]
pub(crate) async fn graph(
    State(api): State<Shared>,
    Params(query): Params<GraphQuery>,
) -> Result<Json<Graph>, Problem> {
    let depth = query.depth.unwrap_or(USUAL_DEPTH);
    if !(1..=MOST_DEPTH).contains(&depth) {
        return Err(Problem::invalid(format!("depth is {depth}: expected 1 to {MOST_DEPTH}")));
    }
    let snapshot = api.view();
    let graphs = api.graphs(&snapshot.view.calls)?;
    let only = query.around.as_deref().map(|around| near(&snapshot, &graphs, around, depth)).transpose()?;
    Ok(Json(Graph::of(&api, &snapshot, &graphs, only.as_ref())))
}

fn near(snapshot: &Snapshot, graphs: &Graphs, around: &str, depth: u32) -> Result<BTreeSet<String>, Problem> {
    let Some(centre) = graphs.graph.find(around) else {
        // A service that is watched, and of whose calls nothing is known, is alone.
        super::services::find(snapshot, around)?;
        return Ok(BTreeSet::from([around.to_owned()]));
    };
    let places = graphs.around(centre, depth).into_iter();
    Ok(places.filter_map(|place| graphs.graph.name(place)).map(str::to_owned).collect())
}

//! Warnings and failures of linked services as one incident.

mod open;

use super::{EngineConfig, IncidentEvent, IncidentState};
use forewarn_schema::{Schema, Timestamp};
use forewarn_topology::{
    BoundHealthRules, Cascade, HealthRules, RootRanking, ServiceGraph, Strengths, TopologyError,
};
use open::Open;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Probability from which on a service counts as one that may follow.
const VICTIM: f64 = 0.05;
/// How unusual a service is at least that warns.
const MEMBER: f64 = 0.8;
/// How many times `incident_minutes` a service in trouble draws others into its incident: what fails all day is no
/// reason to join whatever fails around it.
const FRESH: f64 = 12.0;
/// How seldom a service fails at least whose trouble is news.
const NEWS: f64 = 0.5;
/// Suspects and victims that an event names.
const MOST_NAMED: usize = 10;

/// The incidents that are not closed, and who calls whom.
pub(super) struct Incidents {
    open: Open,
    graph: Option<Linked>,
    rules: Option<BoundHealthRules>,
}

/// What a minute brought of incidents.
pub(super) struct Settled {
    pub(super) events: Vec<IncidentEvent>,
    /// Incidents that became part of others, and of which.
    pub(super) merged: BTreeMap<String, String>,
}

/// Where an incident probably began, seen from one of its services.
pub(super) struct ProbableRoot {
    pub(super) service: String,
    /// Its share of suspicion.
    pub(super) share: f64,
    /// Whether the service calls it, directly or through others.
    pub(super) is_server: bool,
}

/// An incident that is not closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Incident {
    pub(super) id: String,
    pub(super) since: Timestamp,
    /// When a service warned or failed last.
    pub(super) last: Timestamp,
    /// In order of joining.
    pub(super) services: Vec<String>,
    /// When each of them warned or began to fail last, and until when others join for its sake.
    pub(super) joined: Vec<(Timestamp, Timestamp)>,
    pub(super) suspects: Vec<(String, f64)>,
    pub(super) victims: Vec<(String, f64)>,
    /// What happened in this minute that an event is to tell.
    news: Option<IncidentState>,
    /// Whether a service that it is linked with warned or failed in this minute.
    #[serde(skip)]
    is_touched: bool,
}

struct Linked {
    graph: ServiceGraph,
    cascade: Cascade,
    /// Services that call each one, directly or through others.
    dependents: Vec<usize>,
}

/// A server that shows nothing itself, while all who call it are in trouble, is suspicious: the network before it, or
/// what it does not measure. It counts a little less than the least unusual of its clients, of which there are two or
/// more.
fn with_silent_servers(graph: &ServiceGraph, own: &[f64]) -> Vec<f64> {
    const SHARE: f64 = 0.9;
    let of = |(place, &anomaly): (usize, &f64)| {
        let clients = graph.clients_of(place).map(|(client, _)| own[client]);
        let least = if clients.len() < 2 { 0.0 } else { clients.fold(1.0, f64::min) };
        anomaly.max(SHARE * least)
    };
    own.iter().enumerate().map(of).collect()
}

/// Services that call one, directly or through others.
fn callers(graph: &ServiceGraph, service: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::from([service]);
    let mut open = vec![service];
    while let Some(place) = open.pop() {
        open.extend(graph.clients_of(place).map(|(client, _)| client).filter(|&client| seen.insert(client)));
    }
    seen.remove(&service);
    seen
}

/// What is known of a service in a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition<'a> {
    pub(super) row: &'a [f32],
    /// How unusual the row is for the service, 0 to 1.
    pub(super) anomaly: f64,
    pub(super) probability: Option<f64>,
    pub(super) is_failing: bool,
    /// How unusual it is that the service fails, 0 to 1.
    pub(super) seldom: f64,
}

impl Incidents {
    /// Without a graph every service is alone. Health is known where the metrics have what the usual rules look at.
    pub(super) fn new(metrics: &Schema) -> Self {
        Self { open: Open::default(), graph: None, rules: HealthRules::v1().bind(metrics).ok() }
    }

    /// The incidents that are not closed, in order of opening.
    pub(super) fn open(&self) -> &[Incident] {
        self.open.as_slice()
    }

    /// Those that a service belongs to.
    pub(super) fn of(&self, service: &str) -> impl Iterator<Item = &Incident> {
        self.open.of(service).map(|place| &self.open[place])
    }

    /// Others take the place of the incidents that are not closed.
    pub(super) fn set_open(&mut self, open: Vec<Incident>) {
        self.open = Open::new(open);
    }

    /// Adds those that another engine knew, where they are not known here.
    pub(super) fn adopt(&mut self, incidents: Vec<Incident>) {
        for incident in incidents {
            if !self.open().iter().any(|known| known.id == incident.id) {
                self.open.push(incident);
            }
        }
    }

    /// A service is no longer known, nor an incident that was only its own.
    pub(super) fn leave(&mut self, service: &str) {
        if self.of(service).next().is_none() {
            return;
        }
        let mut open = std::mem::take(&mut self.open).into_inner();
        open.iter_mut().for_each(|incident| incident.leave(service));
        open.retain(|incident| !incident.services.is_empty());
        self.set_open(open);
    }

    pub(super) fn set_graph(&mut self, graph: ServiceGraph) -> Result<(), TopologyError> {
        let strengths = Strengths::given(&graph, Strengths::USUAL)?;
        let dependents = (0..graph.len()).map(|place| callers(&graph, place).len()).collect();
        self.graph = Some(Linked { cascade: Cascade::new(&graph, &strengths)?, graph, dependents });
        Ok(())
    }

    /// How many services call one, directly or through others, and how many there are in the graph; none without one.
    pub(super) fn dependents(&self, service: &str) -> (usize, usize) {
        let Some(linked) = &self.graph else { return (0, 0) };
        let count = linked.graph.find(service).and_then(|place| linked.dependents.get(place));
        (count.copied().unwrap_or(0), linked.graph.len())
    }

    /// A service warns or fails: the incident that it belongs to. One that mostly fails, as `seldom` says, stays in its
    /// own while that is open, and draws no other in.
    pub(super) fn touch(
        &mut self,
        service: &str,
        time: Timestamp,
        seldom: f64,
        config: &EngineConfig,
    ) -> String {
        let is_news = seldom >= NEWS;
        if !is_news && let Some(own) = self.open.of(service).next() {
            return self.open[own].id.clone();
        }
        let near = self.graph.as_ref().map(|linked| linked.near(service, config.incident_calls));
        let within = f64::from(config.incident_minutes);
        // The last trouble of a service that this one is linked with.
        let draws = if is_news { time } else { Timestamp::EPOCH };
        let reason = |incident: &Incident| {
            let members = incident.services.iter().zip(&incident.joined);
            let linked = members.filter(|(member, (_, until))| {
                let is_near = near.as_ref().is_some_and(|near| near.contains(member.as_str()));
                time.minutes_since(*until) <= within && (*member == service || is_near)
            });
            linked.map(|(_, &(touched, _))| touched).max()
        };
        let names = near.iter().flatten().copied().chain([service]);
        let places: BTreeSet<usize> = names.flat_map(|name| self.open.of(name)).collect();
        let mut found: Option<(Timestamp, usize)> = None;
        for place in places {
            let Some(touched) = reason(&self.open[place]) else { continue };
            self.open[place].is_touched = true;
            if found.is_none_or(|(latest, _)| touched > latest) {
                found = Some((touched, place));
            }
        }
        if let Some((_, own)) = found {
            let incident = &mut self.open[own];
            incident.last = time;
            match incident.services.iter().position(|member| member == service) {
                Some(place) => {
                    let (_, until) = std::mem::replace(&mut incident.joined[place], (time, draws));
                    if time.minutes_since(until) > within {
                        incident.news.get_or_insert(IncidentState::Updated);
                    }
                }
                None => {
                    incident.joined.push((time, draws));
                    incident.news.get_or_insert(IncidentState::Updated);
                    self.open.join(own, service);
                }
            }
            return self.open[own].id.clone();
        }
        let id = format!("i:{service}:{time}");
        self.open.push(Incident {
            id: id.clone(),
            since: time,
            last: time,
            services: vec![service.to_owned()],
            joined: vec![(time, draws)],
            suspects: Vec::new(),
            victims: Vec::new(),
            news: Some(IncidentState::Opened),
            is_touched: true,
        });
        id
    }

    /// The minute is over: what there is to say of incidents. One is closed when none of its services is `active`,
    /// which warn or fail, and the last was so long enough ago. Those that probably began at the same service are one.
    pub(super) fn settle<'a>(
        &mut self,
        time: Timestamp,
        config: &EngineConfig,
        active: impl IntoIterator<Item = &'a str>,
        condition: impl Fn(&str) -> Option<Condition<'a>>,
    ) -> Settled {
        let (mut events, mut merged) = (Vec::new(), BTreeMap::new());
        let within = f64::from(config.incident_minutes);
        let mut open = std::mem::take(&mut self.open);
        for service in active {
            open.each_of(service, |incident, place| {
                incident.last = time;
                let (touched, until) = &mut incident.joined[place];
                if *until != Timestamp::EPOCH && time.minutes_since(*touched) <= FRESH * within {
                    *until = time;
                }
            });
        }
        open.retain(|incident| {
            if time.minutes_since(incident.last) > within {
                events.push(incident.event(IncidentState::Closed));
                return false;
            }
            if std::mem::take(&mut incident.is_touched) {
                let root = incident.root().map(str::to_owned);
                self.assess(incident, time, config, &condition);
                if incident.root() != root.as_deref() {
                    incident.news.get_or_insert(IncidentState::Updated);
                }
            }
            true
        });
        while let Some((place, other)) = self.of_one_root(open.as_slice(), time, within) {
            let other = open.merge(place, other);
            merged.insert(other.id.clone(), open[place].id.clone());
            // One that was never told of needs no end.
            if other.news != Some(IncidentState::Opened) {
                let merged_into = Some(open[place].id.clone());
                events.push(IncidentEvent { merged_into, ..other.event(IncidentState::Closed) });
            }
            self.assess(&mut open[place], time, config, &condition);
        }
        for incident in open.as_mut_slice() {
            events.extend(incident.news.take().map(|news| incident.event(news)));
        }
        self.open = open;
        Settled { events, merged }
    }

    /// The first two incidents in which something happened of late and that probably began at the same service: the
    /// older one, and the other.
    fn of_one_root(&self, open: &[Incident], time: Timestamp, within: f64) -> Option<(usize, usize)> {
        let graph = &self.graph.as_ref()?.graph;
        let mut roots = BTreeMap::new();
        open.iter().enumerate().find_map(|(place, incident)| {
            let root = incident.root()?;
            graph.find(root)?;
            if !incident.joined.iter().any(|(_, until)| time.minutes_since(*until) <= within) {
                return None;
            }
            Some((roots.insert(root, place)?, place))
        })
    }

    /// Where an incident probably began, if that is another service than this one of its own.
    pub(super) fn root_of(&self, incident: &str, service: &str) -> Option<ProbableRoot> {
        let linked = self.graph.as_ref()?;
        let incident = self.of(service).find(|one| one.id == incident)?;
        let (root, share) = incident.suspects.first().filter(|(root, _)| root != service)?;
        Some(ProbableRoot { is_server: linked.calls(service, root), service: root.clone(), share: *share })
    }

    /// Ranks where the incident began, and who may follow, by what is known of the graph's services in this minute.
    /// Without a graph, or of a service that it lacks, the only suspects are the incident's services in order of
    /// joining.
    fn assess<'a>(
        &self,
        incident: &mut Incident,
        time: Timestamp,
        config: &EngineConfig,
        condition: impl Fn(&str) -> Option<Condition<'a>>,
    ) {
        let alone = || {
            let share = 1.0 / incident.services.len() as f64;
            incident.services.iter().map(|service| (service.clone(), share)).collect::<Vec<_>>()
        };
        let known = self
            .graph
            .as_ref()
            .filter(|linked| incident.services.iter().any(|service| linked.graph.find(service).is_some()));
        let Some(linked @ Linked { graph, cascade, .. }) = known else {
            incident.suspects = alone();
            return;
        };
        let members: BTreeSet<&str> = incident.services.iter().map(String::as_str).collect();
        // Trouble that is hours old, and trouble out of reach, began elsewhere.
        let within = f64::from(config.incident_minutes);
        let fresh = incident.services.iter().zip(&incident.joined);
        let fresh = fresh.filter(|(_, (_, until))| time.minutes_since(*until) <= within);
        let mut fresh: BTreeSet<&str> = fresh.map(|(service, _)| service.as_str()).collect();
        if fresh.is_empty() {
            fresh.clone_from(&members);
        }
        let mut reach: BTreeSet<&str> = fresh.clone();
        fresh.iter().for_each(|service| reach.extend(linked.near(service, config.incident_calls)));
        let (mut anomalies, mut own) = (vec![0.0; graph.len()], vec![0.0; graph.len()]);
        for &name in members.union(&reach) {
            let (Some(place), Some(condition)) = (graph.find(name), condition(name)) else { continue };
            let Condition { row, anomaly, probability, is_failing, seldom } = condition;
            let health = self.rules.as_ref().map_or(f64::NAN, |rules| rules.health(row));
            let unwell = if health.is_nan() { 0.0 } else { (1.0 - health).clamp(0.0, 1.0) };
            let probability = probability.unwrap_or(0.0);
            let mut unusual = if is_failing { seldom } else { anomaly.max(unwell * seldom) };
            if members.contains(name) {
                own[place] = if is_failing { 1.0 } else { probability };
            }
            if fresh.contains(name) {
                unusual = unusual.max(MEMBER);
            }
            if !reach.contains(name) {
                continue;
            }
            // Cubed: many services are a little unusual at any time, and together they would outweigh the one that is.
            anomalies[place] = unusual * unusual * unusual;
        }
        let anomalies = with_silent_servers(graph, &anomalies);
        // Both refuse only numbers that are none, or lists of another length.
        let ranked = RootRanking::default().rank(graph, &anomalies).unwrap_or_default();
        let name = |place: usize| graph.name(place).unwrap_or_default().to_owned();
        let suspects = ranked.iter().filter(|suspect| anomalies[suspect.service] > 0.0).take(MOST_NAMED);
        let suspects: Vec<_> = suspects.map(|suspect| (suspect.service, suspect.score)).collect();
        let total: f64 = suspects.iter().map(|(_, score)| score).sum();
        let shares =
            suspects.iter().filter(|_| total > 0.0).map(|&(place, score)| (name(place), score / total));
        let suspects: Vec<_> = shares.collect();
        let bounds = cascade.failure_bounds(&own).unwrap_or_default();
        let mut victims: Vec<(String, f64)> = bounds
            .iter()
            .enumerate()
            .map(|(place, &bound)| (name(place), bound))
            .filter(|(name, bound)| *bound >= VICTIM && !members.contains(name.as_str()))
            .collect();
        victims.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        victims.truncate(MOST_NAMED);
        incident.suspects = if suspects.is_empty() { alone() } else { suspects };
        incident.victims = victims;
    }
}

impl Incident {
    /// Whether a saved one has times for each of its services.
    pub(super) fn is_whole(&self) -> bool {
        self.services.len() == self.joined.len()
    }

    /// The first suspect.
    fn root(&self) -> Option<&str> {
        self.suspects.first().map(|(service, _)| service.as_str())
    }

    /// Takes in what belongs to another one.
    fn absorb(&mut self, other: Self) {
        self.last = self.last.max(other.last);
        for (service, (touched, until)) in other.services.into_iter().zip(other.joined) {
            match self.services.iter().position(|member| *member == service) {
                Some(place) => {
                    let joined = &mut self.joined[place];
                    *joined = (joined.0.max(touched), joined.1.max(until));
                }
                None => {
                    self.services.push(service);
                    self.joined.push((touched, until));
                }
            }
        }
        self.news.get_or_insert(IncidentState::Updated);
    }

    /// A service is no longer known.
    fn leave(&mut self, service: &str) {
        if let Some(place) = self.services.iter().position(|member| member == service) {
            self.services.remove(place);
            self.joined.remove(place);
        }
    }

    fn event(&self, state: IncidentState) -> IncidentEvent {
        IncidentEvent {
            id: self.id.clone(),
            state,
            since: self.since,
            services: self.services.clone(),
            suspects: self.suspects.clone(),
            victims: self.victims.clone(),
            merged_into: None,
        }
    }
}

impl Linked {
    /// Whether a service calls another one, directly or through others.
    fn calls(&self, client: &str, server: &str) -> bool {
        let (Some(client), Some(server)) = (self.graph.find(client), self.graph.find(server)) else {
            return false;
        };
        callers(&self.graph, server).contains(&client)
    }

    /// Services that call a service, or are called by it, over at most `calls` calls in a row in one direction.
    fn near(&self, service: &str, calls: u32) -> BTreeSet<&str> {
        let Some(start) = self.graph.find(service) else { return BTreeSet::new() };
        let mut found = BTreeSet::from([start]);
        for is_down in [true, false] {
            let mut edge = vec![start];
            let mut seen = BTreeSet::from([start]);
            for _ in 0..calls {
                let mut next = Vec::new();
                for place in edge {
                    let neighbours: Vec<usize> = if is_down {
                        self.graph.servers_of(place).map(|(other, _)| other).collect()
                    } else {
                        self.graph.clients_of(place).map(|(other, _)| other).collect()
                    };
                    next.extend(neighbours.into_iter().filter(|&other| seen.insert(other)));
                }
                edge = next;
            }
            found.extend(seen);
        }
        found.iter().filter_map(|&place| self.graph.name(place)).collect()
    }
}

#[cfg(test)]
mod tests;

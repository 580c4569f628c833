use crate::{ServiceGraph, TopologyError, error::refuse_unless, graph::Components};
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_schema::{Metric, Schema};
use serde::{Deserialize, Serialize};

/// Columns about the other services of a fleet: of each metric the last sample, its changes over some rows, and its
/// maximum of some rows.
///
/// [By name](Self::by_name), each service sees the columns of each other one, and nothing in those that are its own.
/// [Pooled](Self::pooled) by the graph, each service sees the largest figures of all its `dependencies`, which are the
/// services that it calls, directly or through others, and of all its `dependents`, which call it likewise. What fails
/// far below arrives through the services between, and what pools tell is learnt from all services at once, however
/// many they are. A service in a circle of calls is among its own dependencies and dependents.
///
/// | column | of |
/// |---|---|
/// | `last(NAME.metric)` | the last row |
/// | `change_3(NAME.metric)` | the last row less the row three before it |
/// | `max_10(NAME.metric)` | the last ten rows |
///
/// `NAME` is a service or a pool. Missing where no such service has a sample.
///
/// # Examples
/// ```
/// use forewarn_topology::{FleetColumns, ServiceGraph, TopologyFeatures};
///
/// let graph = ServiceGraph::from_edge_list("web api\napi database")?;
/// let fleet = FleetColumns::by_name(["error_rate"], ["web", "api", "database"])?;
/// let features = TopologyFeatures::of_fleet(&graph, fleet);
/// assert_eq!(features.columns()[0].name, "last(web.error_rate)");
/// assert_eq!(features.columns().len(), 9);
///
/// let features = TopologyFeatures::of_fleet(&graph, FleetColumns::pooled(["error_rate"])?);
/// assert_eq!(features.columns()[0].name, "last(dependencies.error_rate)");
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetColumns {
    metrics: Vec<String>,
    /// Services that are shown by name; none for pools.
    services: Vec<String>,
    changes: Vec<usize>,
    most_rows: usize,
}

/// Pools in the order of their columns.
const POOLS: [&str; 2] = ["dependencies", "dependents"];
/// Figures of a metric beside its changes: the last sample and the maximum.
const LAST_AND_MOST: usize = 2;
/// Most changes of a metric.
const MOST_CHANGES: usize = 16;
/// Most columns: a thousand services by name of three hundred metrics.
const MOST_COLUMNS: usize = 1_000_000;

impl FleetColumns {
    /// Of each of these services, each other one of which sees its metrics.
    ///
    /// # Errors
    /// [`TopologyError::Empty`] without a metric or a service.
    pub fn by_name<M: Into<String>, S: Into<String>>(
        metrics: impl IntoIterator<Item = M>,
        services: impl IntoIterator<Item = S>,
    ) -> Result<Self, TopologyError> {
        let services: Vec<String> = services.into_iter().map(Into::into).collect();
        if services.is_empty() {
            return Err(TopologyError::Empty { what: "the list of services" });
        }
        Ok(Self { services, changes: vec![3], ..Self::pooled(metrics)? })
    }

    /// Of the services that each one calls and is called by, as the graph has them.
    ///
    /// # Errors
    /// [`TopologyError::Empty`] without a metric.
    pub fn pooled<M: Into<String>>(metrics: impl IntoIterator<Item = M>) -> Result<Self, TopologyError> {
        let metrics: Vec<String> = metrics.into_iter().map(Into::into).collect();
        if metrics.is_empty() {
            return Err(TopologyError::Empty { what: "the list of metrics" });
        }
        Ok(Self { metrics, services: Vec::new(), changes: vec![1, 3, 9], most_rows: 10 })
    }

    /// With changes over, and maxima of, other numbers of rows, each 1 to 10,000; at most 16 changes, each once.
    /// Default: changes over 3 rows by name and over 1, 3 and 9 rows of pools, maxima of 10. Checked by the
    /// [`TopologyFeatures`](crate::TopologyFeatures) that have the columns.
    #[must_use]
    pub fn with_rows(self, changes: impl Into<Vec<usize>>, most_rows: usize) -> Self {
        Self { changes: changes.into(), most_rows, ..self }
    }

    pub(super) fn check(&self) -> Result<(), TopologyError> {
        if self.metrics.is_empty() {
            return Err(TopologyError::Empty { what: "the list of metrics" });
        }
        let count = self.changes.len();
        refuse_unless(count <= MOST_CHANGES, "number of changes of a metric", count as f64, "at most 16")?;
        let changes = self.changes.iter().map(|&rows| ("rows of a change", rows));
        for (what, rows) in changes.chain([("rows of a maximum", self.most_rows)]) {
            refuse_unless((1..=10_000).contains(&rows), what, rows as f64, "1 to 10 000")?;
        }
        let columns = self.names().len().saturating_mul(self.width());
        refuse_unless(
            columns <= MOST_COLUMNS,
            "number of fleet columns",
            columns as f64,
            "at most 1 000 000",
        )?;
        let mut changes = self.changes.clone();
        changes.sort_unstable();
        let repeated = changes.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        refuse_unless(repeated.is_none(), "rows of a change", repeated.unwrap_or(0) as f64, "each once")
    }

    /// Names before the dot: services or pools.
    fn names(&self) -> Vec<&str> {
        if self.is_pooled() { POOLS.to_vec() } else { self.services.iter().map(String::as_str).collect() }
    }

    fn is_pooled(&self) -> bool {
        self.services.is_empty()
    }

    /// Columns of one service or pool.
    fn width(&self) -> usize {
        self.metrics.len() * (self.changes.len() + LAST_AND_MOST)
    }

    pub(super) fn columns(&self) -> Vec<Metric> {
        let figures = |name: &str, metric: &String| -> Vec<String> {
            let changes = self.changes.iter().map(|rows| format!("change_{rows}({name}.{metric})"));
            let most = format!("max_{}({name}.{metric})", self.most_rows);
            std::iter::once(format!("last({name}.{metric})")).chain(changes).chain([most]).collect()
        };
        let of =
            |name: &&str| self.metrics.iter().flat_map(|metric| figures(name, metric)).collect::<Vec<_>>();
        self.names().iter().flat_map(of).map(Metric::gauge).collect()
    }
}

/// Fleet columns in the middle of a stream.
#[derive(Clone, Debug)]
pub(super) struct FleetState {
    settings: FleetColumns,
    /// Places of the metrics in a row.
    metrics: Vec<usize>,
    /// Where each service that is shown by name is, if it is there.
    shown: Vec<Option<usize>>,
    /// Rows that are kept of each place.
    depth: usize,
    /// Which of them the next row takes.
    next: usize,
    /// The last rows of the metrics, `[place, row, metric]`; NaN where there was none.
    rows: Vec<f32>,
    /// `[place, metric, figure]` after the last row.
    figures: Vec<f32>,
    /// What pools are made of; `None` where services are shown by name.
    reach: Option<Reach>,
}

impl FleetState {
    pub(super) fn new(
        settings: &FleetColumns,
        graph: &ServiceGraph,
        schema: &Schema,
        places: usize,
    ) -> Result<Self, TopologyError> {
        let metrics = settings.metrics.iter().map(|metric| schema.index_of(metric));
        let metrics = metrics.collect::<Result<Vec<usize>, _>>()?;
        let longest = settings.changes.iter().copied().max().unwrap_or(0);
        let reach = settings.is_pooled().then(|| Reach::new(graph, settings.width()));
        let mut state = Self {
            metrics,
            shown: Vec::new(),
            depth: settings.most_rows.max(longest + 1),
            next: 0,
            rows: Vec::new(),
            figures: Vec::new(),
            reach,
            settings: settings.clone(),
        };
        state.resize(places);
        Ok(state)
    }

    pub(super) fn settings(&self) -> &FleetColumns {
        &self.settings
    }

    /// Room for this number of places; places that are new have had no row.
    pub(super) fn resize(&mut self, places: usize) {
        self.rows.resize(places * self.depth * self.metrics.len(), f32::NAN);
        self.figures.resize(places * self.settings.width(), f32::NAN);
    }

    /// A place forgets its rows.
    pub(super) fn forget(&mut self, place: usize) {
        let size = self.depth * self.metrics.len();
        if let Some(rows) = self.rows.get_mut(place * size..(place + 1) * size) {
            rows.fill(f32::NAN);
        }
    }

    /// A place goes, and those after it move up.
    pub(super) fn remove(&mut self, place: usize) {
        let (size, figures) = (self.depth * self.metrics.len(), self.settings.width());
        self.rows.drain(place * size..(place + 1) * size);
        self.figures.drain(place * figures..(place + 1) * figures);
    }

    /// Which services there are, and where.
    pub(super) fn watch(&mut self, names: &[String], places: &[usize]) {
        let place = |service: &String| names.iter().position(|name| name == service).map(|at| places[at]);
        self.shown = self.settings.services.iter().map(place).collect();
    }

    /// Takes the rows of one time, one for each of `places`.
    pub(super) fn push(&mut self, samples: &[f32], width: usize, places: &[usize], graph: &ServiceGraph) {
        let (depth, count) = (self.depth, self.metrics.len());
        let slot = self.next;
        self.next = (slot + 1) % depth;
        for rows in self.rows.chunks_exact_mut(depth * count) {
            rows[slot * count..(slot + 1) * count].fill(f32::NAN);
        }
        for (sample, &place) in samples.chunks_exact(width).zip(places) {
            let at = (place * depth + slot) * count;
            for (kept, &metric) in self.rows[at..at + count].iter_mut().zip(&self.metrics) {
                *kept = sample[metric];
            }
        }
        let back = |rows: usize| (slot + depth - rows) % depth;
        let (changes, most) = (&self.settings.changes, self.settings.most_rows);
        let rows = self.rows.chunks_exact(depth * count);
        for (rows, figures) in rows.zip(self.figures.chunks_exact_mut(self.settings.width())) {
            for (metric, figures) in figures.chunks_exact_mut(changes.len() + LAST_AND_MOST).enumerate() {
                let at = |slot: usize| rows[slot * count + metric];
                figures[0] = at(slot);
                for (figure, &rows) in figures[1..].iter_mut().zip(changes) {
                    *figure = at(slot) - at(back(rows));
                }
                figures[changes.len() + 1] = (0..most).map(|ago| at(back(ago))).fold(f32::NAN, f32::max);
            }
        }
        if let Some(reach) = &mut self.reach {
            reach.update(graph, &self.figures);
        }
    }

    /// Writes the columns of one place.
    pub(super) fn write(&self, place: usize, out: &mut [f32]) {
        let size = self.settings.width();
        if let Some(reach) = &self.reach {
            let (below, above) = out.split_at_mut(size);
            reach.write(place, below, above);
            return;
        }
        for (shown, out) in self.shown.iter().zip(out.chunks_exact_mut(size)) {
            match shown {
                Some(other) if *other != place => {
                    out.copy_from_slice(&self.figures[other * size..(other + 1) * size]);
                }
                _ => out.fill(f32::NAN),
            }
        }
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(self.next, &self.rows), out)
    }

    /// Another state of the same settings and places, from what [`save`](Self::save) wrote.
    pub(super) fn restored(&self, from: &mut &[u8]) -> Result<Self, CoreError> {
        let (next, rows): (usize, Vec<f32>) = restore_part(from)?;
        if next >= self.depth || rows.len() != self.rows.len() || rows.iter().any(|value| value.is_infinite())
        {
            return Err(CoreError::damaged_state("its rows are not those of these services and metrics"));
        }
        Ok(Self { next, rows, ..self.clone() })
    }
}

/// The largest figures of all services that can be reached by calls, for each service of a graph: from what lies next
/// to it, in one pass in the order of the calls. Linear in calls times figures.
#[derive(Clone, Debug)]
struct Reach {
    /// Circles of calls, and services by themselves, servers before their clients.
    circles: Components,
    /// The number of the circle that each service is in.
    circle: Vec<usize>,
    /// Figures of a service.
    size: usize,
    /// `[service, figure]` of those that it calls, directly or through others.
    below: Vec<f32>,
    /// The same of those that call it.
    above: Vec<f32>,
}

impl Reach {
    fn new(graph: &ServiceGraph, size: usize) -> Self {
        let circles = graph.servers_first();
        let unknown = vec![f32::NAN; graph.len() * size];
        Self { circle: circles.numbers(), circles, size, below: unknown.clone(), above: unknown }
    }

    /// Takes the figures of all places, those of the graph first.
    fn update(&mut self, graph: &ServiceGraph, figures: &[f32]) {
        let Self { circles, circle, size, below, above } = self;
        let mut most = vec![f32::NAN; *size];
        for services in circles.iter() {
            pool(services, circle, figures, (below, &mut most), |service, each| {
                graph.servers_of(service).for_each(|(server, _)| each(server));
            });
        }
        for services in circles.iter().rev() {
            pool(services, circle, figures, (above, &mut most), |service, each| {
                graph.clients_of(service).for_each(|(client, _)| each(client));
            });
        }
    }

    /// Writes what a service reaches; nothing for one that the graph does not have, which calls no other.
    fn write(&self, service: usize, below: &mut [f32], above: &mut [f32]) {
        for (reached, out) in [(&self.below, below), (&self.above, above)] {
            match reached.get(service * self.size..(service + 1) * self.size) {
                Some(reached) => out.copy_from_slice(reached),
                None => out.fill(f32::NAN),
            }
        }
    }
}

/// The largest figures that the services of one circle reach, where all that lies beyond it has its own already.
fn pool(
    services: &[usize],
    circle: &[usize],
    figures: &[f32],
    (reached, most): (&mut [f32], &mut [f32]),
    next_to: impl Fn(usize, &mut dyn FnMut(usize)),
) {
    let size = most.len();
    let of = |service: usize| service * size..(service + 1) * size;
    most.fill(f32::NAN);
    let mut take = |values: &[f32]| {
        most.iter_mut().zip(values).for_each(|(most, &value)| *most = most.max(value));
    };
    for &service in services {
        next_to(service, &mut |other| {
            take(&figures[of(other)]);
            if circle[other] != circle[service] {
                take(&reached[of(other)]);
            }
        });
    }
    services.iter().for_each(|&service| reached[of(service)].copy_from_slice(most));
}

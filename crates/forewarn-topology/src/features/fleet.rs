use crate::{ServiceGraph, TopologyError, error::refuse_unless};
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_schema::{Metric, Schema};
use serde::{Deserialize, Serialize};

/// Columns about the other services of a fleet: of each metric the last sample, its change over some rows, and its
/// maximum of
/// some rows.
///
/// A small fleet is shown [by name](Self::by_name): each service sees the columns of each other one, and nothing in
/// those that
/// are its own. Of a large one each service sees the servers that it calls, its clients, and its siblings, which are
/// the other
/// servers of its clients, [pooled](Self::pooled): the mean of last samples and changes, the maximum of maxima.
///
/// | column | of |
/// |---|---|
/// | `last(NAME.metric)` | the last row |
/// | `change_3(NAME.metric)` | the last row less the row three before it |
/// | `max_10(NAME.metric)` | the last ten rows |
///
/// `NAME` is a service, or `servers`, `clients` or `siblings`. Missing where no such service has a sample.
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
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetColumns {
    metrics: Vec<String>,
    /// Services that are shown by name; none for pooled neighbours.
    services: Vec<String>,
    change_rows: usize,
    most_rows: usize,
}

/// Neighbours that are pooled, in the order of their columns.
const POOLS: [&str; 3] = ["servers", "clients", "siblings"];
/// Figures of a metric.
const FIGURES: usize = 3;

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
        Ok(Self { services, ..Self::pooled(metrics)? })
    }

    /// Of servers, clients and siblings by the graph.
    ///
    /// # Errors
    /// [`TopologyError::Empty`] without a metric.
    pub fn pooled<M: Into<String>>(metrics: impl IntoIterator<Item = M>) -> Result<Self, TopologyError> {
        let metrics: Vec<String> = metrics.into_iter().map(Into::into).collect();
        if metrics.is_empty() {
            return Err(TopologyError::Empty { what: "the list of metrics" });
        }
        Ok(Self { metrics, services: Vec::new(), change_rows: 3, most_rows: 10 })
    }

    /// With changes over, and maxima of, other numbers of rows, each 1 to 10,000. Default: 3 and 10. Checked by the
    /// [`TopologyFeatures`](crate::TopologyFeatures) that have the columns.
    #[must_use]
    pub fn with_rows(self, change_rows: usize, most_rows: usize) -> Self {
        Self { change_rows, most_rows, ..self }
    }

    pub(super) fn check(&self) -> Result<(), TopologyError> {
        if self.metrics.is_empty() {
            return Err(TopologyError::Empty { what: "the list of metrics" });
        }
        for (what, rows) in [("rows of a change", self.change_rows), ("rows of a maximum", self.most_rows)] {
            refuse_unless((1..=10_000).contains(&rows), what, rows as f64, "1 to 10 000")?;
        }
        Ok(())
    }

    /// Names before the dot: services or pools.
    fn names(&self) -> Vec<&str> {
        if self.services.is_empty() {
            POOLS.to_vec()
        } else {
            self.services.iter().map(String::as_str).collect()
        }
    }

    pub(super) fn columns(&self) -> Vec<Metric> {
        let figures = |name: &str, metric: &String| {
            let (change, most) = (self.change_rows, self.most_rows);
            [
                format!("last({name}.{metric})"),
                format!("change_{change}({name}.{metric})"),
                format!("max_{most}({name}.{metric})"),
            ]
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
}

impl FleetState {
    pub(super) fn new(
        settings: &FleetColumns,
        schema: &Schema,
        places: usize,
    ) -> Result<Self, TopologyError> {
        let metrics = settings.metrics.iter().map(|metric| schema.index_of(metric));
        let metrics = metrics.collect::<Result<Vec<usize>, _>>()?;
        let depth = settings.most_rows.max(settings.change_rows + 1);
        let mut state = Self {
            metrics,
            shown: Vec::new(),
            depth,
            next: 0,
            rows: Vec::new(),
            figures: Vec::new(),
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
        self.figures.resize(places * self.metrics.len() * FIGURES, f32::NAN);
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
        let (size, figures) = (self.depth * self.metrics.len(), self.metrics.len() * FIGURES);
        self.rows.drain(place * size..(place + 1) * size);
        self.figures.drain(place * figures..(place + 1) * figures);
    }

    /// Which services there are, and where.
    pub(super) fn watch(&mut self, names: &[String], places: &[usize]) {
        let place = |service: &String| names.iter().position(|name| name == service).map(|at| places[at]);
        self.shown = self.settings.services.iter().map(place).collect();
    }

    /// Takes the rows of one time, one for each of `places`.
    pub(super) fn push(&mut self, samples: &[f32], width: usize, places: &[usize]) {
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
        let (before, most) = (back(self.settings.change_rows), self.settings.most_rows);
        let rows = self.rows.chunks_exact(depth * count);
        for (rows, figures) in rows.zip(self.figures.chunks_exact_mut(count * FIGURES)) {
            for (metric, figures) in figures.chunks_exact_mut(FIGURES).enumerate() {
                let at = |slot: usize| rows[slot * count + metric];
                figures[0] = at(slot);
                figures[1] = at(slot) - at(before);
                figures[2] = (0..most).map(|ago| at(back(ago))).fold(f32::NAN, f32::max);
            }
        }
    }

    /// Writes the columns of one place.
    pub(super) fn write(&self, graph: &ServiceGraph, place: usize, out: &mut [f32]) {
        let size = self.metrics.len() * FIGURES;
        if self.settings.services.is_empty() {
            let servers = |of: usize| graph.servers_of(of).map(|(server, _)| server);
            let clients: Vec<usize> = graph.clients_of(place).map(|(client, _)| client).collect();
            let mut siblings: Vec<usize> =
                clients.iter().flat_map(|&client| servers(client)).filter(|&other| other != place).collect();
            siblings.sort_unstable();
            siblings.dedup();
            let pools = [servers(place).collect(), clients, siblings];
            for (pool, out) in pools.iter().zip(out.chunks_exact_mut(size)) {
                self.pool(pool, out);
            }
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

    /// Means of last samples and changes, the maximum of maxima.
    fn pool(&self, places: &[usize], out: &mut [f32]) {
        let size = self.metrics.len() * FIGURES;
        for (column, out) in out.iter_mut().enumerate() {
            let known = places.iter().map(|place| self.figures[place * size + column]);
            let known = known.filter(|value| !value.is_nan());
            if column % FIGURES == 2 {
                *out = known.fold(f32::NAN, f32::max);
            } else {
                let (sum, count) =
                    known.fold((0.0, 0.0), |(sum, count), value| (sum + f64::from(value), count + 1.0));
                *out = if count > 0.0 { (sum / count) as f32 } else { f32::NAN };
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

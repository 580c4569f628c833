use crate::{
    Cascade, DependencyHealth, HealthRules, RowLimit, ServiceGraph, Strengths, TopologyError,
    error::refuse_unless,
};
use forewarn_schema::{FrameSet, Kind, Metric, Schema, Step, Timestamp, Unit, UtcOffset, ValidRange};
use serde::{Deserialize, Serialize};

mod fleet;
mod saved;
mod stream;

pub use fleet::FleetColumns;
pub use stream::TopologyStream;

/// A group of columns that [`TopologyFeatures`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Group {
    /// Of the services that a service calls: `servers_worst_health`, `servers_mean_health`,
    /// `servers_worst_error_rate`, `servers_mean_error_rate`, `servers_worst_latency`, `servers_mean_latency`. Means
    /// are weighted by requests. 1, 0 and 0 for a service without calls; missing where no server has a sample.
    Servers,
    /// `dependency_health`: see [`DependencyHealth`].
    DependencyHealth,
    /// `cascade_risk`: the probability that its servers bring it down, when each fails on its own with one minus its
    /// health; the bound of [`Cascade::failure_bounds`].
    CascadeRisk,
    /// `critical_path_latency`: the longest sum of latencies along calls from the service down; see
    /// [`LatencyKind::Exclusive`](crate::LatencyKind::Exclusive).
    CriticalPath,
    /// `violations` and `servers_violations`: violations of [limits](RowLimit) in the last rows, of the service and
    /// of all services that it calls.
    Violations,
    /// `hour` (0 to 23), `peak_hour` and `weekend` (0 or 1), by the clock of the rows.
    Calendar,
}

impl Group {
    /// All groups, in the order of their columns.
    pub const ALL: [Self; 6] = [
        Self::Servers,
        Self::DependencyHealth,
        Self::CascadeRisk,
        Self::CriticalPath,
        Self::Violations,
        Self::Calendar,
    ];

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Servers => &[
                "servers_worst_health",
                "servers_mean_health",
                "servers_worst_error_rate",
                "servers_mean_error_rate",
                "servers_worst_latency",
                "servers_mean_latency",
            ],
            Self::DependencyHealth => &["dependency_health"],
            Self::CascadeRisk => &["cascade_risk"],
            Self::CriticalPath => &["critical_path_latency"],
            Self::Violations => &["violations", "servers_violations"],
            Self::Calendar => &["hour", "peak_hour", "weekend"],
        }
    }
}

/// What the service graph says of each service at each row, as columns for a model: so that a client's model sees
/// trouble in its servers before it arrives.
///
/// Unlike other features these need the rows of all services at once. A row is computed from rows of the same time
/// and before, never later; a stream ([`stream`](Self::stream)) gives the values of a frame set. Services that the
/// graph does not know have no calls; services of the graph that have no row at a time are of unknown health and
/// count as healthy.
///
/// ```
/// use forewarn_schema::{Frame, FrameSet, Schema, Step, Timestamp};
/// use forewarn_topology::{ServiceGraph, TopologyFeatures};
///
/// let frame = |service: &str, error_rate: f32| {
///     let row = [1200.0, error_rate, 100.0, 160.0, 220.0, 0.3, 0.4, 200.0, 180.0, 0.0];
///     Frame::new(service, Schema::v1(), Timestamp::EPOCH, Step::MINUTE, row.to_vec())
/// };
/// let frames = FrameSet::from_frames(vec![frame("gateway", 0.0)?, frame("user", 0.0)?, frame("database", 0.4)?])?;
/// let graph = ServiceGraph::from_edge_list("gateway user\n user database")?;
///
/// let features = TopologyFeatures::new(&graph).compute(&frames)?;
/// let column = features.schema().index_of("servers_worst_error_rate")?;
/// let user = features.frame(2).unwrap().row(0).unwrap();
/// assert_eq!(user[column], 0.4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TopologyFeatures {
    graph: ServiceGraph,
    strengths: Strengths,
    rules: HealthRules,
    dependence: f64,
    error_rate: String,
    latency: String,
    limits: Vec<RowLimit>,
    violation_rows: usize,
    peak_hours: [u8; 2],
    utc_offset: UtcOffset,
    groups: Vec<Group>,
    fleet: Option<FleetColumns>,
}

impl TopologyFeatures {
    /// Rows over which violations are counted, unless said otherwise.
    pub const VIOLATION_ROWS: usize = 30;

    /// All groups, for the v1 metrics: [`HealthRules::v1`], [`RowLimit::v1`], the graph's strengths
    /// ([`Strengths::USUAL`] where it has none), peak hours from 9 to 18 UTC.
    #[must_use]
    pub fn new(graph: &ServiceGraph) -> Self {
        Self {
            graph: graph.clone(),
            strengths: Strengths::given(graph, Strengths::USUAL)
                .expect("the usual strength is a probability"),
            rules: HealthRules::v1(),
            dependence: DependencyHealth::DEPENDENCE,
            error_rate: "error_rate".to_owned(),
            latency: "p99_latency".to_owned(),
            limits: RowLimit::v1(),
            violation_rows: Self::VIOLATION_ROWS,
            peak_hours: [9, 18],
            utc_offset: UtcOffset::UTC,
            groups: Group::ALL.to_vec(),
            fleet: None,
        }
    }

    /// Columns about the other services alone, and no group.
    #[must_use]
    pub fn of_fleet(graph: &ServiceGraph, fleet: FleetColumns) -> Self {
        Self { groups: Vec::new(), fleet: Some(fleet), ..Self::new(graph) }
    }

    /// The same with columns about the other services behind those of the groups.
    #[must_use]
    pub fn with_fleet(self, fleet: FleetColumns) -> Self {
        Self { fleet: Some(fleet), ..self }
    }

    /// Only these groups; all unless said otherwise. At least one, or columns about the other services.
    #[must_use]
    pub fn with_groups(self, groups: &[Group]) -> Self {
        let groups = Group::ALL.into_iter().filter(|group| groups.contains(group)).collect();
        Self { groups, ..self }
    }

    /// Other strengths of the same graph, such as learnt ones.
    #[must_use]
    pub fn with_strengths(self, strengths: Strengths) -> Self {
        Self { strengths, ..self }
    }

    /// Other rules of health.
    #[must_use]
    pub fn with_health_rules(self, rules: HealthRules) -> Self {
        Self { rules, ..self }
    }

    /// Another dependence on servers, 0 to 0.95; see [`DependencyHealth`].
    #[must_use]
    pub fn with_dependence(self, dependence: f64) -> Self {
        Self { dependence, ..self }
    }

    /// Other metrics for error rate and latency of servers.
    #[must_use]
    pub fn with_metrics(self, error_rate: impl Into<String>, latency: impl Into<String>) -> Self {
        Self { error_rate: error_rate.into(), latency: latency.into(), ..self }
    }

    /// Other limits, each a finite number, and over how many rows their violations are counted, 1 to 1,000,000.
    #[must_use]
    pub fn with_violations(self, limits: Vec<RowLimit>, rows: usize) -> Self {
        Self { limits, violation_rows: rows, ..self }
    }

    /// Other peak hours, 0 to 24, from the start of one hour to the start of another (over midnight if that comes
    /// earlier), on a clock that may not show UTC.
    #[must_use]
    pub fn with_clock(self, peak_from: u8, peak_to: u8, utc_offset: UtcOffset) -> Self {
        Self { peak_hours: [peak_from, peak_to], utc_offset, ..self }
    }

    /// Refuses settings out of range.
    fn check(&self) -> Result<(), TopologyError> {
        match &self.fleet {
            Some(fleet) => fleet.check()?,
            None if self.groups.is_empty() => {
                return Err(TopologyError::Empty { what: "the list of groups" });
            }
            None => {}
        }
        Cascade::new(&self.graph, &self.strengths)?;
        DependencyHealth::new(&self.graph).with_dependence(self.dependence).check()?;
        let rows = self.violation_rows;
        refuse_unless((1..=1_000_000).contains(&rows), "rows of violations", rows as f64, "1 to 1 000 000")?;
        self.limits.iter().try_for_each(RowLimit::check)?;
        let last = self.peak_hours[0].max(self.peak_hours[1]);
        refuse_unless(last <= 24, "peak hour", f64::from(last), "0 to 24")
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> Vec<Metric> {
        let named = self.groups.iter().flat_map(|group| group.columns());
        let fleet = self.fleet.as_ref().map(FleetColumns::columns).unwrap_or_default();
        named.map(|&name| column(name)).chain(fleet).collect()
    }

    /// Computes the columns for every row of every service. Linear in rows times calls.
    ///
    /// # Errors
    /// A setting out of range: [`TopologyError::Empty`] without a column, [`TopologyError::LengthMismatch`] for
    /// strengths of another graph, [`TopologyError::InvalidNumber`]. [`TopologyError::NoSharedName`] for frames of
    /// other services than the graph's;
    /// [`forewarn_schema::SchemaError::UnknownMetric`] for a metric that a group needs, [`TopologyError::OffClock`]
    /// for services whose rows are not at the same times.
    pub fn compute(&self, frames: &FrameSet) -> Result<FrameSet, TopologyError> {
        self.check()?;
        let schema = Schema::new(self.columns())?;
        let places = frames.layout().services();
        let names: Vec<&str> = places.iter().map(|place| place.name()).collect();
        // All services are known here; of a stream more may still come.
        self.graph.compare_names(names.iter().copied())?;
        let mut values = vec![f32::NAN; frames.layout().rows() * schema.len()];
        let Some(start) =
            places.iter().filter(|place| !place.rows().is_empty()).map(|place| place.start()).min()
        else {
            return Ok(frames.derive(schema, values)?);
        };
        let step = frames.layout().step();
        let mut offsets = Vec::with_capacity(names.len());
        let mut end = 0;
        for place in places {
            let behind = place.start().millis() - start.millis();
            if behind % step.millis() != 0 && !place.rows().is_empty() {
                return Err(TopologyError::OffClock {
                    service: place.name().to_owned(),
                    start: place.start(),
                    first: start,
                });
            }
            // Only of a service without rows can this be negative.
            let offset = usize::try_from(behind / step.millis()).unwrap_or(0);
            end = end.max(offset + place.rows().len());
            offsets.push(offset);
        }
        let mut stream = self.stream(frames.schema(), &names, start, step)?;
        let (width, wide) = (frames.schema().len(), schema.len());
        let mut samples = vec![f32::NAN; names.len() * width];
        for slot in 0..end {
            let row_of = |service: usize| {
                let row = slot.checked_sub(offsets[service])?;
                (row < places[service].rows().len()).then(|| places[service].rows().start + row)
            };
            for (service, sample) in samples.chunks_exact_mut(width).enumerate() {
                match row_of(service) {
                    Some(row) => sample.copy_from_slice(&frames.values()[row * width..(row + 1) * width]),
                    None => sample.fill(f32::NAN),
                }
            }
            let made = stream.push(&samples)?;
            for (service, made) in made.chunks_exact(wide).enumerate() {
                if let Some(row) = row_of(service) {
                    values[row * wide..(row + 1) * wide].copy_from_slice(made);
                }
            }
        }
        Ok(frames.derive(schema, values)?)
    }

    /// The frames with these columns after their own.
    ///
    /// # Errors
    /// As [`compute`](Self::compute), and [`forewarn_schema::SchemaError::DuplicateMetric`] for frames that have such
    /// a column already.
    pub fn append(&self, frames: &FrameSet) -> Result<FrameSet, TopologyError> {
        let made = self.compute(frames)?;
        let schema = Schema::new([frames.schema().metrics(), made.schema().metrics()].concat())?;
        Ok(frames.beside(&[&made], schema)?)
    }

    /// The same columns for live rows of `services`, whose first is at `start`.
    ///
    /// # Errors
    /// A setting out of range, as [`compute`](Self::compute); [`forewarn_schema::SchemaError::UnknownMetric`],
    /// [`TopologyError::DuplicateService`]. Services that the graph lacks are none, since others may still come.
    pub fn stream(
        &self,
        schema: &Schema,
        services: &[&str],
        start: Timestamp,
        step: Step,
    ) -> Result<TopologyStream, TopologyError> {
        self.check()?;
        TopologyStream::new(self, schema, services, start, step)
    }
}

fn column(name: &str) -> Metric {
    let (unit, range) = match name {
        "servers_worst_latency" | "servers_mean_latency" | "critical_path_latency" => {
            (Unit::Milliseconds, ValidRange::NON_NEGATIVE)
        }
        "violations" | "servers_violations" | "hour" => (Unit::Dimensionless, ValidRange::NON_NEGATIVE),
        // An error rate may be of any unit in a schema of one's own.
        "servers_worst_error_rate" | "servers_mean_error_rate" => (Unit::Ratio, ValidRange::FINITE),
        _ => (Unit::Ratio, ValidRange::UNIT),
    };
    Metric::new(name, unit, Kind::Gauge, range)
}

#[cfg(test)]
mod tests;

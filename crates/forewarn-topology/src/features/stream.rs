use super::{Group, TopologyFeatures, fleet::FleetState};
use crate::{
    BoundHealthRules, Cascade, CriticalPaths, DependencyHealth, LatencyKind, ServiceGraph, TopologyError,
    error::same_length,
};
use forewarn_core::{CoreError, Fingerprint, restore_part, save_part, seal, unseal};
use forewarn_schema::{Schema, Step, Timestamp};
use std::collections::VecDeque;

/// [`TopologyFeatures`] of live rows: all services of one time, then of the next. Equal to
/// [`TopologyFeatures::compute`], bit for bit.
///
/// A saved state takes a byte a row and service of the violations that are counted, and about 40.
#[derive(Clone, Debug)]
pub struct TopologyStream {
    graph: ServiceGraph,
    /// Where in the graph each watched service is; services that it lacks come after those that it has.
    places: Vec<usize>,
    names: Vec<String>,
    schema: Schema,
    groups: Vec<Group>,
    error_rate: Option<usize>,
    latency: Option<usize>,
    rules: Option<BoundHealthRules>,
    dependency: DependencyHealth,
    cascade: Cascade,
    paths: CriticalPaths,
    /// Metrics with the most that they may be.
    limits: Vec<(usize, f64)>,
    counts: Vec<Recent>,
    fleet: Option<FleetState>,
    clock: Clock,
    columns: usize,
    violation_rows: usize,
    out: Vec<f32>,
}

/// Violations in the last rows.
#[derive(Clone, Debug)]
struct Recent {
    rows: usize,
    each: VecDeque<u32>,
    sum: u32,
}

impl Recent {
    fn push(&mut self, violations: u32) {
        self.each.push_back(violations);
        self.sum += violations;
        if self.each.len() > self.rows {
            self.sum -= self.each.pop_front().unwrap_or(0);
        }
    }
}

#[derive(Clone, Debug)]
struct Clock {
    /// The next row's time, in milliseconds on the local clock.
    next: i64,
    step: i64,
    peak_hours: [u8; 2],
}

impl Clock {
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * Self::HOUR;

    /// Hour, whether it is a peak hour, and whether it is Saturday or Sunday; and goes on to the next row.
    fn tick(&mut self) -> [f32; 3] {
        let (day, within) = (self.next.div_euclid(Self::DAY), self.next.rem_euclid(Self::DAY));
        self.next = self.next.saturating_add(self.step);
        let hour = (within / Self::HOUR) as u8;
        let [start, end] = self.peak_hours;
        // Hours that end before they begin go over midnight.
        let peak = if start <= end { (start..end).contains(&hour) } else { hour >= start || hour < end };
        // 1970-01-01 was a Thursday.
        let weekend = matches!((day + 3).rem_euclid(7), 5 | 6);
        [f32::from(hour), f32::from(u8::from(peak)), f32::from(u8::from(weekend))]
    }
}

impl TopologyStream {
    pub(super) fn new(
        features: &TopologyFeatures,
        schema: &Schema,
        services: &[&str],
        start: Timestamp,
        step: Step,
    ) -> Result<Self, TopologyError> {
        let has = |groups: &[Group]| features.groups.iter().any(|group| groups.contains(group));
        let metric = |needed: bool, name: &str| needed.then(|| schema.index_of(name)).transpose();
        let mut names: Vec<&str> = services.to_vec();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TopologyError::DuplicateService { service: pair[0].to_owned() });
        }
        let mut beyond = features.graph.len();
        let places = services.iter().map(|service| {
            features.graph.find(service).unwrap_or_else(|| {
                beyond += 1;
                beyond - 1
            })
        });
        let places: Vec<usize> = places.collect();
        let watched = has(&[Group::Servers, Group::DependencyHealth, Group::CascadeRisk]);
        let limits = if has(&[Group::Violations]) { &features.limits[..] } else { &[] };
        let limits = limits.iter().map(|limit| Ok((schema.index_of(&limit.metric)?, limit.at_most)));
        let recent = || Recent { rows: features.violation_rows, each: VecDeque::new(), sum: 0 };
        let columns = features.columns().len();
        let fleet = features
            .fleet
            .as_ref()
            .map(|fleet| FleetState::new(fleet, &features.graph, schema, beyond))
            .transpose()?;
        let mut stream = Self {
            fleet,
            names: services.iter().map(|&service| service.to_owned()).collect(),
            schema: schema.clone(),
            groups: features.groups.clone(),
            error_rate: metric(has(&[Group::Servers]), &features.error_rate)?,
            latency: metric(has(&[Group::Servers, Group::CriticalPath]), &features.latency)?,
            rules: watched.then(|| features.rules.bind(schema)).transpose()?,
            dependency: DependencyHealth::new(&features.graph).with_dependence(features.dependence),
            cascade: Cascade::new(&features.graph, &features.strengths)?,
            paths: CriticalPaths::new(&features.graph, LatencyKind::Exclusive),
            limits: limits.collect::<Result<_, TopologyError>>()?,
            counts: vec![recent(); beyond],
            clock: Clock {
                next: start.millis().saturating_add(features.utc_offset.millis()),
                step: step.millis(),
                peak_hours: features.peak_hours,
            },
            columns,
            violation_rows: features.violation_rows,
            out: vec![f32::NAN; services.len() * columns],
            graph: features.graph.clone(),
            places,
        };
        stream.watch_fleet();
        Ok(stream)
    }

    /// Tells the columns about other services which services there are now.
    fn watch_fleet(&mut self) {
        if let Some(fleet) = &mut self.fleet {
            fleet.resize(self.counts.len());
            fleet.watch(&self.names, &self.places);
        }
    }

    /// One more service from the next row on, behind the others: as if it had been there without rows. One that the
    /// graph does not have calls no other.
    ///
    /// # Errors
    /// [`TopologyError::DuplicateService`] for one that is there.
    pub fn join(&mut self, service: &str) -> Result<(), TopologyError> {
        if self.names.iter().any(|name| name == service) {
            return Err(TopologyError::DuplicateService { service: service.to_owned() });
        }
        self.places.push(match self.graph.find(service) {
            Some(place) => place,
            None => {
                self.counts.push(Recent { rows: self.violation_rows, each: VecDeque::new(), sum: 0 });
                self.counts.len() - 1
            }
        });
        self.names.push(service.to_owned());
        self.out.resize(self.names.len() * self.columns, f32::NAN);
        self.watch_fleet();
        Ok(())
    }

    /// The service at a position goes, and the last one takes its position; a position beyond all changes nothing.
    pub fn swap_leave(&mut self, position: usize) {
        if position >= self.names.len() {
            return;
        }
        self.names.swap_remove(position);
        let place = self.places.swap_remove(position);
        if place >= self.graph.len() {
            self.counts.remove(place);
            if let Some(fleet) = &mut self.fleet {
                fleet.remove(place);
            }
            for other in self.places.iter_mut().filter(|other| **other > place) {
                *other -= 1;
            }
        } else {
            let rows = self.violation_rows;
            self.counts[place] = Recent { rows, each: VecDeque::new(), sum: 0 };
            if let Some(fleet) = &mut self.fleet {
                fleet.forget(place);
            }
        }
        self.out.truncate(self.names.len() * self.columns);
        self.watch_fleet();
    }

    /// Takes the next row of every service, one after another in the order of the services (NaN where a sample or a
    /// whole row is missing), and gives their columns in the same order.
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`] unless there is a row for each service, and as [`Schema::check_row`],
    /// [at](TopologyError::At) the service, for a row that no frame could hold. Both leave the stream as it was.
    pub fn push(&mut self, samples: &[f32]) -> Result<&[f32], TopologyError> {
        same_length("values of a time", self.places.len() * self.schema.len(), samples.len())?;
        for (service, row) in self.names.iter().zip(samples.chunks_exact(self.schema.len())) {
            self.schema.check_row(row).map_err(|error| TopologyError::from(error).at(service))?;
        }
        let moment = self.moment(samples);
        if let Some(fleet) = &mut self.fleet {
            fleet.push(samples, self.schema.len(), &self.places, &self.graph);
        }
        for (service, out) in self.out.chunks_exact_mut(self.columns).enumerate() {
            let place = self.places[service];
            let mut rest = out;
            for group in &self.groups {
                let (columns, after) = rest.split_at_mut(group.columns().len());
                moment.write(&self.graph, *group, place, columns);
                rest = after;
            }
            if let Some(fleet) = &self.fleet {
                fleet.write(place, rest);
            }
        }
        Ok(&self.out)
    }

    /// Appends what has been seen to `out`: which service violated how many objectives in the last rows, and the time.
    ///
    /// # Errors
    /// [`TopologyError::Core`] for what is more than 4 GiB.
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), TopologyError> {
        let counts: Vec<&VecDeque<u32>> = self.counts.iter().map(|recent| &recent.each).collect();
        Ok(seal(self.fingerprint()?, out, |out| {
            save_part(&(self.clock.next, counts), out)?;
            self.fleet.as_ref().map_or(Ok(()), |fleet| fleet.save(out))
        })?)
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same bits as if it
    /// had never stopped.
    ///
    /// # Errors
    /// [`TopologyError::Core`] with [`CoreError::DamagedState`], or [`CoreError::ForeignState`] for other services,
    /// metrics, steps or columns. The stream is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), TopologyError> {
        let mut rest = *from;
        let mut body = unseal(self.fingerprint()?, "these columns of the service graph", &mut rest)?;
        let (next, counts): (i64, Vec<VecDeque<u32>>) = restore_part(&mut body)?;
        let fleet = self.fleet.as_ref().map(|fleet| fleet.restored(&mut body)).transpose()?;
        let most = self.limits.len() as u32;
        let is_sound = counts.len() == self.counts.len()
            && counts.iter().zip(&self.counts).all(|(each, recent)| each.len() <= recent.rows)
            && counts.iter().flatten().all(|&violations| violations <= most);
        if !is_sound {
            return Err(CoreError::damaged_state(
                "its violations are not those of these services and objectives",
            )
            .into());
        }
        (self.clock.next, self.fleet) = (next, fleet);
        for (recent, each) in self.counts.iter_mut().zip(counts) {
            (recent.sum, recent.each) = (each.iter().sum(), each);
        }
        *from = rest;
        Ok(())
    }

    fn fingerprint(&self) -> Result<Fingerprint, CoreError> {
        let rows = self.violation_rows;
        let settings =
            (&self.names, &self.places, self.columns, self.clock.step, self.clock.peak_hours, rows);
        let fingerprint = Fingerprint::of("topology").and(&self.schema)?.and(&settings)?;
        self.fleet.as_ref().map_or(Ok(fingerprint), |fleet| fingerprint.and(fleet.settings()))
    }

    /// What is known of every service at the next time.
    fn moment(&mut self, samples: &[f32]) -> Moment {
        let everyone = self.counts.len();
        let known = self.graph.len();
        let mut moment = Moment {
            health: vec![f64::NAN; everyone],
            error_rate: vec![f64::NAN; everyone],
            latency: vec![f64::NAN; everyone],
            violations: Vec::new(),
            dependency: Vec::new(),
            risk: Vec::new(),
            path: Vec::new(),
            clock: self.clock.tick(),
        };
        for (service, row) in samples.chunks_exact(self.schema.len()).enumerate() {
            let place = self.places[service];
            let sample = |metric: Option<usize>| metric.map_or(f64::NAN, |metric| f64::from(row[metric]));
            moment.error_rate[place] = sample(self.error_rate);
            // A schema of one's own may let a latency be negative.
            moment.latency[place] = sample(self.latency).max(0.0);
            if self.latency.is_none_or(|metric| row[metric].is_nan()) {
                moment.latency[place] = f64::NAN;
            }
            moment.health[place] = self.rules.as_ref().map_or(f64::NAN, |rules| rules.health(row));
            // NaN is above nothing.
            let violated = self.limits.iter().map(|&(metric, at_most)| f64::from(row[metric]) > at_most);
            self.counts[place].push(violated.map(u32::from).sum());
        }
        moment.violations = self.counts.iter().map(|recent| f64::from(recent.sum)).collect();
        let in_range = "health is 0 to 1, and there is one for each service of the graph";
        if self.groups.contains(&Group::DependencyHealth) {
            moment.dependency = self.dependency.solve(&moment.health[..known]);
            let alone =
                moment.health[known..].iter().map(|health| if health.is_nan() { 1.0 } else { *health });
            moment.dependency.extend(alone);
        }
        if self.groups.contains(&Group::CascadeRisk) {
            let own = moment.health[..known].iter().map(|health| (1.0 - health).max(0.0));
            moment.risk = self.cascade.risks_from_servers(&own.collect::<Vec<_>>()).expect(in_range);
            moment.risk.resize(everyone, 0.0);
        }
        if self.groups.contains(&Group::CriticalPath) {
            moment.path = self.paths.end_to_end(moment.latency[..known].to_vec());
            moment.path.extend(moment.latency[known..].iter().map(|latency| latency.max(0.0)));
        }
        moment
    }
}

/// What is known of every service at one time.
struct Moment {
    health: Vec<f64>,
    error_rate: Vec<f64>,
    latency: Vec<f64>,
    violations: Vec<f64>,
    dependency: Vec<f64>,
    risk: Vec<f64>,
    path: Vec<f64>,
    clock: [f32; 3],
}

impl Moment {
    fn write(&self, graph: &ServiceGraph, group: Group, place: usize, out: &mut [f32]) {
        match group {
            Group::Servers => {
                let of = |values, worst, none| neighbours(graph, place, values, worst, none);
                let health = of(&self.health, f64::min, 1.0);
                let errors = of(&self.error_rate, f64::max, 0.0);
                let latency = of(&self.latency, f64::max, 0.0);
                let all = [health, errors, latency].concat();
                out.iter_mut().zip(all).for_each(|(out, value)| *out = value as f32);
            }
            Group::DependencyHealth => out[0] = self.dependency[place] as f32,
            Group::CascadeRisk => out[0] = self.risk[place] as f32,
            // Far beyond any latency, but within a single-precision number.
            Group::CriticalPath => out[0] = self.path[place].min(f64::from(f32::MAX)) as f32,
            Group::Violations => {
                out[0] = self.violations[place] as f32;
                out[1] =
                    graph.servers_of(place).map(|(server, _)| self.violations[server]).sum::<f64>() as f32;
            }
            Group::Calendar => out.copy_from_slice(&self.clock),
        }
    }
}

/// The worst and the mean of a service's servers; `none` twice for a service without calls, NaN where no server has a
/// sample.
fn neighbours(
    graph: &ServiceGraph,
    client: usize,
    values: &[f64],
    worst: fn(f64, f64) -> f64,
    none: f64,
) -> [f64; 2] {
    let servers = graph.servers_of(client);
    if servers.len() == 0 {
        return [none; 2];
    }
    let (mut most, mut sum, mut weights, mut plain, mut count) = (f64::NAN, 0.0, 0.0, 0.0, 0.0);
    for (server, traffic) in servers.filter(|(server, _)| !values[*server].is_nan()) {
        most = worst(most, values[server]);
        sum += traffic.requests * values[server];
        weights += traffic.requests;
        plain += values[server];
        count += 1.0;
    }
    // Calls without any request count the same.
    [most, if weights > 0.0 { sum / weights } else { plain / count }]
}

use crate::SimError;
use crate::fleet::{Failure, FaultId, FaultRecord, Fleet, Simulation, cascade};
use forewarn_core::FailureRule;
use forewarn_schema::{Episode, Frame, Schema, Step, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// Rows that the rule is shown before a fault, for what it compares with.
const CONTEXT: usize = 60;
/// Minutes for which a world without a fault is followed after the fault is over, if it does not become the same again.
const LINGER: usize = 1_440;
const METRICS: usize = 10;
/// Minutes after which the world is copied. A copy takes as long as a step, and few minutes have a fault that begins.
const KEPT: usize = 16;

/// Why everything that failed did: the ground truth of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Causes {
    /// All failures, by onset, then by service.
    pub failures: Vec<Failure>,
    /// All faults that began.
    pub log: Vec<FaultRecord>,
    /// Names of the services, in order: what positions in failures refer to.
    pub services: Vec<String>,
}

impl Causes {
    /// Failures of one root fault, by onset: first those of the service it struck, then the victims, if they failed
    /// in that order.
    pub fn of(&self, root: FaultId) -> impl Iterator<Item = &Failure> {
        self.failures.iter().filter(move |failure| failure.root == Some(root))
    }

    /// The fault of a number.
    #[must_use]
    pub fn fault(&self, id: FaultId) -> Option<&FaultRecord> {
        self.log.binary_search_by_key(&id, |record| record.id).ok().map(|at| &self.log[at])
    }
}

/// The world in which one fault did not happen, from the minute on in which it would have begun.
struct Shadow {
    fault: FaultId,
    simulation: Simulation,
    from: usize,
    /// `[service][row * metric]`.
    rows: Vec<Vec<f32>>,
}

impl Fleet {
    /// Runs the fleet and finds out why each failure by `rule` happened, by asking what would have been: for every
    /// fault that begins, the same world without it is simulated along, with the same luck in everything else. A
    /// failure that it does not have was caused by that fault.
    ///
    /// So a cause is found wherever it acts, through calls, retries, queues that take an hour to drain, or an
    /// engineer who shed load; no rule of thumb about who calls whom is needed.
    ///
    /// Cost: a run, times one plus the faults that act at a time. Memory: the run's metrics and those of the worlds
    /// at that time.
    ///
    /// # Errors
    /// What `rule` refuses.
    ///
    /// # References
    /// J. Y. Halpern, *Actual Causality*, MIT Press, 2016, chapter 2: but-for causes.
    pub fn causes(&self, rule: &dyn FailureRule) -> Result<Causes, SimError> {
        let services = self.blueprint.services().len();
        let mut simulation = self.simulation()?;
        let mut rows: Vec<Vec<f32>> = vec![Vec::new(); services];
        let mut shadows: Vec<Shadow> = Vec::new();
        let mut found: BTreeMap<(Timestamp, usize), Vec<FaultId>> = BTreeMap::new();
        let mut kept = simulation.clone();
        for minute in 0..self.minutes {
            if minute % KEPT == 0 {
                kept.clone_from(&simulation);
            }
            let known = simulation.log().len();
            simulation.step();
            let began = &simulation.log()[known..];
            if !began.is_empty() {
                // The same steps give the same world, as it was before this one.
                (kept.minutes()..minute).for_each(|_| kept.step());
            }
            for record in began {
                let without = kept.without(record.id);
                let rows = vec![Vec::new(); services];
                shadows.push(Shadow { fault: record.id, simulation: without, from: minute, rows });
            }
            keep(&simulation, &mut rows);
            for shadow in &mut shadows {
                shadow.simulation.step();
                keep(&shadow.simulation, &mut shadow.rows);
            }
            let is_last = minute + 1 == self.minutes;
            for index in (0..shadows.len()).rev() {
                if is_last || shadows[index].is_of_no_more_use(&simulation, minute) {
                    let shadow = shadows.swap_remove(index);
                    self.compare(&shadow, &rows, rule, &mut found)?;
                }
            }
        }
        let mut failures = self.failures(rule, rows, &found)?;
        let log = simulation.log().to_vec();
        for failure in &mut failures {
            let record =
                |id: &FaultId| log.binary_search_by_key(id, |record| record.id).ok().map(|at| &log[at]);
            let roots = failure.causes.iter().filter_map(record);
            let root = roots.max_by_key(|record| (!record.injection.kind.is_routine(), record.id));
            failure.root = root.map(|record| record.id);
            failure.root_service =
                root.and_then(|record| self.blueprint.index_of(&record.injection.target).ok());
        }
        cascade::link(&self.blueprint, &mut failures);
        let services = self.blueprint.services().iter().map(|service| service.name.clone()).collect();
        Ok(Causes { failures, log, services })
    }

    /// Notes the failures that the world has and the shadow does not.
    fn compare(
        &self,
        shadow: &Shadow,
        rows: &[Vec<f32>],
        rule: &dyn FailureRule,
        found: &mut BTreeMap<(Timestamp, usize), Vec<FaultId>>,
    ) -> Result<(), SimError> {
        let first = shadow.from.saturating_sub(CONTEXT);
        for (service, (world, without)) in rows.iter().zip(&shadow.rows).enumerate() {
            let to = shadow.from * METRICS + without.len();
            let real = &world[first * METRICS..to];
            let unreal = [&world[first * METRICS..shadow.from * METRICS], without].concat();
            if real.iter().map(|value| value.to_bits()).eq(unreal.iter().map(|value| value.to_bits())) {
                continue;
            }
            let real = self.episodes(service, first, real.to_vec(), rule)?;
            let unreal = self.episodes(service, first, unreal, rule)?;
            let start = self.time(shadow.from);
            for episode in real.iter().filter(|episode| episode.onset() >= start) {
                let survives = |other: &Episode| {
                    other.onset() <= episode.confirmed_at() && other.end() > episode.onset()
                };
                if !unreal.iter().any(survives) {
                    found.entry((episode.onset(), service)).or_default().push(shadow.fault);
                }
            }
        }
        Ok(())
    }

    fn failures(
        &self,
        rule: &dyn FailureRule,
        rows: Vec<Vec<f32>>,
        found: &BTreeMap<(Timestamp, usize), Vec<FaultId>>,
    ) -> Result<Vec<Failure>, SimError> {
        let mut failures = Vec::new();
        for (service, values) in rows.into_iter().enumerate() {
            for episode in self.episodes(service, 0, values, rule)? {
                let mut causes = found.get(&(episode.onset(), service)).cloned().unwrap_or_default();
                causes.sort();
                failures.push(Failure {
                    service,
                    episode,
                    causes,
                    root: None,
                    root_service: None,
                    parent: None,
                });
            }
        }
        failures.sort_by_key(|failure| (failure.episode.onset(), failure.service));
        Ok(failures)
    }

    fn episodes(
        &self,
        service: usize,
        first: usize,
        values: Vec<f32>,
        rule: &dyn FailureRule,
    ) -> Result<Vec<Episode>, SimError> {
        let name = self.blueprint.services()[service].name.as_str();
        let frame = Frame::new(name, Schema::v1(), self.time(first), Step::MINUTE, values)?;
        Ok(rule.assess(frame.view())?.episodes.to_vec())
    }

    fn time(&self, row: usize) -> Timestamp {
        // The calendar was checked for the whole run.
        self.start.checked_add(Step::MINUTE, row as i64).unwrap_or(self.start)
    }
}

impl Shadow {
    /// Whether the fault is over and the world as if it had never been, or as good as.
    fn is_of_no_more_use(&self, world: &Simulation, minute: usize) -> bool {
        let record = world.log().binary_search_by_key(&self.fault, |record| record.id);
        let ended = record.ok().and_then(|at| world.log()[at].ended);
        let Some(ended) = ended else { return false };
        let over = world.now().minutes_since(ended) as usize;
        over > 0 && (over > LINGER || (minute > self.from && self.simulation.has_converged_to(world)))
    }
}

fn keep(simulation: &Simulation, rows: &mut [Vec<f32>]) {
    rows.iter_mut()
        .enumerate()
        .for_each(|(service, rows)| rows.extend_from_slice(simulation.metrics(service)));
}

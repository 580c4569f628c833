use crate::SimError;
use crate::fleet::{Fleet, Simulation};
use forewarn_core::{FailureRule, Score, Target, WindowSpec};
use forewarn_schema::{Frame, Schema, Step};
use serde::Serialize;
use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// How a ceiling is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollOuts {
    /// Futures that are drawn for each minute, 2 to 1,048,576.
    pub futures: usize,
    /// Minutes in a row that are estimated, at least 1: an alarm policy can run on them.
    pub block: usize,
    /// One block in this number is estimated, at least 1.
    pub every: usize,
    /// Minutes of the past that the failure rule is shown. The v1 rule needs 2; a rule that compares with the last
    /// hour needs 60.
    pub past: usize,
    /// Threads; the result does not depend on it.
    pub threads: usize,
}

impl Default for RollOuts {
    fn default() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self { futures: 100, block: 1, every: 1, past: 60, threads }
    }
}

impl RollOuts {
    /// Whether a minute is estimated, counted from the first one.
    #[must_use]
    pub fn estimates(&self, minute: usize) -> bool {
        (minute / self.block.max(1)).is_multiple_of(self.every.max(1))
    }
}

/// What a predictor that knows the hidden state would say about one minute.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Foresight {
    /// Row of the frames: the last minute that is known.
    pub row: usize,
    /// For each service, in order of name, the probability that the target's event happens.
    pub probabilities: Vec<Score>,
}

impl Foresight {
    /// Standard error of the probability of a service, by the binomial distribution.
    #[must_use]
    pub fn standard_error(&self, service: usize, futures: usize) -> f64 {
        let p = f64::from(self.probabilities[service].get());
        (p * (1.0 - p) / futures as f64).sqrt()
    }
}

/// A minute from which futures are drawn.
struct Present {
    row: usize,
    simulation: Simulation,
    /// Metrics of the minutes up to it, `[service][row * metric]`.
    past: Vec<Vec<f32>>,
}

/// Furthest that a future is drawn: two weeks.
const MAX_HORIZON_MINUTES: usize = 14 * 1_440;
/// Minutes that are shared out to the threads at a time; more would only take memory.
const BATCH: usize = 256;
const METRICS: usize = 10;

impl Fleet {
    /// The best that any predictor could say: for minutes of `rows`, the probability of the target's event given
    /// everything that is true at the end of the minute, hidden or not, and nothing that is yet to be decided.
    ///
    /// Each minute's present is cloned [`RollOuts::futures`] times, and each clone goes on with random numbers of its
    /// own until the period and what confirms an onset in it are over. Then `rule` is asked what happened. Faults
    /// that are under way go on as they will; new ones come as likely as they do. Probabilities of services come from
    /// the same futures.
    ///
    /// The result depends on nothing but the fleet, the rows and the number of futures. Cost:
    /// `futures * (horizon + confirmation)` simulated minutes of the whole fleet for each minute that is estimated,
    /// shared out to the threads.
    ///
    /// # Errors
    /// [`SimError::InvalidField`] for roll-outs of no future or distance; [`SimError::HorizonTooLong`] for windows
    /// and rules that look more than two weeks ahead; what `rule` refuses.
    pub fn ceiling(
        &self,
        rule: &dyn FailureRule,
        spec: WindowSpec,
        target: Target,
        rows: Range<usize>,
        roll_outs: RollOuts,
    ) -> Result<Vec<Foresight>, SimError> {
        let check = crate::fleet::check::Check("ceiling");
        // Each row and future has a stream of random numbers of its own, twenty bits of which number the futures.
        check.within("futures", roll_outs.futures as f64, 2.0..=1_048_576.0, "2 to 1,048,576")?;
        check.within("block", roll_outs.block as f64, 1.0..=f64::MAX, "at least 1")?;
        check.within("every", roll_outs.every as f64, 1.0..=f64::MAX, "at least 1")?;
        let confirmation = rule.confirmation_at(Step::MINUTE).max(1);
        let horizon = spec.horizon().saturating_add(confirmation - 1);
        if horizon > MAX_HORIZON_MINUTES {
            return Err(SimError::HorizonTooLong { horizon, max: MAX_HORIZON_MINUTES });
        }
        let judge = Judge { fleet: self, rule, spec, target, confirmation, roll_outs };
        let rows = rows.start..rows.end.min(self.minutes);
        let mut simulation = self.simulation()?;
        let mut past: Vec<Vec<f32>> = vec![Vec::new(); self.blueprint.services().len()];
        let (mut batch, mut found) = (Vec::with_capacity(BATCH), Vec::new());
        for row in 0..rows.end {
            simulation.step();
            for (service, past) in past.iter_mut().enumerate() {
                past.extend_from_slice(simulation.metrics(service));
                let surplus = past.len().saturating_sub(roll_outs.past.max(1).saturating_mul(METRICS));
                past.drain(..surplus);
            }
            if row >= rows.start && roll_outs.estimates(row - rows.start) {
                batch.push(Present { row, simulation: simulation.clone(), past: past.clone() });
            }
            if batch.len() == BATCH || row + 1 == rows.end {
                judge.batch(&batch, &mut found)?;
                batch.clear();
            }
        }
        Ok(found)
    }
}

/// What is asked about each future.
struct Judge<'a> {
    fleet: &'a Fleet,
    rule: &'a dyn FailureRule,
    spec: WindowSpec,
    target: Target,
    confirmation: usize,
    roll_outs: RollOuts,
}

impl Judge<'_> {
    /// Foresights of the minutes of a batch, in their order.
    fn batch(&self, batch: &[Present], found: &mut Vec<Foresight>) -> Result<(), SimError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut scratch, mut results) = (None, Vec::new());
            while let Some(present) = batch.get(next.fetch_add(1, Ordering::Relaxed)) {
                results.push((present.row, self.foresight(present, &mut scratch)));
            }
            results
        };
        let mut results = thread::scope(|scope| {
            let others: Vec<_> =
                (1..self.roll_outs.threads.min(batch.len())).map(|_| scope.spawn(work)).collect();
            let mut results = work();
            for other in others {
                results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            results
        });
        results.sort_by_key(|&(row, _)| row);
        results.into_iter().try_for_each(|(_, result)| {
            found.push(result?);
            Ok(())
        })
    }

    fn foresight(&self, present: &Present, scratch: &mut Option<Simulation>) -> Result<Foresight, SimError> {
        let services = present.past.len();
        let future = scratch.get_or_insert_with(|| present.simulation.clone());
        let minutes = self.spec.horizon() + self.confirmation - 1;
        let mut counts = vec![0u32; services];
        let mut rows: Vec<Vec<f32>> = present.past.clone();
        for index in 0..self.roll_outs.futures {
            // A stream for each row and future, far from those of the simulation itself.
            present.simulation.fork_into(((present.row as u64) << 20) + index as u64, future);
            for (rows, past) in rows.iter_mut().zip(&present.past) {
                rows.truncate(past.len());
            }
            for _ in 0..minutes {
                future.step();
                rows.iter_mut()
                    .enumerate()
                    .for_each(|(service, rows)| rows.extend_from_slice(future.metrics(service)));
            }
            for ((rows, service), count) in rows.iter().zip(self.fleet.blueprint.services()).zip(&mut counts)
            {
                *count += u32::from(self.happens(&service.name, rows)?);
            }
        }
        let share = |count: u32| Score::new((f64::from(count) / self.roll_outs.futures as f64) as f32);
        let probabilities = counts.into_iter().map(share).collect::<Result<Vec<_>, _>>()?;
        Ok(Foresight { row: present.row, probabilities })
    }

    /// Whether the target's event happens after the past in these rows.
    fn happens(&self, service: &str, rows: &[f32]) -> Result<bool, SimError> {
        let past = rows.len() / METRICS - (self.spec.horizon() + self.confirmation - 1);
        let frame = Frame::new(service, Schema::v1(), self.fleet.start, Step::MINUTE, rows.to_vec())?;
        let found = self.rule.assess(frame.view())?;
        let row = |time: forewarn_schema::Timestamp| time.minutes_since(self.fleet.start) as usize;
        let period = past + self.spec.lead()..past + self.spec.horizon();
        Ok(found.episodes.iter().any(|episode| match self.target {
            Target::Onset => period.contains(&row(episode.onset())),
            Target::Active => row(episode.confirmed_at()) < period.end && row(episode.end()) > period.start,
        }))
    }
}

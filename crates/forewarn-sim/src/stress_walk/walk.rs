use super::process::{RuleState, State};
use crate::SimError;
use forewarn_core::{CoreError, Source};
use forewarn_schema::{Frame, FrameSet, Schema, SchemaError, Step, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::iter::FusedIterator;

/// Most minutes of one simulation: a hundred years, about 2.5 GB.
pub const MAX_MINUTES: usize = 100 * 365 * 24 * 60;

/// Whether a simulation from `start` on may be so long, and ends within the calendar.
pub(crate) fn check_span(minutes: usize, start: Timestamp) -> Result<(), SimError> {
    if !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(SimError::Minutes { minutes, max: MAX_MINUTES });
    }
    let step_millis = Step::MINUTE.millis();
    let overflow = SchemaError::TimeOverflow { start, steps: minutes, step_millis };
    start.checked_add(Step::MINUTE, minutes as i64).map(drop).ok_or_else(|| overflow.into())
}

/// A simulation to be run: which service, from when, for how long, and with which seed.
///
/// The same seed gives the same bytes, and a longer run begins with the shorter one. Random numbers are one `ChaCha8`
/// stream, `ChaCha8Rng::seed_from_u64(seed)`; in each minute it is asked in this order: for gain, loss and jump each
/// whether it happens and, if so, how large it is; then the normals of `request_count`, `error_rate` and
/// [`LINEAR_METRICS`](super::process::LINEAR_METRICS); then, only under enough stress, whether a pod restarts.
///
/// Cost: about 0.2 microseconds and 49 bytes a minute.
///
/// # Examples
/// ```
/// use forewarn_sim::StressWalk;
///
/// let run = StressWalk::new(24 * 60, 7).with_service("checkout").run()?;
/// assert_eq!(run.frame.view().service(), "checkout");
/// assert_eq!(run.stress.len(), 24 * 60);
/// # Ok::<(), forewarn_sim::SimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StressWalkSettings", into = "StressWalkSettings")]
pub struct StressWalk {
    minutes: usize,
    seed: u64,
    start: Timestamp,
    service: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StressWalkSettings {
    minutes: usize,
    seed: u64,
    start: Timestamp,
    service: String,
}

impl StressWalk {
    /// `minutes` of the process, of a service called `stress-walk`, from 2024-01-01T00:00:00Z on.
    #[must_use]
    pub fn new(minutes: usize, seed: u64) -> Self {
        let start = Timestamp::from_millis(1_704_067_200_000).expect("the year 2024 is in the calendar");
        Self { minutes, seed, start, service: "stress-walk".to_owned() }
    }

    /// The same simulation with another first minute.
    #[must_use]
    pub fn with_start(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// The same simulation under another service's name.
    #[must_use]
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        self.service = service.into();
        self
    }

    fn check(&self) -> Result<(), SimError> {
        check_span(self.minutes, self.start)?;
        if self.service.is_empty() {
            return Err(SchemaError::EmptyServiceName.into());
        }
        Ok(())
    }

    /// Minutes that it lasts.
    #[must_use]
    pub fn minutes(&self) -> usize {
        self.minutes
    }

    /// Seed of its random numbers.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Its first minute.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The service that it plays.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The simulation minute by minute, for a live feed. Gives the same bytes as [`run`](Self::run).
    #[must_use]
    pub fn steps(&self) -> Steps {
        Steps { rng: ChaCha8Rng::seed_from_u64(self.seed), state: State::default(), remaining: self.minutes }
    }

    /// Runs it to the end.
    ///
    /// # Errors
    /// [`SimError::Minutes`] for 0 minutes or more than [`MAX_MINUTES`], [`SchemaError::TimeOverflow`] for an end
    /// beyond the calendar, [`SchemaError::EmptyServiceName`].
    pub fn run(&self) -> Result<StressWalkRun, SimError> {
        self.check()?;
        let schema = Schema::v1();
        let mut values = Vec::with_capacity(self.minutes * schema.len());
        let (mut stress, mut rule) = (Vec::with_capacity(self.minutes), Vec::with_capacity(self.minutes));
        for minute in self.steps() {
            values.extend_from_slice(&minute.sample);
            stress.push(minute.stress);
            rule.push(minute.rule);
        }
        let frame = Frame::new(self.service.as_str(), schema, self.start, Step::MINUTE, values)?;
        Ok(StressWalkRun { frame, stress, rule })
    }
}

impl TryFrom<StressWalkSettings> for StressWalk {
    type Error = SimError;

    fn try_from(settings: StressWalkSettings) -> Result<Self, SimError> {
        let StressWalkSettings { minutes, seed, start, service } = settings;
        let walk = Self { minutes, seed, start, service };
        walk.check()?;
        Ok(walk)
    }
}

impl From<StressWalk> for StressWalkSettings {
    fn from(walk: StressWalk) -> Self {
        Self { minutes: walk.minutes, seed: walk.seed, start: walk.start, service: walk.service }
    }
}

impl Source for StressWalk {
    fn describe(&self) -> String {
        format!("stress walk: {} minutes of {:?} with seed {}", self.minutes, self.service, self.seed)
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        let run = self.run().map_err(|error| CoreError::outside("stress walk", error))?;
        Ok(FrameSet::from_frames(vec![run.frame])?)
    }
}

/// The metrics of a simulation, and the truth that only the simulator knows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StressWalkRun {
    /// The metrics, in the schema of [`Schema::v1`].
    pub frame: Frame,
    /// The hidden stress of each minute, 0..=1.
    pub stress: Vec<f64>,
    /// Where the failure rule stands after each minute.
    pub rule: Vec<RuleState>,
}

/// One simulated minute.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct WalkMinute {
    /// The metrics, in the order of [`Schema::v1`].
    pub sample: [f32; 10],
    /// The hidden stress, 0..=1.
    pub stress: f64,
    /// Where the failure rule stands after the minute.
    pub rule: RuleState,
}

/// The minutes of a [`StressWalk`], one after another.
#[derive(Clone, Debug)]
pub struct Steps {
    rng: ChaCha8Rng,
    state: State,
    remaining: usize,
}

impl Iterator for Steps {
    type Item = WalkMinute;

    fn next(&mut self) -> Option<WalkMinute> {
        self.remaining = self.remaining.checked_sub(1)?;
        let sample = self.state.next_minute(&mut self.rng);
        Some(WalkMinute { sample, stress: self.state.stress, rule: self.state.rule })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Steps {}
impl FusedIterator for Steps {}

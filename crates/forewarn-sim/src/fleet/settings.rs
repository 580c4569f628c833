use crate::fleet::{Blueprint, FaultSchedule, Injection, Load, check::Check};
use crate::{SimError, stress_walk::check_span};
use forewarn_schema::Timestamp;

/// A fleet to be simulated: services, users, faults, and for how long.
///
/// | setting | meaning | default | range |
/// |---|---|---|---|
/// | `minutes` | how long it lasts | given | 1 to [`MAX_MINUTES`](crate::stress_walk::MAX_MINUTES), ending within the calendar |
/// | `seed` | of everything that chance decides | given | |
/// | [`start`](Self::with_start) | its first minute, which is also the time of day | 2024-01-01T00:00:00Z | |
/// | [`load`](Self::with_load) | how many users come when | [`Load::default`] | see there |
/// | [`faults`](Self::with_faults) | faults that come by themselves | [`FaultSchedule::default`] | up to 1,440 a day and service |
/// | [`injections`](Self::with_injection) | faults that are injected | none | begin before the end, on a service that there is |
/// | [`on_call`](Self::with_on_call) | minutes until somebody acts | 12 | above 0, or nobody |
///
/// They are checked together when it is simulated ([`check`](Self::check)).
///
/// # Examples
/// ```
/// use forewarn_sim::fleet::{FaultKind, Fleet, Injection, FaultSchedule};
///
/// let leak = Injection::new(FaultKind::MemoryLeak, "user");
/// let fleet = Fleet::shop(7).with_minutes(180).with_faults(FaultSchedule::none()).with_injection(60, leak);
/// let run = fleet.run()?;
/// assert_eq!(run.frames.layout().rows(), 4 * 180);
/// assert_eq!(run.log.len(), 1);
/// # Ok::<(), forewarn_sim::SimError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    pub(crate) blueprint: Blueprint,
    pub(crate) load: Load,
    pub(crate) faults: FaultSchedule,
    pub(crate) injections: Vec<(usize, Injection)>,
    pub(crate) minutes: usize,
    pub(crate) seed: u64,
    pub(crate) start: Timestamp,
    pub(crate) on_call_minutes: Option<f64>,
}

impl Fleet {
    /// Minutes that it takes until somebody on call acts, in the mean, unless [`with_on_call`](Self::with_on_call)
    /// says otherwise.
    pub const ON_CALL_MINUTES: f64 = 12.0;

    /// `minutes` of a graph, under the usual load and faults, from 2024-01-01T00:00:00Z on.
    #[must_use]
    pub fn new(blueprint: Blueprint, minutes: usize, seed: u64) -> Self {
        let start = Timestamp::from_millis(1_704_067_200_000).expect("the year 2024 is in the calendar");
        Self {
            blueprint,
            load: Load::default(),
            faults: FaultSchedule::default(),
            injections: Vec::new(),
            minutes,
            seed,
            start,
            on_call_minutes: Some(Self::ON_CALL_MINUTES),
        }
    }

    /// 30 days of the four-service shop.
    #[must_use]
    pub fn shop(seed: u64) -> Self {
        Self::new(Blueprint::shop(), 30 * 24 * 60, seed)
    }

    /// 30 days of the twelve-service shop.
    #[must_use]
    pub fn twelve(seed: u64) -> Self {
        Self::new(Blueprint::twelve(), 30 * 24 * 60, seed)
    }

    /// The same for another time.
    #[must_use]
    pub fn with_minutes(mut self, minutes: usize) -> Self {
        self.minutes = minutes;
        self
    }

    /// The same with other luck.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same from another first minute on, which is also the time of day.
    #[must_use]
    pub fn with_start(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// The same under another load.
    #[must_use]
    pub fn with_load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }

    /// The same with other faults that come by themselves.
    #[must_use]
    pub fn with_faults(mut self, faults: FaultSchedule) -> Self {
        self.faults = faults;
        self
    }

    /// The same with one more fault, injected in minute `at_minute`, from 0.
    #[must_use]
    pub fn with_injection(mut self, at_minute: usize, injection: Injection) -> Self {
        self.injections.push((at_minute, injection));
        // Stable: faults of one minute stay in the order in which they were given.
        self.injections.sort_by_key(|&(minute, _)| minute);
        self
    }

    /// The same with an engineer who acts after a mean of `minutes` of emergency (at least five): turns users away
    /// until the system has recovered. `None` for no engineer.
    #[must_use]
    pub fn with_on_call(mut self, minutes: Option<f64>) -> Self {
        self.on_call_minutes = minutes;
        self
    }

    /// Refuses settings out of range. Whatever simulates a fleet checks it itself.
    ///
    /// # Errors
    /// [`SimError::Minutes`]; [`SchemaError::TimeOverflow`](forewarn_schema::SchemaError::TimeOverflow) for an end beyond
    /// the calendar; [`SimError::InvalidField`] for a number of the load, the faults or the engineer out of range; for an injection [`SimError::FaultAfterEnd`]
    /// unless it begins before the simulation ends, [`SimError::UnknownService`], [`SimError::InvalidField`] or
    /// [`SimError::MisplacedFault`].
    pub fn check(&self) -> Result<(), SimError> {
        self.check_span()?;
        self.load.check()?;
        self.faults.check()?;
        self.check_on_call()?;
        self.injections
            .iter()
            .try_for_each(|(at_minute, injection)| self.check_injection(*at_minute, injection))
    }

    pub(crate) fn check_span(&self) -> Result<(), SimError> {
        check_span(self.minutes, self.start)
    }

    pub(crate) fn check_on_call(&self) -> Result<(), SimError> {
        self.on_call_minutes.map_or(Ok(()), |minutes| Check("scenario").positive("on_call_minutes", minutes))
    }

    pub(crate) fn check_injection(&self, at_minute: usize, injection: &Injection) -> Result<(), SimError> {
        injection.check(&self.blueprint)?;
        let minutes = self.minutes;
        if at_minute < minutes {
            return Ok(());
        }
        let (kind, target) = (injection.kind.name(), injection.target.clone());
        Err(SimError::FaultAfterEnd { kind, target, at_minute, minutes })
    }

    /// Services and calls.
    #[must_use]
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Minutes that it lasts.
    #[must_use]
    pub fn minutes(&self) -> usize {
        self.minutes
    }

    /// Seed of everything that chance decides.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Its first minute.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Injections with their target's position, the last first.
    pub(crate) fn pending(&self) -> Vec<(usize, Injection, usize)> {
        let at = |(minute, injection): &(usize, Injection)| {
            injection.check(&self.blueprint).map(|target| (*minute, injection.clone(), target)).ok()
        };
        self.injections.iter().rev().filter_map(at).collect()
    }
}

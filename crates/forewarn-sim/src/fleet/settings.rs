use crate::fleet::{Blueprint, FaultSchedule, Injection, Load, check::Check};
use crate::{SimError, stress_walk::MAX_MINUTES};
use forewarn_schema::{SchemaError, Step, Timestamp};

/// A fleet to be simulated: services, users, faults, and for how long. Checked: whatever holds one can run it.
///
/// # Examples
/// ```
/// use forewarn_sim::fleet::{FaultKind, Fleet, Injection, FaultSchedule};
///
/// let leak = Injection::new(FaultKind::MemoryLeak, "user");
/// let fleet = Fleet::shop(7).with_minutes(180)?.with_faults(FaultSchedule::none())?.with_injection(60, leak)?;
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
    ///
    /// # Errors
    /// [`SimError::Minutes`] for 0 or more than [`MAX_MINUTES`].
    pub fn new(blueprint: Blueprint, minutes: usize, seed: u64) -> Result<Self, SimError> {
        let start = Timestamp::from_millis(1_704_067_200_000).expect("the year 2024 is in the calendar");
        Self {
            blueprint,
            load: Load::default(),
            faults: FaultSchedule::default(),
            injections: Vec::new(),
            minutes: 1,
            seed,
            start,
            on_call_minutes: Some(Self::ON_CALL_MINUTES),
        }
        .with_minutes(minutes)
    }

    /// 30 days of the four-service shop.
    #[must_use]
    pub fn shop(seed: u64) -> Self {
        Self::new(Blueprint::shop(), 30 * 24 * 60, seed).expect("a month is not too long")
    }

    /// 30 days of the twelve-service shop.
    #[must_use]
    pub fn twelve(seed: u64) -> Self {
        Self::new(Blueprint::twelve(), 30 * 24 * 60, seed).expect("a month is not too long")
    }

    /// The same for another time.
    ///
    /// # Errors
    /// [`SimError::Minutes`]; [`SimError::FaultAfterEnd`] where an injected fault would no longer begin;
    /// [`SchemaError::TimeOverflow`] beyond the calendar.
    pub fn with_minutes(mut self, minutes: usize) -> Result<Self, SimError> {
        if !(1..=MAX_MINUTES).contains(&minutes) {
            return Err(SimError::Minutes { minutes, max: MAX_MINUTES });
        }
        self.injections.iter().try_for_each(|(at, injection)| ends_after(minutes, *at, injection))?;
        self.minutes = minutes;
        let start = self.start;
        self.with_start(start)
    }

    /// The same with other luck.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same from another first minute on, which is also the time of day.
    ///
    /// # Errors
    /// [`SchemaError::TimeOverflow`] when it would run beyond the calendar.
    pub fn with_start(mut self, start: Timestamp) -> Result<Self, SimError> {
        if start.checked_add(Step::MINUTE, self.minutes as i64).is_none() {
            let step_millis = Step::MINUTE.millis();
            return Err(SchemaError::TimeOverflow { start, steps: self.minutes, step_millis }.into());
        }
        self.start = start;
        Ok(self)
    }

    /// The same under another load.
    ///
    /// # Errors
    /// [`SimError::InvalidField`].
    pub fn with_load(mut self, load: Load) -> Result<Self, SimError> {
        load.check()?;
        self.load = load;
        Ok(self)
    }

    /// The same with other faults that come by themselves.
    ///
    /// # Errors
    /// [`SimError::InvalidField`].
    pub fn with_faults(mut self, faults: FaultSchedule) -> Result<Self, SimError> {
        faults.check()?;
        self.faults = faults;
        Ok(self)
    }

    /// The same with one more fault, injected in minute `at_minute`, from 0.
    ///
    /// # Errors
    /// [`SimError::FaultAfterEnd`] unless it begins before the simulation ends; [`SimError::UnknownService`],
    /// [`SimError::InvalidField`], [`SimError::MisplacedFault`].
    pub fn with_injection(mut self, at_minute: usize, injection: Injection) -> Result<Self, SimError> {
        injection.check(&self.blueprint)?;
        ends_after(self.minutes, at_minute, &injection)?;
        self.injections.push((at_minute, injection));
        // Stable: faults of one minute stay in the order in which they were given.
        self.injections.sort_by_key(|&(minute, _)| minute);
        Ok(self)
    }

    /// The same with an engineer who acts after a mean of `minutes` of emergency (at least five): turns users away
    /// until the system has recovered. `None` for no engineer.
    ///
    /// # Errors
    /// [`SimError::InvalidField`].
    pub fn with_on_call(mut self, minutes: Option<f64>) -> Result<Self, SimError> {
        minutes.map_or(Ok(()), |minutes| Check("scenario").positive("on_call_minutes", minutes))?;
        self.on_call_minutes = minutes;
        Ok(self)
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

/// Refuses a fault that would not begin within `minutes`.
fn ends_after(minutes: usize, at_minute: usize, injection: &Injection) -> Result<(), SimError> {
    if at_minute < minutes {
        return Ok(());
    }
    let (kind, target) = (injection.kind.name(), injection.target.clone());
    Err(SimError::FaultAfterEnd { kind, target, at_minute, minutes })
}

use super::{Ladder, Shift};
use crate::CoreError;
use serde::{Deserialize, Serialize};

/// How many false alarms an operator accepts, and how a [`BudgetController`] holds to it.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `per_service_week` | false alarms per service and week | 1 | above 0, finite |
/// | `mode` | whether the threshold moves | adaptive | |
/// | `gain` | log-odds that the guard adds for a day's budget of debt beyond its slack | 0.5 | above 0, up to 10 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// False alarms per service and week.
    pub per_service_week: f64,
    /// Whether the threshold moves.
    pub mode: BudgetMode,
    /// Log-odds that the guard adds for a debt of one day's budget, or one alarm in a small fleet, above what it lets
    /// pass; for more by the square.
    pub gain: f64,
}

/// Whether the threshold moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BudgetMode {
    /// The threshold of the model's policy, whatever the realised rate.
    Static,
    /// The threshold as the controller has it now; it learns no more.
    Frozen,
    /// The controller moves it so that the long-run rate stays within the budget.
    #[default]
    Adaptive,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { per_service_week: 1.0, mode: BudgetMode::default(), gain: 0.5 }
    }
}

impl BudgetSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for the first that is out of its range.
    pub fn check(&self) -> Result<(), CoreError> {
        let refuse = |name, value: f64, expected| {
            Err(CoreError::InvalidSetting { name, value: value.to_string(), expected })
        };
        if !(self.per_service_week > 0.0 && self.per_service_week.is_finite()) {
            return refuse("false alarms per service and week", self.per_service_week, "a number above 0");
        }
        if !(self.gain > 0.0 && self.gain <= 10.0) {
            return refuse("gain of the budget", self.gain, "a number above 0, up to 10");
        }
        Ok(())
    }
}

/// Keeps the false alarms of a fleet within a budget, whatever the data do: an online controller of the alarm
/// threshold.
///
/// It follows the lowest rung of a [`Ladder`] whose rate of false alarms is within the budget. Every rung's rate is
/// known, not only that of the threshold in use: whether an alarm would have been false shows without raising it
/// ([`SupposedAlarms`](super::SupposedAlarms)). With `F` the false alarms that a rung would have raised and `w` the
/// weeks that services were watched, both fading with the time in which the budget allows [`MEMORY`](Self::MEMORY)
/// false alarms (at least a day), the rate of a rung `x` above the policy's threshold is taken for
///
/// ```text
/// (F + n exp(-x)) / (w + n / a)
/// ```
///
/// with the budget `a` and the `n` = [`TRUST`](Self::TRUST) false alarms that the policy's own threshold counts for as
/// if it had held the budget. Between two rungs the logarithm of the rate is a line.
///
/// A guard bounds what is raised, by the false alarms of the threshold in use alone. After each step in which `s`
/// services were watched and `f` alarms turned out false, the debt `D` becomes `max(D + f - a s, -7 b)`, where `b` is
/// what the budget allows the fleet in a day, or 1 if that is less: what a quiet week saves may be used later, and no
/// more, but seven alarms where a week allows fewer. With `x = D / b`, the rate to follow is `a exp(-x / 10)`; from `x`
/// = [`SLACK`](Self::SLACK) on the threshold rises by `gain (x - SLACK)²`, and where that is [`SILENT`](Self::SILENT)
/// log-odds, at `x` = 7 for a gain of 0.5, no alarm is raised at all. Every step without a false alarm pays back `a s`,
/// so silence ends by itself.
///
/// # Bound
/// Over any sequence of scores and outcomes, chosen by an adversary even, with at most `B` for `b`, and at most `m`
/// alarms raised and not judged yet at any time, the number of false alarms after steps with `S` services watched in
/// total is at most
///
/// ```text
/// a S + x B + m,   x the debt at which the guard is SILENT: 7 for a gain of 0.5
/// ```
///
/// so the rate exceeds the budget by a term that vanishes like 1 / `S`. Proof: the debt grows by at least `f - a s`
/// in each step, so false alarms are at most `a S` and the debt at the end; while the debt is `x B` or
/// more no alarm is raised, so only the `m` that were raised before can raise it further. Nothing is assumed of the
/// data. It counts from the start, where nothing is saved; from a later step on it is `(7 + x) B` in place of `x B`.
///
/// Memory: 0.6 kB for a fleet of any size.
///
/// # References
/// I. Gibbs and E. Candes, *Adaptive conformal inference under distribution shift*, `NeurIPS` 2021. S. Feldman, L.
/// Ringel, S. Bates and Y. Romano, *Achieving risk control in online learning settings*, TMLR 2023. A. N.
/// Angelopoulos, E. Candes and R. J. Tibshirani, *Conformal PID control for time series prediction*, `NeurIPS` 2023:
/// the guard. N. Cesa-Bianchi and G. Lugosi, *Prediction, learning, and games*, Cambridge 2006: experts whose losses
/// are all seen. M. Herbster and M. K. Warmuth, *Tracking the best expert*, Machine Learning 32, 1998: those that are
/// best for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetController {
    settings: BudgetSettings,
    steps_a_week: f64,
    debt: f64,
    /// What the budget allows the fleet in a day, at least 1, as of the last step.
    scale: f64,
    /// False alarms that each rung would have raised, fading.
    supposed: Vec<f64>,
    /// Weeks that services were watched, fading alike.
    watched: f64,
    /// Log-odds of the threshold that is followed above the policy's own.
    followed: f64,
    false_alarms: u64,
    service_steps: u64,
}

impl BudgetController {
    /// Log-odds above the threshold that is followed from which on no alarm is raised.
    pub const SILENT: f64 = 8.0;
    /// False alarms that the budget allows until what was seen counts a third.
    pub const MEMORY: f64 = 10.0;
    /// False alarms that the policy's own threshold counts for before anything was seen.
    pub const TRUST: f64 = 2.0;
    /// Debt, in days of the budget or single alarms, up to which the guard does nothing.
    pub const SLACK: f64 = 3.0;
    /// Debt, likewise, below which nothing is saved up. False alarms come in bunches: with two days' savings in place
    /// of seven a tenth to a seventh of the budget was never used.
    const LEAST_DEBT: f64 = -7.0;
    /// How much the rate to follow depends on the debt.
    const STEER: f64 = 0.1;

    /// A controller that has seen nothing, on a clock with a step of `step_minutes`.
    ///
    /// # Errors
    /// As [`BudgetSettings::check`], and [`CoreError::InvalidSetting`] for a step that is not above 0.
    pub fn new(settings: BudgetSettings, step_minutes: f64) -> Result<Self, CoreError> {
        settings.check()?;
        if !(step_minutes > 0.0 && step_minutes.is_finite()) {
            let value = step_minutes.to_string();
            return Err(CoreError::InvalidSetting {
                name: "minutes of a step",
                value,
                expected: "a number above 0",
            });
        }
        let mut controller = Self {
            settings,
            steps_a_week: 7.0 * 1440.0 / step_minutes,
            debt: 0.0,
            scale: 1.0,
            supposed: vec![0.0; Ladder::RUNGS],
            watched: 0.0,
            followed: 0.0,
            false_alarms: 0,
            service_steps: 0,
        };
        controller.followed = controller.lowest_within();
        Ok(controller)
    }

    /// Takes what became known in one step: how many services were watched, how many alarms, of this step or before,
    /// turned out false, and the rungs of each that would have.
    pub fn judge(&mut self, services: u64, false_alarms: u64, supposed: &[u64]) {
        self.false_alarms = self.false_alarms.saturating_add(false_alarms);
        self.service_steps = self.service_steps.saturating_add(services);
        if self.settings.mode == BudgetMode::Frozen {
            return;
        }
        let (services, weekly) = (services as f64, self.settings.per_service_week);
        if services > 0.0 {
            self.scale = (services * weekly / 7.0).max(1.0);
        }
        let weeks = services / self.steps_a_week;
        self.debt = (self.debt + false_alarms as f64 - weeks * weekly).max(Self::LEAST_DEBT * self.scale);
        let kept = (-weeks * weekly / self.scale.max(Self::MEMORY)).exp();
        self.watched = self.watched * kept + weeks;
        self.supposed.iter_mut().for_each(|count| *count *= kept);
        for rungs in supposed {
            // Rungs of an alarm are few and side by side.
            let mut rest = *rungs;
            while rest != 0 {
                let rung = rest.trailing_zeros() as usize;
                self.supposed.get_mut(rung).into_iter().for_each(|count| *count += 1.0);
                rest &= rest - 1;
            }
        }
        self.followed = self.lowest_within();
    }

    /// The lowest threshold whose rate, and that of all above it, is within what is followed.
    fn lowest_within(&self) -> f64 {
        let weekly = self.settings.per_service_week;
        let target = weekly * (-Self::STEER * self.debt / self.scale).exp();
        let weeks = self.watched + Self::TRUST / weekly;
        let mut above: Option<f64> = None;
        for (rung, count) in self.supposed.iter().enumerate().rev() {
            let shift = Ladder::shift(rung);
            let rate = (count + Self::TRUST * (-shift).exp()) / weeks;
            if rate > target {
                let Some(above) = above else { return shift };
                let part = (rate / target).ln() / (rate / above).ln();
                return shift + Ladder::STEP * part.clamp(0.0, 1.0);
            }
            above = Some(rate);
        }
        Ladder::LOWEST
    }

    /// What the guard adds, in log-odds.
    fn guard(&self) -> f64 {
        self.settings.gain * (self.debt / self.scale - Self::SLACK).max(0.0).powi(2)
    }

    /// How far the threshold lies above the policy's own now, in log-odds.
    #[must_use]
    pub fn shift(&self) -> f64 {
        match self.settings.mode {
            BudgetMode::Static => 0.0,
            BudgetMode::Frozen | BudgetMode::Adaptive => self.followed + self.guard(),
        }
    }

    /// The same as the threshold of one service's machine.
    #[must_use]
    pub fn threshold(&self) -> Shift {
        let is_silent = self.settings.mode != BudgetMode::Static && self.guard() >= Self::SILENT;
        Shift { log_odds: self.shift(), is_silent }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &BudgetSettings {
        &self.settings
    }

    /// Changes whether the threshold moves, and leaves it where it is.
    #[must_use]
    pub fn with_mode(self, mode: BudgetMode) -> Self {
        Self { settings: BudgetSettings { mode, ..self.settings }, ..self }
    }

    /// Alarms that turned out false.
    #[must_use]
    pub fn false_alarms(&self) -> u64 {
        self.false_alarms
    }

    /// Weeks that services were watched for, added up.
    #[must_use]
    pub fn service_weeks(&self) -> f64 {
        self.service_steps as f64 / self.steps_a_week
    }

    /// False alarms per service and week; `None` before anything was watched.
    #[must_use]
    pub fn realised_per_service_week(&self) -> Option<f64> {
        (self.service_steps > 0).then(|| self.false_alarms as f64 / self.service_weeks())
    }

    /// The right side of the [bound](Self#bound) for fleets of at most `services` services and `pending` alarms that
    /// are not judged: no more alarms than this were false, unless the mode was another than adaptive.
    #[must_use]
    pub fn most_false_alarms(&self, services: u64, pending: u64) -> f64 {
        let weekly = self.settings.per_service_week;
        let largest = (services as f64 * weekly / 7.0).max(1.0);
        let silent = Self::SLACK + (Self::SILENT / self.settings.gain).sqrt();
        weekly * self.service_weeks() + silent * largest + pending as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Score;
    use proptest::prelude::*;

    fn adaptive(per_service_week: f64, gain: f64) -> BudgetController {
        BudgetController::new(BudgetSettings { per_service_week, gain, ..BudgetSettings::default() }, 1.0)
            .unwrap()
    }

    #[test]
    fn settings_are_checked() {
        for (per_service_week, gain) in
            [(0.0, 0.5), (f64::NAN, 0.5), (1.0, 0.0), (1.0, f64::NAN), (1.0, 11.0)]
        {
            let settings = BudgetSettings { per_service_week, gain, ..BudgetSettings::default() };
            assert!(BudgetController::new(settings, 1.0).is_err(), "{settings:?}");
        }
        assert!(BudgetController::new(BudgetSettings::default(), 0.0).is_err());
    }

    /// The rungs up to a distance above the policy's threshold.
    fn rungs_to(shift: f64) -> u64 {
        (0..Ladder::RUNGS)
            .filter(|&rung| Ladder::shift(rung) <= shift)
            .fold(0, |rungs, rung| rungs | 1 << rung)
    }

    #[test]
    fn the_lowest_rung_within_the_budget_is_followed() {
        let base = Score::new(0.5).unwrap();
        let mut controller = adaptive(1.0, 0.5);
        assert!(controller.shift().abs() < 1e-9);
        // Ten services for four weeks; the rungs up to 1 would have had 80 false alarms, those up to 2 had 20. Of those
        // that were raised 40 are false, as many as the budget allows.
        for minute in 0..4 * 10_080 {
            let supposed = match minute % 2016 {
                0 => &[rungs_to(2.0), rungs_to(1.0), rungs_to(1.0), rungs_to(1.0)][..],
                _ => &[],
            };
            controller.judge(10, u64::from(minute % 1008 == 0), supposed);
        }
        assert!(controller.shift() > 1.0 && controller.shift() <= 1.125, "{}", controller.shift());
        assert!(
            (f64::from(controller.threshold().over(base).get()) - crate::sigmoid(controller.shift())).abs()
                < 1e-6
        );
        assert_eq!(controller.realised_per_service_week().map(|rate| (rate * 1e3).round()), Some(1000.0));
        // Quiet weeks bring it down as far as it goes, for lack of anything that speaks against.
        (0..200_000).for_each(|_| controller.judge(10, 0, &[]));
        assert!(controller.shift() < Ladder::LOWEST + 0.01, "{}", controller.shift());
    }

    #[test]
    fn alarms_that_nobody_raised_count() {
        let mut controller = adaptive(1.0, 0.5);
        // The threshold is too high to raise anything, and one far below would do.
        let mut shifts = Vec::new();
        for minute in 0..10_080 {
            // Four times what the budget allows, which a quiet week's savings do not cover.
            let supposed = if minute % 1000 == 0 { &[rungs_to(-0.5); 4][..] } else { &[] };
            controller.judge(10, 0, supposed);
            shifts.push(controller.shift());
        }
        let last = shifts[shifts.len() - 1];
        assert!((-0.5..=-0.375).contains(&last), "{last}");
    }

    #[test]
    fn modes_that_do_not_learn_stay_where_they_are() {
        let mut frozen = adaptive(1.0, 0.5);
        frozen.judge(4, 3, &[rungs_to(1.0)]);
        let shift = frozen.shift();
        frozen = frozen.with_mode(BudgetMode::Frozen);
        (0..50).for_each(|_| frozen.judge(4, 9, &[u64::MAX]));
        assert_eq!((frozen.shift(), frozen.false_alarms()), (shift, 453));
        assert_eq!(frozen.with_mode(BudgetMode::Static).threshold().over(Score::ONE), Score::ONE);
    }

    proptest! {
        /// An adversary who raises an alarm whenever one can be raised, and lets each turn out false after any delay.
        #[test]
        fn no_adversary_exceeds_the_bound(
            per_service_week in 0.1f64..2000.0, gain in 0.05f64..10.0, services in 1u64..200,
            steps in proptest::collection::vec(
                (0u64..=3, 0usize..12, proptest::bool::weighted(0.9), any::<u64>()), 1..2000
            ),
        ) {
            let mut controller = adaptive(per_service_week, gain);
            let mut due = std::collections::VecDeque::from(vec![0u64; 12]);
            let (mut pending, mut most_pending) = (0, 0);
            for (alarms, delay, watched, supposed) in steps {
                if !controller.threshold().is_silent {
                    due[delay] += alarms.min(services);
                    pending += alarms.min(services);
                }
                most_pending = most_pending.max(pending);
                let now = due.pop_front().unwrap_or(0);
                due.push_back(0);
                pending -= now;
                controller.judge(if watched { services } else { 0 }, now, &[supposed]);
                let bound = controller.most_false_alarms(services, most_pending);
                prop_assert!(controller.false_alarms() as f64 <= bound + 1e-6, "{controller:?}, bound {bound}");
            }
        }

        /// Who alarms at every step unless silent, uses the budget: the controller is not silent for ever.
        #[test]
        fn silence_ends(per_service_week in 1.0f64..50.0, gain in 0.1f64..2.0) {
            let mut controller = adaptive(per_service_week, gain);
            let mut alarms = 0u64;
            for _ in 0..40_000 {
                let raised = u64::from(!controller.threshold().is_silent);
                alarms += raised;
                controller.judge(10, raised, &[u64::MAX]);
            }
            let budget = per_service_week * controller.service_weeks();
            prop_assert!(alarms as f64 >= budget - 1.0, "{alarms} of {budget}");
        }
    }
}

use super::Threshold;
use crate::{CoreError, Score};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// How many false alarms an operator accepts, and how a [`BudgetController`] holds to it.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `per_service_week` | false alarms per service and week | 1 | above 0, finite |
/// | `mode` | whether the threshold moves | adaptive | |
/// | `gain` | log-odds that a small fleet's first false alarm moves the threshold by, less 0.25 | 0.5 | above 0, up to 10 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// False alarms per service and week.
    pub per_service_week: f64,
    /// Whether the threshold moves.
    pub mode: BudgetMode,
    /// Log-odds by which the threshold moves for the first false alarm, less 0.25, in a fleet that may have no more
    /// than one a day; later ones move it further.
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
/// After each step in which `s` services were watched and `f` alarms turned out false, the debt `D` becomes `max(D +
/// f - a s, -c)`, with the budget `a` per service and step. With `x = D / b`, where `b` is what the budget allows the
/// fleet in a day, or 1 if that is less (a large fleet does not move at every alarm), the threshold is `gain x + x²/4`
/// above the policy's own in log-odds; while the debt is negative, `gain x`, and no further below it than
/// [`LOWEST`](Self::LOWEST). A threshold that is far too low comes up after a few alarms, one nearly right moves
/// little. From a shift of [`SILENT`](Self::SILENT) on no alarm is raised at all. Every step without a false alarm pays
/// back `a s`, so silence ends by itself, and one that proves too strict comes down to where the budget is used.
///
/// # Bound
/// Over any sequence of scores and outcomes, chosen by an adversary even, with at most `B` for `b`, and at most `m`
/// alarms raised and not judged yet at any time, the number of false alarms after steps with `S` services watched in
/// total is at most
///
/// ```text
/// a S + x B + m,   x the debt at which gain x + x²/4 = SILENT: 4.7 for a gain of 0.5
/// ```
///
/// so the rate exceeds the budget by a term that vanishes like 1 / `S`. Proof: the debt grows by at least `f - a s`
/// in each step, so false alarms are at most `a S` and the debt at the end; while the debt is `x B` or
/// more no alarm is raised, so only the `m` that were raised before can raise it further. Nothing is assumed of the
/// data.
///
/// # References
/// I. Gibbs and E. Candes, *Adaptive conformal inference under distribution shift*, `NeurIPS` 2021. S. Feldman, L.
/// Ringel, S. Bates and Y. Romano, *Achieving risk control in online learning settings*, TMLR 2023. A. N.
/// Angelopoulos, E. Candes and R. J. Tibshirani, *Conformal PID control for time series prediction*, `NeurIPS` 2023.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetController {
    settings: BudgetSettings,
    steps_a_week: f64,
    debt: f64,
    /// What the budget allows the fleet in a day, at least 1, as of the last step.
    scale: f64,
    false_alarms: u64,
    service_steps: u64,
}

impl BudgetController {
    /// Log-odds above the policy's threshold from which on no alarm is raised.
    pub const SILENT: f64 = 8.0;
    /// How much faster the threshold rises with a growing debt.
    const CURVE: f64 = 0.25;
    /// Log-odds below the policy's threshold that the controller never goes beyond.
    pub const LOWEST: f64 = -1.0;

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
        let steps_a_week = 7.0 * 1440.0 / step_minutes;
        Ok(Self { settings, steps_a_week, debt: 0.0, scale: 1.0, false_alarms: 0, service_steps: 0 })
    }

    /// Takes what became known in one step: how many services were watched, and how many alarms, of this step or
    /// before, turned out false.
    pub fn judge(&mut self, services: u64, false_alarms: u64) {
        self.false_alarms = self.false_alarms.saturating_add(false_alarms);
        self.service_steps = self.service_steps.saturating_add(services);
        if self.settings.mode == BudgetMode::Frozen {
            return;
        }
        let (services, weekly) = (services as f64, self.settings.per_service_week);
        if services > 0.0 {
            self.scale = (services * weekly / 7.0).max(1.0);
        }
        let lowest = Self::LOWEST * self.scale / self.settings.gain;
        let paid = services * weekly / self.steps_a_week;
        self.debt = (self.debt + false_alarms as f64 - paid).max(lowest);
    }

    /// How far the threshold lies above the policy's own now, in log-odds.
    #[must_use]
    pub fn shift(&self) -> f64 {
        match self.settings.mode {
            BudgetMode::Static => 0.0,
            BudgetMode::Frozen | BudgetMode::Adaptive => {
                let debt = self.debt / self.scale;
                self.settings.gain * debt + Self::CURVE * debt.max(0.0).powi(2)
            }
        }
    }

    /// The same as the threshold of one service's machine.
    #[must_use]
    pub fn threshold(&self) -> Shift {
        Shift { log_odds: self.shift() }
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
        let gain = self.settings.gain;
        // Where gain x + CURVE x² is SILENT.
        let silent = ((gain * gain + 4.0 * Self::CURVE * Self::SILENT).sqrt() - gain) / (2.0 * Self::CURVE);
        weekly * self.service_weeks() + silent * largest + pending as f64
    }
}

/// A threshold at a distance in log-odds from that of the policy: what a [`BudgetController`] gives the machine of
/// each service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    log_odds: f64,
}

impl Shift {
    /// How far, in log-odds.
    #[must_use]
    pub fn log_odds(self) -> f64 {
        self.log_odds
    }

    /// The threshold over a policy's own.
    #[must_use]
    pub fn over(self, base: Score) -> Score {
        if self.log_odds == 0.0 {
            return base;
        }
        // A sum of finite log-odds is a score; a saved shift that is not finite leaves the policy's own.
        Score::from_logit(base.log_odds() + self.log_odds).unwrap_or(base)
    }
}

impl Threshold for Shift {
    fn at(&mut self, _: Timestamp, base: Score) -> Score {
        self.over(base)
    }

    fn is_silent(&self) -> bool {
        self.log_odds >= BudgetController::SILENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn a_false_alarm_raises_the_threshold_and_quiet_weeks_lower_it() {
        let base = Score::new(0.5).unwrap();
        let mut controller = adaptive(1.0, 0.5);
        controller.judge(1, 1);
        assert!((controller.shift() - 0.75).abs() < 1e-3);
        assert!((f64::from(controller.threshold().over(base).get()) - crate::sigmoid(0.75)).abs() < 1e-4);
        // A week of one service pays one false alarm back; after three more the lowest shift is reached.
        (0..10_079).for_each(|_| controller.judge(1, 0));
        assert!(controller.shift().abs() < 1e-9, "{}", controller.shift());
        (0..40_000).for_each(|_| controller.judge(1, 0));
        assert_eq!(controller.shift(), BudgetController::LOWEST);
        assert_eq!(controller.realised_per_service_week().map(|rate| (rate * 1e3).round()), Some(201.0));
    }

    #[test]
    fn modes_that_do_not_learn_stay_where_they_are() {
        let mut frozen = adaptive(1.0, 0.5);
        frozen.judge(4, 3);
        let shift = frozen.shift();
        frozen = frozen.with_mode(BudgetMode::Frozen);
        (0..50).for_each(|_| frozen.judge(4, 9));
        assert_eq!((frozen.shift(), frozen.false_alarms()), (shift, 453));
        assert_eq!(frozen.with_mode(BudgetMode::Static).threshold().over(Score::ONE), Score::ONE);
    }

    proptest! {
        /// An adversary who raises an alarm whenever one can be raised, and lets each turn out false after any delay.
        #[test]
        fn no_adversary_exceeds_the_bound(
            per_service_week in 0.1f64..2000.0, gain in 0.05f64..10.0, services in 1u64..200,
            steps in proptest::collection::vec((0u64..=3, 0usize..12, proptest::bool::weighted(0.9)), 1..2000),
        ) {
            let mut controller = adaptive(per_service_week, gain);
            let mut due = std::collections::VecDeque::from(vec![0u64; 12]);
            let (mut pending, mut most_pending) = (0, 0);
            for (alarms, delay, watched) in steps {
                if !controller.threshold().is_silent() {
                    due[delay] += alarms.min(services);
                    pending += alarms.min(services);
                }
                most_pending = most_pending.max(pending);
                let now = due.pop_front().unwrap_or(0);
                due.push_back(0);
                pending -= now;
                controller.judge(if watched { services } else { 0 }, now);
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
                let raised = u64::from(!controller.threshold().is_silent());
                alarms += raised;
                controller.judge(10, raised);
            }
            let budget = per_service_week * controller.service_weeks();
            prop_assert!(alarms as f64 >= budget - 1.0, "{alarms} of {budget}");
        }
    }
}

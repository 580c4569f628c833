use super::days::{DayAssumption, Days};
use crate::events::false_alarms;
use crate::uncertainty::{BlockBootstrap, Blocks, invalid};
use crate::{EvalError, ScoredSet};
use forewarn_core::{AlarmPolicy, Score};
use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma_ur;

/// How many false alarms an operator accepts, and how sure it has to be that there are no more.
///
/// The threshold is found on validation by testing thresholds from high to low, each for "the rate is above the
/// budget", and stopping at the first that cannot be rejected. Since the order is fixed beforehand (601 thresholds
/// whose log-odds are evenly spaced from 15 to -15, after 1), the rate of the last one rejected is within the budget
/// with the stated confidence, however many were tested.
///
/// | setting | meaning | default | range |
/// |---|---|---|---|
/// | `per_service_week` | false alarms per service and week that are accepted | 1 | above 0 |
/// | `confidence` | probability with which the rate is to be within the budget | 0.9 | above 0, below 1 |
///
/// A value out of range is [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting).
///
/// A count of false alarms is taken for Poisson; where days differ more than that, the count is scaled down by the
/// dispersion, the factor by which their variance exceeds it (quasi-Poisson). Loud days have a multiple of the rate of
/// quiet ones, so the excess of the dispersion grows with the rate: that of the count observed is taken to the budget,
/// where the test needs it. That takes days as independent, which is checked: where a day is like the day before it,
/// the dispersion is that of a sum over many days, and [`BudgetChoice::days`] says that the promise is doubtful, since
/// a quiet month may lie between two loud ones. The statement is about data like validation: when the service or its
/// load changes, so does the rate. Watch the realised rate, and choose again.
///
/// # References
/// A. N. Angelopoulos, S. Bates, E. J. Candes, M. I. Jordan and L. Lei, *Learn then test: calibrating predictive
/// algorithms to achieve risk control*, 2021 (fixed sequence testing). F. Garwood, *Fiducial limits for the Poisson
/// distribution*, Biometrika 28, 1936.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmBudget {
    /// False alarms per service and week that are accepted.
    pub per_service_week: f64,
    /// Probability with which the rate is to be within the budget, such as 0.9.
    pub confidence: f64,
}

/// The threshold that a budget allows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetChoice {
    /// The budget.
    pub budget: AlarmBudget,
    /// The threshold.
    pub threshold: Score,
    /// False alarms per service and week in validation, at the threshold.
    pub validation_rate: f64,
    /// By what factor the variance of a day's false alarms exceeds that of a Poisson count where the rate is on the
    /// budget, at least 1; with an allowance for being estimated from few days.
    pub dispersion: f64,
    /// Whether the days of validation are as independent as the promise takes them for.
    #[serde(default)]
    pub days: DayAssumption,
    /// Correlation of a day of validation with the next, by the ranks of their numbers of high scores; `None` where
    /// it cannot be told.
    #[serde(default)]
    pub day_correlation: Option<f64>,
}

/// One false alarm per service and week, with 90 % confidence.
impl Default for AlarmBudget {
    fn default() -> Self {
        Self { per_service_week: 1.0, confidence: 0.9 }
    }
}

impl AlarmBudget {
    /// The lowest threshold of which validation shows that it keeps the budget. Everything else of `policy` stays.
    ///
    /// `O(n)` a threshold tested, of the services with a score that reaches it; testing stops where the budget is used
    /// up.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a budget that is not above 0 or a
    /// confidence that is not above 0 and below 1; [`EvalError::BudgetNotProvable`] where validation is too short to
    /// show it for any threshold, or empty.
    pub fn choose(&self, validation: &ScoredSet, policy: AlarmPolicy) -> Result<BudgetChoice, EvalError> {
        let Self { per_service_week, confidence } = *self;
        let chosen = Self::choose_each(&[*self], validation, policy)?;
        let service_weeks = validation.service_days() / 7.0;
        chosen.into_iter().flatten().next().ok_or(EvalError::BudgetNotProvable {
            per_service_week,
            confidence,
            service_weeks,
            needed_weeks: -(1.0 - confidence).ln() / per_service_week,
        })
    }

    /// The same where validation can show it, and otherwise for the nearest budget above it that validation can show
    /// to be kept; the choice says which. `None` where none is shown up to a thousand times this one.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting), as in [`choose`](Self::choose).
    pub fn choose_nearest(
        &self,
        validation: &ScoredSet,
        policy: AlarmPolicy,
    ) -> Result<Option<BudgetChoice>, EvalError> {
        if let Some(choice) = Self::choose_each(&[*self], validation, policy)?.into_iter().flatten().next() {
            return Ok(Some(choice));
        }
        let weeks = validation.service_days() / 7.0;
        if weeks <= 0.0 {
            return Ok(None);
        }
        // A budget can be shown where the highest threshold shows it: no other one has to be tried.
        let (days, highest) = (Days::new(validation), Watch::new(validation).observe(policy.at(Score::ONE)));
        let raised = (1..=600).map(|step| self.per_service_week * 10f64.powf(f64::from(step) / 200.0));
        let budget = raised
            .map(rounded_up)
            .find(|budget| highest.p_value(budget * weeks, &days) <= 1.0 - self.confidence);
        let Some(per_service_week) = budget else { return Ok(None) };
        let nearest = Self { per_service_week, ..*self };
        Ok(Self::choose_each(&[nearest], validation, policy)?.into_iter().flatten().next())
    }

    /// [`choose`](Self::choose) for many budgets in one go; `None` for those that cannot be shown to be kept.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting), as there.
    pub fn choose_each(
        budgets: &[Self],
        validation: &ScoredSet,
        policy: AlarmPolicy,
    ) -> Result<Vec<Option<BudgetChoice>>, EvalError> {
        for budget in budgets {
            budget.check()?;
        }
        let weeks = validation.service_days() / 7.0;
        if weeks <= 0.0 {
            // Nothing was watched, so nothing is shown, however little certainty is asked for.
            return Ok(vec![None; budgets.len()]);
        }
        let (days, watch) = (Days::new(validation), Watch::new(validation));
        let mut scores: Vec<Score> =
            validation.series().iter().flat_map(|series| series.scores().iter().copied()).collect();
        scores.sort_unstable_by(|a, b| b.cmp(a));
        let mut chosen = vec![None; budgets.len()];
        let mut open = vec![true; budgets.len()];
        let mut last: Option<(usize, Observed)> = None;
        for threshold in thresholds() {
            let reached = scores.partition_point(|&score| score >= threshold);
            // Without a score in between, and without hysteresis, the alarms are those of the threshold before.
            let observed = match last {
                Some((before, observed)) if before == reached && policy.clear().is_none() => observed,
                _ => watch.observe(policy.at(threshold)),
            };
            last = Some((reached, observed));
            for ((budget, open), chosen) in budgets.iter().zip(&mut open).zip(&mut chosen) {
                let expected = budget.per_service_week * weeks;
                *open &= observed.p_value(expected, &days) <= 1.0 - budget.confidence;
                if *open {
                    *chosen = Some(BudgetChoice {
                        budget: *budget,
                        threshold,
                        validation_rate: observed.false_alarms / weeks,
                        dispersion: observed.dispersion_at(expected, &days),
                        days: days.assumption,
                        day_correlation: days.correlation,
                    });
                }
            }
            if !open.contains(&true) {
                break;
            }
        }
        Ok(chosen)
    }

    fn check(&self) -> Result<(), EvalError> {
        let Self { per_service_week, confidence } = *self;
        if !(per_service_week > 0.0 && per_service_week.is_finite()) {
            let expected = "false alarms per service and week, above 0";
            return Err(invalid("alarm budget", per_service_week.to_string(), expected).into());
        }
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(invalid("confidence", confidence.to_string(), "above 0 and below 1").into());
        }
        Ok(())
    }
}

/// Thresholds from high to low, the same whatever the data.
fn thresholds() -> impl Iterator<Item = Score> {
    let spaced = (0..=600).map(|index| 15.0 - 0.05 * f64::from(index));
    std::iter::once(Score::ONE).chain(spaced.filter_map(|logit| Score::from_logit(logit).ok()))
}

/// Farthest that the excess of a dispersion is taken from the count observed, as a factor.
const FARTHEST: f64 = 4.0;

/// False alarms, by how much their days differ more than chance, and the number of days.
#[derive(Clone, Copy, Debug)]
struct Observed {
    false_alarms: f64,
    dispersion: f64,
    days: usize,
}

/// The windows of validation by day, which no threshold changes.
struct Watch<'a> {
    set: &'a ScoredSet,
    blocks: Blocks,
    /// Windows of each day.
    windows: Vec<f64>,
}

impl<'a> Watch<'a> {
    fn new(set: &'a ScoredSet) -> Self {
        let blocks = BlockBootstrap::default().blocks(set);
        let mut windows = vec![0.0; blocks.len()];
        for series in set.series() {
            blocks.runs(series.times()).for_each(|(day, run)| windows[day] += run.len() as f64);
        }
        Self { set, blocks, windows }
    }

    /// What a policy gives.
    fn observe(&self, policy: AlarmPolicy) -> Observed {
        let (spec, step) = (self.set.spec(), self.set.step());
        let mut days: Vec<(f64, f64)> = self.windows.iter().map(|&windows| (0.0, windows)).collect();
        for series in self.set.series() {
            false_alarms(series, spec, step, policy).for_each(|time| days[self.blocks.of(time)].0 += 1.0);
        }
        let (false_alarms, windows) =
            days.iter().fold((0.0, 0.0), |(alarms, windows), day| (alarms + day.0, windows + day.1));
        Observed { false_alarms, dispersion: dispersion(&days, false_alarms / windows), days: days.len() }
    }
}

impl Observed {
    /// The dispersion if the rate were on the budget, `expected` of them: its excess grows with the rate, and what a
    /// few days say of it is doubtful by some `2 / (n - 1)`. Without a false alarm nothing is known of it, and 1 is
    /// taken.
    fn dispersion_at(&self, expected: f64, days: &Days) -> f64 {
        if self.false_alarms <= 0.0 || self.days < 2 {
            return days.dispersion(self.dispersion, expected);
        }
        let more = (expected / self.false_alarms).clamp(1.0, FARTHEST);
        let n = self.days as f64;
        days.dispersion((1.0 + (self.dispersion - 1.0) * more) * (n + 1.0) / (n - 1.0), expected)
    }

    /// Probability of so few false alarms if the rate were on the budget, `expected` of them.
    fn p_value(&self, expected: f64, days: &Days) -> f64 {
        let dispersion = self.dispersion_at(expected, days);
        let mean = expected / dispersion;
        if mean <= 0.0 {
            // A budget so small that it is lost to rounding: whatever the count, it is not too low for it.
            return 1.0;
        }
        // P(X <= k) for a Poisson X of mean m is the regularised upper gamma function Q(k + 1, m), which does not
        // take infinity.
        gamma_ur(self.false_alarms / dispersion + 1.0, mean.min(f64::MAX))
    }
}

/// The next number of two digits.
fn rounded_up(value: f64) -> f64 {
    let unit = 10f64.powf(value.log10().floor() - 1.0);
    // Divided, so that 2.4 is the 2.4 that a reader types.
    (value / unit - 1e-9).ceil() / (1.0 / unit).round().max(1.0) * (unit.max(1.0)).round()
}

/// Pearson's estimate of the dispersion of counts whose mean is `rate` times an exposure; at least 1.
fn dispersion(days: &[(f64, f64)], rate: f64) -> f64 {
    if days.len() < 2 || rate <= 0.0 {
        return 1.0;
    }
    let squares = days.iter().map(|&(count, exposure)| (count - rate * exposure).powi(2) / (rate * exposure));
    (squares.sum::<f64>() / (days.len() - 1) as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute};
    use approx::assert_abs_diff_eq;
    use forewarn_core::WindowSpec;
    use forewarn_schema::{Episodes, Step};

    /// Days of which nothing is known.
    fn no_days() -> Days {
        let none =
            ScoredSeries::new("a", vec![minute(0)], vec![Score::ZERO], vec![false], Episodes::default());
        Days::new(&ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![none.unwrap()]).unwrap())
    }

    #[test]
    fn budgets_are_rounded_up_to_two_digits() {
        let found = [1.0, 2.31, 0.1234, 99.2, 1234.0, 2.4].map(rounded_up);
        assert_eq!(found, [1.0, 2.4, 0.13, 100.0, 1300.0, 2.4]);
    }

    #[test]
    fn the_poisson_bound_is_garwoods() {
        // With 3 events the exact one-sided 95 % upper limit of a Poisson mean is 7.7537.
        let three = Observed { false_alarms: 3.0, dispersion: 1.0, days: 1 };
        assert_abs_diff_eq!(three.p_value(7.753_66, &no_days()), 0.05, epsilon = 1e-5);
        let none = Observed { false_alarms: 0.0, dispersion: 1.0, days: 1 };
        assert_abs_diff_eq!(none.p_value(3.0, &no_days()), (-3.0f64).exp(), epsilon = 1e-12);
    }

    #[test]
    fn days_that_differ_too_much_are_noticed() {
        assert_eq!(dispersion(&[(5.0, 1.0), (5.0, 1.0)], 5.0), 1.0);
        assert_abs_diff_eq!(dispersion(&[(0.0, 1.0), (10.0, 1.0)], 5.0), 10.0, epsilon = 1e-12);
        assert_eq!(dispersion(&[(0.0, 1.0), (0.0, 1.0)], 0.0), 1.0);
    }

    #[test]
    fn thresholds_fall_from_one_to_nothing() {
        let all: Vec<Score> = thresholds().collect();
        assert_eq!((all.len(), all[0]), (602, Score::ONE));
        assert!(all.windows(2).all(|pair| pair[0] >= pair[1]) && all[601].get() < 1e-6);
    }
}

use super::WorstCases;
use crate::{
    AlarmBudget, AlarmPolicy, BudgetChoice, Delays, EvalError, EventCounts, Events, LeadTimes, ScoredSet,
    Skill, Tradeoff, skill_over_chance,
};
use serde::{Deserialize, Serialize};

/// What a model's alarms are like to live with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationReport {
    /// How scores became alarms.
    pub policy: AlarmPolicy,
    /// Share of the alarms that were right, late ones left aside; `None` where there is neither a right nor a false one.
    pub alarm_precision: Option<f64>,
    /// Minutes a day in which a warning was on, per service.
    pub minutes_in_warning_per_service_day: f64,
    /// Skill over chance; `None` without a failure within reach, or where a warning is always on.
    pub skill: Option<Skill>,
    /// What stands between an alarm and a person who can act on it.
    pub delays: Delays,
    /// Share of the failures within reach for which the warning arrived before the onset; `None` where none was within reach.
    pub net_event_recall: Option<f64>,
    /// What delays leave of the lead times; warnings that came too late for them are left out.
    pub net_lead_time_minutes: LeadTimes,
    /// What more alarms would have bought, in hindsight; `None` without a failure within reach.
    pub tradeoff: Option<Tradeoff>,
    /// Where the model was most wrong.
    #[serde(default)]
    pub worst: WorstCases,
    /// Thresholds chosen on validation for budgets of false alarms, and what they gave on test. Empty where validation is not known
    /// with its times, or is too short for any.
    pub budgets: Vec<BudgetOutcome>,
}

/// What a budget that was chosen for on validation gave on test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetOutcome {
    /// Budget and threshold.
    pub choice: BudgetChoice,
    /// False alarms per service and week on test: what became of the promise.
    pub test_rate: f64,
    /// Share of the failures within reach that were warned of; `None` where none was.
    pub event_recall: Option<f64>,
    /// Median achieved lead time in minutes; `None` where nothing was caught.
    pub lead_time_median_minutes: Option<f64>,
}

/// False alarms per service and week that are tried: one, one a day, five a day and twenty a day.
const BUDGETS: [f64; 4] = [1.0, 7.0, 35.0, 140.0];
const CONFIDENCE: f64 = 0.9;

impl OperationReport {
    pub(crate) fn new(
        test: &ScoredSet,
        validation: Option<&ScoredSet>,
        policy: AlarmPolicy,
        events: &Events,
    ) -> Result<Self, EvalError> {
        let totals = events.totals();
        let delays = Delays::default();
        let net = delays.net(&LeadTimes::new(totals.leads_minutes.clone()))?;
        Ok(Self {
            policy,
            alarm_precision: totals.alarm_precision(),
            minutes_in_warning_per_service_day: 1440.0 * totals.time_in_warning().unwrap_or_default(),
            skill: skill_over_chance(test, events),
            delays,
            net_event_recall: totals.recall().map(|_| net.all.len() as f64 / totals.episodes as f64),
            net_lead_time_minutes: net,
            tradeoff: Tradeoff::new(test, policy)?,
            worst: WorstCases::new(test, events),
            budgets: validation.map_or(Ok(Vec::new()), |validation| budgets(validation, test, policy))?,
        })
    }
}

fn budgets(
    validation: &ScoredSet,
    test: &ScoredSet,
    policy: AlarmPolicy,
) -> Result<Vec<BudgetOutcome>, EvalError> {
    let tried = BUDGETS.map(|per_service_week| AlarmBudget { per_service_week, confidence: CONFIDENCE });
    // A validation part too short for a budget is no mistake: the report has fewer budgets then.
    let chosen = AlarmBudget::choose_each(&tried, validation, policy)?.into_iter().flatten();
    let outcome = |choice: BudgetChoice| {
        let totals: EventCounts = Events::new(test, policy.at(choice.threshold)).totals();
        BudgetOutcome {
            choice,
            test_rate: 7.0 * totals.false_alarms_per_service_day().unwrap_or_default(),
            event_recall: totals.recall(),
            lead_time_median_minutes: LeadTimes::new(totals.leads_minutes).median,
        }
    };
    Ok(chosen.map(outcome).collect())
}

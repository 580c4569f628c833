use super::{LeadCurve, ModelRun, WorstCases};
use crate::alarms::LiveOrder;
use crate::uncertainty::parts::{self, Part};
use crate::{
    AdaptiveOutcome, AlarmBudget, BudgetChoice, Delays, EvalError, EventCounts, Events, Interval, LeadTimes,
    Skill, Tradeoff, skill_over_chance,
};
use forewarn_core::{AlarmOutcome, AlarmPolicy, FailureOutcome};
use serde::{Deserialize, Serialize};

/// What a model's alarms are like to live with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationReport {
    /// What the budget of false alarms bought on test: what to read first. `None` in a report of an older version.
    #[serde(default)]
    pub headline: Option<BudgetHeadline>,
    /// How scores became alarms.
    pub policy: AlarmPolicy,
    /// Share of the alarms that were right, late ones left aside; `None` where there is neither a right nor a false
    /// one.
    pub alarm_precision: Option<f64>,
    /// Minutes a day in which a warning was on, per service.
    pub minutes_in_warning_per_service_day: f64,
    /// Skill over chance; `None` without a failure within reach, or where a warning is always on.
    pub skill: Option<Skill>,
    /// What stands between an alarm and a person who can act on it.
    pub delays: Delays,
    /// Share of the failures within reach for which the warning arrived before the onset; `None` where none was
    /// within reach.
    pub net_event_recall: Option<f64>,
    /// What delays leave of the lead times; warnings that came too late for them are left out.
    pub net_lead_time_minutes: LeadTimes,
    /// What more alarms would have bought, in hindsight; `None` without a failure within reach.
    pub tradeoff: Option<Tradeoff>,
    /// Where the model was most wrong.
    #[serde(default)]
    pub worst: WorstCases,
    /// Thresholds chosen on validation for budgets of false alarms, and what they gave on test. Empty where
    /// validation is too short for any.
    pub budgets: Vec<BudgetOutcome>,
    /// How early failures were known at each of these budgets.
    #[serde(default)]
    pub lead_curves: Vec<LeadCurve>,
}

/// What the accepted number of false alarms bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetHeadline {
    /// The budget that was asked for.
    pub asked: AlarmBudget,
    /// What came of it on test, or of the nearest budget above it that validation can show to be kept
    /// ([`BudgetChoice::budget`] says which); `None` where validation shows none.
    pub outcome: Option<BudgetOutcome>,
    /// Why the promise is doubtful or was replaced, as a sentence; `None` where it stands as asked.
    pub note: Option<String>,
}

/// What a budget that was chosen for on validation gave on test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetOutcome {
    /// Budget and threshold.
    pub choice: BudgetChoice,
    /// False alarms per service and week on test: what became of the promise.
    pub test_rate: f64,
    /// Where that rate lies.
    #[serde(default)]
    pub test_rate_interval: Option<Interval>,
    /// Failures that an alarm detected on test; `None` in a report of an older version.
    #[serde(default)]
    pub episodes_caught: Option<usize>,
    /// Share of the failures within reach that were detected; `None` where none was.
    pub event_recall: Option<f64>,
    /// Where that share lies.
    #[serde(default)]
    pub event_recall_interval: Option<Interval>,
    /// Median achieved lead time in minutes; `None` where nothing was caught.
    pub lead_time_median_minutes: Option<f64>,
    /// The same budget kept by a controller that moves the threshold while it runs, beginning from this one; `None`
    /// in a report of an older version.
    #[serde(default)]
    pub adaptive: Option<AdaptiveOutcome>,
}

/// False alarms per service and week that are tried: one, one a day, five a day and twenty a day.
const BUDGETS: [f64; 4] = [1.0, 7.0, 35.0, 140.0];
const CONFIDENCE: f64 = 0.9;

impl OperationReport {
    /// How alarms are raised at the budget: [`policy`](Self::policy) at the threshold of the headline; as it is where
    /// validation proves no budget.
    #[must_use]
    pub fn policy_at_budget(&self) -> AlarmPolicy {
        let outcome = self.headline.as_ref().and_then(|headline| headline.outcome.as_ref());
        outcome.map_or(self.policy, |outcome| self.policy.at(outcome.choice.threshold))
    }

    pub(super) fn new(run: &ModelRun<'_>, policy: AlarmPolicy, events: &Events) -> Result<Self, EvalError> {
        let (totals, delays) = (events.totals(), run.delays);
        let order = LiveOrder::new(run.test);
        let net = delays.net(&LeadTimes::new(totals.leads_minutes.clone()))?;
        let budgets = budgets(run, policy, &order)?;
        let lead_curve = |found: &BudgetOutcome| {
            let totals = Events::new(run.test, policy.at(found.choice.threshold)).totals();
            LeadCurve::new(run.test, found.choice.budget.per_service_week, &totals)
        };
        Ok(Self {
            headline: Some(headline(run, policy, &order)?),
            policy,
            alarm_precision: totals.alarm_precision(),
            minutes_in_warning_per_service_day: 1440.0 * totals.time_in_warning().unwrap_or_default(),
            skill: skill_over_chance(run.test, events),
            delays,
            net_event_recall: totals.recall().map(|_| net.all.len() as f64 / totals.episodes as f64),
            net_lead_time_minutes: net,
            tradeoff: Tradeoff::with_interval(run.test, policy, &run.bootstrap)?,
            worst: WorstCases::new(run.test, events),
            lead_curves: budgets.iter().filter_map(lead_curve).collect(),
            budgets,
        })
    }
}

fn budgets(
    run: &ModelRun<'_>,
    policy: AlarmPolicy,
    order: &LiveOrder<'_>,
) -> Result<Vec<BudgetOutcome>, EvalError> {
    let usual = BUDGETS.map(|per_service_week| AlarmBudget { per_service_week, confidence: CONFIDENCE });
    let mut tried = usual.to_vec();
    if !usual.iter().any(|budget| budget.per_service_week == run.budget.per_service_week) {
        tried.push(run.budget);
        tried.sort_by(|a, b| a.per_service_week.total_cmp(&b.per_service_week));
    }
    // A validation part too short for a budget is not an error: the report has fewer budgets then.
    let chosen = AlarmBudget::choose_each(&tried, run.held_out(), policy)?.into_iter().flatten();
    chosen.map(|choice| outcome(run, policy, choice, order)).collect()
}

fn headline(
    run: &ModelRun<'_>,
    policy: AlarmPolicy,
    order: &LiveOrder<'_>,
) -> Result<BudgetHeadline, EvalError> {
    let asked = run.budget;
    let choice = asked.choose_nearest(run.held_out(), policy)?;
    let outcome = choice.map(|choice| outcome(run, policy, choice, order)).transpose()?;
    let note = match &outcome {
        None => Some("Validation is too short to prove any budget of false alarms.".to_owned()),
        Some(found) => {
            let sentences: Vec<String> =
                [nearest(asked, found), found.choice.days.warning().map(str::to_owned), broken(found)]
                    .into_iter()
                    .flatten()
                    .collect();
            (!sentences.is_empty()).then(|| sentences.join(" "))
        }
    };
    Ok(BudgetHeadline { asked, outcome, note })
}

/// Says so where another budget than the one asked for is proved.
fn nearest(asked: AlarmBudget, found: &BudgetOutcome) -> Option<String> {
    let proved = found.choice.budget;
    (proved != asked).then(|| {
        format!(
            "Validation is too short to prove a budget of {} false alarms per service and week; {} is the nearest that it proves.",
            asked.per_service_week, proved.per_service_week
        )
    })
}

/// Says so where the data have changed so much since validation that test breaks the budget beyond chance.
fn broken(found: &BudgetOutcome) -> Option<String> {
    let (budget, lowest) = (found.choice.budget.per_service_week, found.test_rate_interval?.low);
    let adaptive = found.adaptive.map_or_else(String::new, |adaptive| {
        format!("; a threshold that adapts, as in a live service, had {:.1}", adaptive.test_rate)
    });
    (lowest > budget).then(|| {
        format!(
            "The data have drifted since validation: its threshold gave {:.1} false alarms per service and week on test, against a budget of {budget}{adaptive}.",
            found.test_rate
        )
    })
}

fn outcome(
    run: &ModelRun<'_>,
    policy: AlarmPolicy,
    choice: BudgetChoice,
    order: &LiveOrder<'_>,
) -> Result<BudgetOutcome, EvalError> {
    let events = Events::new(run.test, policy.at(choice.threshold));
    let totals: EventCounts = events.totals();
    let (false_alarms, failures) = (false_alarm_parts(run, &events), failure_parts(&events));
    let adaptive = order.replay(policy.at(choice.threshold), choice.budget.per_service_week)?;
    Ok(BudgetOutcome {
        choice,
        test_rate: 7.0 * totals.false_alarms_per_service_day().unwrap_or_default(),
        test_rate_interval: parts::rate_interval(&false_alarms, run.test, &run.bootstrap),
        episodes_caught: Some(totals.caught()),
        event_recall: totals.recall(),
        event_recall_interval: parts::share_interval(&failures, run.test, &run.bootstrap),
        lead_time_median_minutes: LeadTimes::new(totals.leads_minutes).median,
        adaptive: Some(adaptive),
    })
}

/// False alarms over the weeks watched.
fn false_alarm_parts(run: &ModelRun<'_>, events: &Events) -> Vec<Part> {
    let week = run.test.step().days() / 7.0;
    let times = run.test.series().iter().flat_map(|series| series.times());
    let alarms = events.services.iter().flat_map(|service| &service.alarms);
    let alarms = alarms.filter(|(_, outcome)| *outcome == AlarmOutcome::False);
    times
        .map(|&time| Part { time, value: 0.0, weight: week })
        .chain(alarms.map(|(alarm, _)| Part { time: alarm.time, value: 1.0, weight: 0.0 }))
        .collect()
}

/// Failures caught over failures within reach.
pub(super) fn failure_parts(events: &Events) -> Vec<Part> {
    let episodes = events.services.iter().flat_map(|service| &service.episodes);
    let within_reach = episodes.filter(|(_, outcome)| *outcome != FailureOutcome::OutOfReach);
    let part = |(episode, outcome): &(forewarn_schema::Episode, FailureOutcome)| Part {
        time: episode.onset(),
        value: f64::from(u8::from(*outcome != FailureOutcome::Missed)),
        weight: 1.0,
    };
    within_reach.map(part).collect()
}

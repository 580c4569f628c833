use crate::text::*;
use crate::view::View;
use forewarn_eval::{BudgetOutcome, DayAssumption, ModelReport};

impl View<'_> {
    /// What the [chosen](Self::chosen) model did on test at the budget of false alarms, such as
    /// *At one false alarm per service and week: 33 of 118 failures detected, a median 3 minutes ahead; on test the rate
    /// was 0.6. A threshold that moves, as that of the live service, detects 41 at a rate of 1.0.*
    /// Where validation proves none, at its own threshold.
    #[must_use]
    pub(crate) fn headline(&self) -> String {
        let Some(model) = self.chosen() else { return "No model was evaluated.".to_owned() };
        match at_budget(model) {
            Some((asked, found)) => self.budget_sentence(asked, found),
            None => self.threshold_sentence(model),
        }
    }

    fn budget_sentence(&self, asked: f64, found: &BudgetOutcome) -> String {
        let budget = found.choice.budget.per_service_week;
        let at = if budget == asked {
            format!("At {}", alarms_per_week(budget))
        } else {
            format!(
                "Validation does not prove {}. At {}, the nearest budget that it proves",
                alarms_per_week(asked),
                alarms_per_week(budget)
            )
        };
        let caught = found.episodes_caught.unwrap_or_else(|| {
            (found.event_recall.unwrap_or_default() * self.test.episodes as f64).round() as usize
        });
        let detected = match (caught, self.test.episodes) {
            (_, 0) => "no failure could have been detected".to_owned(),
            (0, all) => format!("none of {} detected", counted(all, "failure", "failures")),
            (some, all) => format!("{} of {} detected", count(some), counted(all, "failure", "failures")),
        };
        let ahead = ahead(found.lead_time_median_minutes, caught);
        let doubtful = match found.choice.days {
            DayAssumption::Correlated => " Days are correlated: the budget may not hold.",
            _ => "",
        };
        let moving = found.adaptive.map_or_else(String::new, |moving| {
            format!(
                " A threshold that moves, as that of the live service, detects {} at a rate of {}.",
                count(moving.episodes_caught),
                quantity(moving.test_rate)
            )
        });
        format!(
            "{at}: {detected}{ahead}; on test the rate was {}.{doubtful}{moving}",
            quantity(found.test_rate)
        )
    }

    /// What a model did at the threshold of its best F1.
    fn threshold_sentence(&self, model: &ModelReport) -> String {
        let detected = match (model.episodes_caught, self.test.episodes) {
            (_, 0) => "No failure could have been detected".to_owned(),
            (0, all) => format!("None of {} detected", counted(all, "failure", "failures")),
            (some, all) => format!("{} of {} detected", count(some), counted(all, "failure", "failures")),
        };
        let ahead = ahead(model.lead_time_minutes.median, model.episodes_caught);
        format!("{detected}{ahead}, at {}.", self.false_alarm_rate(model))
    }

    /// `1.5 false alarms a day`, for several services `1.5 false alarms a day per service`.
    fn false_alarm_rate(&self, model: &ModelReport) -> String {
        let rate = quantity(model.false_alarms_per_service_day);
        let alarms = if rate == "1" { "false alarm" } else { "false alarms" };
        let per_service = if self.input.services > 1 { " per service" } else { "" };
        match model.false_alarms {
            0 => "no false alarm".to_owned(),
            _ => format!("{rate} {alarms} a day{per_service}"),
        }
    }

    /// The question that models answer, with this report's numbers.
    pub(crate) fn question(&self) -> String {
        let window = &self.window;
        let minutes = |steps: usize| {
            let minutes = steps as f64 * window.step_minutes;
            format!("{} {}", quantity(minutes), if minutes == 1.0 { "minute" } else { "minutes" })
        };
        let what = match self.target {
            forewarn_core::Target::Onset => "does a failure begin",
            forewarn_core::Target::Active => "is the failure rule satisfied",
        };
        let after = match window.lead {
            0 => format!("in the next {}", minutes(window.period)),
            lead => format!("in the {} that follow after {}", minutes(window.period), minutes(lead)),
        };
        format!(
            "Having seen the last {} of a service's metrics: {what} {after}?",
            minutes(window.observation)
        )
    }
}

/// The budget asked for, and what a model did at it or at the nearest one; `None` where validation proves none.
pub(crate) fn at_budget(model: &ModelReport) -> Option<(f64, &BudgetOutcome)> {
    let headline = model.operation.as_ref()?.headline.as_ref()?;
    Some((headline.asked.per_service_week, headline.outcome.as_ref()?))
}

/// `one false alarm per service and week`.
pub(crate) fn alarms_per_week(budget: f64) -> String {
    match budget {
        1.0 => "one false alarm per service and week".to_owned(),
        other => format!("{} false alarms per service and week", quantity(other)),
    }
}

/// `, a median 3 minutes ahead`.
fn ahead(median: Option<f64>, caught: usize) -> String {
    median.map_or_else(String::new, |minutes| {
        let kind = if caught == 1 { "" } else { "a median " };
        let unit = if minutes == 1.0 { "minute" } else { "minutes" };
        format!(", {kind}{} {unit} ahead", quantity(minutes))
    })
}

//! The top of the page: what was asked, and the answer.

use crate::drawing::svg::escape;
use crate::headline::{alarms_per_week, at_budget};
use crate::html::page::Page;
use crate::view::View;
use crate::{table::name_of, text::*};
use forewarn_eval::{BudgetOutcome, ModelReport};

impl View<'_> {
    pub(crate) fn head(&self, page: &mut Page) {
        page.raw(&format!(
            "<p class=\"kicker\">Failure prediction · {}</p>\n",
            escape(&self.input.description)
        ));
        page.raw(&format!("<h1>{}</h1>\n", escape(&self.headline())));
        let chosen = self.chosen().map_or_else(String::new, |model| {
            let seen = match self.split.train {
                Some(_) => "neither its weights nor its threshold have seen",
                None => "its threshold has not seen; what it was trained on is not known",
            };
            let why = if model.is_weighed_by_blocks {
                "weighed by several blocks of time before test"
            } else {
                "the model that did best on validation"
            };
            format!(" Answered here by <b>{}</b>, {why}, on data that {seen}.", escape(&name_of(model)))
        });
        page.raw(&format!("<p class=\"lede\">{}{chosen}</p>\n", escape(&self.question())));
        page.raw(&format!("<p class=\"lede\">A failure: <b>{}</b>.</p>\n", escape(&self.failure_rule)));
        let Some(model) = self.chosen() else { return };
        page.raw("<dl class=\"cards\">\n");
        match at_budget(model) {
            Some((_, found)) => self.budget_cards(page, found),
            None => self.threshold_cards(page, model),
        }
        page.card(
            "PR-AUC",
            &share(model.pr_auc),
            &format!(
                "{} times the no-skill baseline ({})",
                quantity(model.pr_auc / self.test.prevalence),
                share(self.test.prevalence)
            ),
        );
        if let Some(reached) = self.share_of_ceiling(model) {
            page.card("Of the ceiling", &percent(reached), "of the PR-AUC between no skill and the ceiling");
        }
        page.card("ROC-AUC", &share(model.roc_auc), "no skill: 0.500");
        page.card("F1", &share(model.f1), "of windows, at the threshold that is best on validation");
        page.raw("</dl>\n");
    }

    /// What the budget of false alarms bought.
    fn budget_cards(&self, page: &mut Page, found: &BudgetOutcome) {
        let test = &self.test;
        let detected = or_dash(found.episodes_caught.map(|caught| caught as f64), quantity);
        page.card(
            "Failures detected",
            &format!("{detected} of {}", count(test.episodes)),
            &format!("at {}", alarms_per_week(found.choice.budget.per_service_week)),
        );
        page.card(
            "Median warning",
            &or_dash(found.lead_time_median_minutes, |minutes| format!("{}\u{a0}min", quantity(minutes))),
            "before the failure began",
        );
        let interval = found.test_rate_interval.map(|_| range(found.test_rate_interval, quantity));
        page.card(
            "False alarms a week",
            &quantity(found.test_rate),
            &interval.map_or_else(
                || "per service, on test".to_owned(),
                |within| format!("per service, on test: {within}"),
            ),
        );
        if let Some(adaptive) = found.adaptive {
            page.card(
                "Detected, adaptive threshold",
                &or_dash(adaptive.event_recall, percent),
                &format!("at {} false alarms a week and service", quantity(adaptive.test_rate)),
            );
        }
    }

    /// What the threshold of the best F1 gave, where validation proves no budget.
    fn threshold_cards(&self, page: &mut Page, model: &ModelReport) {
        let test = &self.test;
        page.card(
            "Failures detected",
            &format!("{} of {}", count(model.episodes_caught), count(test.episodes)),
            &format!("in {} service-days", quantity(test.service_days)),
        );
        let lead = &model.lead_time_minutes;
        page.card(
            "Median warning",
            &or_dash(lead.median, |minutes| format!("{}\u{a0}min", quantity(minutes))),
            &lead.p10.map_or_else(
                || "no failure was detected".to_owned(),
                |p10| format!("nine of ten: {}\u{a0}min or more", quantity(p10)),
            ),
        );
        let rate =
            if self.input.services > 1 { "False alarms per service-day" } else { "False alarms a day" };
        page.card(
            rate,
            &quantity(model.false_alarms_per_service_day),
            &format!("{} of {}", count(model.false_alarms), counted(model.alarms, "alarm", "alarms")),
        );
    }
}

//! The top of the page: what was asked, and the answer.

use crate::drawing::svg::escape;
use crate::html::page::Page;
use crate::view::View;
use crate::{table::name_of, text::*};

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
            format!(
                " Answered here by <b>{}</b>, the model that did best on validation, on data that {seen}.",
                escape(&name_of(model))
            )
        });
        page.raw(&format!("<p class=\"lede\">{}{chosen}</p>\n", escape(&self.question())));
        page.raw(&format!("<p class=\"lede\">A failure: <b>{}</b>.</p>\n", escape(&self.failure_rule)));
        let Some(model) = self.chosen() else { return };
        page.raw("<dl class=\"cards\">\n");
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
        page.card(
            "PR-AUC",
            &share(model.pr_auc),
            &format!(
                "{} times the no-skill baseline ({})",
                quantity(model.pr_auc / test.prevalence),
                share(test.prevalence)
            ),
        );
        if let Some(reached) = self.share_of_ceiling(model) {
            page.card("Of the ceiling", &percent(reached), "of the PR-AUC between no skill and the ceiling");
        }
        page.card("ROC-AUC", &share(model.roc_auc), "no skill: 0.500");
        page.raw("</dl>\n");
    }
}

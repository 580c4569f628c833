//! The models side by side, and curve by curve.

mod curves;
mod reliability;
mod timing;
mod training;
mod walk;

use crate::drawing::svg::escape;
use crate::html::page::{Page, sentence};
use crate::view::View;
use crate::{table::name_of, text::*};
use forewarn_eval::Ceiling;

impl View<'_> {
    pub(crate) fn model_section(&self, page: &mut Page) {
        page.heading("The models");
        page.raw("<div class=\"scroll\"><table>\n<thead><tr>");
        for name in [
            "Model",
            "PR-AUC",
            "ROC-AUC",
            "Precision",
            "Recall",
            "F1",
            "Detected",
            "Median lead",
            "False alarms / day",
            "Late",
            "Brier",
        ] {
            page.column(name);
        }
        page.raw("</tr></thead>\n<tbody>\n");
        page.row("reference", "no skill (prevalence)", &[share(self.test.prevalence), share(0.5)], 10);
        let chosen = self.chosen().map(std::ptr::from_ref);
        for model in self.ranked() {
            let class = if chosen == Some(std::ptr::from_ref(model)) { "chosen" } else { "" };
            let cells = [
                share(model.pr_auc),
                share(model.roc_auc),
                share(model.precision),
                share(model.recall),
                share(model.f1),
                format!("{} / {}", count(model.episodes_caught), count(self.test.episodes)),
                or_dash(model.lead_time_minutes.median, |minutes| format!("{}\u{a0}min", quantity(minutes))),
                quantity(model.false_alarms_per_service_day),
                count(model.late_alarms),
                share(model.brier),
            ];
            page.row(class, &name_of(model), &cells, 10);
        }
        for (index, (name, bound)) in self.ceiling.iter().flat_map(Ceiling::bounds).enumerate() {
            let blank = String::new();
            let cells =
                [share(bound.pr_auc), share(bound.roc_auc), blank.clone(), blank, share(bound.best_f1)];
            page.row(
                if index == 0 { "reference ruled" } else { "reference" },
                &format!("ceiling: {name}"),
                &cells,
                10,
            );
        }
        page.raw("</tbody></table></div>\n");
        page.raw(
            "<p class=\"note\">By PR-AUC on the test part; in bold the model that validation chose. Precision, recall and F1 \
             are of windows, at the threshold with the best F1 on validation. Detected: failures with an alarm before they \
             began, of those within reach of the scores. False alarms: per service and day. Late: alarms raised in the \
             middle of a failure, neither right nor false.",
        );
        if self.ceiling.is_some() {
            page.raw(" Ceiling: the best possible predictors of simulated data, their F1 at the threshold that turns out best on test.");
        }
        page.raw("</p>\n<dl class=\"plain\">\n");
        for model in self.ranked() {
            let times = match (model.fit_seconds, model.score_seconds) {
                (Some(fit), Some(score)) => format!(
                    "; fitted in {}\u{a0}s, scored {} in {}\u{a0}s",
                    quantity(fit),
                    counted(self.test.windows, "window", "windows"),
                    quantity(score)
                ),
                _ => "; its scores were given".to_owned(),
            };
            page.raw(&format!(
                "<dt>{}</dt><dd>{} Threshold {}{times}.</dd>\n",
                escape(&name_of(model)),
                escape(&sentence(&model.description)),
                model.threshold.get(),
            ));
        }
        page.raw("</dl>\n");
    }
}

//! Services one by one, and failures by class.

use crate::drawing::svg::escape;
use crate::html::page::Page;
use crate::view::View;
use crate::{table::name_of, text::*};
use forewarn_eval::ServiceReport;

impl View<'_> {
    pub(crate) fn service_section(&self, page: &mut Page) {
        let Some(model) = self.chosen().filter(|model| !model.services.is_empty()) else { return };
        page.heading("Service by service");
        page.raw(&format!("<p>{}, with one threshold for all.</p>\n", escape(&name_of(model))));
        page.raw("<div class=\"scroll\"><table>\n<thead><tr>");
        for name in [
            "Service",
            "Windows",
            "Positive",
            "PR-AUC",
            "ROC-AUC",
            "Detected",
            "Interval",
            "Median lead",
            "False alarms / day",
            "Interval",
            "Late",
        ] {
            page.column(name);
        }
        page.raw("</tr></thead>\n<tbody>\n");
        let cells = |service: &ServiceReport| {
            [
                count(service.windows),
                count(service.positives),
                or_dash(service.pr_auc, share),
                or_dash(service.roc_auc, share),
                format!("{} / {}", count(service.episodes_caught), count(service.episodes)),
                range(service.intervals.and_then(|found| found.event_recall), percent),
                or_dash(service.lead_time_minutes.median, |minutes| {
                    format!("{}\u{a0}min", quantity(minutes))
                }),
                or_dash(service.false_alarms_per_service_day, quantity),
                range(service.intervals.and_then(|found| found.false_alarms_per_service_day), quantity),
                count(service.late_alarms),
            ]
        };
        for service in &model.services {
            page.row("", &service.service, &cells(service), 10);
        }
        page.raw("</tbody></table></div>\n");
        if model.services.iter().any(|service| service.pr_auc.is_none()) {
            page.raw("<p class=\"note\">–: the service had no failure to predict, or nothing else.</p>\n");
        }
    }

    /// Failures by fault kind, failure rule, or whatever else they were classed by.
    pub(crate) fn class_section(&self, page: &mut Page) {
        let Some(model) = self.chosen().filter(|model| !model.classes.is_empty()) else { return };
        for classes in model.classes.chunk_by(|a, b| a.by == b.by) {
            page.heading(&format!("Failures by {}", classes[0].by));
            page.raw(&format!(
                "<p>{}. A failure may be of several classes, and is counted in each. A false alarm has no failure, so it has no class.</p>\n",
                escape(&name_of(model))
            ));
            let minutes = |value| or_dash(value, |minutes| format!("{}\u{a0}min", quantity(minutes)));
            let rows: Vec<_> = classes
                .iter()
                .map(|class| {
                    let name = class.class.clone().unwrap_or_else(|| "not known".to_owned());
                    let cells = vec![
                        format!("{} / {}", count(class.episodes_caught), count(class.episodes)),
                        or_dash(class.event_recall, percent),
                        range(class.event_recall_interval, percent),
                        minutes(class.lead_time_minutes.median),
                        minutes(class.lead_time_minutes.p10),
                        count(class.late_alarms),
                        count(class.episodes_out_of_reach),
                    ];
                    ("", name, cells)
                })
                .collect();
            page.table(
                &[
                    &capitalised(&classes[0].by),
                    "Detected",
                    "Share",
                    "Interval",
                    "Median lead",
                    "Nine of ten",
                    "Late alarms",
                    "Out of reach",
                ],
                &rows,
            );
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

use super::figures::{self, Screen};
use super::page::{Page, sentence};
use super::svg::escape;
use super::table::name_of;
use super::{Curve, CurveKind, ModelReport, Pictures, Report, ServiceReport, text::*};

const STYLE: &str = include_str!("style.css");
/// Lead times are drawn for at most this many models.
const HISTOGRAMS: usize = 3;

impl Report {
    /// The report as one HTML page that needs nothing else: no network, no script, its drawings inside. It follows the
    /// reader's choice of a light or dark screen and reads well on a phone.
    ///
    /// Text from files (names of services and metrics, notes) is escaped.
    #[must_use]
    pub fn to_html(&self, pictures: &Pictures) -> String {
        let mut page = Page::default();
        page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.raw(&format!("<title>forewarn: {}</title>\n", escape(&self.input.description)));
        page.raw(&format!("<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"));
        self.head(&mut page);
        self.model_section(&mut page);
        self.uncertainty_section(&mut page);
        self.curve_section(&mut page, pictures);
        self.reliability_section(&mut page);
        self.alarm_section(&mut page);
        self.lead_section(&mut page);
        self.episode_section(&mut page, pictures);
        self.data_section(&mut page, pictures);
        self.service_section(&mut page);
        self.notes_section(&mut page);
        page.raw(&format!(
            "<footer>{}, version {}. All times are UTC.</footer>\n</main>\n</body>\n</html>\n",
            escape(&self.format),
            self.version
        ));
        page.into_html()
    }

    fn head(&self, page: &mut Page) {
        page.raw(&format!(
            "<p class=\"kicker\">Failure prediction · {}</p>\n",
            escape(&self.input.description)
        ));
        page.raw(&format!("<h1>{}</h1>\n", escape(&self.headline())));
        let chosen = self.chosen().map_or_else(String::new, |model| {
            format!(
                " Answered here by <b>{}</b>, the model that did best on validation, on data that neither its weights nor its \
                 threshold have seen.",
                escape(&name_of(model))
            )
        });
        page.raw(&format!("<p class=\"lede\">{}{chosen}</p>\n", escape(&self.question())));
        page.raw(&format!("<p class=\"lede\">A failure: <b>{}</b>.</p>\n", escape(&self.failure_rule)));
        let Some(model) = self.chosen() else { return };
        page.raw("<dl class=\"cards\">\n");
        let test = &self.test;
        page.card(
            "Failures warned of",
            &format!("{} of {}", count(model.episodes_caught), count(test.episodes)),
            &format!("in {} service-days", quantity(test.service_days)),
        );
        let lead = &model.lead_time_minutes;
        page.card(
            "Median warning",
            &or_dash(lead.median, |minutes| format!("{}\u{a0}min", quantity(minutes))),
            &lead.p10.map_or_else(
                || "nothing was caught".to_owned(),
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
                "{} times a guess ({})",
                quantity(model.pr_auc / test.prevalence),
                share(test.prevalence)
            ),
        );
        if let Some(reached) = self.share_of_ceiling(model) {
            page.card(
                "Of what can be known",
                &percent(reached),
                "of the PR-AUC between a guess and the ceiling",
            );
        }
        page.card("ROC-AUC", &share(model.roc_auc), "a guess: 0.500");
        page.raw("</dl>\n");
    }

    fn model_section(&self, page: &mut Page) {
        page.heading("The models");
        page.raw("<div class=\"scroll\"><table>\n<thead><tr>");
        for name in [
            "Model",
            "PR-AUC",
            "ROC-AUC",
            "Precision",
            "Recall",
            "F1",
            "Warned of",
            "Median lead",
            "False alarms / day",
            "Late",
            "Brier",
        ] {
            page.column(name);
        }
        page.raw("</tr></thead>\n<tbody>\n");
        page.row("reference", "a guess: the prevalence", &[share(self.test.prevalence), share(0.5)], 10);
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
        for (index, (name, bound)) in self.ceiling.iter().flat_map(super::Ceiling::bounds).enumerate() {
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
             are of windows, at the threshold with the best F1 on validation. Warned of: failures with an alarm before they \
             began, of those within reach of the scores. False alarms: per service and day. Late: alarms raised in the \
             middle of a failure, neither right nor false.",
        );
        if self.ceiling.is_some() {
            page.raw(" Ceiling: the best possible predictors of simulated data, their F1 at the threshold that turns out best on test.");
        }
        page.raw("</p>\n<dl class=\"plain\">\n");
        for model in self.ranked() {
            page.raw(&format!(
                "<dt>{}</dt><dd>{} Threshold {}; fitted in {}\u{a0}s, scored {} in {}\u{a0}s.</dd>\n",
                escape(&name_of(model)),
                escape(&sentence(&model.description)),
                model.threshold.get(),
                quantity(model.fit_seconds),
                counted(self.test.windows, "window", "windows"),
                quantity(model.score_seconds),
            ));
        }
        page.raw("</dl>\n");
    }

    fn curve_section(&self, page: &mut Page, pictures: &Pictures) {
        if pictures.curves.is_empty() {
            return;
        }
        let mut curves: Vec<(&Curve, String)> = Vec::new();
        for kind in [CurveKind::Model, CurveKind::Ceiling] {
            let mut of_kind: Vec<&Curve> =
                pictures.curves.iter().filter(|curve| curve.kind == kind).collect();
            of_kind.sort_by(|a, b| b.pr_auc.total_cmp(&a.pr_auc));
            let classes = of_kind.into_iter().enumerate();
            curves.extend(classes.map(|(index, curve)| (curve, figures::curve_class(kind, index))));
        }
        page.heading("How precise, at which recall");
        page.raw(
            "<p>Lowering the threshold finds more of the windows before a failure (recall, to the right) at the price of more \
             that are not (precision, downwards). The area under a curve is its PR-AUC.</p>\n<figure>\n",
        );
        for screen in [Screen::Wide, Screen::Narrow] {
            page.raw(&figures::precision_recall(&curves, self.test.prevalence, screen));
        }
        page.raw("<ul class=\"legend\">\n");
        for (curve, class) in &curves {
            page.key(class, &curve.name, &share(curve.pr_auc));
        }
        page.key("dots", "a guess: the prevalence", &share(self.test.prevalence));
        page.raw("</ul>\n</figure>\n");
    }

    fn lead_section(&self, page: &mut Page) {
        let mut models: Vec<&ModelReport> =
            self.models.iter().filter(|model| model.episodes_caught > 0).collect();
        models.sort_by(|a, b| b.validation.pr_auc.total_cmp(&a.validation.pr_auc));
        if models.is_empty() {
            return;
        }
        page.heading("How early the warning came");
        page.raw(
            "<p>Failures by the minutes from the first alarm that warned of them to their onset. What nobody warned of is not \
             in here.</p>\n<div class=\"multiples\">\n",
        );
        for model in models.into_iter().take(HISTOGRAMS) {
            let lead = &model.lead_time_minutes;
            let minutes = |value| or_dash(value, |minutes| format!("{}\u{a0}min", quantity(minutes)));
            page.raw(&format!(
                "<figure><figcaption><b>{}</b>{} of {} warned of; mean {}, median {}</figcaption>\n{}</figure>\n",
                escape(&name_of(model)),
                count(model.episodes_caught),
                count(self.test.episodes),
                minutes(lead.mean),
                minutes(lead.median),
                figures::lead_times(self, model),
            ));
        }
        page.raw("</div>\n");
    }

    fn episode_section(&self, page: &mut Page, pictures: &Pictures) {
        let Some(timeline) = &pictures.timeline else { return };
        page.heading("One failure, minute by minute");
        page.raw(&format!(
            "<p>{}, {} to {}, with the score of {}. Each metric is drawn from its lowest to its highest value. The shaded time \
             is the failure; triangles are alarms.{}</p>\n<figure>\n",
            escape(&timeline.service),
            moment(timeline.start),
            clock(timeline.end),
            escape(&timeline.model),
            if self.target == forewarn_core::Target::Onset {
                " In the middle of a failure there is nothing to predict, so there is no score."
            } else {
                ""
            },
        ));
        for screen in [Screen::Wide, Screen::Narrow] {
            page.raw(&figures::timeline(timeline, screen));
        }
        page.raw("</figure>\n");
    }

    fn data_section(&self, page: &mut Page, pictures: &Pictures) {
        let input = &self.input;
        page.heading("The data, and what was left out");
        page.raw(&format!(
            "<p>{} ({}): {}, {} from {} to {}; {} and {}. The parts follow one another in time, {} apart, so that no window and \
             no label is shared.</p>\n<figure>\n",
            escape(&input.description),
            escape(&input.format),
            counted(input.services, "service", "services"),
            counted(input.rows, "row", "rows"),
            moment(input.start),
            moment(input.end),
            counted(input.missing_cells, "missing cell", "missing cells"),
            counted(input.gap_rows, "gap row", "gap rows"),
            counted(self.split.purge, "step", "steps"),
        ));
        for screen in [Screen::Wide, Screen::Narrow] {
            page.raw(&figures::split(self, &pictures.onsets, screen));
        }
        page.raw("<ul class=\"legend\">\n");
        for (name, _) in self.split.parts() {
            page.key(&format!("part {name}"), name, "");
        }
        if !pictures.onsets.is_empty() {
            page.key("onsets", "a failure begins", "");
        }
        page.raw("</ul>\n");
        let left_out = figures::services_left_out(&pictures.onsets);
        if left_out > 0 {
            page.raw(&format!("<figcaption>{} more services are not drawn.</figcaption>\n", count(left_out)));
        }
        page.raw("</figure>\n<div class=\"scroll\"><table>\n<thead><tr>");
        for name in [
            "Part",
            "From",
            "To",
            "Windows",
            "Positive",
            "In a failure",
            "Near the end of data",
            "Missing samples",
        ] {
            page.column(name);
        }
        page.raw("</tr></thead>\n<tbody>\n");
        for (name, part) in self.split.parts() {
            let positive = format!(
                "{} ({} %)",
                count(part.positives),
                quantity(100.0 * part.positives as f64 / part.windows.max(1) as f64)
            );
            let cells = [
                moment(part.start),
                moment(part.end),
                count(part.windows),
                positive,
                count(part.excluded.ongoing),
                count(part.excluded.censored),
                count(part.excluded.missing),
            ];
            page.row("", name, &cells, 7);
        }
        page.raw(
            "</tbody></table></div>\n<p class=\"note\">The last three columns are windows without a label. In a failure: \
             predicting what is already visible would be no feat. Near the end of data: nobody can know what follows. Missing \
             samples: nobody can tell whether the service failed.</p>\n",
        );
        if self.test.episodes_out_of_reach > 0 {
            page.raw(&format!(
                "<p class=\"note\">{} in the test time could not have been warned of, because no labelled window lies close \
                 enough before; left out of the count above.</p>\n",
                counted(self.test.episodes_out_of_reach, "failure", "failures")
            ));
        }
    }

    fn service_section(&self, page: &mut Page) {
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
            "Warned of",
            "Median lead",
            "False alarms / day",
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
                or_dash(service.lead_time_minutes.median, |minutes| {
                    format!("{}\u{a0}min", quantity(minutes))
                }),
                or_dash(service.false_alarms_per_service_day, quantity),
                count(service.late_alarms),
            ]
        };
        for service in &model.services {
            page.row("", &service.service, &cells(service), 8);
        }
        page.raw("</tbody></table></div>\n");
        if model.services.iter().any(|service| service.pr_auc.is_none()) {
            page.raw("<p class=\"note\">–: the service had no failure to predict, or nothing else.</p>\n");
        }
    }

    fn notes_section(&self, page: &mut Page) {
        page.heading("Notes");
        let notes: Vec<&String> = self.input.notes.iter().chain(&self.notes).collect();
        if !notes.is_empty() {
            page.raw("<ul class=\"notes\">\n");
            for note in notes {
                page.raw(&format!("<li>{}</li>\n", escape(note)));
            }
            page.raw("</ul>\n");
        }
        page.raw(
            "<dl class=\"plain\">\n<dt>PR-AUC</dt><dd>Area under the precision-recall curve (average precision). A guess gets the \
             prevalence, the share of windows before a failure, so read the two side by side.</dd>\n\
             <dt>ROC-AUC</dt><dd>How often a window before a failure scores higher than one that is not. A guess gets 0.5. Where \
             failures are rare it looks good long before alarms are.</dd>\n\
             <dt>Alarm</dt><dd>Raised when the score reaches the threshold, then silent for the refractory period. Right when a \
             failure begins in the prediction period after it, late in the middle of a failure, false otherwise.</dd>\n\
             <dt>Brier</dt><dd>Mean squared difference between the score and what happened. Lower is better.</dd>\n</dl>\n",
        );
        page.raw(&format!(
            "<p class=\"note\">{} a model sees in each row: {}.</p>\n",
            counted(self.features.len(), "feature", "features"),
            escape(&self.features.join(", "))
        ));
    }
}

//! Whether scores are probabilities, for the page.

use crate::drawing::svg::{Anchor, Scale, Svg, escape, nice_ticks};
use crate::html::page::Page;
use crate::view::View;
use crate::{table::name_of, text::*};
use forewarn_eval::ModelReport;
use forewarn_eval::Reliability;

/// Curves are drawn for at most this many models, those that did best on validation.
const DRAWN: usize = 3;

impl View<'_> {
    pub(crate) fn reliability_section(&self, page: &mut Page) {
        let mut models: Vec<(&ModelReport, &Reliability)> = self
            .ranked()
            .into_iter()
            .filter_map(|model| model.calibration.as_ref().map(|found| (model, found)))
            .collect();
        if models.is_empty() {
            return;
        }
        page.heading("Whether a score is a probability");
        page.raw(
            "<p>Windows in bins of about equal number by score. To the right, the probability that was announced; upwards, how often a \
             failure followed, with its interval. On the dashed line probabilities are right; below it they are too high.</p>\n",
        );
        let rows: Vec<_> = models
            .iter()
            .map(|(model, found)| {
                let cells = vec![
                    share(found.ece),
                    range(found.ece_interval, share),
                    share(model.brier),
                    share(found.reliability),
                    share(found.resolution),
                    share(found.uncertainty),
                    or_dash(model.window_figures.map(|figures| figures.log_loss), share),
                ];
                ("", name_of(model), cells)
            })
            .collect();
        models.sort_by(|a, b| b.0.validation.pr_auc.total_cmp(&a.0.validation.pr_auc));
        page.raw("<div class=\"multiples\">\n");
        for (model, found) in models.into_iter().take(DRAWN) {
            page.raw(&format!(
                "<figure><figcaption><b>{}</b>calibration error {}</figcaption>\n{}</figure>\n",
                escape(&name_of(model)),
                share(found.ece),
                curve(model, found)
            ));
        }
        page.raw("</div>\n");
        page.table(
            &[
                "Model",
                "Calibration error",
                "Interval",
                "Brier",
                "Reliability",
                "Resolution",
                "Uncertainty",
                "Log loss",
            ],
            &rows,
        );
        page.raw(
            "<p class=\"note\">Brier = reliability (what recalibrating would save) - resolution (the gain from separating windows) + \
             uncertainty (the score of always answering the prevalence).</p>\n",
        );
    }
}

fn curve(model: &ModelReport, found: &Reliability) -> String {
    let (width, height) = (320.0, 260.0);
    let (left, right, top, bottom) = (46.0, width - 12.0, 26.0, height - 40.0);
    let mut svg = Svg::new(width, height);
    let highest = |bin: &forewarn_eval::ReliabilityBin| {
        bin.interval.map_or(bin.happened, |interval| interval.high).max(bin.announced)
    };
    let most = (found.bins.iter().map(highest).fold(0.0, f64::max) * 1.05).min(1.0);
    let (x, y) = (Scale::new((0.0, most), (left, right)), Scale::new((0.0, most), (bottom, top)));
    for tick in nice_ticks(0.0, most, 4) {
        svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
        svg.text("tick", (left - 6.0, y.at(tick) + 4.0), Anchor::End, &quantity(tick));
        svg.text("tick", (x.at(tick), bottom + 16.0), Anchor::Middle, &quantity(tick));
    }
    svg.text("axis", (4.0, 14.0), Anchor::Start, "happened");
    svg.text("axis", (right, bottom + 34.0), Anchor::End, "announced");
    svg.line("threshold", (x.at(0.0), y.at(0.0)), (x.at(most), y.at(most)));
    for bin in &found.bins {
        let at = x.at(bin.announced);
        if let Some(interval) = bin.interval {
            svg.line("interval thin", (at, y.at(interval.low)), (at, y.at(interval.high)));
        }
    }
    let points: Vec<_> = found.bins.iter().map(|bin| (x.at(bin.announced), y.at(bin.happened))).collect();
    svg.polyline("score", &points);
    for point in points {
        svg.circle("estimate", point, 3.0);
    }
    svg.finish("any", &format!("Reliability of {}", name_of(model)))
}

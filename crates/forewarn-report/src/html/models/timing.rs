//! When failures were expected, and when they came.

use crate::drawing::svg::{Anchor, Scale, Svg, escape, nice_ticks};
use crate::html::page::Page;
use crate::view::View;
use crate::{table::name_of, text::*};
use forewarn_eval::ModelReport;
use forewarn_eval::{TimingReliability, WithinReliability};

/// Most reliability curves that are drawn of a model; a longer period is thinned.
const DRAWN: usize = 6;

impl View<'_> {
    pub(crate) fn timing_section(&self, page: &mut Page) {
        let models: Vec<(&ModelReport, &TimingReliability)> = self
            .by_validation()
            .into_iter()
            .filter_map(|model| model.timing.as_ref().map(|timing| (model, timing)))
            .collect();
        if models.is_empty() {
            return;
        }
        page.heading("When the failure will come");
        page.raw(
            "<p>These models give a probability for every minute of the period. Where a failure came: the minutes that they expected \
             against the minutes that it took, in bins of about as many windows; on the dashed line expectations come true, and a model \
             that cannot tell early from late has all its points at one place. Of all windows: the probability of a failure within that many \
             minutes against how often it came so soon.</p>\n",
        );
        for (model, timing) in &models {
            page.raw(&format!(
                "<h3>{}</h3>\n<p>Over {} with a failure in their period, expected minutes are off by {} on average, those of always \
                 answering the mean by {}; the bias is {} minutes.</p>\n<div class=\"multiples\">\n",
                escape(&name_of(model)),
                counted(timing.windows, "window", "windows"),
                quantity(timing.mean_absolute_error_minutes),
                quantity(timing.mean_absolute_error_of_the_mean_minutes),
                quantity(timing.bias_minutes),
            ));
            page.raw(&format!(
                "<figure><figcaption><b>Minutes to failure</b>where one came</figcaption>\n{}</figure>\n",
                minutes(model, timing)
            ));
            let every = timing.within.len().div_ceil(DRAWN).max(1);
            // Counted from the end, so that the whole period is among them.
            let mut drawn: Vec<_> = timing.within.iter().rev().step_by(every).collect();
            drawn.reverse();
            for step in drawn {
                page.raw(&format!(
                    "<figure><figcaption><b>Within {} min</b>calibration error {}</figcaption>\n{}</figure>\n",
                    quantity(step.minutes),
                    share(step.ece),
                    reliability(model, step)
                ));
            }
            page.raw("</div>\n");
            let rows: Vec<_> = timing
                .within
                .iter()
                .map(|step| {
                    let cells = vec![
                        count(step.windows),
                        percent(step.announced),
                        percent(step.happened),
                        share(step.ece),
                    ];
                    ("", format!("within {} min", quantity(step.minutes)), cells)
                })
                .collect();
            page.table(&["A failure", "Windows", "Announced", "Happened", "Calibration error"], &rows);
        }
    }
}

/// A square with the diagonal on which what is expected comes true.
struct Square {
    svg: Svg,
    x: Scale,
    y: Scale,
}

impl Square {
    fn new((low, high): (f64, f64), across: &str, upwards: &str) -> Self {
        let (width, height) = (320.0, 260.0);
        let (left, right, top, bottom) = (46.0, width - 12.0, 26.0, height - 40.0);
        let mut svg = Svg::new(width, height);
        let (x, y) = (Scale::new((low, high), (left, right)), Scale::new((low, high), (bottom, top)));
        for tick in nice_ticks(low, high, 4) {
            svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
            svg.text("tick", (left - 6.0, y.at(tick) + 4.0), Anchor::End, &quantity(tick));
            svg.text("tick", (x.at(tick), bottom + 16.0), Anchor::Middle, &quantity(tick));
        }
        svg.text("axis", (4.0, 14.0), Anchor::Start, upwards);
        svg.text("axis", (right, bottom + 34.0), Anchor::End, across);
        svg.line("threshold", (x.at(low), y.at(low)), (x.at(high), y.at(high)));
        Self { svg, x, y }
    }

    fn curve(mut self, points: impl Iterator<Item = (f64, f64)>, label: &str) -> String {
        let points: Vec<_> =
            points.map(|(across, upwards)| (self.x.at(across), self.y.at(upwards))).collect();
        self.svg.polyline("score", &points);
        for &point in &points {
            self.svg.circle("estimate", point, 3.0);
        }
        self.svg.finish("any", label)
    }
}

fn minutes(model: &ModelReport, timing: &TimingReliability) -> String {
    let values = || timing.bins.iter().flat_map(|bin| [bin.expected_minutes, bin.actual_minutes]);
    let low = values().fold(f64::INFINITY, f64::min).floor();
    let high = values().fold(low + 1.0, f64::max).ceil();
    let points = timing.bins.iter().map(|bin| (bin.expected_minutes, bin.actual_minutes));
    let label = format!("Expected and actual minutes to failure by {}", name_of(model));
    Square::new((low, high), "expected", "it took").curve(points, &label)
}

fn reliability(model: &ModelReport, step: &WithinReliability) -> String {
    let most = step.bins.iter().map(|bin| bin.announced.max(bin.happened)).fold(0.0, f64::max);
    let points = step.bins.iter().map(|bin| (bin.announced, bin.happened));
    let label = format!("Reliability of {} within {} minutes", name_of(model), quantity(step.minutes));
    Square::new((0.0, (most * 1.05).min(1.0)), "announced", "happened").curve(points, &label)
}

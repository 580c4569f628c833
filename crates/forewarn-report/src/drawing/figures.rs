//! The report's drawings. Each is made for a width: a phone gets its own, with the same size of text.

use crate::drawing::svg::{Anchor, Scale, Svg, nice_ticks, time_ticks};
use crate::{CurveKind, PrCurve, ServiceOnsets, text::*};
use forewarn_eval::{ModelReport, Report};

/// Which screens a drawing is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Wide,
    Narrow,
}

impl Screen {
    pub(crate) fn width(self) -> f64 {
        match self {
            Self::Wide => 860.0,
            Self::Narrow => 380.0,
        }
    }

    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }

    pub(crate) fn pick<T>(self, wide: T, narrow: T) -> T {
        match self {
            Self::Wide => wide,
            Self::Narrow => narrow,
        }
    }
}

/// Class of the curve at `index` among curves of its kind; the page's style knows eight colours.
pub(crate) fn curve_class(kind: CurveKind, index: usize) -> String {
    match kind {
        CurveKind::Model => format!("s{}{}", index % 8, if index >= 8 { " again" } else { "" }),
        CurveKind::Ceiling => format!("b{}", index % 2),
    }
}

/// Precision over recall, as steps, with the prevalence as the no-skill line. `curves` come with their classes.
pub(crate) fn precision_recall(curves: &[(&PrCurve, String)], prevalence: f64, screen: Screen) -> String {
    let (width, height) = (screen.width(), screen.pick(420.0, 330.0));
    let mut svg = Svg::new(width, height);
    let (left, right, top, bottom) = (40.0, width - 16.0, 30.0, height - 42.0);
    let highest = curves.iter().flat_map(|(curve, _)| &curve.points).map(|point| point.precision);
    // Weak models stay readable: the axis ends at the next tenth above the highest precision.
    let ceiling = (highest.fold(prevalence, f64::max) * 10.0).ceil() / 10.0;
    let (x, y) = (Scale::new((0.0, 1.0), (left, right)), Scale::new((0.0, ceiling), (bottom, top)));
    for tick in nice_ticks(0.0, ceiling, 5) {
        svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
        svg.text("tick", (left - 8.0, y.at(tick) + 4.0), Anchor::End, &short(tick));
    }
    for tick in nice_ticks(0.0, 1.0, 5) {
        svg.text("tick", (x.at(tick), bottom + 18.0), Anchor::Middle, &short(tick));
    }
    svg.text("axis", (4.0, 14.0), Anchor::Start, "precision");
    svg.text("axis", (right, bottom + 36.0), Anchor::End, "recall");
    svg.line("guess", (left, y.at(prevalence)), (right, y.at(prevalence)));
    // The first curve is drawn last, so that it lies on top.
    for (curve, class) in curves.iter().rev() {
        let mut path: Vec<(f64, f64)> = Vec::with_capacity(2 * curve.points.len());
        let mut recall = 0.0;
        for point in &curve.points {
            path.push((x.at(recall), y.at(point.precision)));
            path.push((x.at(point.recall), y.at(point.precision)));
            recall = point.recall;
        }
        svg.polyline(&format!("curve {class}"), &path);
    }
    svg.finish(screen.class(), "Precision-recall curves of all models on the test part")
}

/// How many failures were detected how many minutes ahead. One drawing for all screens.
pub(crate) fn lead_times(report: &Report, model: &ModelReport) -> String {
    let (width, height) = (320.0, 190.0);
    let mut svg = Svg::new(width, height);
    let (left, right, top, bottom) = (8.0, width - 8.0, 26.0, height - 40.0);
    let window = &report.window;
    // One bar a step of lead time; with a long period several steps share one.
    // A report may come from any program, with a window of any length.
    let shared = window.period.div_ceil(15).max(1);
    let bars = window.period.div_ceil(shared).max(1);
    let shortest = window.lead.saturating_add(1);
    let mut counts = vec![0usize; bars];
    for minutes in &model.lead_time_minutes.all {
        let steps = (minutes / window.step_minutes).round() as usize;
        let bar = steps.saturating_sub(shortest) / shared;
        counts[bar.min(bars - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let y = Scale::new((0.0, most as f64), (bottom, top));
    let pitch = (right - left) / bars as f64;
    for (bar, &count) in counts.iter().enumerate() {
        let (x, middle) = (left + pitch * bar as f64, left + pitch * (bar as f64 + 0.5));
        let wide = (pitch * 0.72).min(44.0);
        svg.rect("bar", (middle - wide / 2.0, y.at(count as f64)), (wide, bottom - y.at(count as f64)));
        if count > 0 {
            svg.text("value", (middle, y.at(count as f64) - 6.0), Anchor::Middle, &crate::text::count(count));
        }
        let first = shortest.saturating_add(bar.saturating_mul(shared));
        if shared == 1 && pitch > 18.0 {
            let minutes = quantity(first as f64 * window.step_minutes);
            svg.text("tick", (middle, bottom + 16.0), Anchor::Middle, &minutes);
        } else if bar.is_multiple_of(bars.div_ceil(6)) {
            svg.text(
                "tick",
                (x, bottom + 16.0),
                Anchor::Start,
                &quantity(first as f64 * window.step_minutes),
            );
        }
    }
    svg.line("base", (left, bottom), (right, bottom));
    svg.text("axis", (right, bottom + 34.0), Anchor::End, "minutes of warning");
    let label = format!("Lead times of {}", crate::table::name_of(model));
    svg.finish("any", &label)
}

/// Most services that are drawn one by one.
const SERVICES_DRAWN: usize = 12;

/// The parts of the split on a time axis, with a tick for each failure.
pub(crate) fn split(report: &Report, onsets: &[ServiceOnsets], screen: Screen) -> String {
    let width = screen.width();
    let has_names = onsets.len() > 1;
    let left = if has_names { screen.pick(130.0, 84.0) } else { 4.0 };
    let right = width - 12.0;
    let drawn = onsets.len().min(SERVICES_DRAWN);
    let row = 20.0;
    let (bar_top, bar) = (4.0, 22.0);
    let bottom = bar_top + bar + 8.0 + row * drawn as f64;
    let mut svg = Svg::new(width, bottom + 26.0);
    let span = (report.input.start.millis() as f64, report.input.end.millis() as f64);
    let x = Scale::new(span, (left, right));
    for (time, label) in time_ticks(report.input.start, report.input.end, screen.pick(9, 5)) {
        let at = x.time(time);
        svg.line("grid", (at, bar_top), (at, bottom));
        let anchor = if at - left < 16.0 {
            Anchor::Start
        } else if right - at < 16.0 {
            Anchor::End
        } else {
            Anchor::Middle
        };
        svg.text("tick", (at, bottom + 18.0), anchor, &label);
    }
    for (name, part) in report.split.parts() {
        let (from, to) = (x.time(part.start), x.time(part.end));
        svg.rect(&format!("part {name}"), (from, bar_top), ((to - from).max(1.0), bar));
    }
    for (index, service) in onsets.iter().take(drawn).enumerate() {
        let top = bar_top + bar + 8.0 + row * index as f64;
        if has_names {
            let name = cut(&service.service, screen.pick(16, 10));
            svg.text("tick", (left - 8.0, top + row - 7.0), Anchor::End, &name);
        }
        svg.line("base", (left, top + row - 3.0), (right, top + row - 3.0));
        for &onset in &service.onsets {
            svg.line("tickmark", (x.time(onset), top + 4.0), (x.time(onset), top + row - 3.0));
        }
    }
    svg.finish(screen.class(), "Train, validation and test on a time axis, with a tick for each failure")
}

/// How many services the drawing of the split leaves out.
pub(crate) fn services_left_out(onsets: &[ServiceOnsets]) -> usize {
    onsets.len().saturating_sub(SERVICES_DRAWN)
}

/// A share on an axis: as many decimals as it needs, at most two.
fn short(tick: f64) -> String {
    let text = format!("{tick:.2}");
    text.strip_suffix('0').map_or(text.clone(), str::to_owned)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

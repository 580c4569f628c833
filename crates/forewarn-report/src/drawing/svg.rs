//! Just enough SVG: shapes with classes, so that the page's style gives them colour, and axes with round numbers.

use crate::text::{clock, day, plain};
use forewarn_schema::Timestamp;
use std::fmt::Write;

/// Text as it may stand in HTML or SVG, between tags or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Which part of a text lies at its position.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing under construction, in pixels from the top left.
pub(crate) struct Svg {
    body: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    pub(crate) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = writeln!(
            self.body,
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        );
    }

    pub(crate) fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let (width, height) = (width.max(0.0), height.max(0.0));
        let _ = writeln!(
            self.body,
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        );
    }

    pub(crate) fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let _ = writeln!(self.body, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{radius:.1}"/>"#);
    }

    /// A line through points; fewer than two draw nothing but a dot.
    pub(crate) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        match points {
            [] => {}
            [point] => self.circle(&format!("{class} dot"), *point, 1.2),
            _ => {
                let _ = write!(self.body, r#"<polyline class="{class}" points=""#);
                for (index, (x, y)) in points.iter().enumerate() {
                    let _ = write!(self.body, "{}{x:.1},{y:.1}", if index == 0 { "" } else { " " });
                }
                self.body.push_str("\"/>\n");
            }
        }
    }

    /// A closed shape.
    pub(crate) fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(self.body, r#"<polygon class="{class}" points="{}"/>"#, points.join(" "));
    }

    pub(crate) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        let _ = writeln!(
            self.body,
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
        );
    }

    /// The drawing as an element; `class` says on which screens it is shown, `label` is read aloud.
    pub(crate) fn finish(self, class: &str, label: &str) -> String {
        let (width, height, label) = (self.width, self.height, escape(label));
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{label}\">\n{}</svg>\n",
            self.body
        )
    }
}

/// Maps values to pixels along a straight line.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// `from.0` falls on `to.0`, `from.1` on `to.1`. An empty range is widened, so that nothing is divided by zero.
    pub(crate) fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        let from = if from.0 == from.1 { (from.0, from.0 + 1.0) } else { from };
        Self { from, to }
    }

    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = (value - self.from.0) / (self.from.1 - self.from.0);
        self.to.0 + share * (self.to.1 - self.to.0)
    }

    pub(crate) fn time(&self, time: Timestamp) -> f64 {
        self.at(time.millis() as f64)
    }
}

/// Round numbers (1, 2 or 5 times a power of ten) from `low` to `high`, some `wanted` of them.
///
/// # References
/// P. S. Heckbert, *Nice numbers for graph labels*, Graphics Gems, 1990.
pub(crate) fn nice_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let raw = (high - low) / wanted.max(1) as f64;
    if !(raw.is_finite() && raw > 0.0) {
        return vec![low];
    }
    let magnitude = 10f64.powf(raw.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|round| round * magnitude).into_iter().find(|step| *step >= raw * 0.999);
    let step = step.unwrap_or(10.0 * magnitude);
    let first = (low / step - 1e-9).ceil();
    (0..100).map(|i| (first + f64::from(i)) * step).take_while(|tick| *tick <= high + step * 1e-9).collect()
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const TIME_STEPS: [i64; 21] = [
    SECOND,
    5 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    10 * DAY,
    30 * DAY,
    90 * DAY,
];

/// Round times (UTC) from `start` to `end`, at most `most` of them, with their labels: clock times within days, dates
/// beyond.
pub(crate) fn time_ticks(start: Timestamp, end: Timestamp, most: usize) -> Vec<(Timestamp, String)> {
    let (from, to) = (start.millis(), end.millis());
    let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
    let fits = |step: i64| (to - from) / step < most;
    let step = TIME_STEPS.into_iter().find(|&step| fits(step)).unwrap_or_else(|| {
        // Years and more: whole multiples of the longest.
        TIME_STEPS[TIME_STEPS.len() - 1] * ((to - from) / (most * TIME_STEPS[TIME_STEPS.len() - 1]) + 1)
    });
    let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) != 0);
    (first..=to.div_euclid(step))
        .filter_map(|multiple| Timestamp::from_millis(multiple * step))
        .map(|time| (time, if step < DAY { clock(time) } else { short_day(time) }))
        .collect()
}

/// `3 Jan`, which is short enough for an axis.
fn short_day(time: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = day(time);
    let mut parts = day.rsplit('-');
    let number = parts.next().and_then(|text| text.parse::<u8>().ok());
    let month = parts
        .next()
        .and_then(|text| text.parse::<usize>().ok())
        .and_then(|month| MONTHS.get(month.checked_sub(1)?));
    match (number, month) {
        (Some(number), Some(month)) => format!("{number} {month}"),
        _ => day.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape(r#"<script>"&'"#), "&lt;script&gt;&quot;&amp;&#39;");
        let mut svg = Svg::new(10.0, 10.0);
        svg.text("t", (0.0, 0.0), Anchor::Start, "</text><script>");
        let drawing = svg.finish("wide", "a \"label\"");
        assert!(!drawing.contains("<script") && drawing.contains("a &quot;label&quot;"), "{drawing}");
    }

    #[test]
    fn ticks_are_round() {
        let text = |ticks: Vec<f64>| ticks.iter().map(|t| format!("{t:.2}")).collect::<Vec<_>>().join(" ");
        assert_eq!(text(nice_ticks(0.0, 1.0, 5)), "0.00 0.20 0.40 0.60 0.80 1.00");
        assert_eq!(text(nice_ticks(3.0, 17.0, 4)), "5.00 10.00 15.00");
        assert_eq!(nice_ticks(1.0, 1.0, 4), [1.0]);
        assert_eq!(nice_ticks(0.0, f64::NAN, 4), [0.0]);
    }

    #[test]
    fn time_ticks_are_round_and_few() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let labels = |start, end, most| -> Vec<String> {
            time_ticks(time(start), time(end), most).into_iter().map(|tick| tick.1).collect()
        };
        assert_eq!(
            labels("2024-01-01T11:47:00Z", "2024-01-01T12:31:00Z", 6),
            ["11:50", "12:00", "12:10", "12:20", "12:30"]
        );
        assert!(labels("2024-01-01T00:00:00Z", "2024-01-30T23:59:00Z", 7).len() <= 7);
        assert_eq!(labels("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", 5), ["00:00"]);
        assert!(labels("-009000-01-01T00:00:00Z", "9000-01-01T00:00:00Z", 5).len() <= 5);
        assert_eq!(short_day(time("2024-03-09T00:00:00Z")), "9 Mar");
    }

    #[test]
    fn an_empty_range_has_a_place() {
        assert!(Scale::new((2.0, 2.0), (0.0, 10.0)).at(2.0).is_finite());
    }
}

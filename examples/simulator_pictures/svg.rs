//! Metrics of a simulation over time, as SVG.

use forewarn::{prelude::*, sim::fleet::FleetRun};
use std::{
    error::Error,
    fmt::{self, Write},
    ops::Range,
};

const COLOURS: [(&str, &str); 4] =
    [("auth", "#8e6bbf"), ("database", "#c8553d"), ("gateway", "#2a7f9e"), ("user", "#d79a2b")];
const WIDTH: f64 = 860.0;
const PANEL: f64 = 96.0;
const MARGIN: f64 = 132.0;

/// One metric over time, a line a service.
#[derive(Clone, Copy)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) factor: f64,
    pub(crate) unit: &'static str,
    /// What lies beyond is not drawn.
    pub(crate) most: f64,
}

/// The minutes that are drawn.
struct Axis {
    minutes: Range<usize>,
    start: Timestamp,
}

impl Axis {
    fn x(&self, minute: f64) -> f64 {
        let share = (minute - self.minutes.start as f64) / self.minutes.len() as f64;
        MARGIN + share * (WIDTH - MARGIN - 16.0)
    }

    /// Minutes that share a point: long pictures show the largest value of each few minutes.
    fn stride(&self) -> usize {
        self.minutes.len() / 720 + 1
    }
}

/// A picture of some minutes of a run, with faults as shaded spans.
pub(crate) fn picture(
    title: &str,
    run: &FleetRun,
    minutes: Range<usize>,
    panels: &[Panel],
) -> Result<String, Box<dyn Error>> {
    let axis = Axis { minutes, start: run.frames.frame(0).ok_or("there are services")?.start() };
    let height = 64.0 + panels.len() as f64 * (PANEL + 34.0) + 20.0;
    let mut svg = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}""#);
    svg += r##" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>"##;
    write!(svg, r#"<text x="16" y="24" font-size="15" font-weight="bold">{title}</text>"#)?;
    for (index, (name, colour)) in COLOURS.iter().enumerate() {
        let at = MARGIN + 100.0 * index as f64;
        write!(svg, r#"<rect x="{at}" y="36" width="14" height="4" fill="{colour}"/>"#)?;
        write!(svg, r#"<text x="{}" y="42">{name}</text>"#, at + 18.0)?;
    }
    for (index, panel) in panels.iter().enumerate() {
        let top = 62.0 + index as f64 * (PANEL + 34.0);
        let mut lines = Vec::new();
        let mut most = 0.0f64;
        for frame in run.frames.frames() {
            let values: Vec<f64> =
                frame.column(panel.metric)?.map(|value| f64::from(value) * panel.factor).collect();
            let points = values[axis.minutes.clone()].chunks(axis.stride());
            let points: Vec<f64> = points.map(|few| few.iter().copied().fold(f64::NAN, f64::max)).collect();
            most = points.iter().copied().filter(|value| !value.is_nan()).fold(most, f64::max);
            lines.push((frame.service(), points));
        }
        let most = (most.max(1e-9) * 1.05).min(panel.most);
        faults(&mut svg, run, &axis, top)?;
        write!(svg, r#"<text x="16" y="{}">{}</text>"#, top + 16.0, panel.title)?;
        write!(svg, r##"<text x="16" y="{}" fill="#777">0 to {most:.0}{}</text>"##, top + 34.0, panel.unit)?;
        let (right, bottom) = (WIDTH - 16.0, top + PANEL);
        write!(svg, r##"<line x1="{MARGIN}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="#999"/>"##)?;
        for (service, points) in &lines {
            let colour =
                COLOURS.iter().find(|(name, _)| name == service).map_or("#333", |(_, colour)| colour);
            let path = path(points, &axis, |value| top + PANEL - value.min(most) / most * PANEL)?;
            write!(svg, r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>"#)?;
        }
        ticks(&mut svg, &axis, bottom)?;
    }
    Ok(svg + "</svg>\n")
}

/// Spans in which a fault or a routine is under way.
fn faults(svg: &mut String, run: &FleetRun, axis: &Axis, top: f64) -> fmt::Result {
    let (first, last) = (axis.minutes.start as f64, axis.minutes.end as f64);
    for record in &run.log {
        let from = record.onset.minutes_since(axis.start);
        let to = record.ended.map_or(last, |ended| ended.minutes_since(axis.start));
        if to >= first && from < last {
            let (left, right) = (axis.x(from.max(first)), axis.x(to.min(last)));
            let width = (right - left).max(2.0);
            let fill = if record.injection.kind.is_routine() { "#d8d8d8" } else { "#f3c9b8" };
            write!(svg, r#"<rect x="{left:.1}" y="{top}" width="{width:.1}" height="{PANEL}""#)?;
            write!(svg, r#" fill="{fill}" opacity=".45"/>"#)?;
        }
    }
    Ok(())
}

/// A line with gaps where values are missing.
fn path(points: &[f64], axis: &Axis, y: impl Fn(f64) -> f64) -> Result<String, fmt::Error> {
    let mut path = String::new();
    for (index, &value) in points.iter().enumerate() {
        let pen = if index == 0 || points[index - 1].is_nan() { 'M' } else { 'L' };
        if !value.is_nan() {
            let minute = axis.minutes.start + index * axis.stride();
            write!(path, "{pen}{:.1} {:.1}", axis.x(minute as f64), y(value))?;
        }
    }
    Ok(path)
}

/// Times of day below a panel.
fn ticks(svg: &mut String, axis: &Axis, bottom: f64) -> Result<(), Box<dyn Error>> {
    for tick in 0..=6 {
        let minute = axis.minutes.start as f64 + axis.minutes.len() as f64 * f64::from(tick) / 6.0;
        let time = axis.start.checked_add(Step::MINUTE, minute as i64).ok_or("within the calendar")?;
        let (x, y, time) = (axis.x(minute), bottom + 13.0, time.to_string());
        write!(svg, r##"<text x="{x:.1}" y="{y}" fill="#777" font-size="10" text-anchor="middle">"##)?;
        write!(svg, "{}</text>", &time[11..16])?;
    }
    Ok(())
}

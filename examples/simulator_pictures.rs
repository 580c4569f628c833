//! Draws one day, one cascade and one leak of the simulated shop as SVG, for docs/explanation/simulator.md.
//!
//! `cargo run --release --example simulator_pictures -- docs/explanation/simulator`

use forewarn::sim::Fleet;
use forewarn::{
    prelude::*,
    sim::fleet::{FaultKind, FaultSchedule, FleetRun, Injection, Load},
};
use std::{error::Error, fmt::Write, ops::Range, path::PathBuf};

const COLOURS: [(&str, &str); 4] =
    [("auth", "#8e6bbf"), ("database", "#c8553d"), ("gateway", "#2a7f9e"), ("user", "#d79a2b")];
const WIDTH: f64 = 860.0;
const PANEL: f64 = 96.0;
const MARGIN: f64 = 132.0;

/// One metric over time, a line a service.
#[derive(Clone, Copy)]
struct Panel {
    title: &'static str,
    metric: &'static str,
    factor: f64,
    unit: &'static str,
    /// What lies beyond is not drawn.
    most: f64,
}

fn panel(title: &'static str, metric: &'static str, factor: f64, unit: &'static str, most: f64) -> Panel {
    Panel { title, metric, factor, unit, most }
}

/// A picture of some minutes of a run, with faults as shaded spans.
fn picture(
    title: &str,
    run: &FleetRun,
    minutes: Range<usize>,
    panels: &[Panel],
) -> Result<String, Box<dyn Error>> {
    let height = 64.0 + panels.len() as f64 * (PANEL + 34.0) + 20.0;
    let span = minutes.len() as f64;
    let stride = minutes.len() / 720 + 1;
    let x = |minute: f64| MARGIN + (minute - minutes.start as f64) / span * (WIDTH - MARGIN - 16.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{title}</text>"
    );
    for (index, (name, colour)) in COLOURS.iter().enumerate() {
        let at = MARGIN + 100.0 * index as f64;
        write!(
            svg,
            "<rect x=\"{at}\" y=\"36\" width=\"14\" height=\"4\" fill=\"{colour}\"/><text x=\"{}\" y=\"42\">{name}</text>",
            at + 18.0
        )?;
    }
    let start = run.frames.frame(0).ok_or("there are services")?.start();
    for (index, panel) in panels.iter().enumerate() {
        let top = 62.0 + index as f64 * (PANEL + 34.0);
        let mut lines = Vec::new();
        let mut most = 0.0f64;
        for frame in run.frames.frames() {
            let values: Vec<f64> =
                frame.column(panel.metric)?.map(|value| f64::from(value) * panel.factor).collect();
            // Long pictures show the largest value of each few minutes.
            let values: Vec<f64> = values[minutes.clone()]
                .chunks(stride)
                .map(|few| few.iter().copied().fold(f64::NAN, f64::max))
                .collect();
            most = values.iter().copied().filter(|value| !value.is_nan()).fold(most, f64::max);
            lines.push((frame.service().to_owned(), values));
        }
        let most = (most.max(1e-9) * 1.05).min(panel.most);
        let y = |value: f64| top + PANEL - value / most * PANEL;
        for record in &run.log {
            let from = record.onset.minutes_since(start);
            let to = record.ended.map_or(minutes.end as f64, |ended| ended.minutes_since(start));
            if to >= minutes.start as f64 && from < minutes.end as f64 {
                let (left, right) = (x(from.max(minutes.start as f64)), x(to.min(minutes.end as f64)));
                let fill = if record.injection.kind.is_routine() { "#d8d8d8" } else { "#f3c9b8" };
                write!(
                    svg,
                    "<rect x=\"{left:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{PANEL}\" fill=\"{fill}\" opacity=\".45\"/>",
                    (right - left).max(2.0)
                )?;
            }
        }
        write!(
            svg,
            "<text x=\"16\" y=\"{}\">{}</text><text x=\"16\" y=\"{}\" fill=\"#777\">0 to {most:.0}{}</text>",
            top + 16.0,
            panel.title,
            top + 34.0,
            panel.unit
        )?;
        write!(
            svg,
            "<line x1=\"{MARGIN}\" y1=\"{b}\" x2=\"{}\" y2=\"{b}\" stroke=\"#999\"/>",
            WIDTH - 16.0,
            b = top + PANEL
        )?;
        for (service, values) in &lines {
            let colour =
                COLOURS.iter().find(|(name, _)| name == service).map_or("#333", |(_, colour)| colour);
            let mut path = String::new();
            for (row, value) in values.iter().enumerate() {
                let pen = if row == 0 || values[row - 1].is_nan() { 'M' } else { 'L' };
                if !value.is_nan() {
                    write!(
                        path,
                        "{pen}{:.1} {:.1}",
                        x((minutes.start + row * stride) as f64),
                        y(value.min(most))
                    )?;
                }
            }
            write!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\"/>")?;
        }
        for tick in 0..=6 {
            let minute = minutes.start as f64 + span * f64::from(tick) / 6.0;
            let time =
                start.checked_add(Step::MINUTE, minute as i64).ok_or("within the calendar")?.to_string();
            write!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" fill=\"#777\" font-size=\"10\" text-anchor=\"middle\">{}</text>",
                x(minute),
                top + PANEL + 13.0,
                &time[11..16]
            )?;
        }
    }
    Ok(svg + "</svg>\n")
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args().nth(1).map_or("docs/explanation/simulator".into(), PathBuf::from);
    let day = Fleet::shop(7).with_minutes(2 * 1440)?.run()?;
    let calm =
        Fleet::shop(7).with_minutes(130)?.with_load(Load::steady(1.0))?.with_faults(FaultSchedule::none())?;
    let slow = Injection::new(FaultKind::DependencySlowdown, "database").severity(0.8);
    let slow = slow.ramp_minutes(15.0).duration_minutes(15.0).recovery_minutes(5.0);
    let cascade = calm.clone().with_injection(20, slow)?.run()?;
    let leak = Injection::new(FaultKind::MemoryLeak, "user").severity(0.8).duration_minutes(75.0);
    let leak = calm.with_load(Load { level: 1.25, ..Load::steady(1.0) })?.with_injection(15, leak)?.run()?;
    let requests = panel("requests", "request_count", 1.0, " a minute", 1e9);
    let errors = panel("error rate", "error_rate", 100.0, " %", 100.0);
    let p99 = panel("99th percentile", "p99_latency", 1.0, " ms", 1e9);
    let cpu = panel("cpu", "cpu_usage", 100.0, " %", 100.0);
    let memory = panel("memory", "memory_usage", 100.0, " %", 100.0);
    let restarts = panel("pod restarts", "pod_restarts", 1.0, "", 1e9);
    let pictures = [
        (
            "day.svg",
            picture(
                "One day of the shop (red: faults, grey: routine)",
                &day,
                1440..2880,
                &[requests, Panel { most: 600.0, ..p99 }, cpu, errors],
            )?,
        ),
        (
            "cascade.svg",
            picture(
                "A database grows slow, and its clients retry",
                &cascade,
                10..70,
                &[
                    panel("requests", "request_count", 1.0, " a minute", 1e9),
                    panel("median", "p50_latency", 1.0, " ms", 1e9),
                    p99,
                    errors,
                ],
            )?,
        ),
        (
            "leak.svg",
            picture(
                "A service loses memory: collection, kills, cold caches",
                &leak,
                10..130,
                &[
                    memory,
                    panel("cpu", "cpu_usage", 100.0, " %", 100.0),
                    restarts,
                    panel("error rate", "error_rate", 100.0, " %", 100.0),
                ],
            )?,
        ),
    ];
    std::fs::create_dir_all(&folder)?;
    for (name, svg) in pictures {
        std::fs::write(folder.join(name), svg)?;
        println!("{}", folder.join(name).display());
    }
    Ok(())
}

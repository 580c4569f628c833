//! The outage as SVG: metrics over time, and under them a bar for each rule.

use forewarn::schema::{FrameView, SchemaError};

const WIDTH: usize = 720;
/// Pixels a minute.
const MINUTE: usize = 6;
const METRICS: [&str; 4] = ["request_count", "error_rate", "p99_latency", "cpu_usage"];

/// One metric over time as a line with gaps, in a strip of 40 pixels from `top` on.
fn line(frame: FrameView<'_>, metric: &str, top: usize) -> Result<String, SchemaError> {
    let most = frame.column(metric)?.fold(0.0f32, f32::max);
    let mut path = String::new();
    let mut pen = 'M';
    for (minute, value) in frame.column(metric)?.enumerate() {
        if value.is_nan() {
            pen = 'M';
            continue;
        }
        path += &format!("{pen}{} {:.1}", minute * MINUTE, top as f32 + 40.0 * (1.0 - value / most));
        pen = 'L';
    }
    let text =
        format!("<text x='4' y='{}'>{metric}, up to {}</text>", top + 12, (most * 100.0).round() / 100.0);
    Ok(format!("{text}<path d='{path}' fill='none' stroke='#4878b0' stroke-width='1.5'/>\n"))
}

/// The metrics that matter, then the name and the bar of each rule.
pub(crate) fn picture(frame: FrameView<'_>, bars: &[(String, String)]) -> Result<String, SchemaError> {
    let height = 52 * METRICS.len() + 34 * bars.len() + 44;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' \
         width='{WIDTH}' height='{height}' role='img' font-family='sans-serif' font-size='12'>\n\
         <title>One outage under several definitions</title>\n\
         <rect width='{WIDTH}' height='{height}' fill='#fff'/>\n"
    );
    for (place, metric) in METRICS.iter().enumerate() {
        svg += &line(frame, metric, 4 + 52 * place)?;
    }
    for (place, (rule, bar)) in bars.iter().enumerate() {
        let top = 52 * METRICS.len() + 10 + 34 * place;
        let rule = rule.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        svg += &format!("<text x='4' y='{}'>{rule}</text>", top + 12);
        svg += &format!("<rect y='{}' width='{WIDTH}' height='10' fill='#e8ecf1'/>", top + 17);
        for (minute, letter) in bar.chars().enumerate().filter(|&(_, letter)| letter != '.') {
            let colour = if letter == '#' { "#c03a2b" } else { "#e0b040" };
            let (x, y) = (minute * MINUTE, top + 17);
            svg += &format!("<rect x='{x}' y='{y}' width='{MINUTE}' height='10' fill='{colour}'/>");
        }
        svg.push('\n');
    }
    let legend = [("#e8ecf1", "healthy"), ("#c03a2b", "failing"), ("#e0b040", "unknown")];
    for (place, (colour, says)) in legend.iter().enumerate() {
        let (x, y) = (4 + 110 * place, height - 20);
        svg += &format!("<rect x='{x}' y='{y}' width='12' height='10' fill='{colour}'/>");
        svg += &format!("<text x='{}' y='{}'>{says}</text>", x + 18, y + 9);
    }
    let (start, end) = (frame.time(0), frame.end());
    let caption = format!("<text x='{WIDTH}' y='{}' text-anchor='end'>{start} to {end}</text>", height - 11);
    Ok(svg + &caption + "\n</svg>\n")
}

//! One outage under seven definitions of failure: what counts as failing is the most important sentence that you write.
//!
//! `cargo run --release --example failure_rules`, with a rule file of your own: `... failure_rules -- my_rule.toml`, or with a picture of the seven:
//! `... failure_rules -- --svg outage.svg`

use forewarn::core::Assessment;
use forewarn::label::{Condition, Measure, Normal, Rule, Saturation, Shape, Span};
use forewarn::prelude::*;
use forewarn::schema::{Episode, FrameView};
use std::error::Error;

/// Two hours of a shop's checkout: it saturates, slows down, then errs on and off, recovers. One minute of error rates is missing, and
/// late at night one of three requests fails.
fn outage() -> Result<FrameSet, Box<dyn Error>> {
    let ramp = |minute: f32, from: f32, to: f32| ((minute - from) / (to - from)).clamp(0.0, 1.0);
    let mut values = Vec::new();
    for minute in 0..120u8 {
        let minute = f32::from(minute);
        let load = ramp(minute, 38.0, 50.0) * (1.0 - ramp(minute, 64.0, 70.0));
        let (requests, errors) = match minute {
            57.0 => (1200.0, f32::NAN),
            60.0 => (1200.0, 0.01),
            54.0..66.0 => (1200.0, 0.03 + 0.06 * load),
            98.0..100.0 => (3.0, 1.0 / 3.0),
            90.0.. => (3.0, 0.0),
            _ => (1200.0, 0.002),
        };
        let latency = 100.0 + 500.0 * load * load;
        values.extend([requests, errors, latency, 1.6 * latency, 2.2 * latency]);
        values.extend([0.4 + 0.58 * load, 0.5, 200.0, 180.0, 0.0]);
    }
    let start = "2024-01-01T22:00:00Z".parse()?;
    Ok(FrameSet::from_frames(vec![Frame::new("checkout", Schema::v1(), start, Step::MINUTE, values)?])?)
}

fn rules(file: Option<&str>) -> Result<Vec<Rule>, Box<dyn Error>> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        return Ok(vec![Rule::from_toml(&text).map_err(|error| format!("{path}: {error}"))?]);
    }
    let slow = Measure::metric("p99_latency").above(Normal::median(Span::minutes(30)).times(2.0));
    let bridged = Shape { merge_gaps_below: Some(Span::minutes(3)), ..Shape::default() };
    let beyond_chance = Condition::significant("error_rate", "request_count", 0.05, 0.99);
    Ok(vec![
        Rule::v1(),
        "error_rate >= 0.05 for 5 min".parse()?,
        Rule::new(beyond_chance)?,
        Rule::v1().with_episodes(bridged)?,
        Rule::latency(500.0, Span::minutes(3))?,
        Rule::saturation(&Saturation::default())?,
        Rule::new(slow)?,
    ])
}

/// A row a minute of the rule's judgement: failing, unknown, healthy.
fn judged(frame: FrameView<'_>, found: &Assessment) -> String {
    let letter = |row| match row {
        _ if found.episodes.iter().any(|episode| episode.contains(frame.time(row))) => '#',
        _ if found.unknown.iter().any(|rows| rows.contains(&row)) => '?',
        _ => '.',
    };
    (0..frame.rows()).map(letter).collect()
}

const WIDTH: usize = 720;
/// Pixels a minute.
const MINUTE: usize = 6;

/// One metric over time as a line with gaps, in a strip of 40 pixels from `top` on.
fn line(frame: FrameView<'_>, metric: &str, top: usize) -> Result<String, Box<dyn Error>> {
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

/// The metrics that matter, and under them a bar for each rule.
fn picture(frame: FrameView<'_>, bars: &[(String, String)]) -> Result<String, Box<dyn Error>> {
    let metrics = ["request_count", "error_rate", "p99_latency", "cpu_usage"];
    let height = 52 * metrics.len() + 34 * bars.len() + 44;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' \
         role='img' font-family='sans-serif' font-size='12'>\n<title>One outage under several definitions</title>\n\
         <rect width='{WIDTH}' height='{height}' fill='#fff'/>\n"
    );
    for (place, metric) in metrics.iter().enumerate() {
        svg += &line(frame, metric, 4 + 52 * place)?;
    }
    for (place, (rule, bar)) in bars.iter().enumerate() {
        let top = 52 * metrics.len() + 10 + 34 * place;
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
    for (place, (colour, says)) in
        [("#e8ecf1", "healthy"), ("#c03a2b", "failing"), ("#e0b040", "unknown")].iter().enumerate()
    {
        let (x, y) = (4 + 110 * place, height - 20);
        svg += &format!("<rect x='{x}' y='{y}' width='12' height='10' fill='{colour}'/>");
        svg += &format!("<text x='{}' y='{}'>{says}</text>", x + 18, y + 9);
    }
    let (start, end) = (frame.time(0), frame.end());
    let caption = format!("<text x='{WIDTH}' y='{}' text-anchor='end'>{start} to {end}</text>", height - 11);
    Ok(svg + &caption + "\n</svg>\n")
}

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (file, svg) = match arguments[..] {
        [] => (None, None),
        ["--svg", svg] => (None, Some(svg)),
        [file] => (Some(file), None),
        _ => return Err("expected a rule file, or --svg FILE, or nothing".into()),
    };
    let frames = outage()?;
    let frame = frames.frame(0).ok_or("there is one service")?;
    println!("An outage of {}, one character a minute: . healthy  # failing  ? unknown\n", frame.service());
    let (mut onsets, mut bars) = (Vec::new(), Vec::new());
    for rule in rules(file)? {
        let found = rule.assess(frame)?;
        let bar = judged(frame, &found);
        println!("{rule}\n  {bar}");
        for episode in &found.episodes {
            println!("  {} to {}, confirmed {}", episode.onset(), episode.end(), episode.confirmed_at());
        }
        println!();
        onsets.push((found.episodes.first().map(Episode::onset), found.episodes.len()));
        bars.push((rule.to_string(), bar));
    }
    if let Some(path) = svg {
        std::fs::write(path, picture(frame, &bars)?).map_err(|error| format!("{path}: {error}"))?;
    }
    if let [v1, five_minutes, beyond_chance, bridged, latency, saturation, relative] = onsets[..] {
        // Saturation shows first, then latency, then errors: the earlier the definition, the earlier "the failure" begins.
        assert!(relative.0 < latency.0 && saturation.0 < v1.0 && latency.0 < v1.0);
        // A missing and a healthy minute cut the errors in three, and it is unknown whether the first five minutes were all bad.
        assert_eq!((v1.1, bridged.1, five_minutes.1), (4, 2, 1));
        // One error in three requests at night is a failure to v1, and chance to the binomial guard.
        assert!(beyond_chance.1 < v1.1);
    }
    Ok(())
}

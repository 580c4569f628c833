//! One outage under seven definitions of failure: what counts as failing is the most important sentence that you
//! write.
//!
//! `cargo run --release --example failure_rules` prints one character a minute. With the name of a file,
//! `... failure_rules -- docs/images/failure-rules.svg`, it also draws them.

mod picture;

use forewarn::{
    core::Assessment,
    label::{Condition, Measure, Normal, Saturation, Shape, Span},
    prelude::*,
    schema::{Episode, FrameView},
};
use std::{error::Error, process::ExitCode};

/// Two hours of a shop's checkout: it saturates, slows down, then errs on and off, recovers. One minute of error rates
/// is missing, and late at night one of three requests fails.
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

fn rules() -> Result<[Rule; 7], Box<dyn Error>> {
    let slow = Measure::metric("p99_latency").above(Normal::median(Span::minutes(30)).times(2.0));
    let bridged = Shape { merge_gaps_below: Some(Span::minutes(3)), ..Shape::default() };
    let beyond_chance = Condition::significant("error_rate", "request_count", 0.05, 0.99);
    Ok([
        Rule::v1(),
        "error_rate >= 0.05 for 5 min".parse()?,
        Rule::new(beyond_chance)?,
        Rule::shaped(Rule::v1().when().clone(), bridged)?,
        Rule::latency(500.0, Span::minutes(3))?,
        Rule::saturation(&Saturation::default())?,
        Rule::new(slow)?,
    ])
}

/// The rule's verdict on each row as a character: failing, unknown, healthy.
fn bar(frame: FrameView<'_>, found: &Assessment) -> String {
    let letter = |row| match row {
        _ if found.episodes.iter().any(|episode| episode.contains(frame.time(row))) => '#',
        _ if found.unknown.iter().any(|rows| rows.contains(&row)) => '?',
        _ => '.',
    };
    (0..frame.rows()).map(letter).collect()
}

fn run() -> Result<(), Box<dyn Error>> {
    let frames = outage()?;
    let frame = frames.frame(0).ok_or("there is one service")?;
    println!("An outage of {}, one character a minute: . healthy  # failing  ? unknown\n", frame.service());
    let (mut onsets, mut bars) = (Vec::new(), Vec::new());
    for rule in rules()? {
        let found = rule.assess(frame)?;
        let bar = bar(frame, &found);
        println!("{rule}\n  {bar}");
        for episode in &found.episodes {
            println!("  {} to {}, confirmed {}", episode.onset(), episode.end(), episode.confirmed_at());
        }
        println!();
        onsets.push((found.episodes.first().map(Episode::onset), found.episodes.len()));
        bars.push((rule.to_string(), bar));
    }
    if let Some(path) = std::env::args().nth(1) {
        let svg = picture::picture(frame, &bars)?;
        std::fs::write(&path, svg).map_err(|error| format!("{path}: {error}"))?;
    }
    let [v1, five_minutes, beyond_chance, bridged, latency, saturation, relative] = onsets[..] else {
        return Err("expected seven rules".into());
    };
    // Saturation shows first, then latency, then errors: the earlier the definition, the earlier "the failure" begins.
    assert!(relative.0 < latency.0 && saturation.0 < v1.0 && latency.0 < v1.0);
    // A missing and a healthy minute cut the errors in three, and it is unknown whether the first five were all bad.
    assert_eq!((v1.1, bridged.1, five_minutes.1), (4, 2, 1));
    // One error in three requests at night is a failure to v1, and chance to the binomial guard.
    assert!(beyond_chance.1 < v1.1);
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

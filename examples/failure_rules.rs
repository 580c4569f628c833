//! One outage under seven definitions of failure: what counts as failing is the most important sentence that you write.
//!
//! `cargo run --release --example failure_rules`, or with a rule file of your own: `... failure_rules -- my_rule.toml`

use forewarn::label::{Condition, Measure, Normal, Rule, Saturation, Shape, Span};
use forewarn::prelude::*;
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

fn rules() -> Result<Vec<Rule>, Box<dyn Error>> {
    if let Some(path) = std::env::args().nth(1) {
        return Ok(vec![Rule::from_toml(&std::fs::read_to_string(path)?)?]);
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

fn main() -> Result<(), Box<dyn Error>> {
    let frames = outage()?;
    let frame = frames.frame(0).ok_or("there is one service")?;
    println!(
        "An outage of {}, one character a minute: . healthy  # failing  ? nobody can say\n",
        frame.service()
    );
    let mut onsets = Vec::new();
    for rule in rules()? {
        let found = rule.assess(frame)?;
        let picture = (0..frame.rows()).map(|row| match row {
            _ if found.episodes.iter().any(|episode| episode.contains(frame.time(row))) => '#',
            _ if found.unknown.iter().any(|rows| rows.contains(&row)) => '?',
            _ => '.',
        });
        println!("{rule}\n  {}", picture.collect::<String>());
        for episode in &found.episodes {
            println!("  {} to {}, confirmed {}", episode.onset(), episode.end(), episode.confirmed_at());
        }
        println!();
        onsets.push((found.episodes.first().map(Episode::onset), found.episodes.len()));
    }
    if let [v1, five_minutes, beyond_chance, bridged, latency, saturation, relative] = onsets[..] {
        // Saturation shows first, then latency, then errors: the earlier the definition, the earlier "the failure" begins.
        assert!(relative.0 < latency.0 && saturation.0 < v1.0 && latency.0 < v1.0);
        // A missing and a healthy minute cut the errors in three, and nobody can say whether the first five minutes were all bad.
        assert_eq!((v1.1, bridged.1, five_minutes.1), (4, 2, 1));
        // One error in three requests at night is a failure to v1, and chance to the binomial guard.
        assert!(beyond_chance.1 < v1.1);
    }
    Ok(())
}

//! One outage under five definitions of failure: what counts as failing is the most important sentence that you write.
//!
//! `cargo run --release --example failure_rules`

use forewarn::prelude::*;
use std::error::Error;

/// An hour of a shop's checkout: it saturates, slows down, then errs, recovers, and errs once more. A minute of error rates is missing.
fn outage() -> Result<FrameSet, Box<dyn Error>> {
    let schema = Schema::v1();
    let ramp = |minute: f32, from: f32, to: f32| ((minute - from) / (to - from)).clamp(0.0, 1.0);
    let mut values = Vec::new();
    for minute in 0..60u8 {
        let minute = f32::from(minute);
        let load = ramp(minute, 8.0, 20.0) * (1.0 - ramp(minute, 34.0, 40.0));
        let errors = match minute {
            27.0 => f32::NAN,
            24.0..36.0 => 0.03 + 0.06 * load,
            50.0 => 0.08,
            _ => 0.002,
        };
        let latency = 100.0 + 500.0 * load * load;
        let sample = [
            1200.0,
            errors,
            latency,
            1.6 * latency,
            2.2 * latency,
            0.4 + 0.58 * load,
            0.5,
            200.0,
            180.0,
            0.0,
        ];
        values.extend(sample);
    }
    let frame = Frame::new("checkout", schema, "2024-01-01T12:00:00Z".parse()?, Step::MINUTE, values)?;
    Ok(FrameSet::from_frames(vec![frame])?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let frames = outage()?;
    let frame = frames.frame(0).ok_or("there is one service")?;
    let rules = [
        "error_rate >= 0.05 for 2 consecutive steps",
        "error_rate >= 0.05",
        "error_rate >= 0.05 for 10 consecutive steps",
        "p99_latency > 500 for 3 consecutive steps",
        "cpu_usage >= 0.9 for 5 consecutive steps",
    ];
    println!(
        "An outage of {}, one character a minute: . healthy  # failing  ? nobody can say\n",
        frame.service()
    );
    let mut onsets = Vec::new();
    for sentence in rules {
        let rule: ThresholdRule = sentence.parse()?;
        let found = rule.assess(frame)?;
        let picture: String = (0..frame.rows())
            .map(|row| match row {
                _ if found.episodes.iter().any(|episode| episode.contains(frame.time(row))) => '#',
                _ if found.unknown.iter().any(|rows| rows.contains(&row)) => '?',
                _ => '.',
            })
            .collect();
        println!("{sentence}\n  {picture}");
        for episode in &found.episodes {
            println!(
                "  onset {}, confirmed {}, end {}",
                episode.onset(),
                episode.confirmed_at(),
                episode.end()
            );
        }
        println!();
        onsets.push(found.episodes.first().map(Episode::onset));
    }
    // Latency is out of bounds first, then the processor, then errors: the definition decides when "the failure" begins.
    let [two_minutes, one_minute, ten_minutes, latency, saturation] = onsets[..] else {
        unreachable!("five rules")
    };
    assert!(latency < saturation && saturation < two_minutes && two_minutes == one_minute);
    // The missing minute cuts the run in two; the rule that wants ten minutes in a row cannot tell.
    assert_eq!(ten_minutes, None);
    Ok(())
}

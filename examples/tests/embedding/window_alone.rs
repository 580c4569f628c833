//! A program that makes rows of scrapes as they come: a counter and a gauge, every 15 seconds, one minute lost.

use forewarn::{
    prelude::*,
    schema::{Kind, RawSample, Unit, ValidRange},
    window::{Aligner, Alignment},
};
use std::error::Error;

/// Two hours of scrapes: 2 requests a second, and the second of the minute as load; none in minute 30.
fn scrapes() -> Result<Vec<RawSample>, Box<dyn Error>> {
    let mut samples = Vec::new();
    for second in (0..7200).step_by(15).filter(|second| second / 60 != 30) {
        let time = Timestamp::from_millis(1000 * second).ok_or("on the calendar")?;
        samples.push(RawSample { metric: 0, time, value: 2.0 * second as f64 });
        samples.push(RawSample { metric: 1, time, value: (second % 60) as f64 });
    }
    Ok(samples)
}

#[test]
fn rows_of_a_live_stream_are_those_of_all_scrapes_at_once() -> Result<(), Box<dyn Error>> {
    let raw = Schema::new(vec![
        Metric::new("requests", Unit::Dimensionless, Kind::Counter, ValidRange::NON_NEGATIVE),
        Metric::gauge("load"),
    ])?;
    let alignment = Alignment::to(Step::MINUTE);
    let (frame, _) = alignment.frame("shop", &raw, scrapes()?)?;
    let view = frame.view();
    assert_eq!(view.row(10), Some(&[120.0, 0.0][..]), "requests a minute, and the load at its end");

    let (mut live, mut rows) = (Aligner::new(&alignment, 1, "shop", &raw)?, 0);
    for sample in scrapes()? {
        live.push(sample)?;
        while let Some(row) = live.pop() {
            let at = view.row(rows).ok_or("a row of the frame")?;
            assert_eq!(row.time, view.time(rows));
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&row.values), bits(at), "row {rows}");
            rows += 1;
        }
    }
    assert!(rows > 100, "{rows}");
    Ok(())
}

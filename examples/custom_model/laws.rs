//! What forewarn asks of every source, rule, feature and model, asked of ours on an hour with gaps.

use crate::{feature::SmoothArrivals, model::FittedNearestMean, rule::Backlog, source::Queues};
use forewarn::{core::conformance, prelude::*};
use std::error::Error;

#[test]
fn ours_keep_the_laws() -> Result<(), Box<dyn Error>> {
    conformance::source(&mut Queues { minutes: 60 })?;
    let frames = Queues { minutes: 60 }.frames()?;
    let (whole, schema) = (frames.frame(0).expect("a worker"), frames.schema().clone());
    let gaps = |(index, value): (usize, &f32)| if index % 13 < 3 { f32::NAN } else { *value };
    let samples = whole.values().iter().enumerate().map(gaps).collect();
    let frame = Frame::new("mail", schema.clone(), Timestamp::EPOCH, Step::MINUTE, samples)?;
    for jobs in [10.0, 100.0, 360.0] {
        let rule = Backlog { jobs };
        conformance::failure_rule(&rule, frame.view())?;
        conformance::missing_adds_nothing(&rule, frame.view(), (0..60).step_by(7).map(|row| (row, 1)))?;
        conformance::never_fails_more(&Backlog { jobs: jobs + 50.0 }, &rule, frame.view())?;
    }
    conformance::feature(&SmoothArrivals { weight: 0.2 }, frame.view())?;
    let means = [vec![80.0, 10.0], vec![120.0, 500.0]];
    conformance::predictor(&FittedNearestMean { schema, observation: 10, means }, frame.view())?;
    Ok(())
}

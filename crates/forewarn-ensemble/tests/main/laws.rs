//! What goes around a model keeps the laws of predictors, and is read back as what was saved, with what is inside.

use crate::{
    line::{FittedLine, Line, registry},
    support::noisy,
};
use forewarn_core::{Predictor, conformance};
use forewarn_ensemble::{Calibrated, CalibrationMethod, Combined, Novelty, Qualified};
use forewarn_schema::{Frame, Step, Timestamp};
use std::sync::Arc;

#[test]
fn every_wrapper_keeps_the_laws() {
    let data = noisy(800);
    let validation = || data.split.validation().on(&data.frames).unwrap();
    let line = |of_means| data.fit(&Line { of_means, off: 0.5 }).unwrap();
    let members = || -> Vec<FittedLine> { vec![line(false), line(true)] };
    let stacked = Combined::stacked(members(), validation()).unwrap();
    let nested: Box<dyn Predictor> = Box::new(stacked.clone());
    let models: Vec<(&str, Box<dyn Predictor>)> = vec![
        ("platt", Box::new(Calibrated::fit(line(false), CalibrationMethod::Platt, validation()).unwrap())),
        (
            "isotonic",
            Box::new(Calibrated::fit(line(true), CalibrationMethod::Isotonic, validation()).unwrap()),
        ),
        (
            "beta",
            Box::new(Calibrated::fit(Arc::new(line(true)), CalibrationMethod::Beta, validation()).unwrap()),
        ),
        ("average", Box::new(Combined::average(members()).unwrap())),
        ("stacked", Box::new(stacked)),
        (
            "calibrated stack",
            Box::new(Calibrated::fit(nested, CalibrationMethod::Platt, validation()).unwrap()),
        ),
        ("novelty", Box::new(data.fit(&Novelty).unwrap())),
        ("qualified", Box::new(Qualified::new(line(false), "metrics").unwrap())),
    ];
    for (name, model) in models {
        for rows in [0, 3, 4, 90] {
            let values = data.values[..rows * 3].to_vec();
            let frame =
                Frame::new("shop", model.input().clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap();
            assert_eq!(conformance::predictor(&model, frame.view()), Ok(()), "{name}, {rows} rows");
            let saved = conformance::saved_model(&model, &registry(), data.spec, frame.view());
            assert_eq!(saved, Ok(()), "{name}, {rows} rows");
        }
    }
}

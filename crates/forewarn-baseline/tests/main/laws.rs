//! Every model of this crate keeps the laws of predictors, and is read back as what was saved.

use crate::{
    contract::{COLUMNS, baselines, fit, of_rows, values, with_place},
    support::gauges,
};
use forewarn_baseline::{Context, register};
use forewarn_core::{Predictor, Registry, WindowSpec, conformance};
use forewarn_schema::{Frame, Schema, Step, Timestamp};
use proptest::prelude::*;
use std::sync::LazyLock;

static FITTED: LazyLock<Vec<Box<dyn Predictor>>> = LazyLock::new(|| {
    let data = of_rows(240);
    baselines().iter().map(|estimator| fit(&data, &**estimator)).collect()
});

fn frame(schema: Schema, values: Vec<f32>) -> Frame {
    Frame::new("shop", schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_model_keeps_the_laws(values in values(0..30)) {
        let (registry, window) = (register(Registry::new()), WindowSpec::new(4, 0, 5).unwrap());
        let frame = frame(gauges(&COLUMNS), with_place(&values));
        for (model, number) in FITTED.iter().zip(0..) {
            for checked in [
                conformance::predictor(model, frame.view()),
                conformance::saved_model(model, &registry, window, frame.view()),
            ] {
                prop_assert_eq!(checked, Ok(()), "baseline {}", number);
            }
        }
    }

    #[test]
    fn the_context_of_a_row_keeps_the_laws(values in values(1..30)) {
        let frame = frame(gauges(&["m0", "m1", "m2"]), values);
        for context in [Context::new(["cart", "shop"]), Context::new(["cart"])] {
            conformance::feature(&context, frame.view())?;
            conformance::saved_feature(&context, &register(Registry::new()), frame.view())?;
        }
    }
}

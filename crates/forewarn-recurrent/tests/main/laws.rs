//! Every kind of network keeps the laws of predictors, and is read back as what was saved.

use crate::{
    learns::settings,
    task::{countdown, number, schema, two_services},
};
use forewarn_core::{Estimator, Registry, Silent, WindowSpec, conformance};
use forewarn_recurrent::{Cell, Output, Pooling, Recurrent, RecurrentModel, Settings, register};
use forewarn_schema::{Frame, Step, Timestamp};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn kinds() -> Vec<Settings> {
    let base = |cell| Settings { hidden: 5, max_epochs: 1, ..settings(cell) };
    vec![
        base(Cell::Lstm),
        base(Cell::Gru),
        Settings { head: Some(3), members: 2, ..base(Cell::Gru) },
        Settings { layers: 2, pooling: Pooling::Attention, ..base(Cell::Lstm) },
        Settings { service_embedding: Some(2), ..base(Cell::Gru) },
        Settings { service_embedding: Some(1), output: Output::Hazard, head: Some(4), ..base(Cell::Lstm) },
    ]
}

/// A model, and the window that it was fitted for. Only a task with episodes says when failures come.
fn fitted(settings: Settings) -> (RecurrentModel, WindowSpec) {
    let (frames, split) = match settings.output {
        Output::Hazard => {
            let task = countdown(400);
            (task.frames, task.split)
        }
        _ => two_services(60),
    };
    let (train, validation) = (split.train().on(&frames).unwrap(), split.validation().on(&frames).unwrap());
    let model = Recurrent::new(settings).unwrap().fit(train, validation, &mut Silent).unwrap();
    (model, split.train().spec())
}

#[test]
fn every_network_keeps_the_laws() {
    let registry = register(Registry::new());
    let mut generator = ChaCha8Rng::seed_from_u64(3);
    for settings in kinds() {
        let name = format!("{settings:?}");
        let (model, window) = fitted(settings);
        // Services that a fit has seen, and one that none has.
        let services =
            [("loud", 40), ("service", 40), ("shop", 40), ("loud", window.observation()), ("loud", 3)];
        for (service, rows) in services {
            let value = |_| match number(&mut generator) {
                missing if missing > 0.7 => f32::NAN,
                known => 3.0 * known,
            };
            let values = (0..2 * rows).map(value).collect();
            let frame = Frame::new(service, schema(), Timestamp::EPOCH, Step::MINUTE, values).unwrap();
            assert_eq!(conformance::predictor(&model, frame.view()), Ok(()), "{service} {rows} {name}");
            let saved = conformance::saved_model(&model, &registry, window, frame.view());
            assert_eq!(saved, Ok(()), "{service} {rows} {name}");
        }
    }
}

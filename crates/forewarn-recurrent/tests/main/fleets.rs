use crate::{
    learns::settings,
    task::{number, two_services},
};
use forewarn_core::{CoreError, Estimator, Predictor, Score, Silent};
use forewarn_recurrent::{
    Cell, Instructions, Output, Pooling, Recurrent, RecurrentModel, SavedState, Settings,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// A model with every option, fitted on the services "loud" and "quiet", whose labels are each other's opposites.
pub(crate) fn model(settings: Settings) -> RecurrentModel {
    let (frames, split) = two_services(1500);
    let (train, validation) = (split.train().on(&frames).unwrap(), split.validation().on(&frames).unwrap());
    Recurrent::new(settings).unwrap().fit(train, validation, &mut Silent).unwrap()
}

pub(crate) fn every_option(cell: Cell) -> Settings {
    Settings {
        layers: 2,
        pooling: Pooling::Attention,
        service_embedding: Some(3),
        members: 2,
        head: Some(5),
        max_epochs: 2,
        hidden: 20,
        ..settings(cell)
    }
}

#[test]
fn a_fleet_a_state_a_saved_state_and_a_batch_have_the_same_bits() {
    for cell in [Cell::Lstm, Cell::Gru] {
        let model = model(every_option(cell));
        let (frames, split) = two_services(1500);
        let test = split.test().on(&frames).unwrap().windows();
        let batch = model.score_all(test).unwrap();
        let names: Vec<&str> = (0..test.len()).map(|index| test.place(index).unwrap().0).collect();
        let mut fleet = model.fleet(names.iter().copied());
        let mut states: Vec<_> = names.iter().map(|name| model.start_for(name)).collect();
        let width = frames.schema().len();
        let mut scores = vec![Score::ZERO; test.len()];
        for step in 0..model.observation() {
            let rows: Vec<f32> =
                test.iter().flat_map(|window| window[step * width..][..width].to_vec()).collect();
            model.step_fleet(&mut fleet, &rows, &mut scores).unwrap();
            for ((state, row), &score) in states.iter_mut().zip(rows.chunks(width)).zip(&scores) {
                let saved = serde_json::to_string(&state.save()).unwrap();
                let saved: SavedState = serde_json::from_str(&saved).unwrap();
                *state = model.restore(&saved).unwrap();
                assert_eq!(model.step(state, row).unwrap(), score);
            }
        }
        assert_eq!(scores, batch, "{cell}");
        assert!(fleet.len() == test.len() && fleet.bytes() > 0);

        fleet.restart(0);
        let mut anew = model.start_for(names[0]);
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let rows: Vec<f32> = (0..test.len() * width).map(|_| number(&mut generator)).collect();
        model.step_fleet(&mut fleet, &rows, &mut scores).unwrap();
        assert_eq!(model.step(&mut anew, &rows[..width]).unwrap(), scores[0]);
        let infinite = vec![f32::INFINITY; rows.len()];
        assert!(matches!(
            model.step_fleet(&mut fleet, &infinite, &mut scores),
            Err(CoreError::NotFinite { .. })
        ));
        assert!(model.step_fleet(&mut fleet, &rows[1..], &mut scores).is_err());
    }
}

#[test]
fn a_network_learns_whose_window_it_is_and_has_an_answer_for_others() {
    let (frames, split) = two_services(1500);
    let test = split.test().on(&frames).unwrap();
    let score = |embedding| {
        let settings =
            Settings { service_embedding: embedding, max_epochs: 25, patience: 25, ..settings(Cell::Gru) };
        let model = model(settings);
        let scores = model.score_all(test.windows()).unwrap();
        (forewarn_core::average_precision(&scores, test.positive()).unwrap(), model)
    };
    let (without, _) = score(None);
    let (with, model) = score(Some(4));
    assert!(without < 0.7, "nothing but the service tells: {without}");
    assert!(with > 0.95, "{with}");

    let row = test.windows().iter_last().next().unwrap();
    let start = |service: &str| model.step(&mut model.start_for(service), row).unwrap();
    let (loud, quiet, other) = (start("loud"), start("quiet"), start("elsewhere"));
    assert!(loud != quiet && other != loud && other != quiet);
    assert_eq!(start("nowhere"), other);
    assert_eq!(model.step(&mut model.start(), row).unwrap(), other);
}

#[test]
fn states_that_do_not_fit_are_refused() {
    let model = model(Settings { max_epochs: 1, ..every_option(Cell::Lstm) });
    let mut state = model.start();
    assert!(state.save().networks.is_empty());
    model.step(&mut state, &[0.1, 0.2]).unwrap();
    let good = state.save();
    assert_eq!(model.restore(&good).unwrap().rows(), 1);
    let mut short = good.clone();
    short.networks[1].pop();
    let mut infinite = good.clone();
    infinite.networks[0][0] = f32::NAN;
    let fewer = SavedState { networks: good.networks[..1].to_vec(), ..good.clone() };
    let stranger = SavedState { service: 3, ..good };
    for wrong in [short, infinite, fewer, stranger] {
        assert!(model.restore(&wrong).is_err());
    }
}

#[test]
fn streams_allocate_nothing() {
    let model = model(Settings { max_epochs: 1, ..every_option(Cell::Gru) });
    let (mut state, mut fleet) = (model.start(), model.fleet(["loud"; 100]));
    let (rows, mut scores) = (vec![0.5; 200], vec![Score::ZERO; 100]);
    let allocated = allocation_counter::measure(|| {
        for _ in 0..20 {
            model.step(&mut state, &rows[..2]).unwrap();
            model.step_fleet(&mut fleet, &rows, &mut scores).unwrap();
        }
    });
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}

#[test]
fn portable_code_scores_as_any() {
    let model = model(Settings { output: Output::Probability, ..every_option(Cell::Gru) });
    let (frames, split) = two_services(1500);
    let test = split.test().on(&frames).unwrap().windows();
    let best = model.score_all(test).unwrap();
    for instructions in Instructions::available() {
        let scores = model.clone().with_instructions(instructions).unwrap().score_all(test).unwrap();
        for (a, b) in scores.iter().zip(&best) {
            assert!((a.get() - b.get()).abs() < 1e-6, "{instructions:?}: {a:?} {b:?}");
        }
        assert!(instructions == Instructions::Portable || scores == best, "{instructions:?}");
    }
}

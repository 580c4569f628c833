use crate::{
    learns::settings,
    task::{number, two_services},
};
use forewarn_core::{CoreError, Envelope, Estimator, Predictor, Save, Silent, WindowSpec};
use forewarn_recurrent::{
    Cell, Instructions, Output, Pooling, Recurrent, RecurrentModel, RecurrentState, SavedState, Settings,
};
use forewarn_schema::{Metric, Schema};
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
        let mut scores = vec![None; test.len()];
        for step in 0..model.observation() {
            let rows: Vec<f32> =
                test.iter().flat_map(|window| window[step * width..][..width].to_vec()).collect();
            model.step_fleet(&mut fleet, &rows, &mut scores).unwrap();
            for ((state, row), &score) in states.iter_mut().zip(rows.chunks(width)).zip(&scores) {
                let saved = serde_json::to_string(&state.save()).unwrap();
                let saved: SavedState = serde_json::from_str(&saved).unwrap();
                *state = model.restore(&saved).unwrap();
                assert_eq!(model.step(state, row).unwrap(), score);
                assert_eq!(score.is_some(), step + 1 == model.observation());
            }
        }
        assert_eq!(scores.iter().copied().collect::<Option<Vec<_>>>(), Some(batch), "{cell}");
        assert!(fleet.len() == test.len() && fleet.bytes() > 0);
        assert_eq!(model.forecast_state(&mut states[3]).unwrap(), model.forecast(test).unwrap()[3]);
        assert_eq!(model.forecast_stream(&fleet, 3).unwrap(), model.forecast(test).unwrap()[3]);

        fleet.restart(0).unwrap();
        let mut fresh = model.start_for(names[0]);
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let rows: Vec<f32> = (0..test.len() * width).map(|_| number(&mut generator)).collect();
        model.step_fleet(&mut fleet, &rows, &mut scores).unwrap();
        assert_eq!((model.step(&mut fresh, &rows[..width]).unwrap(), scores[0]), (None, None));
        assert!(scores[1..].iter().all(Option::is_some), "the others went on");
        let infinite = vec![f32::INFINITY; rows.len()];
        assert!(matches!(
            model.step_fleet(&mut fleet, &infinite, &mut scores),
            Err(CoreError::TooLarge { .. })
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
    let first = |mut state: RecurrentState| {
        let mut score = None;
        for _ in 0..model.observation() {
            score = model.step(&mut state, row).unwrap();
        }
        score.unwrap()
    };
    let start = |service: &str| first(model.start_for(service));
    let (loud, quiet, other) = (start("loud"), start("quiet"), start("elsewhere"));
    assert!(loud != quiet && other != loud && other != quiet);
    assert_eq!(start("nowhere"), other);
    assert_eq!(first(model.start()), other);
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
    let fewer = SavedState { networks: good.networks[..1].to_vec(), ..good.clone() };
    for wrong in [short, fewer] {
        assert!(matches!(model.restore(&wrong), Err(CoreError::LengthMismatch { .. })));
    }
    let stranger = SavedState { service: 3, ..good.clone() };
    assert!(matches!(
        model.restore(&stranger),
        Err(CoreError::NoSuch { what: "service", index: 3, count: 3 })
    ));
    // A number of each kind: a state, a cell, and the sum, the total and the largest of the attention.
    let numbers = good.networks[0].len();
    for at in [0, 40, numbers - 3, numbers - 2, numbers - 1] {
        for value in [f32::NAN, f32::INFINITY, -f32::INFINITY] {
            let mut beyond = good.clone();
            beyond.networks[0][at] = value;
            assert!(matches!(model.restore(&beyond), Err(CoreError::TooLarge { .. })), "{at} {value}");
        }
    }
    let mut beyond = good.clone();
    beyond.networks[1][0] = 3e38;
    assert!(model.restore(&beyond).is_err());
    let endless = SavedState { rows: usize::MAX, ..good };
    let mut state = model.restore(&endless).unwrap();
    model.step(&mut state, &[0.1, 0.2]).unwrap();
    assert_eq!(state.rows(), usize::MAX);
}

#[test]
fn a_state_of_another_model_is_refused() {
    let settings = Settings { max_epochs: 1, ..every_option(Cell::Gru) };
    let own = model(settings.clone());
    let (frames, split) = two_services(1500);
    let wider = Schema::new(["a", "b", "c"].map(Metric::gauge).to_vec()).unwrap();
    let values: Vec<f32> = frames.values().chunks(2).flat_map(|row| [row[0], row[1], 0.5]).collect();
    let wider = frames.derive(wider, values).unwrap();
    let wider = Recurrent::new(settings.clone()).unwrap().fit(
        split.train().on(&wider).unwrap(),
        split.validation().on(&wider).unwrap(),
        &mut Silent,
    );
    let others = [
        model(Settings { seed: 6, ..settings.clone() }),
        model(Settings { members: 1, ..settings.clone() }),
        model(Settings { service_embedding: None, ..settings }),
        wider.unwrap(),
    ];
    for other in others {
        let other_is =
            |result: Result<(), CoreError>| assert!(matches!(result, Err(CoreError::OtherModel { .. })));
        let (mut state, mut fleet) = (own.start_for("quiet"), own.fleet(["quiet"; 70]));
        let rows = vec![0.5; 70 * other.input().len()];
        let mut scores = vec![None; 70];
        other_is(other.step(&mut state, &rows[..other.input().len()]).map(drop));
        other_is(other.step_fleet(&mut fleet, &rows, &mut scores));
        other_is(other.restore(&state.save()).map(drop));
        other_is(other.forecast_state(&mut state).map(drop));
        other_is(other.add_stream(&mut fleet, "loud").map(drop));
        other_is(other.restore_stream(&mut fleet, 0, &state.save()));
        other_is(own.restore_stream(&mut fleet, 0, &other.start().save()));
    }
    let (state, spec) = (own.start(), WindowSpec::new(6, 0, 1).unwrap());
    let mut file = Vec::new();
    own.to_envelope(spec).unwrap().write(&mut file).unwrap();
    let loaded = RecurrentModel::from_envelope(Envelope::read(&file[..]).unwrap()).unwrap();
    assert!(loaded.restore(&state.save()).is_ok(), "saved and loaded, it is the same model");
}

#[test]
fn streams_come_go_and_move_between_fleets_and_states() {
    let model = model(Settings { max_epochs: 1, ..every_option(Cell::Lstm) });
    let mut generator = ChaCha8Rng::seed_from_u64(2);
    let mut row = move || vec![number(&mut generator), number(&mut generator)];
    let mut fleet = model.fleet(["loud", "quiet", "elsewhere"]);
    let mut states = vec![model.start_for("loud"), model.start_for("quiet"), model.start_for("elsewhere")];
    for round in 0..12 {
        match round {
            3 => {
                assert_eq!(model.add_stream(&mut fleet, "quiet").unwrap(), 3);
                states.push(model.start_for("quiet"));
            }
            5 => {
                fleet.swap_remove(1).unwrap();
                states.swap_remove(1);
            }
            7 => {
                states[0] = model.restore(&fleet.save(2).unwrap()).unwrap();
                model.restore_stream(&mut fleet, 0, &states[2].save()).unwrap();
            }
            9 => {
                model.restore_stream(&mut fleet, 1, &model.start_for("loud").save()).unwrap();
                states[1] = model.start_for("loud");
            }
            _ => {}
        }
        let rows: Vec<Vec<f32>> = states.iter().map(|_| row()).collect();
        let mut scores = vec![None; states.len()];
        model.step_fleet(&mut fleet, &rows.concat(), &mut scores).unwrap();
        for (stream, (state, row)) in states.iter_mut().zip(&rows).enumerate() {
            assert_eq!(model.step(state, row).unwrap(), scores[stream], "stream {stream}, round {round}");
            assert_eq!(fleet.rows(stream).unwrap(), state.rows());
            assert_eq!(fleet.save(stream).unwrap(), state.save());
        }
    }
    let mut fresh = model.start();
    for _ in 0..model.observation() {
        assert!(matches!(model.forecast_state(&mut fresh), Err(CoreError::LengthMismatch { .. })));
        model.step(&mut fresh, &row()).unwrap();
    }
    assert!(model.forecast_state(&mut fresh).is_ok(), "a whole window");
    let gone = |result: Result<(), CoreError>| {
        assert!(matches!(result, Err(CoreError::NoSuch { what: "stream", index: 3, count: 3 })));
    };
    gone(fleet.restart(3));
    gone(fleet.swap_remove(3));
    gone(fleet.save(3).map(drop));
    gone(fleet.rows(3).map(drop));
    gone(model.restore_stream(&mut fleet, 3, &fresh.save()));
    gone(model.forecast_stream(&fleet, 3).map(drop));
}

#[test]
fn streams_allocate_nothing() {
    let model = model(Settings { max_epochs: 1, ..every_option(Cell::Gru) });
    let (mut state, mut fleet) = (model.start(), model.fleet(["loud"; 100]));
    let (rows, mut scores) = (vec![0.5; 200], vec![None; 100]);
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

use crate::{
    learns::{fit, settings},
    task::{Rows, Task, number, schema},
};
use forewarn_core::{
    CoreError, Envelope, Origin, Predictor, PredictorState, Save, Score, Tensor, WindowSpec, Windows,
};
use forewarn_recurrent::{Cell, RecurrentModel, Settings};
use forewarn_schema::{Metric, Schema, Step, Timestamp};
use proptest::prelude::*;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// A model of any sides with random weights, by way of an envelope, as weights from elsewhere come.
fn random_model(
    cell: Cell,
    inputs: usize,
    hidden: usize,
    head: Option<usize>,
    observation: usize,
    seed: u64,
) -> RecurrentModel {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let rows = hidden * if cell == Cell::Lstm { 4 } else { 3 };
    let mut shapes = vec![
        ("rnn.weight_ih_l0", vec![rows, inputs]),
        ("rnn.weight_hh_l0", vec![rows, hidden]),
        ("rnn.bias_ih_l0", vec![rows]),
        ("rnn.bias_hh_l0", vec![rows]),
    ];
    match head {
        None => shapes.extend([("head.weight", vec![1, hidden]), ("head.bias", vec![1])]),
        Some(width) => shapes.extend([
            ("head.0.weight", vec![width, hidden]),
            ("head.0.bias", vec![width]),
            ("head.2.weight", vec![1, width]),
            ("head.2.bias", vec![1]),
        ]),
    }
    // As large as a fit's, so that rounding does not grow from step to step.
    let scale = 2.0 / (hidden as f32).sqrt();
    let mut tensor = |shape: Vec<usize>| {
        let values = (0..shape.iter().product()).map(|_| scale * number(&mut generator)).collect();
        Tensor::new(shape, values).unwrap()
    };
    RecurrentModel::from_envelope(Envelope {
        kind: cell.kind().into(),
        schema: Schema::new((0..inputs).map(|i| Metric::gauge(format!("m{i}"))).collect()).unwrap(),
        window: WindowSpec::new(observation, 0, 5).unwrap(),
        pipeline: None,
        policy: None,
        parameters: serde_json::json!({"hidden": hidden, "head": head, "members": 1}),
        metadata: Default::default(),
        tensors: shapes.into_iter().map(|(name, shape)| (name.to_owned(), tensor(shape))).collect(),
    })
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn batch_window_stream_and_state_agree_to_the_bit(
        gru: bool, inputs in 1usize..40, hidden in 1usize..90, head in proptest::option::of(1usize..40),
        observation in 1usize..13, count in 1usize..150, seed in 0u64..1_000_000
    ) {
        let cell = if gru { Cell::Gru } else { Cell::Lstm };
        let model = random_model(cell, inputs, hidden, head, observation, seed);
        let mut generator = ChaCha8Rng::seed_from_u64(seed + 1);
        let rows = observation + count - 1;
        let values: Vec<f32> = (0..rows * inputs)
            .map(|_| { let x = 3.0 * number(&mut generator); if x > 2.9 { f32::NAN } else { x } })
            .collect();
        let last_rows: Vec<u32> = (observation - 1..rows).map(|row| row as u32).collect();
        let windows = Windows::new(model.input(), &values, observation, &last_rows).unwrap();
        let batch = model.score_all(windows).unwrap();
        for (index, &together) in batch.iter().enumerate() {
            let one = model.score_all(windows.slice(index..index + 1).unwrap()).unwrap();
            prop_assert_eq!(one[0], together, "window {}", index);
        }
        let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut live = PredictorState::start(model.clone(), origin).unwrap();
        let streamed: Vec<Score> = values
            .chunks(inputs)
            .filter_map(|row| live.push_at(live.next(), row).unwrap().result)
            .collect();
        prop_assert_eq!(&streamed, &batch);
        for index in [0, count / 2, count - 1] {
            let mut state = model.start();
            let steps = windows.get(index).unwrap().chunks(inputs);
            let scores: Vec<_> = steps.map(|row| model.step(&mut state, row).unwrap()).collect();
            prop_assert!(scores[..observation - 1].iter().all(Option::is_none), "until the window is full");
            prop_assert_eq!(scores[observation - 1], Some(batch[index]));
            prop_assert_eq!(state.rows(), observation);
        }
    }
}

/// Rows that windows share are read once for all of them; windows that are far apart read their own.
#[test]
fn a_score_does_not_depend_on_rows_that_are_shared() {
    let model = crate::fleets::model(crate::fleets::every_option(Cell::Lstm));
    let (frames, split) = crate::task::two_services(1500);
    let of = |windows: Windows<'_>| model.score_all(windows).unwrap();
    let test = split.test().on(&frames).unwrap().windows();
    let (schema, layout, steps) = (test.schema(), test.layout().unwrap(), test.observation());
    let some = |values: &[f32], last_rows: &[u32]| {
        of(Windows::new(schema, values, steps, last_rows).unwrap().with_layout(layout))
    };
    // Every row, and so windows that overlap and go over from one service to the next.
    let rows = test.block().len() / schema.len();
    let following: Vec<u32> = (steps as u32 - 1..rows as u32).collect();
    let together = some(test.block(), &following);
    for (window, &last_row) in following.iter().enumerate() {
        assert_eq!(some(test.block(), &[last_row])[0], together[window], "{last_row}");
    }
    let mut apart: Vec<usize> = (0..following.len()).map(|window| window * 709 % following.len()).collect();
    apart.dedup();
    let last_rows: Vec<u32> = apart.iter().map(|&window| following[window]).collect();
    let expected: Vec<Score> = apart.iter().map(|&window| together[window]).collect();
    assert_eq!(some(test.block(), &last_rows), expected);

    // What lies between windows belongs to no window.
    let mut values = test.block().to_vec();
    values[20 * schema.len()] = f32::INFINITY;
    let around = [10, 11, 12, 19, 20 + steps as u32, 30];
    assert_eq!(some(&values, &around), some(test.block(), &around));
    let last_rows = [10, 20 + steps as u32 - 1];
    let windows = Windows::new(schema, &values, steps, &last_rows).unwrap();
    let refused = model.score_all(windows.with_layout(layout)).unwrap_err().to_string();
    assert!(refused.contains("\"jumps\" = inf"), "{refused}");
}

/// The equations of the PyTorch documentation in f64, element by element, for units that fill one vector in part,
/// two, and three with some left.
#[test]
fn scores_are_those_of_the_equations() {
    let sides = [(5, None), (5, Some(4)), (32, Some(16)), (37, None), (37, Some(20))];
    let cells = [Cell::Lstm, Cell::Gru];
    for (cell, (hidden, head)) in cells.into_iter().flat_map(|cell| sides.map(|sides| (cell, sides))) {
        let (inputs, observation) = (3, 7);
        let model = random_model(cell, inputs, hidden, head, observation, 11);
        let envelope = model.to_envelope(WindowSpec::new(observation, 0, 5).unwrap()).unwrap();
        let at = |name: &str, index: usize| f64::from(envelope.tensors[name].values()[index]);
        let mut generator = ChaCha8Rng::seed_from_u64(12);
        let values: Vec<f32> = (0..observation * inputs).map(|_| 2.0 * number(&mut generator)).collect();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (mut h, mut c) = (vec![0.0; hidden], vec![0.0; hidden]);
        for row in values.chunks(inputs) {
            let from_x = |g: usize, j: usize| {
                let r = g * hidden + j;
                let sum: f64 =
                    (0..inputs).map(|i| at("rnn.weight_ih_l0", r * inputs + i) * f64::from(row[i])).sum();
                sum + at("rnn.bias_ih_l0", r)
            };
            let from_h = |g: usize, j: usize| {
                let r = g * hidden + j;
                let sum: f64 = (0..hidden).map(|i| at("rnn.weight_hh_l0", r * hidden + i) * h[i]).sum();
                sum + at("rnn.bias_hh_l0", r)
            };
            let gate = |g, j| from_x(g, j) + from_h(g, j);
            let next: Vec<f64> = (0..hidden)
                .map(|j| match cell {
                    Cell::Lstm => {
                        c[j] = sigmoid(gate(1, j)) * c[j] + sigmoid(gate(0, j)) * gate(2, j).tanh();
                        sigmoid(gate(3, j)) * c[j].tanh()
                    }
                    Cell::Gru => {
                        let (r, z) = (sigmoid(gate(0, j)), sigmoid(gate(1, j)));
                        let n = (from_x(2, j) + r * from_h(2, j)).tanh();
                        (1.0 - z) * n + z * h[j]
                    }
                    other => panic!("no equations are known of {other}"),
                })
                .collect();
            h = next;
        }
        let linear = |name: &str, inputs: &[f64], j: usize| {
            let weight = |i| at(&format!("{name}.weight"), j * inputs.len() + i);
            inputs.iter().enumerate().map(|(i, x)| weight(i) * x).sum::<f64>()
                + at(&format!("{name}.bias"), j)
        };
        let logit = match head {
            None => linear("head", &h, 0),
            Some(width) => {
                let units: Vec<f64> = (0..width).map(|j| linear("head.0", &h, j).max(0.0)).collect();
                linear("head.2", &units, 0)
            }
        };
        let last_rows = [observation as u32 - 1];
        let windows = Windows::new(model.input(), &values, observation, &last_rows).unwrap();
        let score = f64::from(model.score_all(windows).unwrap()[0].get());
        let expected = sigmoid(logit);
        assert!((score - expected).abs() < 2e-6, "{cell} {hidden} {head:?}: {score} {expected}");
    }
}

#[test]
fn members_are_averaged_and_a_clone_of_a_state_goes_its_own_way() {
    let task = Task::new(300, Rows::InOrder, 1);
    let settings = Settings { max_epochs: 2, hidden: 5, ..settings(Cell::Gru) };
    let (one, two) = (fit(settings.clone(), &task), fit(Settings { members: 2, ..settings }, &task));
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    let mut envelope = two.to_envelope(WindowSpec::new(6, 0, 1).unwrap()).unwrap();
    let second = envelope
        .tensors
        .iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix("members.1.")?.to_owned(), tensor.clone())));
    envelope.tensors = second.collect();
    envelope.parameters["members"] = 1.into();
    let other = RecurrentModel::from_envelope(envelope).unwrap();
    for ((a, b), mean) in one
        .score_all(windows)
        .unwrap()
        .iter()
        .zip(other.score_all(windows).unwrap())
        .zip(two.score_all(windows).unwrap())
    {
        assert!((0.5 * (a.get() + b.get()) - mean.get()).abs() < 1e-6);
    }

    let mut state = two.start();
    for _ in 1..two.observation() {
        assert_eq!(two.step(&mut state, &[1.0, 0.0]).unwrap(), None);
    }
    let mut what_if = state.clone();
    let up = two.step(&mut what_if, &[2.0, 0.0]).unwrap();
    let down = two.step(&mut state, &[-2.0, 0.0]).unwrap();
    assert!(up.is_some() && down.is_some() && up != down);
    assert_eq!((state.rows(), what_if.rows()), (6, 6));
    assert!(one.step(&mut state, &[1.0, 0.0]).is_err(), "a state of another model");
}

#[test]
fn bad_input_is_refused_and_leaves_the_state_alone() {
    let model = random_model(Cell::Lstm, 2, 4, None, 1, 3);
    let mut state = model.start();
    model.step(&mut state, &[0.3, 0.1]).unwrap();
    let mut same = state.clone();
    for row in [&[f32::INFINITY, 0.0][..], &[0.0], &[0.0; 3]] {
        assert!(model.step(&mut state, row).is_err());
    }
    assert!(
        matches!(model.step(&mut state, &[0.0, f32::NEG_INFINITY]), Err(CoreError::TooLarge { what, .. }) if what.contains("m1"))
    );
    assert_eq!(
        model.step(&mut state, &[0.5, f32::NAN]).unwrap(),
        model.step(&mut same, &[0.5, 0.0]).unwrap()
    );

    let values = [0.0, f32::INFINITY];
    let windows = Windows::new(model.input(), &values, 1, &[0]).unwrap();
    assert!(matches!(model.score_all(windows), Err(CoreError::TooLarge { what, .. }) if what.contains("m1")));
    let schema = schema();
    assert!(matches!(
        model.score_all(Windows::new(&schema, &[0.0; 2], 1, &[0]).unwrap()),
        Err(CoreError::FeatureMismatch { .. })
    ));
    assert!(model.score_all(Windows::new(model.input(), &[1e30; 2], 1, &[0]).unwrap()).is_ok());
    assert!(model.score_all(Windows::new(model.input(), &[1.1e30; 2], 1, &[0]).unwrap()).is_err());
    assert!(model.score_all(Windows::new(model.input(), &values, 1, &[]).unwrap()).unwrap().is_empty());
}

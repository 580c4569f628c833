use crate::{
    learns::{fit, settings},
    task::{OBSERVATION, Rows, Task, below},
};
use forewarn_core::{CoreError, Envelope, ModelFileError, Predictor, Save, Tensor, WindowSpec};
use forewarn_recurrent::{Cell, Checkpoint, RecurrentModel, Settings};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn quick(cell: Cell) -> Settings {
    Settings { max_epochs: 2, hidden: 5, ..settings(cell) }
}

fn spec() -> WindowSpec {
    WindowSpec::new(OBSERVATION, 0, 1).unwrap()
}

fn bytes(model: &RecurrentModel) -> Vec<u8> {
    let mut file = Vec::new();
    model.to_envelope(spec()).unwrap().write(&mut file).unwrap();
    file
}

#[test]
fn a_loaded_model_is_the_saved_one() {
    let task = Task::new(300, Rows::InOrder, 1);
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    for (cell, head, members) in [(Cell::Lstm, None, 1), (Cell::Gru, Some(3), 1), (Cell::Gru, None, 2)] {
        let model = fit(Settings { head, members, ..quick(cell) }, &task);
        let file = bytes(&model);
        let loaded = RecurrentModel::from_envelope(Envelope::read(&file[..]).unwrap()).unwrap();
        assert_eq!(loaded, model);
        assert_eq!(loaded.score_all(windows).unwrap(), model.score_all(windows).unwrap());
        assert_eq!(bytes(&loaded), file);
    }
}

#[test]
fn a_seed_decides_every_byte() {
    let task = Task::new(300, Rows::InOrder, 1);
    for cell in [Cell::Lstm, Cell::Gru] {
        let with = |seed| fit(Settings { seed, dropout: 0.1, ..quick(cell) }, &task);
        assert_eq!(bytes(&with(1)), bytes(&with(1)));
        let (one, other) = (with(1).to_envelope(spec()).unwrap(), with(2).to_envelope(spec()).unwrap());
        for (name, tensor) in &one.tensors {
            assert_ne!(tensor, &other.tensors[name], "{name}");
        }
    }
}

#[test]
fn tensors_have_the_names_and_shapes_of_pytorch() {
    let task = Task::new(300, Rows::InOrder, 1);
    let envelope = fit(quick(Cell::Lstm), &task).to_envelope(spec()).unwrap();
    assert_eq!(envelope.kind, "lstm");
    let shapes: Vec<_> =
        envelope.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape())).collect();
    assert_eq!(
        shapes,
        [
            ("head.bias", &[1][..]),
            ("head.weight", &[1, 5]),
            ("rnn.bias_hh_l0", &[20]),
            ("rnn.bias_ih_l0", &[20]),
            ("rnn.weight_hh_l0", &[20, 5]),
            ("rnn.weight_ih_l0", &[20, 2]),
        ]
    );
    let pair =
        fit(Settings { members: 2, head: Some(3), ..quick(Cell::Gru) }, &task).to_envelope(spec()).unwrap();
    assert_eq!(pair.kind, "gru");
    assert_eq!(pair.tensors["members.1.head.0.weight"].shape(), [3, 5]);
    assert_eq!(pair.tensors.len(), 16);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let task = Task::new(300, Rows::InOrder, 1);
    let model = fit(quick(Cell::Lstm), &task);
    let good = || model.to_envelope(spec()).unwrap();
    let read = RecurrentModel::from_envelope;
    assert!(read(good()).is_ok());
    assert!(model.to_envelope(WindowSpec::default()).is_err());
    for (lead, period) in [(1, 1), (0, 2)] {
        let other = model.to_envelope(WindowSpec::new(OBSERVATION, lead, period).unwrap());
        assert!(matches!(other, Err(ModelFileError::Core(CoreError::InvalidSetting { name: "window", .. }))));
    }

    let other = Envelope { kind: "logistic".into(), ..good() };
    assert!(matches!(read(other), Err(ModelFileError::WrongKind { .. })));
    let gru = Envelope { kind: "gru".into(), ..good() };
    assert!(matches!(read(gru), Err(ModelFileError::TensorShape { .. })));
    for parameters in [
        serde_json::json!({"hidden": 0, "head": null, "members": 1}),
        serde_json::json!({"hidden": 5, "head": null, "members": 1000}),
        serde_json::json!({"hidden": 5_000_000_000u64, "head": null, "members": 1}),
        serde_json::json!({"hidden": 5}),
        serde_json::json!(null),
    ] {
        let wrong = Envelope { parameters, ..good() };
        assert!(matches!(read(wrong), Err(ModelFileError::NotAModel { .. })));
    }
    let wider = Envelope { schema: forewarn_schema::Schema::v1(), ..good() };
    assert!(matches!(read(wider), Err(ModelFileError::TensorShape { .. })));
    let longer = Envelope { window: WindowSpec::new(1 << 30, 0, 1).unwrap(), ..good() };
    assert!(matches!(read(longer), Err(ModelFileError::Core(CoreError::InvalidSetting { .. }))));
    let mut fewer = good();
    fewer.tensors.remove("rnn.bias_hh_l0");
    assert!(matches!(read(fewer), Err(ModelFileError::MissingTensor { .. })));
    let mut more = good();
    more.tensors.insert("rnn.weight_ih_l1".into(), Tensor::new(vec![1], vec![0.0]).unwrap());
    assert!(matches!(read(more), Err(ModelFileError::NotAModel { .. })));
    let mut broken = good();
    broken.tensors.insert("head.bias".into(), Tensor::new(vec![1], vec![f32::NAN]).unwrap());
    assert!(matches!(read(broken), Err(ModelFileError::NotFinite { .. })));

    let file = bytes(&model);
    assert!(Envelope::read(&file[..file.len() - 1]).is_err());
}

/// Thousands of damaged files, as `fuzz/fuzz_targets/model_file.rs` makes them without end: bytes changed, cut out,
/// doubled, and digits of the description exchanged, which is where sizes are.
#[test]
fn whatever_is_in_a_file_ends_in_an_error_or_a_model_that_scores() {
    let task = Task::new(300, Rows::InOrder, 1);
    let mut generator = ChaCha8Rng::seed_from_u64(5);
    let (mut refused, mut read) = (0, 0);
    for settings in [quick(Cell::Lstm), Settings { members: 2, layers: 2, head: Some(3), ..quick(Cell::Gru) }]
    {
        let file = bytes(&fit(settings, &task));
        let header = 8 + u64::from_le_bytes(*file.first_chunk().unwrap()) as usize;
        let digits: Vec<usize> = (8..header).filter(|&at| file[at].is_ascii_digit()).collect();
        for round in 0..3000 {
            let mut damaged = file.clone();
            for _ in 0..=below(&mut generator, 3) {
                let at = below(&mut generator, damaged.len());
                match round % 4 {
                    0 => damaged[at] = below(&mut generator, 256) as u8,
                    1 => damaged[digits[at % digits.len()]] = b'0' + below(&mut generator, 10) as u8,
                    2 => drop(damaged.drain(at..(at + 1 + at % 9).min(damaged.len()))),
                    _ => damaged.insert(at, damaged[at / 2]),
                }
            }
            let loaded = Envelope::from_bytes(&damaged).and_then(RecurrentModel::from_envelope);
            assert!(Checkpoint::read(&damaged[..]).is_err());
            match loaded {
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
                Ok(model) => {
                    let row = vec![0.5; model.input().len()];
                    model.step(&mut model.start(), &row).unwrap();
                    read += 1;
                }
            }
        }
    }
    assert!(refused > 1000 && read > 100, "{refused} {read}");
}

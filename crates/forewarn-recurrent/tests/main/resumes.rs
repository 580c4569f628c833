use crate::{
    learns::{fit, settings},
    task::{OBSERVATION, Rows, Task, two_services, two_services_called},
};
use forewarn_core::{CoreError, Envelope, ModelFileError, Predictor, Save, Tensor, WindowSpec};
use forewarn_recurrent::{Cell, Checkpoint, History, Recurrent, Schedule, Settings};

fn quick(cell: Cell) -> Settings {
    let plateau = Schedule::Plateau { factor: 0.5, patience: 1 };
    Settings {
        hidden: 6,
        dropout: 0.2,
        members: 2,
        max_epochs: 8,
        windows_per_epoch: 130,
        schedule: plateau,
        ..settings(cell)
    }
}

#[test]
fn a_fit_that_was_interrupted_anywhere_makes_the_same_model() {
    // Nothing to learn, so that plateaus are met.
    let task = Task::new(400, Rows::Shuffled, 1);
    let train = task.split.train().on(&task.frames).unwrap();
    let validation = task.split.validation().on(&task.frames).unwrap();
    for cell in [Cell::Lstm, Cell::Gru] {
        let recurrent = Recurrent::new(quick(cell)).unwrap();
        let whole = fit(quick(cell), &task);
        let slower = |history: &History| {
            history.epochs.windows(2).any(|pair| pair[1].learning_rate < pair[0].learning_rate)
        };
        assert!(whole.history().iter().any(slower), "a plateau was met: {:?}", whole.history());
        for stop in [0, 1, 4, 8, 11, 16] {
            let mut first = recurrent.start(train, validation).unwrap();
            for _ in 0..stop {
                first.epoch().unwrap();
            }
            let mut file = Vec::new();
            first.checkpoint().write(&mut file).unwrap();
            drop(first);
            let checkpoint = Checkpoint::read(&file[..]).unwrap();
            let mut later = recurrent.resume(train, validation, checkpoint).unwrap();
            while later.epoch().unwrap().is_some() {}
            let later = later.finish().unwrap();
            assert_eq!(later, whole, "{cell}, stopped after {stop} epochs");
            let spec = WindowSpec::new(OBSERVATION, 0, 1).unwrap();
            assert_eq!(later.to_envelope(spec).unwrap(), whole.to_envelope(spec).unwrap());
        }
    }
}

#[test]
fn threads_change_nothing_but_the_time() {
    let task = Task::new(400, Rows::InOrder, 1);
    let file = |threads| {
        let model = fit(Settings { threads, ..quick(Cell::Gru) }, &task);
        let mut file = Vec::new();
        model.to_envelope(WindowSpec::new(OBSERVATION, 0, 1).unwrap()).unwrap().write(&mut file).unwrap();
        file
    };
    assert_eq!(file(1), file(3));
}

#[test]
fn a_checkpoint_of_another_fit_is_refused() {
    let task = Task::new(400, Rows::InOrder, 1);
    let other = Task::new(400, Rows::InOrder, 2);
    let train = task.split.train().on(&task.frames).unwrap();
    let validation = task.split.validation().on(&task.frames).unwrap();
    let mut training = Recurrent::new(quick(Cell::Gru)).unwrap().start(train, validation).unwrap();
    training.epoch().unwrap();
    let checkpoint = training.checkpoint();
    assert_eq!(checkpoint.epochs_and_networks(), (1, 0));
    let refused = |settings, train, validation| {
        let resumed = Recurrent::new(settings).unwrap().resume(train, validation, checkpoint.clone());
        assert!(matches!(resumed, Err(CoreError::InvalidSetting { name: "checkpoint", .. })));
    };
    refused(Settings { seed: 9, ..quick(Cell::Gru) }, train, validation);
    refused(quick(Cell::Lstm), train, validation);
    let other_train = other.split.train().on(&other.frames).unwrap();
    let other_validation = other.split.validation().on(&other.frames).unwrap();
    refused(quick(Cell::Gru), other_train, other_validation);
    let elsewhere = Settings { threads: 2, ..quick(Cell::Gru) };
    assert!(Recurrent::new(elsewhere).unwrap().resume(train, validation, checkpoint.clone()).is_ok());

    let mut file = Vec::new();
    checkpoint.write(&mut file).unwrap();
    assert!(Checkpoint::read(&file[..file.len() - 1]).is_err());
    let model = training.finish().unwrap();
    let mut file = Vec::new();
    model.to_envelope(WindowSpec::new(OBSERVATION, 0, 1).unwrap()).unwrap().write(&mut file).unwrap();
    assert!(matches!(Checkpoint::read(&file[..]), Err(ModelFileError::WrongKind { .. })));
}

/// Rows and labels are the same, whose they are is not.
#[test]
fn a_checkpoint_of_other_services_is_refused() {
    let described = Settings { members: 1, service_embedding: Some(2), ..quick(Cell::Gru) };
    let recurrent = Recurrent::new(described).unwrap();
    let resumed = |names| {
        let (frames, split) = two_services(200);
        let (train, validation) =
            (split.train().on(&frames).unwrap(), split.validation().on(&frames).unwrap());
        let checkpoint = recurrent.start(train, validation).unwrap().checkpoint();
        let (frames, split) = two_services_called(names, 200);
        let (train, validation) =
            (split.train().on(&frames).unwrap(), split.validation().on(&frames).unwrap());
        recurrent.resume(train, validation, checkpoint).map(drop)
    };
    assert!(resumed(["loud", "quiet"]).is_ok());
    let refused = resumed(["lauter", "quiet"]);
    assert!(matches!(refused, Err(CoreError::InvalidSetting { name: "checkpoint", .. })));
}

#[test]
fn a_checkpoint_that_no_fit_comes_to_is_refused() {
    let task = Task::new(400, Rows::Shuffled, 1);
    let train = task.split.train().on(&task.frames).unwrap();
    let validation = task.split.validation().on(&task.frames).unwrap();
    let recurrent = Recurrent::new(Settings { patience: 4, ..quick(Cell::Gru) }).unwrap();
    let mut training = recurrent.start(train, validation).unwrap();
    for _ in 0..3 {
        training.epoch().unwrap();
    }
    let mut file = Vec::new();
    training.checkpoint().write(&mut file).unwrap();
    let resumed = |change: &dyn Fn(&mut Envelope)| {
        let mut envelope = Envelope::read(&file[..]).unwrap();
        change(&mut envelope);
        let mut changed = Vec::new();
        envelope.write(&mut changed).unwrap();
        recurrent.resume(train, validation, Checkpoint::read(&changed[..]).unwrap()).map(drop)
    };
    assert!(resumed(&|_| {}).is_ok());
    let fields: [(&[&str], serde_json::Value); 9] = [
        (&["plateau_from"], 9.into()),
        (&["plateau_from"], 0.into()),
        (&["reductions"], (-1).into()),
        (&["reductions"], 99.into()),
        (&["step"], 0.into()),
        (&["step"], (-7).into()),
        (&["current", "best_epoch"], 0.into()),
        (&["current", "best_epoch"], 4.into()),
        (&["history"], serde_json::json!([{"epochs": [], "best_epoch": 0}])),
    ];
    for (path, value) in fields {
        let refused = resumed(&|envelope| {
            let field = path.iter().fold(&mut envelope.parameters, |at, &key| &mut at[key]);
            assert_ne!(*field, value, "{path:?}");
            *field = value.clone();
            if path == ["history"] {
                let weights = envelope.tensors["current.weights"].clone();
                envelope.tensors.insert("members.0".to_owned(), weights);
            }
        });
        assert!(
            matches!(refused, Err(CoreError::InvalidSetting { name: "checkpoint", .. })),
            "{path:?} {value}"
        );
    }
    let other_window = resumed(&|envelope| envelope.window = WindowSpec::new(7, 0, 1).unwrap());
    assert!(other_window.is_err());
    for name in ["current.weights", "current.second_moments"] {
        let refused = resumed(&|envelope| {
            let values = envelope.tensors[name].values().to_vec();
            let values = if name == "current.weights" {
                values[1..].to_vec()
            } else {
                values.iter().map(|x| -x - 1.0).collect()
            };
            envelope.tensors.insert(name.to_owned(), Tensor::new(vec![values.len()], values).unwrap());
        });
        assert!(refused.is_err(), "{name}");
    }
}

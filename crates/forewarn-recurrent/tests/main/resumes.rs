use crate::{
    learns::{fit, settings},
    task::{OBSERVATION, Rows, Task},
};
use forewarn_core::{CoreError, Predictor, WindowSpec};
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
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    let with = |threads| fit(Settings { threads, ..quick(Cell::Gru) }, &task).score_all(windows).unwrap();
    assert_eq!(with(1), with(3));
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
    assert!(matches!(Checkpoint::read(&file[..]), Err(CoreError::WrongModelKind { .. })));
}

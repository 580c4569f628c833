use crate::{
    learns::settings,
    task::{Rows, Task, schema},
};
use forewarn_core::{CoreError, Estimator, Predictor, Silent};
use forewarn_recurrent::{Cell, Recurrent, RecurrentModel, Schedule, Settings};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};

fn fit(settings: Settings, task: &Task, validation_frames: &FrameSet) -> Result<RecurrentModel, CoreError> {
    let train = task.split.train().on(&task.frames)?;
    Recurrent::new(settings)?.fit(train, task.split.validation().on(validation_frames)?, &mut Silent)
}

#[test]
fn fitted_models_may_cross_threads() {
    fn is_send<T: Send + 'static>() {}
    is_send::<RecurrentModel>();
    is_send::<Recurrent>();
    is_send::<forewarn_recurrent::RecurrentState>();
}

#[test]
fn a_fit_that_diverges_says_when() {
    let task = Task::new(300, Rows::InOrder, 1);
    let wild = Settings {
        learning_rate: 1e38,
        weight_decay: 0.0,
        schedule: Schedule::Constant,
        ..settings(Cell::Gru)
    };
    match fit(wild, &task, &task.frames) {
        Err(CoreError::NotFinite { what }) => {
            assert!(what.contains("epoch 1 ") && what.contains("service"), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fit_that_failed_goes_no_further_and_none_begun_makes_no_model() {
    let task = Task::new(300, Rows::InOrder, 1);
    let (train, validation) =
        (task.split.train().on(&task.frames).unwrap(), task.split.validation().on(&task.frames).unwrap());
    let wild = Settings { learning_rate: 1e38, weight_decay: 0.0, ..settings(Cell::Gru) };
    let mut training = Recurrent::new(wild).unwrap().start(train, validation).unwrap();
    assert!(training.epoch().is_err());
    let again = training.epoch().unwrap_err().to_string();
    assert!(again.contains("failed"), "{again}");
    assert!(matches!(training.finish(), Err(CoreError::NothingFitted)));
}

/// A missing value is not what a loss became infinite by, though NaN is above all numbers in their total order.
#[test]
fn what_is_missing_is_not_to_blame() {
    let mut task = Task::new(300, Rows::InOrder, 1);
    let values: Vec<f32> = task.frames.values().chunks(2).flat_map(|row| [f32::NAN, row[1]]).collect();
    task.frames = task.frames.derive(schema(), values).unwrap();
    let wild = Settings { learning_rate: 1e38, weight_decay: 0.0, ..settings(Cell::Gru) };
    let error = fit(wild, &task, &task.frames).unwrap_err().to_string();
    assert!(error.contains("noise") && !error.contains("NaN"), "{error}");
}

#[test]
fn an_infinite_value_is_refused_before_a_fit_begins() {
    let task = Task::new(300, Rows::InOrder, 1);
    for part in 0..2 {
        let mut frames = [task.frames.clone(), task.frames.clone()];
        let mut values = task.frames.values().to_vec();
        let at = values.len() * [1, 7][part] / 10;
        values[at] = 2e30;
        frames[part] = task.frames.derive(schema(), values).unwrap();
        let train = task.split.train().on(&frames[0]).unwrap();
        let validation = task.split.validation().on(&frames[1]).unwrap();
        match Recurrent::new(settings(Cell::Lstm)).unwrap().fit(train, validation, &mut Silent) {
            Err(CoreError::TooLarge { what, limit }) => {
                assert!(what.contains("2e30 of service") && limit > 9e29, "{what} {limit}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_single_class_is_refused() {
    // Two windows of validation, so one seed in two has the same class twice.
    let task = (0..20).map(|seed| Task::new(10, Rows::InOrder, seed)).find(|task| {
        task.split.validation().positives() == 0 && (1..6).contains(&task.split.train().positives())
    });
    let task = task.unwrap();
    let refused = fit(settings(Cell::Lstm), &task, &task.frames);
    assert!(matches!(refused, Err(CoreError::SingleClass { part: "validation", positives: 0, windows: 2 })));
}

#[test]
fn validation_of_other_features_is_refused() {
    let task = Task::new(300, Rows::InOrder, 1);
    let other = Schema::new(vec![Metric::gauge("jumps"), Metric::gauge("silence")]).unwrap();
    let other = task.frames.derive(other, task.frames.values().to_vec()).unwrap();
    assert!(matches!(fit(settings(Cell::Lstm), &task, &other), Err(CoreError::FeatureMismatch { .. })));
    assert_eq!(schema(), *task.frames.schema());
}

#[test]
fn a_feature_that_is_never_there_does_no_harm() {
    let task = Task::new(300, Rows::InOrder, 1);
    let values: Vec<f32> = task.frames.values().chunks(2).flat_map(|row| [row[0], f32::NAN]).collect();
    let frame = Frame::new("service", schema(), Timestamp::EPOCH, Step::MINUTE, values).unwrap();
    let frames = FrameSet::from_frames(vec![frame]).unwrap();
    let model = fit(
        Settings { max_epochs: 2, ..settings(Cell::Gru) },
        &Task { frames: frames.clone(), ..task },
        &frames,
    )
    .unwrap();
    assert!(model.history()[0].epochs.iter().all(|epoch| epoch.loss.is_finite()));
}

#[test]
fn a_network_beyond_memory_is_refused() {
    let task = Task::new(300, Rows::InOrder, 1);
    for huge in [
        Settings { hidden: 4096, batch_size: 65_536, ..settings(Cell::Lstm) },
        Settings { hidden: 512, layers: 8, batch_size: 65_536, ..settings(Cell::Lstm) },
        Settings { hidden: 4096, layers: 8, batch_size: 1, ..settings(Cell::Lstm) },
        Settings { hidden: 256, members: 64, batch_size: 65_536, ..settings(Cell::Gru) },
    ] {
        assert!(matches!(fit(huge, &task, &task.frames), Err(CoreError::InvalidSetting { .. })));
    }
}

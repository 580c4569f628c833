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
    let huge = Settings { hidden: 4096, batch_size: 65_536, ..settings(Cell::Lstm) };
    assert!(matches!(fit(huge, &task, &task.frames), Err(CoreError::InvalidSetting { .. })));
}

use crate::task::{Rows, Task};
use forewarn_core::{
    CoreError, Estimator, FitProgress, LabelledWindows, Predictor, Score, Silent, Snapshots,
    average_precision,
};
use forewarn_recurrent::{Cell, Output, Recurrent, RecurrentModel, Settings};

pub(crate) fn settings(cell: Cell) -> Settings {
    Settings {
        cell,
        hidden: 16,
        head: None,
        dropout: 0.0,
        learning_rate: 0.01,
        batch_size: 64,
        max_epochs: 15,
        patience: 15,
        seed: 5,
        ..Settings::default()
    }
}

pub(crate) fn fit(settings: Settings, task: &Task) -> RecurrentModel {
    let train = task.split.train().on(&task.frames).unwrap();
    let validation = task.split.validation().on(&task.frames).unwrap();
    Recurrent::new(settings).unwrap().fit(train, validation, &mut Silent).unwrap()
}

pub(crate) fn test_pr_auc(model: &RecurrentModel, task: &Task) -> f64 {
    let test = task.split.test().on(&task.frames).unwrap();
    average_precision(&model.score_all(test.windows()).unwrap(), test.positive()).unwrap()
}

#[test]
fn order_in_time_is_learnt_and_nothing_else_helps() {
    let (ordered, shuffled) = (Task::new(3000, Rows::InOrder, 1), Task::new(3000, Rows::Shuffled, 1));
    for cell in [Cell::Lstm, Cell::Gru] {
        for head in [None, Some(8)] {
            let learnt = test_pr_auc(&fit(Settings { head, ..settings(cell) }, &ordered), &ordered);
            assert!(learnt > 0.99, "{cell} {head:?} {learnt}");
        }
        let hopeless = test_pr_auc(&fit(settings(cell), &shuffled), &shuffled);
        assert!(hopeless < 0.62, "{cell} {hopeless}");
    }
}

#[test]
fn dropout_members_and_short_epochs_learn_too() {
    let task = Task::new(3000, Rows::InOrder, 1);
    let settings = Settings { dropout: 0.2, members: 2, windows_per_epoch: 1000, ..settings(Cell::Gru) };
    let model = fit(Settings { max_epochs: 25, patience: 25, ..settings }, &task);
    assert_eq!((model.members(), model.history().len()), (2, 2));
    let learnt = test_pr_auc(&model, &task);
    assert!(learnt > 0.98, "{learnt}");
}

#[test]
fn a_window_that_stands_for_several_counts_as_so_many() {
    let task = Task::new(600, Rows::Shuffled, 1);
    let recurrent =
        Recurrent::new(Settings { max_epochs: 4, learning_rate: 0.05, ..settings(Cell::Gru) }).unwrap();
    let scores = |weight: fn(bool) -> f32| {
        let weights = task.split.train().positive().iter().map(|&positive| weight(positive)).collect();
        let train = task.split.train().clone().with_weights(weights).unwrap();
        let validation = task.split.validation().on(&task.frames).unwrap();
        let model = recurrent.fit(train.on(&task.frames).unwrap(), validation, &mut Silent).unwrap();
        model.score_all(task.split.test().on(&task.frames).unwrap().windows()).unwrap()
    };
    let mean = |scores: &[Score]| scores.iter().map(|score| score.get()).sum::<f32>() / scores.len() as f32;
    assert_eq!(scores(|_| 1.0), scores(|_| 4.0));
    // One in two is positive; of ten, nine are.
    let (even, odd) = (mean(&scores(|_| 1.0)), mean(&scores(|positive| if positive { 9.0 } else { 1.0 })));
    assert!((even - 0.5).abs() < 0.1 && (odd - 0.9).abs() < 0.07, "{even} {odd}");
}

#[test]
fn the_best_epoch_is_kept_and_patience_ends_the_fit() {
    // Nothing to learn: the best epoch is a matter of chance and the rest is waiting.
    let task = Task::new(600, Rows::Shuffled, 3);
    let settings = Settings { patience: 3, max_epochs: 40, ..settings(Cell::Lstm) };
    let train = task.split.train().on(&task.frames).unwrap();
    let validation = task.split.validation().on(&task.frames).unwrap();
    let mut heard = Vec::new();
    let mut monitor =
        |progress: FitProgress<'_>| heard.push((progress.iteration, progress.measures.to_vec()));
    let model = Recurrent::new(settings).unwrap().fit(train, validation, &mut monitor).unwrap();
    let history = &model.history()[0];
    let best = history.epochs.iter().map(|epoch| epoch.validation_pr_auc).fold(0.0, f64::max);
    assert_eq!(history.epochs[history.best_epoch - 1].validation_pr_auc, best);
    assert_eq!(history.epochs.len(), history.best_epoch + 3);
    let scores = model.score_all(validation.windows()).unwrap();
    assert_eq!(average_precision(&scores, validation.positive()).unwrap(), best, "the kept weights score so");
    for (index, (iteration, measures)) in heard.iter().enumerate() {
        let epoch = history.epochs[index];
        assert_eq!(*iteration, index + 1);
        assert_eq!(measures[..2], [("loss", epoch.loss), ("validation_pr_auc", epoch.validation_pr_auc)]);
        assert_eq!(
            measures[2..],
            [("learning_rate", epoch.learning_rate), ("gradient_norm", epoch.gradient_norm)]
        );
    }
    assert_eq!(heard.len(), history.epochs.len());
}

#[test]
fn windows_that_are_cut_already_give_the_same_model() {
    let task = Task::new(200, Rows::InOrder, 4);
    let settings = Settings { max_epochs: 2, hidden: 5, ..settings(Cell::Gru) };
    let cut = |labelled: LabelledWindows<'_>| {
        let windows = labelled.windows();
        let values = windows.iter().flatten().copied().collect();
        let positive = labelled.positive().to_vec();
        Snapshots::from_windows(windows.schema().clone(), windows.observation(), values, positive).unwrap()
    };
    let train = cut(*task.split.train().on(&task.frames).unwrap());
    let validation = cut(*task.split.validation().on(&task.frames).unwrap());
    let recurrent = Recurrent::new(settings.clone()).unwrap();
    let mut epochs = 0;
    let mut count = |_: FitProgress<'_>| epochs += 1;
    let model = recurrent.fit_snapshots(&train, &validation, &mut count).unwrap();
    assert_eq!(epochs, 2);
    assert_eq!(model.observation(), crate::task::OBSERVATION);
    let test = task.split.test().on(&task.frames).unwrap().windows();
    assert_eq!(model.score_all(test).unwrap(), fit(settings.clone(), &task).score_all(test).unwrap());

    for unknown in [
        Settings { output: Output::Hazard, ..settings.clone() },
        Settings { service_embedding: Some(2), ..settings },
    ] {
        let refused = Recurrent::new(unknown).unwrap().fit_snapshots(&train, &validation, &mut Silent);
        assert!(matches!(refused, Err(CoreError::InvalidSetting { .. })));
    }
}

/// Tells a fit to stop after some epochs.
struct Until {
    epochs: usize,
    seen: usize,
}

impl forewarn_core::Monitor for Until {
    fn report(&mut self, progress: FitProgress<'_>) {
        self.seen += 1;
        assert!(progress.iteration > 0);
    }

    fn should_stop(&self) -> bool {
        self.seen >= self.epochs
    }
}

#[test]
fn a_fit_that_is_told_to_stop_keeps_the_networks_that_are_done() {
    let task = Task::new(300, Rows::InOrder, 1);
    let settings = Settings { members: 3, max_epochs: 4, patience: 4, ..settings(Cell::Gru) };
    let train = || task.split.train().on(&task.frames).unwrap();
    let validation = || task.split.validation().on(&task.frames).unwrap();
    let fit = |epochs, settings: &Settings| {
        let mut until = Until { epochs, seen: 0 };
        let model = Recurrent::new(settings.clone()).unwrap().fit(train(), validation(), &mut until).unwrap();
        assert_eq!(until.seen, epochs);
        model
    };
    // In the midst of the first network it is all there is; in the midst of the second it is left out.
    assert_eq!(fit(2, &settings).members(), 1);
    let stopped = fit(6, &settings);
    assert_eq!((stopped.members(), stopped.history().len()), (1, 1));
    let alone = fit(4, &Settings { members: 1, ..settings });
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    assert_eq!(stopped.score_all(windows).unwrap(), alone.score_all(windows).unwrap());
}

use crate::{
    learns::{fit, settings, test_pr_auc},
    task::{OBSERVATION, Rows, Task, countdown},
};
use forewarn_core::{CoreError, Envelope, Estimator, Outcome, Predictor, Save, Silent, WindowSpec};
use forewarn_recurrent::{Cell, Output, Recurrent, RecurrentModel, Settings};

pub(crate) fn hazard(cell: Cell) -> Settings {
    Settings { output: Output::Hazard, batch_size: 32, ..settings(cell) }
}

#[test]
fn a_hazard_knows_that_a_failure_comes_and_when() {
    let task = countdown(4000);
    let test = task.split.test().on(&task.frames).unwrap();
    assert!(test.partly_observed().is_some_and(|(windows, _)| !windows.is_empty()));
    for cell in [Cell::Lstm, Cell::Gru] {
        let model = fit(hazard(cell), &task);
        let learnt = test_pr_auc(&model, &task);
        assert!(learnt > 0.97, "{cell} {learnt}");
        let forecasts = model.forecast(test.windows()).unwrap();
        for (forecast, score) in forecasts.iter().zip(model.score_all(test.windows()).unwrap()) {
            assert_eq!(forecast.probabilities().len(), 5);
            assert!((forecast.within() - f64::from(score.get())).abs() < 1e-6);
        }
        assert_eq!(model.forecasts(test.windows()).unwrap().unwrap(), forecasts);
        let outcomes = test.outcomes().unwrap();
        let came = forecasts.iter().enumerate().filter_map(|(index, forecast)| {
            let Some(Outcome::At(step)) = outcomes.get(index) else { return None };
            Some((forecast.expected_steps().unwrap(), f64::from(step)))
        });
        let came: Vec<(f64, f64)> = came.collect();
        assert_eq!(came.len(), test.positives());
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| came.iter().map(of).sum::<f64>() / came.len() as f64;
        let guess = mean(&|pair| pair.1);
        assert!(mean(&|pair| (pair.1 - guess).abs()) > 1.0);
        assert!(mean(&|pair| (pair.0 - pair.1).abs()) < 0.4);
        assert!(mean(&|pair| pair.0 - pair.1).abs() < 0.2);
    }
}

#[test]
fn a_hazard_is_saved_with_its_period() {
    let task = countdown(800);
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    assert_eq!(
        fit(Settings { max_epochs: 1, ..settings(Cell::Gru) }, &task).forecasts(windows).unwrap(),
        None
    );
    let model = fit(Settings { members: 2, max_epochs: 2, ..hazard(Cell::Gru) }, &task);
    assert!(model.to_envelope(WindowSpec::new(4, 0, 6).unwrap()).is_err());
    let mut file = Vec::new();
    model.to_envelope(WindowSpec::new(4, 0, 5).unwrap()).unwrap().write(&mut file).unwrap();
    let loaded = RecurrentModel::from_envelope(Envelope::read(&file[..]).unwrap()).unwrap();
    assert_eq!(loaded, model);
    assert_eq!(loaded.forecast(windows).unwrap(), model.forecast(windows).unwrap());
}

#[test]
fn labels_without_episodes_cannot_say_when() {
    let task = Task::new(300, Rows::InOrder, 1);
    let train = task.split.train().on(&task.frames).unwrap();
    let validation = task.split.validation().on(&task.frames).unwrap();
    for settings in [hazard(Cell::Lstm), Settings { label_smoothing_steps: 2, ..settings(Cell::Lstm) }] {
        let refused = Recurrent::new(settings).unwrap().fit(train, validation, &mut Silent);
        assert!(matches!(refused, Err(CoreError::UnknownOutcome { service, .. }) if service == "service"));
    }
    assert_eq!(train.windows().observation(), OBSERVATION);
}

#[test]
fn smooth_labels_learn_too_and_are_not_the_same() {
    let task = countdown(3000);
    let with = |label_smoothing_steps| fit(Settings { label_smoothing_steps, ..settings(Cell::Gru) }, &task);
    let (plain, smooth) = (with(0), with(2));
    assert!(test_pr_auc(&smooth, &task) > 0.97);
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    let highest = |model: &RecurrentModel| {
        model
            .score_all(windows)
            .unwrap()
            .iter()
            .map(|score| score.get())
            .filter(|score| (0.3..0.7).contains(score))
            .count()
    };
    assert!(highest(&smooth) > 2 * highest(&plain), "labels near the period's end are in between");
}

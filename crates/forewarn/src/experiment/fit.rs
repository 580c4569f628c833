use super::{Event, ExperimentError, Model, Observer, prepare::Derived};
use forewarn_core::{CoreError, FitProgress, LabelledWindows, Predictor, Score, Split};
use forewarn_schema::FrameSet;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

/// A fitted model and what it gave, in the order of the split's windows.
pub(super) struct Fitted {
    pub(super) predictor: Box<dyn Predictor>,
    pub(super) validation: Vec<Score>,
    pub(super) test: Vec<Score>,
    pub(super) fit_seconds: f64,
    pub(super) score_seconds: f64,
}

/// The rows that models see, and how they are split.
pub(super) struct Material<'a> {
    pub(super) metrics: &'a FrameSet,
    pub(super) derived: &'a Derived,
    pub(super) split: &'a Split,
}

/// Fits and scores every model, as many at a time as there are processors. Results are in the order of `models`.
///
/// No model sees another, so how they are scheduled changes nothing but the seconds.
pub(super) fn fit_all(
    models: &mut [Model],
    material: &Material<'_>,
    observer: &dyn Observer,
) -> Result<Vec<Fitted>, ExperimentError> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(models.len());
    let results = Mutex::new(Vec::with_capacity(models.len()));
    // Models are `Send` and need not be `Sync`: each worker gets sole hold of its own.
    let queue: Mutex<VecDeque<_>> = Mutex::new(models.iter_mut().enumerate().collect());
    // A function, so that the lock is given back before the fit begins.
    let next = || lock(&queue).pop_front();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((index, model)) = next() {
                    let result = fit(model, material, observer);
                    if result.is_err() {
                        lock(&queue).clear();
                    }
                    lock(&results).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|&(index, _)| index);
    results
        .into_iter()
        .map(|(index, result)| {
            result.map_err(|source| ExperimentError::Model { name: models[index].name.clone(), source })
        })
        .collect()
}

/// A panic in another worker cannot leave a queue or a list half-changed, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fit(model: &Model, material: &Material<'_>, observer: &dyn Observer) -> Result<Fitted, CoreError> {
    let frames = model.rows.of(material.metrics, material.derived);
    let (train, validation) = (material.split.train().on(frames)?, material.split.validation().on(frames)?);
    let started = Instant::now();
    let mut monitor =
        |progress: FitProgress<'_>| observer.event(Event::Fitting { model: &model.name, progress });
    let predictor: Box<dyn Predictor> = model.estimator.fit_boxed(train, validation, &mut monitor)?;
    let fit_seconds = started.elapsed().as_secs_f64();
    let validation = score(&*predictor, *validation)?;
    let started = Instant::now();
    let test = score(&*predictor, *material.split.test().on(frames)?)?;
    let score_seconds = started.elapsed().as_secs_f64();
    observer.event(Event::Scored { model: &model.name, fit_seconds });
    Ok(Fitted { predictor, validation, test, fit_seconds, score_seconds })
}

fn score(predictor: &dyn Predictor, windows: LabelledWindows<'_>) -> Result<Vec<Score>, CoreError> {
    predictor.score_all(windows.windows())
}

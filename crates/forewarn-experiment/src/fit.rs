use crate::{
    Blending, Event, ExperimentError, Model, Observer, Rows,
    fitted_model::{Fit, FittedModel},
    model::{Origin, position_of_states, positions},
    prepare::Derived,
    running,
};
use forewarn_baseline::Blend;
use forewarn_core::{CoreError, FitProgress, History, Samples, Score, Split};
use forewarn_eval::TimingCalibration;
use forewarn_recurrent::RecurrentModel;
use forewarn_schema::FrameSet;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

/// What scores windows.
pub(super) enum Scorer {
    /// A model, on windows of these rows.
    Model { rows: Rows, model: Box<dyn FittedModel> },
    /// The states of another model, by its position, which run on.
    States { of: usize },
    /// Other models of the experiment, by their positions.
    Blend { blend: Blend, members: Vec<usize> },
}

/// A fitted model and what it gave, in the order of the split's windows.
pub(super) struct Fitted {
    pub(super) scorer: Scorer,
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

/// Fits and scores every model, as many at a time as there are processors, and blends those that are blends of others. Results are in the
/// order of `models`.
///
/// No fit sees another, so how they are scheduled changes nothing but the seconds.
pub(super) fn fit_all(
    models: &mut [Model],
    material: &Material<'_>,
    observer: &dyn Observer,
) -> Result<Vec<Fitted>, ExperimentError> {
    let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
    let about = |at: usize| {
        let name = names[at].clone();
        move |source| ExperimentError::Model { name, source }
    };
    let (mut blends, mut running) = (Vec::new(), Vec::new());
    for (at, model) in models.iter().enumerate() {
        match &model.origin {
            Origin::Fit { .. } => {}
            Origin::Blend { members, blending } => {
                blends.push((at, positions(models, &model.name, members)?, *blending));
            }
            Origin::Running { of } => running.push((at, position_of_states(models, &model.name, of)?)),
        }
    }
    let mut fitted: Vec<Option<Fitted>> = names.iter().map(|_| None).collect();
    for (at, result) in fit_estimators(models, material, observer) {
        fitted[at] = Some(result.map_err(about(at))?);
    }
    for (at, members, blending) in blends {
        let blended = blend(&fitted, members, blending, material.split).map_err(about(at))?;
        observer.event(Event::Scored { model: &names[at], fit_seconds: blended.fit_seconds });
        fitted[at] = Some(blended);
    }
    for (at, of) in running {
        let Some(runs) = fitted[of].as_ref().and_then(|found| found.by_states(of, material)) else {
            continue;
        };
        let runs = runs.map_err(about(at))?;
        observer.event(Event::Scored { model: &names[at], fit_seconds: runs.fit_seconds });
        fitted[at] = Some(runs);
    }
    Ok(fitted.into_iter().flatten().collect())
}

/// Fits every estimator; results, with the position of their model, are ascending up to the first error.
fn fit_estimators(
    models: &mut [Model],
    material: &Material<'_>,
    observer: &dyn Observer,
) -> Vec<(usize, Result<Fitted, CoreError>)> {
    // Models are `Send` and need not be `Sync`: each worker gets sole hold of its own.
    let estimators = models.iter_mut().enumerate().filter_map(|(at, model)| match &mut model.origin {
        Origin::Fit { rows, fit, .. } => Some((at, model.name.as_str(), *rows, fit)),
        Origin::Blend { .. } | Origin::Running { .. } => None,
    });
    let queue: VecDeque<_> = estimators.collect();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let workers = processors.min(queue.len());
    // Those who can use several processors take no more than their share: none waits for another's.
    let threads = processors / workers.max(1);
    let (queue, results) = (Mutex::new(queue), Mutex::new(Vec::new()));
    // A function, so that the lock is given back before the fit begins.
    let next = || lock(&queue).pop_front();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((at, name, rows, fit)) = next() {
                    let result = fit_one(name, rows, threads, &*fit, material, observer);
                    if result.is_err() {
                        lock(&queue).clear();
                    }
                    lock(&results).push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|&(at, _)| at);
    results
}

/// A panic in another worker cannot leave a queue or a list half-changed, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fit_one(
    name: &str,
    rows: Rows,
    threads: usize,
    fit: &Fit,
    material: &Material<'_>,
    observer: &dyn Observer,
) -> Result<Fitted, CoreError> {
    let (frames, split) = (rows.of(material.metrics, material.derived), material.split);
    let (train, validation) = (split.train().on(frames)?, split.validation().on(frames)?);
    let started = Instant::now();
    let mut monitor = |progress: FitProgress<'_>| observer.event(Event::Fitting { model: name, progress });
    let model = fit(threads, train, validation, &mut monitor)?;
    let fit_seconds = started.elapsed().as_secs_f64();
    let predictor = model.predictor();
    let validation = predictor.score_all(validation.windows())?;
    let started = Instant::now();
    let test = predictor.score_all(split.test().on(frames)?.windows())?;
    let score_seconds = started.elapsed().as_secs_f64();
    observer.event(Event::Scored { model: name, fit_seconds });
    Ok(Fitted { scorer: Scorer::Model { rows, model }, validation, test, fit_seconds, score_seconds })
}

impl Fitted {
    /// The model whose states can run on, and the rows that it reads; `None` for one that has none.
    fn recurrent(&self) -> Option<(Rows, &RecurrentModel)> {
        match &self.scorer {
            Scorer::Model { rows, model } => Some((*rows, model.recurrent()?)),
            Scorer::States { .. } | Scorer::Blend { .. } => None,
        }
    }

    /// The same model, which is at this position, by its states.
    fn by_states(&self, of: usize, material: &Material<'_>) -> Option<Result<Self, CoreError>> {
        let (rows, model) = self.recurrent()?;
        let (frames, split) = (rows.of(material.metrics, material.derived), material.split);
        Some(running::scores(model, split.validation(), frames).and_then(|validation| {
            let started = Instant::now();
            let test = running::scores(model, split.test(), frames)?;
            let score_seconds = started.elapsed().as_secs_f64();
            let scorer = Scorer::States { of };
            Ok(Self { scorer, validation, test, fit_seconds: self.fit_seconds, score_seconds })
        }))
    }
}

/// One model of several that are fitted; it takes as long as they do.
fn blend(
    fitted: &[Option<Fitted>],
    members: Vec<usize>,
    blending: Blending,
    split: &Split,
) -> Result<Fitted, CoreError> {
    let found: Vec<&Fitted> = members.iter().filter_map(|&member| fitted[member].as_ref()).collect();
    let validation: Vec<&[Score]> = found.iter().map(|member| member.validation.as_slice()).collect();
    let test: Vec<&[Score]> = found.iter().map(|member| member.test.as_slice()).collect();
    let blend = match blending {
        Blending::Average => Blend::average(found.len())?,
        Blending::Stacked => Blend::stacked(&validation, split.validation().positive())?,
    };
    Ok(Fitted {
        validation: blend.apply(&validation)?,
        test: blend.apply(&test)?,
        fit_seconds: found.iter().map(|member| member.fit_seconds).sum(),
        score_seconds: found.iter().map(|member| member.score_seconds).sum(),
        scorer: Scorer::Blend { blend, members },
    })
}

impl Scorer {
    /// How the fits went; nothing for what is made of other models, which say so themselves.
    pub(super) fn history(&self) -> &[History] {
        match self {
            Self::Model { model, .. } => model.predictor().history(),
            Self::States { .. } | Self::Blend { .. } => &[],
        }
    }

    /// When it says that failures come, against when they came; `None` where it says only whether.
    pub(super) fn timing(
        &self,
        samples: &Samples,
        material: &Material<'_>,
    ) -> Result<Option<TimingCalibration>, ExperimentError> {
        let Self::Model { rows, model } = self else { return Ok(None) };
        let windows = samples.on(rows.of(material.metrics, material.derived))?;
        Ok(match model.predictor().forecasts(windows.windows())? {
            Some(found) => TimingCalibration::new(&found, samples.outcomes(), TimingCalibration::BINS)?,
            None => None,
        })
    }
}

/// What every model says of some windows of other metrics: a predictor scores them once, also where blends go by it.
pub(super) fn score_again(
    models: &[Model],
    fitted: &[Fitted],
    samples: &Samples,
    metrics: &FrameSet,
    derived: &Derived,
) -> Result<Vec<Vec<Score>>, ExperimentError> {
    let about = |at: usize| {
        let name = models[at].name.clone();
        move |source| ExperimentError::Model { name, source }
    };
    let mut scores = vec![Vec::new(); fitted.len()];
    for (at, of) in fitted.iter().enumerate() {
        let found = match &of.scorer {
            Scorer::Model { rows, model } => {
                let windows = samples.on(rows.of(metrics, derived))?;
                model.predictor().score_all(windows.windows())
            }
            Scorer::States { of } => match fitted[*of].recurrent() {
                Some((rows, model)) => running::scores(model, samples, rows.of(metrics, derived)),
                None => continue,
            },
            Scorer::Blend { .. } => continue,
        };
        scores[at] = found.map_err(about(at))?;
    }
    for (at, of) in fitted.iter().enumerate() {
        if let Scorer::Blend { blend, members } = &of.scorer {
            let members: Vec<&[Score]> = members.iter().map(|&member| scores[member].as_slice()).collect();
            scores[at] = blend.apply(&members).map_err(about(at))?;
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use crate::{Data, Event, Experiment, Model, Rows};
    use forewarn_baseline::{FittedLogisticRegression, LogisticRegression};
    use forewarn_label::Rule;
    use forewarn_sim::StressWalk;
    use std::{
        sync::{Arc, Mutex},
        thread,
    };

    /// Threads that each of so many models is fitted on.
    fn threads_of(models: usize) -> Vec<usize> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let mut experiment = Experiment::new(Rule::v1());
        for model in 0..models {
            let told = Arc::clone(&told);
            let estimator = move |threads| {
                told.lock().unwrap().push(threads);
                LogisticRegression::default()
            };
            let save = FittedLogisticRegression::to_envelope;
            let name = model.to_string();
            experiment =
                experiment.model(Model::on_threads(&name, "a line", Rows::Features, estimator, save));
        }
        let walk = StressWalk::new(8 * 1440, 7).unwrap().run();
        experiment.run(Data::from_stress_walk(walk).unwrap(), &|_: Event<'_>| {}).unwrap();
        let told = told.lock().unwrap();
        told.clone()
    }

    #[test]
    fn models_share_the_processors() {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(threads_of(1), [processors]);
        assert_eq!(threads_of(2), [(processors / 2).max(1); 2]);
        assert_eq!(threads_of(processors + 1), vec![1; processors + 1]);
    }
}

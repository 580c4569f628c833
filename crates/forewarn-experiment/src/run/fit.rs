use crate::{
    Blending, ExperimentError, Model, ModelRows, Observer, Progress,
    model::{Fit, Origin, position_of_states, positions},
    run::{
        material::Views,
        running,
        side_by_side::{on_threads, processors, side_by_side},
        weighing::{Weighing, weigh},
    },
};
use forewarn_core::{
    CoreError, FitProgress, History, Labels, Monitor, Predictor, Samples, Score, Split, Stateful, Train,
    Windows,
};
use forewarn_ensemble::Blend;
use forewarn_eval::TimingReliability;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// What scores windows.
pub(crate) enum Scorer {
    /// A model, on windows of these rows.
    Model { rows: ModelRows, model: Box<dyn Predictor> },
    /// The states of another model, by its position, which run on.
    States { of: usize },
    /// Several models as one.
    Blend { blend: Blend, members: Vec<Member> },
}

/// A model of a blend.
pub(crate) enum Member {
    /// Another one of the experiment, by its position.
    Of(usize),
    /// One of its own, on windows of these rows.
    Own { rows: ModelRows, model: Box<dyn Predictor> },
}

/// A fitted model and what it gave, in the order of the split's windows.
pub(crate) struct Fitted {
    pub(crate) scorer: Scorer,
    pub(crate) validation: Vec<Score>,
    pub(crate) test: Vec<Score>,
    pub(crate) fit_seconds: f64,
    pub(crate) score_seconds: f64,
    /// Windows that thresholds are chosen on, where there are more than those of validation, with scores of models
    /// that have not learnt from them.
    pub(crate) held_out: Option<(Samples, Vec<Score>)>,
    pub(crate) learnt_from: LearntFrom,
}

/// Which training windows a model learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LearntFrom {
    /// Those that the weights of rows keep, if there are weights.
    Kept,
    /// Every one, though there are weights: it takes none.
    All,
}

/// What may be spent on weighing by walk-forward folds, and on what.
pub(crate) struct Effort<'a> {
    pub(crate) labels: &'a Labels,
    /// Time for all fits together.
    pub(crate) limit: Option<Duration>,
}

/// Of the time for all fits, what those of the models themselves may take where folds follow.
const SHARE_OF_MODELS: f64 = 0.6;

/// Moments after which fits end with what they have.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Option<Instant>);

impl Deadline {
    /// A share of the time from `began` on.
    pub(crate) fn new(began: Instant, limit: Option<Duration>, share: f64) -> Self {
        Self(limit.and_then(|limit| began.checked_add(limit.mul_f64(share))))
    }

    /// Seconds that are left, 0 after it; `None` where there is none.
    pub(crate) fn seconds_left(self) -> Option<f64> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

/// Fits and scores every model, as many at a time as there are processors, and blends those that are blends of
/// others. Results are in the order of `models`.
///
/// No fit sees another, so how they are scheduled changes nothing but the seconds.
pub(crate) fn fit_all(
    models: &[Model],
    views: Views<'_>,
    split: &Split,
    effort: &Effort<'_>,
    observer: &dyn Observer,
) -> Result<Vec<Fitted>, ExperimentError> {
    let began = Instant::now();
    let share = if models.iter().any(Model::needs_folds) { SHARE_OF_MODELS } else { 1.0 };
    let deadline = Deadline::new(began, effort.limit, share);
    let about = |at: usize| {
        let name = models[at].name.clone();
        move |source| ExperimentError::Model { name, source }
    };
    let estimators: Vec<Estimated<'_>> = models.iter().enumerate().filter_map(Estimated::new).collect();
    // Those who can use several processors take no more than their share: none waits for another's.
    let threads = processors() / processors().min(estimators.len()).max(1);
    let results = side_by_side(&estimators, |_, estimator| {
        estimator.fit_and_score((threads, deadline), views, split, observer).map_err(about(estimator.at))
    })?;
    let mut fitted: Vec<Option<Fitted>> = models.iter().map(|_| None).collect();
    for (estimator, result) in estimators.iter().zip(results) {
        fitted[estimator.at] = Some(result);
    }
    for (at, model) in models.iter().enumerate() {
        if let Origin::Blend { members, blending } = &model.origin {
            let members = positions(models, &model.name, members)?;
            let blended = match blending {
                Blending::Folds => weigh(&Weighing {
                    name: &model.name,
                    models,
                    fitted: &fitted,
                    members,
                    views,
                    split,
                    labels: effort.labels,
                    deadline: Deadline::new(began, effort.limit, 1.0),
                    observer,
                })?,
                _ => blend(&fitted, members, *blending, split).map_err(about(at))?,
            };
            observer.progress(Progress::Scored { model: &model.name, fit_seconds: blended.fit_seconds });
            fitted[at] = Some(blended);
        }
    }
    for (at, model) in models.iter().enumerate() {
        if let Origin::Running { of } = &model.origin {
            let of = position_of_states(models, &model.name, of)?;
            let Some(runs) = fitted[of].as_ref().and_then(|found| found.by_states(of, views, split)) else {
                continue;
            };
            let runs = runs.map_err(about(at))?;
            observer.progress(Progress::Scored { model: &model.name, fit_seconds: runs.fit_seconds });
            fitted[at] = Some(runs);
        }
    }
    Ok(fitted.into_iter().flatten().collect())
}

/// A model that is fitted itself, and its position among all.
pub(crate) struct Estimated<'a> {
    pub(crate) at: usize,
    pub(crate) name: &'a str,
    pub(crate) rows: ModelRows,
    fit: &'a Fit,
}

impl<'a> Estimated<'a> {
    fn new((at, model): (usize, &'a Model)) -> Option<Self> {
        match &model.origin {
            Origin::Fit { rows, fit, .. } => Some(Self { at, name: &model.name, rows: *rows, fit }),
            Origin::Blend { .. } | Origin::Running { .. } => None,
        }
    }

    /// The same at less cost, where there is such a fit.
    pub(crate) fn quick((at, model): (usize, &'a Model)) -> Option<Self> {
        match &model.origin {
            Origin::Fit { rows, fit, quick, .. } => Some(Self {
                at,
                name: &model.name,
                rows: *rows,
                fit: quick.as_ref().map_or(fit, |quick| &quick.fit),
            }),
            Origin::Blend { .. } | Origin::Running { .. } => None,
        }
    }

    /// The model fitted on train, with validation for stopping, on a number of threads and until a deadline. Where it
    /// is known how near services come to failing, both have soft labels. Where rows have weights, they have none, and
    /// train is what the weights keep of it; a model that takes no weights has every window, which all are there.
    pub(crate) fn fit(
        &self,
        (threads, deadline): (usize, Deadline),
        views: Views<'_>,
        split: &Split,
        observer: &dyn Observer,
    ) -> Result<(Box<dyn Predictor>, LearntFrom), CoreError> {
        let frames = views.rows(self.rows);
        // Weights say how many windows there are of each kind in all data. Validation, by which log-odds come back to the
        // labels, has none.
        let nearness = views.nearness.filter(|_| views.weights.is_none());
        let soft = nearness.map(|nearness| -> Result<_, CoreError> {
            let (train, validation) = (split.train().clone(), split.validation().clone());
            let (of_train, of_validation) = (nearness.soft_labels(&train), nearness.soft_labels(&validation));
            Ok((train.with_soft_labels(of_train)?, validation.with_soft_labels(of_validation)?))
        });
        let soft = soft.transpose()?;
        let (train, validation) =
            soft.as_ref().map_or((split.train(), split.validation()), |soft| (&soft.0, &soft.1));
        let validation = validation.on(frames)?;
        let mut monitor = Watching { model: self.name, observer, deadline };
        let mut fit =
            |train: &Train<Samples>| (self.fit)(threads, train.on(frames)?, validation, &mut monitor);
        let Some(weights) = views.weights else { return Ok((fit(train)?, LearntFrom::Kept)) };
        match fit(&train.weighted_by_row(weights)?) {
            Err(CoreError::WeightsUnsupported { .. }) => Ok((fit(train)?, LearntFrom::All)),
            fitted => Ok((fitted?, LearntFrom::Kept)),
        }
    }

    fn fit_and_score(
        &self,
        effort: (usize, Deadline),
        views: Views<'_>,
        split: &Split,
        observer: &dyn Observer,
    ) -> Result<Fitted, CoreError> {
        let (frames, model) = (views.rows(self.rows), self.name);
        let (started, (threads, _)) = (Instant::now(), effort);
        let (fitted, learnt_from) = self.fit(effort, views, split, observer)?;
        let fit_seconds = started.elapsed().as_secs_f64();
        let validation = split.validation().on(frames)?;
        let (predictor, test) = (&*fitted, split.test().on(frames)?.windows());
        let (before, total) = (validation.windows().len(), validation.windows().len() + test.len());
        let report = |done| observer.progress(Progress::Scoring { model, done, total });
        let validation = score(predictor, validation.windows(), threads, report)?;
        let started = Instant::now();
        let test = score(predictor, test, threads, |done| report(before + done))?;
        let score_seconds = started.elapsed().as_secs_f64();
        observer.progress(Progress::Scored { model, fit_seconds });
        let scorer = Scorer::Model { rows: self.rows, model: fitted };
        Ok(Fitted { scorer, validation, test, fit_seconds, score_seconds, held_out: None, learnt_from })
    }
}

/// Passes on how a fit goes, and ends it at the deadline.
struct Watching<'a> {
    model: &'a str,
    observer: &'a dyn Observer,
    deadline: Deadline,
}

impl Monitor for Watching<'_> {
    fn report(&mut self, progress: FitProgress<'_>) {
        self.observer.progress(Progress::Fitting { model: self.model, progress });
    }

    fn should_stop(&self) -> bool {
        self.deadline.is_over()
    }
}

/// Windows that are scored between two reports of progress.
const PIECE: usize = 1 << 17;

/// All windows, a piece at a time on each of some threads, which changes no score; `report` is told how many are done.
pub(crate) fn score(
    predictor: &dyn Predictor,
    windows: Windows<'_>,
    threads: usize,
    report: impl Fn(usize) + Sync,
) -> Result<Vec<Score>, CoreError> {
    let (pieces, done): (Vec<usize>, _) = ((0..windows.len()).step_by(PIECE).collect(), AtomicUsize::new(0));
    let scores = on_threads(threads, &pieces, |_, &from| -> Result<Vec<Score>, CoreError> {
        let scores = predictor.score_all(windows.slice(from..windows.len().min(from + PIECE))?)?;
        report(done.fetch_add(scores.len(), Ordering::Relaxed) + scores.len());
        Ok(scores)
    })?;
    Ok(scores.concat())
}

impl Fitted {
    /// The windows that thresholds are chosen on, and their scores.
    pub(crate) fn held_out<'a>(&'a self, split: &'a Split) -> (&'a Samples, &'a [Score]) {
        match &self.held_out {
            Some((samples, scores)) => (samples, scores),
            None => (split.validation(), &self.validation),
        }
    }

    /// The model whose states can run on, and the rows that it reads; `None` for one that has none.
    fn stateful(&self) -> Option<(ModelRows, &dyn Stateful)> {
        match &self.scorer {
            Scorer::Model { rows, model } => Some((*rows, model.as_stateful()?)),
            Scorer::States { .. } | Scorer::Blend { .. } => None,
        }
    }

    /// The same model, which is at this position, by its states.
    fn by_states(&self, of: usize, views: Views<'_>, split: &Split) -> Option<Result<Self, CoreError>> {
        let (rows, model) = self.stateful()?;
        let frames = views.rows(rows);
        Some(running::scores(model, split.validation(), frames).and_then(|validation| {
            let started = Instant::now();
            let test = running::scores(model, split.test(), frames)?;
            let score_seconds = started.elapsed().as_secs_f64();
            let scorer = Scorer::States { of };
            Ok(Self {
                scorer,
                validation,
                test,
                fit_seconds: self.fit_seconds,
                score_seconds,
                held_out: None,
                learnt_from: self.learnt_from,
            })
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
        Blending::Stacked => Blend::stacked(&validation, split.validation().positive())?,
        // Blends by folds have their weights from there.
        Blending::Average | Blending::Folds => Blend::average(found.len())?,
    };
    Ok(Fitted {
        validation: blend.apply(&validation)?,
        test: blend.apply(&test)?,
        fit_seconds: found.iter().map(|member| member.fit_seconds).sum(),
        score_seconds: found.iter().map(|member| member.score_seconds).sum(),
        scorer: Scorer::Blend { blend, members: members.into_iter().map(Member::Of).collect() },
        held_out: None,
        learnt_from: LearntFrom::Kept,
    })
}

impl Scorer {
    /// How the fits went; nothing for what is made of other models, which say so themselves.
    pub(crate) fn history(&self) -> &[History] {
        match self {
            Self::Model { model, .. } => model.history(),
            Self::States { .. } | Self::Blend { .. } => &[],
        }
    }

    /// When it says that failures come, against when they came; `None` where it says only whether.
    pub(crate) fn timing(
        &self,
        samples: &Samples,
        views: Views<'_>,
    ) -> Result<Option<TimingReliability>, ExperimentError> {
        let Self::Model { rows, model } = self else { return Ok(None) };
        let windows = samples.on(views.rows(*rows))?;
        Ok(match model.forecasts(windows.windows())? {
            Some(found) => TimingReliability::new(&found, samples.outcomes(), TimingReliability::BINS)?,
            None => None,
        })
    }
}

/// What every model says of some windows of other metrics: a predictor scores them once, also where blends go by it.
/// `report` is told how many models are done.
pub(crate) fn score_again(
    models: &[Model],
    fitted: &[Fitted],
    samples: &Samples,
    views: Views<'_>,
    report: impl Fn(usize),
) -> Result<Vec<Vec<Score>>, ExperimentError> {
    let about = |at: usize| {
        let name = models[at].name.clone();
        move |source| ExperimentError::Model { name, source }
    };
    let mut scores = vec![Vec::new(); fitted.len()];
    for (at, of) in fitted.iter().enumerate() {
        let found = match &of.scorer {
            Scorer::Model { rows, model } => {
                let windows = samples.on(views.rows(*rows))?;
                model.score_all(windows.windows())
            }
            Scorer::States { of } => match fitted[*of].stateful() {
                Some((rows, model)) => running::scores(model, samples, views.rows(rows)),
                None => continue,
            },
            Scorer::Blend { .. } => continue,
        };
        scores[at] = found.map_err(about(at))?;
        report(at + 1);
    }
    for (at, of) in fitted.iter().enumerate() {
        if let Scorer::Blend { blend, members } = &of.scorer {
            let mut own = Vec::new();
            for member in members {
                if let Member::Own { rows, model } = member {
                    let windows = samples.on(views.rows(*rows))?;
                    own.push(model.score_all(windows.windows()).map_err(about(at))?);
                }
            }
            let mut own = own.iter();
            let of = |member: &Member| match member {
                Member::Of(of) => Some(scores[*of].as_slice()),
                Member::Own { .. } => own.next().map(Vec::as_slice),
            };
            let found: Vec<&[Score]> = members.iter().filter_map(of).collect();
            scores[at] = blend.apply(&found).map_err(about(at))?;
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::{PIECE, score};
    use crate::{Data, Experiment, Model, ModelRows, Progress};
    use forewarn_baseline::LogisticRegression;
    use forewarn_core::{Predictor as _, Silent, Snapshots};
    use forewarn_label::Rule;
    use forewarn_schema::{Metric, Schema};
    use forewarn_sim::StressWalk;
    use std::{
        sync::{Arc, Mutex},
        thread,
    };

    /// Threads on which each of `models` models is fitted.
    fn threads_of(models: usize) -> Vec<usize> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let mut experiment = Experiment::new(Rule::v1());
        for model in 0..models {
            let told = Arc::clone(&told);
            let estimator = move |threads| {
                told.lock().unwrap().push(threads);
                LogisticRegression::default()
            };
            let name = model.to_string();
            experiment =
                experiment.with_model(Model::on_threads(&name, "a line", ModelRows::Features, estimator));
        }
        let walk = StressWalk::new(8 * 1440, 7).run().unwrap();
        experiment.run(Data::from_stress_walk(walk).unwrap(), &|_: Progress<'_>| {}).unwrap();
        let told = told.lock().unwrap();
        told.clone()
    }

    #[test]
    fn threads_change_no_score() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let values: Vec<f32> = (0..2 * PIECE + 77).map(|row| (row * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let positive = values.iter().enumerate().map(|(row, x)| row % 7 == 0 || *x > 0.8).collect();
        let rows = Snapshots::new(schema, values, positive).unwrap();
        let few = rows.filter(|row| row < 1000);
        let model = LogisticRegression::default().fit_snapshots(&few, &few, &mut Silent).unwrap();
        let windows = rows.labelled().windows();
        let expected = model.score_all(windows).unwrap();
        for threads in [1, 2, 5] {
            let done = Mutex::new(Vec::new());
            let scores =
                score(&model, windows, threads, |windows| done.lock().unwrap().push(windows)).unwrap();
            assert!(scores == expected, "{threads}");
            let done = done.into_inner().unwrap();
            assert_eq!((done.len(), done.iter().max()), (3, Some(&windows.len())));
        }
    }

    #[test]
    fn models_share_the_processors() {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(threads_of(1), [processors]);
        assert_eq!(threads_of(2), [(processors / 2).max(1); 2]);
        assert_eq!(threads_of(processors + 1), vec![1; processors + 1]);
    }
}

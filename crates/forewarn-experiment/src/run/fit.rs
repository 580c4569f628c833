use crate::{
    Blending, ExperimentError, Model, Observer, Progress, Rows,
    model::{Fit, Origin, position_of_states, positions},
    run::{
        material::Views,
        running,
        side_by_side::{processors, side_by_side},
    },
};
use forewarn_core::{CoreError, FitProgress, History, Predictor, Samples, Score, Split, Stateful, Windows};
use forewarn_ensemble::Blend;
use forewarn_eval::TimingReliability;
use std::time::{Duration, Instant};

/// What scores windows.
pub(crate) enum Scorer {
    /// A model, on windows of these rows.
    Model { rows: Rows, model: Box<dyn Predictor> },
    /// The states of another model, by its position, which run on.
    States { of: usize },
    /// Other models of the experiment, by their positions.
    Blend { blend: Blend, members: Vec<usize> },
}

/// A fitted model and what it gave, in the order of the split's windows.
pub(crate) struct Fitted {
    pub(crate) scorer: Scorer,
    pub(crate) validation: Vec<Score>,
    pub(crate) test: Vec<Score>,
    pub(crate) fit_seconds: f64,
    pub(crate) score_seconds: f64,
}

/// What may be spent on choosing by walk-forward folds.
pub(crate) struct Effort {
    /// Folds over train and validation, in order of time.
    pub(crate) folds: Vec<Split>,
    /// Time for all fits together; members whose folds would not fit into it are left out of blends by folds.
    pub(crate) limit: Option<Duration>,
}

/// Fits and scores every model, as many at a time as there are processors, and blends those that are blends of
/// others. Results are in the order of `models`.
///
/// No fit sees another, so how they are scheduled changes nothing but the seconds.
pub(crate) fn fit_all(
    models: &[Model],
    views: Views<'_>,
    split: &Split,
    effort: &Effort,
    observer: &dyn Observer,
) -> Result<Vec<Fitted>, ExperimentError> {
    let began = Instant::now();
    let about = |at: usize| {
        let name = models[at].name.clone();
        move |source| ExperimentError::Model { name, source }
    };
    let estimators: Vec<Estimated<'_>> = models.iter().enumerate().filter_map(Estimated::new).collect();
    // Those who can use several processors take no more than their share: none waits for another's.
    let threads = processors() / processors().min(estimators.len()).max(1);
    let results = side_by_side(&estimators, |_, estimator| {
        estimator.fit(threads, views, split, observer).map_err(about(estimator.at))
    })?;
    let mut fitted: Vec<Option<Fitted>> = models.iter().map(|_| None).collect();
    for (estimator, result) in estimators.iter().zip(results) {
        fitted[estimator.at] = Some(result);
    }
    for (at, model) in models.iter().enumerate() {
        if let Origin::Blend { members, blending } = &model.origin {
            let members = positions(models, &model.name, members)?;
            let blended = match blending {
                Blending::Folds => {
                    let left = effort.limit.map(|limit| limit.saturating_sub(began.elapsed()));
                    let found = by_folds(models, &fitted, &members, views, &effort.folds, left, observer)?;
                    found.applied(&fitted, split, Instant::now()).map_err(about(at))?
                }
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
struct Estimated<'a> {
    at: usize,
    name: &'a str,
    rows: Rows,
    fit: &'a Fit,
}

impl<'a> Estimated<'a> {
    fn new((at, model): (usize, &'a Model)) -> Option<Self> {
        match &model.origin {
            Origin::Fit { rows, fit, .. } => Some(Self { at, name: &model.name, rows: *rows, fit }),
            Origin::Blend { .. } | Origin::Running { .. } => None,
        }
    }

    fn fit(
        &self,
        threads: usize,
        views: Views<'_>,
        split: &Split,
        observer: &dyn Observer,
    ) -> Result<Fitted, CoreError> {
        let (frames, model) = (views.rows(self.rows), self.name);
        let (train, validation) = (split.train().on(frames)?, split.validation().on(frames)?);
        let started = Instant::now();
        let mut monitor =
            |progress: FitProgress<'_>| observer.progress(Progress::Fitting { model, progress });
        let fitted = (self.fit)(threads, train, validation, &mut monitor)?;
        let fit_seconds = started.elapsed().as_secs_f64();
        let (predictor, test) = (&*fitted, split.test().on(frames)?.windows());
        let (before, total) = (validation.windows().len(), validation.windows().len() + test.len());
        let report = |done| observer.progress(Progress::Scoring { model, done, total });
        let validation = score(predictor, validation.windows(), report)?;
        let started = Instant::now();
        let test = score(predictor, test, |done| report(before + done))?;
        let score_seconds = started.elapsed().as_secs_f64();
        observer.progress(Progress::Scored { model, fit_seconds });
        let scorer = Scorer::Model { rows: self.rows, model: fitted };
        Ok(Fitted { scorer, validation, test, fit_seconds, score_seconds })
    }
}

/// Windows that are scored between two reports of progress.
const PIECE: usize = 1 << 17;

/// All windows, a piece at a time, which changes no score; `report` is told how many are done.
fn score(
    predictor: &dyn Predictor,
    windows: Windows<'_>,
    report: impl Fn(usize),
) -> Result<Vec<Score>, CoreError> {
    let mut scores = vec![Score::ZERO; windows.len()];
    for (piece, scores) in scores.chunks_mut(PIECE).enumerate() {
        let from = piece * PIECE;
        predictor.score(windows.slice(from..from + scores.len())?, scores)?;
        report(from + scores.len());
    }
    Ok(scores)
}

impl Fitted {
    /// The model whose states can run on, and the rows that it reads; `None` for one that has none.
    fn stateful(&self) -> Option<(Rows, &dyn Stateful)> {
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
            Ok(Self { scorer, validation, test, fit_seconds: self.fit_seconds, score_seconds })
        }))
    }
}

/// Weights of members, from walk-forward folds.
struct ByFolds {
    blend: Blend,
    members: Vec<usize>,
    seconds: f64,
}

impl ByFolds {
    /// The members' scores by these weights.
    fn applied(
        self,
        fitted: &[Option<Fitted>],
        split: &Split,
        started: Instant,
    ) -> Result<Fitted, CoreError> {
        let equal = blend(fitted, self.members.clone(), Blending::Average, split)?;
        let of = |part: fn(&Fitted) -> &[Score]| -> Vec<&[Score]> {
            self.members.iter().filter_map(|&member| fitted[member].as_ref().map(part)).collect()
        };
        let validation = self.blend.apply(&of(|fitted| &fitted.validation))?;
        let test = self.blend.apply(&of(|fitted| &fitted.test))?;
        Ok(Fitted {
            validation,
            test,
            fit_seconds: equal.fit_seconds + self.seconds,
            score_seconds: equal.score_seconds + started.elapsed().as_secs_f64(),
            scorer: Scorer::Blend { blend: self.blend, members: self.members },
        })
    }
}

/// Fits the members on each fold, scores its block, and weighs them by all blocks together. A line of progress for
/// each.
fn by_folds(
    models: &[Model],
    fitted: &[Option<Fitted>],
    members: &[usize],
    views: Views<'_>,
    folds: &[Split],
    left: Option<Duration>,
    observer: &dyn Observer,
) -> Result<ByFolds, ExperimentError> {
    let began = Instant::now();
    let seconds = |member: usize| fitted[member].as_ref().map_or(0.0, |fitted| fitted.fit_seconds);
    // The quickest first, so that time that runs out costs as few members as possible.
    let mut order = members.to_vec();
    order.sort_by(|&a, &b| seconds(a).total_cmp(&seconds(b)).then(a.cmp(&b)));
    let (mut kept, mut scores): (Vec<usize>, Vec<Vec<Vec<Score>>>) = (Vec::new(), Vec::new());
    for member in order {
        let name = &models[member].name;
        // Folds are shorter than the whole: about half of it each.
        let expected = 0.5 * seconds(member) * folds.len() as f64;
        let is_late = left.is_some_and(|left| began.elapsed().as_secs_f64() + expected > left.as_secs_f64());
        if is_late && !kept.is_empty() {
            let text =
                format!("auto: {name} left out, its folds would take longer than the time that is left");
            observer.progress(Progress::Stage(&text));
            continue;
        }
        let Some(estimator) = Estimated::new((member, &models[member])) else { continue };
        let about = |source| ExperimentError::Model { name: name.clone(), source };
        let found = side_by_side(folds, |_, fold| {
            estimator.fit(1, views, fold, &|_: Progress<'_>| {}).map(|fitted| fitted.test)
        });
        scores.push(found.map_err(about)?);
        kept.push(member);
    }
    let blocks: Vec<&[bool]> = folds.iter().map(|fold| fold.test().positive()).collect();
    let found: Vec<Vec<&[Score]>> =
        scores.iter().map(|blocks| blocks.iter().map(Vec::as_slice).collect()).collect();
    let about = |source| ExperimentError::Model { name: "auto".to_owned(), source };
    let choice = Blend::by_blocks(&found, &blocks).map_err(about)?;
    for ((member, judged), weight) in kept.iter().zip(&choice.members).zip(choice.blend.weights()) {
        let text = format!(
            "auto: {}, PR-AUC {:.3} in {} blocks (spread {:.3}), weight {weight:.2}",
            models[*member].name,
            judged.pr_auc,
            blocks.len(),
            judged.spread
        );
        observer.progress(Progress::Stage(&text));
    }
    Ok(ByFolds { blend: choice.blend, members: kept, seconds: began.elapsed().as_secs_f64() })
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
        // Blends by folds have their weights from there.
        Blending::Average | Blending::Folds => Blend::average(found.len())?,
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
            let members: Vec<&[Score]> = members.iter().map(|&member| scores[member].as_slice()).collect();
            scores[at] = blend.apply(&members).map_err(about(at))?;
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use crate::{Data, Experiment, Model, Progress, Rows};
    use forewarn_baseline::LogisticRegression;
    use forewarn_label::Rule;
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
            experiment = experiment.with_model(Model::on_threads(&name, "a line", Rows::Features, estimator));
        }
        let walk = StressWalk::new(8 * 1440, 7).unwrap().run();
        experiment.run(Data::from_stress_walk(walk).unwrap(), &|_: Progress<'_>| {}).unwrap();
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

use crate::{
    ExperimentError, Model, Phase, Progress,
    data::truth::Truth,
    progress::whole,
    run::{Run, fit::Fitted, material::Prepared, side_by_side::side_by_side},
};
use forewarn_core::{CoreError, Split};
use forewarn_eval::{
    BlockBootstrap, EpisodeClasses, InputSummary, ModelComparison, ModelReport, ModelRun, Report, ScoredSet,
    SplitSummary, TestSummary, WindowSummary,
};
use forewarn_report::{CurveKind, Pictures, PrCurve, ServiceOnsets};
use forewarn_schema::FrameSet;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// What there is to report.
pub(crate) struct Evaluated {
    pub(crate) report: Report,
    pub(crate) pictures: Pictures,
    /// Each model's name and its scores of the test windows.
    pub(crate) scored: Vec<(String, ScoredSet)>,
}

impl Run<'_> {
    /// Evaluates the scores and puts everything that was found together.
    pub(crate) fn evaluate(
        &self,
        input: InputSummary,
        classes: &[EpisodeClasses],
        truth: Option<&Truth>,
        prepared: &Prepared,
        fitted: &[Fitted],
    ) -> Result<Evaluated, ExperimentError> {
        let (settings, split, observer) = (self.settings, self.split, self.observer);
        let test = split.test();
        let (models, sets): (Vec<_>, Vec<_>) =
            self.model_reports(classes, prepared, fitted)?.into_iter().unzip();
        let names = self.models.iter().map(|model| model.name.clone());
        let scored: Vec<(String, ScoredSet)> = names.zip(sets).collect();
        let Some((_, any)) = scored.first() else { return Err(ExperimentError::NoModels) };
        let mut report = Report::new(
            input,
            settings.rule.describe(),
            settings.target,
            WindowSummary::new(settings.spec, self.material.metrics.layout().step()),
            prepared.features.schema().names().map(str::to_owned).collect(),
            SplitSummary::new(split)?,
            TestSummary::new(any)?,
        );
        report.models = models;
        let compared: Vec<(&str, &ScoredSet)> = scored.iter().map(|(name, set)| (&**name, set)).collect();
        report.comparison = whole(observer, Phase::Comparison, || {
            ModelComparison::new(&compared, &BlockBootstrap::default())
        })?;
        report.notes = self.notes(fitted)?;
        report.audit = self.audit(prepared, fitted, &scored)?;
        let mut curves = side_by_side(&scored, |_, (name, set)| -> Result<_, ExperimentError> {
            let (scores, positive) = set.pooled("test")?;
            Ok(PrCurve::new(name, CurveKind::Model, &scores, &positive)?)
        })?;
        let of_test = (&**test, self.labels.episodes());
        let best = truth
            .map(|truth| truth.ceiling(&*settings.rule, settings.spec, settings.target, of_test, observer));
        if let Some(best) = best.transpose()?.flatten() {
            report.ceiling = Some(best.ceiling);
            report.ceiling_at_budgets = best.at_budgets;
            report.notes.extend(best.note);
            curves.extend(best.curves);
        }
        let pictures =
            whole(observer, Phase::Pictures, || self.pictures(&report, &scored, prepared, curves))?;
        Ok(Evaluated { report, pictures, scored })
    }

    /// Each model's figures, and its scores of the test windows; as many at a time as there are processors.
    fn model_reports(
        &self,
        classes: &[EpisodeClasses],
        prepared: &Prepared,
        fitted: &[Fitted],
    ) -> Result<Vec<(ModelReport, ScoredSet)>, ExperimentError> {
        let (done, total) = (AtomicUsize::new(0), fitted.len());
        let report = |done| self.observer.progress(Progress::Phase { phase: Phase::Evaluation, done, total });
        report(0);
        let pairs: Vec<(&Model, &Fitted)> = self.models.iter().zip(fitted).collect();
        side_by_side(&pairs, |_, &(model, fitted)| {
            let found = self.model_report(model, fitted, classes, prepared)?;
            report(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(found)
        })
    }

    fn model_report(
        &self,
        model: &Model,
        fitted: &Fitted,
        classes: &[EpisodeClasses],
        prepared: &Prepared,
    ) -> Result<(ModelReport, ScoredSet), ExperimentError> {
        let (validation, test, episodes) =
            (self.split.validation(), self.split.test(), self.labels.episodes());
        let set = ScoredSet::from_samples(test, &fitted.test, episodes)?;
        let at_validation = ScoredSet::from_samples(validation, &fitted.validation, episodes)?;
        let held_out = match &fitted.held_out {
            Some((samples, scores)) => Some(ScoredSet::from_samples(samples, scores, episodes)?),
            None => None,
        };
        let seconds = Duration::from_secs_f64;
        let timing =
            fitted.scorer.timing(test, self.material.views(&prepared.features, prepared.wide_features()))?;
        let run = ModelRun::new(&model.name, &at_validation, &set)
            .with_description(&model.description)
            .with_trainer(model.trainer.as_deref())
            .with_durations(seconds(fitted.fit_seconds), seconds(fitted.score_seconds))
            .with_training(fitted.scorer.history())
            .with_timing(timing.as_ref())
            .with_classes(classes)
            .with_held_out(held_out.as_ref())
            .with_delays(self.settings.delays)
            .with_budget(self.settings.budget);
        Ok((ModelReport::evaluate(&run)?, set))
    }

    fn pictures(
        &self,
        report: &Report,
        scored: &[(String, ScoredSet)],
        prepared: &Prepared,
        curves: Vec<PrCurve>,
    ) -> Result<Pictures, ExperimentError> {
        let mut pictures = Pictures::default();
        pictures.curves = curves;
        let services = self.labels.layout().services().iter().zip(self.labels.episodes());
        pictures.onsets =
            services.map(|(place, episodes)| ServiceOnsets::new(place.name(), episodes)).collect();
        let metrics = &*self.material.metrics;
        let informative = informative_metrics(self.split, &prepared.features, metrics)?;
        let informative: Vec<&str> = informative.iter().map(String::as_str).collect();
        pictures.add_moments(report, scored, metrics, &informative)?;
        Ok(pictures)
    }
}

/// Metrics drawn in a timeline.
const TIMELINE_METRICS: usize = 4;

/// The metrics whose last sample, as a standard score, differs most between positive and negative training windows.
fn informative_metrics(
    split: &Split,
    features: &FrameSet,
    metrics: &FrameSet,
) -> Result<Vec<String>, CoreError> {
    let train = split.train().on(features)?;
    let mut sums = vec![[(0.0, 0.0); 2]; features.schema().len()];
    for (row, &positive) in train.windows().iter_last().zip(train.positive()) {
        for (sums, &value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            let (sum, count) = &mut sums[usize::from(positive)];
            *sum += f64::from(value);
            *count += 1.0;
        }
    }
    let mean = |(sum, count): (f64, f64)| if count > 0.0 { sum / count } else { 0.0 };
    let mut ranked: Vec<(f64, &str)> = features
        .schema()
        .names()
        .zip(sums)
        .filter(|(name, _)| metrics.schema().index_of(name).is_ok())
        .map(|(name, [negative, positive])| ((mean(positive) - mean(negative)).abs(), name))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(ranked.into_iter().take(TIMELINE_METRICS).map(|(_, name)| name.to_owned()).collect())
}

use crate::{
    Data, Experiment, ExperimentError,
    fit::{Fitted, Material},
    prepare::Prepared,
};
use forewarn_core::{CoreError, FailureRule, Labels, Split};
use forewarn_eval::{
    BlockBootstrap, Comparison, Curve, CurveKind, InputSummary, ModelReport, ModelRun, Pictures, Report,
    ScoredSet, ServiceOnsets, SplitSummary, TestSummary, WindowSummary,
};
use forewarn_schema::FrameSet;
use forewarn_window::Imputed;
use std::time::Duration;

/// What there is to report.
pub(super) struct Reported {
    pub(super) report: Report,
    pub(super) pictures: Pictures,
    /// Each model's name and its scores of the test windows.
    pub(super) scored: Vec<(String, ScoredSet)>,
}

/// What an experiment has to report on.
pub(super) struct Found<'a> {
    pub(super) labels: &'a Labels,
    pub(super) split: &'a Split,
    pub(super) prepared: &'a Prepared,
    /// In the order of the models.
    pub(super) fitted: &'a [Fitted],
}

impl Experiment {
    /// Evaluates the scores and puts everything that was found together.
    pub(super) fn report(&self, data: &Data, found: &Found<'_>) -> Result<Reported, ExperimentError> {
        let Found { labels, split, prepared, fitted } = *found;
        let (validation, test) = (split.validation(), split.test());
        let features = &prepared.derived.features;
        let mut scored = Vec::with_capacity(fitted.len());
        let mut models = Vec::with_capacity(fitted.len());
        for (model, fitted) in self.models.iter().zip(fitted) {
            let set = ScoredSet::from_samples(test, &fitted.test, labels.episodes())?;
            let at_validation = ScoredSet::from_samples(validation, &fitted.validation, labels.episodes())?;
            let seconds = Duration::from_secs_f64;
            let material = Material { metrics: &data.frames, derived: &prepared.derived, split };
            let timing = fitted.scorer.timing(test, &material)?;
            let run = ModelRun::new(&model.name, &at_validation, &set)
                .described(&model.description)
                .trained_by(model.trainer.as_deref())
                .took(seconds(fitted.fit_seconds), seconds(fitted.score_seconds))
                .trained(fitted.scorer.history())
                .timed(timing.as_ref())
                .classes(&data.classes)
                .delays(self.delays);
            models.push(ModelReport::evaluate(&run)?);
            scored.push((model.name.clone(), set));
        }
        let Some((_, any)) = scored.first() else { return Err(ExperimentError::NoModels) };
        let mut input = InputSummary::new(&data.description, &data.format, &data.frames)?;
        input.notes.clone_from(&data.notes);
        let mut report = Report::new(
            input,
            self.rule.describe(),
            self.target,
            WindowSummary::new(self.spec, data.frames.layout().step()),
            features.schema().names().map(str::to_owned).collect(),
            SplitSummary::new(split)?,
            TestSummary::new(any)?,
        );
        report.models = models;
        let compared: Vec<(&str, &ScoredSet)> = scored.iter().map(|(name, set)| (&**name, set)).collect();
        report.comparison = Comparison::new(&compared, &BlockBootstrap::default())?;
        report.notes = self.notes(self.carried(&data.frames)?);
        report.audit = self.audit(&data.frames, prepared, split, fitted, &scored)?;
        let mut pictures = Pictures::default();
        for (name, set) in &scored {
            let (scores, positive) = set.pooled("test")?;
            pictures.curves.push(Curve::new(name, CurveKind::Model, &scores, &positive)?);
        }
        if let Some(truth) = &data.truth
            && let Some(best) = truth.ceiling(&*self.rule, self.spec, self.target, test)?
        {
            report.ceiling = Some(best.ceiling);
            report.notes.extend(best.note);
            pictures.curves.extend(best.curves);
        }
        let services = labels.layout().services().iter().zip(labels.episodes());
        pictures.onsets =
            services.map(|(place, episodes)| ServiceOnsets::new(place.name(), episodes)).collect();
        let telling = telling_metrics(split, features, &data.frames)?;
        let telling: Vec<&str> = telling.iter().map(String::as_str).collect();
        pictures.add_moments(&report, &scored, &data.frames, &telling)?;
        Ok(Reported { report, pictures, scored })
    }

    /// What became of missing cells.
    fn notes(&self, carried: Imputed) -> Vec<String> {
        let Imputed { filled, left } = carried;
        if filled + left == 0 {
            return Vec::new();
        }
        vec![format!(
            "{} missing values: for the features {filled} took the last value before them (at most {} steps old), {left} counted as the training \
             mean. Failure episodes were found, and rules scored, without filling anything in.",
            filled + left,
            self.carry_steps
        )]
    }
}

/// Metrics drawn in a timeline.
const TIMELINE_METRICS: usize = 4;

/// The metrics whose last sample, as a standard score, differs most between positive and negative training windows.
fn telling_metrics(split: &Split, features: &FrameSet, metrics: &FrameSet) -> Result<Vec<String>, CoreError> {
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

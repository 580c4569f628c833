use super::{Data, Experiment, ExperimentError, Results, fit::Scores};
use forewarn_core::{CoreError, FailureRule, Labels, Split};
use forewarn_eval::{
    AlarmPolicy, BlockBootstrap, Comparison, Curve, CurveKind, EpisodeTimeline, Events, InputSummary,
    ModelReport, ModelRun, Pictures, Report, ScoredSet, ServiceOnsets, SplitSummary, TestSummary,
    WindowSummary,
};
use forewarn_schema::FrameSet;
use forewarn_window::Carried;
use std::time::Duration;

impl Experiment {
    /// Evaluates the scores and puts everything that was found together.
    pub(super) fn report(
        &self,
        data: &Data,
        labels: &Labels,
        split: &Split,
        features: &FrameSet,
        carried: Carried,
        scores: Vec<Scores>,
    ) -> Result<Results, ExperimentError> {
        let (validation, test) = (split.validation(), split.test());
        let mut scored = Vec::with_capacity(scores.len());
        let mut models = Vec::with_capacity(scores.len());
        for (model, scores) in self.models.iter().zip(scores) {
            let set = ScoredSet::from_samples(test, &scores.test, labels.episodes())?;
            let at_validation = ScoredSet::from_samples(validation, &scores.validation, labels.episodes())?;
            models.push(ModelReport::evaluate(&ModelRun {
                name: &model.name,
                trainer: model.trainer.as_deref(),
                description: &model.description,
                validation_scores: &scores.validation,
                validation_positive: validation.positive(),
                validation: Some(&at_validation),
                test: &set,
                fit_time: Duration::from_secs_f64(scores.fit_seconds),
                score_time: Duration::from_secs_f64(scores.score_seconds),
            })?);
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
        report.notes = self.notes(carried);
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
        pictures.timeline =
            timeline(&report, &scored, &data.frames, &telling_metrics(split, features, &data.frames)?)?;
        Ok(Results { report, pictures, scored })
    }

    /// What became of missing cells.
    fn notes(&self, carried: Carried) -> Vec<String> {
        let Carried { filled, left } = carried;
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

/// Steps drawn before and after the failure of a timeline.
const TIMELINE_MARGIN: usize = 45;
/// Metrics drawn in a timeline.
const TIMELINE_METRICS: usize = 4;

/// A failure that tells how the model that validation chose went about it.
fn timeline(
    report: &Report,
    scored: &[(String, ScoredSet)],
    metrics: &FrameSet,
    names: &[String],
) -> Result<Option<EpisodeTimeline>, ExperimentError> {
    let Some(model) = report.chosen() else { return Ok(None) };
    let Some((name, set)) = scored.iter().find(|(name, _)| *name == model.name) else { return Ok(None) };
    let policy = AlarmPolicy::for_window(model.threshold, set.spec());
    let events = Events::new(set, policy);
    let Some((service, episode)) = events.typical_episode() else { return Ok(None) };
    let Some(frame) = metrics.frames().find(|frame| frame.service() == service) else { return Ok(None) };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let series = (&**name, set.service(service)?);
    Ok(Some(EpisodeTimeline::new(frame, &names, series, policy, episode, TIMELINE_MARGIN)?))
}

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

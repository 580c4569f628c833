use crate::{CurveKind, Pictures, PrCurve, ServiceOnsets};
use forewarn_core::{CoreError, Target};
use forewarn_eval::{BlockBootstrap, Delays, EpisodeClasses, EvalError, LeakAudit, ScoredSet};
use forewarn_eval::{
    InputSummary, ModelComparison, ModelReport, ModelRun, Report, SplitSummary, TestSummary, WindowSummary,
};
use forewarn_schema::{FrameSet, Timestamp};

/// A report on scores that somebody else made: a vendor's predictor, a colleague's, a script's.
///
/// Nobody here knows what they were trained on, and the report says so. The first share of the time chooses thresholds, the rest is
/// reported on; a purge lies between. Every predictor has to have scored the same windows.
#[derive(Clone, Debug)]
pub struct GivenScores<'a> {
    description: String,
    failure_rule: String,
    validation_share: f64,
    classes: &'a [EpisodeClasses],
    delays: Delays,
    metrics: Option<(&'a FrameSet, Vec<&'a str>)>,
}

impl<'a> GivenScores<'a> {
    /// Share of the time on which thresholds are chosen, unless [`validation_share`](Self::validation_share) says otherwise.
    pub const VALIDATION_SHARE: f64 = 0.5;

    /// Where the scores are from, and what counts as a failure, each as a sentence.
    #[must_use]
    pub fn new(description: impl Into<String>, failure_rule: impl Into<String>) -> Self {
        Self {
            description: description.into(),
            failure_rule: failure_rule.into(),
            validation_share: Self::VALIDATION_SHARE,
            classes: &[],
            delays: Delays::default(),
            metrics: None,
        }
    }

    /// First share of the time, on which thresholds are chosen.
    #[must_use]
    pub fn validation_share(self, share: f64) -> Self {
        Self { validation_share: share, ..self }
    }

    /// Which failures are of which class.
    #[must_use]
    pub fn classes(self, classes: &'a [EpisodeClasses]) -> Self {
        Self { classes, ..self }
    }

    /// What stands between an alarm and a person.
    #[must_use]
    pub fn delays(self, delays: Delays) -> Self {
        Self { delays, ..self }
    }

    /// Metrics to draw beside the scores, and which of them, the most telling first.
    #[must_use]
    pub fn metrics(self, frames: &'a FrameSet, names: Vec<&'a str>) -> Self {
        Self { metrics: Some((frames, names)), ..self }
    }

    /// Judges predictors, each by its name and all its scores, and audits them for leaks.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a share that is not above 0 and below 1, and for
    /// predictors that scored other windows; [`EvalError::NoRows`] without a score; [`EvalError::Model`] for a part without windows
    /// of both classes.
    pub fn report(&self, predictors: &[(String, ScoredSet)]) -> Result<(Report, Pictures), EvalError> {
        let share = self.validation_share;
        if !(share > 0.0 && share < 1.0) {
            let (name, value) = ("share of validation", share.to_string());
            return Err(CoreError::InvalidSetting { name, value, expected: "above 0 and below 1" }.into());
        }
        let (_, first) = predictors.first().ok_or(EvalError::NoRows)?;
        let cut = cut(first, share)?;
        let purge = first.spec().purge(1);
        let mut parts = Vec::with_capacity(predictors.len());
        for (name, set) in predictors {
            let (validation, test) = set.split_after(cut, purge)?;
            parts.push((name.as_str(), validation, test));
        }
        let (_, validation, test) = &parts[0];
        let mut report = Report::new(
            InputSummary::of_scores(self.description.as_str(), "scores", first)?,
            self.failure_rule.as_str(),
            Target::Onset,
            WindowSummary::new(first.spec(), first.step()),
            Vec::new(),
            SplitSummary::of_scores(validation, test, purge)?,
            TestSummary::new(test)?,
        );
        let mut pictures = Pictures::default();
        for (name, validation, test) in &parts {
            let run = ModelRun::new(name, validation, test)
                .described("Scores as they were given")
                .classes(self.classes)
                .delays(self.delays);
            report.models.push(ModelReport::evaluate(&run)?);
            let (scores, positive) = test.pooled("test")?;
            pictures.curves.push(PrCurve::new(*name, CurveKind::Model, &scores, &positive)?);
            report.audit.extend(LeakAudit::new().scores(test).run()?.about(name).checks);
        }
        let tested: Vec<(String, ScoredSet)> =
            parts.iter().map(|(name, _, test)| ((*name).to_owned(), test.clone())).collect();
        let compared: Vec<(&str, &ScoredSet)> = tested.iter().map(|(name, set)| (&**name, set)).collect();
        report.comparison = ModelComparison::new(&compared, &BlockBootstrap::default())?;
        let onsets =
            first.series().iter().map(|series| ServiceOnsets::new(series.service(), series.episodes()));
        pictures.onsets = onsets.collect();
        if let Some((frames, names)) = &self.metrics {
            pictures.add_moments(&report, &tested, frames, names)?;
        }
        Ok((report, pictures))
    }
}

/// The last time of validation.
fn cut(set: &ScoredSet, share: f64) -> Result<Timestamp, EvalError> {
    let (first, last) = set.span().ok_or(EvalError::NoRows)?;
    let after = share * (last.millis() - first.millis()) as f64;
    Ok(Timestamp::from_millis(first.millis() + after as i64).unwrap_or(last))
}

use crate::{CurveKind, Pictures, PrCurve, ServiceOnsets};
use forewarn_core::{CoreError, Target};
use forewarn_eval::{BlockBootstrap, Delays, EpisodeClasses, EvalError, LeakAudit, ScoredSet};
use forewarn_eval::{FileSettings, KnownFailures, LabelMeaning, ScoreFile};
use forewarn_eval::{
    InputSummary, ModelComparison, ModelReport, ModelRun, Report, SplitSummary, TestSummary, WindowSummary,
};
use forewarn_schema::{FrameSet, Timestamp};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A report on scores from any predictor: a vendor's, a colleague's, a script's.
///
/// What they were trained on is not known, and the report says so. The first share of the time chooses thresholds,
/// the rest is reported on; a purge lies between. Every predictor has to have scored the same windows.
#[derive(Clone, Debug)]
pub struct GivenScores<'a> {
    description: String,
    failure_rule: String,
    validation_share: f64,
    classes: &'a [EpisodeClasses],
    delays: Delays,
    metrics: Option<(&'a FrameSet, Vec<&'a str>)>,
    labels: LabelMeaning,
    settings: FileSettings,
}

impl<'a> GivenScores<'a> {
    /// Share of the time on which thresholds are chosen, unless
    /// [`with_validation_share`](Self::with_validation_share) says otherwise.
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
            labels: LabelMeaning::default(),
            settings: FileSettings::default(),
        }
    }

    /// First share of the time, on which thresholds are chosen.
    #[must_use]
    pub fn with_validation_share(self, share: f64) -> Self {
        Self { validation_share: share, ..self }
    }

    /// Which failures are of which class.
    #[must_use]
    pub fn with_classes(self, classes: &'a [EpisodeClasses]) -> Self {
        Self { classes, ..self }
    }

    /// What stands between an alarm and a person.
    #[must_use]
    pub fn with_delays(self, delays: Delays) -> Self {
        Self { delays, ..self }
    }

    /// Metrics to draw beside the scores, and which of them, the most informative first.
    #[must_use]
    pub fn with_metrics(self, frames: &'a FrameSet, names: Vec<&'a str>) -> Self {
        Self { metrics: Some((frames, names)), ..self }
    }

    /// What a label of 1 in a file of scores says, where there are any.
    #[must_use]
    pub fn with_label_meaning(self, labels: LabelMeaning) -> Self {
        Self { labels, ..self }
    }

    /// How files of scores are read.
    #[must_use]
    pub fn with_file_settings(self, settings: FileSettings) -> Self {
        Self { settings, ..self }
    }

    /// Reads files of scores, joins them with the failures, and judges them. A predictor is named after its file,
    /// with the folder where two files share a name, and after its model where a file names models. Scores of which
    /// the outcome is not known are left out and counted in [`InputSummary::by_service`].
    ///
    /// # Errors
    /// [`EvalError::File`], which names the file, with the errors of [`ScoreFile::read`] and [`ScoreFile::judge`];
    /// those of [`report`](Self::report).
    pub fn judge<P: AsRef<Path>>(
        &self,
        files: &[P],
        failures: KnownFailures<'_>,
    ) -> Result<(Report, Pictures), EvalError> {
        let read = |path: &P| {
            let path = path.as_ref().to_owned();
            ScoreFile::open_with(&path, &self.settings).map(|models| (path, models))
        };
        self.judge_read(files.iter().map(read).collect::<Result<_, _>>()?, failures)
    }

    /// [`judge`](Self::judge) of scores that have been read: the models of each file, under its path.
    ///
    /// # Errors
    /// As [`judge`](Self::judge).
    pub fn judge_read(
        &self,
        files: Vec<(PathBuf, BTreeMap<String, ScoreFile>)>,
        failures: KnownFailures<'_>,
    ) -> Result<(Report, Pictures), EvalError> {
        let paths: Vec<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
        let names = names(&paths);
        let count = files.len();
        let mut predictors = Vec::new();
        let (mut services, mut notes) = (Vec::new(), Vec::new());
        for ((path, models), name) in files.into_iter().zip(names) {
            for (model, file) in models {
                let judged = file
                    .judge(failures, self.labels)
                    .map_err(|source| EvalError::File { path: path.clone(), source: Box::new(source) })?;
                let name = match (model.is_empty(), count) {
                    (true, _) => name.clone(),
                    (false, 1) => model,
                    (false, _) => format!("{name}: {model}"),
                };
                notes.extend(judged.notes.iter().map(|note| format!("{name}: {note}")));
                if predictors.is_empty() {
                    services = judged.services;
                }
                predictors.push((name, judged.set));
            }
        }
        let (mut report, pictures) = self.report(&predictors)?;
        report.input.services = services.len();
        report.input.rows = services.iter().map(|counts| counts.rows).sum();
        report.input.by_service = services;
        report.notes.extend(notes);
        Ok((report, pictures))
    }

    /// Judges predictors, each by its name and all its scores, and audits them for leaks.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a share that is not above 0 and
    /// below 1, and for predictors that scored other windows; [`EvalError::NoRows`] without a score;
    /// [`EvalError::Model`] for a part without windows of both classes.
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
                .with_description("Scores as they were given")
                .with_classes(self.classes)
                .with_delays(self.delays);
            report.models.push(ModelReport::evaluate(&run)?);
            let (scores, positive) = test.pooled("test")?;
            pictures.curves.push(PrCurve::new(*name, CurveKind::Model, &scores, &positive)?);
            report.audit.extend(LeakAudit::new().with_scores(test).run()?.about(name).checks);
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

/// A name for each file: its own without the extension, with the folder before it where two files share one.
fn names(paths: &[&Path]) -> Vec<String> {
    let stem =
        |path: &Path| path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let with_folder = |path: &Path| {
        let folder = path.parent().and_then(Path::file_name).map(|folder| folder.to_string_lossy());
        folder.map_or_else(|| stem(path), |folder| format!("{folder}/{}", stem(path)))
    };
    let is_shared = |of: &dyn Fn(&Path) -> String, path: &Path| {
        paths.iter().filter(|other| of(other) == of(path)).count() > 1
    };
    let name = |path: &&Path| match (is_shared(&stem, path), is_shared(&with_folder, path)) {
        (false, _) => stem(path),
        (true, false) => with_folder(path),
        (true, true) => path.display().to_string(),
    };
    paths.iter().map(name).collect()
}

/// The last time of validation.
fn cut(set: &ScoredSet, share: f64) -> Result<Timestamp, EvalError> {
    let (first, last) = set.span().ok_or(EvalError::NoRows)?;
    let after = share * (last.millis() - first.millis()) as f64;
    Ok(Timestamp::from_millis(first.millis() + after as i64).unwrap_or(last))
}

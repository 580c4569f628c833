pub(crate) mod files;
pub(crate) mod models;
pub(crate) mod saving;

use crate::{
    ExperimentError, Observer, Phase, Progress,
    results::{
        files::{Folder, refuse_input},
        models::Models,
        saving::About,
    },
};
use forewarn_core::{Envelope, Predictor};
use forewarn_eval::{EvalError, OperationReport, Report, ScoredSet, predictions_csv};
use forewarn_report::{Pictures, Present};
use forewarn_window::Pipeline;
use std::{
    io,
    path::{Path, PathBuf},
};

/// What an experiment found, and the models that it fitted.
pub struct Results {
    pub(crate) report: Report,
    pub(crate) pictures: Pictures,
    /// Each model's name and its scores of the test windows, in the order of the report.
    pub(crate) scored: Vec<(String, ScoredSet)>,
    pub(crate) models: Models,
    /// The file that the metrics were read from, which must not be replaced.
    pub(crate) input: Option<PathBuf>,
}

impl Results {
    /// Files that [`write`](Self::write) makes.
    pub const FILES: [&str; 3] = ["report.json", "report.html", "predictions.csv"];

    /// The numbers.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What the report's pictures show.
    #[must_use]
    pub fn pictures(&self) -> &Pictures {
        &self.pictures
    }

    /// Scores of the test windows by a model; `None` for a model that was not in the experiment.
    #[must_use]
    pub fn scores(&self, model: &str) -> Option<&ScoredSet> {
        self.scored.iter().find(|(name, _)| name == model).map(|(_, set)| set)
    }

    /// Every model's name and its scores of the test windows, in the order of the report.
    pub fn sets(&self) -> impl ExactSizeIterator<Item = (&str, &ScoredSet)> {
        self.scored.iter().map(|(name, set)| (name.as_str(), set))
    }

    /// A model as it was fitted, for rows that [`pipeline`](Self::pipeline) or nothing at all has made of metrics, as
    /// its [`ModelRows`](crate::ModelRows) say; `None` for a blend of others, and for a model that was not in the experiment.
    #[must_use]
    pub fn predictor(&self, model: &str) -> Option<&dyn Predictor> {
        self.models.predictor(self.position(model)?)
    }

    /// The feature pipeline, fitted on the training rows. With a service graph it reads the graph's columns behind
    /// the metrics.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.models.pipeline
    }

    /// A model with all that a program needs to serve it: what makes its rows of metrics, and the alarm policy at the
    /// threshold that keeps the budget (the one of the best F1 where validation proves no budget). Write it with
    /// [`write_model`](crate::write_model) and read it with [`ServedModel::read`](forewarn_live::ServedModel::read);
    /// its scores are those of the experiment, bit for bit. [`Report::chosen`] says which one to take.
    ///
    /// # Errors
    /// [`ExperimentError::NotFitted`] for a model that was not in the experiment, [`ExperimentError::NotSaved`] for
    /// one that cannot be saved or served, with the reason.
    pub fn to_envelope(&self, model: &str) -> Result<Envelope, ExperimentError> {
        let models = self.sets().zip(&self.report.models);
        let policies = models.map(|((name, _), report)| {
            (name, report.operation.as_ref().map(OperationReport::policy_at_budget))
        });
        let about = About {
            failure_rule: &self.report.failure_rule,
            target: self.report.target,
            trained_on: &self.report.input.description,
        };
        self.models.envelope_of(model, policies, &about)
    }

    fn position(&self, model: &str) -> Option<usize> {
        self.scored.iter().position(|(name, _)| name == model)
    }

    /// Writes `report.json`, `report.html` and `predictions.csv` into `folder`, which is made if need be: all of them
    /// or, if something fails or the program is killed, none. Earlier files of these names are replaced, all other
    /// files stay.
    ///
    /// # Errors
    /// [`ExperimentError::Write`], which names the file; [`ExperimentError::WouldOverwrite`] where one of the three
    /// is the file that the metrics were read from.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<(), ExperimentError> {
        self.write_observed(folder, &|_: Progress<'_>| {})
    }

    /// [`write`](Self::write), which tells `observer` how far it has come.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_observed(
        &self,
        folder: impl AsRef<Path>,
        observer: &dyn Observer,
    ) -> Result<(), ExperimentError> {
        let [json, html, predictions] = Self::FILES;
        let report = |done| {
            observer.progress(Progress::Phase { phase: Phase::Writing, done, total: Self::FILES.len() });
        };
        let inputs: Vec<&Path> = self.input.iter().map(PathBuf::as_path).collect();
        for name in Self::FILES {
            refuse_input(&folder.as_ref().join(name), &inputs)?;
        }
        report(0);
        let mut folder = Folder::new(folder.as_ref())?;
        let text = self.report.to_json()?;
        folder.write(json, |writer| writer.write_all(text.as_bytes()))?;
        report(1);
        let text = self.report.to_html(&self.pictures);
        folder.write(html, |writer| writer.write_all(text.as_bytes()))?;
        report(2);
        let scored: Vec<(&str, &ScoredSet)> = self.sets().collect();
        folder.write(predictions, |writer| {
            predictions_csv(writer, &scored).map_err(|error| match error {
                EvalError::Io(error) => error,
                other => io::Error::other(other),
            })
        })?;
        folder.finish()?;
        report(3);
        Ok(())
    }
}

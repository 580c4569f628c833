use crate::{ExperimentError, models::Models};
use forewarn_core::{Envelope, Predictor};
use forewarn_eval::{Pictures, Report, ScoredSet, predictions_csv};
use forewarn_window::Pipeline;
use std::{fs, path::Path};

/// What an experiment found, and the models that it fitted.
pub struct Results {
    pub(super) report: Report,
    pub(super) pictures: Pictures,
    /// Each model's name and its scores of the test windows, in the order of the report.
    pub(super) scored: Vec<(String, ScoredSet)>,
    pub(super) models: Models,
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

    /// A model as it was fitted, for rows that [`pipeline`](Self::pipeline) or nothing at all has made of metrics, as its [`Rows`](crate::Rows)
    /// say; `None` for a blend of others, and for a model that was not in the experiment.
    #[must_use]
    pub fn predictor(&self, model: &str) -> Option<&dyn Predictor> {
        self.models.predictor(self.position(model)?)
    }

    /// What makes the features of metrics, fitted on the training rows. With a service graph it reads the graph's columns behind the metrics.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.models.pipeline
    }

    /// A model with all that a program needs to serve it: what makes its rows of metrics, and the alarm policy that the report is about. Write
    /// it to a file and read it with [`ServedModel::read`](forewarn_live::ServedModel::read); its scores are those of the experiment, to the bit.
    /// Which one to take is said by [`Report::chosen`].
    ///
    /// # Errors
    /// [`ExperimentError::NotFitted`] for a model that was not in the experiment, [`ExperimentError::NotSaved`] for one that cannot be saved or
    /// served, with the reason.
    pub fn to_envelope(&self, model: &str) -> Result<Envelope, ExperimentError> {
        let not_fitted = || ExperimentError::NotFitted {
            name: model.to_owned(),
            available: self.sets().map(|(name, _)| name.to_owned()).collect(),
        };
        let position = self.position(model).ok_or_else(not_fitted)?;
        let policy = self.report.models[position].operation.as_ref().map(|operation| operation.policy);
        let not_saved =
            |source| ExperimentError::NotSaved { name: model.to_owned(), source: Box::new(source) };
        let mut envelope = self.models.to_envelope(position, policy).map_err(not_saved)?;
        let about = [
            ("model", model.to_owned()),
            ("failure_rule", self.report.failure_rule.clone()),
            ("target", self.report.target.to_string()),
            ("trained_on", self.report.input.description.clone()),
        ];
        envelope.metadata.extend(about.map(|(key, value)| (key.to_owned(), value.into())));
        Ok(envelope)
    }

    fn position(&self, model: &str) -> Option<usize> {
        self.scored.iter().position(|(name, _)| name == model)
    }

    /// Writes `report.json`, `report.html` and `predictions.csv` into `folder`, which is made if need be.
    ///
    /// # Errors
    /// [`ExperimentError::Write`], which names the file.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<(), ExperimentError> {
        let folder = folder.as_ref();
        make_folder(folder)?;
        let scored: Vec<(&str, &ScoredSet)> = self.scored.iter().map(|(name, set)| (&**name, set)).collect();
        let mut predictions = Vec::new();
        predictions_csv(&mut predictions, &scored)?;
        let contents = [
            self.report.to_json()?.into_bytes(),
            self.report.to_html(&self.pictures).into_bytes(),
            predictions,
        ];
        for (name, content) in Self::FILES.iter().zip(contents) {
            let path = folder.join(name);
            fs::write(&path, content).map_err(|source| ExperimentError::Write { path, source })?;
        }
        Ok(())
    }
}

/// Makes the folder that results are to be written to, which is better known to be impossible before an experiment than after.
///
/// # Errors
/// [`ExperimentError::Write`].
pub fn make_folder(folder: &Path) -> Result<(), ExperimentError> {
    fs::create_dir_all(folder).map_err(|source| ExperimentError::Write { path: folder.to_owned(), source })
}

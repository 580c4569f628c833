use super::ExperimentError;
use forewarn_eval::{Pictures, Report, ScoredSet, predictions_csv};
use std::{fs, path::Path};

/// What an experiment found.
pub struct Results {
    pub(super) report: Report,
    pub(super) pictures: Pictures,
    /// Each model's name and its scores of the test windows, in the order of the report.
    pub(super) scored: Vec<(String, ScoredSet)>,
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

use super::ExperimentError;
use forewarn_eval::{EvalError, Pictures, Report, ScoredSet, predictions_csv};
use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
};

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

    /// Writes `report.json`, `report.html` and `predictions.csv` into `folder`, which is made if need be.
    ///
    /// # Errors
    /// [`ExperimentError::Write`], which names the file.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<(), ExperimentError> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)
            .map_err(|source| ExperimentError::Write { path: folder.to_owned(), source: source.into() })?;
        let [json, html, csv] = Self::FILES;
        write(folder, json, |file| Ok(file.write_all(self.report.to_json()?.as_bytes())?))?;
        write(folder, html, |file| Ok(file.write_all(self.report.to_html(&self.pictures).as_bytes())?))?;
        let scored: Vec<(&str, &ScoredSet)> = self.scored.iter().map(|(name, set)| (&**name, set)).collect();
        write(folder, csv, |file| predictions_csv(file, &scored))
    }
}

fn write(
    folder: &Path,
    name: &str,
    content: impl FnOnce(&mut BufWriter<fs::File>) -> Result<(), EvalError>,
) -> Result<(), ExperimentError> {
    let path = folder.join(name);
    let written = fs::File::create(&path).map_err(EvalError::from).and_then(|file| {
        let mut file = BufWriter::new(file);
        content(&mut file)?;
        Ok(file.flush()?)
    });
    written.map_err(|source| ExperimentError::Write { path, source })
}

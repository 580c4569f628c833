//! Experiments: what `forewarn evaluate` and `forewarn train` do, on a table.

use crate::{
    error::Failure,
    reading::{read, target, window},
    rule::Rule,
};
use forewarn::{
    core::Envelope,
    eval::AlarmBudget,
    experiment::{Blending, Data, Experiment, Model, Progress, StandardModels},
    prelude::Fractions,
    recurrent::Trainer,
    report::Present,
    schema::FrameSet,
};
use pyo3::{prelude::*, types::PyBytes};
use pyo3_arrow::PyTable;
use serde::Deserialize;

/// What is asked, and of which models: the JSON that the package writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    window: (usize, usize, usize),
    target: String,
    models: Vec<String>,
    members: usize,
    seed: u64,
    split: [f64; 3],
    budget_per_week: f64,
    walk_forward_days: Option<usize>,
}

/// The model that weighs others.
const AUTO: &str = "auto";

impl Question {
    fn experiment(&self, rule: &Rule, frames: &FrameSet) -> Result<Experiment, Failure> {
        let spec = window(self.window)?;
        let standard = StandardModels {
            spec,
            seed: self.seed,
            trainer: Trainer::fastest(),
            members: self.members,
            ..StandardModels::new(rule.0.clone(), frames.schema().clone())
        };
        let [train, validation, test] = self.split;
        let budget = AlarmBudget { per_service_week: self.budget_per_week, ..AlarmBudget::default() };
        let mut experiment = Experiment::new(rule.0.clone())
            .with_target(target(&self.target)?)
            .with_window(spec)
            .with_split(Fractions::new(train, validation, test)?)
            .with_budget(budget)
            .with_alternatives(&rule.0);
        if let Some(days) = self.walk_forward_days {
            experiment = experiment.with_walk_forward(days);
        }
        for name in self.names() {
            experiment = experiment.with_model(match name.as_str() {
                AUTO => self.auto(),
                name => standard.get(name)?,
            });
        }
        Ok(experiment)
    }

    /// Models asked for, and those that `auto` weighs.
    fn names(&self) -> Vec<String> {
        let mut names = match self.models.as_slice() {
            [] => StandardModels::NAMES.map(str::to_owned).to_vec(),
            models => models.to_vec(),
        };
        let is_member = |name: &String| StandardModels::AUTO.contains(&name.as_str());
        if names.iter().any(|name| name == AUTO) && !names.iter().any(is_member) {
            names.extend(StandardModels::AUTO.map(str::to_owned));
        }
        names
    }

    fn auto(&self) -> Model {
        let names = self.names();
        let members = names.iter().map(String::as_str).filter(|name| StandardModels::AUTO.contains(name));
        Model::blend(AUTO, members, Blending::Folds)
    }
}

/// A model's file.
fn bytes<'py>(py: Python<'py>, envelope: &Envelope) -> PyResult<Bound<'py, PyBytes>> {
    let mut file = Vec::new();
    envelope.write(&mut file).map_err(Failure::from)?;
    Ok(PyBytes::new(py, &file))
}

/// What an experiment found.
#[pyclass(frozen, module = "forewarn")]
pub(crate) struct Results(forewarn::experiment::Results);

#[pymethods]
impl Results {
    /// The report as JSON: the file `report.json`.
    fn report(&self) -> PyResult<String> {
        Ok(self.0.report().to_json().map_err(Failure::from)?)
    }

    /// The report as text.
    fn table(&self) -> String {
        self.0.report().to_table()
    }

    /// The name of the model to use.
    fn chosen(&self) -> Option<String> {
        self.0.report().chosen().map(|model| model.name.clone())
    }

    /// The bytes of a model's file.
    fn model<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, &self.0.to_envelope(name).map_err(Failure::from)?)
    }

    /// Writes `report.json`, `report.html` and `predictions.csv`.
    fn write(&self, py: Python<'_>, folder: &str) -> PyResult<()> {
        Ok(py.detach(|| self.0.write(folder).map_err(Failure::from))?)
    }
}

/// What a training gave.
#[pyclass(frozen, module = "forewarn")]
pub(crate) struct Trained(forewarn::experiment::Trained);

#[pymethods]
impl Trained {
    /// What was used, and how the models did on validation, as JSON.
    fn summary(&self) -> PyResult<String> {
        Ok(serde_json::to_string(self.0.summary()).map_err(Failure::from)?)
    }

    /// The name of the model to use.
    fn chosen(&self) -> Option<String> {
        self.0.summary().chosen().map(|model| model.name.clone())
    }

    /// The bytes of a model's file.
    fn model<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, &self.0.to_envelope(name).map_err(Failure::from)?)
    }
}

/// The metrics of a table, and the experiment that is asked of them.
fn asked(
    rows: &PyTable,
    reading: &str,
    rule: &Rule,
    question: &str,
    name: &str,
) -> Result<(Data, Experiment), Failure> {
    let question: Question = serde_json::from_str(question)?;
    let data = Data::from_recording(read(rows, reading)?, name);
    let experiment = question.experiment(rule, data.frames())?;
    Ok((data, experiment))
}

/// Fits models on a table and reports how well they predict.
#[pyfunction]
pub(crate) fn evaluate(
    py: Python<'_>,
    rows: PyTable,
    reading: &str,
    rule: Rule,
    question: &str,
    name: &str,
) -> PyResult<Results> {
    let found = py.detach(|| -> Result<Results, Failure> {
        let (data, experiment) = asked(&rows, reading, &rule, question, name)?;
        Ok(Results(experiment.run(data, &|_: Progress<'_>| {})?))
    });
    Ok(found?)
}

/// Fits models on all of a table, for use.
#[pyfunction]
pub(crate) fn train(
    py: Python<'_>,
    rows: PyTable,
    reading: &str,
    rule: Rule,
    question: &str,
    name: &str,
) -> PyResult<Trained> {
    let found = py.detach(|| -> Result<Trained, Failure> {
        let (data, experiment) = asked(&rows, reading, &rule, question, name)?;
        Ok(Trained(experiment.train(data, &|_: Progress<'_>| {})?))
    });
    Ok(found?)
}

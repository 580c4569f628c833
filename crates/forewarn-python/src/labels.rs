//! Episodes, labels, verdicts, features and windows of a table.

use crate::{
    arrow::{table, texts, times},
    error::Failure,
    reading::{frames, target, window},
    rule::Rule,
};
use arrow_array::{ArrayRef, BooleanArray, Float32Array, Int32Array};
use forewarn::{
    core::{FailureRule, Label, Labels, Outcome},
    label::label,
    prelude::Features,
    schema::{FrameSet, Kind},
    window::{FeatureExt as _, Impute, Select},
};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::sync::Arc;

/// Service and time of every row of some frames.
pub(crate) fn places(frames: &FrameSet) -> [(&'static str, ArrayRef); 2] {
    let services = frames.frames().flat_map(|frame| std::iter::repeat_n(frame.service(), frame.rows()));
    let rows = frames.frames().flat_map(|frame| (0..frame.rows()).map(move |row| frame.time(row).millis()));
    [("service", texts(services)), ("timestamp", times(rows))]
}

/// A column of some frames, null where a value is missing.
pub(crate) fn values(frames: &FrameSet, column: usize) -> ArrayRef {
    let width = frames.schema().len();
    let cells = frames.values().iter().skip(column).step_by(width.max(1));
    Arc::new(cells.map(|&value| Some(value).filter(|value| !value.is_nan())).collect::<Float32Array>())
}

/// The word for a label.
pub(crate) fn word(label: Label) -> &'static str {
    match label {
        Label::Positive => "positive",
        Label::Negative => "negative",
        Label::Excluded(reason) => reason.name(),
    }
}

/// Labels of every row as the last one of a window.
pub(crate) fn labelled(
    frames: &FrameSet,
    rule: &Rule,
    spec: (usize, usize, usize),
    of: &str,
) -> Result<Labels, Failure> {
    Ok(label(frames, &rule.0, window(spec)?, target(of)?)?)
}

/// Service, time and label of every row.
#[pyfunction]
pub(crate) fn labels(
    py: Python<'_>,
    rows: PyTable,
    reading: &str,
    rule: Rule,
    spec: (usize, usize, usize),
    target: &str,
) -> PyResult<PyTable> {
    let found = py.detach(|| -> Result<PyTable, Failure> {
        let frames = frames(&rows, reading)?;
        let labels = labelled(&frames, &rule, spec, target)?;
        let words = texts(labels.as_slice().iter().map(|&label| word(label)));
        let [service, time] = places(&frames);
        table(vec![service, time, ("label", words)])
    });
    Ok(found?)
}

/// Failure episodes of every service.
#[pyfunction]
pub(crate) fn episodes(py: Python<'_>, rows: PyTable, reading: &str, rule: Rule) -> PyResult<PyTable> {
    let found = py.detach(|| -> Result<PyTable, Failure> {
        let frames = frames(&rows, reading)?;
        let mut found = Vec::new();
        for frame in frames.frames() {
            let (assessment, _) = rule.0.assess_with_gaps(frame)?;
            found.extend(assessment.episodes.iter().map(|episode| (frame.service(), *episode)));
        }
        let services = texts(found.iter().map(|(service, _)| *service));
        table(vec![
            ("service", services),
            ("onset", times(found.iter().map(|(_, episode)| episode.onset().millis()))),
            ("confirmed_at", times(found.iter().map(|(_, episode)| episode.confirmed_at().millis()))),
            ("end", times(found.iter().map(|(_, episode)| episode.end().millis()))),
        ])
    });
    Ok(found?)
}

/// What each condition of a rule says of every row: true, false, or null where it cannot be decided.
#[pyfunction]
pub(crate) fn verdicts(py: Python<'_>, rows: PyTable, reading: &str, rule: Rule) -> PyResult<PyTable> {
    let found = py.detach(|| -> Result<PyTable, Failure> {
        let frames = frames(&rows, reading)?;
        let verdicts = rule.0.verdicts(frames.schema()).ok_or_else(|| {
            Failure::new(format!("the rule {} has no conditions that a row can be asked for", rule.0))
        })?;
        let found = Features::new().with(verdicts).apply(&frames)?;
        let mut columns = places(&frames).to_vec();
        for (column, name) in found.schema().names().enumerate() {
            let width = found.schema().len();
            let cells = found.values().iter().skip(column).step_by(width);
            let verdict = |&value: &f32| (!value.is_nan()).then_some(value >= 0.5);
            columns.push((name, Arc::new(cells.map(verdict).collect::<BooleanArray>())));
        }
        table(columns)
    });
    Ok(found?)
}

/// The features of models, before they are normalised: metrics with short gaps filled, and what is derived of them.
pub(crate) fn derived(frames: FrameSet, fill_steps: usize) -> Result<FrameSet, Failure> {
    let metrics = frames.retain_metrics(|metric| metric.kind != Kind::Outcome)?;
    let names = metrics.schema().names().map(str::to_owned).collect();
    let filled = Impute::last(fill_steps)?.with_metrics(Select::Only(names));
    Ok(Features::new().with(filled.then(Arc::new(Features::default()))).apply(&metrics)?)
}

/// The features of every row.
#[pyfunction]
pub(crate) fn features(py: Python<'_>, rows: PyTable, reading: &str, fill_steps: usize) -> PyResult<PyTable> {
    let found = py.detach(|| -> Result<PyTable, Failure> {
        let found = derived(frames(&rows, reading)?, fill_steps)?;
        let mut columns = places(&found).to_vec();
        columns
            .extend(found.schema().names().enumerate().map(|(column, name)| (name, values(&found, column))));
        table(columns)
    });
    Ok(found?)
}

/// The windows that have a label: service and time of the last row, whether a failure follows and in which step of the
/// period, and the features of all rows of the window, the oldest first.
#[pyfunction]
#[pyo3(signature = (rows, reading, rule, spec, target, fill_steps))]
pub(crate) fn windows(
    py: Python<'_>,
    rows: PyTable,
    reading: &str,
    rule: Rule,
    spec: (usize, usize, usize),
    target: &str,
    fill_steps: usize,
) -> PyResult<(PyTable, Vec<String>)> {
    let found = py.detach(|| -> Result<(PyTable, Vec<String>), Failure> {
        let frames = frames(&rows, reading)?;
        let labels = labelled(&frames, &rule, spec, target)?;
        let samples = labels.samples(|_, _| true);
        let found = derived(frames, fill_steps)?;
        let names: Vec<String> = found.schema().names().map(str::to_owned).collect();
        let on = samples.on(&found)?;
        let services = labels.layout().services();
        let (mut of, mut at) = (Vec::new(), Vec::new());
        for (service, time) in samples.places() {
            of.push(services[service].name());
            at.push(time.millis());
        }
        let positive: BooleanArray = samples.positive().iter().map(|&positive| Some(positive)).collect();
        let outcome = |window: usize| match samples.outcomes().get(window) {
            Some(Outcome::At(step)) => i32::try_from(step).ok(),
            _ => None,
        };
        let steps: Int32Array = (0..samples.len()).map(outcome).collect();
        let cells: Vec<f32> = on.windows().iter().flat_map(|window| window.iter().copied()).collect();
        let size = i32::try_from(spec.0 * names.len())?;
        let item = Arc::new(arrow_schema::Field::new("item", arrow_schema::DataType::Float32, false));
        let cells =
            arrow_array::FixedSizeListArray::try_new(item, size, Arc::new(Float32Array::from(cells)), None)?;
        let table = table(vec![
            ("service", texts(of.into_iter())),
            ("timestamp", times(at.into_iter())),
            ("positive", Arc::new(positive)),
            ("steps_to_failure", Arc::new(steps)),
            ("features", Arc::new(cells)),
        ])?;
        Ok((table, names))
    });
    Ok(found?)
}

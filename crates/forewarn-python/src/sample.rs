//! Rows for a model, labelled and sampled.

use crate::{
    arrow::{table, texts, times},
    error::Failure,
    reading::{frames, target, window},
    rule::Rule,
};
use arrow_array::{ArrayRef, Float32Array, Int8Array};
use forewarn::{
    experiment::{SampleAbout, SampleQuestion, Sampled},
    schema::FrameSet,
};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::{ops::Range, sync::Arc};

/// Labels the services of a table: the rows of those that are kept, and what is about all of them, as JSON.
#[pyfunction]
#[pyo3(signature = (rows, reading, rule, spec, target_of, choice))]
pub(crate) fn label_and_sample(
    py: Python<'_>,
    rows: PyTable,
    reading: &str,
    rule: Rule,
    spec: (usize, usize, usize),
    target_of: &str,
    choice: (f64, f64, u64),
) -> PyResult<(PyTable, String)> {
    let found = py.detach(|| -> Result<(PyTable, String), Failure> {
        let frames = frames(&rows, reading)?;
        let (keep_quiet, keep_negatives, seed) = choice;
        let question = SampleQuestion {
            rule: rule.0,
            window: window(spec)?,
            target: target(target_of)?,
            keep_quiet,
            keep_negatives,
            seed,
        };
        let found = question.ask(&frames)?;
        let about = &found.about;
        let places = frames.layout().services().iter().zip(&about.services);
        let kept: Vec<Range<usize>> =
            places.filter(|(_, service)| service.kept).map(|(place, _)| place.rows()).collect();
        Ok((rows_of(&frames, &found, &kept)?, serde_json::to_string(about)?))
    });
    Ok(found?)
}

/// Some rows with their metrics, the codes of their labels, and their weights.
fn rows_of(frames: &FrameSet, found: &Sampled, kept: &[Range<usize>]) -> Result<PyTable, Failure> {
    let rows = || kept.iter().cloned().flatten();
    let places = frames
        .frames()
        .flat_map(|frame| (0..frame.rows()).map(move |row| (frame.service(), frame.time(row))));
    let places: Vec<_> = places.collect();
    let services = texts(rows().map(|row| places[row].0));
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("service", services), ("timestamp", times(rows().map(|row| places[row].1.millis())))];
    let width = frames.schema().len();
    for (column, name) in frames.schema().names().enumerate() {
        let value = |row: usize| Some(frames.values()[row * width + column]).filter(|value| !value.is_nan());
        columns.push((name, Arc::new(rows().map(value).collect::<Float32Array>())));
    }
    let codes = rows().map(|row| SampleAbout::code(found.labels.as_slice()[row]));
    columns.push((SampleAbout::LABEL, Arc::new(Int8Array::from_iter_values(codes))));
    let weights = rows().map(|row| found.weights[row]);
    columns.push((SampleAbout::WEIGHT, Arc::new(Float32Array::from_iter_values(weights))));
    table(columns)
}

/// What is about the services of several calls, as one, in the order of their names.
#[pyfunction]
pub(crate) fn join_samples(py: Python<'_>, parts: Vec<String>) -> PyResult<String> {
    let found = py.detach(|| -> Result<String, Failure> {
        let parts: Vec<SampleAbout> =
            parts.iter().map(|part| serde_json::from_str(part)).collect::<Result<_, _>>()?;
        Ok(serde_json::to_string(&SampleAbout::join(parts)?)?)
    });
    Ok(found?)
}

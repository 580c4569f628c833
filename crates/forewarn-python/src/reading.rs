//! How a table is understood: the reader's own options, and what it found.

use crate::{
    arrow::{ArrowColumn, columns},
    error::Failure,
};
use forewarn::{
    core::{Target, WindowSpec},
    experiment::schema_fingerprint,
    io::{Column, Duplicates, MetricSpec, ReadOptions, Recording, Shape, from_columns},
    schema::{FrameSet, Step},
};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a table is called in errors and reports.
const NAME: &str = "the table";

/// What the Python class `Reading` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    time: Vec<String>,
    service: Vec<String>,
    columns: Vec<String>,
    drop: Vec<String>,
    rename: BTreeMap<String, String>,
    units: BTreeMap<String, String>,
    counters: Vec<String>,
    metrics: Vec<MetricSpec>,
    failure_column: Option<String>,
    failure_value: Option<String>,
    step_millis: Option<i64>,
    timezone: Option<String>,
    shape: String,
    metric: Option<String>,
    duplicates: String,
}

impl Reading {
    fn options(self) -> Result<ReadOptions, Failure> {
        let mut options = ReadOptions::default()
            .with_time_columns(self.time)
            .with_service_columns(self.service)
            .with_columns(self.columns)
            .with_drop(self.drop)
            .with_counters(self.counters)
            .with_metrics(self.metrics)
            .with_shape(one_of("shape", &self.shape, &SHAPES)?)
            .with_duplicates(one_of("duplicates", &self.duplicates, &DUPLICATES)?);
        options.rename = self.rename;
        options.units = self.units;
        options.outcome_column = self.failure_column;
        options.outcome_equals = self.failure_value;
        options.step = self.step_millis.map(Step::from_millis).transpose()?;
        options.timezone = self.timezone;
        options.metric = self.metric;
        Ok(options)
    }
}

const SHAPES: [(&str, Shape); 4] =
    [("auto", Shape::Auto), ("records", Shape::Records), ("long", Shape::Long), ("wide", Shape::Wide)];

const DUPLICATES: [(&str, Duplicates); 4] = [
    ("error", Duplicates::Error),
    ("first", Duplicates::First),
    ("last", Duplicates::Last),
    ("mean", Duplicates::Mean),
];

fn one_of<T: Copy>(what: &str, text: &str, known: &[(&str, T)]) -> Result<T, Failure> {
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Failure::new(format!("{what} {text:?}: expected one of {}", names.join(", ")))
    })
}

/// A table as the libraries have it. `reading` is the JSON of the Python class of that name.
pub(crate) fn read(table: &PyTable, reading: &str) -> Result<Recording, Failure> {
    let options = serde_json::from_str::<Reading>(reading)?.options()?;
    let (columns, rows) = columns(table);
    let columns: Vec<&dyn Column> =
        columns.iter().map(|column: &ArrowColumn| column as &dyn Column).collect();
    if rows == 0 {
        return Err(Failure::new("the table has no rows"));
    }
    Ok(from_columns(&columns, rows, NAME, &options)?)
}

/// The same without what was found.
pub(crate) fn frames(table: &PyTable, reading: &str) -> Result<FrameSet, Failure> {
    Ok(read(table, reading)?.frames)
}

/// Observation, lead and period in steps.
pub(crate) fn window((observation, lead, period): (usize, usize, usize)) -> Result<WindowSpec, Failure> {
    Ok(WindowSpec::new(observation, lead, period)?)
}

/// `onset` or `active`.
pub(crate) fn target(text: &str) -> Result<Target, Failure> {
    Ok(text.parse()?)
}

/// What a table was understood to hold, as JSON.
#[pyfunction]
pub(crate) fn summary(py: Python<'_>, table: PyTable, reading: &str) -> PyResult<String> {
    let found = py.detach(|| -> Result<String, Failure> {
        Ok(serde_json::to_string(&read(&table, reading)?.summary)?)
    });
    Ok(found?)
}

/// Which metrics, in which units and order, and which step a table has.
#[pyfunction]
pub(crate) fn fingerprint(py: Python<'_>, table: PyTable, reading: &str) -> PyResult<String> {
    let found = py.detach(|| {
        let frames = frames(&table, reading)?;
        Ok::<_, Failure>(schema_fingerprint(frames.schema(), frames.layout().step())?)
    });
    Ok(found?)
}

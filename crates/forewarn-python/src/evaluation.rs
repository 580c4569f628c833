//! Scores of any predictor, judged.

use crate::{
    arrow::columns,
    error::Failure,
    labels::labelled,
    reading::{frames, window},
    rule::Rule,
};
use forewarn::{
    core::{self, Exclusion, Label, Labels, Score, Target, WindowSpec},
    eval::{KnownFailures, LabelMeaning, ScoreFile, ScoredSet, ServiceCounts},
    io::{Cell, Column},
    report::{GivenScores, Present},
    schema::{Episode, Episodes, Layout, Step, Timestamp},
};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::{collections::BTreeMap, sync::Arc};

/// Area under the precision-recall curve, as average precision; ties count as one threshold.
#[pyfunction]
pub(crate) fn average_precision(py: Python<'_>, scores: Vec<f32>, positive: Vec<bool>) -> PyResult<f64> {
    let found = py.detach(|| -> Result<f64, Failure> {
        let scores: Vec<Score> = scores.into_iter().map(Score::new).collect::<Result<_, _>>()?;
        Ok(core::average_precision(&scores, &positive)?)
    });
    Ok(found?)
}

/// A column by its name.
struct Cells(BTreeMap<String, crate::arrow::ArrowColumn>, usize, &'static str);

impl Cells {
    fn new(table: &PyTable, what: &'static str) -> Self {
        let (columns, rows) = columns(table);
        Self(columns.into_iter().map(|column| (column.name().to_owned(), column)).collect(), rows, what)
    }

    fn cell(&self, column: &str, row: usize) -> Result<Cell<'_>, Failure> {
        let found = self.0.get(column).ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            Failure::new(format!(
                "{}: has no column {column:?}: the columns are {}",
                self.2,
                known.join(", ")
            ))
        })?;
        Ok(found.cell(row))
    }

    fn wrong(&self, column: &str, row: usize, expected: &str) -> Failure {
        Failure::new(format!("{}, row {}, column {column:?}: expected {expected}", self.2, row + 1))
    }

    fn text(&self, column: &str, row: usize) -> Result<&str, Failure> {
        match self.cell(column, row)? {
            Cell::Text(text) => Ok(text),
            _ => Err(self.wrong(column, row, "text")),
        }
    }

    /// The time in a cell; `None` for an empty one.
    fn time(&self, column: &str, row: usize) -> Result<Option<Timestamp>, Failure> {
        let expected = "a timestamp, or a time such as 2024-01-01T00:00:00Z";
        match self.cell(column, row)? {
            Cell::Missing => Ok(None),
            Cell::Millis(millis) => {
                Timestamp::from_millis(millis).map(Some).ok_or_else(|| self.wrong(column, row, expected))
            }
            Cell::Text(text) => text.parse().map(Some).map_err(|_| self.wrong(column, row, expected)),
            _ => Err(self.wrong(column, row, expected)),
        }
    }

    /// A score; `None` for a row of which the predictor cannot tell.
    fn score(&self, column: &str, row: usize) -> Result<Option<Score>, Failure> {
        Ok(match self.cell(column, row)? {
            Cell::Missing => None,
            Cell::Single(value) if value.is_nan() => None,
            Cell::Double(value) if value.is_nan() => None,
            Cell::Single(value) => Some(Score::new(value)?),
            Cell::Double(value) => Some(Score::new(value as f32)?),
            Cell::Whole(value) => Some(Score::new(value as f32)?),
            _ => return Err(self.wrong(column, row, "a number from 0 to 1")),
        })
    }
}

/// Scores in order of service and time, and how many rows have none.
fn scores(table: &PyTable, column: &str, name: &str) -> Result<(ScoreFile, usize), Failure> {
    let cells = Cells::new(table, "the scores");
    let (mut rows, mut untold) = (Vec::new(), 0);
    for row in 0..cells.1 {
        let time = cells.time("timestamp", row)?;
        let time = time.ok_or_else(|| cells.wrong("timestamp", row, "a time"))?;
        match cells.score(column, row)? {
            Some(score) => rows.push((cells.text("service", row)?, time, score)),
            None => untold += 1,
        }
    }
    rows.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let file = ScoreFile::from_scores(rows).map_err(|error| Failure::new(format!("{name}: {error}")))?;
    Ok((file, untold))
}

/// Failures of each service, of a table with a row each.
fn listed(table: &PyTable) -> Result<BTreeMap<String, Episodes>, Failure> {
    let cells = Cells::new(table, "the episodes");
    let mut found: BTreeMap<String, Vec<Episode>> = BTreeMap::new();
    for row in 0..cells.1 {
        let service = found.entry(cells.text("service", row)?.to_owned()).or_default();
        let (onset, end) = (cells.time("onset", row)?, cells.time("end", row)?);
        // A service that was watched and did not fail.
        let Some((onset, end)) = onset.zip(end) else { continue };
        let has_confirmed = cells.0.contains_key("confirmed_at");
        let confirmed = if has_confirmed { cells.time("confirmed_at", row)? } else { None };
        service.push(Episode::new(onset, confirmed.unwrap_or(onset), end)?);
    }
    let mut episodes = BTreeMap::new();
    for (service, mut found) in found {
        found.sort_by_key(Episode::onset);
        episodes.insert(service, Episodes::new(found)?);
    }
    Ok(episodes)
}

/// Labels of rows as `labels` gives them, in order of service and time, as the libraries have them.
fn gathered(
    table: &PyTable,
    episodes: &BTreeMap<String, Episodes>,
    step: Step,
    spec: WindowSpec,
) -> Result<Labels, Failure> {
    let cells = Cells::new(table, "the labels");
    let mut places: Vec<(String, Timestamp, usize)> = Vec::new();
    let mut labels = Vec::with_capacity(cells.1);
    for row in 0..cells.1 {
        let service = cells.text("service", row)?;
        let time = cells.time("timestamp", row)?.ok_or_else(|| cells.wrong("timestamp", row, "a time"))?;
        match places.last_mut().filter(|place| place.0 == service) {
            Some((_, start, rows)) if start.checked_add(step, *rows as i64) == Some(time) => *rows += 1,
            Some(_) => {
                return Err(cells.wrong("timestamp", row, &format!("the time {step} after the row before")));
            }
            None => places.push((service.to_owned(), time, 1)),
        }
        let word = cells.text("label", row)?;
        labels.push(
            LABELS.into_iter().find(|&label| crate::labels::word(label) == word).ok_or_else(|| {
                cells.wrong("label", row, "positive, negative, ongoing, censored or missing")
            })?,
        );
    }
    let of = |(name, ..): &(String, Timestamp, usize)| episodes.get(name).cloned().unwrap_or_default();
    let episodes = places.iter().map(of).collect();
    let layout = Layout::new(step, places)?;
    // What confirmed an episode is in it.
    Ok(Labels::new(Arc::new(layout), spec, Target::Onset, 1, labels, episodes)?)
}

const LABELS: [Label; 5] = [
    Label::Positive,
    Label::Negative,
    Label::Excluded(Exclusion::Ongoing),
    Label::Excluded(Exclusion::Censored),
    Label::Excluded(Exclusion::Missing),
];

/// What counts as a failure.
#[derive(FromPyObject)]
pub(crate) enum Failures {
    /// A table of metrics, how it is read, and a rule.
    Metrics(PyTable, String, Rule),
    /// Labels of every row and episodes of the same services, the step in milliseconds, and the rule that gave them.
    Labels(PyTable, PyTable, i64, Rule),
    /// A table of episodes, and the step of the scores in milliseconds, if it is known.
    Episodes(PyTable, Option<i64>),
}

/// Judges scores of one or more predictors; the report as JSON.
#[pyfunction]
pub(crate) fn judge(
    py: Python<'_>,
    predictors: Vec<(String, PyTable, String)>,
    failures: Failures,
    spec: (usize, usize, usize),
    validation_share: f64,
) -> PyResult<(String, String)> {
    let found = py.detach(|| judged(&predictors, &failures, spec, validation_share));
    Ok(found?)
}

fn judged(
    predictors: &[(String, PyTable, String)],
    failures: &Failures,
    spec: (usize, usize, usize),
    validation_share: f64,
) -> Result<(String, String), Failure> {
    let (labels, episodes);
    let (known, rule) = match failures {
        Failures::Metrics(table, reading, rule) => {
            labels = labelled(&frames(table, reading)?, rule, spec, "onset")?;
            (KnownFailures::Labels(&labels), rule.0.to_string())
        }
        Failures::Labels(rows, table, step, rule) => {
            labels = gathered(rows, &listed(table)?, Step::from_millis(*step)?, window(spec)?)?;
            (KnownFailures::Labels(&labels), rule.0.to_string())
        }
        Failures::Episodes(table, step) => {
            episodes = listed(table)?;
            let step = step.map(Step::from_millis).transpose()?;
            let known = KnownFailures::List { episodes: &episodes, spec: window(spec)?, step };
            (known, "as listed in the table of episodes".to_owned())
        }
    };
    let (mut sets, mut notes): (Vec<(String, ScoredSet)>, Vec<String>) = (Vec::new(), Vec::new());
    let mut services: Vec<ServiceCounts> = Vec::new();
    for (name, table, column) in predictors {
        let (file, untold) = scores(table, column, name)?;
        let judged = file.judge(known, LabelMeaning::Begins)?;
        notes.extend(judged.notes.iter().map(|note| format!("{name}: {note}")));
        if untold > 0 {
            notes.push(format!("{name}: cannot tell {untold} times; nothing was detected in these rows."));
        }
        if sets.is_empty() {
            services = judged.services;
        }
        sets.push((name.clone(), judged.set));
    }
    let names: Vec<&str> = predictors.iter().map(|(name, ..)| name.as_str()).collect();
    let given = GivenScores::new(names.join(", "), rule).with_validation_share(validation_share);
    let (mut report, _) = given.report(&sets)?;
    report.input.services = services.len();
    report.input.rows = services.iter().map(|counts| counts.rows).sum();
    report.input.by_service = services;
    report.notes.extend(notes);
    Ok((report.to_json()?, report.to_table()))
}

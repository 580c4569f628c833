//! The rows and scores of one minute, column by column.

use forewarn_live::{CannotTell, MissingReason, RiskLevel, RowEvent, ScoreEvent};
use forewarn_schema::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// All rows of a minute and what the models say of them. About 60 bytes a service with ten metrics and one model.
#[derive(Debug)]
pub struct MinuteBlock {
    /// Row time.
    pub time: Timestamp,
    /// In order; shared with the minute before where they are the same.
    names: Arc<[String]>,
    /// Values of a row.
    width: usize,
    /// Row by row, NaN where missing.
    values: Vec<f32>,
    missing: Vec<Option<MissingReason>>,
    scores: Vec<ScoreColumn>,
}

/// What a model says of the rows of a minute.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScoreColumn {
    /// The model.
    pub model: String,
    /// Whether it only runs beside the main one.
    pub shadow: bool,
    /// Probability from which on it warns, where that is known.
    pub threshold: Option<f64>,
    /// NaN where it cannot tell.
    probability: Vec<f32>,
    level: Vec<Option<RiskLevel>>,
    cannot_tell: Vec<Option<CannotTell>>,
    details: BTreeMap<u32, ScoreDetail>,
}

/// What a model that knows when says of a row, from medium risk on.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreDetail {
    /// Probability for each step of the prediction period.
    pub per_step: Option<Vec<f32>>,
    /// Expected minutes until the failure, should it come.
    pub minutes_to_failure: Option<f32>,
}

/// A row of one service.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    block: &'a MinuteBlock,
    index: usize,
}

/// What a model says of a row.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ScoreView<'a> {
    /// The model and its threshold.
    pub column: &'a ScoreColumn,
    /// Probability that a failure begins in the prediction period; `None` where it cannot tell.
    pub probability: Option<f32>,
    /// How serious that is.
    pub level: Option<RiskLevel>,
    /// Why it cannot tell.
    pub cannot_tell: Option<CannotTell>,
    /// When the failure may come.
    pub detail: Option<&'a ScoreDetail>,
}

impl MinuteBlock {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether it has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Services in order of name.
    #[must_use]
    pub fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// The row of a service.
    #[must_use]
    pub fn row(&self, service: &str) -> Option<RowView<'_>> {
        let index = self.names.binary_search_by(|name| name.as_str().cmp(service)).ok()?;
        Some(RowView { block: self, index })
    }

    /// All rows, in order of name.
    pub fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        (0..self.len()).map(|index| RowView { block: self, index })
    }
}

impl<'a> RowView<'a> {
    /// Whose it is.
    #[must_use]
    pub fn service(&self) -> &'a str {
        &self.block.names[self.index]
    }

    /// Row time.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.block.time
    }

    /// One value a metric of the model, NaN where it is missing.
    #[must_use]
    pub fn values(&self) -> &'a [f32] {
        let width = self.block.width;
        &self.block.values[self.index * width..(self.index + 1) * width]
    }

    /// Why the row, or something of it, is missing.
    #[must_use]
    pub fn missing(&self) -> Option<MissingReason> {
        self.block.missing[self.index]
    }

    /// What each model says, the main one first.
    pub fn scores(&self) -> impl Iterator<Item = ScoreView<'a>> + use<'a> {
        let index = self.index;
        self.block.scores.iter().map(move |column| ScoreView {
            column,
            probability: Some(column.probability[index]).filter(|value| !value.is_nan()),
            level: column.level[index],
            cannot_tell: column.cannot_tell[index],
            detail: column.details.get(&(index as u32)),
        })
    }

    /// What the main model says.
    #[must_use]
    pub fn main(&self) -> Option<ScoreView<'a>> {
        self.scores().find(|score| !score.column.shadow)
    }
}

/// A minute whose events are still coming.
#[derive(Clone, Debug, Default)]
pub(in crate::runtime) struct Builder {
    time: Option<Timestamp>,
    rows: Vec<RowEvent>,
    scores: Vec<ScoreEvent>,
}

impl Builder {
    pub(in crate::runtime) fn is_of_another(&self, time: Timestamp) -> bool {
        self.time.is_some_and(|own| own != time)
    }

    pub(in crate::runtime) fn row(&mut self, time: Timestamp, row: &RowEvent) {
        self.time = Some(time);
        self.rows.push(row.clone());
    }

    /// Takes a score of the minute. One of another has no row here, such as at the edge of a log that was cut.
    pub(in crate::runtime) fn score(&mut self, time: Timestamp, score: &ScoreEvent) {
        if self.time == Some(time) {
            self.scores.push(score.clone());
        }
    }

    /// The minute; `None` if nothing came. `names` are those of the minute before.
    pub(in crate::runtime) fn build(
        mut self,
        names: Option<&Arc<[String]>>,
        thresholds: &BTreeMap<String, f64>,
    ) -> Option<MinuteBlock> {
        let time = self.time?;
        self.rows.sort_by(|a, b| a.service.cmp(&b.service));
        self.rows.dedup_by(|a, b| a.service == b.service);
        let width = self.rows.iter().map(|row| row.values.len()).max().unwrap_or(0);
        let mut values = Vec::with_capacity(self.rows.len() * width);
        for row in &self.rows {
            let cells = row.values.as_slice().iter().copied();
            values.extend(cells.chain(std::iter::repeat(f32::NAN)).take(width));
        }
        let missing = self.rows.iter().map(|row| row.missing).collect();
        let is_same = |names: &&Arc<[String]>| {
            names.len() == self.rows.len()
                && names.iter().zip(&self.rows).all(|(name, row)| row.service == *name)
        };
        let names = match names.filter(is_same) {
            Some(names) => Arc::clone(names),
            None => self.rows.iter().map(|row| row.service.to_string()).collect(),
        };
        let mut scores: Vec<ScoreColumn> = Vec::new();
        for score in std::mem::take(&mut self.scores) {
            let found = names.binary_search_by(|name| name.as_str().cmp(score.service.as_str()));
            let Ok(index) = found else { continue };
            let column = match scores.iter().position(|column| score.model == column.model) {
                Some(column) => &mut scores[column],
                None => {
                    let threshold = thresholds.get(score.model.as_str()).copied();
                    scores.push(ScoreColumn::new(&score, threshold, names.len()));
                    let last = scores.len() - 1;
                    &mut scores[last]
                }
            };
            column.put(index, score);
        }
        scores.sort_by_key(|column| column.shadow);
        Some(MinuteBlock { time, names, width, values, missing, scores })
    }
}

impl ScoreColumn {
    fn new(score: &ScoreEvent, threshold: Option<f64>, services: usize) -> Self {
        Self {
            model: score.model.to_string(),
            shadow: score.shadow,
            threshold,
            probability: vec![f32::NAN; services],
            level: vec![None; services],
            cannot_tell: vec![None; services],
            details: BTreeMap::new(),
        }
    }

    fn put(&mut self, index: usize, score: ScoreEvent) {
        // The model gave it as f32.
        self.probability[index] = score.probability.map_or(f32::NAN, |value| value as f32);
        self.level[index] = score.level;
        self.cannot_tell[index] = score.cannot_tell;
        if score.per_step.is_some() || score.minutes_to_failure.is_some() {
            let narrow = |steps: Vec<f64>| steps.into_iter().map(|value| value as f32).collect();
            let detail = ScoreDetail {
                per_step: score.per_step.map(narrow),
                minutes_to_failure: score.minutes_to_failure.map(|value| value as f32),
            };
            self.details.insert(index as u32, detail);
        }
    }
}

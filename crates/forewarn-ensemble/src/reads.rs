//! Members of a combination find their windows in wider and longer ones.

use crate::EnsembleError;
use forewarn_core::{CoreError, Predictor, Windows};
use forewarn_schema::{Metric, Schema};

/// The columns of all models, each once, in the order in which they are first met, and the longest window.
pub(crate) fn joint_input<P: Predictor>(models: &[P]) -> Result<Option<(Schema, usize)>, CoreError> {
    let mut columns = Vec::<Metric>::new();
    for metric in models.iter().flat_map(|model| model.input().metrics()) {
        match columns.iter().find(|known| known.name == metric.name) {
            Some(known) if known == metric => {}
            Some(_) => {
                let column = metric.name.clone();
                return Err(EnsembleError::TwoMeanings { column }.of("combining models"));
            }
            None => columns.push(metric.clone()),
        }
    }
    let observation = models.iter().map(Predictor::observation).max();
    observation.map(|observation| Ok((Schema::new(columns)?, observation))).transpose()
}

/// Where a model's columns lie in wider rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reads {
    /// Position of each of the model's columns; `None` where the rows are the model's own.
    columns: Option<Vec<usize>>,
}

impl Reads {
    pub(crate) fn new(model: &Schema, wide: &Schema) -> Result<Self, CoreError> {
        if model == wide {
            return Ok(Self { columns: None });
        }
        let columns = model.names().map(|name| wide.index_of(name)).collect::<Result<_, _>>()?;
        Ok(Self { columns: Some(columns) })
    }

    /// The windows as `model` sees them: they end in the same rows, of which `block` holds the columns that the model
    /// reads, if need be.
    ///
    /// Rows keep their numbers, so that a model finds service and time of each. Only rows of windows are written, and
    /// only they cost memory that was not there before.
    pub(crate) fn windows<'a>(
        &self,
        model: &'a impl Predictor,
        wide: Windows<'a>,
        block: &'a mut Vec<f32>,
    ) -> Result<Windows<'a>, CoreError> {
        let observation = model.observation();
        let values = match &self.columns {
            None => wide.block(),
            Some(columns) => {
                *block = narrowed(columns, wide, observation);
                block
            }
        };
        Ok(Windows::new(model.input(), values, observation, wide.last_rows())?.placed_as(wide))
    }

    /// The end of one window as `model` sees it.
    pub(crate) fn window(&self, model: &impl Predictor, window: &[f32], width: usize) -> Vec<f32> {
        let rows = window.chunks_exact(width);
        let skipped = rows.len().saturating_sub(model.observation());
        let rows = rows.skip(skipped);
        match &self.columns {
            None => rows.flatten().copied().collect(),
            Some(columns) => rows.flat_map(|row| columns.iter().map(|&column| row[column])).collect(),
        }
    }
}

/// The block of `wide` with these columns alone, in all rows that its windows need.
fn narrowed(columns: &[usize], wide: Windows<'_>, observation: usize) -> Vec<f32> {
    let (from, to) = (wide.schema().len(), columns.len());
    // Zeros that are never touched cost nothing.
    let mut block = vec![0.0; wide.block().len() / from * to];
    let mut written = 0..0;
    for &last_row in wide.last_rows() {
        let end = last_row as usize + 1;
        let first = end - observation;
        let is_adjoining = (written.start..=written.end).contains(&first);
        let start = if is_adjoining { written.end } else { first };
        written = if is_adjoining { written.start..written.end.max(end) } else { first..end };
        for row in start..end {
            let wide_row = &wide.block()[row * from..(row + 1) * from];
            for (out, &column) in block[row * to..(row + 1) * to].iter_mut().zip(columns) {
                *out = wide_row[column];
            }
        }
    }
    block
}

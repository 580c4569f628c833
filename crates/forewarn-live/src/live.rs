use crate::{ServeError, ServedModel};
use forewarn_core::{CoreError, Origin, RowBuffer, Score, Windows};
use forewarn_schema::{Layout, Timestamp};
use forewarn_window::WindowStream;

/// One service in the middle of its rows: what a [`ServedModel`] keeps of its past. It is for the model that made it.
pub struct LiveService {
    rows: Rows,
    /// Says to a model which service the rows of a window are of.
    place: Layout,
}

enum Rows {
    /// As they are measured.
    Metrics(RowBuffer),
    /// As a pipeline makes them.
    Features(Box<WindowStream>),
}

impl LiveService {
    pub(super) fn new(model: &ServedModel, service: &str, start: Timestamp) -> Result<Self, ServeError> {
        let (metrics, step, observation) =
            (&model.serving.metrics, model.serving.step, model.predictor.observation());
        let place = Layout::new(step, [(service.to_owned(), start, observation)]).map_err(CoreError::from)?;
        let rows = match &model.pipeline {
            None => Rows::Metrics(RowBuffer::new(metrics.len(), observation)?),
            Some(pipeline) => {
                let stream = pipeline.stream(metrics, Origin { service, start, step }, observation)?;
                Rows::Features(Box::new(stream))
            }
        };
        Ok(Self { rows, place })
    }

    pub(super) fn push(&mut self, model: &ServedModel, row: &[f32]) -> Result<Option<Score>, ServeError> {
        let window = match &mut self.rows {
            Rows::Metrics(rows) => {
                model.metrics().check_row(row).map_err(CoreError::from)?;
                rows.push(row)?;
                rows.window()
            }
            Rows::Features(rows) => rows.push(row)?,
        };
        let Some(window) = window else { return Ok(None) };
        let (predictor, observation) = (&model.predictor, model.predictor.observation());
        let last = [(observation as u32).saturating_sub(1)];
        let windows = Windows::new(predictor.input(), window, observation, &last)?;
        let mut score = [Score::ZERO];
        predictor.score(windows.with_layout(&self.place), &mut score)?;
        Ok(Some(score[0]))
    }
}

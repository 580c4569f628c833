use crate::{LiveError, ServedModel};
use forewarn_core::{Origin, Pushed, RowsState, Score};
use forewarn_schema::Timestamp;
use forewarn_window::WindowState;

/// One service in the middle of its rows: what a [`ServedModel`] keeps of its past. It is for the model that made it.
#[derive(Clone, Debug)]
pub struct LiveService {
    rows: Rows,
}

#[derive(Clone, Debug)]
enum Rows {
    /// As they are measured.
    Metrics(RowsState),
    /// As a pipeline makes them.
    Features(Box<WindowState>),
}

impl LiveService {
    pub(super) fn new(model: &ServedModel, service: &str, start: Timestamp) -> Result<Self, LiveError> {
        let (origin, observation) =
            (Origin { service, start, step: model.serving.step }, model.predictor.observation());
        let rows = match &model.pipeline {
            None => Rows::Metrics(RowsState::start(&model.serving.metrics, observation, origin)?),
            Some(pipeline) => Rows::Features(Box::new(pipeline.start(origin)?)),
        };
        Ok(Self { rows })
    }

    pub(super) fn push_at(
        &mut self,
        model: &ServedModel,
        time: Timestamp,
        row: &[f32],
    ) -> Result<Pushed<Option<Score>>, LiveError> {
        let pushed = match &mut self.rows {
            Rows::Metrics(rows) => rows.push_at(time, row)?,
            Rows::Features(rows) => rows.push_at(time, row)?,
        };
        let Some(window) = pushed.result else { return Ok(pushed.and(None)) };
        let mut score = [Score::ZERO];
        model.predictor.score(window, &mut score)?;
        Ok(pushed.and(Some(score[0])))
    }

    /// Appends what has been seen of the service to `out`, without the model.
    ///
    /// # Errors
    /// [`CoreError::NotSavable`](forewarn_core::CoreError::NotSavable) from a feature of your own that cannot be saved.
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), LiveError> {
        match &self.rows {
            Rows::Metrics(rows) => Ok(rows.save(out)?),
            Rows::Features(rows) => Ok(rows.save(out)?),
        }
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same scores as if
    /// it had never stopped.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`](forewarn_core::CoreError::DamagedState), and
    /// [`CoreError::ForeignState`](forewarn_core::CoreError::ForeignState) for another service, or a model of other
    /// rows. The service is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), LiveError> {
        match &mut self.rows {
            Rows::Metrics(rows) => Ok(rows.restore(from)?),
            Rows::Features(rows) => Ok(rows.restore(from)?),
        }
    }
}

use crate::{LiveError, ServedModel};
use forewarn_core::{Fingerprint, Origin, Pushed, RowsState, Score, Windows};
use forewarn_schema::Timestamp;
use forewarn_window::WindowState;
use std::sync::Arc;

/// One service in the middle of its rows: what a [`ServedModel`] keeps of its past. It is for the model that made it.
#[derive(Clone, Debug)]
pub struct LiveService {
    rows: Rows,
    model: Fingerprint,
}

#[derive(Clone, Debug)]
enum Rows {
    /// As they are measured.
    Metrics(Box<RowsState>),
    /// As a pipeline makes them.
    Features(Box<WindowState>),
}

impl ServedModel {
    /// A service of which nothing has been seen; its first row will be that of `start`.
    ///
    /// # Errors
    /// [`LiveError::Core`] for a service without a name, [`LiveError::NeedsFleet`] for a model with columns of a
    /// service graph.
    pub fn start(&self, service: &str, start: Timestamp) -> Result<LiveService, LiveError> {
        if self.graph.is_some() {
            return Err(LiveError::NeedsFleet);
        }
        LiveService::new(self, service, start)
    }

    /// Takes the row of a service at `time` and gives the score of the window that ends in it; `None` until there are
    /// enough rows. Rows that never came count as missing, and are counted.
    ///
    /// The score is that of the same window in a batch, bit for bit. Features that remember longer than a window are
    /// those of a service whose rows began at the start: let a service go through some of its past first, where there
    /// is some.
    ///
    /// # Errors
    /// [`LiveError::OtherModel`] for a service that another model started; [`LiveError::Core`] for a row that is
    /// late, repeated, off the clock, or that no frame could hold, such as one of another width or with an infinity,
    /// which leaves the service as it was; and the predictor's own.
    pub fn push_at(
        &self,
        service: &mut LiveService,
        time: Timestamp,
        row: &[f32],
    ) -> Result<Pushed<Option<Score>>, LiveError> {
        service.push_at(self, time, row)
    }
}

impl LiveService {
    pub(super) fn new(model: &ServedModel, service: &str, start: Timestamp) -> Result<Self, LiveError> {
        let (origin, observation) =
            (Origin { service, start, step: model.step() }, model.predictor.observation());
        let rows = match &model.pipeline {
            None => Rows::Metrics(Box::new(RowsState::start(model.metrics(), observation, origin)?)),
            Some(pipeline) => Rows::Features(Box::new(pipeline.start(origin)?)),
        };
        Ok(Self { rows, model: model.fingerprint() })
    }

    fn push_at(
        &mut self,
        model: &ServedModel,
        time: Timestamp,
        row: &[f32],
    ) -> Result<Pushed<Option<Score>>, LiveError> {
        if self.model != model.fingerprint() {
            return Err(LiveError::OtherModel);
        }
        let pushed = self.take(time, row)?.and(());
        let Some(window) = self.model_window(model)? else { return Ok(pushed.and(None)) };
        let mut score = [Score::ZERO];
        model.predictor.score(window, &mut score)?;
        Ok(pushed.and(Some(score[0])))
    }

    /// Takes a row without a score.
    pub(super) fn take(
        &mut self,
        time: Timestamp,
        row: &[f32],
    ) -> Result<Pushed<Option<Windows<'_>>>, LiveError> {
        Ok(match &mut self.rows {
            Rows::Metrics(rows) => rows.push_at(time, row)?,
            Rows::Features(rows) => rows.push_at(time, row)?,
        })
    }

    /// Name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        match &self.rows {
            Rows::Metrics(rows) => rows.service(),
            Rows::Features(rows) => rows.service(),
        }
    }

    /// The same, shared: a copy takes no memory.
    pub(super) fn shared_service(&self) -> Arc<str> {
        match &self.rows {
            Rows::Metrics(rows) => rows.shared_service(),
            Rows::Features(rows) => rows.shared_service(),
        }
    }

    /// Time of the row that is due next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        match &self.rows {
            Rows::Metrics(rows) => rows.next(),
            Rows::Features(rows) => rows.next(),
        }
    }

    /// The window that ends in the last row, as the model sees it; `None` until there are enough rows.
    #[must_use]
    pub fn window(&self) -> Option<Windows<'_>> {
        match &self.rows {
            Rows::Metrics(rows) => rows.window(),
            Rows::Features(rows) => rows.window(),
        }
    }

    /// The same with the model's own columns: their names have been compared, and a pipeline may leave out units.
    pub(super) fn model_window<'a>(
        &'a self,
        model: &'a ServedModel,
    ) -> Result<Option<Windows<'a>>, LiveError> {
        let Some(window) = self.window() else { return Ok(None) };
        let own =
            Windows::new(model.predictor.input(), window.block(), window.observation(), window.last_rows())?;
        Ok(Some(own.placed_as(window)))
    }

    /// Appends what has been seen of the service to `out`, without the model.
    ///
    /// # Errors
    /// [`CoreError::NotSavable`](forewarn_core::CoreError::NotSavable) from a feature of your own that cannot be
    /// saved.
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

//! All services that one model serves, minute by minute.

use crate::{LiveError, LiveService, ServedModel, room::push_slowly};
use forewarn_core::{
    CoreError, Evidence, FeatureState, Fingerprint, Forecast, Origin, Score, Windows, restore_part,
    save_part, seal, unseal,
};
use forewarn_schema::{Layout, Timestamp};
use forewarn_topology::TopologyStream;
use std::{fmt, ops::Range, sync::Arc};

/// Services that are scored together: enough to keep a model's arithmetic busy, few enough that all that is known of
/// them stays in a fast cache.
pub(crate) const BATCH: usize = 256;

/// All services that one model serves: rows of one minute go in together, and are scored in batches.
///
/// Scores are those of each service alone, bit for bit. A model with columns of a service graph sees all services of
/// the minute, as in an experiment. Services join and leave between minutes; they are numbered from 0 in order of
/// joining, and the last one takes the number of one that leaves. In the steady state a minute allocates only what
/// the graph's columns need.
///
/// Memory for each service: a [`LiveService`] and about 80 bytes.
pub struct LiveFleet {
    model: Arc<ServedModel>,
    next: Timestamp,
    services: Vec<LiveService>,
    graph: Option<GraphRows>,
    /// The services `index * BATCH..` of each batch in order of name; empty where that is to be found again.
    batches: Vec<Option<Batch>>,
    scores: Vec<Option<Score>>,
    block: Vec<f32>,
    last_rows: Vec<u32>,
    batch_scores: Vec<Score>,
}

/// What another fleet has seen of a service.
pub(crate) struct Adopted {
    state: LiveService,
    score: Option<Score>,
    filling: Option<Box<dyn FeatureState>>,
}

struct Batch {
    /// Numbers of the services, in order of name.
    order: Vec<usize>,
    layout: Layout,
}

/// What makes columns of a service graph.
struct GraphRows {
    stream: TopologyStream,
    filling: Vec<Box<dyn FeatureState>>,
    filled: Vec<f32>,
    /// Columns of the minute, service by service.
    columns: Vec<f32>,
    /// A row with its columns behind it.
    row: Vec<f32>,
}

impl fmt::Debug for LiveFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveFleet")
            .field("next", &self.next)
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}

impl LiveFleet {
    /// A fleet without services, whose first minute is `start`.
    ///
    /// # Errors
    /// [`LiveError::Topology`] where the graph's columns cannot be made of the metrics.
    pub fn start(model: Arc<ServedModel>, start: Timestamp) -> Result<Self, LiveError> {
        let graph = model.graph.as_ref().map(|graph| {
            let stream = graph.features.stream(model.metrics(), &[], start, model.step())?;
            Ok::<_, LiveError>(GraphRows {
                stream,
                filling: Vec::new(),
                filled: Vec::new(),
                columns: Vec::new(),
                row: Vec::new(),
            })
        });
        Ok(Self {
            graph: graph.transpose()?,
            next: start,
            services: Vec::new(),
            batches: Vec::new(),
            scores: Vec::new(),
            block: Vec::new(),
            last_rows: Vec::new(),
            batch_scores: Vec::new(),
            model,
        })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<ServedModel> {
        &self.model
    }

    /// Time of the minute that is due next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.next
    }

    /// Number of services.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there is no service.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// The services by number.
    #[must_use]
    pub fn services(&self) -> &[LiveService] {
        &self.services
    }

    /// One more service, from the next minute on. The caller sees to it that none joins twice; a model with columns
    /// of a graph, and [`push_minute`](Self::push_minute), refuse that.
    ///
    /// # Errors
    /// [`LiveError::Core`] for a service without a name; [`LiveError::Topology`] for one that is there. Nothing is
    /// changed then.
    pub fn join(&mut self, service: &str) -> Result<(), LiveError> {
        let state = LiveService::new(&self.model, service, self.next)?;
        if let (Some(rows), Some(graph)) = (&mut self.graph, &self.model.graph) {
            let origin = Origin { service, start: self.next, step: self.model.step() };
            let filling = graph.filling.start(self.model.metrics(), origin).map_err(CoreError::from)?;
            rows.stream.join(service)?;
            rows.filling.push(filling);
        }
        push_slowly(&mut self.services, state);
        self.scores.push(None);
        self.forget_batch(self.services.len() - 1);
        Ok(())
    }

    /// The service with this number leaves, and the last one takes its number; a number beyond all changes nothing.
    pub fn swap_leave(&mut self, service: usize) {
        if service >= self.services.len() {
            return;
        }
        self.forget_batch(service);
        self.forget_batch(self.services.len() - 1);
        self.services.swap_remove(service);
        self.scores.swap_remove(service);
        if let Some(rows) = &mut self.graph {
            rows.stream.swap_leave(service);
            rows.filling.swap_remove(service);
        }
    }

    /// Passes over minutes without any service.
    ///
    /// # Errors
    /// [`LiveError::RowsOfMinute`] while there are services, [`LiveError::Topology`]. Nothing is changed then.
    pub fn skip_to(&mut self, next: Timestamp) -> Result<(), LiveError> {
        if !self.services.is_empty() {
            let (services, metrics) = (self.services.len(), self.model.metrics().len());
            return Err(LiveError::RowsOfMinute { got: 0, expected: services * metrics, metrics, services });
        }
        *self = Self::start(Arc::clone(&self.model), next)?;
        Ok(())
    }

    /// Takes the rows of the next minute, one after another by number, NaN where a value or a row is missing, and
    /// gives the score of each service's window; `None` for a service without enough rows.
    ///
    /// # Errors
    /// [`LiveError::RowsOfMinute`] unless there is a row for each service, [`LiveError::Core`] for a row that no
    /// frame could hold, which leave the fleet as it was; the predictor's own, when the rows have been taken in.
    pub fn push_minute(&mut self, rows: &[f32]) -> Result<&[Option<Score>], LiveError> {
        let time = self.open_minute(rows)?;
        let mut scored = Ok(());
        for batch in 0..self.batches.len() {
            self.take_batch(time, batch, rows)?;
            scored = scored.and_then(|()| self.score_batch(batch));
        }
        scored.map(|()| &*self.scores)
    }

    /// Begins the next minute, and gives its time: checks its rows, and makes columns of the graph. Every
    /// [batch](Self::push_batch) is to follow, once and in order.
    ///
    /// # Errors
    /// As [`push_minute`](Self::push_minute).
    pub(crate) fn open_minute(&mut self, rows: &[f32]) -> Result<Timestamp, LiveError> {
        let (metrics, services) = (self.model.metrics().len(), self.services.len());
        if rows.len() != metrics * services {
            let expected = metrics * services;
            return Err(LiveError::RowsOfMinute { got: rows.len(), expected, metrics, services });
        }
        let (schema, time) = (self.model.metrics(), self.next);
        for (service, row) in self.services.iter().zip(rows.chunks_exact(metrics)) {
            schema.check_row(row).map_err(|error| CoreError::from(error.in_row(service.service(), time)))?;
        }
        let after = time.checked_add(self.model.step(), 1).ok_or_else(|| {
            let step_millis = self.model.step().millis();
            CoreError::from(forewarn_schema::SchemaError::TimeOverflow { start: time, steps: 1, step_millis })
        })?;
        if let Some(graph) = &mut self.graph {
            graph.make_columns(rows, metrics)?;
        }
        self.batches.resize_with(services.div_ceil(BATCH), || None);
        self.next = after;
        Ok(time)
    }

    /// Takes the rows of the services `batch * BATCH..` of the minute that was begun, and scores their windows.
    ///
    /// # Errors
    /// As [`push_minute`](Self::push_minute); batches after it have not taken their rows then.
    pub(crate) fn push_batch(
        &mut self,
        time: Timestamp,
        batch: usize,
        rows: &[f32],
    ) -> Result<(), LiveError> {
        self.take_batch(time, batch, rows)?;
        self.score_batch(batch)
    }

    /// Puts the rows of a batch into its services.
    fn take_batch(&mut self, time: Timestamp, batch: usize, rows: &[f32]) -> Result<(), LiveError> {
        let take = |service: &mut LiveService, row: &[f32]| match service.take(time, row).map(drop) {
            // A column that is too large for an `f32` makes its row one that is missing, which has been taken.
            Err(_) if service.next() > time => Ok(()),
            taken => taken,
        };
        let metrics = self.model.metrics().len();
        let services = batch_of(self.services.len(), batch);
        let rows = rows[services.start * metrics..services.end * metrics].chunks_exact(metrics);
        let each = self.services[services.clone()].iter_mut().zip(rows);
        let Some(GraphRows { columns, row: whole, .. }) = &mut self.graph else {
            return { each }.try_for_each(|(service, row)| take(service, row));
        };
        let wide = columns.len() / self.scores.len();
        for (index, (service, row)) in services.zip(each) {
            whole.clear();
            whole.extend_from_slice(row);
            whole.extend_from_slice(&columns[index * wide..(index + 1) * wide]);
            take(service, whole)?;
        }
        Ok(())
    }

    /// Scores the windows of a batch, which end before the minute that is due next.
    fn score_batch(&mut self, batch: usize) -> Result<(), LiveError> {
        let (predictor, after) = (self.model.predictor(), self.next);
        let (observation, schema) = (predictor.observation(), predictor.input());
        let size = observation * schema.len();
        let slots = batch_of(self.services.len(), batch);
        let place = &mut self.batches[batch];
        if place.is_none() {
            let services = &self.services[slots.clone()];
            *place = Some(Batch::new(services, slots.start, observation, self.model.step(), after)?);
        }
        let Some(Batch { order, layout }) = place else { return Ok(()) };
        self.block.clear();
        self.last_rows.clear();
        for (place, &service) in order.iter().enumerate() {
            layout.end_at(place, after).map_err(CoreError::from)?;
            match self.services[service].window().and_then(|window| window.get(0)) {
                Some(window) => {
                    self.block.extend_from_slice(window);
                    self.last_rows.push(((place + 1) * observation - 1) as u32);
                }
                None => self.block.resize(self.block.len() + size, f32::NAN),
            }
        }
        self.scores[slots].fill(None);
        let windows = Windows::new(schema, &self.block, observation, &self.last_rows)?.with_layout(layout);
        self.batch_scores.clear();
        self.batch_scores.resize(windows.len(), Score::ZERO);
        predictor.score(windows, &mut self.batch_scores)?;
        for (&row, &score) in self.last_rows.iter().zip(&self.batch_scores) {
            self.scores[order[row as usize / observation]] = Some(score);
        }
        Ok(())
    }

    /// Scores of the last minute by number.
    #[must_use]
    pub fn scores(&self) -> &[Option<Score>] {
        &self.scores
    }

    /// The scores of the last minute of a fleet that was saved and restored.
    pub(crate) fn set_scores(&mut self, scores: Vec<Option<Score>>) -> Result<(), CoreError> {
        if scores.len() != self.services.len() {
            return Err(CoreError::damaged_state("its scores are not one a service"));
        }
        self.scores = scores;
        Ok(())
    }

    /// When the model expects a failure of the service with this number; `None` without a window, or for a model that
    /// says only whether.
    ///
    /// # Errors
    /// The predictor's own.
    pub fn forecast(&self, service: usize) -> Result<Option<Forecast>, LiveError> {
        let Some(service) = self.services.get(service) else { return Ok(None) };
        let Some(window) = service.model_window(&self.model)? else { return Ok(None) };
        let found = self.model.predictor().forecasts(window)?;
        Ok(found.and_then(|mut found| found.pop()))
    }

    /// Why the service with this number has its score; `None` without a window, or for a model that cannot say.
    ///
    /// # Errors
    /// The predictor's own.
    pub fn evidence(&self, service: usize) -> Result<Option<Evidence>, LiveError> {
        let window = self.services.get(service).and_then(LiveService::window);
        let Some(window) = window.and_then(|window| window.get(0)) else { return Ok(None) };
        Ok(self.model.predictor().evidence(window)?)
    }

    /// Appends what has been seen of all services to `out`, without the model.
    ///
    /// # Errors
    /// [`CoreError::NotSavable`] from a feature of your own that cannot be saved.
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), LiveError> {
        let (before, fingerprint) = (out.len(), self.fingerprint()?);
        let mut failed = Ok(());
        seal(fingerprint, out, |out| {
            let names: Vec<&str> = self.services.iter().map(LiveService::service).collect();
            save_part(&(self.next.millis(), names), out)?;
            failed = self.save_states(out);
            Ok(())
        })?;
        if failed.is_err() {
            out.truncate(before);
        }
        failed
    }

    fn save_states(&self, out: &mut Vec<u8>) -> Result<(), LiveError> {
        self.services.iter().try_for_each(|service| service.save(out))?;
        if let Some(graph) = &self.graph {
            graph.filling.iter().try_for_each(|filling| filling.save(out))?;
            graph.stream.save(out)?;
        }
        Ok(())
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same scores as if
    /// it had never stopped.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for another model. The fleet is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), LiveError> {
        let mut rest = *from;
        let mut body = unseal(self.fingerprint()?, "the services of a model", &mut rest)?;
        let (next, names): (i64, Vec<String>) = restore_part(&mut body)?;
        let next = Timestamp::from_millis(next)
            .ok_or_else(|| CoreError::damaged_state(format!("{next} ms is beyond the calendar")))?;
        let mut fleet = Self::start(Arc::clone(&self.model), next)?;
        names.iter().try_for_each(|name| fleet.join(name))?;
        fleet.services.iter_mut().try_for_each(|service| service.restore(&mut body))?;
        if let Some(graph) = &mut fleet.graph {
            graph.filling.iter_mut().try_for_each(|filling| filling.restore(&mut body))?;
            graph.stream.restore(&mut body)?;
        }
        if !body.is_empty() || fleet.services.iter().any(|service| service.next() != next) {
            return Err(CoreError::damaged_state("its services are not of one minute").into());
        }
        (*self, *from) = (fleet, rest);
        Ok(())
    }

    /// Appends what has been seen of one service to `out`. What columns of the graph remember of earlier minutes is
    /// left out: it belongs to several services.
    pub(crate) fn save_one(&self, service: usize, out: &mut Vec<u8>) -> Result<(), LiveError> {
        let (state, score) = (&self.services[service], self.scores[service]);
        save_part(&score, out)?;
        state.save(out)?;
        match &self.graph {
            Some(graph) => Ok(graph.filling[service].save(out)?),
            None => Ok(()),
        }
    }

    /// Takes what [`save_one`](Self::save_one) wrote of a service, which may then be [adopted](Self::adopt).
    pub(crate) fn load_one(&self, service: &str, from: &mut &[u8]) -> Result<Adopted, LiveError> {
        let score = restore_part(from)?;
        let mut state = LiveService::new(&self.model, service, self.next)?;
        state.restore(from)?;
        if state.next() != self.next {
            return Err(CoreError::damaged_state("it is not of the minute that it says").into());
        }
        let mut filling = None;
        if let Some(graph) = &self.model.graph {
            let origin = Origin { service, start: self.next, step: self.model.step() };
            let mut one = graph.filling.start(self.model.metrics(), origin).map_err(CoreError::from)?;
            one.restore(from)?;
            filling = Some(one);
        }
        Ok(Adopted { state, score, filling })
    }

    /// One more service, with what was seen of it elsewhere. It must not be there yet.
    pub(crate) fn adopt(&mut self, adopted: Adopted) -> Result<(), LiveError> {
        let Adopted { state, score, filling } = adopted;
        if let (Some(rows), Some(filling)) = (&mut self.graph, filling) {
            rows.stream.join(state.service())?;
            rows.filling.push(filling);
        }
        push_slowly(&mut self.services, state);
        self.scores.push(score);
        self.forget_batch(self.services.len() - 1);
        Ok(())
    }

    fn fingerprint(&self) -> Result<Fingerprint, CoreError> {
        Fingerprint::of("fleet").and(&self.model.fingerprint())
    }

    fn forget_batch(&mut self, service: usize) {
        if let Some(batch) = self.batches.get_mut(service / BATCH) {
            *batch = None;
        }
    }
}

impl GraphRows {
    /// Columns of the rows of all services.
    fn make_columns(&mut self, rows: &[f32], metrics: usize) -> Result<(), LiveError> {
        self.filled.resize(rows.len(), f32::NAN);
        let filled = self.filled.chunks_exact_mut(metrics).zip(rows.chunks_exact(metrics));
        for (filling, (filled, row)) in self.filling.iter_mut().zip(filled) {
            filling.push(row, filled);
        }
        let columns = self.stream.push(&self.filled)?;
        self.columns.clear();
        self.columns.extend_from_slice(columns);
        Ok(())
    }
}

/// Numbers of the services of a batch.
fn batch_of(services: usize, batch: usize) -> Range<usize> {
    batch * BATCH..((batch + 1) * BATCH).min(services)
}

impl Batch {
    fn new(
        services: &[LiveService],
        from: usize,
        observation: usize,
        step: forewarn_schema::Step,
        after: Timestamp,
    ) -> Result<Self, LiveError> {
        let mut order: Vec<usize> = (from..from + services.len()).collect();
        order.sort_by_key(|&service| services[service - from].service());
        let place = |service: &LiveService| (service.shared_service(), after, observation);
        let layout = Layout::new(step, services.iter().map(place)).map_err(CoreError::from)?;
        Ok(Self { order, layout })
    }
}

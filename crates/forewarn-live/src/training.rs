//! Rows to train on, from the events of an engine.

use crate::{Event, EventBody, Input, LiveError, OutcomeKind};
use forewarn_core::WindowSpec;
use forewarn_schema::{Frame, FrameSet, Kind, Schema, SchemaError, Step, Timestamp};
use std::collections::BTreeMap;

/// What becomes of the time after a warning that an operator acted on, and after which no failure came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActedOn {
    /// It is left out: whether a failure would have begun without the operator is not known.
    #[default]
    LeftOut,
    /// It counts as time in which no failure began.
    Kept,
}

/// The rows of an engine's services as frames to train on: give it every event, in order, then
/// [`finish`](Self::finish).
///
/// A row that came too late, or not at all, is missing, as it was for the scores. What came late still tells whether
/// the service failed: [`take_late`](Self::take_late) puts it where a value is missing. Rows are then tidier than those
/// that are scored. After a warning that an operator acted on, the rows of its prediction period are missing too
/// ([`ActedOn`]): no window then has a label that rests on them, and none looks back on a service that was being
/// mended. Whether a failure began is for the failure rule to say of these rows; where it cannot (a warning that ended
/// as censored), windows have no label.
#[derive(Clone, Debug)]
pub struct TrainingRows {
    metrics: Schema,
    step: Step,
    window: WindowSpec,
    acted_on: ActedOn,
    services: BTreeMap<String, Service>,
    left_out: TrainingLeftOut,
}

#[derive(Clone, Debug)]
struct Service {
    start: Timestamp,
    values: Vec<f32>,
    /// Alarms that an operator acted on.
    acted: Vec<Timestamp>,
}

/// What the rows to train on lack, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrainingLeftOut {
    /// Rows without any value when their minute was closed.
    pub missing_rows: u64,
    /// Values that came after their minute was closed, and are in the rows.
    pub late_values: u64,
    /// Values that came after their minute was closed, and are not: of counters, whose growth in a minute one late
    /// sample does not tell, of a minute before the service's first, where there is a value already, or out of range.
    pub late_values_left_out: u64,
    /// Warnings that an operator acted on.
    pub averted_warnings: u64,
    /// Rows after them that were left out.
    pub averted_rows: u64,
    /// Warnings of which it is not known whether a failure came; their windows have no label.
    pub censored_warnings: u64,
}

impl TrainingRows {
    /// Rows of these metrics, one every `step`; `window` is that of the model whose warnings an operator acted on.
    #[must_use]
    pub fn new(metrics: &Schema, step: Step, window: WindowSpec, acted_on: ActedOn) -> Self {
        Self {
            metrics: metrics.clone(),
            step,
            window,
            acted_on,
            services: BTreeMap::new(),
            left_out: TrainingLeftOut::default(),
        }
    }

    /// Takes the next event of the engine.
    ///
    /// # Errors
    /// [`LiveError::Schema`] for a row of other metrics, or times that do not lie on the clock.
    pub fn take(&mut self, event: &Event) -> Result<(), LiveError> {
        match &event.body {
            EventBody::Row(row) => {
                let width = self.metrics.len();
                if row.values.len() != width {
                    return Err(SchemaError::RowWidth { got: row.values.len(), expected: width }.into());
                }
                let service = self.services.entry(row.service.to_string()).or_insert_with(|| Service {
                    start: event.time,
                    values: Vec::new(),
                    acted: Vec::new(),
                });
                // A service that expired and came back has a gap.
                let steps = (event.time.millis() - service.start.millis()) / self.step.millis();
                let at = usize::try_from(steps).unwrap_or(0) * width;
                service.values.resize(at.max(service.values.len()), f32::NAN);
                service.values.extend_from_slice(row.values.as_slice());
                let is_missing = row.values.iter().all(|value| value.is_none());
                self.left_out.missing_rows += u64::from(is_missing);
            }
            EventBody::Outcome(outcome) if !outcome.shadow => match outcome.outcome {
                OutcomeKind::Averted => {
                    self.left_out.averted_warnings += 1;
                    let service = self.services.get_mut(&outcome.service);
                    if let (Some(service), Some(alarm)) = (service, outcome.alarm) {
                        service.acted.push(alarm);
                    }
                }
                OutcomeKind::Censored => self.left_out.censored_warnings += 1,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    /// Takes what came after its minute was closed, and passes over all else, of which the events tell. Give it each
    /// input before the engine takes it.
    pub fn take_late(&mut self, input: &Input) {
        match input {
            Input::Row { service, time, values } if values.len() == self.metrics.len() => {
                let values = values.iter().copied().enumerate().filter(|(_, value)| !value.is_nan());
                self.fill(service, *time, values.collect());
            }
            Input::Sample { service, metric, time, value } if value.is_finite() => {
                let Some(column) = self.metrics.position(metric) else { return };
                // The growth of a counter in a minute rests on the samples before.
                let is_counter = self.metrics.metrics()[column].kind == Kind::Counter;
                let value = if is_counter { f32::NAN } else { *value as f32 };
                self.fill(service, *time, vec![(column, value)]);
            }
            _ => {}
        }
    }

    /// Puts values where none are in a row that was closed.
    fn fill(&mut self, service: &str, time: Timestamp, values: Vec<(usize, f32)>) {
        let Some(service) = self.services.get_mut(service) else { return };
        let (width, step) = (self.metrics.len(), i128::from(self.step.millis()));
        // A minute is that which ends at the time of its row.
        let after_first = i128::from(time.millis()) - i128::from(service.start.millis());
        let row = after_first.div_euclid(step) + i128::from(after_first.rem_euclid(step) > 0);
        let mut row = match usize::try_from(row) {
            Ok(row) if row >= service.values.len() / width => return,
            Ok(row) => service.values.get_mut(row * width..(row + 1) * width),
            Err(_) => None,
        };
        for (column, value) in values {
            let place = row.as_deref_mut().map(|row| &mut row[column]).filter(|place| place.is_nan());
            match place {
                Some(place) if !value.is_nan() && self.metrics.metrics()[column].check(value).is_ok() => {
                    *place = value;
                    self.left_out.late_values += 1;
                }
                _ => self.left_out.late_values_left_out += 1,
            }
        }
    }

    /// The frames, and what they lack.
    ///
    /// # Errors
    /// [`LiveError::Schema`] without any row, or for more rows than a frame set holds.
    pub fn finish(mut self) -> Result<(FrameSet, TrainingLeftOut), LiveError> {
        let (width, step) = (self.metrics.len(), self.step);
        let mut frames = Vec::with_capacity(self.services.len());
        for (name, mut service) in self.services {
            for alarm in service.acted.iter().filter(|_| self.acted_on == ActedOn::LeftOut) {
                let first = (alarm.millis() - service.start.millis()) / step.millis() + 1;
                let first = usize::try_from(first).unwrap_or(0);
                let rows = service.values.chunks_exact_mut(width).skip(first).take(self.window.horizon());
                for row in rows {
                    row.fill(f32::NAN);
                    self.left_out.averted_rows += 1;
                }
            }
            frames.push(Frame::new(name, self.metrics.clone(), service.start, step, service.values)?);
        }
        Ok((FrameSet::from_frames(frames)?, self.left_out))
    }
}

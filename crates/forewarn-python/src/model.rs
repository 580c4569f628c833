//! Models from files.

use crate::{
    arrow::{table, texts, times},
    error::Failure,
    reading::frames,
};
use arrow_array::{Float32Array, StringArray};
use forewarn::{
    core::AlarmPolicy,
    experiment::schema_fingerprint,
    live::{Engine, EngineConfig, EngineModels, EventBody, Input, ServedModel},
    schema::{FrameSet, FrameView, Timestamp},
};
use pyo3::{prelude::*, types::PyBytes};
use pyo3_arrow::PyTable;
use std::{collections::BTreeMap, sync::Arc};

/// A fitted model with all that makes its rows; see the class of this name in the package.
#[pyclass(frozen, module = "forewarn")]
pub(crate) struct Model {
    served: Arc<ServedModel>,
    /// The file, for a process that is to have the model too.
    file: Vec<u8>,
}

#[pymethods]
impl Model {
    /// Reads a model of the bytes of a file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, file: Vec<u8>) -> PyResult<Self> {
        let served = py.detach(|| ServedModel::read(file.as_slice()).map_err(Failure::from))?;
        Ok(Self { served: Arc::new(served), file })
    }

    /// The bytes of its file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.file)
    }

    /// Metrics of a row, in order.
    #[getter]
    fn metrics(&self) -> Vec<String> {
        self.served.metrics().names().map(str::to_owned).collect()
    }

    /// Whether a row is made of those of other services too.
    #[getter]
    fn reads_other_services(&self) -> bool {
        self.served.reads_other_services()
    }

    /// Milliseconds between rows.
    #[getter]
    fn step_millis(&self) -> i64 {
        self.served.step().millis()
    }

    /// Steps of observation, lead and period.
    #[getter]
    fn window(&self) -> (usize, usize, usize) {
        let window = self.served.window();
        (window.observation(), window.lead(), window.period())
    }

    /// Which metrics, in which units and order, and which step it reads.
    #[getter]
    fn fingerprint(&self) -> PyResult<String> {
        Ok(schema_fingerprint(self.served.metrics(), self.served.step()).map_err(Failure::from)?)
    }

    /// The failure rule that it was fitted for, as JSON.
    #[getter]
    fn rule(&self) -> PyResult<Option<String>> {
        let rule = self.served.rule().map(serde_json::to_string).transpose();
        Ok(rule.map_err(Failure::from)?)
    }

    /// The score from which on alarms are raised, where the file has one.
    #[getter]
    fn threshold(&self) -> Option<f32> {
        self.served.policy().map(|policy: AlarmPolicy| policy.threshold().get())
    }

    /// What else the file says, as JSON.
    #[getter]
    fn metadata(&self) -> PyResult<String> {
        Ok(serde_json::to_string(self.served.metadata()).map_err(Failure::from)?)
    }

    /// Service, time and probability of every row of a table, or why the model cannot tell.
    fn score(&self, py: Python<'_>, rows: PyTable, reading: &str) -> PyResult<PyTable> {
        let found = py.detach(|| {
            let frames = frames(&rows, reading)?;
            let (step, expected) = (frames.layout().step(), self.served.step());
            if step != expected {
                return Err(Failure::new(format!(
                    "the table has rows {step} apart, and the model was trained on rows {expected} apart: give metrics \
                     of that step"
                )));
            }
            Scores::of(&frames, &self.served)?.table()
        });
        Ok(found?)
    }
}

/// What the engine of a live service says of rows.
#[derive(Default)]
struct Scores {
    /// By service, in order of time.
    services: BTreeMap<String, Vec<Scored>>,
}

struct Scored {
    time: Timestamp,
    probability: Option<f64>,
    cannot_tell: Option<String>,
}

impl Scores {
    /// Each service by itself, unless the model looks at other services too.
    fn of(frames: &FrameSet, model: &Arc<ServedModel>) -> Result<Self, Failure> {
        let mut scores = Self::default();
        let columns = model.metrics().names().map(|name| frames.schema().index_of(name));
        let columns: Vec<usize> = columns.collect::<Result<_, _>>()?;
        let views: Vec<FrameView<'_>> = frames.frames().collect();
        if model.reads_other_services() {
            scores.push(&views, &columns, model)?;
        } else {
            views.iter().try_for_each(|view| scores.push(&[*view], &columns, model))?;
        }
        Ok(scores)
    }

    /// Pushes every row of some services through an engine, minute by minute, as a live service would.
    fn push(
        &mut self,
        frames: &[FrameView<'_>],
        columns: &[usize],
        model: &Arc<ServedModel>,
    ) -> Result<(), Failure> {
        let (first, end) =
            (frames.iter().map(FrameView::start).min(), frames.iter().map(FrameView::end).max());
        let Some((first, end)) = first.zip(end) else { return Ok(()) };
        let (config, step) = (EngineConfig::default(), model.step());
        let settle = i64::from(config.settle_secs) * 1000;
        let mut engine = Engine::new(config, EngineModels::new("model", Arc::clone(model)))?;
        let mut time = first;
        while time < end {
            for frame in frames {
                let passed = (time.millis() - frame.start().millis()).div_euclid(step.millis());
                let row = usize::try_from(passed).ok().and_then(|row| frame.row(row));
                // A row without any value is one that never came.
                let Some(row) = row.filter(|row| row.iter().any(|value| !value.is_nan())) else { continue };
                let values = columns.iter().map(|&column| row[column]).collect();
                let service = frame.service().to_owned();
                self.take(engine.apply(Input::Row { service, time, values })?);
            }
            let now = Timestamp::from_millis(time.millis().saturating_add(settle)).unwrap_or(time);
            self.take(engine.apply(Input::Advance { now })?);
            let Some(next) = time.checked_add(step, 1) else { break };
            time = next;
        }
        Ok(())
    }

    fn take(&mut self, events: Vec<forewarn::live::Event>) {
        for event in events {
            let EventBody::Score(score) = event.body else { continue };
            let name = serde_json::to_value(score.cannot_tell).ok();
            let cannot_tell = name.and_then(|name| Some(name.as_str()?.to_owned()));
            let scored = Scored { time: event.time, probability: score.probability, cannot_tell };
            let service: &str = &score.service;
            match self.services.get_mut(service) {
                Some(rows) => rows.push(scored),
                None => drop(self.services.insert(service.to_owned(), vec![scored])),
            }
        }
    }

    fn table(&self) -> Result<PyTable, Failure> {
        let rows =
            || self.services.iter().flat_map(|(name, rows)| rows.iter().map(move |row| (name.as_str(), row)));
        let services = texts(rows().map(|(name, _)| name));
        let probabilities: Float32Array =
            rows().map(|(_, row)| row.probability.map(|value| value as f32)).collect();
        let reasons: StringArray = rows().map(|(_, row)| row.cannot_tell.as_deref()).collect();
        table(vec![
            ("service", services),
            ("timestamp", times(rows().map(|(_, row)| row.time.millis()))),
            ("probability", Arc::new(probabilities)),
            ("cannot_tell", Arc::new(reasons)),
        ])
    }
}

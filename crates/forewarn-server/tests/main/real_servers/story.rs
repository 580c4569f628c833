//! Rows of one service in which one warning is raised, and is over again.

use crate::world::BoxError;
use forewarn_live::{Engine, EngineModels, EventBody, Input, ServedModel, WarningState};
use forewarn_schema::Timestamp;
use forewarn_server::WatchConfig;
use forewarn_sim::StressWalk;
use std::{fmt::Write, fs::File, io::Write as _, path::Path};

/// Minutes before the warning and after its end.
const BEFORE: usize = 20;
const AFTER: usize = 4;

/// A part of a walk.
pub(crate) struct Story {
    metrics: Vec<String>,
    rows: Vec<Vec<f32>>,
    /// Rows after which the warning fires, and not yet more.
    pub(crate) raised: usize,
    /// Time of the first row.
    start: Timestamp,
}

fn time(start: Timestamp, row: usize) -> Timestamp {
    Timestamp::from_millis(start.millis() + 60_000 * row as i64).unwrap()
}

/// Rows at which a warning fired, and at which it was over.
fn warnings(config: &WatchConfig, rows: &[Vec<f32>]) -> Result<Vec<(usize, Option<usize>)>, BoxError> {
    let model = ServedModel::read(File::open(&config.model.path)?)?;
    let mut engine = Engine::new(config.engine(), EngineModels::new("model", model))?;
    let mut found: Vec<(usize, Option<usize>)> = Vec::new();
    for (row, values) in rows.iter().enumerate() {
        let (service, time) = ("shop/web".to_owned(), time(Timestamp::EPOCH, row));
        let mut events = engine.apply(Input::Row { service, time, values: values.clone() })?;
        events.extend(engine.apply(Input::Advance { now: time })?);
        for event in events {
            let EventBody::Warning(warning) = event.body else { continue };
            match (warning.state, found.last_mut()) {
                (WarningState::Firing, _) => found.push((row, None)),
                (WarningState::Resolved, Some(last)) if last.1.is_none() => last.1 = Some(row),
                _ => {}
            }
        }
    }
    Ok(found)
}

impl Story {
    /// The first part of a walk that has one warning of at least six minutes. Its last row is of `now`.
    pub(crate) fn find(config: &WatchConfig, now: Timestamp) -> Result<Self, BoxError> {
        let walk = StressWalk::new(20 * 1440, 11).run()?;
        let view = walk.frame.view();
        let rows: Vec<Vec<f32>> = (0..view.rows()).map(|row| view.row(row).unwrap().to_vec()).collect();
        for (first, last) in warnings(config, &rows)? {
            let Some(last) = last.filter(|last| (first + 6..first + 20).contains(last)) else { continue };
            let Some(part) = first.checked_sub(BEFORE).and_then(|from| rows.get(from..last + AFTER)) else {
                continue;
            };
            if let [(raised, Some(_))] = warnings(config, part)?[..] {
                let start = now.millis() / 60_000 * 60_000 - 60_000 * part.len() as i64;
                return Ok(Self {
                    metrics: view.schema().names().map(str::to_owned).collect(),
                    rows: part.to_vec(),
                    raised: raised + 3,
                    start: Timestamp::from_millis(start).unwrap(),
                });
            }
        }
        Err("no part of the walk has one warning".into())
    }

    /// Appends rows to a CSV file, with a header before the first.
    pub(crate) fn write(&self, path: &Path, rows: std::ops::Range<usize>) -> Result<(), BoxError> {
        let mut text = String::new();
        if rows.start == 0 {
            writeln!(text, "timestamp,service,{}", self.metrics.join(","))?;
        }
        for row in rows {
            let values: Vec<String> = self.rows[row].iter().map(ToString::to_string).collect();
            writeln!(text, "{},shop/web,{}", time(self.start, row), values.join(","))?;
        }
        let mut file = File::options().create(true).append(true).open(path)?;
        Ok(file.write_all(text.as_bytes())?)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

//! What is worked out of all rows that are in memory, once for each minute.

use crate::runtime::{RowView, Snapshot};
use forewarn_core::WindowSpec;
use forewarn_schema::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Edges of the probabilities that are counted together.
const EDGES: [f32; 11] = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0];
/// The span of availability.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// How often failures followed scores of about one probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct CalibrationBin {
    /// Mean of the probabilities.
    pub(crate) predicted: f64,
    /// Share of the scores in whose prediction period a failure began.
    pub(crate) observed: f64,
    /// Scores.
    pub(crate) count: u64,
}

impl From<forewarn_live::CalibrationBin> for CalibrationBin {
    fn from(bin: forewarn_live::CalibrationBin) -> Self {
        Self { predicted: bin.predicted, observed: bin.observed, count: bin.count }
    }
}

/// Figures over the rows that are in memory.
#[derive(Debug)]
pub(crate) struct Day {
    until: Option<Timestamp>,
    /// Minutes of the last 24 h that are known, and those of them in which the service was failing.
    known: BTreeMap<String, (u32, u32)>,
    /// By model.
    calibration: BTreeMap<String, Vec<CalibrationBin>>,
}

/// A failure of a service: first minute, and the first minute after it.
type Spell = (Timestamp, Option<Timestamp>);

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    predicted: f64,
    failures: u64,
    count: u64,
}

impl Day {
    /// Whether it is of this minute.
    pub(crate) fn is_of(&self, snapshot: &Snapshot) -> bool {
        self.until == snapshot.last_row
    }

    /// Goes through all rows in memory: some 20 ms for a day of 1,000 services.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let Some((from, to)) = snapshot.recent.span() else {
            return Self { until: snapshot.last_row, known: BTreeMap::new(), calibration: BTreeMap::new() };
        };
        let mut spells: BTreeMap<&str, Vec<Spell>> = BTreeMap::new();
        for failure in snapshot.recent.failures() {
            let event = &failure.event;
            spells.entry(event.service.as_str()).or_default().push((event.onset, event.end));
        }
        let windows: BTreeMap<&str, WindowSpec> =
            snapshot.about.models.iter().map(|(name, model)| (name.as_str(), model.window())).collect();
        let (mut known, mut bins) = (BTreeMap::new(), BTreeMap::<String, [Bin; EDGES.len()]>::new());
        let end = to.checked_add(snapshot.about.step, 1).unwrap_or(to);
        for block in snapshot.recent.minutes(from, end) {
            for row in block.rows() {
                let spells = spells.get(row.service()).map_or(&[][..], Vec::as_slice);
                let is_failing = is_within(spells, block.time);
                let is_known = row.values().iter().any(|value| !value.is_nan());
                if is_known && to.millis() - block.time.millis() < DAY_MILLIS {
                    let (minutes, failing): &mut (u32, u32) = match known.get_mut(row.service()) {
                        Some(counts) => counts,
                        None => known.entry(row.service().to_owned()).or_default(),
                    };
                    *minutes += 1;
                    *failing += u32::from(is_failing);
                }
                if !is_failing {
                    let judged = |spec: &WindowSpec| {
                        let steps = |steps: usize| block.time.checked_add(snapshot.about.step, steps as i64);
                        Some((steps(spec.lead())?, steps(spec.horizon()).filter(|last| *last <= to)?))
                    };
                    judge(&row, spells, |model| windows.get(model).and_then(judged), &mut bins);
                }
            }
        }
        let calibration =
            bins.into_iter().map(|(model, bins)| (model, bins.iter().filter_map(Bin::shown).collect()));
        Self { until: snapshot.last_row, known, calibration: calibration.collect() }
    }

    /// Share of the known minutes of the last 24 h in which a service was not failing.
    pub(crate) fn availability(&self, service: &str) -> Option<f64> {
        let &(known, failing) = self.known.get(service).filter(|(known, _)| *known > 0)?;
        Some(1.0 - f64::from(failing) / f64::from(known))
    }

    /// The same of all services that were failing in some of those minutes.
    pub(crate) fn imperfect(&self) -> BTreeMap<String, f64> {
        let failing = self.known.iter().filter(|(_, (_, failing))| *failing > 0);
        failing.filter_map(|(name, _)| Some((name.clone(), self.availability(name)?))).collect()
    }

    /// How often failures followed a model's scores.
    pub(crate) fn calibration(&self, model: &str) -> &[CalibrationBin] {
        self.calibration.get(model).map_or(&[], Vec::as_slice)
    }
}

fn is_within(spells: &[Spell], time: Timestamp) -> bool {
    spells.iter().any(|&(onset, end)| onset <= time && end.is_none_or(|end| time < end))
}

/// Counts the scores of a row whose prediction period, which `period` gives, is over.
fn judge(
    row: &RowView<'_>,
    spells: &[Spell],
    period: impl Fn(&str) -> Option<(Timestamp, Timestamp)>,
    bins: &mut BTreeMap<String, [Bin; EDGES.len()]>,
) {
    for score in row.scores() {
        let Some(probability) = score.probability else { continue };
        let Some((after, last)) = period(&score.column.model) else { continue };
        let failed = spells.iter().any(|&(onset, _)| after < onset && onset <= last);
        let all = match bins.get_mut(&score.column.model) {
            Some(all) => all,
            None => bins.entry(score.column.model.clone()).or_default(),
        };
        let place = EDGES.partition_point(|edge| *edge < probability).min(EDGES.len() - 1);
        let bin = &mut all[place];
        bin.predicted += f64::from(probability);
        bin.failures += u64::from(failed);
        bin.count += 1;
    }
}

impl Bin {
    fn shown(&self) -> Option<CalibrationBin> {
        let count = self.count as f64;
        (self.count > 0).then(|| CalibrationBin {
            predicted: self.predicted / count,
            observed: self.failures as f64 / count,
            count: self.count,
        })
    }
}

use crate::runtime::{EventRing, Past, Recent};
use forewarn_label::Rule;
use forewarn_live::{EngineConfig, EngineView, LedgerBook, ServedModel};
use forewarn_schema::{Schema, Step, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A running service at one moment: what pages and the API show. Immutable, and published when a minute was closed,
/// an operator did something or a source changed its state; all parts are of the same moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// What does not change while the service runs.
    pub about: Arc<About>,
    /// The engine.
    pub view: Arc<EngineView>,
    /// The last rows, scores, warnings, incidents, failures and outcomes.
    pub recent: Recent,
    /// The last events.
    pub events: EventRing,
    /// When the service was started.
    pub started: Timestamp,
    /// The clock when this was published.
    pub now: Timestamp,
    /// Whether models are loaded and the journal is replayed. Before, it shows the state of the last checkpoint.
    pub is_ready: bool,
    /// Records of the journal that were replayed at the start.
    pub replayed: u64,
    /// Number of the first event that is not from the replay.
    pub live_from: u64,
    /// Time of the last closed row.
    pub last_row: Option<Timestamp>,
    /// The sources that sent something since the start.
    pub sources: BTreeMap<Arc<str>, SourceAge>,
    /// Inputs since the start that are another shard's.
    pub other_shards: u64,
    /// The disk.
    pub store: StoreState,
}

/// What does not change while a service runs.
#[derive(Debug)]
#[non_exhaustive]
pub struct About {
    /// Metrics of a row, in order.
    pub metrics: Schema,
    /// Time between two rows.
    pub step: Step,
    /// What counts as failing.
    pub rule: Rule,
    /// The engine's settings.
    pub engine: EngineConfig,
    /// The models by name, the one that warns at first in front.
    pub models: Vec<(String, Arc<ServedModel>)>,
    /// What is on disk of the time before that in memory; `None` where no history is kept.
    pub past: Option<Arc<Past>>,
    /// What became of warnings and failures, over the last weeks: to be copied by who works on it for longer, as the
    /// engine's thread writes it.
    pub ledger: Mutex<LedgerBook>,
}

impl About {
    /// The model of this name.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&ServedModel> {
        self.models.iter().find(|(found, _)| found == name).map(|(_, model)| &**model)
    }
}

/// What a source sent since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceAge {
    /// The latest time of a row or sample.
    pub last_time: Option<Timestamp>,
    /// When its last batch was taken.
    pub heard: Option<Timestamp>,
    /// Rows.
    pub rows: u64,
    /// Samples.
    pub samples: u64,
}

/// The disk of a running service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreState {
    /// Why it fails; scoring goes on, and what could not be written waits in memory.
    pub failing: Option<String>,
    /// Records that are not on disk yet.
    pub pending_records: u64,
    /// Bytes of memory that they take.
    pub pending_bytes: usize,
    /// Events that are not on disk yet.
    pub pending_events: u64,
    /// Number of the next record of the journal.
    pub next_record: u64,
    /// Why the last checkpoint could not be written.
    pub checkpoint_error: Option<String>,
    /// Why the history could not be written.
    pub history_error: Option<String>,
}

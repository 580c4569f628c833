//! How much memory an experiment is going to need, before it takes it.

use crate::{
    ExperimentError,
    experiment::Settings,
    run::material::{FeatureLists, Material},
};
use forewarn_core::Feature;
use forewarn_schema::{FrameSet, Schema};

/// What a window takes besides its row: labels, soft ones too, places, scores of two models at a time, and what figures
/// sort.
const BYTES_A_WINDOW: u64 = 96;

/// Whether an experiment looks for leaks, which computes everything again on shuffled rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audit {
    Made,
    LeftOut,
}

impl Settings {
    /// Refuses an experiment that would need more memory than it may have, besides its metrics, which are there
    /// already.
    pub(crate) fn check_memory(
        &self,
        material: &Material<'_>,
        lists: &FeatureLists,
        audit: Audit,
    ) -> Result<(), ExperimentError> {
        let Some(available_bytes) = self.memory_limit else { return Ok(()) };
        let rows = material.metrics.layout().rows() as u64;
        let columns = |list: &dyn Feature, sources: &Schema| -> Result<u64, ExperimentError> {
            Ok(list.outputs(sources)?.len() as u64)
        };
        let mut features = columns(&lists.features, material.sources().schema())?;
        if let (Some(list), Some(sources)) = (&lists.wide, material.wide()) {
            features += columns(list, sources.frames.schema())?;
        }
        // What lies beside the metrics is there once, and all of it once more where rows are shuffled.
        let beside = material.columns() - material.metrics.schema().len();
        let cells = match audit {
            Audit::LeftOut => features + beside as u64,
            Audit::Made => 2 * features + (beside + material.columns()) as u64,
        };
        let needed_bytes = rows.saturating_mul(cells.saturating_mul(4).saturating_add(BYTES_A_WINDOW));
        refuse_more_than(available_bytes, needed_bytes)
    }

    /// Refuses to compute this number of columns beside metrics where there is no room for them twice: alone and joined.
    pub(crate) fn check_room(&self, metrics: &FrameSet, columns: usize) -> Result<(), ExperimentError> {
        let Some(available_bytes) = self.memory_limit else { return Ok(()) };
        let cells = (2 * columns + metrics.schema().len()) as u64;
        refuse_more_than(available_bytes, (metrics.layout().rows() as u64).saturating_mul(4 * cells))
    }
}

fn refuse_more_than(available_bytes: u64, needed_bytes: u64) -> Result<(), ExperimentError> {
    if needed_bytes > available_bytes {
        return Err(ExperimentError::TooLarge { needed_bytes, available_bytes });
    }
    Ok(())
}

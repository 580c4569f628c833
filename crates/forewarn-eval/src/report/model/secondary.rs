use crate::secondary::affiliation_parts;
use crate::secondary::nab_parts;
use crate::secondary::range_parts;
use crate::secondary::vus_estimates;
use crate::uncertainty::parts::{self, Part};
use crate::{BlockBootstrap, Buffer, EvalError, Events, IntervalEstimate, NabProfile, ScoredSet};
use forewarn_core::Score;
use serde::{Deserialize, Serialize};

/// Figures that are published for the detection of anomalies, adapted to early warning: to compare with others, not
/// to choose by. Windows are called at the model's threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SecondaryFigures {
    /// Range-based precision, with [`Self::EXISTENCE`]; `None` where nothing is called.
    pub range_precision: IntervalEstimate,
    /// Range-based recall.
    pub range_recall: IntervalEstimate,
    /// Affiliation precision; `None` where nothing is called near a failure.
    pub affiliation_precision: IntervalEstimate,
    /// Affiliation recall.
    pub affiliation_recall: IntervalEstimate,
    /// Volume under the precision-recall surface, with buffers of up to a prediction period before the windows that
    /// precede failures. By straight lines, as release 0.0.5 of the authors' package has it.
    pub vus_pr: IntervalEstimate,
    /// The same by steps, as release 0.0.6 and the benchmark TSB-AD have it.
    #[serde(default = "unknown")]
    pub vus_pr_by_steps: IntervalEstimate,
    /// Volume under the ROC surface of the same release.
    #[serde(default = "unknown")]
    pub vus_roc: IntervalEstimate,
    /// Score of the Numenta Anomaly Benchmark, its standard profile; `None` without a failure within reach.
    pub nab: IntervalEstimate,
}

impl SecondaryFigures {
    /// What hitting a run at all counts in range-based recall.
    pub const EXISTENCE: f64 = 0.5;

    /// Measures the windows of `set`; `events` are those of the set at `threshold`.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn new(
        set: &ScoredSet,
        threshold: Score,
        events: &Events,
        bootstrap: &BlockBootstrap,
    ) -> Result<Self, EvalError> {
        set.pooled("test")?;
        let estimate = |parts: &[Part]| IntervalEstimate {
            value: parts::total(parts),
            interval: parts::interval(parts, set, bootstrap),
        };
        let [range_precision, range_recall] = range_parts(set, threshold, Self::EXISTENCE);
        let [affiliation_precision, affiliation_recall] = affiliation_parts(set, threshold);
        // Half of the widest buffer is a prediction period, within what a volume can be taken of.
        let widest = (2 * set.spec().period()).min(60);
        let [vus_pr, vus_pr_by_steps, vus_roc] = vus_estimates(set, widest, Buffer::Before, bootstrap)?;
        Ok(Self {
            range_precision: estimate(&range_precision),
            range_recall: estimate(&range_recall),
            affiliation_precision: estimate(&affiliation_precision),
            affiliation_recall: estimate(&affiliation_recall),
            vus_pr,
            vus_pr_by_steps,
            vus_roc,
            nab: estimate(&nab_parts(set, events, NabProfile::STANDARD)),
        })
    }
}

/// A figure that an older report lacks.
fn unknown() -> IntervalEstimate {
    IntervalEstimate { value: None, interval: None }
}

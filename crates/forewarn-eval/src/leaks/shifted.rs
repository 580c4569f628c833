use super::{LeakCheck, checked};
use crate::{EvalError, ScoredSet};
use forewarn_core::average_precision;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const SHIFTS: usize = 100;
/// A PR-AUC that no honest precursor reaches.
const TOO_GOOD: f64 = 0.95;
/// Share of the gain over no skill that may survive shifted labels.
const SURVIVING: f64 = 0.25;

/// Labels of each service are shifted round by many windows: what the score knew of coming failures is gone, and what is left is how
/// well it tells services, hours or slow trends apart.
pub(super) fn check(set: &ScoredSet) -> Result<Vec<LeakCheck>, EvalError> {
    let (scores, positive) = set.pooled("test")?;
    let pr_auc = average_precision(&scores, &positive)?;
    let prevalence = set.positives() as f64 / set.windows() as f64;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut shifted = Vec::with_capacity(SHIFTS);
    for _ in 0..SHIFTS {
        let mut labels: Vec<bool> = Vec::with_capacity(positive.len());
        for series in set.series() {
            let from = labels.len();
            labels.extend(series.positive());
            // Between a quarter and three quarters round: far from where it was, whichever way.
            let windows = series.positive().len();
            let shift = windows / 4 + random.random_range(0..windows / 2 + 1);
            labels[from..].rotate_right(shift.min(windows));
        }
        shifted.push(average_precision(&scores, &labels)?);
    }
    let mean = shifted.iter().sum::<f64>() / SHIFTS as f64;
    let as_good = shifted.iter().filter(|&&value| value >= pr_auc).count();
    let gain = pr_auc - prevalence;
    let surviving = if gain > 0.0 { ((mean - prevalence) / gain).max(0.0) } else { 0.0 };
    let is_suspect = as_good <= SHIFTS / 20 && surviving > SURVIVING;
    let text = if as_good > SHIFTS / 20 {
        format!(
            "PR-AUC {pr_auc:.4} is no better than with labels shifted in time ({mean:.4}): nothing was learnt of failures"
        )
    } else if is_suspect {
        format!(
            "{:.0} % of the PR-AUC over a guess survives labels shifted in time ({mean:.4} of {pr_auc:.4}): the score tells services, \
             hours or trends apart rather than what precedes a failure",
            100.0 * surviving
        )
    } else {
        format!(
            "PR-AUC falls from {pr_auc:.4} to {mean:.4} with labels shifted in time; a guess has {prevalence:.4}"
        )
    };
    let too_good = if pr_auc >= TOO_GOOD {
        format!("PR-AUC is {pr_auc:.4}: look for a feature that knows the outcome")
    } else {
        format!("PR-AUC is {pr_auc:.4}, which is not suspiciously high")
    };
    Ok(vec![checked("shifted labels", is_suspect, text), checked("too good", pr_auc >= TOO_GOOD, too_good)])
}

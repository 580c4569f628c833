use super::{LeakCheck, checked, placed::Placed};
use crate::{EvalError, ScoredSet};

/// A PR-AUC that no honest precursor reaches.
const TOO_GOOD: f64 = 0.95;
/// Share of the gain over the reference that may survive when labels are moved.
const SURVIVING: f64 = 0.25;
/// Times the reference that what survives has to reach.
const TIMES: f64 = 1.4;
/// Standard deviations of the reference that it has to be above it. Four leave no false finding in a thousand.
const DEVIATIONS: f64 = 4.0;
/// Fewest days of which labels can be moved by whole ones.
const FEWEST_DAYS: usize = 3;

/// Labels are moved, failure by failure, in three ways: anywhere, which leaves nothing; anywhere within their
/// service, which leaves what tells services apart; by whole days of time within their service, which leaves what
/// tells hours apart too. What survives a move was not learnt from what precedes a failure.
pub(super) fn check(set: &ScoredSet) -> Result<Vec<LeakCheck>, EvalError> {
    let placed = Placed::new(set)?;
    let pr_auc = placed.pr_auc();
    let (anywhere, within) = (placed.anywhere(), placed.within_services());
    let several = set.series().iter().filter(|series| !series.times().is_empty()).count() > 1;
    let mut checks = Vec::new();
    checks.push(hours(&placed, pr_auc, &within, &anywhere));
    if several {
        checks.push(services(pr_auc, &within, &anywhere));
    }
    let too_good = if pr_auc >= TOO_GOOD {
        format!("PR-AUC is {pr_auc:.4}: look for a feature that knows the outcome")
    } else {
        format!("PR-AUC is {pr_auc:.4}, which is not suspiciously high")
    };
    checks.push(checked("too good", pr_auc >= TOO_GOOD, too_good));
    Ok(checks)
}

/// What moving labels by whole days leaves, against moving them anywhere within their service.
fn hours(placed: &Placed<'_>, pr_auc: f64, within: &[f64], anywhere: &[f64]) -> LeakCheck {
    const NAME: &str = "shifted labels";
    let moved = placed.by_whole_days(FEWEST_DAYS);
    let (least, (reference, _)) = (mean(anywhere), moments(within));
    if moved.is_empty() {
        let text =
            format!("there are fewer than {FEWEST_DAYS} days: what tells hours apart cannot be looked for");
        return checked(NAME, false, text);
    }
    let left = mean(&moved);
    if is_suspect(pr_auc, left, within) {
        let share = 100.0 * (left - reference) / (pr_auc - reference).max(left - reference);
        let text = format!(
            "{share:.0} % of the gain in PR-AUC survives labels shifted by whole days ({left:.4} of {pr_auc:.4}; {reference:.4} at other \
             hours): the score tells hours of the day apart rather than what precedes a failure"
        );
        return checked(NAME, true, text);
    }
    let as_good = moved.iter().filter(|&&value| value >= pr_auc).count();
    let text = if 20 * as_good > moved.len() {
        format!(
            "PR-AUC {pr_auc:.4} is no better than with labels shifted by whole days ({left:.4}): nothing was learnt of failures"
        )
    } else {
        format!(
            "PR-AUC falls from {pr_auc:.4} to {left:.4} with labels shifted by whole days; no skill has {least:.4}"
        )
    };
    checked(NAME, false, text)
}

/// What moving labels within their service leaves, against moving them anywhere.
fn services(pr_auc: f64, within: &[f64], anywhere: &[f64]) -> LeakCheck {
    let (left, (reference, _)) = (mean(within), moments(anywhere));
    let is_suspect = is_suspect(pr_auc, left, anywhere);
    let text = if is_suspect {
        let share = 100.0 * (left - reference) / (pr_auc - reference).max(left - reference);
        format!(
            "{share:.0} % of the gain in PR-AUC survives failures moved to any time of their service ({left:.4} of {pr_auc:.4}; no skill has \
             {reference:.4}): the score tells services apart rather than what precedes a failure"
        )
    } else {
        format!(
            "failures moved to any time of their service leave a PR-AUC of {left:.4}; no skill has {reference:.4}"
        )
    };
    checked("service alone", is_suspect, text)
}

/// Whether what is left is clearly more than the reference, and much of what there was.
fn is_suspect(pr_auc: f64, left: f64, reference: &[f64]) -> bool {
    let (mean, deviation) = moments(reference);
    let surviving = left - mean > SURVIVING * (pr_auc - mean);
    surviving && left >= TIMES * mean && left >= mean + DEVIATIONS * deviation
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn moments(values: &[f64]) -> (f64, f64) {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (values.len().max(2) - 1) as f64).sqrt())
}

//! What is printed of an experiment.

use forewarn::{
    eval::{Interval, ModelReport, Report},
    experiment::Results,
};
use std::fmt::{Error, Write};

/// A recurrent model that is served by states has the name of that model and this.
const RUNNING: &str = "_running";

/// All tables of one experiment; `bound` is what the best possible predictor would score.
pub(crate) fn tables(title: &str, results: &Results, bound: Option<(&str, f64)>) -> Result<String, Error> {
    let report = results.report();
    let (positives, windows, target) = (report.test.positives, report.test.windows, report.target);
    let mut text = String::new();
    writeln!(
        text,
        "### {title}\n\nTarget `{target}`, {windows} test windows, {positives} of them positive.\n"
    )?;
    models(&mut text, report, bound)?;
    served(&mut text, report)?;
    Ok(text)
}

/// Models beside one another, each by windows.
fn models(text: &mut String, report: &Report, bound: Option<(&str, f64)>) -> Result<(), Error> {
    writeln!(
        text,
        "| model | PR-AUC | 95 % interval | difference to boosted trees, paired | of the ceiling | ROC-AUC | fit, s |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|")?;
    for model in report.ranked().into_iter().filter(|model| !model.name.ends_with(RUNNING)) {
        let name = model.name.as_str();
        let paired = difference(report, name, "boosted_trees").unwrap_or_default();
        let share =
            bound.map_or(String::new(), |(_, bound)| format!("{:.1} %", 100.0 * model.pr_auc / bound));
        let interval = range(model.intervals.as_ref().and_then(|intervals| intervals.pr_auc), 1.0);
        let (pr_auc, roc_auc, seconds) = (model.pr_auc, model.roc_auc, model.fit_seconds.unwrap_or_default());
        writeln!(
            text,
            "| {name} | {pr_auc:.4} | {interval} | {paired} | {share} | {roc_auc:.3} | {seconds:.0} |"
        )?;
    }
    writeln!(text, "| no skill (prevalence) | {:.4} | | | | .500 | |", report.test.prevalence)?;
    if let Some((name, bound)) = bound {
        writeln!(text, "| ceiling: {name} | {bound:.4} | | | 100 % | | |")?;
    }
    Ok(())
}

/// Recurrent models by states that run on, beside the same by windows.
fn served(text: &mut String, report: &Report) -> Result<(), Error> {
    let model = |name: &str| report.models.iter().find(|model| model.name == name);
    let pairs: Vec<(&ModelReport, &ModelReport)> = report
        .models
        .iter()
        .filter_map(|running| Some((model(running.name.strip_suffix(RUNNING)?)?, running)))
        .collect();
    if pairs.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n| the same fit, served by | PR-AUC, windows | PR-AUC, states | states minus windows, paired | Brier, windows | Brier, states |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for (windows, running) in pairs {
        let paired = difference(report, &running.name, &windows.name).unwrap_or_default();
        writeln!(
            text,
            "| {} | {:.4} | {:.4} | {paired} | {:.5} | {:.5} |",
            windows.name, windows.pr_auc, running.pr_auc, windows.brier, running.brier
        )?;
    }
    Ok(())
}

/// Where the PR-AUC of one model less that of another lies, on the same resamples.
fn difference(report: &Report, one: &str, other: &str) -> Option<String> {
    let mut pairs = report.comparison.iter().flat_map(|comparison| &comparison.differences);
    pairs.find_map(|pair| match (&*pair.better, &*pair.worse) {
        (better, worse) if (better, worse) == (one, other) => Some(range(pair.interval, 1.0)),
        (better, worse) if (better, worse) == (other, one) => Some(range(pair.interval, -1.0)),
        _ => None,
    })
}

fn range(interval: Option<Interval>, sign: f64) -> String {
    let ends = interval.map(|Interval { low, high, .. }| (sign * low, sign * high));
    ends.map_or("-".to_owned(), |(a, b)| format!("{:.3} to {:.3}", a.min(b), a.max(b)))
}

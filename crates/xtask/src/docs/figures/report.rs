//! A table from the reports of evaluations.

use super::page;
use serde_json::Value;

/// What stands in a table beside PR-AUC and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    /// No more.
    Areas,
    /// ROC-AUC.
    Ranking,
    /// Failures detected at the alarm budget of the run, with the rate that came of it; then those at the best F1 on
    /// validation, with false alarms a day and service.
    Events,
}

/// # Errors
/// Why the text is not JSON.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("report.json: {error}"))
}

/// A row a model, the no-skill baseline before and the ceilings after; the columns of each report side by side. Above
/// stands what was tested, below the command.
///
/// # Errors
/// The field that a report lacks.
pub(crate) fn table(reports: &[(&str, Value)], columns: Columns, command: &str) -> Result<String, String> {
    let (_, first) = reports.first().ok_or("no report")?;
    let mut head = vec!["model".to_owned()];
    for (heading, _) in reports {
        let of = if heading.is_empty() { String::new() } else { format!(", {heading}") };
        head.push(format!("PR-AUC (95 % interval){of}"));
        match columns {
            Columns::Areas => {}
            Columns::Ranking => head.push(format!("ROC-AUC{of}")),
            Columns::Events => {
                head.push(format!("failures detected at 1 false alarm a service and week (on test){of}"));
                head.push(format!("with a threshold that moves (on test){of}"));
                head.push(format!("at the best F1 (a day){of}"));
            }
        }
    }
    let wide = head.len();
    let mut rows = vec![head, vec!["---".to_owned(); wide]];
    let mut names: Vec<String> = Vec::new();
    for model in list(first, "models")? {
        names.push(text(model, "name")?);
    }
    let mut none = vec!["no-skill baseline (prevalence)".to_owned()];
    for (_, report) in reports {
        none.push(share(number(report, "/test/prevalence")?));
        none.extend(columns.blank());
    }
    rows.push(none);
    for name in &names {
        let mut row = vec![format!("`{name}`")];
        for (_, report) in reports {
            let models = list(report, "models")?;
            let model = models.iter().find(|model| text(model, "name").is_ok_and(|other| other == *name));
            row.extend(cells(model.ok_or_else(|| format!("no model {name}"))?, report, columns)?);
        }
        rows.push(row);
    }
    for (key, title) in [
        ("bayes_filter", "ceiling: Bayes filter, sees all metrics"),
        ("oracle", "ceiling: knows the hidden state, not the future"),
    ] {
        let bounds: Vec<Option<String>> = reports.iter().map(|(_, report)| bound(report, key)).collect();
        if bounds.iter().any(Option::is_some) {
            let mut row = vec![title.to_owned()];
            for bound in bounds {
                row.push(bound.unwrap_or_default());
                row.extend(columns.blank());
            }
            rows.push(row);
        }
    }
    let mut out = tested(reports)? + "\n\n";
    for row in rows {
        out.push('|');
        for cell in row {
            let space = if cell == "---" || cell.is_empty() { "" } else { " " };
            out.push_str(&format!("{space}{cell}{}|", if cell == "---" { "" } else { " " }));
        }
        out.push('\n');
    }
    Ok(format!("{out}\n{}\n", page::filled(&format!("Made by `{command}`."))))
}

impl Columns {
    /// Empty cells beside PR-AUC.
    fn blank(self) -> Vec<String> {
        let more = match self {
            Self::Areas => 0,
            Self::Ranking => 1,
            Self::Events => 3,
        };
        vec![String::new(); more]
    }
}

fn cells(model: &Value, report: &Value, columns: Columns) -> Result<Vec<String>, String> {
    let interval = match [end(model, "low"), end(model, "high")] {
        [Some(low), Some(high)] => format!(" ({} to {})", share(low), share(high)),
        _ => String::new(),
    };
    let mut cells = vec![share(number(model, "/pr_auc")?) + &interval];
    match columns {
        Columns::Areas => {}
        Columns::Ranking => cells.push(share(number(model, "/roc_auc")?)),
        Columns::Events => {
            const AT: &str = "/operation/headline/outcome";
            let all = number(report, "/test/episodes")?;
            let of = |caught: f64, rate: f64| format!("{caught:.0} of {all:.0} ({})", quantity(rate));
            let at = |name: &str| number(model, &format!("{AT}/{name}"));
            cells.push(of(at("episodes_caught")?, at("test_rate")?));
            cells.push(of(at("adaptive/episodes_caught")?, at("adaptive/test_rate")?));
            cells.push(of(
                number(model, "/episodes_caught")?,
                number(model, "/false_alarms_per_service_day")?,
            ));
        }
    }
    Ok(cells)
}

/// How much was tested, and how wide the intervals are.
fn tested(reports: &[(&str, Value)]) -> Result<String, String> {
    let mut sentences = Vec::new();
    for (heading, report) in reports {
        let widths = list(report, "models")?
            .iter()
            .filter_map(|model| Some((end(model, "high")? - end(model, "low")?) / 2.0));
        let widest = widths.fold(0.0, f64::max);
        let of = if heading.is_empty() { String::new() } else { format!(" ({heading})") };
        let (days, windows) = (number(report, "/test/service_days")?, number(report, "/test/windows")?);
        let (positive, failures) = (number(report, "/test/positives")?, number(report, "/test/episodes")?);
        sentences.push(format!(
            "Tested{of} on {days:.0} days of service time: {windows:.0} windows, {positive:.0} of them positive, \
             {failures:.0} failures.\nHalf of the widest interval is {}.",
            share(widest)
        ));
    }
    Ok(sentences.join("\n"))
}

/// The PR-AUC of a ceiling, and the failures that it rests on where these are not all.
fn bound(report: &Value, key: &str) -> Option<String> {
    let found = share(report.pointer(&format!("/ceiling/{key}/pr_auc"))?.as_f64()?);
    let seen = report.pointer("/ceiling_at_budgets/0/episodes").and_then(Value::as_u64);
    let all = report.pointer("/test/episodes").and_then(Value::as_u64);
    Some(match (seen, all) {
        (Some(seen), Some(all)) if seen < all => format!("{found}, on {seen} of the failures"),
        _ => found,
    })
}

fn end(model: &Value, end: &str) -> Option<f64> {
    model.pointer(&format!("/intervals/pr_auc/{end}")).and_then(Value::as_f64)
}

fn number(value: &Value, pointer: &str) -> Result<f64, String> {
    value
        .pointer(pointer)
        .and_then(Value::as_f64)
        .ok_or_else(|| format!("report.json has no number {pointer}"))
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    let found = value.get(key).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("report.json has no text {key}"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, String> {
    value.get(key).and_then(Value::as_array).ok_or_else(|| format!("report.json has no list {key}"))
}

/// As in print: .243, and .0095 for what would lose its digits.
fn share(value: f64) -> String {
    let digits = if value < 0.01 { 4 } else { 3 };
    let text = format!("{value:.digits$}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

fn quantity(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Value {
        json!({
            "test": {"prevalence": 0.0095, "episodes": 52, "service_days": 17.8, "windows": 25607, "positives": 242},
            "ceiling": {"oracle": {"pr_auc": 0.6432}, "bayes_filter": null},
            "ceiling_at_budgets": [{"episodes": 31}],
            "models": [
                {"name": "gru", "pr_auc": 0.43, "roc_auc": 0.76, "episodes_caught": 27,
                 "false_alarms_per_service_day": 1.71,
                 "operation": {"headline": {"outcome": {"episodes_caught": 9, "test_rate": 0.75, "adaptive": {"episodes_caught": 11, "test_rate": 1.0}}}}, "intervals": {"pr_auc": {"low": 0.3, "high": 0.5}}},
                {"name": "trend", "pr_auc": 0.044, "roc_auc": 0.5, "episodes_caught": 6,
                 "false_alarms_per_service_day": 22.0,
                 "operation": {"headline": {"outcome": {"episodes_caught": 0, "test_rate": 0.0, "adaptive": {"episodes_caught": 1, "test_rate": 0.9}}}}, "intervals": {"pr_auc": null}},
            ],
        })
    }

    #[test]
    fn a_report_is_a_row_a_model() {
        let found = table(&[("", report())], Columns::Events, "cargo run").unwrap();
        let expected = "\
Tested on 18 days of service time: 25607 windows, 242 of them positive, 52 failures.
Half of the widest interval is .100.

| model | PR-AUC (95 % interval) | failures detected at 1 false alarm a service and week (on test) | with a threshold that moves (on test) | at the best F1 (a day) |
|---|---|---|---|---|
| no-skill baseline (prevalence) | .0095 | | | |
| `gru` | .430 (.300 to .500) | 9 of 52 (0.8) | 11 of 52 (1.0) | 27 of 52 (1.7) |
| `trend` | .044 | 0 of 52 (0.0) | 1 of 52 (0.9) | 6 of 52 (22) |
| ceiling: knows the hidden state, not the future | .643, on 31 of the failures | | | |

Made by `cargo run`.
";
        assert_eq!(found, expected);
    }

    #[test]
    fn reports_stand_side_by_side() {
        let found = table(&[("active", report()), ("onset", report())], Columns::Areas, "x").unwrap();
        assert!(
            found.contains("| model | PR-AUC (95 % interval), active | PR-AUC (95 % interval), onset |"),
            "{found}"
        );
        assert!(found.contains("| `gru` | .430 (.300 to .500) | .430 (.300 to .500) |"), "{found}");
        let lacks = table(&[("", json!({"models": []}))], Columns::Areas, "x").unwrap_err();
        assert!(lacks.contains("/test/prevalence"), "{lacks}");
    }
}

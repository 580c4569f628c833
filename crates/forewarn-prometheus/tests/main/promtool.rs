//! Recipes, and quantiles, beside what Prometheus computes: `cargo xtask test` runs these where there is promtool.

mod cases;
mod quantiles;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forewarn_prometheus::{ExpositionWriter, FamilyKind, QuerySet, QuerySettings, Recipe, TextFormat};
use forewarn_schema::Schema;
use serde_json::{Value, json};

/// What a query has to give for one set of series.
struct Case {
    recipe: &'static str,
    /// What is special about the series.
    about: &'static str,
    /// Series and their values every 15 seconds, in promtool's notation.
    series: Vec<(String, &'static str)>,
    /// Metric, labels and value after ten minutes; none where the metric has to be missing.
    expected: Vec<(&'static str, &'static str, Option<f64>)>,
}

fn promtool() -> PathBuf {
    std::env::var_os("FOREWARN_PROMTOOL").map_or_else(|| "promtool".into(), PathBuf::from)
}

/// Runs promtool, and panics with what it says if it is not content.
#[expect(clippy::panic, reason = "a check of tests")]
fn run(arguments: &[&str], file: &Path) {
    let output = Command::new(promtool()).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("promtool cannot be started: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", said(&output.stdout), said(&output.stderr));
}

fn samples(labels: &str, value: Option<f64>) -> Value {
    match value {
        Some(value) => json!([{ "labels": labels, "value": value }]),
        None => json!([]),
    }
}

/// Sums of products differ in the last bit by the order of evaluation.
fn rounded(expression: &str) -> String {
    format!("round({expression}, 0.000001)")
}

#[expect(clippy::unwrap_used, reason = "a part of a test")]
fn test_of(case: &Case, set: &QuerySet) -> Value {
    let series: Vec<Value> =
        case.series.iter().map(|(series, values)| json!({ "series": series, "values": values })).collect();
    let mut tests = Vec::new();
    for &(metric, labels, value) in &case.expected {
        let (name, ceiling) = metric.strip_suffix("/ceiling").map_or((metric, false), |name| (name, true));
        let query = set.queries().iter().find(|query| query.metric == name).unwrap();
        let expression = if ceiling { query.ceiling.clone().unwrap() } else { query.expression.clone() };
        let expression = rounded(&expression);
        tests.push(json!({ "expr": expression, "eval_time": "10m", "exp_samples": samples(labels, value) }));
        if !ceiling {
            // The recording rule gives the same, under its name and labels alone.
            let recorded = rounded(&format!("forewarn:{name}"));
            tests
                .push(json!({ "expr": recorded, "eval_time": "10m", "exp_samples": samples(labels, value) }));
        }
    }
    json!({
        "interval": "15s",
        "name": format!("{}: {}", case.recipe, case.about),
        "input_series": series,
        "promql_expr_test": tests,
    })
}

#[test]
#[ignore = "needs promtool: run by cargo xtask test"]
fn recipes_give_what_was_worked_out_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    for recipe in cases::RECIPES {
        let set =
            Recipe::built_in(recipe).unwrap().queries(&Schema::v1(), &QuerySettings::default()).unwrap();
        let rules = folder.path().join(format!("{recipe}.rules.yml"));
        fs::write(&rules, set.to_rule_file()).unwrap();
        run(&["check", "rules"], &rules);
        let cases: Vec<Value> = cases::all()
            .iter()
            .filter(|case| case.recipe == *recipe)
            .map(|case| test_of(case, &set))
            .collect();
        assert!(!cases.is_empty(), "{recipe} has no case");
        let test = json!({ "rule_files": [rules], "evaluation_interval": "15s", "tests": cases });
        let file = folder.path().join(format!("{recipe}.test.yml"));
        fs::write(&file, test.to_string()).unwrap();
        run(&["test", "rules"], &file);
    }
}

#[test]
fn every_built_in_recipe_has_cases_for_each_of_its_metrics() {
    let cases = cases::all();
    for (name, _) in forewarn_prometheus::BUILT_IN {
        assert!(cases::RECIPES.contains(name), "{name}");
        for (metric, _) in Recipe::built_in(name).unwrap().metrics() {
            let tested = |case: &Case| {
                case.recipe == *name && case.expected.iter().any(|(tested, ..)| *tested == metric)
            };
            assert!(cases.iter().any(tested), "{name} has no case for {metric}");
        }
    }
}

#[test]
#[ignore = "needs promtool: run by cargo xtask test"]
fn text_that_is_written_passes_the_check_of_metrics() {
    let mut text = ExpositionWriter::new(TextFormat::Prometheus);
    text.family("forewarn_rows", FamilyKind::Counter, None, "Rows that were scored,\nby \"service\".")
        .unwrap();
    text.sample("_total", [("service", "shop/\"web\"\n")], 60.0, None).unwrap();
    let help = "Lead of detected failures.";
    text.family("forewarn_lead_seconds", FamilyKind::Histogram, Some("seconds"), help).unwrap();
    for (le, count) in [("60", 1.0), ("+Inf", 2.0)] {
        text.sample("_bucket", [("le", le)], count, None).unwrap();
    }
    text.sample("_count", [], 2.0, None).unwrap();
    text.sample("_sum", [], 400.5, None).unwrap();
    let mut child = Command::new(promtool())
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.finish().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

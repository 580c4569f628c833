//! What is asked of the metrics: what failing means, and what a prediction looks at and speaks about.

use crate::{
    error::{About, CliError},
    options::duration::Steps,
};
use clap::Args;
use forewarn::{
    core::{SMALL_FILE_BYTES, Target, read_text_file},
    eval::AlarmBudget,
    label::{Rule, RuleState},
    prelude::{FrameSet, Timestamp, WindowSpec},
    schema::Step,
};
use std::path::PathBuf;

/// The seed of every command that is not told another.
pub(crate) const SEED: u64 = 7;

/// What failing means.
#[derive(Args)]
#[command(next_help_heading = "Failures")]
pub(crate) struct RuleArgs {
    /// Failure rule: what counts as failing [default: error_rate >= 0.05 for 2 consecutive steps]
    #[arg(long, value_name = "RULE", conflicts_with_all = ["rule_file", "failure_column"])]
    pub(crate) rule: Option<Rule>,
    /// Failure rule as a TOML file, for rules that need more than a line
    #[arg(long, value_name = "FILE", conflicts_with = "failure_column")]
    pub(crate) rule_file: Option<PathBuf>,
}

impl RuleArgs {
    /// The rule; a failure column is one too.
    pub(crate) fn rule(&self, failure_column: Option<&str>) -> Result<Rule, CliError> {
        Ok(match (&self.rule, &self.rule_file, failure_column) {
            (Some(rule), _, _) => rule.clone(),
            (None, Some(path), _) => {
                Rule::from_toml(&read_text_file(path, SMALL_FILE_BYTES).about(path.display())?)
                    .about(path.display())?
            }
            (None, None, Some(column)) => Rule::outcome(column)?,
            (None, None, None) => Rule::v1(),
        })
    }
}

/// Refuses a rule on metrics that the data lack, with what to write for the ones that they have.
pub(crate) fn expect_applicable(rule: &Rule, frames: &FrameSet) -> Result<(), CliError> {
    let step = frames.layout().step();
    match RuleState::new(rule, frames.schema(), Timestamp::EPOCH, step) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(CliError::Failed(format!("the failure rule cannot be applied: {error}; {}", way_out(frames))))
        }
    }
}

/// How to say what failing means in these metrics.
pub(crate) fn way_out(frames: &FrameSet) -> String {
    let schema = frames.schema();
    // A column of nothing but 0 and 1 may say when the service was failing.
    let is_flag = |index: usize| {
        let mut values =
            frames.values().chunks_exact(schema.len()).map(|row| row[index]).filter(|value| !value.is_nan());
        values.all(|value| value == 0.0 || value == 1.0)
    };
    let flag = (0..schema.len()).find(|&index| is_flag(index));
    let metric = (0..schema.len()).find(|index| Some(*index) != flag);
    let name = |index: usize| schema.metrics()[index].name.as_str();
    let column = flag.map_or_else(|| "COLUMN".to_owned(), |index| failing(name(index)));
    let metric = metric.map_or_else(|| "METRIC".to_owned(), |index| quoted(name(index)));
    let otherwise =
        format!("--rule '{metric} >= LIMIT for 2 steps', or a 0/1 column as --failure-column '{column}'");
    match schema.names().find(|name| is_error_rate(name)) {
        Some(column) => {
            let unit = if column.contains('%') { " --unit error_rate=%" } else { "" };
            format!("give --rename '{column}=error_rate'{unit}, or {otherwise}")
        }
        None => format!("give {otherwise}"),
    }
}

/// A column that says when the service was failing, with the value that means so where it is called after being well.
fn failing(column: &str) -> String {
    const WELL: [&str; 8] = ["up", "healthy", "health", "ok", "available", "alive", "success", "ready"];
    let word = column.rsplit(['_', '.']).next().unwrap_or(column);
    let is_well = WELL.iter().any(|well| word.eq_ignore_ascii_case(well));
    if is_well { format!("{column} == 0") } else { column.to_owned() }
}

/// Whether a column holds the share of failed requests, by what it is called.
fn is_error_rate(column: &str) -> bool {
    let letters: String = column.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let letters = letters.strip_suffix("percent").unwrap_or(&letters);
    ["errorrate", "errorratio", "errorratepct", "errorpct", "errorpercentage"].contains(&letters)
}

/// A name as a rule has it.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// What a prediction looks at and speaks about.
#[derive(Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct WindowArgs {
    /// Length of the observation window: steps, or a duration such as 10m
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) observation: Steps,
    /// Time between the observation window and the prediction period: steps, or a duration
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) lead: Steps,
    /// Length of the prediction period: steps, or a duration
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) period: Steps,
}

impl WindowArgs {
    /// The same for the library, on data with rows `step` apart.
    pub(crate) fn spec(&self, step: Step) -> Result<WindowSpec, CliError> {
        let steps = |name: &str, steps: Steps| {
            steps.of(step).map_err(|error| CliError::usage(format!("--{name}: {error}")))
        };
        let observation = steps("observation", self.observation)?;
        WindowSpec::new(observation, steps("lead", self.lead)?, steps("period", self.period)?)
            .map_err(|error| CliError::usage(format!("--observation, --lead, --period: {error}")))
    }
}

/// False alarms that are accepted.
#[derive(Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct BudgetArgs {
    /// False alarms that are accepted per service, such as 1/week, 2/week or 1/day: thresholds are chosen by it
    #[arg(long, value_name = "N/UNIT", default_value = "1/week", value_parser = budget)]
    pub(crate) budget: AlarmBudget,
}

/// `1/week`, `2/day`.
fn budget(text: &str) -> Result<AlarmBudget, String> {
    const EXPECTED: &str = "expected a number above 0 for a time, such as 1/week, 2/week or 1/day";
    let (number, unit) = text.split_once('/').ok_or(EXPECTED)?;
    let a_week = match unit.trim() {
        "hour" | "h" => 168.0,
        "day" | "d" => 7.0,
        "week" | "w" => 1.0,
        // A month of 30 days.
        "month" => 7.0 / 30.0,
        _ => return Err(EXPECTED.to_owned()),
    };
    let per_service_week = number.trim().parse::<f64>().map_err(|_| EXPECTED)? * a_week;
    if !(per_service_week > 0.0 && per_service_week.is_finite()) {
        return Err(EXPECTED.to_owned());
    }
    Ok(AlarmBudget { per_service_week, ..AlarmBudget::default() })
}

/// What a positive label states.
#[derive(Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct TargetArgs {
    /// What is predicted. onset: a failure begins in the period; active: the rule is satisfied in it
    #[arg(long, value_name = "TARGET", default_value_t = Target::Onset)]
    pub(crate) target: Target,
}

#[cfg(test)]
mod tests {
    use super::{budget, failing, is_error_rate};

    #[test]
    fn columns_are_understood_by_what_they_are_called() {
        assert_eq!(["up", "probe_success", "label"].map(failing), ["up == 0", "probe_success == 0", "label"]);
        assert!(["Error Rate", "error_rate (%)", "errorRatio"].iter().all(|name| is_error_rate(name)));
        assert!(!["errors", "rate", "p99_latency"].iter().any(|name| is_error_rate(name)));
    }

    #[test]
    fn budgets_are_rates() {
        let rates =
            ["1/week", "2/week", "1/day", "0.5 / w"].map(|text| budget(text).unwrap().per_service_week);
        assert_eq!(rates, [1.0, 2.0, 7.0, 0.5]);
        for wrong in ["", "1", "0/week", "-1/day", "nan/day", "inf/week", "1/fortnight"] {
            assert!(budget(wrong).unwrap_err().contains("1/week"), "{wrong}");
        }
    }
}

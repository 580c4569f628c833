//! What a service's own failures so far say, as columns for models.

use crate::{LabelError, Rule, Verdict, Verdicts, watch::Watch};
use forewarn_core::{CoreError, Feature, FeatureState, Origin, restore_part, save_part};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Step, Unit, ValidRange};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The failures of a service so far: when the last one was, how many there were, and how often the rule's conditions
/// held of
/// late. A service that failed yesterday is more likely to fail today.
///
/// | column | meaning | missing |
/// |---|---|---|
/// | `failure_recency` | `ln(1 + minutes)` since the rule was last satisfied | before the first time |
/// | `failures_60`, `failures_360`, `failures_1440`, `failures_10080` | failures confirmed in the last hour, 6 hours, day, week | never |
/// | `violating_5`, `violating_30`, `violating_240` | share of the rows of the last 5, 30, 240 minutes in which a single condition of the rule held | where no row was decided |
///
/// Counts are of what has been seen: in the first week of a stream they count fewer days. A failure counts from the
/// row on that
/// confirms it, so nothing is told that a live service would not know. On a clock on which the rule cannot be
/// applied, all columns are
/// missing.
///
/// A saved state takes what the rule's takes, 8 bytes for each failure of the last week, and a byte for each row of
/// the last
/// four hours.
///
/// ```
/// use forewarn_core::{Feature, Origin};
/// use forewarn_label::{FailureHistory, Rule};
/// use forewarn_schema::{Metric, Schema, Step, Timestamp};
///
/// let rule: Rule = "error_rate >= 0.05 for 2 steps".parse()?;
/// let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
/// let history = FailureHistory::of(&rule, &schema).ok_or("the rule asks for an outcome")?;
/// let mut state = history.start(&schema, Origin { service: "shop", start: Timestamp::EPOCH, step: Step::MINUTE })?;
/// let mut columns = [0.0; 8];
/// for rate in [0.01, 0.06, 0.07, 0.02] {
///     state.push(&[rate], &mut columns);
/// }
/// // One failure, a minute ago, and half of the rows violating.
/// assert_eq!((columns[0], columns[1], columns[5]), (2.0f32.ln(), 1.0, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FailureHistory {
    rule: Rule,
}

pub(super) const KEY: &str = "failure_history";
/// Minutes over which failures are counted.
const COUNTED: [i64; 4] = [60, 360, 1440, 10_080];
/// Minutes over which violations are shared.
const SHARED: [i64; 3] = [5, 30, 240];
const COLUMNS: usize = 1 + COUNTED.len() + SHARED.len();

impl FailureHistory {
    /// Of the failures by `rule` in metrics of `schema`; `None` where the rule asks for an outcome, which a live
    /// service
    /// does not have.
    #[must_use]
    pub fn of(rule: &Rule, schema: &Schema) -> Option<Self> {
        let is_metric = |name: &str| {
            schema.metrics().iter().any(|metric| metric.name == name && metric.kind != Kind::Outcome)
        };
        let is_known = rule.when().metrics().into_iter().all(is_metric);
        is_known.then(|| Self { rule: rule.clone() })
    }

    /// From what [`Feature::saved`] gave; `None` for a feature of another kind.
    ///
    /// # Errors
    /// [`LabelError::UnreadableFile`] for a rule that cannot be read; those of its settings.
    pub fn from_saved(saved: &Value) -> Result<Option<Self>, LabelError> {
        let Some(rule) = saved.get(KEY) else { return Ok(None) };
        Ok(Some(Self { rule: Rule::from_json(&rule.to_string())? }))
    }
}

impl Feature for FailureHistory {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        for metric in self.rule.when().metrics() {
            input.index_of(metric)?;
        }
        let column = |name: String, range| Metric::new(name, Unit::Dimensionless, Kind::Gauge, range);
        let recency = column("failure_recency".to_owned(), ValidRange::NON_NEGATIVE);
        let counts = COUNTED.map(|minutes| column(format!("failures_{minutes}"), ValidRange::NON_NEGATIVE));
        let shares = SHARED.map(|minutes| column(format!("violating_{minutes}"), ValidRange::UNIT));
        Ok([recency].into_iter().chain(counts).chain(shares).collect())
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let step = origin.step;
        let watch = match Watch::new(self.rule.when(), self.rule.episodes(), input, step) {
            Ok(watch) => Some(watch),
            Err(CoreError::Schema(error)) => return Err(error),
            Err(_) => None,
        };
        let violations = Verdicts::of(&self.rule, input);
        let verdicts = violations.outputs(input)?.len();
        Ok(Box::new(State {
            watch,
            conditions: violations.start(input, origin)?,
            scratch: vec![0.0; verdicts],
            minutes_a_row: step.minutes(),
            counted: COUNTED.map(|minutes| rows(minutes, step)),
            shared: SHARED.map(|minutes| usize::try_from(rows(minutes, step)).unwrap_or(usize::MAX)),
            seen: Seen::default(),
        }))
    }

    fn saved(&self) -> Option<Value> {
        Some(json!({ KEY: serde_json::to_value(&self.rule).ok()? }))
    }
}

/// Rows of some minutes, at least one.
fn rows(minutes: i64, step: Step) -> u64 {
    u64::try_from(minutes.saturating_mul(60_000).div_euclid(step.millis())).unwrap_or(0).max(1)
}

/// The feature of a rule, where its history can be known.
pub(crate) fn of_rule(rule: &Rule, schema: &Schema) -> Option<Box<dyn Feature>> {
    FailureHistory::of(rule, schema).map(|history| Box::new(history) as Box<dyn Feature>)
}

#[derive(Clone, Debug)]
struct State {
    watch: Option<Watch>,
    conditions: Box<dyn FeatureState>,
    scratch: Vec<f32>,
    minutes_a_row: f64,
    counted: [u64; COUNTED.len()],
    shared: [usize; SHARED.len()],
    seen: Seen,
}

/// What is remembered of the rows so far.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Rows so far.
    rows: u64,
    /// The last row in which the rule was satisfied.
    satisfied: Option<u64>,
    /// Rows that confirmed a failure, of the last week.
    confirmed: VecDeque<u64>,
    /// Of the last rows: 0 where no condition held, 1 where one did, 2 where that is unknown.
    violations: VecDeque<u8>,
    /// Rows of each span that are decided, and those that violate.
    sums: [[u32; 2]; SHARED.len()],
}

impl Seen {
    /// Takes what the next row violates, by the code of `violations`.
    fn violate(&mut self, code: u8, spans: &[usize; SHARED.len()]) {
        let count = |sums: &mut [u32; 2], code: u8, up: bool| {
            let step = |sum: &mut u32, by: bool| {
                if by {
                    *sum = if up { *sum + 1 } else { sum.saturating_sub(1) };
                }
            };
            step(&mut sums[0], code < 2);
            step(&mut sums[1], code == 1);
        };
        self.violations.push_back(code);
        for (sums, &span) in self.sums.iter_mut().zip(spans) {
            count(sums, code, true);
            if let Some(gone) = self.violations.len().checked_sub(span + 1) {
                count(sums, self.violations[gone], false);
            }
        }
        let longest = spans.iter().copied().max().unwrap_or(0);
        if self.violations.len() > longest {
            self.violations.pop_front();
        }
    }
}

impl FeatureState for State {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        self.conditions.push(row, &mut self.scratch);
        let Some(watch) = &mut self.watch else {
            out.fill(f32::NAN);
            return;
        };
        let told = watch.push(row);
        // Final episodes are of no interest here, and must not pile up.
        watch.drain(&mut Vec::new(), &mut Vec::new());
        let (now, seen) = (self.seen.rows, &mut self.seen);
        seen.rows += 1;
        if told.verdict == Verdict::Yes {
            seen.satisfied = Some(now);
        }
        if told.confirmed.is_some() {
            seen.confirmed.push_back(now);
        }
        let longest = self.counted.iter().copied().max().unwrap_or(0);
        while seen.confirmed.front().is_some_and(|&row| now - row >= longest) {
            seen.confirmed.pop_front();
        }
        let code = if self.scratch.contains(&1.0) {
            1
        } else if self.scratch.iter().any(|verdict| verdict.is_nan()) {
            2
        } else {
            0
        };
        seen.violate(code, &self.shared);
        let recency = |row| ((now - row) as f64 * self.minutes_a_row).ln_1p() as f32;
        out[0] = seen.satisfied.map_or(f32::NAN, recency);
        for (out, &rows) in out[1..].iter_mut().zip(&self.counted) {
            let before = seen.confirmed.partition_point(|&row| now - row >= rows);
            *out = (seen.confirmed.len() - before) as f32;
        }
        for (out, [decided, violating]) in out[1 + COUNTED.len()..COLUMNS].iter_mut().zip(seen.sums) {
            *out = if decided > 0 { (f64::from(violating) / f64::from(decided)) as f32 } else { f32::NAN };
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        let Seen { rows, satisfied, confirmed, violations, .. } = &self.seen;
        save_part(&(rows, satisfied, confirmed, violations), out)?;
        self.conditions.save(out)?;
        self.watch.as_ref().map_or(Ok(()), |watch| watch.save(out))
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (rows, satisfied, confirmed, violations): (u64, Option<u64>, VecDeque<u64>, VecDeque<u8>) =
            restore_part(&mut rest)?;
        let longest = self.shared.iter().copied().max().unwrap_or(0);
        let in_order = confirmed.iter().zip(confirmed.iter().skip(1)).all(|(a, b)| a < b);
        let within = satisfied.iter().chain(confirmed.back()).all(|&row| row < rows);
        let as_many = (violations.len() as u64) == rows.min(longest as u64);
        if !(in_order && within && as_many && violations.iter().all(|&code| code <= 2)) {
            return Err(CoreError::damaged_state("its failures are not of the rows that it has seen"));
        }
        let mut conditions = self.conditions.clone();
        conditions.restore(&mut rest)?;
        let watch = self.watch.as_ref().map(|watch| watch.restored(&mut rest)).transpose()?;
        if watch.as_ref().is_some_and(|watch| watch.rows() as u64 != rows) {
            return Err(CoreError::damaged_state("its rule has seen another number of rows"));
        }
        let sums = self.shared.map(|span| {
            let last = violations.iter().rev().take(span);
            let (decided, violating): (Vec<_>, Vec<_>) =
                (last.clone().filter(|code| **code < 2).collect(), last.filter(|code| **code == 1).collect());
            [decided.len() as u32, violating.len() as u32]
        });
        self.seen = Seen { rows, satisfied, confirmed, violations, sums };
        (self.conditions, self.watch, *from) = (conditions, watch, rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::Registry;
    use forewarn_core::conformance;
    use forewarn_schema::{Frame, Timestamp};
    use proptest::prelude::*;

    fn schema() -> Schema {
        Schema::new(vec![Metric::gauge("error_rate")]).unwrap()
    }

    fn history() -> FailureHistory {
        FailureHistory::of(&"error_rate >= 0.05 for 2 steps".parse().unwrap(), &schema()).unwrap()
    }

    fn frame(rates: Vec<f32>) -> Frame {
        Frame::new("shop", schema(), Timestamp::EPOCH, Step::MINUTE, rates).unwrap()
    }

    fn columns(rates: &[f32]) -> Vec<Vec<f32>> {
        let frame = frame(rates.to_vec());
        let mut state = history().start(&schema(), frame.view().into()).unwrap();
        let row = |rate: &f32| {
            let mut out = vec![9.0; COLUMNS];
            state.push(&[*rate], &mut out);
            out
        };
        rates.iter().map(row).collect()
    }

    #[test]
    fn failures_are_counted_until_they_are_too_long_ago() {
        let mut rates = vec![0.0; 500];
        for onset in [10, 100] {
            rates[onset] = 0.5;
            rates[onset + 1] = 0.5;
        }
        // One bad minute is a violation, not a failure.
        rates[300] = 0.5;
        let found = columns(&rates);
        assert!(found[10][0].is_nan() && found[10][1] == 0.0, "one bad minute is not confirmed");
        assert_eq!((found[11][0], found[11][1]), (0.0, 1.0));
        assert_eq!((found[70][1], found[71][1], found[71][2]), (1.0, 0.0, 1.0));
        assert_eq!((found[101][1], found[101][2], found[101][3]), (1.0, 2.0, 2.0));
        assert_eq!(found[311][0], 211.0f32.ln());
        assert_eq!((found[300][5], found[304][5], found[305][5]), (0.2, 0.2, 0.0));
        assert!((found[300][7] - 3.0 / 240.0).abs() < 1e-6, "{:?}", found[300]);
    }

    #[test]
    fn unknown_rows_are_no_violation_and_no_proof_of_health() {
        let nan = f32::NAN;
        let found = columns(&[nan, nan, 0.5, nan, 0.0]);
        assert!(found[1][5].is_nan());
        assert_eq!((found[2][5], found[3][5], found[4][5]), (1.0, 1.0, 0.5));
    }

    #[test]
    fn what_is_saved_is_read_again() {
        let registry = crate::register(Registry::new());
        let saved = history().saved().unwrap();
        assert_eq!(registry.feature(&saved).unwrap().saved().unwrap(), saved);
        assert!(registry.feature(&json!({ KEY: { "when": 7 } })).is_err());
        let outcome = Schema::new(vec![Metric::outcome("failed")]).unwrap();
        assert!(FailureHistory::of(&Rule::outcome("failed").unwrap(), &outcome).is_none());
    }

    proptest! {
        #[test]
        fn it_keeps_the_laws_of_features(rates in proptest::collection::vec(
            prop_oneof![3 => 0.0f32..0.04, 2 => 0.05f32..1.0, 1 => Just(f32::NAN)], 1..400,
        )) {
            conformance::feature(&history(), frame(rates).view())?;
        }

        /// What the future holds changes no column.
        #[test]
        fn later_rows_change_nothing(
            rates in proptest::collection::vec(prop_oneof![0.0f32..0.04, 0.05f32..1.0], 2..300),
            cut in 0.0f64..1.0,
        ) {
            let cut = ((rates.len() as f64 * cut) as usize).min(rates.len() - 1);
            let mut other = rates.clone();
            other[cut..].reverse();
            let bits = |found: Vec<Vec<f32>>| -> Vec<Vec<u32>> {
                found[..cut].iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
            };
            prop_assert_eq!(bits(columns(&rates)), bits(columns(&other)));
        }
    }
}

//! What a rule says of each row, as columns for models.

use crate::{Condition, LabelError, Rule, Verdict, error::refuse_unless, watch::node::Node};
use forewarn_core::{CoreError, Feature, FeatureState, Origin};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Step, Unit, ValidRange};
use serde_json::{Value, json};

/// The verdicts of a rule's single conditions on each row, as columns named `verdict(error_rate >= 0.05)`: 1 where it
/// holds, 0 where not, NaN where it is unknown. Conditions that read alike are numbered: `verdict(…) 2`.
///
/// A failure rule has hard limits, and a model that bends smoothly, such as a network, takes failures by the thousand
/// to learn where they lie. With these columns it is told. They look at no later row, so they give nothing away that
/// a live service would not know.
///
/// Conditions are single when they are joined of no others: comparisons, [`Condition::Absent`],
/// [`Condition::Significant`]. How they are joined and sustained is left to the model, which sees some minutes of
/// them. Those that ask for an outcome are left out: that is the answer.
///
/// A saved state takes nothing for a condition on a row alone, at most 20 bytes a row of a mean, 9 a row of a change or
/// quantile, and 29 a row of a season.
///
/// ```
/// use forewarn_core::{Feature, Origin};
/// use forewarn_label::{Rule, Verdicts};
/// use forewarn_schema::{Metric, Schema, Step, Timestamp};
///
/// let rule: Rule = "error_rate >= 0.05 for 2 steps".parse()?;
/// let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
/// let verdicts = Verdicts::of(&rule, &schema);
/// assert_eq!(verdicts.outputs(&schema)?[0].name, "verdict(error_rate >= 0.05)");
///
/// let origin = Origin { service: "shop", start: Timestamp::EPOCH, step: Step::MINUTE };
/// let mut minutes = verdicts.start(&schema, origin)?;
/// let mut say = |rate: f32| {
///     let mut verdict = [0.0];
///     minutes.push(&[rate], &mut verdict);
///     verdict[0]
/// };
/// assert_eq!((say(0.01), say(0.06)), (0.0, 1.0));
/// assert!(say(f32::NAN).is_nan());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    conditions: Vec<Condition>,
}

pub(super) const KEY: &str = "verdicts";

impl Verdicts {
    /// Of the conditions of `rule`, each once, for metrics of `schema`. There may be none.
    #[must_use]
    pub fn of(rule: &Rule, schema: &Schema) -> Self {
        let is_outcome = |name: &str| {
            schema.metrics().iter().any(|metric| metric.name == name && metric.kind == Kind::Outcome)
        };
        let mut conditions: Vec<Condition> = Vec::new();
        for condition in rule.when().singles() {
            if !conditions.contains(condition) && !condition.metrics().into_iter().any(is_outcome) {
                conditions.push(condition.clone());
            }
        }
        Self { conditions }
    }

    /// Whether there is no column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// From what [`Feature::saved`] gave; `None` for a feature of another kind.
    ///
    /// # Errors
    /// [`LabelError::UnreadableFile`] for a condition that cannot be read, [`LabelError::InvalidField`] for one that
    /// makes no sense, is joined of others, or is there twice.
    pub fn from_saved(saved: &Value) -> Result<Option<Self>, LabelError> {
        let Some(conditions) = saved.get(KEY) else { return Ok(None) };
        let conditions: Vec<Condition> = serde_path_to_error::deserialize(conditions).map_err(|error| {
            let field = format!("{KEY}{}", error.path());
            let reason = error.into_inner().to_string();
            LabelError::UnreadableFile { what: "failure rule", format: "JSON", field, reason }
        })?;
        for (index, condition) in conditions.iter().enumerate() {
            let field = format!("{KEY}[{index}]");
            condition.check(&field)?;
            let is_new_and_single =
                condition.singles() == [condition] && !conditions[..index].contains(condition);
            refuse_unless(is_new_and_single, &field, &condition.to_string(), "one that is not joined, once")?;
        }
        Ok(Some(Self { conditions }))
    }

    fn nodes(&self, input: &Schema, step: Step) -> Result<Vec<Node>, SchemaError> {
        let node = |condition: &Condition| match condition {
            Condition::Compare(compare) => Some(Node::compare(compare, input, step)),
            Condition::Absent(metric) => Some(Node::absent(metric, input)),
            Condition::Significant(significant) => Some(Node::significant(significant, input)),
            // Joined ones are never kept.
            _ => None,
        };
        self.conditions.iter().filter_map(node).collect()
    }
}

impl Feature for Verdicts {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        for metric in self.conditions.iter().flat_map(Condition::metrics) {
            input.index_of(metric)?;
        }
        let sentences: Vec<String> = self.conditions.iter().map(Condition::to_string).collect();
        let column = |(index, sentence): (usize, &String)| {
            // Sentences leave out what is seldom said, so two conditions may read alike.
            let name = match sentences[..index].iter().filter(|earlier| *earlier == sentence).count() {
                0 => format!("verdict({sentence})"),
                earlier => format!("verdict({sentence}) {}", earlier + 1),
            };
            Metric::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::UNIT)
        };
        Ok(sentences.iter().enumerate().map(column).collect())
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(State { nodes: self.nodes(input, origin.step)? }))
    }

    fn saved(&self) -> Option<Value> {
        Some(json!({ KEY: self.conditions }))
    }
}

#[derive(Clone, Debug)]
struct State {
    nodes: Vec<Node>,
}

impl FeatureState for State {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        for (node, out) in self.nodes.iter_mut().zip(out) {
            // Conditions that are not sustained do not ask which row it is.
            *out = match node.push(0, row).verdict() {
                Verdict::Yes => 1.0,
                Verdict::No => 0.0,
                Verdict::Unknown => f32::NAN,
            };
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.nodes.iter().try_for_each(|node| node.save(out))
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let (mut nodes, mut rest) = (self.nodes.clone(), *from);
        // Conditions that are not sustained do not ask how many rows they have seen.
        nodes.iter_mut().try_for_each(|node| node.restore(0, &mut rest))?;
        (self.nodes, *from) = (nodes, rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mean, Measure, Normal, RuleState, Span, strategies};
    use forewarn_core::FailureRule;
    use forewarn_schema::Timestamp;
    use proptest::prelude::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Metric::gauge("error_rate"),
            Metric::gauge("cpu"),
            Metric::gauge("requests"),
            Metric::outcome("failed"),
        ])
        .unwrap()
    }

    fn columns(verdicts: &Verdicts, schema: &Schema, rows: &[&[f32]]) -> Vec<Vec<f32>> {
        let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut state = verdicts.start(schema, origin).unwrap();
        let width = verdicts.outputs(schema).unwrap().len();
        let row = |row: &&[f32]| {
            let mut out = vec![7.0; width];
            state.push(row, &mut out);
            out
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn every_single_condition_has_one_column_and_outcomes_none() {
        let erring = Measure::metric("error_rate").at_least(0.05);
        let busy = Measure::metric("cpu").above(Normal::median(Span::minutes(3)).times(2.0));
        let seen = Measure::metric("failed").at_least(1.0);
        let all = erring.clone().lasting(Span::steps(2)).or(erring.and(busy.negated())).or(seen);
        let rule = Rule::new(all.or(Condition::absent("requests"))).unwrap();
        let verdicts = Verdicts::of(&rule, &schema());
        let names: Vec<String> =
            verdicts.outputs(&schema()).unwrap().into_iter().map(|metric| metric.name).collect();
        assert_eq!(
            names,
            [
                "verdict(error_rate >= 0.05)",
                "verdict(cpu > 2 times its median of the last 3 min)",
                "verdict(requests is absent)"
            ]
        );
        let nan = f32::NAN;
        let rows: [&[f32]; 4] =
            [&[0.04, 1.0, 5.0, 1.0], &[0.05, 1.0, nan, 1.0], &[nan, 3.0, 5.0, 0.0], &[0.5, 2.0, 5.0, 0.0]];
        let got = columns(&verdicts, &schema(), &rows);
        let expected: [&[f32]; 4] = [&[0.0, nan, 0.0], &[1.0, nan, 1.0], &[nan, 1.0, 0.0], &[1.0, 0.0, 0.0]];
        for (got, expected) in got.iter().zip(expected) {
            let same = got.iter().zip(expected).all(|(a, b)| a == b || a.is_nan() && b.is_nan());
            assert!(same, "{got:?} {expected:?}");
        }
    }

    #[test]
    fn an_outcome_alone_gives_nothing_and_what_is_missing_is_named() {
        assert!(Rule::outcome("failed").unwrap().verdicts(&schema()).is_none());
        let threshold = Rule::v1().as_threshold().unwrap();
        assert_eq!(threshold.verdicts(&schema()).unwrap().outputs(&schema()).unwrap().len(), 1);
        let other = Schema::new(vec![Metric::gauge("cpu")]).unwrap();
        let error = Rule::v1().verdicts(&other).unwrap().outputs(&other).unwrap_err();
        assert!(matches!(error, SchemaError::UnknownMetric { name, .. } if name == "error_rate"));
    }

    #[test]
    fn what_no_rule_says_is_not_read() {
        for wrong in [
            json!({"verdicts": [{"frequent": {"of": "cpu > 1", "times": 0, "within": "2 steps"}}]}),
            json!({"verdicts": ["cpu above 1"]}),
            json!({"verdicts": [{"all": ["cpu > 1", "cpu < 3"]}]}),
            json!({"verdicts": [{"not": "cpu > 1"}]}),
        ] {
            let error = Verdicts::from_saved(&wrong).unwrap_err().to_string();
            assert!(error.contains("verdicts[0]"), "{error}");
        }
        let twice = json!({"verdicts": ["cpu > 1", "cpu > 1"]});
        assert!(Verdicts::from_saved(&twice).unwrap_err().to_string().contains("verdicts[1]"));
        assert_eq!(Verdicts::from_saved(&json!("metrics")).unwrap(), None);
    }

    #[test]
    fn conditions_that_read_alike_have_columns_of_their_own() {
        let mean = |known: f32| {
            let over = Span::minutes(5);
            let mean = Mean { of: "cpu".to_owned(), weighted_by: None, over, known: known.into() };
            Measure::Mean(mean).above(0.9)
        };
        let rule = Rule::new(mean(0.5).or(mean(1.0)).or(mean(0.5))).unwrap();
        let names = Verdicts::of(&rule, &schema()).outputs(&schema()).unwrap();
        let names: Vec<&str> = names.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names.len(), 2);
        assert_eq!(names[1], format!("{} 2", names[0]));
    }

    proptest! {
        /// A state that is saved in any row and restored goes on as if it had not stopped; no damage makes it panic.
        #[test]
        fn a_restored_state_goes_on(
            rule in strategies::rule(strategies::Kinds::Any), rows in proptest::collection::vec(strategies::row(), 0..40),
            stop in any::<prop::sample::Index>(), damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 4),
        ) {
            let (schema, stop) = (strategies::schema(), stop.index(rows.len() + 1));
            let verdicts = Verdicts::of(&rule, &schema);
            let width = verdicts.outputs(&schema).unwrap().len();
            let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
            let push = |state: &mut dyn FeatureState, row: &[f32]| {
                let mut out = vec![7.0f32; width];
                state.push(row, &mut out);
                out.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
            };
            let mut state = verdicts.start(&schema, origin).unwrap();
            rows[..stop].iter().for_each(|row| drop(push(&mut *state, row)));
            let mut saved = Vec::new();
            state.save(&mut saved).unwrap();
            let mut restored = verdicts.start(&schema, origin).unwrap();
            let mut from = &saved[..];
            restored.restore(&mut from).unwrap();
            prop_assert!(from.is_empty());
            for (at, value) in damage.iter().filter(|_| !saved.is_empty()) {
                let (mut changed, at) = (saved.clone(), at.index(saved.len()));
                changed[at] = *value;
                for mut bytes in [&changed[..], &saved[..at]] {
                    let mut other = restored.clone();
                    if other.restore(&mut bytes).is_ok() {
                        rows.iter().for_each(|row| drop(push(&mut *other, row)));
                    }
                }
            }
            for row in &rows[stop..] {
                prop_assert_eq!(push(&mut *restored, row), push(&mut *state, row));
            }
        }

        /// The columns are what each condition, as a rule of its own, says on a stream; saved, they say the same.
        #[test]
        fn columns_are_the_verdicts_of_rules(
            rule in strategies::rule(strategies::Kinds::Any), rows in proptest::collection::vec(strategies::row(), 0..40)
        ) {
            let schema = strategies::schema();
            let verdicts = Verdicts::of(&rule, &schema);
            let read = Verdicts::from_saved(&verdicts.saved().unwrap()).unwrap().unwrap();
            prop_assert_eq!(&read, &verdicts);
            let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
            let outputs = read.outputs(&schema).unwrap();
            prop_assert!(outputs.is_empty() || Schema::new(outputs).is_ok(), "each name once");
            let got = columns(&read, &schema, &rows);
            for (column, condition) in verdicts.conditions.iter().enumerate() {
                let alone = Rule::new(condition.clone()).unwrap();
                let mut stream = RuleState::new(&alone, &schema, Timestamp::EPOCH, Step::MINUTE).unwrap();
                for (row, got) in rows.iter().zip(&got) {
                    let expected = match stream.push(row).unwrap().verdict {
                        Verdict::Yes => 1.0,
                        Verdict::No => 0.0,
                        Verdict::Unknown => -1.0,
                    };
                    let got = if got[column].is_nan() { -1.0 } else { got[column] };
                    prop_assert_eq!(got, expected, "{}", condition);
                }
            }
        }
    }
}

//! Conditions as sentences: printed for people, and read back where a sentence says it all.

use crate::{
    Compare, Comparison, Condition, Frequent, LabelError, Limit, Measure, Significant, Span, Sustained,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Conditions between a word such as `and`, those that are more than one comparison in brackets.
fn joined(f: &mut fmt::Formatter<'_>, conditions: &[Condition], word: &str) -> fmt::Result {
    for (index, condition) in conditions.iter().enumerate() {
        match index {
            0 => {}
            _ if conditions.iter().all(is_atom) => write!(f, " {word} ")?,
            _ => write!(f, ", {word} ")?,
        }
        match condition {
            Condition::All(_) | Condition::Any(_) => write!(f, "({condition})")?,
            _ => write!(f, "{condition}")?,
        }
    }
    Ok(())
}

/// Whether "for 5 min" after it leaves no doubt what lasts so long.
fn is_atom(condition: &Condition) -> bool {
    matches!(
        condition,
        Condition::Compare(_) | Condition::Absent(_) | Condition::Significant(_) | Condition::Not(_)
    )
}

fn bracketed(f: &mut fmt::Formatter<'_>, condition: &Condition) -> fmt::Result {
    if is_atom(condition) { write!(f, "{condition}") } else { write!(f, "({condition})") }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(Compare { measure, is, limit }) => write!(f, "{measure} {is} {limit}"),
            Self::Absent(metric) => write!(f, "{metric} is absent"),
            Self::Significant(Significant { rate, events, limit, confidence }) => write!(
                f,
                "{rate} of {events} is above {limit} by more than chance explains (confidence {confidence})"
            ),
            Self::All(all) => joined(f, all, "and"),
            Self::Any(any) => joined(f, any, "or"),
            Self::Not(of) => write!(f, "not ({of})"),
            Self::Sustained(Sustained { of, lasting }) => {
                bracketed(f, of)?;
                match lasting {
                    Span::Steps(1) => Ok(()),
                    Span::Steps(count) => write!(f, " for {count} consecutive steps"),
                    Span::Seconds(_) => write!(f, " for {lasting}"),
                }
            }
            Self::Frequent(Frequent { of, times, within: Span::Steps(steps) }) => {
                bracketed(f, of)?;
                write!(f, " in {times} of {steps} steps")
            }
            Self::Frequent(Frequent { of, times, within }) => {
                bracketed(f, of)?;
                write!(f, " in {times} steps of {within}")
            }
        }
    }
}

/// Reads the sentences of single comparisons: `p99_latency > 500`, `error_rate >= 0.05 for 2 consecutive steps`
/// (`consecutive` may be left out), `cpu_usage >= 0.9 for 5 min`, `request_count is absent for 3 steps`.
impl FromStr for Condition {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let unreadable =
            |reason: &str| LabelError::UnreadableRule { text: text.to_owned(), reason: reason.to_owned() };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (head, tail) = words.split_at(words.len().min(3));
        let condition = match *head {
            [metric, "is", "absent"] => Self::absent(metric),
            [metric, comparison, limit] => {
                let is: Comparison =
                    comparison.parse().map_err(|error: LabelError| unreadable(&error.to_string()))?;
                let limit: f32 = limit.parse().map_err(|_| unreadable(&format!("{limit:?} is no number")))?;
                if !limit.is_finite() {
                    return Err(LabelError::InvalidLimit { metric: metric.to_owned(), limit });
                }
                Measure::metric(metric).compare(is, limit)
            }
            _ => {
                return Err(unreadable(
                    "expected METRIC >= LIMIT, METRIC >= LIMIT for SPAN, or METRIC is absent",
                ));
            }
        };
        let span = match *tail {
            [] => return Ok(condition),
            ["for", span] => span.to_owned(),
            ["for", count, unit] | ["for", count, "consecutive", unit @ ("step" | "steps")] => {
                format!("{count} {unit}")
            }
            _ => {
                return Err(unreadable(
                    "after the limit, expected for SPAN, such as for 2 steps or for 5 min",
                ));
            }
        };
        Ok(condition.lasting(span.parse()?))
    }
}

impl Serialize for Condition {
    /// A string where reading the sentence gives the condition back, a table with one key otherwise.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = if let Self::Sustained(Sustained { of, .. }) = self { of } else { self };
        let is_simple = match of {
            Self::Compare(compare) => {
                matches!((&compare.measure, &compare.limit), (Measure::Metric(_), Limit::Number(_)))
            }
            Self::Absent(_) => true,
            _ => false,
        };
        let sentence = is_simple.then(|| self.to_string());
        match sentence.filter(|text| text.parse().is_ok_and(|read: Self| read == *self)) {
            Some(text) => serializer.serialize_str(&text),
            None => Self::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SentenceOrTable;
        impl<'de> de::Visitor<'de> for SentenceOrTable {
            type Value = Condition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a sentence such as \"error_rate >= 0.05 for 2 steps\", or a table with one of compare, absent, \
                     significant, all, any, not, sustained, frequent",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Condition, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, table: A) -> Result<Condition, A::Error> {
                Condition::deserialize(de::value::MapAccessDeserializer::new(table))
            }
        }
        deserializer.deserialize_any(SentenceOrTable)
    }
}

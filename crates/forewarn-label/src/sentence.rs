//! Conditions as sentences: printed for people, and read back where a sentence says it all.

use crate::{Compare, Condition, Frequent, LabelError, Limit, Measure, Significant, Span, Sustained};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};
use token::named;

mod parse;
pub(crate) mod token;

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
            Self::Absent(metric) => write!(f, "{} is absent", named(metric)),
            Self::Significant(Significant { rate, events, limit, confidence }) => write!(
                f,
                "{} of {} is above {limit} by more than chance explains (confidence {confidence})",
                named(rate),
                named(events)
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

/// Reads a condition from a sentence: comparisons of a metric (or a mean, a change, a ratio, a ratio of increases)
/// with a number or with its normal, joined by `and`, `or`, `not` and brackets, each lasting `for` a span or held
/// `in` a number of steps of one. Blanks may be left out beside signs, names with blanks or signs stand in double
/// quotes. `%` divides by 100; `ms`, `s` and `min` become milliseconds, the unit of latencies.
///
/// ```
/// use forewarn_label::Rule;
///
/// for text in [
///     "error_rate>=5% for 2 steps",
///     "p99_latency > 0.5 s for 5 min or error_rate >= 2% and request_count >= 1000",
///     "\"error rate (%)\" >= 5 for 2 steps",
///     "request_count == 0 while it was not within 2 h",
///     "error_rate is unknown for 3 steps",
///     "increase of errors_total / increase of requests_total over 5 min > 0.05",
///     "p99_latency > 3 times its median of the last 1 h",
///     "not (cpu_usage < 0.9) in 3 of 5 steps",
/// ] {
///     text.parse::<Rule>()?;
/// }
/// let error = "error_rate >> 5".parse::<Rule>().unwrap_err().to_string();
/// assert!(error.ends_with("at character 12: found \">>\", expected >=, >, <=, <, ==, != or is absent"), "{error}");
/// # Ok::<(), forewarn_label::LabelError>(())
/// ```
impl FromStr for Condition {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        parse::condition(text)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Normal, Rule};

    fn read(text: &str) -> Condition {
        match text.parse() {
            Ok(condition) => condition,
            Err(error) => panic!("{text}: {error}"),
        }
    }

    #[test]
    fn people_write_rules_in_many_ways() {
        let rate = |limit: f32| Measure::metric("error_rate").at_least(limit);
        for (text, expected) in [
            ("error_rate>=0.05 for 2 steps", rate(0.05).lasting(Span::steps(2))),
            ("error_rate >= 5% for 2 consecutive steps", rate(0.05).lasting(Span::steps(2))),
            ("error_rate >= 0.62 %", rate(0.0062)),
            ("p99_latency>500ms", Measure::metric("p99_latency").above(500.0)),
            (
                "p99_latency > 0.5 s for 5min",
                Measure::metric("p99_latency").above(500.0).lasting(Span::minutes(5)),
            ),
            ("p99_latency > 1 min", Measure::metric("p99_latency").above(60_000.0)),
            ("up == 0", Measure::metric("up").equal_to(0.0)),
            ("up != 1", Measure::metric("up").different_from(1.0)),
            ("x >= -1e-3", Measure::metric("x").at_least(-0.001)),
            ("x is unknown for 3 steps", Condition::absent("x").lasting(Span::steps(3))),
            ("x is missing", Condition::absent("x")),
            ("\"error rate (%)\" >= 5", Measure::metric("error rate (%)").at_least(5.0)),
            ("\"say \\\"x\\\" \\\\\" < 1", Measure::metric("say \"x\" \\").below(1.0)),
            ("not (x > 1)", Measure::metric("x").above(1.0).negated()),
            ("a / b >= 0.5", Measure::ratio("a", "b").at_least(0.5)),
            ("a/b >= 0.5", Measure::metric("a/b").at_least(0.5)),
            (
                "x > 3 times its median of the last 1 h plus 2",
                Measure::metric("x").above(Normal::median(Span::hours(1)).times(3.0).plus(2.0)),
            ),
            ("x > 1 in 3 of 5 steps", Measure::metric("x").above(1.0).frequent(3, Span::steps(5))),
            ("x > 1 in 3 steps of 1 h", Measure::metric("x").above(1.0).frequent(3, Span::hours(1))),
            (
                "increase of e / increase of r over 5 min > 5%",
                Measure::increase_ratio("e", "r", Span::minutes(5)).above(0.05),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
            assert_eq!(read(&expected.to_string()), expected, "{expected}");
        }
    }

    #[test]
    fn and_binds_closer_than_or_and_for_closest() {
        let above = |metric: &str| Measure::metric(metric).above(1.0);
        let expected = above("a").or(above("b").and(above("c").lasting(Span::steps(2))));
        assert_eq!(read("a > 1 or b > 1 and c > 1 for 2 steps"), expected);
        let expected = above("a").or(above("b")).and(above("c")).lasting(Span::steps(2));
        assert_eq!(read("((a > 1 or b > 1) and c > 1) for 2 steps"), expected);
        // As rules are printed.
        let text = "p99_latency > 3 times its median of the last 1 h for 5 min, or (error_rate >= 0.05 and request_count >= 20) for 2 consecutive steps";
        assert_eq!(read(text).to_string(), text);
    }

    #[test]
    fn total_outages_have_a_sentence() {
        let rule: Rule = "request_count == 0 while it was not for 2 steps".parse().unwrap();
        let before = |within| Normal::mean(within).with_known_share(0.0);
        let requests = || Measure::metric("request_count");
        let gone = |within| requests().equal_to(0.0).and(requests().below(before(within)));
        assert_eq!(*rule.when(), gone(Span::hours(1)).lasting(Span::steps(2)));
        let longer = read("request_count == 0 while it was not within 1 d");
        assert_eq!(longer, gone(Span::days(1)));
        assert!("x > 3 while it was not".parse::<Condition>().is_err());
    }

    #[test]
    fn errors_point_at_the_place() {
        let says = |text: &str, expected: &str| {
            let error = text.parse::<Condition>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        says("p99_latency > fast", "at character 15: found \"fast\", expected a number");
        says("error rate (%) >= 5", "at character 7: found \"rate\", expected >=, >, <=, <, ==, !=");
        says("x >= 3 for 3", "at the end: the sentence ends, expected a unit: steps, s, min, h or d");
        says("x >= 3 for 3 fortnights", "found \"fortnights\", expected a unit");
        says("x >= 3 for two steps", "found \"two\", expected a span");
        says("x >= 3 for 0 steps", "found \"0\", expected a span");
        says("x >= 3 or 4", "at the end: the sentence ends, expected >=");
        says("x >= 3 x", "at character 8: found \"x\", expected and, or, for SPAN, or the end");
        says("x >= 5 kg", "found \"kg\"");
        says("x >= 5kg", "at character 6: found the unit \"kg\", expected %, ms, s, min or none");
        says("(x > 1", "at the end: the sentence ends, expected and, or, for SPAN, or a closing bracket");
        says("\"x > 1", "at character 1: the quote that begins here is not closed");
        says("x > 1e99", "too large");
        says("größe > > 1", "at character 9: found \">\", expected a number");
        says("", "at the end: the sentence ends, expected the name of a metric");
        says(&"(".repeat(100_000), "no more than 64 brackets");
    }
}

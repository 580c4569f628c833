//! Strategies for property tests: rules of any shape, and frames on which they have something to find.

use crate::{
    Compare, Comparison, Condition, Limit, Mean, Measure, Normal, NormalStatistic, Number, Quantile, Rule,
    Season, Shape, Span,
};
use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};
use proptest::{collection::vec, prelude::*};

/// The metrics of [`frame`]: two gauges, a share, and a count of events that it is a share of.
pub const METRICS: [&str; 4] = ["a", "b", "share", "events"];

/// Whether conditions may look at more than the constants and the rows that they name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kinds {
    /// Every kind of condition.
    Any,
    /// No [`Condition::Absent`], no ratio of increases, and means and normals from complete rows only: conditions for
    /// which a missing sample can only ever take failures away.
    Strict,
}

/// The schema of [`frame`].
#[must_use]
pub fn schema() -> Schema {
    Schema::new(METRICS.map(Metric::gauge).to_vec()).expect("the names differ")
}

/// A row of [`METRICS`], one sample in ten missing. Gauges are small whole numbers and shares eighths, so that sums
/// are exact and ties with limits are common.
pub fn row() -> impl Strategy<Value = [f32; 4]> {
    let or_missing = |value: BoxedStrategy<f32>| prop_oneof![1 => Just(f32::NAN), 9 => value];
    let gauge = || or_missing((0u8..6).prop_map(f32::from).boxed());
    let share = or_missing((0u8..9).prop_map(|eighths| f32::from(eighths) / 8.0).boxed());
    let events = or_missing(prop_oneof![Just(0.0), (0u8..200).prop_map(f32::from)].boxed());
    (gauge(), gauge(), share, events).prop_map(|(a, b, share, events)| [a, b, share, events])
}

/// A frame of one service with up to `max_rows` rows.
pub fn frame(max_rows: usize) -> impl Strategy<Value = Frame> {
    vec(row(), 0..=max_rows).prop_map(|rows| frame_of(&rows))
}

/// A frame of these rows that begins at the epoch.
#[must_use]
pub fn frame_of(rows: &[[f32; 4]]) -> Frame {
    Frame::new("service", schema(), Timestamp::EPOCH, Step::MINUTE, rows.concat())
        .expect("gauges take any number")
}

/// A span of 1 to `max` steps, now and then as minutes.
pub fn span(max: u32) -> impl Strategy<Value = Span> {
    prop_oneof![3 => (1..=max).prop_map(Span::steps), 1 => (1..=max).prop_map(Span::minutes)]
}

/// The names that rules of [`METRICS`] are made of.
fn metrics() -> Vec<String> {
    METRICS.map(str::to_owned).to_vec()
}

fn name(of: &[String]) -> impl Strategy<Value = String> + use<> {
    proptest::sample::select(of.to_vec())
}

fn number() -> impl Strategy<Value = f32> {
    (-4i8..=24).prop_map(|quarters| f32::from(quarters) / 4.0)
}

fn known(kinds: Kinds) -> BoxedStrategy<Number> {
    match kinds {
        Kinds::Any => share().boxed(),
        Kinds::Strict => Just(Number::from(1.0)).boxed(),
    }
}

fn share() -> impl Strategy<Value = Number> {
    (0u8..=4).prop_map(|quarters| (f32::from(quarters) / 4.0).into())
}

/// A measure of [`METRICS`].
pub fn measure(kinds: Kinds) -> BoxedStrategy<Measure> {
    measure_of(&metrics(), kinds)
}

fn measure_of(names: &[String], kinds: Kinds) -> BoxedStrategy<Measure> {
    let name = || name(names);
    let metric = name().prop_map(Measure::Metric);
    let change = (name(), span(4)).prop_map(|(of, over)| Measure::change(of, over));
    let ratio = (name(), name()).prop_map(|(of, to)| Measure::ratio(of, to));
    let mean = (name(), proptest::option::of(name()), span(6), known(kinds))
        .prop_map(|(of, weighted_by, over, known)| Measure::Mean(Mean { of, weighted_by, over, known }));
    let increases =
        (name(), name(), span(4)).prop_map(|(of, to, over)| Measure::increase_ratio(of, to, over));
    match kinds {
        Kinds::Any => prop_oneof![4 => metric, 1 => change, 1 => ratio, 1 => mean, 1 => increases].boxed(),
        Kinds::Strict => prop_oneof![4 => metric, 1 => change, 1 => ratio, 1 => mean].boxed(),
    }
}

/// A normal over up to six rows.
pub fn normal(kinds: Kinds) -> impl Strategy<Value = Normal> {
    let season = (1u32..6, 1u32..6)
        .prop_map(|(a, b)| Season { period: Span::steps(a.max(b)), width: Span::steps(a.min(b)) });
    let statistic = prop_oneof![
        span(6).prop_map(NormalStatistic::Mean),
        span(6).prop_map(NormalStatistic::Median),
        (share(), span(6)).prop_map(|(share, over)| NormalStatistic::Quantile(Quantile { share, over })),
        season.prop_map(NormalStatistic::Season),
    ];
    (statistic, number(), number(), known(kinds)).prop_map(|(normal, times, plus, known)| Normal {
        normal,
        times: times.into(),
        plus: plus.into(),
        known,
    })
}

/// Any comparison.
pub fn comparison() -> impl Strategy<Value = Comparison> {
    prop_oneof![4 => ordering(), 1 => Just(Comparison::Equal), 1 => Just(Comparison::NotEqual)]
}

/// A comparison with more on one side: not `==` and `!=`.
pub fn ordering() -> impl Strategy<Value = Comparison> {
    proptest::sample::select(
        &[Comparison::AtLeast, Comparison::Above, Comparison::AtMost, Comparison::Below][..],
    )
}

/// A condition on [`METRICS`], up to three levels deep.
pub fn condition(kinds: Kinds) -> BoxedStrategy<Condition> {
    // No tail of eighths is exactly 1 minus one of these, so rounding decides nothing.
    let confidence = proptest::sample::select(&[0.3f32, 0.6, 0.9, 0.99][..]);
    let significant = (1u8..8, confidence).prop_map(|(limit, confidence)| {
        Condition::significant("share", "events", f32::from(limit) / 8.0, confidence)
    });
    condition_of(&metrics(), number().boxed(), Some(significant.boxed()), kinds)
}

/// Conditions whose limits are those of `limits`.
fn condition_of(
    names: &[String],
    limits: BoxedStrategy<f32>,
    significant: Option<BoxedStrategy<Condition>>,
    kinds: Kinds,
) -> BoxedStrategy<Condition> {
    let compare = |limit: BoxedStrategy<Limit>| {
        (measure_of(names, kinds), comparison(), limit)
            .prop_map(|(measure, is, limit)| Condition::Compare(Compare { measure, is, limit }))
    };
    let constant = compare(limits.prop_map(Limit::from).boxed()).boxed();
    let relative = compare(normal(kinds).prop_map(Limit::from).boxed());
    let significant = significant.unwrap_or_else(|| constant.clone());
    let leaf = match kinds {
        Kinds::Any => {
            let absent = name(names).prop_map(Condition::Absent);
            prop_oneof![4 => constant, 2 => relative, 1 => significant, 1 => absent].boxed()
        }
        Kinds::Strict => prop_oneof![4 => constant, 2 => relative, 1 => significant].boxed(),
    };
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Condition::All),
            vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.clone().prop_map(Condition::negated),
            (inner.clone(), span(4)).prop_map(|(of, lasting)| of.lasting(lasting)),
            (inner, 1u32..5, 0u32..3)
                .prop_map(|(of, times, more)| of.frequent(times, Span::steps(times + more))),
        ]
    })
    .boxed()
}

/// A shape with each part present half the time.
pub fn shape() -> impl Strategy<Value = Shape> {
    let part = || proptest::option::of(span(4));
    (part(), part(), part()).prop_map(|(merge_gaps_below, at_least, cool_down)| Shape {
        merge_gaps_below,
        at_least,
        cool_down,
    })
}

/// A rule on [`METRICS`].
pub fn rule(kinds: Kinds) -> impl Strategy<Value = Rule> {
    shaped(condition(kinds))
}

/// A rule on the metrics of any schema, with limits among `limits` in a metric's own unit; for frames whose values
/// are near them there is `frame_near` of forewarn-schema's strategies. Rates above chance
/// ([`Condition::Significant`]) are not among them.
///
/// # Panics
/// Without any limit.
pub fn rule_on(schema: &Schema, limits: &[f32], kinds: Kinds) -> impl Strategy<Value = Rule> + use<> {
    let names: Vec<String> = schema.names().map(str::to_owned).collect();
    let limits = proptest::sample::select(limits.to_vec()).boxed();
    shaped(condition_of(&names, limits, None, kinds))
}

fn shaped(condition: BoxedStrategy<Condition>) -> impl Strategy<Value = Rule> {
    let plain_or_not = prop_oneof![Just(Shape::default()), shape()];
    (condition, plain_or_not).prop_map(|(when, episodes)| {
        let rule = Rule::shaped(when, episodes);
        rule.expect("the parts are within their limits")
    })
}

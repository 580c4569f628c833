use crate::{
    LabelError, Number, Span,
    condition::measure::{check_share, check_span, half},
    error::refuse_unless,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A limit that moves with a measure's own recent past: `times` its normal, plus `plus`.
///
/// A normal is an estimate, made from the samples that are there; it is unknown until a share `known` of the rows
/// that it looks at have samples. It never includes the row that is judged. Because it is an estimate, taking samples
/// out of the *past* may move it either way; with `known = 1` it is made from complete rows only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// What is normal.
    pub normal: NormalStatistic,
    /// How many times the normal.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: Number,
    /// How much more than that, in the measure's unit.
    #[serde(default = "zero", skip_serializing_if = "is_zero")]
    pub plus: Number,
    /// Share of the rows, in 0..=1, that must be known.
    #[serde(default = "half")]
    pub known: Number,
}

/// What is normal for a measure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NormalStatistic {
    /// Mean over the span before the row.
    Mean(Span),
    /// Median over the span before the row.
    Median(Span),
    /// A quantile over the span before the row.
    Quantile(Quantile),
    /// Mean around the same time one period ago: "the same hour yesterday".
    Season(Season),
}

/// See [`NormalStatistic::Quantile`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// Share of samples below it, in 0..=1, with linear interpolation between neighbours.
    pub share: Number,
    /// How far back.
    pub over: Span,
}

/// See [`NormalStatistic::Season`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// How long ago: a day, a week.
    pub period: Span,
    /// Length of the stretch around that time, at most `period`.
    pub width: Span,
}

fn one() -> Number {
    Number::from(1.0)
}

fn zero() -> Number {
    Number::from(0.0)
}

fn is_one(number: &Number) -> bool {
    *number == one()
}

fn is_zero(number: &Number) -> bool {
    *number == zero()
}

impl Normal {
    /// The normal itself, of which half the rows must be known.
    #[must_use]
    pub fn new(normal: NormalStatistic) -> Self {
        Self { normal, times: one(), plus: zero(), known: half() }
    }

    /// Mean over the last `over`.
    #[must_use]
    pub fn mean(over: Span) -> Self {
        Self::new(NormalStatistic::Mean(over))
    }

    /// Median over the last `over`.
    #[must_use]
    pub fn median(over: Span) -> Self {
        Self::new(NormalStatistic::Median(over))
    }

    /// The quantile that a `share` of the last `over` lies below.
    #[must_use]
    pub fn quantile(share: f32, over: Span) -> Self {
        Self::new(NormalStatistic::Quantile(Quantile { share: share.into(), over }))
    }

    /// Mean of the same hour yesterday: 30 minutes before to 30 minutes after this time of day.
    #[must_use]
    pub fn same_hour_yesterday() -> Self {
        Self::new(NormalStatistic::Season(Season { period: Span::days(1), width: Span::hours(1) }))
    }

    /// A multiple of the normal.
    #[must_use]
    pub fn times(self, times: f32) -> Self {
        Self { times: times.into(), ..self }
    }

    /// The normal and so much more, in the measure's unit.
    #[must_use]
    pub fn plus(self, plus: f32) -> Self {
        Self { plus: plus.into(), ..self }
    }

    /// Share of the rows that must be known.
    #[must_use]
    pub fn with_known_share(self, share: f32) -> Self {
        Self { known: share.into(), ..self }
    }

    pub(crate) fn check(&self, at: &str) -> Result<(), LabelError> {
        for (name, number) in [("times", self.times), ("plus", self.plus)] {
            let field = format!("{at}.{name}");
            refuse_unless(number.get().is_finite(), &field, &number.to_string(), "a finite number")?;
        }
        check_share(self.known, &format!("{at}.known"))?;
        match &self.normal {
            NormalStatistic::Mean(over) => check_span(*over, &format!("{at}.normal.mean")),
            NormalStatistic::Median(over) => check_span(*over, &format!("{at}.normal.median")),
            NormalStatistic::Quantile(Quantile { share, over }) => {
                check_share(*share, &format!("{at}.normal.quantile.share"))?;
                check_span(*over, &format!("{at}.normal.quantile.over"))
            }
            NormalStatistic::Season(Season { period, width }) => {
                check_span(*period, &format!("{at}.normal.season.period"))?;
                let field = format!("{at}.normal.season.width");
                check_span(*width, &field)?;
                let same_unit = match (period, width) {
                    (Span::Steps(period), Span::Steps(width)) => Some(width <= period),
                    (Span::Seconds(period), Span::Seconds(width)) => Some(width <= period),
                    _ => None,
                };
                let expected = "at most the period, both in steps or both as time";
                refuse_unless(same_unit == Some(true), &field, &width.to_string(), expected)
            }
        }
    }
}

impl fmt::Display for Normal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_one(&self.times) {
            write!(f, "{} times ", self.times)?;
        }
        match &self.normal {
            NormalStatistic::Mean(over) => write!(f, "its mean of the last {over}")?,
            NormalStatistic::Median(over) => write!(f, "its median of the last {over}")?,
            NormalStatistic::Quantile(Quantile { share, over }) => {
                write!(f, "its {share} quantile of the last {over}")?;
            }
            NormalStatistic::Season(Season { period, width }) => {
                write!(f, "its mean of the {width} around this time {period} ago")?;
            }
        }
        if is_zero(&self.plus) { Ok(()) } else { write!(f, " plus {}", self.plus) }
    }
}

#![doc = include_str!("../README.md")]

mod any_rule_state;
mod clock;
mod comparison;
mod condition;
mod error;
mod file;
mod gauge;
mod label;
mod label_pieces;
mod label_state;
mod limit;
mod measure;
mod node;
mod normal;
mod number;
mod objective;
mod preset;
#[cfg(test)]
mod properties;
mod rule;
mod rule_state;
mod scan;
mod sentence;
mod shape;
mod sliding;
mod span;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod threshold;
mod track;
#[cfg(test)]
mod twin;
mod verdict;
mod verdicts;
mod watch;

pub use any_rule_state::AnyRuleState;
pub use comparison::Comparison;
pub use condition::{Compare, Condition, Frequent, Significant, Sustained};
pub use error::LabelError;
pub use label::label;
pub use label_pieces::label_pieces;
pub use label_state::{LabelState, TimedLabel};
pub use limit::Limit;
pub use measure::{Change, IncreaseRatio, Mean, Measure, Ratio};
pub use normal::{Normal, Quantile, Season, Statistic};
pub use number::Number;
pub use objective::{BurnRate, BurnWindow, Indicator, Slo, SloReport, SloState, WindowBurn};
pub use preset::Saturation;
pub use rule::Rule;
pub use rule_state::{Event, Minute, RuleState, Standing};
pub use shape::Shape;
pub use span::Span;
pub use threshold::ThresholdRule;
pub use verdict::Verdict;
pub use verdicts::{Verdicts, register};

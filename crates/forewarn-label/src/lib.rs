#![doc = include_str!("../README.md")]

mod condition;
mod error;
mod features;
mod hidden_outages;
mod label;
mod live;
mod nearness;
mod objective;
#[cfg(test)]
mod properties;
mod rule;
mod sentence;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod threshold;
mod verdict;
mod watch;

pub use condition::{
    Change, Compare, Comparison, Condition, Frequent, IncreaseRatio, Limit, Mean, Measure, Normal,
    NormalStatistic, Number, Quantile, Ratio, Season, Significant, Span, Sustained,
};
pub use error::LabelError;
pub use features::{FailureHistory, Verdicts, register};
pub use hidden_outages::HiddenOutages;
pub use label::{label, label_pieces};
pub use live::{AnyRuleState, LabelState, RuleEvent, RuleMinute, RuleState, Standing, TimedLabel};
pub use objective::{BurnRate, BurnWindow, Indicator, Slo, SloLevel, SloReport, SloState, WindowBurn};
pub use rule::{Rule, Saturation, Shape};
pub use threshold::ThresholdRule;
pub use verdict::Verdict;

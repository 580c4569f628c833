//! Rules and labels on live rows: row after row in, what has become known out.

mod any_rule_state;
mod clock;
mod label_state;
mod rule_state;

pub use any_rule_state::AnyRuleState;
pub(crate) use label_state::Kept;
pub use label_state::{LabelState, TimedLabel};
pub use rule_state::{RuleEvent, RuleMinute, RuleState, Standing};

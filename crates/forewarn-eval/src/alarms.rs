//! What a budget of false alarms buys: the threshold that keeps it, and what other budgets would.

mod adaptive;
mod budget;
mod days;
mod tradeoff;

pub use adaptive::AdaptiveOutcome;
pub(crate) use adaptive::LiveOrder;
pub use budget::{AlarmBudget, BudgetChoice};
pub use days::DayAssumption;
pub use tradeoff::{Tradeoff, TradeoffPoint};

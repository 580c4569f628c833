//! What a budget of false alarms buys: the threshold that keeps it, and what other budgets would.

mod budget;
mod days;
mod tradeoff;

pub use budget::{AlarmBudget, BudgetChoice};
pub use days::DayAssumption;
pub use tradeoff::{Tradeoff, TradeoffPoint};

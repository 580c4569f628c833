//! From a score to a warning: alert, risk, evidence against the own normal, advice.

pub(super) mod advice;
pub(super) mod alert;
pub(super) mod normal;
pub(super) mod risk;

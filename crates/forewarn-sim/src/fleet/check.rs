//! Checks of plain numbers, with errors that say where.

use crate::SimError;

/// The numbers of one thing that has a name in messages, such as `service "user"`.
pub(super) struct Check<'a>(pub(super) &'a str);

impl Check<'_> {
    /// The error for a value.
    fn refuse(&self, field: &'static str, value: &dyn std::fmt::Display, expected: &'static str) -> SimError {
        SimError::InvalidField { place: self.0.to_owned(), field, value: value.to_string(), expected }
    }

    pub(super) fn positive(&self, field: &'static str, value: f64) -> Result<(), SimError> {
        if value > 0.0 && value.is_finite() {
            return Ok(());
        }
        Err(self.refuse(field, &value, "a number above 0"))
    }

    pub(super) fn not_negative(&self, field: &'static str, value: f64) -> Result<(), SimError> {
        if value >= 0.0 && value.is_finite() {
            return Ok(());
        }
        Err(self.refuse(field, &value, "a number of at least 0"))
    }

    pub(super) fn share(&self, field: &'static str, value: f64) -> Result<(), SimError> {
        if (0.0..=1.0).contains(&value) {
            return Ok(());
        }
        Err(self.refuse(field, &value, "a share in 0..=1"))
    }

    pub(super) fn at_least(
        &self,
        field: &'static str,
        value: f64,
        least: f64,
        expected: &'static str,
    ) -> Result<(), SimError> {
        if value >= least && value.is_finite() {
            return Ok(());
        }
        Err(self.refuse(field, &value, expected))
    }

    pub(super) fn count(
        &self,
        field: &'static str,
        value: u32,
        most: u32,
        expected: &'static str,
    ) -> Result<(), SimError> {
        if (1..=most).contains(&value) {
            return Ok(());
        }
        Err(self.refuse(field, &value, expected))
    }
}

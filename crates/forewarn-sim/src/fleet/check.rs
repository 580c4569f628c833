//! Checks of plain numbers, with errors that say where.

use crate::SimError;
use std::ops::RangeInclusive;

/// Bounds of every plain number of a scenario. They lie far outside of all that services do, and keep what is
/// computed from the numbers finite.
const LEAST: f64 = 1e-6;
const MOST: f64 = 1e9;

/// The numbers of one thing that has a name in messages, such as `service "user"`.
pub(crate) struct Check<'a>(pub(crate) &'a str);

impl Check<'_> {
    /// The error for a value.
    fn refuse(&self, field: &'static str, value: &dyn std::fmt::Display, expected: &'static str) -> SimError {
        SimError::InvalidField { place: self.0.to_owned(), field, value: value.to_string(), expected }
    }

    /// Refuses what is not within `range` (NaN never is).
    pub(crate) fn within(
        &self,
        field: &'static str,
        value: f64,
        range: RangeInclusive<f64>,
        expected: &'static str,
    ) -> Result<(), SimError> {
        if range.contains(&value) {
            return Ok(());
        }
        // Written out, 1e308 has 309 digits.
        if value.is_finite() && value.abs() >= 1e15 {
            return Err(self.refuse(field, &format!("{value:e}"), expected));
        }
        Err(self.refuse(field, &value, expected))
    }

    pub(crate) fn positive(&self, field: &'static str, value: f64) -> Result<(), SimError> {
        self.within(field, value, LEAST..=MOST, "a number from 0.000001 to 1,000,000,000")
    }

    pub(crate) fn not_negative(&self, field: &'static str, value: f64) -> Result<(), SimError> {
        self.within(field, value, 0.0..=MOST, "a number from 0 to 1,000,000,000")
    }

    pub(crate) fn share(&self, field: &'static str, value: f64) -> Result<(), SimError> {
        self.within(field, value, 0.0..=1.0, "a share in 0..=1")
    }

    pub(crate) fn count(
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

//! Checks of settings that several types share.

use crate::WindowError;
use forewarn_core::CoreError;
use forewarn_schema::SchemaError;

/// Most steps that a feature remembers: 19 years of minutes.
const MOST_STEPS: usize = 10_000_000;

/// Most columns that features have. Lists that are nested in one another double them with each level.
const MOST_COLUMNS: usize = 65_536;

/// Refuses more columns than anybody trains on, before the next feature multiplies them.
pub(crate) fn limited(columns: usize) -> Result<(), SchemaError> {
    if columns > MOST_COLUMNS {
        return Err(SchemaError::TooManyColumns { columns, most: MOST_COLUMNS });
    }
    Ok(())
}

/// `steps`, unless it is none or more than memory should be spent on.
pub(crate) fn steps_setting(name: &'static str, steps: usize) -> Result<usize, WindowError> {
    if (1..=MOST_STEPS).contains(&steps) {
        return Ok(steps);
    }
    Err(setting(name, &steps, "1 to 10,000,000 steps"))
}

/// `value`, unless it is not positive and finite.
pub(crate) fn positive_setting(name: &'static str, value: f64) -> Result<f64, WindowError> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(setting(name, &value, "a positive number"))
}

/// The error for a setting outside what makes sense.
pub(crate) fn setting(
    name: &'static str,
    value: &dyn std::fmt::Display,
    expected: &'static str,
) -> WindowError {
    CoreError::InvalidSetting { name, value: value.to_string(), expected }.into()
}

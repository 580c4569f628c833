//! From windows to what a network reads.

use forewarn_core::{CoreError, Windows};

/// Writes the windows at `picks` into `to` with time first, `[step, pick, feature]`, and 0 for what is missing.
///
/// # Errors
/// [`CoreError::NotFinite`] for an infinite value, with its feature's name.
pub(crate) fn fill(
    windows: Windows<'_>,
    picks: impl ExactSizeIterator<Item = usize>,
    to: &mut [f32],
) -> Result<(), CoreError> {
    let width = windows.schema().len();
    let stride = picks.len() * width;
    for (place, pick) in picks.enumerate() {
        let window = windows.get(pick).ok_or(CoreError::LengthMismatch {
            what: "windows to pick from",
            expected: pick + 1,
            got: windows.len(),
        })?;
        for (step, row) in window.chunks_exact(width).enumerate() {
            copy_row(row, &mut to[step * stride + place * width..][..width]);
        }
    }
    match to.iter().position(|value| value.is_infinite()) {
        Some(at) => Err(infinite(windows.schema().names().nth(at % width))),
        None => Ok(()),
    }
}

/// Copies one row, with 0 for what is missing.
pub(crate) fn copy_row(row: &[f32], to: &mut [f32]) {
    for (to, &value) in to.iter_mut().zip(row) {
        *to = if value.is_nan() { 0.0 } else { value };
    }
}

pub(crate) fn infinite(feature: Option<&str>) -> CoreError {
    CoreError::NotFinite { what: format!("a value of feature {:?}", feature.unwrap_or_default()) }
}

/// Refuses windows with an infinite value, before any time is spent on a fit.
pub(crate) fn expect_finite(windows: Windows<'_>) -> Result<(), CoreError> {
    let width = windows.schema().len();
    for window in windows.iter() {
        if let Some(at) = window.iter().position(|value| value.is_infinite()) {
            return Err(infinite(windows.schema().names().nth(at % width)));
        }
    }
    Ok(())
}

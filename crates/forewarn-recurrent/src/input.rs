//! From windows to what a network reads.

pub(crate) mod services;
pub(crate) mod shared;

use crate::simd::real::Real;
use forewarn_core::{CoreError, Windows};

/// Most that a value may be, so that no product of it overflows.
pub(crate) const LARGEST: f32 = 1e30;

/// Writes one window into `to`, `[step, window, feature]` with `windows` windows of rows that are `row` numbers long,
/// features first, at its place among the windows; 0 for what is missing.
///
/// # Errors
/// [`CoreError::TooLarge`] for a value beyond [`LARGEST`], with its feature's name and, where it is known, its
/// service and time.
pub(crate) fn fill_one(
    from: Windows<'_>,
    pick: usize,
    row: usize,
    windows: usize,
    place: usize,
    to: &mut [f32],
) -> Result<(), CoreError> {
    let width = from.schema().len();
    let window = from.get(pick).ok_or(CoreError::LengthMismatch {
        what: "windows to pick from",
        expected: pick + 1,
        got: from.len(),
    })?;
    let mut too_large = false;
    for (step, from) in window.chunks_exact(width).enumerate() {
        too_large |= copy_row(from, &mut to[(step * windows + place) * row..][..width]);
    }
    if too_large { Err(too_large_in(from, pick)) } else { Ok(()) }
}

/// Copies one row, with 0 for what is missing, and tells whether there is a value beyond [`LARGEST`] in it.
#[inline]
pub(crate) fn copy_row<T: Real>(row: &[f32], to: &mut [T]) -> bool {
    let mut too_large = false;
    for (to, &value) in to.iter_mut().zip(row) {
        *to = if value.is_nan() { T::ZERO } else { T::from_f64(f64::from(value)) };
        too_large |= value.abs() > LARGEST;
    }
    too_large
}

pub(crate) fn too_large(feature: Option<&str>) -> CoreError {
    beyond(format!("a value of feature {:?}", feature.unwrap_or_default()))
}

fn beyond(what: String) -> CoreError {
    CoreError::TooLarge { what, limit: f64::from(LARGEST) }
}

/// Names the first value beyond [`LARGEST`] in a window.
fn too_large_in(windows: Windows<'_>, pick: usize) -> CoreError {
    let found = largest(windows, pick, |value| if value > LARGEST { 1.0 } else { 0.0 });
    beyond(found.map_or_else(String::new, |(_, what)| what))
}

/// The value of a window that ranks highest by its size, and whose it is; `None` where all are missing.
pub(crate) fn largest(windows: Windows<'_>, pick: usize, rank: impl Fn(f32) -> f32) -> Option<(f32, String)> {
    let (window, width) = (windows.get(pick)?, windows.schema().len());
    let mut found = None;
    for (at, value) in window.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        if found.is_none_or(|(_, most)| rank(value.abs()) > most) {
            found = Some((at, rank(value.abs())));
        }
    }
    let (at, _) = found?;
    let value = window[at];
    let feature = windows.schema().names().nth(at % width).unwrap_or_default();
    let back = windows.observation() - 1 - at / width;
    let what = match windows.place(pick) {
        Some((service, time)) => {
            format!("{feature:?} = {value:e} of service {service:?}, {back} steps before {time},")
        }
        None => format!("{feature:?} = {value:e}, {back} steps before the end of window {pick},"),
    };
    Some((value.abs(), what))
}

/// Refuses windows with a value beyond [`LARGEST`], before any time is spent on a fit.
pub(crate) fn expect_finite(windows: Windows<'_>) -> Result<(), CoreError> {
    match windows.iter().position(|window| window.iter().any(|value| value.abs() > LARGEST)) {
        Some(pick) => Err(too_large_in(windows, pick)),
        None => Ok(()),
    }
}

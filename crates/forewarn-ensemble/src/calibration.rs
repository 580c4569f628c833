//! Scores made probabilities: `calibrator` is the fitted map, `calibrated` a predictor behind one.

mod calibrated;
mod calibrator;

pub(crate) use calibrated::KIND;
pub use calibrated::{Calibrate, Calibrated};
pub use calibrator::{CalibrationMethod, Calibrator};

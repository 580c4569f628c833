#![doc = include_str!("../README.md")]

mod blend;
mod blocks;
mod calibration;
mod cold_start;
mod combined;
mod error;
mod nested;
mod novelty;
mod occlusion;
mod qualified;
mod reads;
mod register;

pub use blend::Blend;
pub use blocks::{BlockChoice, JudgedMember};
pub use calibration::{Calibrate, Calibrated, CalibrationMethod, Calibrator};
pub use cold_start::{ColdStart, ColdStream, Judgement, Unknown};
pub use combined::Combined;
pub use error::EnsembleError;
pub use novelty::{FittedNovelty, Novelty};
pub use occlusion::{Occlusion, Part};
pub use qualified::{Qualified, side_by_side};
pub use register::register;

//! The laws of this crate's traits, as checks that an implementation of your own can run in its tests.
//!
//! Behind the feature `conformance`. Each check takes one case (a rule and a frame, a model and a frame) and says
//! which law it breaks, so that it fits into plain tests and into property tests alike. No check proves anything:
//! give it frames with runs, gaps, ties and values near your limits, by `forewarn_schema::strategies` or recorded.
//!
//! | trait | checks |
//! |---|---|
//! | [`FailureRule`](crate::FailureRule) | [`failure_rule`], [`missing_adds_nothing`], [`never_fails_more`] |
//! | [`Feature`](crate::Feature) | [`feature`], [`saved_feature`] |
//! | [`Predictor`](crate::Predictor) | [`predictor`], [`saved_model`] |
//! | [`Source`](crate::Source), [`FrameStream`](crate::FrameStream) | [`source`], [`frame_stream`] |
//!
//! ```
//! use forewarn_core::{V1Rule, conformance};
//! use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};
//!
//! let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
//! let samples = vec![0.01, 0.06, f32::NAN, 0.05, 0.07, 0.05, 0.0];
//! let frame = Frame::new("shop", schema, Timestamp::EPOCH, Step::MINUTE, samples)?;
//! conformance::failure_rule(&V1Rule, frame.view())?;
//! conformance::missing_adds_nothing(&V1Rule, frame.view(), [(4, 0)])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod feature;
mod predictor;
mod rule;
mod saved;
mod source;

pub use feature::feature;
pub use predictor::predictor;
pub use rule::{failure_rule, missing_adds_nothing, never_fails_more};
pub use saved::{saved_feature, saved_model};
pub use source::{frame_stream, source};

use forewarn_schema::FrameView;
use std::fmt::{Debug, Display};

/// A law that an implementation breaks, and how it was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {found}")]
#[non_exhaustive]
pub struct Breach {
    /// The law, as a sentence.
    pub law: &'static str,
    /// What was found instead.
    pub found: String,
}

/// Refuses what breaks a law.
fn holds(holds: bool, law: &'static str, found: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach { law, found: found() }) }
}

/// Refuses an error where a law asks for an answer.
fn works<T>(result: Result<T, impl Display>, law: &'static str) -> Result<T, Breach> {
    result.map_err(|error| Breach { law, found: error.to_string() })
}

/// Refuses what is not what a law asks for; `at` says where.
fn same<T: PartialEq + Debug>(found: &T, expected: &T, law: &'static str, at: &str) -> Result<(), Breach> {
    holds(found == expected, law, || format!("{at}: found {found:?}, expected {expected:?}"))
}

/// Numbers by their bits, in which NaN equals itself.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// At most `most` places among `0..=end`, the ends among them.
fn places(end: usize, most: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..=most.min(end)).map(|at| end * at / most.min(end).max(1)).collect();
    places.dedup();
    places
}

/// The rows of a frame, each a slice of one value a metric.
fn rows_of(frame: FrameView<'_>) -> impl Iterator<Item = &[f32]> {
    frame.values().chunks_exact(frame.schema().len())
}

use crate::{Calibrated, Combined, FittedNovelty, Qualified, calibration, combined, novelty, qualified};
use forewarn_core::Registry;

/// The registry with all of this crate's kinds more: what they hold is read by the registry, whatever kind it is.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry
        .with_predictor(novelty::KIND, |envelope, _| Ok(Box::new(FittedNovelty::from_envelope(envelope)?)))
        .with_predictor(calibration::KIND, |envelope, inside| {
            Ok(Box::new(Calibrated::from_envelope(envelope, inside)?))
        })
        .with_predictor(combined::KIND, |envelope, inside| {
            Ok(Box::new(Combined::from_envelope(envelope, inside)?))
        })
        .with_predictor(qualified::KIND, |envelope, inside| {
            Ok(Box::new(Qualified::from_envelope(envelope, inside)?))
        })
}

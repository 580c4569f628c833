use crate::{WindowError, splits::clock::Clock};
use forewarn_core::{CoreError, Labels, Split};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How much of the time goes to train, validation and test. Positive, with the sum 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 3]", into = "[f64; 3]")]
pub struct Fractions([f64; 3]);

impl Fractions {
    /// Fractions for train, validation and test.
    ///
    /// # Errors
    /// [`CoreError::SplitFractions`] unless all are positive and add up to 1 (within 1e-9).
    pub fn new(train: f64, validation: f64, test: f64) -> Result<Self, CoreError> {
        let fractions = [train, validation, test];
        let positive = fractions.iter().all(|&part| part > 0.0);
        if positive && (fractions.iter().sum::<f64>() - 1.0).abs() <= 1e-9 {
            Ok(Self(fractions))
        } else {
            Err(CoreError::SplitFractions { fractions })
        }
    }
}

/// Reads `0.70,0.15,0.15`.
impl std::str::FromStr for Fractions {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let shares: Vec<f64> = text.split(',').map_while(|share| share.trim().parse().ok()).collect();
        match shares[..] {
            [train, validation, test] if text.split(',').count() == 3 => {
                Ok(Self::new(train, validation, test)?)
            }
            _ => Err(WindowError::UnreadableFractions { text: text.to_owned() }),
        }
    }
}

impl Default for Fractions {
    /// 0.70, 0.15, 0.15.
    fn default() -> Self {
        Self([0.70, 0.15, 0.15])
    }
}

impl TryFrom<[f64; 3]> for Fractions {
    type Error = CoreError;

    fn try_from([train, validation, test]: [f64; 3]) -> Result<Self, CoreError> {
        Self::new(train, validation, test)
    }
}

impl From<Fractions> for [f64; 3] {
    fn from(fractions: Fractions) -> Self {
        fractions.0
    }
}

/// Splits labelled windows by time: the first part of the clock for training, the next for validation, the last for
/// test, the same boundaries for all services.
///
/// Boundaries are fractions of the times at which a window can be labelled, from the first to the last of any
/// service. The purge is taken from the end of train and of validation, so the test span does not depend on it.
///
/// # Errors
/// [`WindowError::TooShort`] when no window can be labelled, [`CoreError::EmptyPart`] when a part keeps no window.
pub fn chronological(labels: &Labels, fractions: Fractions) -> Result<Split, WindowError> {
    let clock = Clock::of(labels)?;
    let [train, validation, test] = fractions.spans(&clock);
    let part = |span| labels.samples_in(&[span], |_| true);
    Ok(Split::new(part(train), part(validation), part(test), labels.purge())?)
}

/// Splits labelled windows by time without a test part: validation keeps its share, at the end of the clock, and
/// everything before it, the shares of train and test together, is for training. The purge is taken from the end of
/// train.
///
/// For a model that is to be used: what it is worth has been measured before, by [`chronological`].
///
/// # Errors
/// As [`chronological`].
pub fn chronological_without_test(labels: &Labels, fractions: Fractions) -> Result<Split, WindowError> {
    let clock = Clock::of(labels)?;
    let [train, _, test] = fractions.0;
    let from = clock.at((clock.steps() as f64 * (train + test)) as i64);
    let part = |span| labels.samples_in(&[span], |_| true);
    let (train, validation) = (part(clock.purged(clock.first, from)), part(clock.rest(from)));
    Ok(Split::without_test(train, validation, labels.purge())?)
}

impl Fractions {
    /// The three spans of the clock; train and validation end a purge before what follows.
    pub(crate) fn spans(self, clock: &Clock) -> [Range<Timestamp>; 3] {
        let [train, validation, _] = self.0;
        let boundary = |fraction: f64| clock.at((clock.steps() as f64 * fraction) as i64);
        let (validation_from, test_from) = (boundary(train), boundary(train + validation));
        [
            clock.purged(clock.first, validation_from),
            clock.purged(validation_from, test_from),
            clock.rest(test_from),
        ]
    }
}

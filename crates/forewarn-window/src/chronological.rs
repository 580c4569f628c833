use crate::WindowError;
use forewarn_core::{CoreError, Exclusion, Label, Labels, Split};
use serde::{Deserialize, Serialize};

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

/// Splits labelled windows by time: the first part of the clock for training, the next for validation, the last for test, the same
/// boundaries for all services.
///
/// Boundaries are fractions of the times at which a window can be labelled, from the first to the last of any service. The purge is taken
/// from the end of train and of validation, so the test span does not depend on it.
///
/// # Errors
/// [`WindowError::TooShort`] when no window can be labelled, [`CoreError::EmptyPart`] when a part keeps no window.
pub fn chronological(labels: &Labels, fractions: Fractions) -> Result<Split, WindowError> {
    let times = || {
        labels
            .windows()
            .filter(|(.., label)| *label != Label::Excluded(Exclusion::Censored))
            .map(|(_, _, time, _)| time)
    };
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        let longest = labels.layout().services().iter().map(|place| place.rows().len()).max().unwrap_or(0);
        return Err(WindowError::TooShort { needed: labels.purge(), longest });
    };
    let step = labels.layout().step().millis();
    let steps = (last.millis() - first.millis()) / step + 1;
    let [train, validation, _] = fractions.0;
    let boundary = |fraction: f64| first.millis() + (steps as f64 * fraction) as i64 * step;
    let (validation_from, test_from) = (boundary(train), boundary(train + validation));
    let purge = (labels.purge() as i64).saturating_mul(step);
    let before = |boundary: i64| boundary.saturating_sub(purge);
    Ok(Split::new(
        labels.samples(|_, time| time.millis() <= before(validation_from)),
        labels.samples(|_, time| time.millis() >= validation_from && time.millis() <= before(test_from)),
        labels.samples(|_, time| time.millis() >= test_from),
        labels.purge(),
    )?)
}

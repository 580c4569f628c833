use crate::StoreError;
use std::fmt;

/// 32 bytes that stand for something, such as a SHA-256 of it. The store compares them and knows nothing else of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a state belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints {
    /// Of the model.
    pub model: Fingerprint,
    /// Of the configuration.
    pub configuration: Fingerprint,
    /// Of the format in which the engine writes its state.
    pub state_format: Fingerprint,
}

impl Fingerprints {
    /// Whether a state with these fingerprints serves a program that expects `expected`.
    ///
    /// # Errors
    /// [`StoreError::Fingerprint`] with the first one that differs.
    pub fn check(&self, expected: &Self) -> Result<(), StoreError> {
        for (which, found, expected) in [
            ("model", self.model, expected.model),
            ("configuration", self.configuration, expected.configuration),
            ("state format", self.state_format, expected.state_format),
        ] {
            if found != expected {
                let (found, expected) = (found.to_string(), expected.to_string());
                return Err(StoreError::Fingerprint { which, found, expected });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let ours = Fingerprints::default();
        assert!(ours.check(&ours).is_ok());
        let theirs = Fingerprints { configuration: Fingerprint([0xab; 32]), ..ours };
        let message = theirs.check(&ours).unwrap_err().to_string();
        assert!(message.starts_with("the checkpoint was saved with configuration abab"), "{message}");
    }
}

//! What a receiver of webhooks does: the other side of the signature, for tests.

use super::mac;
use forewarn_schema::Timestamp;
use hmac::Mac;

/// Seconds by which the clocks of sender and receiver may differ.
const TOLERANCE_SECS: i64 = 300;

/// Why a receiver does not accept a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// A header is missing or is not what it should be.
    Malformed,
    /// It was signed too long ago, or in the future.
    Stale,
    /// It is not the signature of this body with this secret.
    Wrong,
}

/// Checks the three headers of a body.
///
/// # Errors
/// Why it is not accepted.
pub(crate) fn verify(
    secret: &[u8],
    (id, seconds, signature): (Option<&str>, Option<&str>, Option<&str>),
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let (Some(id), Some(seconds), Some(signature)) = (id, seconds, signature) else {
        return Err(SignatureError::Malformed);
    };
    let seconds: i64 = seconds.parse().map_err(|_| SignatureError::Malformed)?;
    let digits = signature.strip_prefix("v1=").filter(|digits| digits.len() == 64 && digits.is_ascii());
    let digits = digits.ok_or(SignatureError::Malformed)?;
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    let bytes: Option<Vec<u8>> = (0..64).step_by(2).map(byte).collect();
    let bytes = bytes.ok_or(SignatureError::Malformed)?;
    if (now.millis() / 1000).saturating_sub(seconds).saturating_abs() > TOLERANCE_SECS {
        return Err(SignatureError::Stale);
    }
    // In constant time.
    mac(secret, id, seconds, body).verify_slice(&bytes).map_err(|_| SignatureError::Wrong)
}

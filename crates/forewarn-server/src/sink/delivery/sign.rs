//! Signatures of webhooks.

use crate::text::hex;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Header with the number of a notification: the same for every try, so that a receiver can tell a repetition.
pub(crate) const ID_HEADER: &str = "X-Forewarn-Id";
/// Header with the seconds since 1970 at which it was signed.
pub(crate) const TIMESTAMP_HEADER: &str = "X-Forewarn-Timestamp";
/// Header with `v1=` and the signature in hexadecimal.
pub(crate) const SIGNATURE_HEADER: &str = "X-Forewarn-Signature";

/// The headers of a request with this number: with a secret, signed at `seconds` since 1970.
pub(crate) fn headers(
    id: &str,
    secret: Option<&[u8]>,
    seconds: i64,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let mut headers = vec![(ID_HEADER, id.to_owned())];
    if let Some(secret) = secret {
        headers.push((TIMESTAMP_HEADER, seconds.to_string()));
        headers.push((SIGNATURE_HEADER, signature(secret, id, seconds, body)));
    }
    headers
}

/// HMAC-SHA256 of `id.seconds.body`, as `v1=` and hexadecimal digits.
pub(crate) fn signature(secret: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    format!("v1={}", hex(&mac(secret, id, seconds, body).finalize().into_bytes()))
}

fn mac(secret: &[u8], id: &str, seconds: i64, body: &[u8]) -> Hmac<Sha256> {
    // A key of any length is a key.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    mac
}

#[cfg(test)]
pub(crate) mod receiver;

#[cfg(test)]
mod tests {
    use super::{receiver::*, *};
    use forewarn_schema::Timestamp;

    /// By `printf 'n1.1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret`.
    const KNOWN: &str = "v1=8c8349b26c1d3dd7fcfea74c3e3bbdf89d2b6798d365aba77bbb42d35eb8e648";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).unwrap()
    }

    #[test]
    fn it_is_what_openssl_computes() {
        assert_eq!(signature(b"secret", "n1", 1_700_000_000, b"{\"a\":1}"), KNOWN);
    }

    #[test]
    fn what_was_changed_or_kept_for_long_is_refused() {
        let check = |id, seconds: &str, signature: &str, body: &[u8], now| {
            verify(b"secret", (Some(id), Some(seconds), Some(signature)), body, at(now))
        };
        let (seconds, now, body) = ("1700000000", 1_700_000_100, b"{\"a\":1}");
        assert_eq!(check("n1", seconds, KNOWN, body, now), Ok(()));
        assert_eq!(check("n2", seconds, KNOWN, body, now), Err(SignatureError::Wrong));
        assert_eq!(check("n1", "1700000001", KNOWN, body, now), Err(SignatureError::Wrong));
        assert_eq!(check("n1", seconds, KNOWN, b"{\"a\":2}", now), Err(SignatureError::Wrong));
        assert_eq!(check("n1", seconds, KNOWN, body, now + 1000), Err(SignatureError::Stale));
        assert_eq!(check("n1", seconds, KNOWN, body, now - 1000), Err(SignatureError::Stale));
        assert_eq!(check("n1", "i64", KNOWN, body, now), Err(SignatureError::Malformed));
        assert_eq!(check("n1", "-9223372036854775808", KNOWN, body, now), Err(SignatureError::Stale));
        assert_eq!(check("n1", seconds, "v1=xyz", body, now), Err(SignatureError::Malformed));
        let umlauts = format!("v1={}", "é".repeat(32));
        assert_eq!(check("n1", seconds, &umlauts, body, now), Err(SignatureError::Malformed));
        let other = verify(b"other", (Some("n1"), Some(seconds), Some(KNOWN)), body, at(now));
        assert_eq!(other, Err(SignatureError::Wrong));
        assert_eq!(
            verify(b"secret", (None, Some(seconds), Some(KNOWN)), body, at(now)),
            Err(SignatureError::Malformed)
        );
    }
}

//! Bytes as text.

use std::fmt::Write;

/// Two hexadecimal digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Percent-encoding of a part of an address: every byte but letters, digits and `-._~` is escaped.
///
/// # References
/// RFC 3986, section 2.3: the unreserved characters.
pub(crate) fn percent_encoded(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_address_are_escaped() {
        assert_eq!(percent_encoded("shop/wéb ?#1"), "shop%2Fw%C3%A9b%20%3F%231");
    }

    #[test]
    fn digits_are_those_of_each_byte() {
        assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
    }
}

//! What a live stream remembers, as bytes.

use crate::CoreError;
use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};
use std::io;

/// Appends a part of a state to `out`, in the `postcard` format: numbers keep all their bits, NaN's too; lists are
/// written with their length.
///
/// # Errors
/// [`CoreError::Outside`] for a value that cannot be written, which leaves `out` as it was.
pub fn save_part<T: Serialize + ?Sized>(part: &T, out: &mut Vec<u8>) -> Result<(), CoreError> {
    let before = out.len();
    postcard::serialize_with_flavor(part, Append(out)).map_err(|error| {
        out.truncate(before);
        CoreError::outside("saving a state", error.to_string())
    })
}

/// Takes a part that [`save_part`] wrote from the front of `from`. Lengths are checked against the bytes that there
/// are before memory is taken;
/// whether the part fits the state is for the caller to check.
///
/// # Errors
/// [`CoreError::DamagedState`] for bytes that are no such part, which leaves `from` as it was.
pub fn restore_part<T: DeserializeOwned>(from: &mut &[u8]) -> Result<T, CoreError> {
    let (part, rest) =
        postcard::take_from_bytes(from).map_err(|error| CoreError::damaged_state(error.to_string()))?;
    *from = rest;
    Ok(part)
}

/// Appends to a vector.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Whose state some bytes are: a hash of all settings that a state depends on. States of equal settings have equal
/// fingerprints, on every
/// machine.
///
/// FNV-1a of 64 bits: it tells settings apart that differ by accident, and is no protection against somebody who wants
/// a collision.
///
/// # References
/// G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake and T. Hansen, *The FNV Non-Cryptographic Hash Algorithm*, IETF draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a kind of state, such as `"window"`, of which no settings are known yet.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).and_text(kind)
    }

    /// The same with a setting that is text, such as the name of a service.
    #[must_use]
    pub fn and_text(self, text: &str) -> Self {
        // With its length, so that "ab" and "c" are not "a" and "bc".
        self.hash(&(text.len() as u64).to_le_bytes()).hash(text.as_bytes())
    }

    /// The same with a setting that serde can write as JSON, such as a schema.
    ///
    /// # Errors
    /// [`CoreError::Outside`] for a value that JSON cannot hold.
    pub fn and(self, setting: &(impl Serialize + ?Sized)) -> Result<Self, CoreError> {
        let mut hash = Hash(self);
        serde_json::to_writer(&mut hash, setting)
            .map_err(|error| CoreError::outside("the fingerprint of a state", error))?;
        // What no JSON begins with ends the setting.
        Ok(hash.0.hash(&[0]))
    }

    /// The hash as a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    fn hash(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(bytes.iter().fold(self.0, step))
    }
}

struct Hash(Fingerprint);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.hash(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Version of the bytes that [`seal`] writes.
const VERSION: u8 = 2;
/// Version, fingerprint, length.
const HEAD: usize = 1 + 8 + 4;
/// Checksum.
const TAIL: usize = 4;

/// Appends what `body` writes to `out` as a whole that says whose it is and whether it was damaged: 17 bytes more than
/// the body.
///
/// # Errors
/// Those of `body`, and [`CoreError::Outside`] for one of 4 GiB or more. `out` is then as it was.
pub fn seal(
    fingerprint: Fingerprint,
    out: &mut Vec<u8>,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), CoreError>,
) -> Result<(), CoreError> {
    let before = out.len();
    out.push(VERSION);
    out.extend_from_slice(&fingerprint.0.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let written = body(out).and_then(|()| {
        u32::try_from(out.len() - before - HEAD)
            .map_err(|error| CoreError::outside("saving a state of 4 GiB or more", error))
    });
    match written {
        Ok(length) => out[before + HEAD - 4..before + HEAD].copy_from_slice(&length.to_le_bytes()),
        Err(error) => {
            out.truncate(before);
            return Err(error);
        }
    }
    let sum = checksum(&out[before..]);
    out.extend_from_slice(&sum);
    Ok(())
}

/// Takes a whole that [`seal`] wrote from the front of `from`, and gives its body.
///
/// # Errors
/// [`CoreError::DamagedState`] for bytes that are none, are cut off, or were changed; [`CoreError::ForeignState`] for
/// a whole of another
/// fingerprint, where `what` names the state that it was to be restored into. `from` is then as it was.
pub fn unseal<'a>(fingerprint: Fingerprint, what: &str, from: &mut &'a [u8]) -> Result<&'a [u8], CoreError> {
    let cut_off = || CoreError::damaged_state(format!("it is cut off after {} bytes", from.len()));
    let (head, rest) = from.split_at_checked(HEAD).ok_or_else(cut_off)?;
    if head[0] != VERSION {
        let reason = format!("its version is {}, this program reads version {VERSION}", head[0]);
        return Err(CoreError::damaged_state(reason));
    }
    let length = head[9..].iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    let (body, rest) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    let (sum, rest) = rest.split_at_checked(TAIL).ok_or_else(cut_off)?;
    if checksum(&from[..HEAD + length]) != sum {
        return Err(CoreError::damaged_state("its checksum is wrong".to_owned()));
    }
    if head[1..9] != fingerprint.0.to_le_bytes() {
        return Err(CoreError::ForeignState { what: what.to_owned() });
    }
    *from = rest;
    Ok(body)
}

/// CRC-32C: any change within four bytes changes it. A state lies within that of its service, and that within that of
/// all, so that each byte is summed several times.
fn checksum(bytes: &[u8]) -> [u8; TAIL] {
    crc32c::crc32c(bytes).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_bits() {
        let part = (f32::from_bits(0x7fc0_1234), -0.0f64, f64::from_bits(0xfff8_0000_0000_0007), i64::MIN);
        let mut out = vec![7];
        save_part(&part, &mut out).unwrap();
        let mut from = &out[1..];
        let back: (f32, f64, f64, i64) = restore_part(&mut from).unwrap();
        assert_eq!((back.0.to_bits(), back.1.to_bits()), (part.0.to_bits(), part.1.to_bits()));
        assert_eq!((back.2.to_bits(), back.3, from.len()), (part.2.to_bits(), part.3, 0));
    }

    #[test]
    fn a_length_beyond_the_bytes_takes_no_memory() {
        // A varint of 2^63 numbers, and nothing after it.
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        let mut from = &huge[..];
        assert!(matches!(restore_part::<Vec<f64>>(&mut from), Err(CoreError::DamagedState { .. })));
        assert_eq!(from.len(), huge.len());
    }

    #[test]
    fn settings_that_differ_have_other_fingerprints() {
        let base = Fingerprint::of("window");
        assert_eq!(base, Fingerprint::of("window"));
        assert_ne!(base, Fingerprint::of("features"));
        assert_ne!(base.and_text("ab").and_text("c"), base.and_text("a").and_text("bc"));
        assert_ne!(
            base.and(&[1, 2]).unwrap().and(&3).unwrap(),
            base.and(&[1]).unwrap().and(&[2, 3]).unwrap()
        );
        // FNV-1a's own test vector: "a" from the offset basis.
        assert_eq!(Fingerprint(0xcbf2_9ce4_8422_2325).hash(b"a").0, 0xaf63_dc4c_8601_ec8c);
    }

    proptest! {
        #[test]
        fn a_whole_is_read_back_and_any_damage_is_seen(
            body in proptest::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(), flip in 1u8..
        ) {
            let (own, other) = (Fingerprint::of("own"), Fingerprint::of("other"));
            let mut out = vec![9];
            seal(own, &mut out, |out| { out.extend_from_slice(&body); Ok(()) }).unwrap();
            out.push(8);
            let whole = &out[1..];
            let mut from = whole;
            let foreign = unseal(other, "a", &mut from);
            prop_assert!(matches!(foreign, Err(CoreError::ForeignState { .. })), "another owner");
            prop_assert_eq!(unseal(own, "a", &mut from).unwrap(), &body[..]);
            prop_assert_eq!(from, [8]);
            let whole = &whole[..whole.len() - 1];
            let mut cut = &whole[..at.index(whole.len())];
            prop_assert!(unseal(own, "a", &mut cut).is_err());
            let mut changed = whole.to_vec();
            changed[at.index(whole.len())] ^= flip;
            prop_assert!(unseal(own, "a", &mut &changed[..]).is_err());
        }
    }

    #[test]
    fn what_cannot_be_saved_leaves_nothing_behind() {
        let mut out = vec![1, 2];
        let refused = seal(Fingerprint::of("a"), &mut out, |out| {
            out.push(3);
            Err(CoreError::NotSavable { what: "twice".to_owned(), warm_up_rows: Some(5) })
        });
        let error = refused.unwrap_err().to_string();
        assert_eq!(error, "the state of twice cannot be saved: push its last 5 rows again to rebuild it");
        assert_eq!(out, [1, 2]);
    }
}

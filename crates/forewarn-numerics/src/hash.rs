/// FNV-1a over words of 32 bits: tells what belongs together from what does not. No protection against people.
///
/// A whole word is taken in at once, where the published function takes bytes; [`add_bytes`](Self::add_bytes) is that
/// one.
///
/// # References
/// G. Fowler, L. C. Noll, K.-P. Vo and D. Eastlake, *The FNV Non-Cryptographic Hash Algorithm*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fnv1a(u64);

impl Fnv1a {
    /// A hash of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in one word.
    pub fn add(&mut self, word: u32) {
        self.0 = (self.0 ^ u64::from(word)).wrapping_mul(0x100_0000_01b3);
    }

    /// Takes in a length, as two words on every machine.
    pub fn add_size(&mut self, size: usize) {
        self.add(size as u32);
        self.add((size as u64 >> 32) as u32);
    }

    /// Takes in bytes, one after another.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.add(u32::from(byte)));
    }

    /// Takes in a text and where it ends, so that `"ab", "c"` and `"a", "bc"` differ.
    pub fn add_text(&mut self, text: &str) {
        self.add_size(text.len());
        self.add_bytes(text.as_bytes());
    }

    /// The hash of what was taken in.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Fnv1a {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(f: impl FnOnce(&mut Fnv1a)) -> u64 {
        let mut hash = Fnv1a::new();
        f(&mut hash);
        hash.value()
    }

    #[test]
    fn bytes_have_the_published_values() {
        // From the authors' list of test vectors.
        assert_eq!(of(|_| {}), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of(|hash| hash.add_bytes(b"a")), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(of(|hash| hash.add_bytes(b"foobar")), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn where_a_text_ends_counts() {
        let texts = |first: &str, second: &str| {
            of(|hash| {
                hash.add_text(first);
                hash.add_text(second);
            })
        };
        assert_ne!(texts("ab", "c"), texts("a", "bc"));
    }
}

/// FNV-1a of words: tells what belongs together from what does not. No protection against people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, word: u32) {
        self.0 = (self.0 ^ u64::from(word)).wrapping_mul(0x100_0000_01b3);
    }

    pub(crate) fn add_size(&mut self, size: usize) {
        self.add(size as u32);
        self.add((size as u64 >> 32) as u32);
    }

    /// A text and where it ends.
    pub(crate) fn add_text(&mut self, text: &str) {
        self.add_size(text.len());
        text.bytes().for_each(|byte| self.add(u32::from(byte)));
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

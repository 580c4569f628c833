use std::ops::Not;

/// What a condition says of one row, in Kleene's logic of three values.
///
/// `Unknown` stands for "true or false, it cannot be decided": a metric that the condition needs is missing. In the
/// order `No < Unknown < Yes`, *all of* is the minimum and *any of* the maximum, and `not` swaps the ends:
///
/// | a | b | all of | any of | not a |
/// |---|---|---|---|---|
/// | yes | unknown | unknown | yes | no |
/// | unknown | unknown | unknown | unknown | unknown |
/// | no | unknown | no | unknown | yes |
///
/// # References
/// S. C. Kleene, *Introduction to Metamathematics*, 1952, section 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It does not hold.
    No,
    /// Missing samples leave it open.
    Unknown,
    /// It holds.
    Yes,
}

impl Verdict {
    /// `Yes` or `No`.
    #[must_use]
    pub fn known(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Not for Verdict {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

//! Room for services that come one by one.

/// Adds one more. Room is made for an eighth more at a time: a list that doubles would leave up to half of a large
/// fleet's memory empty, and services seldom come.
pub(crate) fn push_slowly<T>(all: &mut Vec<T>, one: T) {
    if all.len() == all.capacity() {
        all.reserve_exact((all.len() / 8).max(4));
    }
    all.push(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_stays_empty_and_little_is_moved() {
        let (mut all, mut moved) = (Vec::new(), 0);
        for number in 0..100_000_u32 {
            if all.len() == all.capacity() {
                moved += all.len();
            }
            push_slowly(&mut all, number);
        }
        assert!(all.iter().copied().eq(0..100_000));
        assert!(all.capacity() <= 113_000, "{}", all.capacity());
        assert!(moved < 1_000_000, "{moved}");
    }
}

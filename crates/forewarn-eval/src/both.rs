use std::{panic, thread};

/// Does two things at a time, on two threads.
pub(crate) fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| panic::resume_unwind(panic)), other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_result() {
        assert_eq!(both(|| 1, || "two"), (1, "two"));
        assert!(panic::catch_unwind(|| both(|| panic!("one"), || 2)).is_err());
    }
}

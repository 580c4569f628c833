/// FNV-1a in 64 bits: the same on every machine and in every release. It tells queries apart; it is no protection
/// against someone who looks for two that collide.
pub(super) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for part in parts {
        // The length first, so that a boundary cannot move.
        (part.len() as u64).to_le_bytes().into_iter().chain(part.bytes()).for_each(&mut eat);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn it_is_pinned_and_sees_boundaries() {
        assert_eq!(fingerprint([]), "cbf29ce484222325");
        assert_ne!(fingerprint(["ab", "c"]), fingerprint(["a", "bc"]));
    }
}

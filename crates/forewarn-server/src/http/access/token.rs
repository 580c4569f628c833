use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use utoipa::ToSchema;

/// What the bearer of a token may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Read.
    #[default]
    Viewer,
    /// Acknowledge, silence, inject faults.
    Operator,
    /// Promote models, reload the configuration.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

/// Bytes of a token's hash.
const HASH_BYTES: usize = 32;
/// Fewest characters of a token that a user brings: 256 bits in base64 take 43.
const LEAST_CHARACTERS: usize = 43;
/// Most characters of a token; a longer one is not looked at.
const MOST_CHARACTERS: usize = 512;

/// SHA-256 of a token: all that the server keeps of it. A token has 256 random bits, so that a hash without salt
/// cannot be searched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; HASH_BYTES]);

impl TokenHash {
    /// The hash of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 2 * HASH_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; HASH_BYTES];
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(hash))
    }

    /// Whether two are the same, in a time that does not depend on where they differ.
    pub(crate) fn is(&self, other: &Self) -> subtle::Choice {
        self.0.ct_eq(&other.0)
    }
}

/// As 64 hexadecimal digits: what a configuration has.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Hashes are no secrets, but say nothing to a reader either.
impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

/// A fresh token of 256 random bits, as 64 hexadecimal digits behind `fw_`, by which scanners for secrets can know it.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn new_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; HASH_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("fw_{}", TokenHash(bytes)))
}

/// Whether a token that a user brings is long enough to be one of 256 bits, and plain.
///
/// # Errors
/// What is wrong, and what was expected; never the token.
pub fn check_token(token: &str) -> Result<(), &'static str> {
    if !(LEAST_CHARACTERS..=MOST_CHARACTERS).contains(&token.len()) {
        return Err("expected a token of 43 to 512 characters: 256 random bits; `forewarn token` makes one");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("expected a token of printable ASCII characters without blanks");
    }
    Ok(())
}

/// A token that the server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownToken {
    /// Name for logs.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// Its hash.
    pub hash: TokenHash,
}

/// The tokens that a server accepts.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<KnownToken>);

impl Tokens {
    /// These tokens.
    #[must_use]
    pub fn new(tokens: Vec<KnownToken>) -> Self {
        Self(tokens)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &KnownToken> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The token that was presented, if it is known. Compares hashes with every known one, whichever fits, in a time
    /// that does not depend on them.
    #[must_use]
    pub fn find(&self, presented: &str) -> Option<&KnownToken> {
        if presented.len() > MOST_CHARACTERS {
            return None;
        }
        let hash = TokenHash::of(presented);
        let mut found = u32::MAX;
        for (place, known) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&place, known.hash.is(&hash));
        }
        self.0.get(found as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, role: Role, token: &str) -> KnownToken {
        KnownToken { name: name.to_owned(), role, hash: TokenHash::of(token) }
    }

    #[test]
    fn a_hash_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenHash::of("abc").to_string(), hash);
        assert_eq!(TokenHash::from_hex(hash), Some(TokenHash::of("abc")));
        assert_eq!(TokenHash::from_hex(&hash.to_uppercase()), Some(TokenHash::of("abc")));
        for wrong in ["", &hash[1..], &format!("{hash}0"), &hash.replace('a', "g"), &"é".repeat(32)] {
            assert_eq!(TokenHash::from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tokens_are_found_by_their_hash_alone() {
        let tokens = Tokens::new(vec![
            known("ann", Role::Viewer, "a"),
            known("bob", Role::Operator, "b"),
            known("eve", Role::Admin, "c"),
        ]);
        let found = |token| tokens.find(token).map(|known| (known.name.as_str(), known.role));
        assert_eq!(found("a"), Some(("ann", Role::Viewer)));
        assert_eq!(found("b"), Some(("bob", Role::Operator)));
        assert_eq!(found("c"), Some(("eve", Role::Admin)));
        for wrong in ["", "d", "aa", &TokenHash::of("a").to_string(), &"a".repeat(100_000)] {
            assert_eq!(found(wrong), None);
        }
        assert!(Tokens::default().find("").is_none());
    }

    #[test]
    fn fresh_tokens_differ_and_are_long_enough() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 67);
        check_token(&one).unwrap();
        for wrong in ["", "password", &"é".repeat(40), &"a b".repeat(20), &"a".repeat(513)] {
            assert!(check_token(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn roles_are_in_order() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
    }
}

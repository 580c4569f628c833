use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Callers that are told apart at once; those beyond share one allowance.
const MOST_CALLERS: usize = 10_000;

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallerKey {
    /// The bearer of a token, by its name.
    Token(String),
    /// An address without a token.
    Peer(IpAddr),
    /// All for whom there is no place.
    Rest,
}

impl CallerKey {
    /// An address. The 2^64 addresses of an IPv6 network are one caller.
    pub(crate) fn peer(address: IpAddr) -> Self {
        Self::Peer(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 => v4,
        })
    }
}

/// How many requests each caller may still make: an allowance that fills at a constant rate up to `burst`.
#[derive(Debug)]
pub(crate) struct Rates {
    per_second: f64,
    burst: f64,
    callers: Mutex<BTreeMap<CallerKey, Allowance>>,
}

#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: f64,
    at: Instant,
}

impl Rates {
    /// Both are at least 1.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let (per_second, burst) = (f64::from(per_second.max(1)), f64::from(burst.max(1)));
        Self { per_second, burst, callers: Mutex::default() }
    }

    /// Takes `cost` requests off a caller's allowance.
    ///
    /// # Errors
    /// How long to wait where nothing is left.
    pub(crate) fn take(&self, key: CallerKey, cost: u32, now: Instant) -> Result<(), Duration> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= MOST_CALLERS && !callers.contains_key(&key) {
            callers.retain(|_, allowance| self.filled(*allowance, now) < self.burst);
        }
        let has_place = callers.len() < MOST_CALLERS || callers.contains_key(&key);
        let key = if has_place { key } else { CallerKey::Rest };
        let allowance = callers.entry(key).or_insert(Allowance { left: self.burst, at: now });
        let left = self.filled(*allowance, now);
        // A costly request may overdraw: what comes after it waits.
        *allowance = Allowance { left: if left >= 1.0 { left - f64::from(cost) } else { left }, at: now };
        if left >= 1.0 {
            return Ok(());
        }
        Err(Duration::try_from_secs_f64((1.0 - left) / self.per_second).unwrap_or(Duration::MAX))
    }

    fn filled(&self, allowance: Allowance, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(allowance.at).as_secs_f64();
        (allowance.left + seconds * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> CallerKey {
        CallerKey::peer(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn a_burst_is_served_and_what_follows_waits() {
        let (rates, now) = (Rates::new(2, 5), Instant::now());
        assert!((0..5).all(|_| rates.take(peer(1), 1, now).is_ok()));
        assert_eq!(rates.take(peer(1), 1, now), Err(Duration::from_millis(500)));
        rates.take(peer(2), 1, now).unwrap();
        let later = now + Duration::from_millis(500);
        rates.take(peer(1), 1, later).unwrap();
        assert!(rates.take(peer(1), 1, later).is_err());
        // Long rest fills it to the burst and no further.
        let later = now + Duration::from_secs(1_000);
        assert!((0..5).all(|_| rates.take(peer(1), 1, later).is_ok()));
        assert!(rates.take(peer(1), 1, later).is_err());
    }

    #[test]
    fn a_costly_request_overdraws() {
        let (rates, now) = (Rates::new(1, 5), Instant::now());
        rates.take(peer(1), 20, now).unwrap();
        assert_eq!(rates.take(peer(1), 1, now), Err(Duration::from_secs(16)));
    }

    #[test]
    fn an_ipv6_network_is_one_caller_and_mapped_addresses_are_ipv4() {
        let key = |text: &str| CallerKey::peer(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }

    #[test]
    fn callers_beyond_the_most_share_an_allowance() {
        let (rates, now) = (Rates::new(1, 1), Instant::now());
        let name = |number: usize| CallerKey::Token(number.to_string());
        assert!((0..MOST_CALLERS).all(|number| rates.take(name(number), 1, now).is_ok()));
        rates.take(name(MOST_CALLERS), 1, now).unwrap();
        assert!(rates.take(name(MOST_CALLERS + 1), 1, now).is_err());
        assert!(rates.callers.lock().unwrap().len() <= MOST_CALLERS + 1);
        // After a rest there is place again.
        let later = now + Duration::from_secs(2);
        rates.take(name(MOST_CALLERS + 1), 1, later).unwrap();
        assert!(rates.callers.lock().unwrap().len() < 10);
    }
}

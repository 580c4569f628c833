//! What has come, so that a request that is repeated is not taken twice.

use std::collections::BTreeMap;

/// Times that are remembered of a series.
const REMEMBERED: usize = 32;

/// The newest times of each service's metrics.
#[derive(Debug, Default)]
pub(super) struct Seen {
    services: BTreeMap<String, Vec<Recent>>,
}

/// The newest times of a series in milliseconds, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    times: Vec<i64>,
}

impl Recent {
    pub(super) fn has(&self, time: i64) -> bool {
        self.times.binary_search(&time).is_ok()
    }

    pub(super) fn newest(&self) -> Option<i64> {
        self.times.last().copied()
    }

    pub(super) fn keep(&mut self, time: i64) {
        let Err(place) = self.times.binary_search(&time) else { return };
        if self.times.len() < REMEMBERED {
            self.times.insert(place, time);
        } else if place > 0 {
            // The oldest makes room; one that is older than all of them is not worth it.
            self.times.remove(0);
            self.times.insert(place - 1, time);
        }
    }
}

impl Seen {
    /// Whether a sample has come before.
    pub(super) fn has(&self, service: &str, metric: usize, time: i64) -> bool {
        let recent = self.services.get(service).and_then(|metrics| metrics.get(metric));
        recent.is_some_and(|recent| recent.has(time))
    }

    /// Whether a service is known, or there is room for it.
    pub(super) fn has_room(&self, service: &str, most: usize) -> bool {
        self.services.len() < most || self.services.contains_key(service)
    }

    /// Remembers samples of a service: place of the metric, one of `metrics`, and time of each.
    pub(super) fn keep(&mut self, service: &str, samples: &[(usize, i64)], metrics: usize) {
        let own = match self.services.get_mut(service) {
            Some(own) => own,
            None => {
                self.services.entry(service.to_owned()).or_insert_with(|| vec![Recent::default(); metrics])
            }
        };
        for &(metric, time) in samples {
            if let Some(recent) = own.get_mut(metric) {
                recent.keep(time);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_times_are_remembered_in_any_order_of_coming() {
        let mut seen = Seen::default();
        for time in (0..100).rev().chain(0..100) {
            seen.keep("a", &[(1, time)], 3);
        }
        assert!((68..100).all(|time| seen.has("a", 1, time)));
        assert!(!(0..68).any(|time| seen.has("a", 1, time)));
        assert!(!seen.has("a", 0, 99) && !seen.has("b", 1, 99) && !seen.has("a", 9, 99));
        assert!(seen.has_room("a", 1) && !seen.has_room("b", 1));
        assert_eq!(seen.services["a"][1].times.len(), REMEMBERED);
    }
}

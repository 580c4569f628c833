//! What was given of the last minutes, so that a late change is seen.

use super::rows::RowsByTime;
use forewarn_schema::Timestamp;
use std::collections::BTreeMap;

/// Rows of the last minutes as they were given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    by_time: RowsByTime,
}

/// A row that is not what was given before.
#[derive(Debug, PartialEq)]
pub(crate) struct LateRow {
    pub(crate) time: Timestamp,
    pub(crate) service: String,
    pub(crate) values: Vec<f32>,
    /// Whether there was none before.
    pub(crate) is_new: bool,
}

impl Given {
    /// Rows among those read again that differ from what was given, or were not there; each is told once.
    pub(crate) fn changes(&mut self, again: &RowsByTime) -> Vec<LateRow> {
        let mut changes = Vec::new();
        for (&time, rows) in again {
            let Some(given) = self.by_time.get_mut(&time) else { continue };
            for (service, values) in rows {
                let before = given.get(service);
                if before.is_some_and(|before| is_same(before, values)) {
                    continue;
                }
                let (service, is_new) = (service.clone(), before.is_none());
                changes.push(LateRow { time, service: service.clone(), values: values.clone(), is_new });
                given.insert(service, values.clone());
            }
        }
        changes
    }

    /// Keeps the rows of a minute that is given now, and forgets those before `oldest`.
    pub(crate) fn give(&mut self, time: Timestamp, rows: &BTreeMap<String, Vec<f32>>, oldest: Timestamp) {
        self.by_time = self.by_time.split_off(&oldest);
        if time >= oldest {
            self.by_time.insert(time, rows.clone());
        }
    }
}

/// Whether no value has changed; a missing one that stays missing has not.
fn is_same(before: &[f32], now: &[f32]) -> bool {
    before.len() == now.len() && before.iter().zip(now).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000).unwrap()
    }

    fn rows(rows: &[(&str, f32)]) -> BTreeMap<String, Vec<f32>> {
        rows.iter().map(|&(service, value)| (service.to_owned(), vec![value, f32::NAN])).collect()
    }

    #[test]
    fn a_change_is_told_once_and_what_was_forgotten_is_none() {
        let mut given = Given::default();
        given.give(at(1), &rows(&[("a", 1.0)]), at(1));
        given.give(at(2), &rows(&[("a", 2.0)]), at(1));
        let again = RowsByTime::from([
            (at(1), rows(&[("a", 1.5), ("b", 9.0)])),
            (at(2), rows(&[("a", 2.0)])),
            (at(3), rows(&[("a", 3.0)])),
        ]);
        let changes = given.changes(&again);
        let told: Vec<_> = changes.iter().map(|row| (row.time, row.service.as_str(), row.is_new)).collect();
        assert_eq!(told, [(at(1), "a", false), (at(1), "b", true)]);
        assert_eq!(given.changes(&again), []);
        given.give(at(3), &rows(&[]), at(3));
        assert_eq!(given.changes(&RowsByTime::from([(at(1), rows(&[("a", 7.0)]))])), []);
    }
}

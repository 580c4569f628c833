use forewarn_schema::{Kind, Schema, Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What has come for minutes that are not closed yet, by row time.
#[derive(Debug, Default)]
pub(in crate::engine) struct Inbox {
    minutes: BTreeMap<i64, Waiting>,
    /// An empty list of a minute that was closed, so that the next one needs no memory.
    spare: Vec<Option<OpenMinute>>,
}

/// What has come for one minute.
#[derive(Debug, Default)]
pub(in crate::engine) struct Waiting {
    /// By number of the service; services beyond the end have nothing.
    known: Vec<Option<OpenMinute>>,
    /// Services among them that have something.
    count: usize,
    /// Services that are not known yet.
    pub(in crate::engine) others: BTreeMap<String, OpenMinute>,
}

/// As an engine is saved: by row time and service.
pub(in crate::engine) type SavedInbox = BTreeMap<i64, BTreeMap<String, OpenMinute>>;

impl Waiting {
    /// Services that have something.
    pub(in crate::engine) fn len(&self) -> usize {
        self.count + self.others.len()
    }

    /// The same, begun if nothing has come yet.
    pub(in crate::engine) fn of_known(&mut self, slot: usize) -> &mut OpenMinute {
        if self.known.len() <= slot {
            self.known.resize_with(slot + 1, || None);
        }
        let place = &mut self.known[slot];
        self.count += usize::from(place.is_none());
        place.get_or_insert_default()
    }

    /// Takes what has come of the service with this number.
    pub(in crate::engine) fn take(&mut self, slot: usize) -> Option<OpenMinute> {
        let taken = self.known.get_mut(slot)?.take();
        self.count -= usize::from(taken.is_some());
        taken
    }

    fn put(&mut self, slot: usize, open: OpenMinute) {
        *self.of_known(slot) = open;
    }
}

impl Inbox {
    /// Whether something has come for this minute.
    pub(in crate::engine) fn has(&self, minute: i64) -> bool {
        self.minutes.contains_key(&minute)
    }

    /// Whether something has come for a later minute.
    pub(in crate::engine) fn has_after(&self, minute: i64) -> bool {
        self.minutes.range(minute.saturating_add(1)..).next().is_some()
    }

    /// The first minute for which something has come.
    pub(in crate::engine) fn first(&self) -> Option<i64> {
        self.minutes.keys().next().copied()
    }

    /// What has come for a minute, begun if nothing has.
    pub(in crate::engine) fn at(&mut self, minute: i64) -> &mut Waiting {
        let Self { minutes, spare } = self;
        minutes
            .entry(minute)
            .or_insert_with(|| Waiting { known: std::mem::take(spare), ..Waiting::default() })
    }

    /// Takes what has come for a minute; give it back to [`reuse`](Self::reuse) when all of it is taken.
    pub(in crate::engine) fn remove(&mut self, minute: i64) -> Waiting {
        self.minutes.remove(&minute).unwrap_or_default()
    }

    pub(in crate::engine) fn reuse(&mut self, mut closed: Waiting) {
        closed.known.clear();
        if closed.known.capacity() > self.spare.capacity() {
            self.spare = closed.known;
        }
    }

    /// A service gets a number: what waits from this minute on is its own. Gives these minutes, and whether each has a
    /// whole row.
    pub(in crate::engine) fn join(&mut self, name: &str, slot: usize, from: i64) -> Vec<(i64, bool)> {
        let mut found = Vec::new();
        for (&minute, waiting) in self.minutes.range_mut(from..) {
            if let Some(open) = waiting.others.remove(name) {
                found.push((minute, open.has_row()));
                waiting.put(slot, open);
            }
        }
        found
    }

    /// The service with this number leaves, and the last one takes its number.
    pub(in crate::engine) fn swap_leave(&mut self, name: &str, slot: usize, last: usize) {
        for waiting in self.minutes.values_mut() {
            if let Some(own) = waiting.take(slot) {
                waiting.others.insert(name.to_owned(), own);
            }
            if let Some(moved) = waiting.take(last) {
                waiting.put(slot, moved);
            }
        }
    }

    /// Drops what waits of a service that has no number.
    pub(in crate::engine) fn forget(&mut self, name: &str) {
        self.minutes.values_mut().for_each(|waiting| drop(waiting.others.remove(name)));
        self.minutes.retain(|_, waiting| waiting.len() > 0);
    }

    /// What is saved; `name` gives the name of a service.
    pub(in crate::engine) fn saved(&self, name: impl Fn(usize) -> String) -> SavedInbox {
        let saved = self.minutes.iter().map(|(&minute, waiting)| {
            let known = waiting.known.iter().enumerate();
            let known = known.filter_map(|(slot, open)| Some((name(slot), open.clone()?)));
            let others = waiting.others.iter().map(|(name, open)| (name.clone(), open.clone()));
            (minute, known.chain(others).collect())
        });
        saved.collect()
    }

    /// What was saved; `slot` gives the number of a service that is known.
    pub(in crate::engine) fn restored(saved: SavedInbox, slot: impl Fn(&str) -> Option<usize>) -> Self {
        let mut inbox = Self::default();
        for (minute, services) in saved {
            let waiting = inbox.at(minute);
            for (name, open) in services {
                match slot(&name) {
                    Some(slot) => waiting.put(slot, open),
                    None => drop(waiting.others.insert(name, open)),
                }
            }
        }
        inbox
    }
}

/// What has come of one service for one minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::engine) struct OpenMinute {
    /// Metric, time in milliseconds, value.
    samples: Vec<(u32, i64, f64)>,
    /// A whole row, where it came as one.
    row: Option<Vec<f32>>,
}

/// Last sample of each metric, where that is a counter: time in milliseconds, value. Empty where none is.
pub(in crate::engine) type CounterState = Vec<Option<(i64, f64)>>;

/// Counters of which no sample is known.
pub(in crate::engine) fn counters_of(metrics: &Schema) -> CounterState {
    let has_counter = metrics.metrics().iter().any(|metric| metric.kind == Kind::Counter);
    if has_counter { vec![None; metrics.len()] } else { Vec::new() }
}

impl OpenMinute {
    /// Takes a sample; says whether there was room for it.
    pub(in crate::engine) fn sample(
        &mut self,
        metric: u32,
        time: Timestamp,
        value: f64,
        most: usize,
    ) -> bool {
        let has_room = self.samples.len() < most;
        if has_room {
            self.samples.push((metric, time.millis(), value));
        }
        has_room
    }

    /// Takes a whole row. Of two rows the first counts; says whether this one does.
    pub(in crate::engine) fn row(&mut self, values: Vec<f32>) -> bool {
        let is_first = self.row.is_none();
        if is_first {
            self.row = Some(values);
        }
        is_first
    }

    /// Whether it came as a whole row.
    pub(in crate::engine) fn has_row(&self) -> bool {
        self.row.is_some()
    }

    /// Writes the values of the minute with row time `time` to `out`, one a metric, and gives the number of those
    /// that their metric's range does not allow: they are missing in the row.
    pub(in crate::engine) fn close(
        mut self,
        counters: &mut CounterState,
        schema: &Schema,
        (time, step): (Timestamp, Step),
        out: &mut [f32],
    ) -> u64 {
        // In order of time whatever the order of arrival; of equal times the first that came counts.
        self.samples.sort_by_key(|&(metric, time, _)| (metric, time));
        self.samples.dedup_by_key(|&mut (metric, time, _)| (metric, time));
        for samples in self.samples.chunk_by(|a, b| a.0 == b.0) {
            let index = samples[0].0 as usize;
            let (Some(metric), Some(out)) = (schema.metrics().get(index), out.get_mut(index)) else {
                continue;
            };
            let value = match metric.kind {
                Kind::Counter => increase(&mut counters[index], samples, time, step),
                _ => samples.iter().rev().map(|&(_, _, value)| value).find(|value| !value.is_nan()),
            };
            *out = value.map_or(f32::NAN, |value| value as f32);
        }
        if let Some(row) = self.row {
            for (out, value) in out.iter_mut().zip(row) {
                if out.is_nan() {
                    *out = value;
                }
            }
        }
        let mut out_of_range = 0;
        for (metric, out) in schema.metrics().iter().zip(out) {
            if !out.is_nan() && metric.check(*out).is_err() {
                *out = f32::NAN;
                out_of_range += 1;
            }
        }
        out_of_range
    }
}

/// What a counter grew by in a minute, without extrapolation. `None` where the sample before is too old for the
/// growth to be that of this minute.
fn increase(
    counter: &mut Option<(i64, f64)>,
    samples: &[(u32, i64, f64)],
    time: Timestamp,
    step: Step,
) -> Option<f64> {
    let from = time.millis() - step.millis();
    let mut last = counter.filter(|&(at, _)| at > from - step.millis());
    let mut growth = last.map(|_| 0.0);
    for &(_, at, value) in samples.iter().filter(|(_, _, value)| !value.is_nan()) {
        if let (Some((_, before)), Some(growth)) = (last, &mut growth) {
            // A counter that fell was reset to zero in between.
            *growth += if value >= before { value - before } else { value };
        }
        last = Some((at, value));
    }
    *counter = last;
    growth
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Metric, Unit, ValidRange};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).unwrap()
    }

    fn schema() -> Schema {
        let metric = |name, kind| Metric::new(name, Unit::Dimensionless, kind, ValidRange::NON_NEGATIVE);
        Schema::new(vec![metric("requests", Kind::Counter), metric("cpu", Kind::Gauge)]).unwrap()
    }

    fn close(minute: OpenMinute, counters: &mut CounterState, row_secs: i64) -> (u64, [f32; 2]) {
        let mut out = [f32::NAN; 2];
        (minute.close(counters, &schema(), (at(row_secs), Step::MINUTE), &mut out), out)
    }

    #[test]
    fn counters_grow_from_minute_to_minute_over_resets_and_disorder() {
        let mut counters = vec![None; 2];
        let minute = |samples: &[(i64, f64)]| {
            let mut minute = OpenMinute::default();
            samples.iter().for_each(|&(time, value)| assert!(minute.sample(0, at(time), value, 9)));
            minute
        };
        let growth = |out: (u64, [f32; 2])| out.1[0];
        assert!(growth(close(minute(&[(50, 100.0)]), &mut counters, 60)).is_nan(), "nothing before it");
        assert_eq!(growth(close(minute(&[(110, 130.0), (80, 110.0)]), &mut counters, 120)), 30.0);
        // It fell to 0 in between; what a second sample of one time says does not count.
        assert_eq!(growth(close(minute(&[(140, 5.0), (140, 900.0), (170, 12.0)]), &mut counters, 180)), 12.0);
        assert_eq!(growth(close(minute(&[(200, f64::NAN), (230, 20.0)]), &mut counters, 240)), 8.0);
        // Two minutes without a sample: the growth is not that of this minute.
        assert!(growth(close(minute(&[(410, 90.0)]), &mut counters, 420)).is_nan());
        assert_eq!(growth(close(minute(&[(470, 91.0)]), &mut counters, 480)), 1.0);
    }

    #[test]
    fn a_row_fills_what_samples_leave_and_ranges_hold() {
        let mut minute = OpenMinute::default();
        assert!(minute.sample(1, at(30), 0.25, 2) && minute.sample(1, at(40), f64::NAN, 2));
        assert!(!minute.sample(1, at(50), 0.5, 2), "the minute is full");
        assert!(minute.row(vec![7.0, 9.0]) && !minute.row(vec![8.0, 8.0]));
        assert_eq!(close(minute, &mut vec![None; 2], 60), (0, [7.0, 0.25]));
        let mut minute = OpenMinute::default();
        minute.row(vec![-1.0, f32::INFINITY]);
        let (out_of_range, row) = close(minute, &mut vec![None; 2], 60);
        assert!(out_of_range == 2 && row.iter().all(|value| value.is_nan()));
    }
}

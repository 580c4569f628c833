//! Statistics of the last rows, one row after another.

use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_numerics::{Sliding, Summary};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Two sums over rows, and how many of those are known.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Pair {
    sums: [f64; 2],
    known: usize,
}

impl Summary for Pair {
    const EMPTY: Self = Self { sums: [0.0; 2], known: 0 };

    fn join(self, later: Self) -> Self {
        let sums = [self.sums[0] + later.sums[0], self.sums[1] + later.sums[1]];
        Self { sums, known: self.known + later.known }
    }
}

/// Two sums over the last rows.
#[derive(Clone, Debug)]
pub(crate) struct Sums(Sliding<Pair>);

impl Sums {
    pub(crate) fn new(length: usize) -> Self {
        Self(Sliding::new(length))
    }

    /// Takes the next row; `None` for one without samples.
    pub(crate) fn push(&mut self, pair: Option<[f64; 2]>) {
        self.0.push(pair.map_or(Pair::EMPTY, |sums| Pair { sums, known: 1 }));
    }

    /// The sums over the window, and how many of its rows are known.
    pub(crate) fn get(&self) -> ([f64; 2], usize) {
        let Pair { sums, known } = self.0.total();
        (sums, known)
    }

    /// Appends what has been seen: at most 20 bytes a row. Both stacks, since which rows were joined before decides
    /// how their sum is rounded later.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(self.0.older(), self.0.newer()), out)
    }

    /// Takes what [`save`](Self::save) wrote.
    pub(crate) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (older, newer): (Vec<Pair>, Vec<Pair>) = restore_part(&mut rest)?;
        // Each sum of the older rows is of one row more than the one before it.
        let counted = older.iter().zip(1..).all(|(pair, rows)| pair.known <= rows)
            && newer.iter().all(|pair| pair.known <= 1);
        let (rows, length) = (older.len().saturating_add(newer.len()), self.0.steps());
        let restored = Sliding::restored(length, older, newer).filter(|_| counted);
        let restored = restored.ok_or_else(|| {
            CoreError::damaged_state(format!("{rows} rows of a sum are not the last {length}"))
        })?;
        (self.0, *from) = (restored, rest);
        Ok(())
    }
}

/// The last `length` values in two halves around a quantile. A row costs O(log length).
#[derive(Clone, Debug)]
pub(crate) struct SlidingQuantile {
    length: usize,
    share: f64,
    rows: VecDeque<Option<f64>>,
    low: Bag,
    high: Bag,
}

impl SlidingQuantile {
    pub(crate) fn new(length: usize, share: f64) -> Self {
        Self { length, share, rows: VecDeque::new(), low: Bag::default(), high: Bag::default() }
    }

    pub(crate) fn push(&mut self, value: Option<f64>) {
        if self.rows.len() == self.length
            && let Some(Some(old)) = self.rows.pop_front()
            && !self.low.remove(old)
        {
            self.high.remove(old);
        }
        self.rows.push_back(value);
        if let Some(value) = value {
            match self.low.last() {
                Some(middle) if value <= middle => self.low.insert(value),
                _ => self.high.insert(value),
            }
        }
        let count = self.low.count + self.high.count;
        // The low half holds all values up to the one that the quantile's position lies at or behind.
        let wanted = if count == 0 { 0 } else { (self.share * (count - 1) as f64) as usize + 1 };
        while self.low.count < wanted
            && let Some(value) = self.high.first()
        {
            self.high.remove(value);
            self.low.insert(value);
        }
        while self.low.count > wanted
            && let Some(value) = self.low.last()
        {
            self.low.remove(value);
            self.high.insert(value);
        }
    }

    /// The quantile with linear interpolation between neighbours, and how many rows are known.
    pub(crate) fn get(&self) -> Option<(f64, usize)> {
        let count = self.low.count + self.high.count;
        let below = self.low.last()?;
        let position = self.share * (count - 1) as f64;
        let rest = position - position.floor();
        let value = match self.high.first() {
            Some(above) if rest > 0.0 => below + rest * (above - below),
            _ => below,
        };
        Some((value, count))
    }

    /// Appends the rows: 9 bytes each.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.rows, out)
    }

    /// Takes what [`save`](Self::save) wrote; the halves are made again of the rows.
    pub(crate) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let rows: VecDeque<Option<f64>> = restore_part(&mut rest)?;
        if rows.len() > self.length || rows.iter().flatten().any(|value| value.is_nan()) {
            let (got, length) = (rows.len(), self.length);
            return Err(CoreError::damaged_state(format!(
                "{got} rows of a quantile are not the last {length}"
            )));
        }
        let mut restored = Self::new(self.length, self.share);
        rows.into_iter().for_each(|value| restored.push(value));
        (*self, *from) = (restored, rest);
        Ok(())
    }
}

/// Values with how often each occurs, in order.
#[derive(Clone, Debug, Default)]
struct Bag {
    counts: BTreeMap<Ordered, usize>,
    count: usize,
}

/// A number in the order of IEEE 754's totalOrder; never NaN here.
#[derive(Clone, Copy, Debug)]
struct Ordered(f64);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Bag {
    fn insert(&mut self, value: f64) {
        *self.counts.entry(Ordered(value)).or_insert(0) += 1;
        self.count += 1;
    }

    fn remove(&mut self, value: f64) -> bool {
        let Some(times) = self.counts.get_mut(&Ordered(value)) else { return false };
        *times -= 1;
        if *times == 0 {
            self.counts.remove(&Ordered(value));
        }
        self.count -= 1;
        true
    }

    fn first(&self) -> Option<f64> {
        self.counts.first_key_value().map(|(value, _)| value.0)
    }

    fn last(&self) -> Option<f64> {
        self.counts.last_key_value().map(|(value, _)| value.0)
    }
}

/// Takes the oldest entry if it is as asked for.
pub(crate) fn pop_oldest_if<T>(queue: &mut VecDeque<T>, is_so: impl FnOnce(&T) -> bool) -> Option<T> {
    if is_so(queue.front()?) { queue.pop_front() } else { None }
}

/// Takes the newest entry if it is as asked for.
pub(crate) fn pop_newest_if<T>(queue: &mut VecDeque<T>, is_so: impl FnOnce(&T) -> bool) -> Option<T> {
    if is_so(queue.back()?) { queue.pop_back() } else { None }
}

/// The smallest of the numbers that were pushed in the last `length` rows, and in how many rows one was.
#[derive(Clone, Debug)]
pub(crate) struct SlidingMin {
    length: usize,
    rows: VecDeque<usize>,
    /// Rows and numbers that no later number is as small as.
    minima: VecDeque<(usize, usize)>,
}

impl SlidingMin {
    pub(crate) fn new(length: usize) -> Self {
        Self { length, rows: VecDeque::new(), minima: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, t: usize, number: Option<usize>) {
        let length = self.length;
        let is_old = |row: usize| row + length <= t;
        while pop_oldest_if(&mut self.rows, |row| is_old(*row)).is_some() {}
        while pop_oldest_if(&mut self.minima, |(row, _)| is_old(*row)).is_some() {}
        if let Some(number) = number {
            self.rows.push_back(t);
            while pop_newest_if(&mut self.minima, |(_, other)| *other >= number).is_some() {}
            self.minima.push_back((t, number));
        }
    }

    /// How many of the last rows had a number, and the smallest.
    pub(crate) fn get(&self) -> (usize, Option<usize>) {
        (self.rows.len(), self.minima.front().map(|(_, number)| *number))
    }

    /// Appends what has been seen: at most 30 bytes a row of the window.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(&self.rows, &self.minima), out)
    }

    /// Takes what [`save`](Self::save) wrote after `seen` rows.
    pub(crate) fn restore(&mut self, seen: usize, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (rows, minima): (VecDeque<usize>, VecDeque<(usize, usize)>) = restore_part(&mut rest)?;
        // Rows in order, within the window, and numbers of rows up to their own.
        let ascend = rows.iter().zip(rows.iter().skip(1)).all(|(row, next)| row < next);
        let rise =
            minima.iter().zip(minima.iter().skip(1)).all(|(one, next)| one.0 < next.0 && one.1 < next.1);
        let are_seen = rows.back().is_none_or(|row| *row < seen)
            && minima.iter().all(|(row, number)| *row < seen && number <= row);
        if !(ascend && rise && are_seen && rows.len() <= self.length && minima.len() <= rows.len()) {
            let length = self.length;
            return Err(CoreError::damaged_state(format!(
                "the satisfied rows of a span are not among the last {length} of {seen}"
            )));
        }
        (self.rows, self.minima, *from) = (rows, minima, rest);
        Ok(())
    }
}

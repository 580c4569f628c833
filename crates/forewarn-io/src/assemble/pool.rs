//! The rows of all services in one block of memory, in whatever order they come: no second copy is needed to put them
//! in order at the end.

/// Rows of the smallest chunk; all chunks are whole numbers of it.
const UNIT: usize = 4;

/// Rows of the largest chunk.
const LARGEST: u64 = 64;

/// The part by which a block grows that is full: a system gives memory when it is written to, so that this costs
/// addresses, and few moves.
const GROWTH: usize = 8;

/// What a row of a pool holds.
pub(super) trait Cell: Copy {
    /// Where there is no value.
    const MISSING: Self;
}

impl Cell for f32 {
    const MISSING: Self = Self::NAN;
}

/// A code of a value: see [`Code`](super::coded::Code).
impl Cell for u8 {
    const MISSING: Self = 0;
}

/// Rows of values, and of counters beside them. A service takes chunks of rows, the larger the more it has.
#[derive(Debug, Default)]
pub(super) struct Pool<V = f32> {
    stride: usize,
    raw_stride: usize,
    /// `[row, stride]`
    values: Vec<V>,
    /// `[row, raw_stride]`: counters as the files have them.
    raws: Vec<f64>,
    /// Rows that are taken.
    rows: usize,
    services: Vec<Chunks>,
}

/// The first row of each chunk of a service, in units: of the first row that came and those behind it in time, and of
/// those before it, backwards.
#[derive(Debug, Default)]
struct Chunks {
    onward: Vec<u32>,
    backward: Vec<u32>,
}

/// The rows that lie in one chunk with row `key`: the one at its beginning in memory, and the end, which is below it for
/// rows before the first that came.
pub(super) fn chunk_around(key: i64) -> (i64, i64) {
    let (chunk, within) = chunk_of(distance(key));
    let (within, rows) = (within as i64, rows_of(chunk) as i64);
    if key < 0 { (key + within, key + within - rows) } else { (key - within, key - within + rows) }
}

/// Rows of all services in order, as `[row, stride]`.
pub(super) struct Sorted<V = f32> {
    pub(super) values: Vec<V>,
    pub(super) raws: Vec<f64>,
    pub(super) stride: usize,
    pub(super) raw_stride: usize,
}

impl<V: Cell> Pool<V> {
    /// Makes room for metrics that were not there before.
    pub(super) fn widen(&mut self, values: usize, raws: usize) {
        let is_empty = self.rows == 0;
        let widened = |wanted: usize, present: usize| match is_empty || wanted <= present {
            true => wanted.max(present),
            // Metrics that come one after another make few moves.
            false => wanted.max(present + present / 4),
        };
        let (from, raw_from) = (self.stride, self.raw_stride);
        (self.stride, self.raw_stride) = (widened(values, from), widened(raws, raw_from));
        restride(&mut self.values, self.rows, from, self.stride, V::MISSING);
        restride(&mut self.raws, self.rows, raw_from, self.raw_stride, f64::NAN);
    }

    /// Where row `key` of a service lies, counted from the first that came: it has nothing but gaps where it is new.
    pub(super) fn row(&mut self, service: usize, key: i64) -> usize {
        if self.services.len() <= service {
            self.services.resize_with(service + 1, Chunks::default);
        }
        let chunks = &mut self.services[service];
        let (chunk, within) = chunk_of(distance(key));
        let list = if key < 0 { &mut chunks.backward } else { &mut chunks.onward };
        if list.len() <= chunk {
            let mut rows = self.rows;
            for number in list.len()..=chunk {
                list.push((rows / UNIT) as u32);
                rows += rows_of(number);
            }
            let first = list[chunk] as usize * UNIT;
            self.rows = rows;
            grow(&mut self.values, rows * self.stride, V::MISSING);
            grow(&mut self.raws, rows * self.raw_stride, f64::NAN);
            return first + within;
        }
        list[chunk] as usize * UNIT + within
    }

    /// The values of the row at a place that [`row`](Self::row) gave.
    pub(super) fn values(&mut self, row: usize) -> &mut [V] {
        &mut self.values[row * self.stride..(row + 1) * self.stride]
    }

    /// Shows the values of rows of a service one after another; all of them have been given a place.
    pub(super) fn for_each(&self, service: usize, first: i64, end: i64, mut visit: impl FnMut(&[V])) {
        let Some(chunks) = self.services.get(service) else { return };
        for key in first..end {
            let row = chunks.place(key);
            visit(&self.values[row * self.stride..(row + 1) * self.stride]);
        }
    }

    /// The counters of that row.
    pub(super) fn raws(&mut self, row: usize) -> &mut [f64] {
        &mut self.raws[row * self.raw_stride..(row + 1) * self.raw_stride]
    }

    /// The rows of services one after another: of each its number, its first row and the one after its last. Moves
    /// every row at most once, within the block.
    pub(super) fn sort(mut self, services: &[(usize, i64, i64)]) -> Sorted<V> {
        let mut begins = Vec::with_capacity(services.len());
        let mut rows = 0;
        for &(_, first, end) in services {
            begins.push(rows);
            rows += end.saturating_sub(first).max(0) as usize;
        }
        let chunks = std::mem::take(&mut self.services);
        // Where the row lies that belongs at a place.
        let source = |place: usize| {
            let number = begins.partition_point(|&begin| begin <= place) - 1;
            let (service, first, _) = services[number];
            chunks[service].place(first + (place - begins[number]) as i64)
        };
        let mut wanted = Bits::new(self.rows);
        (0..rows).for_each(|place| wanted.set(source(place)));
        let mut done = Bits::new(rows);
        // Places that hold nothing take their row, whose place is free then, and so on to a place that is not needed.
        for free in (0..rows).filter(|&place| !wanted.get(place)) {
            let mut place = free;
            while place < rows {
                let from = source(place);
                self.copy_row(from, place);
                done.set(place);
                place = from;
            }
        }
        // All others go round in circles.
        let (mut held, mut held_raws) = (vec![V::MISSING; self.stride], vec![0.0; self.raw_stride]);
        for first in 0..rows {
            if done.get(first) || source(first) == first {
                continue;
            }
            held.copy_from_slice(self.values(first));
            held_raws.copy_from_slice(self.raws(first));
            let mut place = first;
            loop {
                done.set(place);
                let from = source(place);
                if from == first {
                    break;
                }
                self.copy_row(from, place);
                place = from;
            }
            self.values(place).copy_from_slice(&held);
            self.raws(place).copy_from_slice(&held_raws);
        }
        self.values.truncate(rows * self.stride);
        self.raws.truncate(rows * self.raw_stride);
        let Self { values, raws, stride, raw_stride, .. } = self;
        Sorted { values, raws, stride, raw_stride }
    }

    fn copy_row(&mut self, from: usize, to: usize) {
        let (width, raw_width) = (self.stride, self.raw_stride);
        // A wide file has one value a row, which is not worth a call.
        match width {
            1 => self.values[to] = self.values[from],
            _ => self.values.copy_within(from * width..(from + 1) * width, to * width),
        }
        if raw_width > 0 {
            self.raws.copy_within(from * raw_width..(from + 1) * raw_width, to * raw_width);
        }
    }
}

impl Chunks {
    /// Where a row lies that has been given a place.
    fn place(&self, key: i64) -> usize {
        let (chunk, within) = chunk_of(distance(key));
        let list = if key < 0 { &self.backward } else { &self.onward };
        list[chunk] as usize * UNIT + within
    }
}

/// A row's number among those of its direction.
fn distance(key: i64) -> u64 {
    if key < 0 { (-1 - key).unsigned_abs() } else { key.unsigned_abs() }
}

/// The chunk of the row `at` of a direction, and its place in it: chunks have 4, 4, 8, 16, 32, 64, 64, 64... rows.
fn chunk_of(at: u64) -> (usize, usize) {
    if at >= LARGEST {
        let later = at - LARGEST;
        return (5 + (later / LARGEST) as usize, (later % LARGEST) as usize);
    }
    match at.checked_ilog2() {
        Some(power @ 2..) => (power as usize - 1, (at - (1 << power)) as usize),
        _ => (0, at as usize),
    }
}

fn rows_of(chunk: usize) -> usize {
    match chunk {
        0 => UNIT,
        1..=4 => 2 << chunk,
        _ => LARGEST as usize,
    }
}

/// Makes a block longer, by little more than is asked for.
fn grow<T: Copy>(block: &mut Vec<T>, length: usize, missing: T) {
    if length > block.capacity() {
        let more = (block.len() / GROWTH).max(length - block.len());
        block.reserve_exact(more);
    }
    block.resize(length, missing);
}

/// Rows of `from` values as rows of `to`, the new ones at the end of each.
fn restride<T: Copy>(block: &mut Vec<T>, rows: usize, from: usize, to: usize, missing: T) {
    if from == to {
        return;
    }
    grow(block, rows * to, missing);
    for row in (0..rows).rev() {
        block.copy_within(row * from..(row + 1) * from, row * to);
        block[row * to + from..(row + 1) * to].fill(missing);
    }
}

/// A bit for each of many numbers.
struct Bits(Vec<u64>);

impl Bits {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn get(&self, at: usize) -> bool {
        self.0[at / 64] & 1 << (at % 64) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::collections::BTreeMap;

    #[test]
    fn chunks_follow_one_another_without_gaps() {
        let mut expected = (0, 0);
        for at in 0..1000 {
            assert_eq!(chunk_of(at), expected, "{at}");
            expected.1 += 1;
            if expected.1 == rows_of(expected.0) {
                expected = (expected.0 + 1, 0);
            }
        }
    }

    proptest! {
        #[test]
        fn rows_come_out_in_order_however_they_came(
            steps in vec((0usize..4, -9i64..12), 1..400), widened in 0usize..400, order in Just(vec![2, 0, 3, 1]).prop_shuffle()
        ) {
            let mut pool: Pool = Pool::default();
            pool.widen(1, 0);
            let mut last = [0i64; 4];
            let mut expected: [BTreeMap<i64, (f32, f64)>; 4] = Default::default();
            let mut ends = [(0i64, 0i64); 4];
            for (number, (service, step)) in steps.into_iter().enumerate() {
                if number == widened {
                    pool.widen(2, 1);
                }
                // The first row of a service is its row 0.
                let key = if expected[service].is_empty() { 0 } else { last[service] + step };
                last[service] = key;
                let row = pool.row(service, key);
                let value = (number as f32, if number >= widened { number as f64 } else { f64::NAN });
                pool.values(row)[0] = value.0;
                if number >= widened {
                    pool.raws(row)[0] = value.1;
                }
                expected[service].insert(key, value);
                ends[service] = (ends[service].0.min(key), ends[service].1.max(key + 1));
            }
            let services: Vec<_> = order.iter().map(|&service: &usize| (service, ends[service].0, ends[service].1)).collect();
            let Sorted { values, raws, stride, raw_stride } = pool.sort(&services);
            let mut row = 0;
            for (service, first, end) in services {
                for key in first..end {
                    let (value, raw) = expected[service].get(&key).copied().unwrap_or((f32::NAN, f64::NAN));
                    prop_assert!(values[row * stride].to_bits() == value.to_bits() || value.is_nan() && values[row * stride].is_nan());
                    prop_assert!(values[row * stride + 1..(row + 1) * stride].iter().all(|value| value.is_nan()));
                    if raw_stride > 0 {
                        let found = raws[row * raw_stride];
                        // A row that came before and again has the counter of one of both.
                        prop_assert!(raw.is_nan() || found == raw);
                    }
                    row += 1;
                }
            }
            prop_assert_eq!(values.len(), row * stride);
            prop_assert_eq!(raws.len(), row * raw_stride);
        }
    }
}

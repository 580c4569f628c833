//! Matrix products of the sizes that a network has, on vectors of [`LANES`] numbers.
//!
//! Every element of a result is a sum in one fixed order, whatever rows are beside it and however many are worked on
//! at once: a window has the same score in any batch.

#![expect(clippy::needless_range_loop, reason = "sums and columns are registers, which constants name")]

use crate::simd::{
    arithmetic::{Arithmetic, LANES, Lanes},
    panels::Panels,
    real::Real,
};

/// Row after row of numbers, each `stride` after the one before. Of a row only the columns `from..from + take` of
/// every `chunk` columns count.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) stride: usize,
    pub(crate) chunk: usize,
    pub(crate) from: usize,
    pub(crate) take: usize,
}

impl<'a, T> Rows<'a, T> {
    /// The first `columns` of each row.
    pub(crate) fn new(values: &'a [T], stride: usize, columns: usize) -> Self {
        Self { values, stride, chunk: stride, from: 0, take: columns }
    }

    pub(crate) fn count(&self) -> usize {
        self.values.len() / self.stride
    }

    /// The columns that count, and what is after them, of `R` rows from `row` on.
    #[inline(always)]
    pub(crate) fn some<const R: usize>(&self, row: usize) -> [&'a [T]; R] {
        let mut rows = [self.values; R];
        for r in 0..R {
            rows[r] = &self.values[(row + r) * self.stride + self.from..];
        }
        rows
    }
}

/// Sixteen numbers from `at` on.
#[inline(always)]
pub(crate) fn lanes<T>(values: &[T], at: usize) -> &Lanes<T> {
    values[at..].first_chunk().expect("rows are padded to whole vectors")
}

/// Sixteen numbers from `at` on.
#[inline(always)]
pub(crate) fn lanes_mut<T>(values: &mut [T], at: usize) -> &mut Lanes<T> {
    values[at..].first_chunk_mut().expect("rows are padded to whole vectors")
}

/// `W` vectors side by side, as many times as they fit.
#[inline(always)]
pub(crate) fn side_by_side<T, const W: usize>(values: &[T]) -> &[[Lanes<T>; W]] {
    values.as_chunks::<LANES>().0.as_chunks::<W>().0
}

/// `sums[r] += rows[r][k] * weights[k]`, one `k` after the other.
#[inline(always)]
pub(crate) fn accumulate<A: Arithmetic, const R: usize, const W: usize>(
    a: A,
    sums: &mut [[A::Vector; W]; R],
    rows: [&[A::Number]; R],
    weights: &[[Lanes<A::Number>; W]],
) {
    let mut shortened = rows;
    for row in &mut shortened {
        *row = &row[..weights.len()];
    }
    let mut inner = *sums;
    for (k, weights) in weights.iter().enumerate() {
        let mut columns = [a.splat(A::Number::ZERO); W];
        for w in 0..W {
            columns[w] = a.load(&weights[w]);
        }
        for r in 0..R {
            let value = a.splat(shortened[r][k]);
            for w in 0..W {
                inner[r][w] = a.mul_add(value, columns[w], inner[r][w]);
            }
        }
    }
    *sums = inner;
}

/// What a product starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// The bias of the panels.
    Bias,
    /// What is in the result.
    Result,
}

/// `to = rows * panels`, row by row; rows of the result are `stride` apart.
#[inline(always)]
pub(crate) fn product<A: Arithmetic>(
    a: A,
    rows: Rows<'_, A::Number>,
    panels: &Panels<A::Number>,
    from: From,
    to: &mut [A::Number],
    stride: usize,
) {
    for group in panels.groups() {
        match group.width {
            4 => group_product::<A, 4>(a, rows, group.values, from, to, stride, group.first),
            2 => group_product::<A, 2>(a, rows, group.values, from, to, stride, group.first),
            _ => group_product::<A, 1>(a, rows, group.values, from, to, stride, group.first),
        }
    }
}

#[inline(always)]
fn group_product<A: Arithmetic, const W: usize>(
    a: A,
    rows: Rows<'_, A::Number>,
    values: &[A::Number],
    from: From,
    to: &mut [A::Number],
    stride: usize,
    first: usize,
) {
    let count = rows.count();
    let mut row = 0;
    if A::ROWS >= 4 {
        while row + 4 <= count {
            block_product::<A, 4, W>(a, rows, row, values, from, to, stride, first);
            row += 4;
        }
    }
    while row < count {
        block_product::<A, 1, W>(a, rows, row, values, from, to, stride, first);
        row += 1;
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one call, inlined: a struct would only rename them")]
fn block_product<A: Arithmetic, const R: usize, const W: usize>(
    a: A,
    rows: Rows<'_, A::Number>,
    row: usize,
    values: &[A::Number],
    from: From,
    to: &mut [A::Number],
    stride: usize,
    first: usize,
) {
    let weights = side_by_side::<A::Number, W>(values);
    let (bias, mut weights) = weights.split_at(1);
    let mut sums = [[a.splat(A::Number::ZERO); W]; R];
    for r in 0..R {
        for w in 0..W {
            sums[r][w] = match from {
                From::Bias => a.load(&bias[0][w]),
                From::Result => a.load(lanes(to, (row + r) * stride + first + w * LANES)),
            };
        }
    }
    let mut at = rows.from;
    while !weights.is_empty() {
        let mut pieces = [&rows.values[..0]; R];
        for r in 0..R {
            pieces[r] = &rows.values[(row + r) * rows.stride + at..][..rows.take];
        }
        let (these, others) = weights.split_at(rows.take);
        accumulate(a, &mut sums, pieces, these);
        weights = others;
        at += rows.chunk;
    }
    for r in 0..R {
        for w in 0..W {
            a.store(sums[r][w], lanes_mut(to, (row + r) * stride + first + w * LANES));
        }
    }
}

/// Rows whose outer products are summed before the sums go back to memory: what they read then stays in the nearest
/// cache.
const OUTER_ROWS: usize = 64;

/// `to[k] += left[row][k] * right[row]`, summed over the rows: `to` is `[column of left, W vectors]`, and of a row of
/// `right` the `W` vectors from column `at` on count.
#[inline(always)]
pub(crate) fn outer<A: Arithmetic, const W: usize>(
    a: A,
    left: Rows<'_, A::Number>,
    right: &[A::Number],
    right_stride: usize,
    at: usize,
    to: &mut [A::Number],
) {
    let left_blocks = left.values.chunks(OUTER_ROWS * left.stride);
    for (left_rows, right_rows) in left_blocks.zip(right.chunks(OUTER_ROWS * right_stride)) {
        let mut k = 0;
        if A::ROWS >= 4 {
            while k + 4 <= left.take {
                let to = &mut to[k * W * LANES..];
                outer_block::<A, 4, W>(a, left_rows, left.stride, k, right_rows, right_stride, at, to);
                k += 4;
            }
        }
        while k < left.take {
            let to = &mut to[k * W * LANES..];
            outer_block::<A, 1, W>(a, left_rows, left.stride, k, right_rows, right_stride, at, to);
            k += 1;
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one call, inlined: a struct would only rename them")]
fn outer_block<A: Arithmetic, const R: usize, const W: usize>(
    a: A,
    left: &[A::Number],
    left_stride: usize,
    k: usize,
    right: &[A::Number],
    right_stride: usize,
    at: usize,
    to: &mut [A::Number],
) {
    let mut sums = [[a.splat(A::Number::ZERO); W]; R];
    for r in 0..R {
        for w in 0..W {
            sums[r][w] = a.load(lanes(to, (r * W + w) * LANES));
        }
    }
    for (left, right) in left.chunks_exact(left_stride).zip(right.chunks_exact(right_stride)) {
        let values: &[A::Number; R] = left[k..].first_chunk().expect("k + R is within a row");
        let vectors = &side_by_side::<A::Number, W>(&right[at..])[0];
        let mut columns = [a.splat(A::Number::ZERO); W];
        for w in 0..W {
            columns[w] = a.load(&vectors[w]);
        }
        for r in 0..R {
            let value = a.splat(values[r]);
            for w in 0..W {
                sums[r][w] = a.mul_add(value, columns[w], sums[r][w]);
            }
        }
    }
    for r in 0..R {
        for w in 0..W {
            a.store(sums[r][w], lanes_mut(to, (r * W + w) * LANES));
        }
    }
}

/// `sums += row`, over all rows.
#[inline(always)]
pub(crate) fn sum_rows<A: Arithmetic>(a: A, rows: &[A::Number], stride: usize, sums: &mut [A::Number]) {
    for row in rows.chunks_exact(stride) {
        for (sum, row) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(row.as_chunks::<LANES>().0) {
            a.store(a.add(a.load(sum), a.load(row)), sum);
        }
    }
}

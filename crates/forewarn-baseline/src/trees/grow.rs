use super::{
    bins::{Binned, Cuts},
    forest::{Node, Tree},
    histogram::{Column, Gradients, Slope, Sums, add_rows},
    split::{Bounds, Split, best_of_column},
};
use std::{ops::Range, panic::resume_unwind, thread};

/// Additions to a histogram below which a second thread costs more than it saves.
const WORK_OF_A_THREAD: usize = 1 << 18;

/// What the trees of one fit have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) leaves: usize,
    pub(super) l2: f64,
    pub(super) least_curvature: f64,
    pub(super) threads: usize,
}

/// Grows trees over one table, in memory that is used again from tree to tree.
pub(super) struct Grower<'a> {
    table: &'a Binned,
    limits: Limits,
    /// Rows, leaf after leaf.
    rows: Vec<u32>,
    aside: Vec<u32>,
    /// Gradients of the rows of the leaf that is looked at, in their order.
    sums: Vec<Sums>,
    /// Histograms that no leaf uses now.
    spare: Vec<Vec<Column>>,
}

/// A leaf that may be split further.
struct Leaf {
    node: usize,
    /// Its part of the grower's rows.
    rows: Range<usize>,
    total: Sums,
    histogram: Vec<Column>,
    best: Option<Split>,
}

/// Columns that a tree may split by: all, or some.
#[derive(Clone, Copy)]
struct Choice<'a> {
    picked: Option<&'a [u32]>,
    columns: usize,
}

impl Choice<'_> {
    /// The table's column behind position `at` of a histogram.
    fn column(&self, at: usize) -> usize {
        self.picked.map_or(at, |picked| picked[at] as usize)
    }
}

impl<'a> Grower<'a> {
    pub(super) fn new(table: &'a Binned, limits: Limits) -> Self {
        Self { table, limits, rows: Vec::new(), aside: Vec::new(), sums: Vec::new(), spare: Vec::new() }
    }

    /// A tree for these gradients, grown from `rows` at the leaf that gains most until there are enough leaves or
    /// none gains. Its leaves' values are the step to the loss's minimum times `rate`.
    ///
    /// The histogram of the smaller of two siblings is summed from its rows, that of the larger is what is left of
    /// the parent's.
    pub(super) fn grow(
        &mut self,
        rows: &[u32],
        picked: Option<&[u32]>,
        gradients: &Gradients,
        slopes: &[Slope],
        rate: f64,
    ) -> Tree {
        let choice = Choice { picked, columns: picked.map_or_else(|| self.table.columns(), <[u32]>::len) };
        let bounds = Bounds::new(gradients, self.limits.l2, self.limits.least_curvature);
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        let mut total = Sums::default();
        rows.iter().for_each(|&row| total.add(gradients.rows[row as usize]));
        let mut tree = Tree::root();
        let mut root = Leaf {
            node: 0,
            rows: 0..rows.len(),
            total,
            histogram: self.histogram(choice.columns),
            best: None,
        };
        self.refine(&mut root, None, choice, gradients, &bounds);
        let mut leaves = vec![root];
        while leaves.len() < self.limits.leaves {
            let gains = leaves.iter().enumerate().filter_map(|(at, leaf)| leaf.best.map(|best| (at, best)));
            let Some((at, split)) =
                gains.reduce(|most, next| if next.1.gain > most.1.gain { next } else { most })
            else {
                break;
            };
            let parent = leaves.swap_remove(at);
            let (left, right) = self.divide(parent, &split, &mut tree, choice, gradients, &bounds);
            leaves.push(left);
            leaves.push(right);
        }
        for leaf in leaves {
            let (mut gradient, mut curvature) = (0.0, 0.0);
            for &row in &self.rows[leaf.rows.clone()] {
                let slope = slopes[row as usize];
                gradient += f64::from(slope.gradient);
                curvature += f64::from(slope.curvature);
            }
            tree.set_leaf(
                leaf.node,
                (-rate * gradient / (curvature + self.limits.l2)) as f32,
                leaf.rows.len(),
            );
            self.spare.push(leaf.histogram);
        }
        tree
    }

    /// Splits `parent` into two leaves, the left one first.
    fn divide(
        &mut self,
        parent: Leaf,
        split: &Split,
        tree: &mut Tree,
        choice: Choice<'_>,
        gradients: &Gradients,
        bounds: &Bounds,
    ) -> (Leaf, Leaf) {
        let middle = parent.rows.start + self.partition(&parent.rows, split);
        let threshold = self.table.cuts[split.column].threshold(split.bin);
        let node =
            Node::split(split.column, threshold, split.missing_left, split.gain as f32, parent.rows.len());
        let first = tree.split(parent.node, node, split.bin);
        let left = (first, parent.rows.start..middle, split.left);
        let right = (first + 1, middle..parent.rows.end, parent.total.minus(split.left));
        let left_is_smaller = left.1.len() <= right.1.len();
        let (few, many) = if left_is_smaller { (left, right) } else { (right, left) };
        let mut few = Leaf {
            node: few.0,
            rows: few.1,
            total: few.2,
            histogram: self.histogram(choice.columns),
            best: None,
        };
        let mut many =
            Leaf { node: many.0, rows: many.1, total: many.2, histogram: parent.histogram, best: None };
        self.refine(&mut few, Some(&mut many), choice, gradients, bounds);
        if left_is_smaller { (few, many) } else { (many, few) }
    }

    /// Sums the histogram of `few`, takes it from the parent's, which `many` has, and finds the best split of both.
    /// The columns are shared out to threads, which changes no sum.
    fn refine(
        &mut self,
        few: &mut Leaf,
        many: Option<&mut Leaf>,
        choice: Choice<'_>,
        gradients: &Gradients,
        bounds: &Bounds,
    ) {
        let rows = &self.rows[few.rows.clone()];
        self.sums.clear();
        self.sums.extend(rows.iter().map(|&row| gradients.rows[row as usize]));
        let sums = &self.sums;
        let threads = (rows.len() * choice.columns / WORK_OF_A_THREAD).clamp(1, self.limits.threads.max(1));
        let share = choice.columns.div_ceil(threads).max(1);
        let (few_total, many_total) = (few.total, many.as_ref().map(|leaf| leaf.total));
        let (table, cuts) = (self.table, &self.table.cuts);
        let (rest, many_best) = match many {
            Some(leaf) => (leaf.histogram.as_mut_slice(), Some(&mut leaf.best)),
            None => (&mut [][..], None),
        };
        let work = |first: usize, few: &mut [Column], many: &mut [Column]| -> [Option<Split>; 2] {
            let columns = (first..first + few.len()).map(|at| choice.column(at));
            add_rows(few, rows, sums, table, columns);
            for (many, few) in many.iter_mut().zip(&*few) {
                for (many, few) in many.iter_mut().zip(few) {
                    *many = many.minus(*few);
                }
            }
            let best =
                |histogram: &[Column], total: Sums| best_of(first, histogram, cuts, choice, total, bounds);
            [best(few, few_total), many_total.and_then(|total| best(many, total))]
        };
        let found: Vec<[Option<Split>; 2]> = if threads == 1 {
            vec![work(0, &mut few.histogram, rest)]
        } else {
            thread::scope(|scope| {
                let mut rest = rest;
                let mut handles = Vec::with_capacity(threads);
                for (index, few) in few.histogram.chunks_mut(share).enumerate() {
                    let (mine, others) = std::mem::take(&mut rest)
                        .split_at_mut(few.len().min(rest_len(many_total, few.len())));
                    rest = others;
                    let work = &work;
                    handles.push(scope.spawn(move || work(index * share, few, mine)));
                }
                handles
                    .into_iter()
                    .map(|handle| handle.join().unwrap_or_else(|panic| resume_unwind(panic)))
                    .collect()
            })
        };
        few.best = found.iter().fold(None, |best, found| Split::better(best, found[0]));
        if let Some(best) = many_best {
            *best = found.iter().fold(None, |best, found| Split::better(best, found[1]));
        }
    }

    /// Moves the rows that go left before those that go right, each in the order that they had; returns how many go
    /// left.
    fn partition(&mut self, range: &Range<usize>, split: &Split) -> usize {
        let rows = &mut self.rows[range.clone()];
        self.aside.resize(self.aside.len().max(rows.len()), 0);
        let bins = self.table.column(split.column);
        let (mut kept, mut put_aside) = (0, 0);
        for at in 0..rows.len() {
            let row = rows[at];
            let left = split.takes_left(bins[row as usize]);
            // Both are written and one counts: where a row goes is no branch that could be guessed.
            (rows[kept], self.aside[put_aside]) = (row, row);
            kept += usize::from(left);
            put_aside += usize::from(!left);
        }
        rows[kept..].copy_from_slice(&self.aside[..put_aside]);
        kept
    }

    fn histogram(&mut self, columns: usize) -> Vec<Column> {
        let mut histogram = self.spare.pop().unwrap_or_default();
        histogram.clear();
        histogram.resize(columns, [Sums::default(); 256]);
        histogram
    }
}

/// Columns of the larger sibling's histogram that go with those of the smaller's: as many, or none where there is no
/// sibling.
fn rest_len(many: Option<Sums>, columns: usize) -> usize {
    if many.is_some() { columns } else { 0 }
}

/// The best split by the columns of part of a histogram, from position `first` on.
fn best_of(
    first: usize,
    histogram: &[Column],
    cuts: &[Cuts],
    choice: Choice<'_>,
    total: Sums,
    bounds: &Bounds,
) -> Option<Split> {
    (first..).zip(histogram).fold(None, |best, (at, histogram)| {
        let column = choice.column(at);
        Split::better(best, best_of_column(column, histogram, &cuts[column], total, bounds))
    })
}

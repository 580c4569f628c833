//! Trees laid out for scoring many rows.

use super::forest::Forest;

/// The trees of a [`Forest`] one after another, without a branch on the way down: leaves lead back to themselves, so
/// that rows go down side by side, each as many steps as the deepest leaf needs. A row's log-odds are those of the
/// forest, bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FlatForest {
    start: f64,
    nodes: Vec<FlatNode>,
    /// What each node adds, where it is a leaf.
    values: Vec<f32>,
    trees: Vec<FlatTree>,
}

/// 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct FlatNode {
    /// Values up to it go left; infinite for a leaf.
    threshold: f32,
    column: u32,
    /// Where the left child lies, the right one after it; and in the lowest bit whether missing values go right.
    left: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct FlatTree {
    root: u32,
    /// Splits on the longest way.
    depth: u32,
}

/// Rows that go down a tree side by side: enough to hide that each step waits for the one before.
const LANES: usize = 8;

impl FlatForest {
    pub(super) fn new(forest: &Forest) -> Self {
        let mut flat = Self { start: forest.start, nodes: Vec::new(), values: Vec::new(), trees: Vec::new() };
        for tree in &forest.trees {
            let root = flat.nodes.len();
            let mut depths = vec![0u32; tree.nodes.len()];
            for (at, node) in tree.nodes.iter().enumerate() {
                flat.values.push(node.value);
                if node.is_leaf() {
                    let left = ((root + at) as u32) << 1;
                    flat.nodes.push(FlatNode { threshold: f32::INFINITY, column: 0, left });
                    continue;
                }
                let child = node.left as usize;
                // The children of a node lie behind it.
                depths[child] = depths[at] + 1;
                depths[child + 1] = depths[at] + 1;
                let left = ((root + child) as u32) << 1 | u32::from(!node.missing_left());
                flat.nodes.push(FlatNode { threshold: node.value, column: node.column() as u32, left });
            }
            let depth = depths.iter().copied().max().unwrap_or(0);
            flat.trees.push(FlatTree { root: root as u32, depth });
        }
        flat
    }

    /// The log-odds of the rows of `columns` values in `rows`. A row's do not depend on the others.
    pub(super) fn log_odds(&self, rows: &[f32], columns: usize, log_odds: &mut [f64]) {
        log_odds.fill(self.start);
        let whole = log_odds.len() / LANES * LANES;
        let (groups, rest) = log_odds.split_at_mut(whole);
        let (grouped, single) = rows.split_at(whole * columns);
        for tree in &self.trees {
            for (rows, log_odds) in
                grouped.chunks_exact(LANES * columns.max(1)).zip(groups.chunks_exact_mut(LANES))
            {
                let lanes: [&[f32]; LANES] =
                    std::array::from_fn(|lane| &rows[lane * columns..(lane + 1) * columns]);
                let mut at = [tree.root; LANES];
                for _ in 0..tree.depth {
                    for (at, row) in at.iter_mut().zip(lanes) {
                        *at = self.child(*at, row);
                    }
                }
                for (log_odds, at) in log_odds.iter_mut().zip(at) {
                    *log_odds += f64::from(self.values[at as usize]);
                }
            }
            for (row, log_odds) in single.chunks_exact(columns.max(1)).zip(&mut *rest) {
                let at = (0..tree.depth).fold(tree.root, |at, _| self.child(at, row));
                *log_odds += f64::from(self.values[at as usize]);
            }
        }
    }

    #[inline]
    fn child(&self, at: u32, row: &[f32]) -> u32 {
        let node = self.nodes[at as usize];
        let value = row[node.column as usize];
        let right = u32::from(value > node.threshold) | (u32::from(value.is_nan()) & node.left & 1);
        (node.left >> 1) + right
    }
}

#[cfg(test)]
mod tests {
    use super::super::forest::{Node, Tree};
    use super::*;
    use proptest::prelude::*;

    /// A tree of splits drawn one after another: which leaf, column, threshold and side of missing values.
    fn tree() -> impl Strategy<Value = Tree> {
        let split = (any::<prop::sample::Index>(), 0usize..5, -2.0f32..2.0, any::<bool>());
        (prop::collection::vec(split, 0..12), prop::collection::vec(-1.0f32..1.0, 13)).prop_map(
            |(splits, values)| {
                let mut tree = Tree::root();
                for (place, column, threshold, missing_left) in splits {
                    let leaves: Vec<usize> =
                        (0..tree.nodes.len()).filter(|&at| tree.nodes[at].is_leaf()).collect();
                    let at = leaves[place.index(leaves.len())];
                    tree.split(at, Node::split(column, threshold, missing_left, 1.0, 2), 0);
                }
                let leaves: Vec<usize> =
                    (0..tree.nodes.len()).filter(|&at| tree.nodes[at].is_leaf()).collect();
                leaves.into_iter().zip(values).for_each(|(at, value)| tree.set_leaf(at, value, 1));
                tree
            },
        )
    }

    proptest! {
        #[test]
        fn its_log_odds_are_those_of_the_trees(
            trees in prop::collection::vec(tree(), 0..6), start in -3.0f64..3.0,
            values in prop::collection::vec(
                prop_oneof![4 => -3.0f32..3.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)], 0..130
            ),
        ) {
            let rows = &values[..values.len() / 5 * 5];
            let forest = Forest { start, trees };
            let mut found = vec![0.0; rows.len() / 5];
            FlatForest::new(&forest).log_odds(rows, 5, &mut found);
            for (row, found) in rows.chunks_exact(5).zip(found) {
                let sum = forest.trees.iter().fold(start, |sum, tree| sum + f64::from(tree.value(row)));
                prop_assert_eq!(sum.to_bits(), found.to_bits());
            }
        }
    }
}

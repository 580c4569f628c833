//! Trees laid out for scoring many rows.

use super::forest::{Forest, Tree};

/// Rows that are scored side by side.
pub(super) const LANES: usize = 16;
/// Leaves of a tree that is looked up by its splits; one with more is walked.
const FEW_LEAVES: usize = 16;

/// The trees of a [`Forest`] one after another. Rows are scored [`LANES`] at a time, which lie column by column, so
/// that a comparison is one for several rows. A row's log-odds are those of the forest, bit for bit.
///
/// Of a tree with few leaves every split is looked at, and none waits for another: each strikes out the leaves that a
/// row cannot reach, and the first that is left is the row's (Lucchese et al., SIGIR 2015). A larger tree is walked
/// from its root.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FlatForest {
    start: f64,
    /// Columns that any tree looks at, in order.
    columns: Vec<usize>,
    trees: Vec<FlatTree>,
    splits: Vec<Split>,
    /// Leaves of looked-up trees, from left to right.
    leaves: Vec<f32>,
    nodes: Vec<FlatNode>,
    /// What each node adds, where it is a leaf.
    values: Vec<f32>,
}

/// Where a tree begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum FlatTree {
    /// The end of its splits, and its first leaf.
    Looked { splits: u32, leaves: u32 },
    /// Its root, and splits on the longest way.
    Walked { root: u32, depth: u32 },
}

/// 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Split {
    /// Values up to it go left.
    threshold: f32,
    /// Place among the columns that are looked at, twice; one more where missing values go right.
    column: u32,
    /// The leaves that a row which goes right may reach.
    right: u32,
}

/// 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct FlatNode {
    /// Values up to it go left; infinite for a leaf, which leads back to itself.
    threshold: f32,
    /// Place among the columns that are looked at.
    column: u32,
    /// Where the left child lies, the right one after it; and in the lowest bit whether missing values go right.
    left: u32,
}

impl FlatForest {
    pub(super) fn new(forest: &Forest) -> Self {
        let splits = forest.trees.iter().flat_map(|tree| &tree.nodes).filter(|node| !node.is_leaf());
        let mut columns: Vec<usize> = splits.map(|node| node.column()).collect();
        columns.sort_unstable();
        columns.dedup();
        let mut flat = Self {
            start: forest.start,
            columns,
            trees: Vec::new(),
            splits: Vec::new(),
            leaves: Vec::new(),
            nodes: Vec::new(),
            values: Vec::new(),
        };
        for tree in &forest.trees {
            if tree.nodes.iter().filter(|node| node.is_leaf()).count() <= FEW_LEAVES {
                let leaves = flat.leaves.len() as u32;
                flat.look_up(tree, 0, leaves);
                flat.trees.push(FlatTree::Looked { splits: flat.splits.len() as u32, leaves });
            } else {
                flat.walk(tree);
            }
        }
        flat
    }

    /// Columns that are looked at: those of a block that is scored.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn place(&self, column: usize) -> u32 {
        self.columns.partition_point(|&before| before < column) as u32
    }

    /// Adds the leaves and splits below a node of a tree whose first leaf is `first`.
    fn look_up(&mut self, tree: &Tree, at: usize, first: u32) {
        let node = &tree.nodes[at];
        if node.is_leaf() {
            self.leaves.push(node.value);
            return;
        }
        let column = self.place(node.column()) << 1 | u32::from(!node.missing_left());
        let before = self.leaves.len() as u32 - first;
        self.look_up(tree, node.left as usize, first);
        let own = self.leaves.len() as u32 - first;
        // All but the leaves on the left.
        let right = !(((1 << own) - 1) & !((1 << before) - 1));
        self.splits.push(Split { threshold: node.value, column, right });
        self.look_up(tree, node.left as usize + 1, first);
    }

    fn walk(&mut self, tree: &Tree) {
        let root = self.nodes.len();
        let mut depths = vec![0u32; tree.nodes.len()];
        for (at, node) in tree.nodes.iter().enumerate() {
            self.values.push(node.value);
            if node.is_leaf() {
                let left = ((root + at) as u32) << 1;
                self.nodes.push(FlatNode { threshold: f32::INFINITY, column: 0, left });
                continue;
            }
            let child = node.left as usize;
            // The children of a node lie behind it.
            depths[child] = depths[at] + 1;
            depths[child + 1] = depths[at] + 1;
            let left = ((root + child) as u32) << 1 | u32::from(!node.missing_left());
            let column = self.place(node.column());
            self.nodes.push(FlatNode { threshold: node.value, column, left });
        }
        let depth = depths.iter().copied().max().unwrap_or(0);
        self.trees.push(FlatTree::Walked { root: root as u32, depth });
    }

    /// The log-odds of [`LANES`] rows, given by [column](Self::columns). A row's do not depend on the others.
    pub(super) fn log_odds(&self, block: &[[f32; LANES]]) -> [f64; LANES] {
        let (mut log_odds, mut first) = ([self.start; LANES], 0);
        for tree in &self.trees {
            let added = match *tree {
                FlatTree::Looked { splits, leaves } => {
                    let own = &self.splits[std::mem::replace(&mut first, splits as usize)..splits as usize];
                    let reached = reached(own, block);
                    let leaves = &self.leaves[leaves as usize..];
                    reached.map(|reached| leaves[reached.trailing_zeros() as usize])
                }
                FlatTree::Walked { root, depth } => self.walked(root, depth, block),
            };
            log_odds.iter_mut().zip(added).for_each(|(sum, added)| *sum += f64::from(added));
        }
        log_odds
    }

    /// What a tree that is walked adds.
    fn walked(&self, root: u32, depth: u32, block: &[[f32; LANES]]) -> [f32; LANES] {
        let mut at = [root; LANES];
        for _ in 0..depth {
            for (lane, at) in at.iter_mut().enumerate() {
                let node = self.nodes[*at as usize];
                let value = block[node.column as usize][lane];
                let right = u32::from(value > node.threshold) | (u32::from(value.is_nan()) & node.left & 1);
                *at = (node.left >> 1) + right;
            }
        }
        at.map(|at| self.values[at as usize])
    }
}

/// The leaves of a tree that no split strikes out for each row: the lowest is the one that it comes to.
fn reached(splits: &[Split], block: &[[f32; LANES]]) -> [u32; LANES] {
    let mut reached = [u32::MAX; LANES];
    for &Split { threshold, column, right } in splits {
        let values = &block[(column >> 1) as usize];
        if column & 1 == 0 {
            for (reached, value) in reached.iter_mut().zip(values) {
                *reached &= if *value > threshold { right } else { u32::MAX };
            }
        } else {
            // A missing value is not up to the threshold either.
            for (reached, value) in reached.iter_mut().zip(values) {
                *reached &= if *value <= threshold { u32::MAX } else { right };
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::super::forest::{Node, Tree};
    use super::*;
    use proptest::prelude::*;

    /// A tree of splits drawn one after another: which leaf, column, threshold and side of missing values.
    fn tree() -> impl Strategy<Value = Tree> {
        let split = (any::<prop::sample::Index>(), 0usize..5, -2.0f32..2.0, any::<bool>());
        (prop::collection::vec(split, 0..24), prop::collection::vec(-1.0f32..1.0, 25)).prop_map(
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
            let flat = FlatForest::new(&forest);
            for rows in rows.chunks(5 * LANES) {
                let lane = |lane: usize, column: usize| rows.get(lane * 5 + column).copied().unwrap_or(0.0);
                let column = |&column: &usize| std::array::from_fn(|row| lane(row, column));
                let found = flat.log_odds(&flat.columns().iter().map(column).collect::<Vec<_>>());
                for (row, found) in rows.chunks_exact(5).zip(found) {
                    let sum = forest.trees.iter().fold(start, |sum, tree| sum + f64::from(tree.value(row)));
                    prop_assert_eq!(sum.to_bits(), found.to_bits());
                }
            }
        }
    }
}

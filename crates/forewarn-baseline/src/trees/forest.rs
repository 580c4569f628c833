use super::bins::{Binned, MISSING};

/// A split or a leaf, 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    /// Of a split: values up to it go left. Of a leaf: what it adds to the log-odds.
    pub(super) value: f32,
    /// Where the left child lies in its tree, the right one after it; 0, which is the root, for a leaf.
    pub(super) left: u32,
    /// Column, and in the highest bit whether missing values go left.
    column: u32,
}

const MISSING_LEFT: u32 = 1 << 31;

impl Node {
    pub(super) fn split(
        column: usize,
        threshold: f32,
        missing_left: bool,
        gain: f32,
        rows: usize,
    ) -> (Self, f32, f32) {
        let column = column as u32 | if missing_left { MISSING_LEFT } else { 0 };
        (Self { value: threshold, left: 0, column }, gain, rows as f32)
    }

    pub(super) fn new(value: f32, left: u32, column: u32, missing_left: bool) -> Self {
        Self { value, left, column: column | if missing_left { MISSING_LEFT } else { 0 } }
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.left == 0
    }

    pub(super) fn column(&self) -> usize {
        (self.column & !MISSING_LEFT) as usize
    }

    pub(super) fn missing_left(&self) -> bool {
        self.column & MISSING_LEFT != 0
    }

    /// The child that a row goes to.
    pub(super) fn child(&self, row: &[f32]) -> usize {
        let value = row[self.column()];
        let right = if value.is_nan() { !self.missing_left() } else { value > self.value };
        self.left as usize + usize::from(right)
    }
}

/// One tree; its first node is the root, and the children of a node lie behind it, side by side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// Training rows of each node.
    pub(super) cover: Vec<f32>,
    /// Twice the loss that each split saved; 0 for leaves.
    pub(super) gain: Vec<f32>,
    /// Last bin that goes left, while the tree is grown.
    bins: Vec<u8>,
}

impl Tree {
    pub(super) fn root() -> Self {
        Self { nodes: vec![Node::new(0.0, 0, 0, false)], cover: vec![0.0], gain: vec![0.0], bins: vec![0] }
    }

    pub(super) fn from_parts(nodes: Vec<Node>, cover: Vec<f32>, gain: Vec<f32>) -> Self {
        Self { nodes, cover, gain, bins: Vec::new() }
    }

    /// Turns leaf `at` into a split; returns where its left child lies.
    pub(super) fn split(&mut self, at: usize, (node, gain, cover): (Node, f32, f32), bin: u8) -> usize {
        let left = self.nodes.len();
        self.nodes[at] = Node { left: left as u32, ..node };
        (self.gain[at], self.cover[at], self.bins[at]) = (gain, cover, bin);
        self.nodes.resize(left + 2, Node::new(0.0, 0, 0, false));
        self.cover.resize(left + 2, 0.0);
        self.gain.resize(left + 2, 0.0);
        self.bins.resize(left + 2, 0);
        left
    }

    pub(super) fn set_leaf(&mut self, at: usize, value: f32, rows: usize) {
        self.nodes[at].value = value;
        self.cover[at] = rows as f32;
    }

    /// What the tree adds to the log-odds of a row, one node after another.
    #[cfg(test)]
    pub(super) fn value(&self, row: &[f32]) -> f32 {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            node = &self.nodes[node.child(row)];
        }
        node.value
    }

    /// Adds the tree's values to those of the rows of a table from `first` on: the one that it was grown on, or one
    /// with the same cuts.
    pub(super) fn add_to<'m>(
        &self,
        margins: impl Iterator<Item = &'m mut f64>,
        first: usize,
        table: &Binned,
    ) {
        let columns: Vec<&[u8]> = self.nodes.iter().map(|node| table.column(node.column())).collect();
        for (row, margin) in (first..).zip(margins) {
            let mut at = 0;
            while !self.nodes[at].is_leaf() {
                let node = &self.nodes[at];
                let bin = columns[at][row];
                let right = if bin == MISSING { !node.missing_left() } else { bin > self.bins[at] };
                at = node.left as usize + usize::from(right);
            }
            *margin += f64::from(self.nodes[at].value);
        }
    }

    /// The value of a row of which nothing is known: the mean over the training rows.
    pub(super) fn expected_value(&self) -> f64 {
        let leaves = self.nodes.iter().zip(&self.cover).filter(|(node, _)| node.is_leaf());
        let sum: f64 = leaves.map(|(node, &cover)| f64::from(node.value) * f64::from(cover)).sum();
        sum / f64::from(self.cover[0])
    }
}

/// Trees whose values add up, with the log-odds that they start from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Forest {
    pub(super) start: f64,
    pub(super) trees: Vec<Tree>,
}

impl Forest {
    /// Makes `a x + b` of all log-odds `x`.
    pub(super) fn scale(&mut self, [a, b]: [f64; 2]) {
        // As it is saved, so that a model that was read scores the same bits.
        self.start = f64::from((a * self.start + b) as f32);
        for node in self.trees.iter_mut().flat_map(|tree| &mut tree.nodes).filter(|node| node.is_leaf()) {
            node.value = (a * f64::from(node.value)) as f32;
        }
    }

    /// How often each column splits and what that saves.
    pub(super) fn importance(&self, columns: usize) -> Vec<Importance> {
        let mut found = vec![Importance::default(); columns];
        for tree in &self.trees {
            for (node, &gain) in tree.nodes.iter().zip(&tree.gain).filter(|(node, _)| !node.is_leaf()) {
                let column = &mut found[node.column()];
                column.splits += 1;
                // The loss is half of what the second-order sums say.
                column.gain += f64::from(gain) / 2.0;
            }
        }
        found
    }
}

/// What a column does in boosted trees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Importance {
    /// Training loss that its splits saved, in nats, by the second-order estimate that they were chosen by.
    pub gain: f64,
    /// Number of splits.
    pub splits: usize,
}

use super::forest::{Forest, Tree};
use std::ops::Range;

/// Shapley values of each column for one row: how the log-odds come from the expected ones to those of the row.
///
/// Exact for the game in which a column that is not known takes both ways of a split, weighted by the training rows
/// of each. They add up to the row's log-odds less [`expected`]. Time is `O(leaves depth^2)` for each tree.
///
/// # References
/// S. Lundberg, G. Erion and S.-I. Lee, *Consistent individualized feature attribution for tree ensembles*, 2018,
/// algorithm 2.
pub(super) fn contributions(forest: &Forest, row: &[f32]) -> Vec<f64> {
    let mut found = vec![0.0; row.len()];
    let (mut steps, mut weights) = (Vec::new(), Vec::new());
    for tree in &forest.trees {
        let (found, steps, weights) = (&mut found, &mut steps, &mut weights);
        Walk { tree, row, found, steps, weights }.descend(0, 0..0, 1.0, 1.0, None);
    }
    found
}

/// The log-odds of a row of which nothing is known.
pub(super) fn expected(forest: &Forest) -> f64 {
    forest.start + forest.trees.iter().map(Tree::expected_value).sum::<f64>()
}

/// A column on the way to a node.
#[derive(Clone, Copy)]
struct Step {
    /// `None` for the beginning of the way.
    column: Option<usize>,
    /// Share of the training rows that go this way.
    unknown: f64,
    /// 1 if the row goes this way, else 0.
    known: f64,
    /// Sum of the weights of the sets of columns before it, by their size.
    weight: f64,
}

struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f32],
    found: &'a mut [f64],
    /// The paths to the nodes on the way down, one behind the other; empty before and after.
    steps: &'a mut Vec<Step>,
    /// Room for the weights of a path.
    weights: &'a mut Vec<f64>,
}

impl Walk<'_> {
    /// `before` is where the path to the node's parent lies.
    fn descend(&mut self, at: usize, before: Range<usize>, unknown: f64, known: f64, column: Option<usize>) {
        let from = self.steps.len();
        self.steps.extend_from_within(before);
        let length = self.steps.len() - from;
        self.steps.push(Step { column, unknown, known, weight: if length == 0 { 1.0 } else { 0.0 } });
        extend(&mut self.steps[from..]);
        let node = self.tree.nodes[at];
        if node.is_leaf() {
            let path = &self.steps[from..];
            for (index, step) in path.iter().enumerate().skip(1) {
                unwound(path, index, self.weights);
                let weight: f64 = self.weights.iter().sum();
                if let Some(column) = step.column {
                    self.found[column] += weight * (step.known - step.unknown) * f64::from(node.value);
                }
            }
            self.steps.truncate(from);
            return;
        }
        // A column that is on the way already is taken off it, and its shares are multiplied.
        let (mut unknown, mut known) = (1.0, 1.0);
        let path = &mut self.steps[from..];
        if let Some(index) = path.iter().position(|step| step.column == Some(node.column())) {
            (unknown, known) = (path[index].unknown, path[index].known);
            unwound(path, index, self.weights);
            path.copy_within(index + 1.., index);
            path.iter_mut().zip(&*self.weights).for_each(|(step, &weight)| step.weight = weight);
            self.steps.pop();
        }
        let path = from..self.steps.len();
        let taken = node.child(self.row);
        let cover = f64::from(self.tree.cover[at]);
        for child in [node.left as usize, node.left as usize + 1] {
            let share = f64::from(self.tree.cover[child]) / cover;
            let known = if child == taken { known } else { 0.0 };
            self.descend(child, path.clone(), unknown * share, known, Some(node.column()));
        }
        self.steps.truncate(from);
    }
}

/// Weighs the steps of a path of which the last one is new.
fn extend(path: &mut [Step]) {
    let length = path.len() - 1;
    let (Step { unknown, known, .. }, size) = (path[length], path.len() as f64);
    for index in (0..length).rev() {
        path[index + 1].weight += known * path[index].weight * (index + 1) as f64 / size;
        path[index].weight *= unknown * (length - index) as f64 / size;
    }
}

/// The weights of a path as they would be had step `index` never been on it.
fn unwound(path: &[Step], index: usize, weights: &mut Vec<f64>) {
    let (last, size) = (path.len() - 1, path.len() as f64);
    let Step { unknown, known, .. } = path[index];
    weights.resize(last, 0.0);
    let mut next = path[last].weight;
    for at in (0..last).rev() {
        weights[at] = if known != 0.0 {
            let weight = next * size / ((at + 1) as f64 * known);
            next = path[at].weight - weight * unknown * (last - at) as f64 / size;
            weight
        } else {
            path[at].weight * size / (unknown * (last - at) as f64)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trees::forest::Node;

    /// Splits by column 0, then by 1 on the left and by 0 again and 2 on the right.
    fn tree() -> Tree {
        let split = |column, threshold, left, missing_left| Node::new(threshold, left, column, missing_left);
        let leaf = |value| Node::new(value, 0, 0, false);
        Tree::from_parts(
            vec![
                split(0, 0.5, 1, false),
                split(1, -1.0, 3, true),
                split(0, 2.0, 5, false),
                leaf(1.0),
                leaf(-2.0),
                split(2, 0.0, 7, false),
                leaf(4.0),
                leaf(0.5),
                leaf(-3.0),
            ],
            vec![100.0, 60.0, 40.0, 25.0, 35.0, 30.0, 10.0, 12.0, 18.0],
            vec![0.0; 9],
        )
    }

    /// The value of a row of which only the columns in `known` are known.
    fn value(tree: &Tree, at: usize, row: &[f32], known: usize) -> f64 {
        let node = tree.nodes[at];
        if node.is_leaf() {
            return f64::from(node.value);
        }
        if known >> node.column() & 1 == 1 {
            return value(tree, node.child(row), row, known);
        }
        let child = |child: usize| {
            f64::from(tree.cover[child]) / f64::from(tree.cover[at]) * value(tree, child, row, known)
        };
        child(node.left as usize) + child(node.left as usize + 1)
    }

    #[test]
    fn shapley_values_by_their_definition() {
        let tree = tree();
        let forest = Forest { start: -1.5, trees: vec![tree.clone(), tree.clone()] };
        // 4 columns, of which the last is never looked at.
        let weights = [1.0 / 4.0, 1.0 / 12.0, 1.0 / 12.0, 1.0 / 4.0];
        for row in [[0.0, 0.0, 1.0, 9.0], [3.0, -2.0, 0.0, 9.0], [1.0, f32::NAN, -1.0, 9.0], [f32::NAN; 4]] {
            let found = contributions(&forest, &row);
            for (column, found) in found.iter().enumerate() {
                let expected: f64 = (0..16usize)
                    .filter(|set| set >> column & 1 == 0)
                    .map(|set| {
                        let gained = value(&tree, 0, &row, set | 1 << column) - value(&tree, 0, &row, set);
                        weights[set.count_ones() as usize] * gained * 2.0
                    })
                    .sum();
                assert!((found - expected).abs() < 1e-12, "{row:?} {column}: {found} {expected}");
            }
            let log_odds =
                forest.trees.iter().fold(forest.start, |sum, tree| sum + f64::from(tree.value(&row)));
            assert!((found.iter().sum::<f64>() + self::expected(&forest) - log_odds).abs() < 1e-12);
        }
    }
}

use super::{
    bins::{Binned, RowWriter},
    forest::{Forest, Tree},
    grow::{Grower, Limits},
    histogram::{Gradients, Slope},
};
use crate::parts::on_parts;
use forewarn_core::{FitProgress, LabelledWindows, Monitor, sigmoid};
use forewarn_numerics::{fit_scaling, mix, order, uniform};

/// Negative rows that a tree is grown on at least, where there are that many, and for each positive row.
const FEWEST_NEGATIVES: usize = 30_000;
const NEGATIVES_A_POSITIVE: usize = 20;

/// Soft label from which a negative row is kept as a positive one is, where there are fewer such rows than positive
/// ones: it has as much to say.
const TELLING: f32 = 0.1;

/// How boosting ended.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TreeFit {
    /// Leaves that a tree could have: as set, or as validation chose.
    pub leaves: usize,
    /// Trees that were kept: those up to the least validation loss.
    pub trees: usize,
    /// Trees that were grown.
    pub grown: usize,
    /// Mean log loss of the training windows with the trees kept, in nats; against soft labels where there are any.
    pub train_log_loss: f64,
    /// The same of the validation windows.
    pub validation_log_loss: f64,
}

/// A table with its labels, as bytes.
pub(super) struct Examples<'a> {
    table: Binned,
    labelled: LabelledWindows<'a>,
    /// Weight of a negative and of a positive row, times that of the row itself.
    class_weights: [f64; 2],
    /// Weight of all rows.
    weight: f64,
    /// Soft label from which a row is telling, whatever its label.
    telling: f32,
}

impl<'a> Examples<'a> {
    pub(super) fn train(
        source: &dyn RowWriter,
        labelled: LabelledWindows<'a>,
        class_weights: [f64; 2],
        bins: usize,
        threads: usize,
    ) -> Self {
        Self::new(Binned::new(source, bins, threads), labelled, class_weights)
    }

    /// Other rows, by the cuts of these.
    pub(super) fn validation(
        &self,
        source: &dyn RowWriter,
        labelled: LabelledWindows<'a>,
        threads: usize,
    ) -> Self {
        let table = Binned::with_cuts(source, self.table.cuts.clone(), threads);
        Self::new(table, labelled, self.class_weights)
    }

    fn new(table: Binned, labelled: LabelledWindows<'a>, class_weights: [f64; 2]) -> Self {
        let near = (0..)
            .zip(labelled.positive())
            .filter(|&(row, &positive)| !positive && labelled.soft_label(row) >= TELLING);
        let telling = if near.count() < labelled.positives() { TELLING } else { f32::INFINITY };
        let mut examples = Self { table, labelled, class_weights, weight: 0.0, telling };
        examples.weight = examples.outcomes(0).fold(0.0, |total, outcome| total + outcome.weight);
        examples
    }

    /// What each row from `first` on should come to.
    fn outcomes(&self, first: usize) -> impl Iterator<Item = Outcome> {
        let positive = (first..).zip(&self.labelled.positive()[first..]);
        positive.map(|(row, &positive)| {
            let label = self.labelled.soft_label(row);
            let weight = self.row_weight(row, positive);
            Outcome { label: f64::from(label), weight, is_telling: positive || label >= self.telling }
        })
    }

    /// What a row weighs: its own weight times that of its class.
    fn row_weight(&self, row: usize, positive: bool) -> f64 {
        f64::from(self.labelled.weight(row)) * self.class_weights[usize::from(positive)]
    }

    /// The log-odds that fit all rows best if they are all alike.
    fn log_odds(&self) -> f64 {
        let mut sums = [0.0; 2];
        self.outcomes(0).for_each(|Outcome { label, weight, .. }| {
            sums[0] += weight * (1.0 - label);
            sums[1] += weight * label;
        });
        // As it is saved, so that a model that was read scores the same bits.
        f64::from((sums[1] / sums[0]).ln() as f32)
    }

    /// Adds the trees' values to the log-odds of the rows; returns their mean log loss, in nats. Each row counts by
    /// its weight.
    fn add(&self, trees: &[Tree], rows: &mut [Held], threads: usize) -> f64 {
        on_parts(rows, threads, |first, rows| {
            for tree in trees {
                tree.add_to(rows.iter_mut().map(|row| &mut row.margin), first, &self.table);
            }
            for (row, Outcome { label, weight, .. }) in rows.iter_mut().zip(self.outcomes(first)) {
                let beyond = row.margin.max(0.0) - label * row.margin;
                row.loss = weight * (beyond + (-row.margin.abs()).exp().ln_1p());
            }
        });
        // In the order of the rows, whatever thread found them.
        rows.iter().fold(0.0, |sum, row| sum + row.loss) / self.weight
    }

    /// The line from log-odds that were fitted to soft labels to those of a failure. `None` where there is none, as where
    /// no row is positive.
    fn scaling(&self, rows: &[Held]) -> Option<[f64; 2]> {
        let margins: Vec<f64> = rows.iter().map(|row| row.margin).collect();
        let positive = self.labelled.positive();
        fit_scaling(&margins, positive, |row| self.row_weight(row, positive[row]))
    }

    /// What share of the rows that are not telling, and of those that are, a tree is grown on, where `share` of all are
    /// to be: fewer of the former where they are many, and then all of the latter. A negative row says little, and costs
    /// what a positive one costs.
    fn shares(&self, share: f64) -> [f64; 2] {
        if share >= 1.0 {
            return [1.0; 2];
        }
        let rows = self.table.rows();
        let telling = self.outcomes(0).filter(|outcome| outcome.is_telling).count();
        let enough = FEWEST_NEGATIVES.max(NEGATIVES_A_POSITIVE * telling) as f64;
        let rare = enough / (rows - telling).max(1) as f64;
        if rare < share { [rare, 1.0] } else { [share; 2] }
    }

    /// Adds a tree's values, if there is one yet, to the log-odds of the rows, and finds the slopes there, each times
    /// the factor of its class.
    fn descend(&self, tree: Option<&Tree>, factors: [f64; 2], rows: &mut [Slope], threads: usize) {
        on_parts(rows, threads, |first, rows| {
            if let Some(tree) = tree {
                tree.add_to(rows.iter_mut().map(|row| &mut row.margin), first, &self.table);
            }
            for (row, Outcome { label, weight, is_telling }) in rows.iter_mut().zip(self.outcomes(first)) {
                let probability = sigmoid(row.margin);
                let weight = weight * factors[usize::from(is_telling)];
                row.gradient = (weight * (probability - label)) as f32;
                row.curvature = (weight * probability * (1.0 - probability)) as f32;
            }
        });
    }
}

/// What a row should come to.
#[derive(Clone, Copy)]
struct Outcome {
    /// 0 or 1, or the soft label.
    label: f64,
    weight: f64,
    /// Whether it is positive, or nearly: such rows are few.
    is_telling: bool,
}

/// A row whose loss is followed.
#[derive(Clone, Copy)]
struct Held {
    /// Log-odds.
    margin: f64,
    /// Log loss in nats, times the row's weight.
    loss: f64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) limits: Limits,
    pub(super) rate: f64,
    pub(super) most_trees: usize,
    pub(super) patience: usize,
    /// Share of the rows that each tree is grown on.
    pub(super) row_share: f64,
    /// Share of the columns that each tree may split by.
    pub(super) column_share: f64,
    pub(super) seed: u64,
}

/// Adds tree after tree until the validation loss has not fallen for `patience` trees, and keeps those up to its least.
pub(super) fn boost(
    train: &Examples<'_>,
    validation: &Examples<'_>,
    plan: &Plan,
    monitor: &mut dyn Monitor,
) -> (Forest, TreeFit) {
    let (rows, columns, threads) = (train.table.rows(), train.table.columns(), plan.limits.threads);
    let start = train.log_odds();
    let mut forest = Forest { start, trees: Vec::new() };
    let mut slopes = vec![Slope { margin: start, ..Slope::default() }; rows];
    let at_start = |examples: &Examples<'_>| vec![Held { margin: start, loss: 0.0 }; examples.table.rows()];
    let mut held = at_start(validation);
    let mut end = TreeFit {
        leaves: plan.limits.leaves,
        trees: 0,
        grown: 0,
        train_log_loss: 0.0,
        validation_log_loss: validation.add(&[], &mut held, threads),
    };
    let mut gradients = Gradients::default();
    let mut grower = Grower::new(&train.table, plan.limits);
    let mut sampled: Vec<u32> = (0..rows as u32).collect();
    let shares = train.shares(plan.row_share);
    let is_telling: Vec<bool> = train.outcomes(0).map(|outcome| outcome.is_telling).collect();
    // Rows that are not telling stand for those that are left out.
    let factors = [shares[1] / shares[0], 1.0];
    for round in 0..plan.most_trees {
        let seed = mix(plan.seed, round as u64);
        train.descend(forest.trees.last(), factors, &mut slopes, threads);
        gradients.round(&slopes, seed, threads);
        if plan.row_share < 1.0 {
            let seed = mix(seed, 1);
            let is_picked =
                |&row: &u32| uniform(seed, u64::from(row))[0] < shares[usize::from(is_telling[row as usize])];
            sampled.clear();
            sampled.extend((0..rows as u32).filter(is_picked));
        }
        let picked = picked_columns(columns, plan.column_share, mix(seed, 2));
        let tree = grower.grow(&sampled, picked.as_deref(), &gradients, &slopes, plan.rate);
        let validation_loss = validation.add(std::slice::from_ref(&tree), &mut held, threads);
        let is_stump = tree.nodes.len() == 1;
        forest.trees.push(tree);
        end.grown += 1;
        if validation_loss < end.validation_log_loss {
            (end.validation_log_loss, end.trees) = (validation_loss, end.grown);
        }
        let measures = [("validation_log_loss", validation_loss), ("best", end.validation_log_loss)];
        monitor.report(FitProgress {
            iteration: end.grown,
            max_iterations: plan.most_trees,
            measures: &measures,
        });
        // A tree that finds nothing to split by all rows and columns will be followed by the same.
        let is_stuck = is_stump && plan.row_share >= 1.0 && picked.is_none();
        if is_stuck || end.grown - end.trees >= plan.patience || monitor.should_stop() {
            break;
        }
    }
    forest.trees.truncate(end.trees);
    let mut seen = at_start(train);
    end.train_log_loss = train.add(&forest.trees, &mut seen, threads);
    if train.labelled.soft_labels().is_some() {
        let mut held = at_start(validation);
        validation.add(&forest.trees, &mut held, threads);
        forest.scale(validation.scaling(&held).or_else(|| train.scaling(&seen)).unwrap_or([1.0, 0.0]));
    }
    (forest, end)
}

/// The columns that a tree may split by, ascending; `None` for all of them.
fn picked_columns(columns: usize, share: f64, seed: u64) -> Option<Vec<u32>> {
    let count = ((columns as f64 * share).ceil() as usize).clamp(1, columns);
    if count == columns {
        return None;
    }
    let mut picked = order(seed, columns);
    picked.truncate(count);
    picked.sort_unstable();
    Some(picked)
}

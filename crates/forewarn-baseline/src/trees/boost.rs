use super::{
    bins::{Binned, RowWriter},
    forest::{Forest, Tree},
    grow::{Exact, Grower, Limits},
    histogram::Gradients,
};
use crate::hash::{mix, order, uniform};
use forewarn_core::{FitProgress, LabelledWindows, Monitor, sigmoid};

/// How boosting ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TreeFit {
    /// Leaves that a tree could have: as set, or as validation chose.
    pub leaves: usize,
    /// Trees that were kept: those up to the least validation loss.
    pub trees: usize,
    /// Trees that were grown.
    pub grown: usize,
    /// Mean log loss of the training windows with the trees kept, in nats.
    pub train_log_loss: f64,
    /// Mean log loss of the validation windows with the trees kept, in nats.
    pub validation_log_loss: f64,
}

/// A table with its labels, as bytes.
pub(super) struct Examples<'a> {
    table: Binned,
    labelled: LabelledWindows<'a>,
    /// Weight of a negative and of a positive row, times that of the row itself.
    class_weights: [f64; 2],
}

impl<'a> Examples<'a> {
    pub(super) fn train(
        source: &dyn RowWriter,
        labelled: LabelledWindows<'a>,
        class_weights: [f64; 2],
        bins: usize,
        threads: usize,
    ) -> Self {
        Self { table: Binned::new(source, bins, threads), labelled, class_weights }
    }

    /// Other rows, by the cuts of these.
    pub(super) fn validation(
        &self,
        source: &dyn RowWriter,
        labelled: LabelledWindows<'a>,
        threads: usize,
    ) -> Self {
        let table = Binned::with_cuts(source, self.table.cuts.clone(), threads);
        Self { table, labelled, class_weights: self.class_weights }
    }

    /// Whether each row is positive, and what it weighs.
    fn outcomes(&self) -> impl Iterator<Item = (bool, f64)> {
        let positive = self.labelled.positive().iter().enumerate();
        positive.map(|(row, &positive)| {
            let own = f64::from(self.labelled.weight(row));
            (positive, own * self.class_weights[usize::from(positive)])
        })
    }

    /// The log-odds that fit all rows best if they are all alike.
    fn log_odds(&self) -> f64 {
        let mut sums = [0.0; 2];
        self.outcomes().for_each(|(positive, weight)| sums[usize::from(positive)] += weight);
        // As it is saved, so that a model that was read scores the same bits.
        f64::from((sums[1] / sums[0]).ln() as f32)
    }

    /// Mean log loss of rows with these log-odds, in nats; each row counts by its weight.
    fn log_loss(&self, margins: &[f64]) -> f64 {
        let (mut loss, mut total) = (0.0, 0.0);
        for (&margin, (positive, weight)) in margins.iter().zip(self.outcomes()) {
            let wrong = if positive { -margin } else { margin };
            loss += weight * (wrong.max(0.0) + (-wrong.abs()).exp().ln_1p());
            total += weight;
        }
        loss / total
    }
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
    let (rows, columns) = (train.table.rows(), train.table.columns);
    let start = train.log_odds();
    let mut forest = Forest { start, trees: Vec::new() };
    let mut margins = vec![start; rows];
    let mut validation_margins = vec![start; validation.table.rows()];
    let mut end = TreeFit {
        leaves: plan.limits.leaves,
        trees: 0,
        grown: 0,
        train_log_loss: train.log_loss(&margins),
        validation_log_loss: validation.log_loss(&validation_margins),
    };
    let (mut gradients, mut curvatures) = (vec![0.0f32; rows], vec![0.0f32; rows]);
    let mut grower = Grower::new(&train.table, plan.limits);
    let all: Vec<u32> = (0..rows as u32).collect();
    let mut sampled = Vec::new();
    for round in 0..plan.most_trees {
        let seed = mix(plan.seed, round as u64);
        for (((gradient, curvature), &margin), (positive, weight)) in
            gradients.iter_mut().zip(&mut curvatures).zip(&margins).zip(train.outcomes())
        {
            let probability = sigmoid(margin);
            *gradient = (weight * (probability - f64::from(u8::from(positive)))) as f32;
            *curvature = (weight * probability * (1.0 - probability)) as f32;
        }
        let rounded = Gradients::new(&gradients, &curvatures, seed);
        let part = if plan.row_share < 1.0 {
            let seed = mix(seed, 1);
            sampled.clear();
            sampled
                .extend(all.iter().copied().filter(|&row| uniform(seed, u64::from(row))[0] < plan.row_share));
            &sampled
        } else {
            &all
        };
        let picked = picked_columns(columns, plan.column_share, mix(seed, 2));
        let exact = Exact { gradients: &gradients, curvatures: &curvatures };
        let tree = grower.grow(part, picked.as_deref(), &rounded, exact, plan.rate);
        tree.add_to(&mut margins, &train.table);
        tree.add_to(&mut validation_margins, &validation.table);
        let is_stump = tree.nodes.len() == 1;
        forest.trees.push(tree);
        end.grown += 1;
        let validation_loss = validation.log_loss(&validation_margins);
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
        if is_stuck || end.grown >= end.trees + plan.patience {
            break;
        }
    }
    forest.trees.truncate(end.trees);
    margins.fill(start);
    forest.trees.iter().for_each(|tree: &Tree| tree.add_to(&mut margins, &train.table));
    end.train_log_loss = train.log_loss(&margins);
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

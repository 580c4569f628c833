use super::{
    bins::{Binned, RowWriter},
    forest::{Forest, Tree},
    grow::{Exact, Grower, Limits},
    histogram::Gradients,
};
use crate::hash::{mix, order, uniform};
use forewarn_core::{FitProgress, Monitor, sigmoid};

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
    pub(super) table: Binned,
    pub(super) positive: &'a [bool],
}

impl<'a> Examples<'a> {
    pub(super) fn train(source: &dyn RowWriter, positive: &'a [bool], bins: usize, threads: usize) -> Self {
        Self { table: Binned::new(source, bins, threads), positive }
    }

    /// Other rows, by the cuts of these.
    pub(super) fn validation(&self, source: &dyn RowWriter, positive: &'a [bool], threads: usize) -> Self {
        Self { table: Binned::with_cuts(source, self.table.cuts.clone(), threads), positive }
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
    /// Weight of a negative and of a positive row.
    pub(super) weights: [f64; 2],
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
    let start = weighted_log_odds(train.positive, plan.weights);
    let mut forest = Forest { start, trees: Vec::new() };
    let mut margins = vec![start; rows];
    let mut validation_margins = vec![start; validation.table.rows()];
    let loss = |margins: &[f64], examples: &Examples<'_>| log_loss(margins, examples.positive, plan.weights);
    let mut end = TreeFit {
        leaves: plan.limits.leaves,
        trees: 0,
        grown: 0,
        train_log_loss: loss(&margins, train),
        validation_log_loss: loss(&validation_margins, validation),
    };
    let (mut gradients, mut curvatures) = (vec![0.0f32; rows], vec![0.0f32; rows]);
    let mut grower = Grower::new(&train.table, plan.limits);
    let all: Vec<u32> = (0..rows as u32).collect();
    let mut sampled = Vec::new();
    for round in 0..plan.most_trees {
        let seed = mix(plan.seed, round as u64);
        for (((gradient, curvature), &margin), &positive) in
            gradients.iter_mut().zip(&mut curvatures).zip(&margins).zip(train.positive)
        {
            let weight = plan.weights[usize::from(positive)];
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
        let validation_loss = loss(&validation_margins, validation);
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
    end.train_log_loss = loss(&margins, train);
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

fn weighted_log_odds(positive: &[bool], weights: [f64; 2]) -> f64 {
    let positives = positive.iter().filter(|&&positive| positive).count() as f64;
    let negatives = positive.len() as f64 - positives;
    // As it is saved, so that a model that was read scores the same bits.
    f64::from((weights[1] * positives / (weights[0] * negatives)).ln() as f32)
}

/// Mean log loss of rows with these log-odds, in nats; each class counts with its weight.
fn log_loss(margins: &[f64], positive: &[bool], weights: [f64; 2]) -> f64 {
    let (mut loss, mut total) = (0.0, 0.0);
    for (&margin, &positive) in margins.iter().zip(positive) {
        let weight = weights[usize::from(positive)];
        let wrong = if positive { -margin } else { margin };
        loss += weight * (wrong.max(0.0) + (-wrong.abs()).exp().ln_1p());
        total += weight;
    }
    loss / total
}

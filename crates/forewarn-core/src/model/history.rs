use serde::{Deserialize, Serialize};

/// How one epoch of a fit went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean cross-entropy of the epoch's batches, each before the update that followed it.
    pub loss: f64,
    /// PR-AUC on validation after the epoch.
    pub validation_pr_auc: f64,
    /// Learning rate of the epoch's last update.
    #[serde(default)]
    pub learning_rate: f64,
    /// Mean Euclidean norm of the epoch's gradients, before any was scaled down.
    #[serde(default)]
    pub gradient_norm: f64,
}

/// How a fit went, epoch by epoch: what a report plots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The epochs in order.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: usize,
}

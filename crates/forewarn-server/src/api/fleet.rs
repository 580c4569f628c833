//! What services do and will do: metrics, predictions, graph.

pub(super) mod day;
pub(super) mod gauges;
pub(super) mod graph;
pub(super) mod history;
pub(super) mod overview;
pub(super) mod predictions;
pub(super) mod series;
pub(super) mod services;

//! Commands about files, graphs and servers of metrics.

pub(super) mod backfill;
pub(super) mod check;
pub(super) mod graph;
pub(super) mod manifest;
pub(super) mod roots;
pub(super) mod simulate;

//! The promtool that recipes are tested with.

use std::path::{Path, PathBuf};

use crate::command;
use crate::error::XtaskError;

/// Why there is nothing to run.
pub(crate) const NOTHING: &str = "no promtool is here: install Prometheus, or set FOREWARN_PROMTOOL to one";

/// The promtool that `FOREWARN_PROMTOOL` names, else the one on the search path.
pub(crate) fn find() -> Option<PathBuf> {
    let named = std::env::var_os("FOREWARN_PROMTOOL").filter(|named| !named.is_empty()).map(PathBuf::from);
    named.or_else(|| command::on_path(&["promtool", "promtool.exe"]))
}

/// Tests the recipes' queries, and quantiles, beside what Prometheus computes.
///
/// # Errors
///
/// The check's.
pub(crate) fn check(root: &Path, promtool: &Path) -> Result<(), XtaskError> {
    let mut cargo = command::ignored_test(root, "promtool::");
    command::run(cargo.env("FOREWARN_PROMTOOL", promtool))
}

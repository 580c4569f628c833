//! Licences, versions and sources of what the workspace builds with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::error::XtaskError;

/// Why there is nothing to run.
pub(crate) const NOTHING: &str = "no cargo-deny is here: `cargo install cargo-deny --locked`";

/// The cargo-deny on the search path.
pub(crate) fn find() -> Option<PathBuf> {
    command::on_path(&["cargo-deny", "cargo-deny.exe"])
}

/// Checks `.cargo/deny.toml` against the lock file. Advisories are left out: their list has to be downloaded, and a
/// new one would fail a change that has nothing to do with it. `cargo deny check advisories` asks for them.
///
/// # Errors
///
/// The check's.
pub(crate) fn check(root: &Path, deny: &Path) -> Result<(), XtaskError> {
    let mut deny = Command::new(deny);
    command::run(deny.current_dir(root).args(["--offline", "check", "licenses", "bans", "sources"]))
}

//! Whether the workspace can be released: packages, and names that are kept.

use std::path::Path;
use std::process::Command;

use crate::command;
use crate::delivery::extracted;
use crate::error::XtaskError;

pub(crate) const HELP: &str = "\
Check that the crates can be published, and that their names are those of the last release.

Usage: cargo xtask release [OPTIONS]

Options:
      --verify  Build each crate from its package, too
      --test    Run the tests of each library from its package, too, and build its documentation
  -h, --help    Show this help

It packages all crates as `cargo publish --workspace --dry-run` does, and compares public names with the last tag
(v...) by cargo-semver-checks; without a tag, or without that program, it says so.
";

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) verify: bool,
    pub(crate) test: bool,
}

/// Runs the checks.
///
/// # Errors
///
/// The first that fails.
pub(crate) fn run(root: &Path, release: Release) -> Result<(), XtaskError> {
    packages(root, release.verify)?;
    if release.test {
        extracted::test(root)?;
    }
    names(root)
}

/// Packages every crate, as publishing would.
///
/// # Errors
///
/// Cargo's: a file that is missing in a package, a dependency without a version.
pub(crate) fn packages(root: &Path, verify: bool) -> Result<(), XtaskError> {
    let mut cargo = command::cargo();
    cargo.current_dir(root).args(["publish", "--workspace", "--dry-run", "--allow-dirty"]);
    if !verify {
        cargo.arg("--no-verify");
    }
    command::run(&mut cargo)
}

fn names(root: &Path) -> Result<(), XtaskError> {
    let mut git = Command::new("git");
    let tags =
        command::output(git.current_dir(root).args(["tag", "--list", "v*", "--sort=-version:refname"]))?;
    let Some(tag) = tags.lines().next() else {
        println!("skipped: there is no tag v... yet, so nothing that names could be compared with");
        return Ok(());
    };
    if command::on_path(&["cargo-semver-checks", "cargo-semver-checks.exe"]).is_none() {
        println!("skipped: no cargo-semver-checks is here: cargo install cargo-semver-checks");
        return Ok(());
    }
    let mut cargo = command::cargo();
    command::run(cargo.current_dir(root).args(["semver-checks", "--workspace", "--baseline-rev", tag]))
}

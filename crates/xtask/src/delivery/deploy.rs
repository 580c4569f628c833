//! The files of deployment, held against what Helm, Kubernetes, Compose and systemd say of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::XtaskError;
use crate::{command, peers::python};

/// Where they lie.
const FOLDER: &str = "crates/forewarn-server/deploy";

/// Which releases of what checks them.
const REQUIREMENTS: &str = "crates/forewarn-server/deploy/requirements.txt";

/// The checks.
const SCRIPT: &str = "crates/xtask/src/delivery/deploy/check.py";

/// Why there may be nothing to run.
pub(crate) const NOTHING: &str = "pip cannot install what renders and validates them, or Python is missing";

pub(crate) const HELP: &str = "\
Write the plain manifests of Kubernetes from the Helm chart.

Usage: cargo xtask manifests

They lie in crates/forewarn-server/deploy/kubernetes, and `cargo xtask test` fails when they are not what the chart
renders by its defaults. Needs Python 3.10 or newer with pip, which puts the Helm library under target/deploy.
";

/// The Python that has what is needed, in a virtual environment under `target/deploy`.
pub(crate) fn find(root: &Path) -> Option<PathBuf> {
    provide(root).inspect_err(|error| println!("{error}")).ok()
}

fn provide(root: &Path) -> Result<PathBuf, XtaskError> {
    let programs = python::environment(root, "target/deploy", REQUIREMENTS, "the check of deployment files")?;
    Ok(programs.join("python"))
}

/// Renders and validates all files.
///
/// # Errors
///
/// The script's, which names what is wrong.
pub(crate) fn check(root: &Path, python: &Path) -> Result<(), XtaskError> {
    command::run(Command::new(python).current_dir(root).args([SCRIPT, FOLDER]))
}

/// Writes the plain manifests.
///
/// # Errors
///
/// No Python, or the script's.
pub(crate) fn write(root: &Path) -> Result<(), XtaskError> {
    let python = provide(root)?;
    command::run(Command::new(python).current_dir(root).args([SCRIPT, FOLDER, "--write"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_is_pinned_and_the_script_is_there() {
        let text = std::fs::read_to_string(crate::root().join(REQUIREMENTS)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.clone().count() > 0 && lines.clone().all(|line| line.contains("==")), "{text}");
        assert!(crate::root().join(SCRIPT).is_file() && crate::root().join(FOLDER).is_dir());
    }
}

//! The files of deployment, held against what Helm, Kubernetes, Compose and systemd say of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::XtaskError;
use crate::{
    command,
    delivery::{package, sbom},
    peers::{promtool, python, real_servers},
};

/// Where they lie.
const FOLDER: &str = "crates/forewarn-server/deploy";

/// Which releases of what checks them.
const REQUIREMENTS: &str = "crates/forewarn-server/deploy/requirements.txt";

/// The checks.
const SCRIPT: &str = "crates/xtask/src/delivery/deploy/check.py";

/// What runs the commands of the page about deployment.
const GUIDE: &str = "crates/xtask/src/delivery/deploy/guide.py";

/// The list of what the binary is made of.
const COMPONENTS: &str = "target/deploy/forewarn.cdx.json";

/// What starts the services of the compose file.
const COMPOSE: &str = "crates/xtask/src/delivery/deploy/compose.py";

/// Why there may be nothing to run.
pub(crate) const NOTHING: &str = "pip cannot install what renders and validates them, or Python is missing";

/// Why the services of the compose file may not be started.
const NO_COMPOSE: &str = "Prometheus, promtool, Alertmanager, unshare and ip are not all here to start the services of \
     the compose file";

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

/// Renders and validates all files, runs the commands of the page about them, and starts the services of the compose file
/// where their programs are.
///
/// # Errors
///
/// The script's, which names what is wrong.
pub(crate) fn check(root: &Path, python: &Path) -> Result<(), XtaskError> {
    let components = root.join(COMPONENTS);
    sbom::write(root, &components, package::TARGET)?;
    command::run(Command::new(python).current_dir(root).args([SCRIPT, FOLDER]).arg(&components))?;
    let program = command::release_program(root)?;
    command::run(Command::new(python).current_dir(root).args([GUIDE, FOLDER]).arg(&program))?;
    let Some(servers) = compose_programs() else {
        println!("skipped: {NO_COMPOSE}");
        return Ok(());
    };
    command::run(Command::new(python).current_dir(root).args([COMPOSE, FOLDER]).arg(program).args(servers))
}

/// Prometheus, Alertmanager and promtool, where they and what keeps them apart are here.
fn compose_programs() -> Option<[PathBuf; 3]> {
    command::on_path(&["unshare"]).zip(command::on_path(&["ip"]))?;
    Some([real_servers::prometheus()?, real_servers::alertmanager()?, promtool::find()?])
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
    fn every_release_is_pinned_and_the_scripts_are_there() {
        let text = std::fs::read_to_string(crate::root().join(REQUIREMENTS)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.clone().count() > 0 && lines.clone().all(|line| line.contains("==")), "{text}");
        assert!([SCRIPT, GUIDE, COMPOSE].iter().all(|script| crate::root().join(script).is_file()));
        assert!(crate::root().join(FOLDER).is_dir());
    }
}

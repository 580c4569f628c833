//! The scikit-learn that window figures are compared with.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::error::XtaskError;
use crate::peers::python;

/// Which release, and why it is pinned.
const REQUIREMENTS: &str = "crates/forewarn-eval/tests/requirements.txt";

/// Runs the comparison: with the Python that `FOREWARN_PYTHON` names, else with one that has pip, for which
/// scikit-learn is put under `target/scikit-learn`.
///
/// # Errors
///
/// Neither is there, nothing can be fetched, or a figure differs.
pub(crate) fn compare(root: &Path) -> Result<(), XtaskError> {
    let mut cargo = command::ignored_test(root, "sklearn::");
    if std::env::var_os("FOREWARN_PYTHON").is_none_or(|python| python.is_empty()) {
        let python = python::with_pip("the comparison with scikit-learn")?;
        let folder = root.join("target/scikit-learn");
        fetch(python, root, &folder)?;
        cargo.env("FOREWARN_PYTHON", python).env("PYTHONPATH", search_path(&folder)?);
    }
    command::run(&mut cargo)
}

/// Installs what is required into `folder`, unless it is there already. `--target` needs no virtual environment,
/// which some systems ship Python without.
fn fetch(python: &str, root: &Path, folder: &Path) -> Result<(), XtaskError> {
    let requirements = root.join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).map_err(XtaskError::io("read", &requirements))?;
    let made = folder.join("requirements.txt");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"]);
    pip.arg(folder).arg("--requirement").arg(&requirements);
    match command::run(&mut pip) {
        Ok(()) => fs::write(&made, wanted).map_err(XtaskError::io("write", &made)),
        Err(XtaskError::Failed { .. }) => Err(XtaskError::NoSklearn { requirements: REQUIREMENTS }),
        Err(other) => Err(other),
    }
}

/// `folder` before what the user has set.
fn search_path(folder: &Path) -> Result<OsString, XtaskError> {
    let own = std::env::var_os("PYTHONPATH").filter(|own| !own.is_empty());
    let own = own.iter().flat_map(std::env::split_paths);
    std::env::join_paths([folder.to_owned()].into_iter().chain(own))
        .map_err(|_| XtaskError::Usage { message: format!("{} cannot be in PYTHONPATH", folder.display()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_pinned() {
        let text = fs::read_to_string(crate::root().join(REQUIREMENTS)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.clone().count() > 0 && lines.clone().all(|line| line.contains("==")), "{text}");
    }

    #[test]
    fn what_is_there_is_not_fetched_again() {
        let folder = std::env::temp_dir().join(format!("xtask-{}-sklearn", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(crate::root().join(REQUIREMENTS), folder.join("requirements.txt")).unwrap();
        let found = fetch("no-such-python-of-xtask", crate::root(), &folder);
        fs::write(folder.join("requirements.txt"), "older").unwrap();
        let older = fetch("no-such-python-of-xtask", crate::root(), &folder);
        fs::remove_dir_all(&folder).unwrap();
        assert!(found.is_ok());
        assert!(older.unwrap_err().to_string().contains("no-such-python-of-xtask"));
    }
}

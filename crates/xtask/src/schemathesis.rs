//! The schemathesis that the HTTP API is tested by, for a check from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::error::XtaskError;
use crate::python;

/// Which release, and why it is pinned.
const REQUIREMENTS: &str = "crates/forewarn-server/tests/requirements.txt";

/// Why there may be nothing to run.
pub(crate) const NOTHING: &str =
    "no schemathesis is here, and pip cannot install it: set FOREWARN_SCHEMATHESIS to one";

/// The schemathesis that `FOREWARN_SCHEMATHESIS` names, else the one in a virtual environment under
/// `target/schemathesis`, which is made where it is missing.
pub(crate) fn find(root: &Path) -> Option<PathBuf> {
    let named =
        std::env::var_os("FOREWARN_SCHEMATHESIS").filter(|named| !named.is_empty()).map(PathBuf::from);
    named.or_else(|| provide(root).inspect_err(|error| println!("{error}")).ok())
}

fn provide(root: &Path) -> Result<PathBuf, XtaskError> {
    let (requirements, folder) = (root.join(REQUIREMENTS), root.join("target/schemathesis"));
    let wanted = fs::read_to_string(&requirements).map_err(XtaskError::io("read", &requirements))?;
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let (program, made) = (programs.join("schemathesis"), folder.join("requirements.txt"));
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(program);
    }
    let python = python::with_pip("the check of the HTTP API")?;
    // A virtual environment, unlike a folder of packages, has programs that find them.
    command::run(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    command::run(pip.arg(&requirements))?;
    fs::write(&made, wanted).map_err(XtaskError::io("write", &made))?;
    Ok(program)
}

/// Has schemathesis call a running server by its own document.
///
/// # Errors
///
/// An answer is not as the document says.
pub(crate) fn check(root: &Path, program: &Path) -> Result<(), XtaskError> {
    let mut cargo = command::ignored_test(root, "schemathesis::");
    command::run(cargo.env("FOREWARN_SCHEMATHESIS", program))
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
    fn the_test_that_is_asked_for_is_there() {
        let folder = crate::root().join("crates/forewarn-server/tests/main");
        assert!(fs::read_to_string(folder.join("main.rs")).unwrap().contains("mod schemathesis;"));
    }
}

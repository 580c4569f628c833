//! The schemathesis that the HTTP API is tested by, for a check from outside.

use std::path::{Path, PathBuf};

use crate::command;
use crate::error::XtaskError;
use crate::peers::python;

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
    let programs =
        python::environment(root, "target/schemathesis", REQUIREMENTS, "the check of the HTTP API")?;
    Ok(programs.join("schemathesis"))
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
        let text = std::fs::read_to_string(crate::root().join(REQUIREMENTS)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.clone().count() > 0 && lines.clone().all(|line| line.contains("==")), "{text}");
    }

    #[test]
    fn the_test_that_is_asked_for_is_there() {
        let folder = crate::root().join("crates/forewarn-server/tests/main");
        assert!(std::fs::read_to_string(folder.join("main.rs")).unwrap().contains("mod schemathesis;"));
    }
}

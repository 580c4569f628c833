//! The PyTorch that saved models are read by, for a check from outside.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::error::XtaskError;

/// The test, which is ignored unless requested.
const TEST: &str = "pytorch::pytorch_loads_the_files_and_agrees";

/// Why there may be nothing to do. It is not fetched: the wheels for Linux do not start without 2.7 GB of libraries
/// for GPUs.
pub(crate) const NOTHING: &str = "no Python with torch is here: set FOREWARN_PYTHON to one";

/// The Python that `FOREWARN_PYTHON` names, or `python3`, or `python`, if it has torch.
pub(crate) fn find() -> Option<OsString> {
    let named = std::env::var_os("FOREWARN_PYTHON").filter(|named| !named.is_empty());
    let tried = named.map_or_else(|| vec!["python3".into(), "python".into()], |named| vec![named]);
    tried.into_iter().find(|python| has(python, "torch"))
}

/// Whether a Python is there and can load a module.
fn has(python: &OsStr, module: &str) -> bool {
    let loaded = Command::new(python).arg("-c").arg(format!("import {module}")).output();
    loaded.is_ok_and(|loaded| loaded.status.success())
}

/// Has this Python score windows with saved models, and compares.
///
/// # Errors
///
/// The files cannot be read by PyTorch, or a score differs.
pub(crate) fn compare(root: &Path, python: &OsStr) -> Result<(), XtaskError> {
    let mut cargo = command::ignored_test(root, TEST);
    command::run(cargo.arg("--exact").env("FOREWARN_PYTHON", python))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_found_or_not() {
        let python = crate::peers::python::with_pip("this test").unwrap();
        assert!(has(python.as_ref(), "json"));
        assert!(!has(python.as_ref(), "no_such_module_of_xtask"));
        assert!(!has("no-such-python-of-xtask".as_ref(), "json"));
    }

    #[test]
    fn the_test_that_is_asked_for_by_name_is_there() {
        let (module, name) = TEST.split_once("::").unwrap();
        let folder = crate::root().join("crates/forewarn-recurrent/tests/main");
        let read = |file: String| std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(read("main.rs".to_owned()).contains(&format!("mod {module};")));
        assert!(read(format!("{module}.rs")).contains(&format!("fn {name}()")));
    }
}

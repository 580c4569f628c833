//! The Python at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::error::XtaskError;

/// The first Python that is new enough and has pip.
///
/// # Errors
///
/// There is none; `what` says in the error what it is for.
pub(crate) fn with_pip(what: &'static str) -> Result<&'static str, XtaskError> {
    let tried = vec!["python3", "python"];
    let mut reason = String::new();
    for program in &tried {
        let probe = "import sys; assert sys.version_info >= (3, 8), 'Python ' + sys.version; import pip";
        match Command::new(program).args(["-c", probe]).output() {
            Ok(output) if output.status.success() => return Ok(program),
            Ok(output) => {
                let complaint = String::from_utf8_lossy(&output.stderr);
                reason = format!("{program}: {}", complaint.lines().last().unwrap_or("failed"));
            }
            // What an interpreter that is there has said is of more use.
            Err(error) if reason.is_empty() => reason = format!("{program}: {error}"),
            Err(_) => {}
        }
    }
    Err(XtaskError::NoPython { what, tried, reason })
}

/// The folder of programs of a virtual environment in `folder`, with what the file `requirements` lists; it is made
/// where it is missing or the list has changed. `what` says in errors what it is for.
///
/// # Errors
///
/// Python is missing, or pip fails.
pub(crate) fn environment(
    root: &Path,
    folder: &str,
    requirements: &str,
    what: &'static str,
) -> Result<PathBuf, XtaskError> {
    let (requirements, folder) = (root.join(requirements), root.join(folder));
    let wanted = fs::read_to_string(&requirements).map_err(XtaskError::io("read", &requirements))?;
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let made = folder.join("requirements.txt");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(programs);
    }
    let python = with_pip(what)?;
    // A virtual environment, unlike a folder of packages, has programs that find them.
    command::run(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    command::run(pip.arg(&requirements))?;
    fs::write(&made, wanted).map_err(XtaskError::io("write", &made))?;
    Ok(programs)
}

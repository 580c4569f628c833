//! The Python at hand.

use std::process::Command;

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

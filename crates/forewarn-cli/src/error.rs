use std::{error::Error, fmt::Display, io};

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The command line asks for something that cannot be: exit code 2.
    Usage(String),
    /// The data or the system: exit code 1.
    Failed(String),
    /// The input was understood, and its answer, that it cannot be used, has been printed: exit code 1.
    NotUsable,
    /// Whoever read the results has read enough: a quiet end.
    ClosedPipe,
}

impl CliError {
    /// A command line that asks for something that cannot be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Data or a system that cannot be worked with.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

/// Says which file or option an error is about.
pub(crate) trait About<T> {
    /// The error with `what` before it.
    fn about(self, what: impl Display) -> Result<T, CliError>;
}

impl<T, E: Display> About<T> for Result<T, E> {
    fn about(self, what: impl Display) -> Result<T, CliError> {
        self.map_err(|error| CliError::Failed(format!("{what}: {error}")))
    }
}

impl<E: Error + 'static> From<E> for CliError {
    fn from(error: E) -> Self {
        if is_closed_pipe(&error) { Self::ClosedPipe } else { Self::Failed(error.to_string()) }
    }
}

/// Whether a writer found that its reader is gone, however deep the libraries have wrapped it.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

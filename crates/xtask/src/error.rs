use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum XtaskError {
    /// The command line was not understood.
    #[error("{message}\nSee `cargo xtask --help`.")]
    Usage {
        /// What was wrong with it.
        message: String,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// Which one.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program ran and failed; its own words stand above.
    #[error("`{command}` failed with {status}")]
    Failed {
        /// The whole command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A program printed what is not text.
    #[error("`{command}` printed what is not UTF-8")]
    NotText {
        /// The whole command line.
        command: String,
    },
    /// `cargo metadata` failed.
    #[error(transparent)]
    Metadata(#[from] cargo_metadata::Error),
    /// Crates depend on crates that their layer may not know; the rules are printed above.
    #[error("{broken} broken layer rules")]
    Layers {
        /// How many.
        broken: usize,
    },
    /// Pages point to files, headings or examples that are not there; they are printed above.
    #[error("{broken} links or examples that are not there")]
    Links {
        /// How many.
        broken: usize,
    },
    /// The tutorial has no command that could be run.
    #[error("{}: no page with a ```sh block; expected the commands of the tutorial", folder.display())]
    NoCommands {
        /// Where its pages lie.
        folder: PathBuf,
    },
    /// Files of the built page differ from what its sources give; they are printed above.
    #[error(
        "{files} files of the page are not built from its sources: run `cargo xtask dashboard` and commit"
    )]
    Dashboard {
        /// How many.
        files: usize,
    },
    /// A table could not be made.
    #[error("figures {part:?} of {page}: {reason}")]
    Figure {
        /// Which part.
        part: &'static str,
        /// Its page.
        page: &'static str,
        /// Why not.
        reason: String,
    },
    /// Pages have other tables than their commands make; they are named above.
    #[error("tables that their commands make otherwise: {parts}; run `cargo xtask figures PART` and commit")]
    Figures {
        /// Which parts.
        parts: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried: `"read"`, `"lock"`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No libtorch is published as a wheel for this machine.
    #[error(
        "no libtorch can be fetched for {arch} {os}: install libtorch {version} yourself and set LIBTORCH to its \
         folder (the one with lib/ and include/)"
    )]
    Unsupported {
        /// Operating system.
        os: &'static str,
        /// Processor.
        arch: &'static str,
        /// The version needed.
        version: &'static str,
    },
    /// The folder that `LIBTORCH` names is not the libtorch that is needed.
    #[error("LIBTORCH is {}, which cannot be used: {reason}", folder.display())]
    WrongLibtorch {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No Python that can fetch packages.
    #[error("{what} needs Python 3.8 or newer with pip, tried {}: {reason}", tried.join(", "))]
    NoPython {
        /// What it is for.
        what: &'static str,
        /// The programs tried.
        tried: Vec<&'static str>,
        /// What the last one said.
        reason: String,
    },
    /// scikit-learn could not be installed; pip's own words stand above.
    #[error(
        "scikit-learn could not be fetched ({requirements}): without a network set FOREWARN_PYTHON to a Python that has it, or leave the \
         comparison out with --no-sklearn"
    )]
    NoSklearn {
        /// The file that says which release.
        requirements: &'static str,
    },
    /// There is no folder for downloads.
    #[error("no folder for downloads: set XDG_CACHE_HOME or HOME to an absolute path")]
    NoCache,
    /// A wheel did not hold what its table says; it has been removed.
    #[error("{} was damaged and is removed now: run the command again to fetch it again", wheel.display())]
    DamagedWheel {
        /// The file.
        wheel: PathBuf,
    },
}

impl XtaskError {
    /// What the process exits with: 2 for wrong usage, a failed program's own code, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::Failed { status, .. } => {
                status.code().and_then(|code| u8::try_from(code).ok()).filter(|&code| code != 0).unwrap_or(1)
            }
            _ => 1,
        }
    }

    /// For `map_err`: wraps an input or output error with what was tried, and where.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

impl From<lexopt::Error> for XtaskError {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage { message: error.to_string() }
    }
}

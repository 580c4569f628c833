pub(crate) mod text_observer;

use forewarn_core::FitProgress;
use std::fmt;

/// How far an experiment has come, as it goes on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A stage begins; the text says what is done, with figures.
    Stage(&'a str),
    /// A long phase has come this far: the first report has `done` 0, the last one `done` equal to `total`, unless
    /// the experiment fails before.
    Phase {
        /// The phase.
        phase: Phase,
        /// Units of work that are done; what a unit is depends on the phase.
        done: usize,
        /// Units of work in all, at least 1.
        total: usize,
    },
    /// A model has done one more iteration of its fit.
    Fitting {
        /// The model.
        model: &'a str,
        /// How far it has come.
        progress: FitProgress<'a>,
    },
    /// A fitted model scores validation and test windows.
    Scoring {
        /// The model.
        model: &'a str,
        /// Windows that are scored.
        done: usize,
        /// Windows in all.
        total: usize,
    },
    /// A model is fitted and has scored validation and test.
    Scored {
        /// The model.
        model: &'a str,
        /// Seconds that the fit took.
        fit_seconds: f64,
    },
}

/// A part of an experiment that can take long, besides fitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The failure rule is applied to every row.
    Labelling,
    /// Features are computed and normalised.
    Features,
    /// Every model's scores are measured, with intervals by bootstrap. A unit is a model.
    Evaluation,
    /// Models are compared with one another, by bootstrap.
    Comparison,
    /// The future is shuffled, and every model scores the past a second time.
    Audit,
    /// The best score that is possible is computed, for simulated data.
    Ceiling,
    /// Curves and timelines of the report are prepared.
    Pictures,
    /// Models are fitted again for later parts of the test span. A unit is a fold.
    WalkForward,
    /// Result files are written. A unit is a file.
    Writing,
}

impl Phase {
    /// What is going on, in a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Labelling => "finding failures",
            Self::Features => "computing features",
            Self::Evaluation => "evaluating models",
            Self::Comparison => "comparing models",
            Self::Audit => "looking for leaks",
            Self::Ceiling => "computing the theoretical ceiling",
            Self::Pictures => "preparing pictures",
            Self::WalkForward => "refitting over time",
            Self::Writing => "writing results",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Is told how far an experiment has come. Models are fitted side by side, so reports come from several threads. Any
/// `Fn(Progress) + Sync` is one.
pub trait Observer: Sync {
    /// The experiment has gone on.
    fn progress(&self, progress: Progress<'_>);
}

impl<F: Fn(Progress<'_>) + Sync> Observer for F {
    fn progress(&self, progress: Progress<'_>) {
        self(progress);
    }
}

/// Does `work`, a phase that cannot say how far it has come, and reports when it begins and ends.
pub(crate) fn whole<T, E>(
    observer: &dyn Observer,
    phase: Phase,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    observer.progress(Progress::Phase { phase, done: 0, total: 1 });
    let result = work()?;
    observer.progress(Progress::Phase { phase, done: 1, total: 1 });
    Ok(result)
}

use crate::{EvalError, ScoredSet};
use forewarn_core::{LabelledWindows, Score};
use serde::{Deserialize, Serialize};
use std::fmt;

mod duplicates;
mod edge;
mod future;
mod placed;
mod shifted;
mod telling;

pub use future::ShuffledFuture;

/// Looks for the usual ways in which an evaluation deceives itself. Give it what there is, then [`run`](Self::run) it.
///
/// It finds what it looks for and no more: a clean verdict is no proof.
#[derive(Default)]
pub struct LeakAudit<'a> {
    scores: Option<&'a ScoredSet>,
    windows: Option<(LabelledWindows<'a>, LabelledWindows<'a>)>,
    future: Option<Rescored<'a>>,
}

/// A model's scores of rows, before and after their future was shuffled.
struct Rescored<'a> {
    future: &'a ShuffledFuture,
    before: &'a [Option<Score>],
    after: &'a [Option<Score>],
}

/// What an audit found; printed, a line a check.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeakFindings {
    /// The checks that could be made, in order.
    pub checks: Vec<LeakCheck>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeakCheck {
    /// The model that was looked at; `None` for a check of the data, or where no name was given.
    pub model: Option<String>,
    /// What was looked for, such as `shifted labels`.
    pub name: String,
    /// Whether there is something to explain.
    pub finding: Finding,
    /// What was found, as a sentence.
    pub text: String,
}

/// Whether a check found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Nothing to explain.
    Clean,
    /// Something that has an innocent explanation, or is a leak.
    Suspect,
}

impl<'a> LeakAudit<'a> {
    /// An audit of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks a model's scores on test: labels shifted by whole days, and failures moved within their service, must
    /// leave no more than no skill; nothing is near-perfect; and scores do not leap where labels do.
    ///
    /// The last check finds a label among the features, also under noise or one step late. It does not find one that
    /// comes two steps late or more, or smoothed: that looks like a precursor which begins so long before each
    /// failure.
    #[must_use]
    pub fn with_scores(mut self, test: &'a ScoredSet) -> Self {
        self.scores = Some(test);
        self
    }

    /// Checks the split: no test window is in train too, and no single feature tells the classes apart.
    #[must_use]
    pub fn with_windows(mut self, train: LabelledWindows<'a>, test: LabelledWindows<'a>) -> Self {
        self.windows = Some((train, test));
        self
    }

    /// Checks a model: with the future shuffled, no score up to the cut may change by a bit. `before` are its scores
    /// of the frames as they were, `after` those of the shuffled ones, one entry a row of the frames: `None` where no
    /// window ends, or where none was scored both times.
    ///
    /// Scores that were made together with later windows may well be compared with some that were not: what a model
    /// says of a window depends on no other.
    #[must_use]
    pub fn with_future(
        mut self,
        future: &'a ShuffledFuture,
        before: &'a [Option<Score>],
        after: &'a [Option<Score>],
    ) -> Self {
        self.future = Some(Rescored { future, before, after });
        self
    }

    /// Makes every check that there is material for. `O(n log n)` time for `n` windows, and for moved labels 120 passes
    /// over the positive ones, and 60 over all where there are days to move them by.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass);
    /// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch) unless there is an entry for each row,
    /// and [`EvalError::NothingScored`] where no row up to the cut has a score: a check that looked at nothing says
    /// nothing.
    pub fn run(self) -> Result<LeakFindings, EvalError> {
        let mut checks = Vec::new();
        if let Some(test) = self.scores {
            checks.extend(shifted::check(test)?);
            checks.push(edge::check(test));
        }
        if let Some(Rescored { future, before, after }) = self.future {
            checks.push(future.check(before, after)?);
        }
        if let Some((train, test)) = self.windows {
            checks.push(duplicates::check(train.windows(), test.windows()));
            checks.push(telling::check(test)?);
        }
        Ok(LeakFindings { checks })
    }
}

impl LeakFindings {
    /// The same, said of a model.
    #[must_use]
    pub fn about(mut self, model: &str) -> Self {
        self.checks.iter_mut().for_each(|check| check.model = Some(model.to_owned()));
        self
    }

    /// Whether no check found anything.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.finding == Finding::Clean)
    }
}

impl fmt::Display for LeakFindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let finding = if check.finding == Finding::Clean { "clean  " } else { "SUSPECT" };
            let about = check.model.as_ref().map_or_else(String::new, |model| format!("{model}, "));
            writeln!(f, "{finding}  {about}{}: {}", check.name, check.text)?;
        }
        Ok(())
    }
}

/// A check that finds something when `is_suspect`.
fn checked(name: &str, is_suspect: bool, text: String) -> LeakCheck {
    LeakCheck {
        model: None,
        name: name.to_owned(),
        finding: if is_suspect { Finding::Suspect } else { Finding::Clean },
        text,
    }
}

use crate::{CoreError, WindowSpec};
use forewarn_schema::{Episodes, Layout, Timestamp};
use std::{ops::Range, sync::Arc};

mod kind;
pub(crate) mod outcome;
mod paint;

pub use kind::{Exclusion, ExclusionCounts, Label, Target};
use outcome::Events;
pub use paint::Settling;

/// The label of every row of a frame set, as the last row of an observation window, and the episodes behind them.
///
/// Rows too early in their service for a whole observation window have a label too; they never become a sample.
#[derive(Clone, Debug)]
pub struct Labels {
    layout: Arc<Layout>,
    spec: WindowSpec,
    target: Target,
    confirmation: usize,
    labels: Vec<Label>,
    episodes: Vec<Episodes>,
    events: Arc<Events>,
}

impl Labels {
    /// Labels from their parts: one label a row, one list of episodes a service of `layout`. `confirmation` is how many
    /// steps the failure rule needs to be sure of an onset.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a wrong number of labels or of lists of episodes.
    pub fn new(
        layout: Arc<Layout>,
        spec: WindowSpec,
        target: Target,
        confirmation: usize,
        labels: Vec<Label>,
        episodes: Vec<Episodes>,
    ) -> Result<Self, CoreError> {
        let counts = [
            ("labels", layout.rows(), labels.len()),
            ("services with episodes", layout.services().len(), episodes.len()),
        ];
        for (what, expected, got) in counts {
            if expected != got {
                return Err(CoreError::LengthMismatch { what, expected, got });
            }
        }
        let events = Arc::new(Events::new(Arc::clone(&layout), target, confirmation, &episodes));
        Ok(Self { layout, spec, target, confirmation, labels, episodes, events })
    }

    /// The same labels, with the rows in which it is open whether the service fails, and those that have no sample at
    /// all (both ascending and disjoint). The former end what is known of a period that they lie in; see
    /// [`Outcome`](crate::Outcome).
    #[must_use]
    pub fn with_unknown(self, unknown: Vec<Range<u32>>, without_samples: Vec<Range<u32>>) -> Self {
        let events = Arc::unwrap_or_clone(self.events).with_unknown(unknown, without_samples);
        Self { events: Arc::new(events), ..self }
    }

    pub(crate) fn events(&self) -> &Arc<Events> {
        &self.events
    }

    /// Services and times of the rows.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The window that the labels are about.
    #[must_use]
    pub fn spec(&self) -> WindowSpec {
        self.spec
    }

    /// What they state.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// Steps between windows that share nothing; see [`WindowSpec::purge`].
    #[must_use]
    pub fn purge(&self) -> usize {
        self.spec.purge(self.confirmation)
    }

    /// One label a row.
    #[must_use]
    pub fn as_slice(&self) -> &[Label] {
        &self.labels
    }

    /// The failure episodes, one list a service of the layout.
    #[must_use]
    pub fn episodes(&self) -> &[Episodes] {
        &self.episodes
    }

    /// Rows that end a whole observation window, with their service (a position in the layout), time and label.
    pub fn windows(&self) -> impl Iterator<Item = (u32, usize, Timestamp, Label)> + '_ {
        let step = self.layout.step();
        self.layout.services().iter().enumerate().flat_map(move |(service, place)| {
            let (rows, start) = (place.rows(), place.start().millis());
            let first = (rows.start + self.spec.observation() - 1).min(rows.end);
            (first..rows.end).filter_map(move |row| {
                let time = Timestamp::from_millis(start + step.millis() * (row - rows.start) as i64)?;
                Some((row as u32, service, time, self.labels[row]))
            })
        })
    }
}

use crate::{CoreError, Samples, WindowSpec, outcome::Events};
use forewarn_schema::{Episodes, Layout, Timestamp};
use serde::{Deserialize, Serialize};
use std::{ops::Range, sync::Arc};

mod paint;

pub use paint::Settling;

/// What a label states about the prediction period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A failure *begins* in the period. Windows that end in the middle of one are excluded: once the first bad minute
    /// is visible, prediction is nearly free.
    #[default]
    Onset,
    /// The rule is satisfied in at least one minute of the period; nothing is excluded for being in a failure already.
    /// The target of many published tables; kept to compare with them.
    Active,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Onset => "onset",
            Self::Active => "active",
        })
    }
}

impl std::str::FromStr for Target {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match text {
            "onset" => Ok(Self::Onset),
            "active" => Ok(Self::Active),
            _ => Err(CoreError::InvalidSetting {
                name: "target",
                value: text.to_owned(),
                expected: "onset or active",
            }),
        }
    }
}

/// Why a window has no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The service is failing already: `onset <= t < end`.
    Ongoing,
    /// The prediction period, or what confirms an onset in it, runs past the data.
    Censored,
    /// Missing samples leave open whether the service failed in the period, or there is no sample at `t` at all.
    Missing,
}

impl Exclusion {
    /// The reason's name, as it is serialised.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ongoing => "ongoing",
            Self::Censored => "censored",
            Self::Missing => "missing",
        }
    }
}

/// The label of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// What the target asks for happens in the period.
    Positive,
    /// It does not.
    Negative,
    /// Not known, or not a prediction.
    Excluded(Exclusion),
}

/// How many windows have no label, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExclusionCounts {
    /// See [`Exclusion::Ongoing`].
    pub ongoing: usize,
    /// See [`Exclusion::Censored`].
    pub censored: usize,
    /// See [`Exclusion::Missing`].
    pub missing: usize,
}

impl ExclusionCounts {
    /// Counts one more.
    pub fn add(&mut self, reason: Exclusion) {
        match reason {
            Exclusion::Ongoing => self.ongoing += 1,
            Exclusion::Censored => self.censored += 1,
            Exclusion::Missing => self.missing += 1,
        }
    }

    /// Windows excluded for any reason.
    #[must_use]
    pub fn total(&self) -> usize {
        self.ongoing + self.censored + self.missing
    }
}

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

    /// The labelled windows among those that `keep` accepts by service and time of the last row; excluded ones are
    /// counted, not kept.
    pub fn samples(&self, mut keep: impl FnMut(usize, Timestamp) -> bool) -> Samples {
        let mut samples = Samples::empty(self);
        for (row, service, time, label) in self.windows() {
            if keep(service, time) {
                samples.push(row, label);
            }
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_one_byte() {
        assert_eq!(size_of::<Label>(), 1);
    }

    #[test]
    fn targets_are_read_as_they_are_written() {
        for target in [Target::Onset, Target::Active] {
            assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        }
        assert!("Onset?".parse::<Target>().is_err());
    }
}

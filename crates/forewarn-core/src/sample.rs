mod labelled;
pub(crate) mod snapshot;

use crate::{
    CoreError, Exclusion, ExclusionCounts, Label, Labels, Outcome, Outcomes, WindowSpec, Windows,
    label::outcome::Events,
};
use forewarn_schema::{FrameSet, Layout, Timestamp};
pub use labelled::LabelledWindows;
use labelled::{check_soft_labels, check_weights};
use std::{ops::Range, sync::Arc};

/// Labelled windows as an index: which rows they end in, and whether they are positive. Five bytes a window, four more
/// with weights, and four more with soft labels.
///
/// The index holds no metrics. [`on`](Self::on) joins it with any frame set of the same layout, so the same samples
/// serve raw metrics, features and normalised features.
#[derive(Clone, Debug)]
pub struct Samples {
    layout: Arc<Layout>,
    spec: WindowSpec,
    rows: Vec<u32>,
    positive: Vec<bool>,
    /// How many windows each stands for; `None` where each stands for itself.
    weights: Option<Vec<f32>>,
    /// What a fit holds scores against; `None` for the labels themselves.
    soft_labels: Option<Vec<f32>>,
    excluded: ExclusionCounts,
    events: Arc<Events>,
    partly_observed: Vec<u32>,
}

impl Samples {
    pub(crate) fn empty(labels: &Labels) -> Self {
        Self::none(Arc::clone(labels.layout()), labels.spec(), Arc::clone(labels.events()))
    }

    fn none(layout: Arc<Layout>, spec: WindowSpec, events: Arc<Events>) -> Self {
        Self {
            layout,
            spec,
            rows: Vec::new(),
            positive: Vec::new(),
            weights: None,
            soft_labels: None,
            excluded: ExclusionCounts::default(),
            events,
            partly_observed: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: u32, label: Label) {
        match label {
            Label::Excluded(reason) => {
                self.excluded.add(reason);
                let seen = |outcome| !matches!(outcome, Outcome::NotWithin(0));
                if reason != Exclusion::Ongoing
                    && self.events.is_open(row)
                    && seen(self.events.outcome(self.spec, row))
                {
                    self.partly_observed.push(row);
                }
            }
            Label::Positive | Label::Negative => {
                self.rows.push(row);
                self.positive.push(label == Label::Positive);
            }
        }
    }

    /// Number of labelled windows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no labelled window.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of positive windows.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.positive.iter().filter(|&&positive| positive).count()
    }

    /// Row that each window ends in, ascending.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Whether each window is positive.
    #[must_use]
    pub fn positive(&self) -> &[bool] {
        &self.positive
    }

    /// How many windows each stands for; `None` where each stands for itself.
    #[must_use]
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The same samples, each standing for a number of windows: what a model weighs its loss by.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a weight for each sample, [`CoreError::InvalidSetting`] for one
    /// that is not positive and finite.
    pub fn with_weights(self, weights: Vec<f32>) -> Result<Self, CoreError> {
        check_weights(&weights, self.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The samples whose rows stand for something: `weights` has a number for each row of the layout, how many windows
    /// the one that ends there stands for, 0 for one that is left out. They take the place of weights there were.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a number for each row, [`CoreError::InvalidSetting`] for one that
    /// is negative or not finite.
    pub fn weighted_by_row(&self, weights: &[f32]) -> Result<Self, CoreError> {
        let (expected, got) = (self.layout.rows(), weights.len());
        if expected != got {
            return Err(CoreError::LengthMismatch { what: "weights of rows", expected, got });
        }
        let of_row = |&row: &u32| weights[row as usize];
        // Not `> 0`, which would pass over what is no weight at all.
        let picks: Vec<u32> =
            (0..).zip(&self.rows).filter(|(_, row)| of_row(row) != 0.0).map(|(pick, _)| pick).collect();
        let picked = self.select(&picks)?;
        let weights = picked.rows.iter().map(of_row).collect();
        picked.with_weights(weights)
    }

    /// The same samples, each standing for itself.
    #[must_use]
    pub fn without_weights(self) -> Self {
        Self { weights: None, ..self }
    }

    /// What a fit holds the score of each window against, 0 to 1; `None` for the labels themselves. See
    /// [`LabelledWindows::soft_label`].
    #[must_use]
    pub fn soft_labels(&self) -> Option<&[f32]> {
        self.soft_labels.as_deref()
    }

    /// The same samples with soft labels: what a fit holds their scores against. The labels stay what they are.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is one for each sample, [`CoreError::InvalidSetting`] for one that is
    /// not from 0 to 1.
    pub fn with_soft_labels(self, soft_labels: Vec<f32>) -> Result<Self, CoreError> {
        check_soft_labels(&soft_labels, self.len())?;
        Ok(Self { soft_labels: Some(soft_labels), ..self })
    }

    /// Windows left out here, by reason.
    #[must_use]
    pub fn excluded(&self) -> ExclusionCounts {
        self.excluded
    }

    /// Rows that excluded windows end in whose period was observed in part: too little for a label, enough for a
    /// model of *when* failures begin. Ascending.
    #[must_use]
    pub fn partly_observed(&self) -> &[u32] {
        &self.partly_observed
    }

    /// What became of each window's period.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes<'_> {
        Outcomes { events: &self.events, spec: self.spec, rows: &self.rows }
    }

    /// The window that the labels are about.
    #[must_use]
    pub fn spec(&self) -> WindowSpec {
        self.spec
    }

    /// Services and times of the rows.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Service (a position in the layout) and time of each window, in order.
    pub fn places(&self) -> impl Iterator<Item = (usize, Timestamp)> + '_ {
        self.rows.iter().filter_map(|&row| self.layout.locate(row as usize))
    }

    /// The samples at `picks`, which are ascending positions, with their weights and soft labels. What was excluded is
    /// no longer counted, nor partly observed.
    ///
    /// # Errors
    /// [`CoreError::UnorderedPicks`].
    pub fn select(&self, picks: &[u32]) -> Result<Self, CoreError> {
        let mut least = 0;
        for (index, &pick) in picks.iter().enumerate() {
            if (pick as usize) < least || pick as usize >= self.len() {
                return Err(CoreError::UnorderedPicks { index, pick, samples: self.len() });
            }
            least = pick as usize + 1;
        }
        let picked = |values: &Option<Vec<f32>>| {
            values.as_ref().map(|values| picks.iter().map(|&pick| values[pick as usize]).collect())
        };
        Ok(Self {
            rows: picks.iter().map(|&pick| self.rows[pick as usize]).collect(),
            positive: picks.iter().map(|&pick| self.positive[pick as usize]).collect(),
            weights: picked(&self.weights),
            soft_labels: picked(&self.soft_labels),
            ..Self::none(Arc::clone(&self.layout), self.spec, Arc::clone(&self.events))
        })
    }

    /// These samples as windows over `frames`. Nothing is copied.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`] for frames of other services or times.
    pub fn on<'a>(&'a self, frames: &'a FrameSet) -> Result<LabelledWindows<'a>, CoreError> {
        if !Arc::ptr_eq(&self.layout, frames.layout()) && self.layout != *frames.layout() {
            return Err(CoreError::LayoutMismatch);
        }
        let windows = |rows: &'a [u32]| {
            let windows = Windows::new(frames.schema(), frames.values(), self.spec.observation(), rows)?;
            Ok::<_, CoreError>(windows.with_layout(&self.layout))
        };
        let partial = self.partly_observed.as_slice();
        Ok(LabelledWindows {
            windows: windows(&self.rows)?,
            positive: &self.positive,
            weights: self.weights(),
            soft_labels: self.soft_labels(),
            outcomes: Some(self.outcomes()),
            partial: Some((windows(partial)?, Outcomes { rows: partial, ..self.outcomes() })),
        })
    }

    /// These samples with the windows of each in order, which lie somewhere else than in a frame set: copies of what
    /// did not fit into memory. Windows that were observed in part are not among them.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a window for each sample, as long as the samples ask for.
    pub fn with_windows<'a>(&'a self, windows: Windows<'a>) -> Result<LabelledWindows<'a>, CoreError> {
        let (expected, got) = (self.spec.observation(), windows.observation());
        if expected != got {
            return Err(CoreError::LengthMismatch { what: "rows of a window", expected, got });
        }
        let labelled = LabelledWindows::new(windows, &self.positive)?;
        let (weights, soft_labels) = (self.weights(), self.soft_labels());
        Ok(LabelledWindows { weights, soft_labels, outcomes: Some(self.outcomes()), ..labelled })
    }
}

impl Labels {
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

    /// The labelled windows of the services that `keep` accepts (positions in the layout) whose last row lies in one
    /// of `spans`, which are disjoint and ascending; excluded ones are counted, not kept. The same as
    /// [`samples`](Self::samples) with a question for each service instead of each row.
    #[must_use]
    pub fn samples_in(&self, spans: &[Range<Timestamp>], mut keep: impl FnMut(usize) -> bool) -> Samples {
        let mut samples = Samples::empty(self);
        let step = self.layout().step();
        for (_, place) in self.layout().services().iter().enumerate().filter(|(service, _)| keep(*service)) {
            let rows = place.rows();
            let mut next = (rows.start + self.spec().observation() - 1).min(rows.end);
            let row_at = place.first_row_at(step);
            for span in spans {
                let within = row_at(span.start).max(next)..row_at(span.end);
                next = next.max(within.end);
                samples.extend(self.as_slice(), within);
            }
        }
        samples
    }
}

/// Rows that are looked at together.
const EXTEND_GROUP: usize = 32;

impl Samples {
    /// Takes in rows that follow those there are.
    fn extend(&mut self, labels: &[Label], rows: Range<usize>) {
        self.rows.reserve(rows.len());
        self.positive.reserve(rows.len());
        // Most windows have a label, and most of their neighbours too: such a group is taken in at once.
        for first in rows.clone().step_by(EXTEND_GROUP) {
            let group = first..rows.end.min(first + EXTEND_GROUP);
            let labels = &labels[group.clone()];
            if labels.iter().fold(true, |all, label| all & !matches!(label, Label::Excluded(_))) {
                self.rows.extend(group.start as u32..group.end as u32);
                self.positive.extend(labels.iter().map(|&label| label == Label::Positive));
            } else {
                group.zip(labels).for_each(|(row, &label)| self.push(row as u32, label));
            }
        }
    }
}

#[cfg(test)]
mod tests;

use crate::{
    CoreError, Exclusion, ExclusionCounts, Label, Labels, Outcome, Outcomes, WindowSpec, Windows,
    outcome::Events,
};
use forewarn_schema::{FrameSet, Layout, Timestamp};
use std::{ops::Range, sync::Arc};

/// Labelled windows as an index: which rows they end in, and whether they are positive. Five bytes a window.
///
/// The index holds no metrics. [`on`](Self::on) joins it with any frame set of the same layout, so the same samples
/// serve raw metrics, features and normalised features.
#[derive(Clone, Debug)]
pub struct Samples {
    layout: Arc<Layout>,
    spec: WindowSpec,
    rows: Vec<u32>,
    positive: Vec<bool>,
    excluded: ExclusionCounts,
    events: Arc<Events>,
    partly_observed: Vec<u32>,
}

impl Samples {
    pub(crate) fn empty(labels: &Labels) -> Self {
        Self::none(Arc::clone(labels.layout()), labels.spec(), Arc::clone(labels.events()))
    }

    fn none(layout: Arc<Layout>, spec: WindowSpec, events: Arc<Events>) -> Self {
        let (rows, positive, partly_observed) = (Vec::new(), Vec::new(), Vec::new());
        Self { layout, spec, rows, positive, excluded: ExclusionCounts::default(), events, partly_observed }
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

    /// Windows left out here, by reason.
    #[must_use]
    pub fn excluded(&self) -> ExclusionCounts {
        self.excluded
    }

    /// Rows that excluded windows end in whose period was observed in part: too little for a label, enough for a model of *when*
    /// failures begin. Ascending.
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

    /// The samples at `picks`, which are ascending positions. What was excluded is no longer counted, nor partly observed.
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
        Ok(Self {
            rows: picks.iter().map(|&pick| self.rows[pick as usize]).collect(),
            positive: picks.iter().map(|&pick| self.positive[pick as usize]).collect(),
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
            outcomes: Some(self.outcomes()),
            partial: Some((windows(partial)?, Outcomes { rows: partial, ..self.outcomes() })),
        })
    }
}

impl Labels {
    /// The labelled windows of the services that `keep` accepts (positions in the layout) whose last row lies in one of `spans`, which are
    /// disjoint and ascending; excluded ones are counted, not kept. The same as [`samples`](Self::samples) with a question for each service
    /// instead of each row.
    #[must_use]
    pub fn samples_in(&self, spans: &[Range<Timestamp>], mut keep: impl FnMut(usize) -> bool) -> Samples {
        let mut samples = Samples::empty(self);
        let step = self.layout().step().millis();
        for (_, place) in self.layout().services().iter().enumerate().filter(|(service, _)| keep(*service)) {
            let rows = place.rows();
            let mut next = (rows.start + self.spec().observation() - 1).min(rows.end);
            // The first row at or after a time.
            let row_at = |time: Timestamp| {
                let steps = (time.millis() - place.start().millis() + step - 1).div_euclid(step);
                usize::try_from(steps)
                    .map_or(rows.start, |steps| rows.end.min(rows.start.saturating_add(steps)))
            };
            for span in spans {
                let within = row_at(span.start).max(next)..row_at(span.end);
                next = next.max(within.end);
                samples.extend(self.as_slice(), within);
            }
        }
        samples
    }
}

impl Samples {
    /// Takes in rows that follow those there are.
    fn extend(&mut self, labels: &[Label], rows: Range<usize>) {
        self.rows.reserve(rows.len());
        self.positive.reserve(rows.len());
        for row in rows {
            self.push(row as u32, labels[row]);
        }
    }
}

/// Windows with their labels: what models are fitted on. A view; copy it freely.
#[derive(Clone, Copy, Debug)]
pub struct LabelledWindows<'a> {
    windows: Windows<'a>,
    positive: &'a [bool],
    outcomes: Option<Outcomes<'a>>,
    partial: Option<(Windows<'a>, Outcomes<'a>)>,
}

impl<'a> LabelledWindows<'a> {
    /// Windows and whether each is positive.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`].
    pub fn new(windows: Windows<'a>, positive: &'a [bool]) -> Result<Self, CoreError> {
        if windows.len() == positive.len() {
            Ok(Self { windows, positive, outcomes: None, partial: None })
        } else {
            Err(CoreError::LengthMismatch { what: "labels", expected: windows.len(), got: positive.len() })
        }
    }

    /// The windows.
    #[must_use]
    pub fn windows(&self) -> Windows<'a> {
        self.windows
    }

    /// Whether each is positive.
    #[must_use]
    pub fn positive(&self) -> &'a [bool] {
        self.positive
    }

    /// When in its period the event of each window comes; `None` for windows that do not come from [`Samples`].
    #[must_use]
    pub fn outcomes(&self) -> Option<Outcomes<'a>> {
        self.outcomes
    }

    /// Windows without a label whose period was observed in part, and what was seen of it; see [`Samples::partly_observed`].
    #[must_use]
    pub fn partly_observed(&self) -> Option<(Windows<'a>, Outcomes<'a>)> {
        self.partial
    }

    /// Number of positive windows.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.positive.iter().filter(|&&positive| positive).count()
    }

    /// Refuses data that lacks one of the two classes; `part` names it in the error.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`].
    pub fn expect_both_classes(&self, part: &'static str) -> Result<(), CoreError> {
        let (positives, windows) = (self.positives(), self.positive.len());
        if positives == 0 || positives == windows {
            return Err(CoreError::SingleClass { part, positives, windows });
        }
        Ok(())
    }
}

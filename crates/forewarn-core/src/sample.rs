use crate::{CoreError, ExclusionCounts, Label, WindowSpec, Windows};
use forewarn_schema::{FrameSet, Layout, Timestamp};
use std::sync::Arc;

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
}

impl Samples {
    pub(crate) fn empty(layout: Arc<Layout>, spec: WindowSpec) -> Self {
        Self { layout, spec, rows: Vec::new(), positive: Vec::new(), excluded: ExclusionCounts::default() }
    }

    pub(crate) fn push(&mut self, row: u32, label: Label) {
        match label {
            Label::Excluded(reason) => self.excluded.add(reason),
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

    /// These samples as windows over `frames`. Nothing is copied.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`] for frames of other services or times.
    pub fn on<'a>(&'a self, frames: &'a FrameSet) -> Result<LabelledWindows<'a>, CoreError> {
        if !Arc::ptr_eq(&self.layout, frames.layout()) && self.layout != *frames.layout() {
            return Err(CoreError::LayoutMismatch);
        }
        let windows = Windows::new(frames.schema(), frames.values(), self.spec.observation(), &self.rows)?;
        Ok(LabelledWindows { windows, positive: &self.positive })
    }
}

/// Windows with their labels: what models are fitted on. A view; copy it freely.
#[derive(Clone, Copy, Debug)]
pub struct LabelledWindows<'a> {
    windows: Windows<'a>,
    positive: &'a [bool],
}

impl<'a> LabelledWindows<'a> {
    /// Windows and whether each is positive.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`].
    pub fn new(windows: Windows<'a>, positive: &'a [bool]) -> Result<Self, CoreError> {
        if windows.len() == positive.len() {
            Ok(Self { windows, positive })
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

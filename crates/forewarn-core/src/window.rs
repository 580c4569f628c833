use crate::CoreError;
use forewarn_schema::{Layout, Schema, Timestamp};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ndarray")]
mod array;

/// What a prediction looks at and what it is about, in steps of the frame's clock.
///
/// ```text
/// observation                           lead        period
/// |-- t - observation + 1 ......... t --|-- lead --|-- t + lead + 1 ... t + lead + period --|
/// ```
///
/// The default is 10, 0, 5: ten minutes of metrics, and the five minutes after them.
///
/// # References
/// F. Salfner, M. Lenk and M. Malek, *A survey of online failure prediction methods*, ACM Computing Surveys 42(3),
/// 2010.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WindowSteps", into = "WindowSteps")]
pub struct WindowSpec {
    observation: usize,
    lead: usize,
    period: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowSteps {
    observation: usize,
    lead: usize,
    period: usize,
}

impl WindowSpec {
    /// A window of these lengths.
    ///
    /// # Errors
    /// [`CoreError::EmptyWindow`] without an observation or a period, [`CoreError::WindowTooLong`] beyond 2^31 steps.
    pub fn new(observation: usize, lead: usize, period: usize) -> Result<Self, CoreError> {
        if observation == 0 {
            return Err(CoreError::EmptyWindow { part: "observation" });
        }
        if period == 0 {
            return Err(CoreError::EmptyWindow { part: "period" });
        }
        let total = observation.checked_add(lead).and_then(|sum| sum.checked_add(period));
        match total {
            Some(total) if total <= 1 << 31 => Ok(Self { observation, lead, period }),
            _ => Err(CoreError::WindowTooLong { observation, lead, period }),
        }
    }

    /// Length of the observation window.
    #[must_use]
    pub fn observation(&self) -> usize {
        self.observation
    }

    /// Steps between the last observed row and the prediction period.
    #[must_use]
    pub fn lead(&self) -> usize {
        self.lead
    }

    /// Length of the prediction period.
    #[must_use]
    pub fn period(&self) -> usize {
        self.period
    }

    /// Refuses a window of another length than a model was fitted for.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`].
    pub fn expect_observation(&self, rows: usize) -> Result<(), CoreError> {
        if self.observation == rows {
            return Ok(());
        }
        Err(CoreError::LengthMismatch { what: "rows of a window", expected: rows, got: self.observation })
    }

    /// Steps from the last observed row to the last row of the period.
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.lead + self.period
    }

    /// Steps between the last window of one part of a split and the first of the next, so that they share no row and
    /// no label. `confirmation` is how many steps a failure rule needs to be sure of an onset.
    #[must_use]
    pub fn purge(&self, confirmation: usize) -> usize {
        (self.observation + self.lead + self.period).saturating_add(confirmation)
    }
}

impl Default for WindowSpec {
    fn default() -> Self {
        Self { observation: 10, lead: 0, period: 5 }
    }
}

impl TryFrom<WindowSteps> for WindowSpec {
    type Error = CoreError;

    fn try_from(steps: WindowSteps) -> Result<Self, CoreError> {
        Self::new(steps.observation, steps.lead, steps.period)
    }
}

impl From<WindowSpec> for WindowSteps {
    fn from(spec: WindowSpec) -> Self {
        Self { observation: spec.observation, lead: spec.lead, period: spec.period }
    }
}

/// Windows of a batch that are looked up together.
const GATHER_GROUP: usize = 128;

/// Many windows of equal length over one block of rows: views, never copies.
///
/// Window `i` is the `observation` rows that end in row `last_rows[i]`, a contiguous `[observation, feature]` slice.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    schema: &'a Schema,
    values: &'a [f32],
    observation: usize,
    last_rows: &'a [u32],
    layout: Option<&'a Layout>,
}

impl<'a> Windows<'a> {
    /// Windows over `values`, which are row-major with one row of `schema` after another.
    ///
    /// Rows of different services may lie in one block; a caller who builds `last_rows` sees to it that no window
    /// spans two of them, as [`Samples`](crate::Samples) does. Cost: one pass over `last_rows`.
    ///
    /// # Errors
    /// [`CoreError::EmptyWindow`], [`CoreError::LengthMismatch`] for values that are no whole rows,
    /// [`CoreError::WindowOutOfBounds`].
    pub fn new(
        schema: &'a Schema,
        values: &'a [f32],
        observation: usize,
        last_rows: &'a [u32],
    ) -> Result<Self, CoreError> {
        let width = schema.len();
        if observation == 0 {
            return Err(CoreError::EmptyWindow { part: "observation" });
        }
        if !values.len().is_multiple_of(width) {
            let expected = values.len() / width * width;
            return Err(CoreError::LengthMismatch {
                what: "values in whole rows",
                expected,
                got: values.len(),
            });
        }
        let rows = values.len() / width;
        let outside = |last_row: u32| last_row as usize >= rows || (last_row as usize) + 1 < observation;
        // All of them first, in one loop without branches.
        let (least, most) = last_rows
            .iter()
            .fold((u32::MAX, 0), |(least, most), &last_row| (last_row.min(least), last_row.max(most)));
        if !last_rows.is_empty() && (outside(least) || outside(most)) {
            let last_row = if outside(least) { least } else { most } as usize;
            return Err(CoreError::WindowOutOfBounds { observation, last_row, rows });
        }
        Ok(Self { schema, values, observation, last_rows, layout: None })
    }

    /// The same windows, knowing which service and time each row belongs to. Those of [`Samples`](crate::Samples) do.
    #[must_use]
    pub fn with_layout(self, layout: &'a Layout) -> Self {
        Self { layout: Some(layout), ..self }
    }

    /// The same windows, of which is known what is known of `other`: for windows on the same rows that are read in
    /// another way.
    #[must_use]
    pub fn placed_as(self, other: Windows<'a>) -> Self {
        Self { layout: other.layout, ..self }
    }

    /// Services and times of the rows, where they are known.
    #[must_use]
    pub fn layout(&self) -> Option<&'a Layout> {
        self.layout
    }

    /// Service of window `index` and time of its last row; `None` beyond the last window or where nothing is known of
    /// it.
    #[must_use]
    pub fn place(&self, index: usize) -> Option<(&'a str, Timestamp)> {
        let layout = self.layout?;
        let (service, time) = layout.locate(*self.last_rows.get(index)? as usize)?;
        Some((layout.services()[service].name(), time))
    }

    /// Features of each row.
    #[must_use]
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// Rows of each window.
    #[must_use]
    pub fn observation(&self) -> usize {
        self.observation
    }

    /// Number of windows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.last_rows.len()
    }

    /// Whether there is no window.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last_rows.is_empty()
    }

    /// The row that each window ends in.
    #[must_use]
    pub fn last_rows(&self) -> &'a [u32] {
        self.last_rows
    }

    /// The whole block of rows, `[row, feature]`, for callers that address it by [`last_rows`](Self::last_rows).
    #[must_use]
    pub fn block(&self) -> &'a [f32] {
        self.values
    }

    /// Window `index` as a contiguous row-major `[observation, feature]` slice; `None` beyond the last.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'a [f32]> {
        self.last_rows.get(index).map(|&last_row| self.ending_in(last_row))
    }

    /// The windows in order, each a contiguous row-major `[observation, feature]` slice.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        let windows = *self;
        self.last_rows.iter().map(move |&last_row| windows.ending_in(last_row))
    }

    /// The last row of each window in order, `[feature]`.
    pub fn iter_last(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        let (values, width) = (self.values, self.schema.len());
        self.last_rows.iter().map(move |&last_row| &values[last_row as usize * width..][..width])
    }

    /// Values of a window. Windows of no rows at all may be longer than a number can say: there is none of them.
    fn window_values(&self) -> usize {
        self.observation.saturating_mul(self.schema.len())
    }

    fn ending_in(&self, last_row: u32) -> &'a [f32] {
        let width = self.schema.len();
        let end = (last_row as usize + 1) * width;
        &self.values[end - self.observation * width..end]
    }

    /// The same windows, or fewer: those from `range`.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a range beyond the windows.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Result<Self, CoreError> {
        let got = range.end;
        let last_rows = self.last_rows.get(range).ok_or(CoreError::LengthMismatch {
            what: "end of a range of windows",
            expected: self.len(),
            got,
        })?;
        Ok(Self { last_rows, ..*self })
    }

    /// Copies the windows at `picks` into `batch`, `[pick, observation, feature]`: how a training batch is made.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless `batch` holds exactly the picked windows,
    /// [`CoreError::WindowOutOfBounds`] for a pick beyond the last window.
    pub fn gather(&self, picks: &[u32], batch: &mut [f32]) -> Result<(), CoreError> {
        let size = self.window_values();
        let expected = picks.len().saturating_mul(size);
        if batch.len() != expected {
            let (what, got) = ("values in a batch", batch.len());
            return Err(CoreError::LengthMismatch { what, expected, got });
        }
        if picks.is_empty() {
            return Ok(());
        }
        // Places first, copies after: the look-ups of a group wait for memory together, not each before its own copy.
        let mut places = [0; GATHER_GROUP];
        for (picks, windows) in
            picks.chunks(GATHER_GROUP).zip(batch.chunks_mut(GATHER_GROUP.saturating_mul(size)))
        {
            for (place, &pick) in places.iter_mut().zip(picks) {
                let last_row = self.last_rows.get(pick as usize).ok_or(CoreError::WindowOutOfBounds {
                    observation: self.observation,
                    last_row: pick as usize,
                    rows: self.len(),
                })?;
                *place = (*last_row as usize + 1) * self.schema.len() - size;
            }
            for (&place, window) in places.iter().zip(windows.chunks_exact_mut(size)) {
                window.copy_from_slice(&self.values[place..place + size]);
            }
        }
        Ok(())
    }

    /// Shape and strides, in elements, of every window of consecutive rows of the [`block`](Self::block) as one view
    /// `[window, row, feature]`, whether picked by [`last_rows`](Self::last_rows) or not: window `w` ends in row
    /// `w + observation - 1` of the block, and feature `f` of its row `r` is at
    /// `w * strides[0] + r * strides[1] + f * strides[2]`. What `torch.as_strided` (`Tensor::as_strided` of tch)
    /// takes, and any release of ndarray.
    ///
    /// Where several services lie in one block, some of these windows begin in one and end in the next:
    /// [`offset`](Self::offset) says which are windows of this batch.
    #[must_use]
    pub fn shape_and_strides(&self) -> ([usize; 3], [usize; 3]) {
        let width = self.schema.len();
        let count = (self.values.len() / width + 1).saturating_sub(self.observation);
        ([count, self.observation, width], [width, width, 1])
    }

    /// Offset of window `index` in [`block`](Self::block), in elements; `None` beyond the last. Divided by the number
    /// of features it is the window's position along the first axis of that view.
    #[must_use]
    pub fn offset(&self, index: usize) -> Option<usize> {
        let size = self.window_values();
        self.last_rows.get(index).map(|&last_row| (last_row as usize + 1) * self.schema.len() - size)
    }

    /// Refuses windows of other features or another length than a model was fitted on.
    ///
    /// # Errors
    /// [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`].
    pub fn expect(&self, schema: &Schema, observation: usize) -> Result<(), CoreError> {
        if self.schema != schema {
            let names = |schema: &Schema| schema.names().map(str::to_owned).collect();
            return Err(CoreError::FeatureMismatch { expected: names(schema), got: names(self.schema) });
        }
        if self.observation != observation {
            return Err(CoreError::LengthMismatch {
                what: "rows of a window",
                expected: observation,
                got: self.observation,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

use super::{restore_part, save_part};
use crate::CoreError;

/// The last rows of a stream, always as one contiguous `[observation, feature]` slice.
///
/// Rows are appended to a buffer twice as long as a window and moved to its front when it is full: `O(feature)` a
/// push, amortised,
/// and no allocation.
#[derive(Clone, Debug)]
pub struct RowBuffer {
    width: usize,
    observation: usize,
    values: Vec<f32>,
}

impl RowBuffer {
    /// An empty buffer for windows of `observation` rows of `width` values.
    ///
    /// # Errors
    /// [`CoreError::EmptyWindow`] for no rows, [`CoreError::InvalidSetting`] for no columns or more than memory has.
    pub fn new(width: usize, observation: usize) -> Result<Self, CoreError> {
        if observation == 0 {
            return Err(CoreError::EmptyWindow { part: "observation" });
        }
        let size =
            observation.checked_mul(2).and_then(|rows| rows.checked_mul(width)).filter(|&size| size > 0);
        let mut values = Vec::new();
        match size.map(|size| values.try_reserve_exact(size)) {
            Some(Ok(())) => Ok(Self { width, observation, values }),
            _ => Err(CoreError::InvalidSetting {
                name: "width of a row",
                value: width.to_string(),
                expected: "a positive number of columns that fits into memory",
            }),
        }
    }

    /// Appends a row; the oldest one beyond the window is forgotten.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a row of another width.
    pub fn push(&mut self, row: &[f32]) -> Result<(), CoreError> {
        if row.len() != self.width {
            return Err(CoreError::LengthMismatch {
                what: "values of a row",
                expected: self.width,
                got: row.len(),
            });
        }
        self.make_room();
        self.values.extend_from_slice(row);
        Ok(())
    }

    /// Appends `rows` missing rows, all NaN. No more work than for a window of them.
    pub fn push_missing(&mut self, rows: u64) {
        let seen = usize::try_from(rows).unwrap_or(usize::MAX).min(self.observation);
        for _ in 0..seen {
            self.make_room();
            self.values.resize(self.values.len() + self.width, f32::NAN);
        }
    }

    fn make_room(&mut self) {
        if self.values.len() == 2 * self.observation * self.width {
            let kept = self.values.len() - (self.observation - 1) * self.width;
            self.values.copy_within(kept.., 0);
            self.values.truncate((self.observation - 1) * self.width);
        }
    }

    /// The last `observation` rows; `None` until there are that many.
    #[must_use]
    pub fn window(&self) -> Option<&[f32]> {
        self.values.len().checked_sub(self.observation * self.width).map(|first| &self.values[first..])
    }

    /// Rows of a window.
    #[must_use]
    pub fn observation(&self) -> usize {
        self.observation
    }

    /// Forgets all rows, for a stream that begins again.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// Appends the rows of the window to `out`, or as many as there are: 4 bytes a value and up to 10 bytes of length.
    ///
    /// # Errors
    /// As [`save_part`].
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(self.window().unwrap_or(&self.values), out)
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`] for bytes that are no rows of this width, or more than a window has; the buffer is
    /// then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let values: Vec<f32> = restore_part(from)?;
        if !values.len().is_multiple_of(self.width) || values.len() > self.observation * self.width {
            let (got, rows, width) = (values.len(), self.observation, self.width);
            return Err(CoreError::damaged_state(format!(
                "{got} values are no rows of {width} columns, at most {rows}"
            )));
        }
        self.values.clear();
        self.values.extend_from_slice(&values);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_another_width_is_refused() {
        let mut rows = RowBuffer::new(2, 3).unwrap();
        assert!(rows.push(&[1.0]).is_err());
        assert!(rows.window().is_none());
        assert!(RowBuffer::new(0, 3).is_err() && RowBuffer::new(usize::MAX, 3).is_err());
    }

    #[test]
    fn a_restored_window_goes_on_as_if_it_had_not_stopped() {
        let bits = |rows: &RowBuffer| {
            rows.window().map(|window| window.iter().map(|value| value.to_bits()).collect::<Vec<_>>())
        };
        for stop in 0..12 {
            let mut rows = RowBuffer::new(2, 3).unwrap();
            let push = |rows: &mut RowBuffer, row: usize| match row % 5 {
                3 => rows.push_missing(1),
                _ => rows.push(&[row as f32, f32::NAN]).unwrap(),
            };
            (0..stop).for_each(|row| push(&mut rows, row));
            let mut bytes = Vec::new();
            rows.save(&mut bytes).unwrap();
            let mut restored = RowBuffer::new(2, 3).unwrap();
            let mut from = &bytes[..];
            restored.restore(&mut from).unwrap();
            assert!(from.is_empty());
            for row in stop..stop + 9 {
                assert_eq!(bits(&rows), bits(&restored), "{stop} {row}");
                push(&mut rows, row);
                push(&mut restored, row);
            }
            assert!(stop == 0 || RowBuffer::new(5, 3).unwrap().restore(&mut &bytes[..]).is_err());
            assert!(stop < 3 || RowBuffer::new(2, 2).unwrap().restore(&mut &bytes[..]).is_err());
        }
    }

    #[test]
    fn any_number_of_missing_rows_is_a_window_of_them() {
        for missing in [3, 4, 1000, u64::MAX] {
            let mut rows = RowBuffer::new(2, 3).unwrap();
            rows.push(&[1.0, 2.0]).unwrap();
            rows.push_missing(missing);
            assert!(rows.window().unwrap().iter().all(|value| value.is_nan()));
        }
    }
}

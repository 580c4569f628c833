//! Room for a row that is made and handed on.

/// Values of a row that needs no memory of its own.
const NARROW: usize = 64;

/// A row's room, on the stack while a row has at most [`NARROW`] values: with a hundred thousand services each of which
/// keeps its own, every row would be written through memory that nothing else of the service lies in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch(Vec<f32>);

impl Scratch {
    /// Gives room for a row of `width` values, of which none is known.
    pub(crate) fn row<R>(&mut self, width: usize, use_row: impl FnOnce(&mut [f32]) -> R) -> R {
        let mut narrow = [f32::NAN; NARROW];
        if let Some(row) = narrow.get_mut(..width) {
            return use_row(row);
        }
        self.0.clear();
        self.0.resize(width, f32::NAN);
        use_row(&mut self.0)
    }
}

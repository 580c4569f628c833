//! All windows as one tensor, which takes no memory of its own.

use forewarn_core::Windows;
use std::marker::PhantomData;
use tch::{Device, Kind, TchError, Tensor};

/// Every window of a block of rows, as a view: on a processor of the block where it is, on a GPU of the one copy that
/// was sent there.
pub(super) struct Block<'a> {
    /// `[step, window, feature]`; window `w` begins with row `w`.
    windows: Tensor,
    /// Where a processor reads the rows.
    rows: PhantomData<&'a [f32]>,
}

impl<'a> Block<'a> {
    pub(super) fn new(windows: Windows<'a>, device: Device) -> Result<Self, TchError> {
        let ([count, steps, width], [stride, row, feature]) = windows.shape_and_strides();
        let side = |side: usize| side as i64;
        let rows = on_processor(windows.block(), side(width))?.f_to_device(device)?;
        let windows = rows.f_as_strided(
            [side(steps), side(count), side(width)],
            [side(row), side(stride), side(feature)],
            0,
        )?;
        Ok(Self { windows, rows: PhantomData })
    }

    /// The windows that begin with these rows, `[step, window, feature]`, with 0 for what is missing.
    pub(super) fn gather(&self, places: &[i64]) -> Result<Tensor, TchError> {
        let places = Tensor::f_from_slice(places)?.f_to_device(self.windows.device())?;
        // Not `index_select`, which on a processor first copies the whole view, ten times the frame, to have it
        // contiguous.
        let windows = self.windows.f_index(&[None, Some(places)])?;
        // Others than NaN stay as they are: a fit has refused what is infinite.
        windows.f_nan_to_num(0.0, f64::INFINITY, f64::NEG_INFINITY)
    }
}

/// A tensor `[row, feature]` on these very values, for as long as they are.
#[expect(
    unsafe_code,
    reason = "tch has no safe tensor on memory of others, and a frame may be half of all memory"
)]
fn on_processor(values: &[f32], width: i64) -> Result<Tensor, TchError> {
    let rows = values.len() as i64 / width;
    // SAFETY: `values` is initialised, aligned for `f32` and at least `rows * width` long, with rows `width` apart.
    // libtorch frees nothing that it did not allocate. The one caller keeps the tensor, or a view of it, in a `Block`
    // that borrows the values for as long as it lives, hands out copies (`index`) only, and calls nothing that writes
    // to it; libtorch reads it on no other thread after such a call has returned. So the values are neither written
    // nor freed while the tensor is there.
    unsafe {
        Tensor::f_from_blob(values.as_ptr().cast(), &[rows, width], &[width, 1], Kind::Float, Device::Cpu)
    }
}

//! Windows as views of ndarray.

use ndarray::{ArrayView2, ArrayView3, ShapeBuilder};

use super::Windows;

impl<'a> Windows<'a> {
    /// Window `index` as a matrix `[observation, feature]`; `None` beyond the last. Needs the feature `ndarray`.
    #[must_use]
    pub fn view(&self, index: usize) -> Option<ArrayView2<'a, f32>> {
        let shape = (self.observation, self.schema.len());
        self.get(index).map(|window| ArrayView2::from_shape(shape, window).expect("a window is whole rows"))
    }

    /// Every window of consecutive rows of the block as one view, as [`shape_and_strides`](Self::shape_and_strides)
    /// describes it. Needs the feature `ndarray`.
    #[must_use]
    pub fn strided(&self) -> ArrayView3<'a, f32> {
        let (shape, strides) = self.shape_and_strides();
        let view = match shape[0] {
            0 => ArrayView3::from_shape(shape, &[]),
            _ => ArrayView3::from_shape(shape.strides(strides), self.values),
        };
        view.expect("strided windows end with the block")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Metric, Schema};

    #[test]
    fn views_are_of_the_block() {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap();
        let values: Vec<f32> = (0..10u8).map(f32::from).collect();
        let windows = Windows::new(&schema, &values, 3, &[2, 4]).unwrap();
        assert_eq!(windows.view(0).unwrap()[[2, 1]], 5.0);
        assert!(windows.view(2).is_none());
        let strided = windows.strided();
        assert_eq!(strided.shape(), [3, 3, 2]);
        assert_eq!(strided[[2, 0, 1]], 5.0);
        for (index, window) in windows.iter().enumerate() {
            let at = windows.offset(index).unwrap() / schema.len();
            assert!(strided.index_axis(ndarray::Axis(0), at).iter().eq(window));
        }
        let longer = Windows::new(&schema, &values, 6, &[]).unwrap();
        assert_eq!(longer.strided().shape(), [0, 6, 2]);
    }
}

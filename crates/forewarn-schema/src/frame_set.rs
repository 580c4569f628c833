use crate::{Frame, FrameView, Layout, Schema, SchemaError, ServiceRows, frame::Limits};
use std::{iter, sync::Arc};

mod blocks;

/// The frames of many services in one contiguous row-major block, in order of service name.
///
/// One block means that any window of any service is a slice that a row number finds without a look-up, and that
/// a tensor library can take the memory as it is.
#[derive(Clone, Debug)]
pub struct FrameSet {
    schema: Schema,
    layout: Arc<Layout>,
    values: Vec<f32>,
}

impl FrameSet {
    /// Puts frames of one schema and step together, sorted by service name. Copies each frame once and frees it.
    ///
    /// # Errors
    /// [`SchemaError::MixedFrames`], [`SchemaError::DuplicateService`], [`SchemaError::TooManyRows`], and
    /// [`SchemaError::NoMetrics`] for no frame at all (there is no schema then).
    pub fn from_frames(mut frames: Vec<Frame>) -> Result<Self, SchemaError> {
        frames.sort_by(|a, b| a.view().service.cmp(b.view().service));
        let first = frames.first().ok_or(SchemaError::NoMetrics)?.view();
        let (schema, step) = (first.schema.clone(), first.step);
        for pair in frames.windows(2) {
            let (previous, frame) = (pair[0].view(), pair[1].view());
            let service = || frame.service.to_owned();
            if previous.service == frame.service {
                return Err(SchemaError::DuplicateService { service: service() });
            }
            if *frame.schema != schema {
                return Err(SchemaError::MixedFrames { service: service(), what: "schema" });
            }
            if frame.step != step {
                return Err(SchemaError::MixedFrames { service: service(), what: "step" });
            }
        }
        let places = frames.iter().map(Frame::view).map(|f| (f.service.to_owned(), f.start, f.rows()));
        let layout = Arc::new(Layout::new(step, places)?);
        let mut frames = frames.into_iter().map(Frame::into_values);
        let mut values = frames.next().unwrap_or_default();
        values.reserve_exact(layout.rows() * schema.len() - values.len());
        for frame in frames {
            values.extend_from_slice(&frame);
        }
        Ok(Self { schema, layout, values })
    }

    /// Rows that lie in one block already, where `layout` says. Values are checked against `schema` like those of a
    /// [`Frame`].
    ///
    /// # Errors
    /// [`SchemaError::RaggedValues`] unless `values` has one row of `schema` for each row of the layout,
    /// [`SchemaError::OutOfRange`].
    pub fn new(schema: Schema, layout: Layout, values: Vec<f32>) -> Result<Self, SchemaError> {
        Self::checked(schema, Arc::new(layout), values)
    }

    /// A set with the same services and times and other columns: what a feature or a normaliser makes.
    ///
    /// Values are checked against `schema` like those of a [`Frame`].
    ///
    /// # Errors
    /// [`SchemaError::RaggedValues`] unless `values` has one row of `schema` for each row of this set,
    /// [`SchemaError::OutOfRange`].
    pub fn derive(&self, schema: Schema, values: Vec<f32>) -> Result<Self, SchemaError> {
        Self::checked(schema, Arc::clone(&self.layout), values)
    }

    fn checked(schema: Schema, layout: Arc<Layout>, values: Vec<f32>) -> Result<Self, SchemaError> {
        if values.len() != layout.rows() * schema.len() {
            return Err(SchemaError::RaggedValues {
                service: "all services".to_owned(),
                values: values.len(),
                metrics: schema.len(),
            });
        }
        let set = Self { schema, layout, values };
        set.frames().try_for_each(FrameView::check_ranges)?;
        Ok(set)
    }

    /// One set with the columns of this and of `others`: each row holds theirs, one behind the other, under the names
    /// of `schema`.
    ///
    /// # Errors
    /// [`SchemaError::MixedLayouts`] for sets of other services or times; as [`derive`](Self::derive) unless `schema`
    /// has as many columns as all of them together.
    pub fn beside(&self, others: &[&Self], schema: Schema) -> Result<Self, SchemaError> {
        if others.iter().any(|other| other.layout != self.layout) {
            return Err(SchemaError::MixedLayouts);
        }
        let sets = || iter::once(&self).chain(others);
        let mut values = Vec::with_capacity(sets().map(|set| set.values.len()).sum());
        for row in 0..self.layout.rows() {
            for set in sets() {
                let width = set.schema.len();
                values.extend_from_slice(&set.values[row * width..][..width]);
            }
        }
        self.derive(schema, values)
    }

    /// A set with the same services and times and other columns, computed a block of rows at a time: what
    /// [`derive`](Self::derive) makes, with the check of values done while they are in the cache.
    ///
    /// `states` holds one state for each service. `fill` is called with the service's state, some rows of this set
    /// and the room for as many rows of `schema`, which hold whatever was there before, for one block of a service
    /// after another. Services are shared out to at most `threads` threads; a service stays on one, so the result
    /// does not depend on how many there are.
    ///
    /// # Errors
    /// [`SchemaError::StateCount`] unless there is a state for each service, [`SchemaError::OutOfRange`] for the
    /// first value outside its metric's range.
    pub fn derive_blocks<S: Send>(
        &self,
        schema: Schema,
        states: Vec<S>,
        threads: usize,
        fill: impl Fn(&mut S, &[f32], &mut [f32]) + Sync,
    ) -> Result<Self, SchemaError> {
        self.derive_blocks_in(Vec::new(), schema, states, threads, fill)
    }

    /// [`derive_blocks`](Self::derive_blocks) in memory that is there already, such as the
    /// [`into_values`](Self::into_values) of a set that is no longer needed: fresh memory costs more than the columns
    /// that are written to it.
    ///
    /// # Errors
    /// As [`derive_blocks`](Self::derive_blocks).
    pub fn derive_blocks_in<S: Send>(
        &self,
        memory: Vec<f32>,
        schema: Schema,
        states: Vec<S>,
        threads: usize,
        fill: impl Fn(&mut S, &[f32], &mut [f32]) + Sync,
    ) -> Result<Self, SchemaError> {
        blocks::derive(self, memory, schema, states, threads, fill)
    }

    /// The memory of all values, for a set that is no longer needed.
    #[must_use]
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The metrics of each row.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Where each service's rows lie.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// All values: `[row, metric]`, service after service.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The frame of one service, by its position in [`Layout::services`].
    #[must_use]
    pub fn frame(&self, service: usize) -> Option<FrameView<'_>> {
        self.layout.services().get(service).map(|rows| self.view(rows))
    }

    /// The frames in order.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = FrameView<'_>> {
        self.layout.services().iter().map(|rows| self.view(rows))
    }

    fn view<'a>(&'a self, service: &'a ServiceRows) -> FrameView<'a> {
        let (width, rows) = (self.schema.len(), service.rows());
        FrameView {
            service: service.name(),
            schema: &self.schema,
            start: service.start(),
            step: self.layout.step(),
            values: &self.values[rows.start * width..rows.end * width],
        }
    }

    /// This set with every row rewritten in place, as rows of `schema`, which is as wide: what a filler of gaps
    /// does. `rewrite` gets the service (a position in [`Layout::services`]) and one row after another.
    ///
    /// # Errors
    /// [`SchemaError::RaggedValues`] for a schema of another width, [`SchemaError::OutOfRange`].
    pub fn map_rows(
        self,
        schema: Schema,
        mut rewrite: impl FnMut(usize, &mut [f32]),
    ) -> Result<Self, SchemaError> {
        let width = self.schema.len();
        self.map_blocks(schema, |service, block| {
            block.chunks_exact_mut(width).for_each(|row| rewrite(service, row));
        })
    }

    /// [`map_rows`](Self::map_rows) with a block of whole rows of one service at a time; each is checked while it is
    /// in the cache.
    ///
    /// # Errors
    /// As [`map_rows`](Self::map_rows).
    pub fn map_blocks(
        mut self,
        schema: Schema,
        mut rewrite: impl FnMut(usize, &mut [f32]),
    ) -> Result<Self, SchemaError> {
        let width = self.schema.len();
        if schema.len() != width {
            let (service, values) = ("all services".to_owned(), self.values.len());
            return Err(SchemaError::RaggedValues { service, values, metrics: schema.len() });
        }
        let limits = Limits::new(&schema);
        let mut sound = true;
        for (service, place) in self.layout.services().iter().enumerate() {
            let rows = place.rows();
            let values = &mut self.values[rows.start * width..rows.end * width];
            for block in values.chunks_mut(Limits::ROWS * width) {
                rewrite(service, block);
                sound &= limits.hold(block);
            }
        }
        let set = Self { schema, ..self };
        if !sound {
            set.frames().try_for_each(FrameView::check_ranges)?;
        }
        Ok(set)
    }

    /// This set without the metrics that `keep` refuses. Moves the kept values together in place.
    ///
    /// # Errors
    /// [`SchemaError::NoMetrics`] when nothing is kept.
    pub fn retain_metrics(
        mut self,
        mut keep: impl FnMut(&crate::Metric) -> bool,
    ) -> Result<Self, SchemaError> {
        let kept: Vec<usize> = (0..self.schema.len()).filter(|&i| keep(&self.schema.metrics()[i])).collect();
        if kept.len() == self.schema.len() {
            return Ok(self);
        }
        let schema = Schema::new(kept.iter().map(|&i| self.schema.metrics()[i].clone()).collect())?;
        let (from, rows) = (self.schema.len(), self.layout.rows());
        for row in 0..rows {
            for (to, &index) in kept.iter().enumerate() {
                self.values[row * kept.len() + to] = self.values[row * from + index];
            }
        }
        self.values.truncate(rows * kept.len());
        self.values.shrink_to_fit();
        Ok(Self { schema, layout: self.layout, values: self.values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, Step, Timestamp};

    fn frame(service: &str, metrics: &[&str], values: Vec<f32>) -> Frame {
        let schema = Schema::new(metrics.iter().map(|name| Metric::gauge(*name)).collect()).unwrap();
        Frame::new(service, schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap()
    }

    #[test]
    fn services_are_sorted_and_found_again() {
        let set = FrameSet::from_frames(vec![
            frame("b", &["x", "y"], vec![1.0, 2.0, 3.0, 4.0]),
            frame("a", &["x", "y"], vec![5.0, 6.0]),
        ])
        .unwrap();
        assert_eq!(set.values(), [5.0, 6.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(set.frame(1).unwrap().service(), "b");
        assert_eq!(set.layout().locate(0), Some((0, Timestamp::EPOCH)));
        assert_eq!(set.layout().locate(2).unwrap(), (1, set.frame(1).unwrap().time(1)));
        assert_eq!(set.layout().locate(3), None);
        assert_eq!(set.frame(1).unwrap().row(1), Some(&[3.0, 4.0][..]));
        assert_eq!(set.frame(1).unwrap().row(2), None);
    }

    #[test]
    fn an_empty_frame_between_others_is_never_located() {
        let set = FrameSet::from_frames(vec![
            frame("a", &["x"], vec![1.0]),
            frame("b", &["x"], vec![]),
            frame("c", &["x"], vec![2.0]),
        ])
        .unwrap();
        assert_eq!(set.layout().locate(1).unwrap().0, 2);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let a = || frame("a", &["x"], vec![1.0]);
        let twice = FrameSet::from_frames(vec![a(), a()]).unwrap_err();
        assert_eq!(twice, SchemaError::DuplicateService { service: "a".into() });
        let mixed = FrameSet::from_frames(vec![a(), frame("b", &["y"], vec![1.0])]).unwrap_err();
        assert_eq!(mixed, SchemaError::MixedFrames { service: "b".into(), what: "schema" });
        assert!(FrameSet::from_frames(vec![]).is_err());
        let set = FrameSet::from_frames(vec![a()]).unwrap();
        assert!(set.derive(set.schema().clone(), vec![1.0, 2.0]).is_err());
        assert!(set.derive(set.schema().clone(), vec![f32::INFINITY]).is_err());
    }

    #[test]
    fn sets_beside_each_other_are_one_of_all_columns() {
        let set = |start, names: &[&str], values| {
            FrameSet::from_frames(vec![frame("b", names, values), frame("a", names, start)]).unwrap()
        };
        let left = set(vec![1.0, 2.0], &["x", "y"], vec![3.0, 4.0, 5.0, 6.0]);
        let right = set(vec![7.0], &["z"], vec![8.0, 9.0]);
        let schema = || Schema::new(["x", "y", "z"].map(Metric::gauge).to_vec()).unwrap();
        let both = left.beside(&[&right], schema()).unwrap();
        assert_eq!(both.values(), [1.0, 2.0, 7.0, 3.0, 4.0, 8.0, 5.0, 6.0, 9.0]);
        assert_eq!((both.schema(), both.layout()), (&schema(), left.layout()));
        assert!(matches!(left.beside(&[], schema()), Err(SchemaError::RaggedValues { .. })));
        let shorter = set(vec![7.0], &["z"], vec![8.0]);
        assert_eq!(left.beside(&[&shorter], schema()).unwrap_err(), SchemaError::MixedLayouts);
    }

    #[test]
    fn retained_metrics_keep_their_values() {
        let set =
            FrameSet::from_frames(vec![frame("a", &["x", "y", "z"], (0..9u8).map(f32::from).collect())])
                .unwrap();
        let kept = set.retain_metrics(|metric| metric.name != "y").unwrap();
        assert_eq!(kept.values(), [0.0, 2.0, 3.0, 5.0, 6.0, 8.0]);
        assert_eq!(kept.schema().names().collect::<Vec<_>>(), ["x", "z"]);
        assert!(kept.retain_metrics(|_| false).is_err());
    }
}

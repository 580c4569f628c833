use crate::{
    Features, Normalisation, Pipeline, RowNormaliser, Scope, WindowError, features::ListState, normaliser,
};
use forewarn_core::{CoreError, FrameStream, LabelledWindows, PieceOrder, Samples, Train, Windows};
use forewarn_schema::{Frame, Layout, Schema};
use std::ops::Range;

/// Rows that are computed and normalised at a time: few enough to stay in the first-level cache.
const BLOCK_ROWS: usize = 32;

/// Frames that come piece by piece: the same normaliser, columns and windows as of frames in memory, bit for bit.
impl Pipeline {
    /// [`fit`](Self::fit) in one pass over pieces. Memory: one row of sums a service.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); [`WindowError::NeedsEveryValue`] for [`Normalisation::Robust`] and
    /// [`Normalisation::Quantile`]; errors of the stream.
    pub fn fit_pieces(
        features: Features,
        train: &Train<Samples>,
        frames: &mut dyn FrameStream,
        method: Normalisation,
        scope: Scope,
    ) -> Result<Self, WindowError> {
        let normaliser = normaliser::fit_pieces(train, frames, &features, method, scope)?;
        Ok(Self::new(features, normaliser))
    }

    /// The windows of `samples` in one pass over pieces: to be scored, or to be gathered from.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`] for samples of other services or times, as [`schema`](Self::schema), errors of
    /// the stream.
    pub fn windows<'a>(
        &self,
        frames: &'a mut dyn FrameStream,
        samples: &'a Samples,
    ) -> Result<WindowPieces<'a>, WindowError> {
        if samples.layout() != frames.layout() {
            return Err(CoreError::LayoutMismatch.into());
        }
        let schema = self.schema(frames.schema())?;
        let columns = self.features().columns(frames.layout(), frames.schema())?;
        let services = columns.into_iter().zip(frames.layout().services()).map(|(columns, place)| Service {
            columns,
            normaliser: self.normaliser().of_service(place.name()),
            before: Vec::new(),
        });
        Ok(WindowPieces {
            services: services.collect(),
            order: Some(PieceOrder::start(frames)?),
            input_width: frames.schema().len(),
            frames,
            samples,
            schema,
            block: Vec::new(),
            last_rows: Vec::new(),
        })
    }

    /// Copies of the windows of `samples`, for a model to be fitted on: after
    /// [`downsample_negatives`](crate::downsample_negatives) they fit into memory where the frames do not. Four bytes
    /// for each feature of each row of each window.
    ///
    /// # Errors
    /// As [`windows`](Self::windows).
    pub fn copy_windows(
        &self,
        frames: &mut dyn FrameStream,
        samples: &Samples,
    ) -> Result<WindowCopies, WindowError> {
        let mut pieces = self.windows(frames, samples)?;
        let schema = pieces.schema.clone();
        let observation = samples.spec().observation();
        let size = observation * schema.len();
        let mut values = vec![0.0; samples.len() * size];
        while let Some(piece) = pieces.next_piece()? {
            let room = values[piece.samples.start * size..piece.samples.end * size].chunks_exact_mut(size);
            piece.windows().iter().zip(room).for_each(|(window, room)| room.copy_from_slice(window));
        }
        let last_rows = (1..=samples.len()).map(|window| (window * observation - 1) as u32).collect();
        Ok(WindowCopies { schema, observation, values, last_rows })
    }
}

/// A service in the middle of a pass.
struct Service {
    columns: ListState,
    normaliser: RowNormaliser,
    /// The last rows of columns, which windows of the next piece reach back to.
    before: Vec<f32>,
}

/// The windows of some samples in a pass over frames; see [`Pipeline::windows`].
pub struct WindowPieces<'a> {
    frames: &'a mut dyn FrameStream,
    samples: &'a Samples,
    input_width: usize,
    schema: Schema,
    services: Vec<Service>,
    /// `None` once all pieces have come.
    order: Option<PieceOrder>,
    block: Vec<f32>,
    last_rows: Vec<u32>,
}

/// The windows of some neighbouring samples of one service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WindowPiece<'a> {
    /// The service, a position in the layout.
    pub service: usize,
    /// The samples, positions in [`Samples`].
    pub samples: Range<usize>,
    windows: Windows<'a>,
    positive: &'a [bool],
    weights: Option<&'a [f32]>,
    soft_labels: Option<&'a [f32]>,
}

impl<'a> WindowPiece<'a> {
    /// Their windows, in order.
    #[must_use]
    pub fn windows(&self) -> Windows<'a> {
        self.windows
    }

    /// Their windows with labels, weights and soft labels.
    ///
    /// # Errors
    /// None for a piece; the type is that of [`LabelledWindows::new`].
    pub fn labelled(&self) -> Result<LabelledWindows<'a>, CoreError> {
        let labelled = LabelledWindows::new(self.windows, self.positive)?;
        let labelled = self.weights.map_or(Ok(labelled), |weights| labelled.with_weights(weights))?;
        self.soft_labels.map_or(Ok(labelled), |labels| labelled.with_soft_labels(labels))
    }
}

impl WindowPieces<'_> {
    /// The columns of a window.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The windows of the next piece that has any; `None` after the last one.
    ///
    /// # Errors
    /// Those of the stream; out of range for a value too large for an `f32`.
    pub fn next_piece(&mut self) -> Result<Option<WindowPiece<'_>>, WindowError> {
        let Some(order) = &mut self.order else { return Ok(None) };
        let (width, observation) = (self.schema.len(), self.samples.spec().observation());
        let (service, samples) = loop {
            let Some(piece) = self.frames.next_piece()? else {
                if let Some(order) = self.order.take() {
                    order.finish()?;
                }
                return Ok(None);
            };
            order.take(&piece)?;
            let of = |row: usize| self.samples.rows().partition_point(|&sample| (sample as usize) < row);
            let samples = of(piece.rows.start)..of(piece.rows.end);
            let service = &mut self.services[piece.service];
            self.block.clear();
            self.block.append(&mut service.before);
            let (before, carried) = (self.block.len(), self.block.len() / width);
            self.block.resize(before + piece.rows.len() * width, 0.0);
            let new = &mut self.block[before..];
            let inputs = piece.values.chunks(BLOCK_ROWS * self.input_width);
            for (inputs, rows) in inputs.zip(new.chunks_mut(BLOCK_ROWS * width)) {
                service.columns.write_rows(inputs, rows);
                service.normaliser.apply(rows);
            }
            let kept = ((observation - 1) * width).min(self.block.len());
            service.before.extend_from_slice(&self.block[self.block.len() - kept..]);
            if self.block[before..].iter().any(|value| value.is_infinite()) {
                let (place, row) = (piece.service, piece.rows.start);
                return Err(out_of_range(
                    self.samples.layout(),
                    place,
                    row,
                    &self.schema,
                    &self.block[before..],
                ));
            }
            if !samples.is_empty() {
                let local = |&row: &u32| row - piece.rows.start as u32 + carried as u32;
                self.last_rows.clear();
                self.last_rows.extend(self.samples.rows()[samples.clone()].iter().map(local));
                break (piece.service, samples);
            }
        };
        Ok(Some(WindowPiece {
            service,
            windows: Windows::new(&self.schema, &self.block, observation, &self.last_rows)?,
            positive: &self.samples.positive()[samples.clone()],
            weights: self.samples.weights().map(|weights| &weights[samples.clone()]),
            soft_labels: self.samples.soft_labels().map(|labels| &labels[samples.clone()]),
            samples,
        }))
    }
}

/// The error for rows of columns, from `row` on, of which some value is infinite.
fn out_of_range(layout: &Layout, service: usize, row: usize, schema: &Schema, values: &[f32]) -> WindowError {
    let (name, step) = (layout.services()[service].name(), layout.step());
    let start = layout.locate(row).map_or(layout.services()[service].start(), |(_, time)| time);
    // A frame refuses them, and says which.
    let refused = Frame::new(name, schema.clone(), start, step, values.to_vec());
    refused.err().map_or(CoreError::NotFinite { what: name.to_owned() }.into(), WindowError::from)
}

/// Copies of some windows, one after another; see [`Pipeline::copy_windows`].
#[derive(Clone, Debug)]
pub struct WindowCopies {
    schema: Schema,
    observation: usize,
    values: Vec<f32>,
    last_rows: Vec<u32>,
}

impl WindowCopies {
    /// The windows in the order of their samples, for [`Samples::with_windows`].
    ///
    /// # Errors
    /// None for copies; the type is that of [`Windows::new`].
    pub fn windows(&self) -> Result<Windows<'_>, CoreError> {
        Windows::new(&self.schema, &self.values, self.observation, &self.last_rows)
    }
}

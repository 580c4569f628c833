use crate::{IoError, ReadSummary, Recording, clocks::Clocks, error::Origin};
use forewarn_schema::{Frame, FrameSet, Schema, Step, Timestamp};

/// Puts the rows of a file together, each service's on its clock.
///
/// Costs the values themselves, and the same again for a moment when there are several services.
#[derive(Debug)]
pub(crate) struct Assembler {
    origin: Origin,
    schema: Schema,
    step: Step,
    clocks: Clocks,
    /// Values of each service, in the order of the clocks.
    values: Vec<Vec<f32>>,
    missing_cells: u64,
}

impl Assembler {
    pub(crate) fn new(origin: &Origin, schema: Schema, step: Step) -> Self {
        let clocks = Clocks::new(origin, schema.len(), step);
        Self { origin: origin.clone(), schema, step, clocks, values: Vec::new(), missing_cells: 0 }
    }

    /// Adds the row that is number `row` in the file; its values have been checked.
    pub(crate) fn push(
        &mut self,
        row: u64,
        service: &str,
        time: Timestamp,
        sample: &[f32],
    ) -> Result<(), IoError> {
        let placed = self.clocks.place(row, service, time)?;
        if placed.service == self.values.len() {
            self.values.push(Vec::new());
        }
        let values = &mut self.values[placed.service];
        if placed.missing_rows > 0 {
            // Bounded by the allowance for gaps.
            values.resize(values.len() + placed.missing_rows * self.schema.len(), f32::NAN);
        }
        values.extend_from_slice(sample);
        self.missing_cells += sample.iter().filter(|value| value.is_nan()).count() as u64;
        Ok(())
    }

    /// All frames, with `notes` and what was noticed here.
    pub(crate) fn finish(self, notes: Vec<String>) -> Result<Recording, IoError> {
        let places = (0..self.values.len()).map(|service| {
            let (name, start) = self.clocks.service(service);
            (name.to_owned(), start)
        });
        let places: Vec<_> = places.collect();
        let (_, summary) = self.clocks.finish(notes)?;
        let refuse = |source| IoError::Schema { file: self.origin.file(), source };
        let mut frames = Vec::with_capacity(places.len());
        for ((name, start), mut values) in places.into_iter().zip(self.values) {
            // A growing vector holds up to twice what it needs.
            values.shrink_to_fit();
            frames.push(Frame::new(name, self.schema.clone(), start, self.step, values).map_err(refuse)?);
        }
        let frames = FrameSet::from_frames(frames).map_err(refuse)?;
        Ok(Recording { frames, summary: ReadSummary { missing_cells: self.missing_cells, ..summary } })
    }
}

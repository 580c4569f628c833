//! Samples of a series on their way to rows, a cell each.

use crate::{
    IoError,
    assemble::Assembler,
    columns::{
        cells::{CellReader, RowValues},
        time_form::Moment,
    },
    csv::Input,
};
use forewarn_core::BoxError;

/// Checks that there is a time for each value.
pub(super) fn same_number(timestamps: usize, values: usize) -> Result<(), BoxError> {
    if timestamps == values {
        return Ok(());
    }
    Err(format!("{timestamps} timestamps beside {values} values").into())
}

/// Where the samples of one series go.
pub(super) struct SampleCells<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) reader: &'a CellReader,
    pub(super) row: &'a mut RowValues,
    /// Line of the series.
    pub(super) line: u64,
    pub(super) service: &'a str,
    /// The metric.
    pub(super) name: &'a str,
    pub(super) slot: usize,
}

impl SampleCells<'_> {
    /// Puts a sample into its row.
    pub(super) fn push(
        &mut self,
        moment: Moment,
        value: f64,
        assembler: &mut Assembler,
    ) -> Result<(), IoError> {
        self.row.clear(&assembler.slots);
        self.reader.number(&assembler.slots, self.slot, value, self.row).map_err(|fault| {
            let slot = &assembler.slots.slots[self.slot];
            fault.at(self.input.origin.at(self.line), self.name, &value.to_string(), slot)
        })?;
        assembler.push_cell(self.line, self.service, moment, self.slot, self.row)
    }
}

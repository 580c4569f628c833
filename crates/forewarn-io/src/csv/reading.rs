//! The cells of one row of text.

use super::{Parts, time_name};
use crate::{
    IoError,
    columns::{
        Columns, Role,
        cells::{CellReader, Fault, RowValues},
        slots::Slots,
        time_form::{Moment, TimeReader},
    },
    error::{Origin, clip},
};
use forewarn_core::table::{CutRow, TableError};

/// How the cells of a table are read.
pub(super) struct Reading<'a> {
    pub(super) columns: &'a Columns,
    /// Names of the columns as the file has them.
    pub(super) header: &'a [String],
    pub(super) cells: &'a CellReader,
    pub(super) origin: &'a Origin,
}

impl Reading<'_> {
    /// Reads the row's metrics, and puts its time and service into `parts`.
    pub(super) fn row(
        &self,
        row: CutRow<'_>,
        parts: &mut Parts,
        slots: &Slots,
        values: &mut RowValues,
    ) -> Result<(), IoError> {
        for (index, (cell, &role)) in row.cells().zip(&self.columns.roles).enumerate() {
            match role {
                Role::Metric(slot) => self.value(row, index, cell, slot, slots, values)?,
                Role::Time(part) => parts.set_time(part, self.utf8(row, index, cell)?),
                Role::Service(part) => parts.set_service(part, self.utf8(row, index, cell)?),
                Role::MetricName | Role::Value | Role::WideService | Role::Ignored => {}
            }
        }
        Ok(())
    }

    /// Reads the row's metrics alone; false where one of them cannot be read.
    pub(super) fn metrics(&self, row: CutRow<'_>, slots: &Slots, values: &mut RowValues) -> bool {
        row.cells().zip(&self.columns.roles).all(|(cell, &role)| match role {
            Role::Metric(slot) if self.cells.digits(slots, slot, cell, values) => true,
            Role::Metric(slot) => {
                str::from_utf8(cell).is_ok_and(|text| self.cells.text(slots, slot, text, values).is_ok())
            }
            _ => true,
        })
    }

    /// Puts the row's time and service into `parts`.
    pub(super) fn place(&self, row: CutRow<'_>, parts: &mut Parts) -> Result<(), IoError> {
        // Those of folders are known.
        for &index in self.columns.places.iter().filter(|&&index| index < row.len()) {
            let text = self.utf8(row, index, row.cell(index))?;
            match self.columns.roles[index] {
                Role::Time(part) => parts.set_time(part, text),
                Role::Service(part) => parts.set_service(part, text),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn time(
        &self,
        row: CutRow<'_>,
        parts: &mut Parts,
        times: &mut TimeReader,
    ) -> Result<Moment, IoError> {
        let text = parts.time();
        times.text(text).ok_or_else(|| IoError::InvalidTime {
            place: self.origin.at(row.line()),
            column: time_name(self.columns),
            text: clip(text.trim()),
            expected: times.expected(text.trim()),
        })
    }

    /// Reads the cell of a column as the metric in `slot`.
    pub(super) fn metric(
        &self,
        row: CutRow<'_>,
        index: usize,
        slot: usize,
        slots: &Slots,
        values: &mut RowValues,
    ) -> Result<(), IoError> {
        self.value(row, index, row.cell(index), slot, slots, values)
    }

    /// A cell as text, without blanks around it.
    pub(super) fn text<'t>(&self, row: CutRow<'t>, index: usize) -> Result<&'t str, IoError> {
        self.utf8(row, index, row.cell(index)).map(str::trim)
    }

    fn value(
        &self,
        row: CutRow<'_>,
        index: usize,
        cell: &[u8],
        slot: usize,
        slots: &Slots,
        values: &mut RowValues,
    ) -> Result<(), IoError> {
        if self.cells.digits(slots, slot, cell, values) {
            return Ok(());
        }
        let text = self.utf8(row, index, cell)?;
        self.cells
            .text(slots, slot, text, values)
            .map_err(|fault| self.refuse(fault, row, index, text, slots, slot))
    }

    fn utf8<'t>(&self, row: CutRow<'_>, index: usize, cell: &'t [u8]) -> Result<&'t str, IoError> {
        str::from_utf8(cell).map_err(|_| {
            let column = self.header.get(index).cloned().unwrap_or_default();
            IoError::of_table(TableError::InvalidUtf8 { line: row.line(), column }, self.origin)
        })
    }

    #[cold]
    fn refuse(
        &self,
        fault: Fault,
        row: CutRow<'_>,
        index: usize,
        text: &str,
        slots: &Slots,
        slot: usize,
    ) -> IoError {
        fault.at(self.origin.at(row.line()), &self.columns.names[index], text, &slots.slots[slot])
    }
}

//! Rows of text on their way to frames.

use super::{Input, Parts, reading::Reading, rows::Batch};
use crate::{
    IoError, Shape,
    assemble::Assembler,
    columns::{cells::RowValues, legend, slots::Slots, time_form::TimeReader},
    error::clip,
};
use forewarn_core::table::{CutRow, Footer, TableError};

/// Where rows go, one after another.
pub(super) struct Placing<'a> {
    reading: &'a Reading<'a>,
    input: &'a Input<'a>,
    times: TimeReader,
    parts: Parts,
    /// Services of a wide file.
    wide: Vec<&'a str>,
    values: RowValues,
    assembler: &'a mut Assembler,
    /// Whether the last row ends with the text and not with a line break.
    unended: bool,
    /// Rows that may stand below the table, and what is wrong with them where they do not.
    below: Option<(Footer, IoError)>,
}

impl<'a> Placing<'a> {
    pub(super) fn new(
        reading: &'a Reading<'a>,
        input: &'a Input<'a>,
        times: TimeReader,
        parts: Parts,
        assembler: &'a mut Assembler,
    ) -> Self {
        let wide = parts.wide.iter().map(|&index| reading.columns.names[index].as_str()).collect();
        let values = RowValues::default();
        Self { reading, input, times, parts, wide, values, assembler, unended: false, below: None }
    }

    /// The metrics, as far as they are known.
    pub(super) fn slots(&self) -> &Slots {
        &self.assembler.slots
    }

    /// Takes the rows of a batch.
    pub(super) fn take(&mut self, batch: &Batch) -> Result<(), IoError> {
        let mut values = batch.values();
        for index in 0..batch.rows.len() {
            let Some(row) = batch.rows.get(index) else { break };
            let is_read = values.next_into(&mut self.values);
            if let Some((below, _)) = &mut self.below
                && below.take(row, self.reading.cells.decimal)
            {
                continue;
            }
            if let Some((_, error)) = self.below.take() {
                return Err(error);
            }
            if let Err(error) = self.row(row, is_read) {
                self.expect_footer(row, error)?;
            }
        }
        if !batch.rows.is_empty() {
            self.unended = batch.unended;
        }
        Ok(())
    }

    /// Whether a row that cannot be read may stand below the table: it has no time, and no row of it may follow.
    fn expect_footer(&mut self, row: CutRow<'_>, error: IoError) -> Result<(), IoError> {
        let has_time =
            self.reading.place(row, &mut self.parts).is_err() || self.times.text(self.parts.time()).is_some();
        let mut footer = Footer::default();
        if has_time || !footer.take(row, self.reading.cells.decimal) {
            return Err(error);
        }
        self.below = Some((footer, error));
        Ok(())
    }

    /// Why reading ends with an error of the table.
    pub(super) fn refuse(&mut self, error: TableError) -> IoError {
        // Rows that looked like ones below the table came before.
        let before = self.below.take().map(|(_, error)| error);
        before.unwrap_or_else(|| IoError::of_table(error, self.reading.origin))
    }

    /// Takes a row, whose metrics have been read or not.
    fn row(&mut self, row: CutRow<'_>, is_read: bool) -> Result<(), IoError> {
        let Self { reading, parts, times, values, assembler, .. } = self;
        let (reading, columns, line) = (*reading, reading.columns, row.line());
        if is_read {
            reading.place(row, parts)?;
        } else {
            values.clear(&assembler.slots);
            reading.row(row, parts, &assembler.slots, values)?;
        }
        let moment = reading.time(row, parts, times)?;
        match columns.shape {
            Shape::Long => {
                let name = reading.text(row, parts.metric_at)?;
                // Without a column of services, the labels in the name may say it.
                let series = if columns.service_parts == 0 { legend::series(name) } else { None };
                let name = series.as_ref().map_or(name, |series| &series.metric);
                let Some(name) = assembler.slots.taken(name, self.input.options) else { return Ok(()) };
                let slot = assembler.metric(line, name)?;
                values.clear(&assembler.slots);
                reading.metric(row, parts.value_at, slot, &assembler.slots, values)?;
                let service = series.as_ref().map_or_else(|| parts.service(), |series| &series.service);
                assembler.push_cell(line, service, moment, slot, values)
            }
            Shape::Wide if columns.is_series => {
                for &index in &parts.wide {
                    let slot = columns.wide_slots[index];
                    values.clear(&assembler.slots);
                    reading.metric(row, index, slot, &assembler.slots, values)?;
                    assembler.push_cell(line, &columns.names[index], moment, slot, values)?;
                }
                Ok(())
            }
            Shape::Wide => {
                let metric = self.input.options.metric.as_deref().unwrap_or_default();
                let slot = assembler.slots.find_or_add(metric)?;
                if assembler.begin_together(line, &self.wide, moment, slot)? {
                    for (position, &index) in parts.wide.iter().enumerate() {
                        values.clear(&assembler.slots);
                        reading.metric(row, index, slot, &assembler.slots, values)?;
                        assembler.put_together(position, slot, values);
                    }
                    return Ok(());
                }
                for &index in &parts.wide {
                    values.clear(&assembler.slots);
                    reading.metric(row, index, slot, &assembler.slots, values)?;
                    assembler.push(line, &columns.names[index], moment, values)?;
                }
                Ok(())
            }
            _ => assembler.push(line, parts.service(), moment, values),
        }
    }

    /// Notes what was noticed; `footer` is what the table has below its rows.
    pub(super) fn finish(self, footer: &Footer) -> Result<(), IoError> {
        let Self { times, assembler, unended, below, .. } = self;
        times.note().into_iter().chain(times.order_note()).for_each(|note| assembler.note(note));
        let first = below.map(|(below, _)| below);
        let rows = footer.rows + first.as_ref().map_or(0, |below| below.rows);
        if rows > 0 {
            let Footer { line, text, .. } = first.as_ref().unwrap_or(footer);
            assembler.note(format!(
                "{rows} rows below the table were left out, from line {line} on: {:?}",
                clip(text)
            ));
        }
        if unended {
            assembler.note("the last line has no line break: the file may have been cut".to_owned());
        }
        Ok(())
    }
}

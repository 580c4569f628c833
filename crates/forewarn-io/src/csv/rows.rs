//! The rows of a table: cut into cells by one thread, put into frames by another, and their numbers read by the one
//! that has time for it. None of that changes what comes out, and in which order.

use super::{placing::Placing, reading::Reading};
use crate::{
    CellChange, IoError,
    columns::{Role, cells::RowValues, slots::Slots},
};
use forewarn_core::table::{CutRows, Table, TableError};
use std::{
    io::Read,
    num::NonZero,
    panic::resume_unwind,
    sync::mpsc::{TrySendError, channel, sync_channel},
    thread,
};

/// Bytes of rows that are handed over together.
const BATCH_BYTES: usize = 1 << 17;

/// Batches that may wait.
const WAITING: usize = 4;

/// Rows that were cut together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) rows: CutRows,
    /// Whether the last of them ends with the text and not with a line break.
    pub(super) unended: bool,
    /// How many of them have their metrics read, and these: `[row, metric]`, `[row, counter]`, and what became of cells
    /// by row.
    read: usize,
    samples: Vec<f32>,
    raws: Vec<f64>,
    changes: Vec<(usize, (usize, CellChange))>,
}

impl Batch {
    /// Cuts the next rows; false where the table ends with them. After an error it has the rows before it.
    fn cut<R: Read>(&mut self, table: &mut Table<R>) -> Result<bool, TableError> {
        self.read = 0;
        self.samples.clear();
        self.raws.clear();
        self.changes.clear();
        let more = table.cut(&mut self.rows, BATCH_BYTES);
        self.unended = table.is_unended();
        more
    }

    /// Reads metrics, up to the first row in which one cannot be read: whoever places the row says why.
    fn read(&mut self, reading: &Reading<'_>, slots: &Slots, values: &mut RowValues) {
        while let Some(row) = self.rows.get(self.read) {
            values.clear(slots);
            if !reading.metrics(row, slots, values) {
                return;
            }
            self.samples.extend_from_slice(&values.sample);
            self.raws.extend_from_slice(&values.raws);
            self.changes.extend(values.changes.iter().map(|&change| (self.read, change)));
            self.read += 1;
        }
    }

    /// The values of its rows, one row after another.
    pub(super) fn values(&self) -> ReadValues<'_> {
        let of = |cells: usize| cells.checked_div(self.read).unwrap_or(0);
        ReadValues {
            batch: self,
            row: 0,
            width: of(self.samples.len()),
            raw_width: of(self.raws.len()),
            change: 0,
        }
    }
}

/// Values of rows that have been read.
pub(super) struct ReadValues<'a> {
    batch: &'a Batch,
    row: usize,
    width: usize,
    raw_width: usize,
    change: usize,
}

impl ReadValues<'_> {
    /// Puts the values of the next row into `values`; false where they have not been read.
    pub(super) fn next_into(&mut self, values: &mut RowValues) -> bool {
        let (batch, row) = (self.batch, self.row);
        if row >= batch.read {
            return false;
        }
        self.row += 1;
        values.sample.clear();
        values.sample.extend_from_slice(&batch.samples[row * self.width..][..self.width]);
        values.raws.clear();
        values.raws.extend_from_slice(&batch.raws[row * self.raw_width..][..self.raw_width]);
        values.changes.clear();
        while let Some((_, change)) = batch.changes.get(self.change).filter(|(of, _)| *of == row) {
            values.changes.push(*change);
            self.change += 1;
        }
        true
    }
}

/// Takes all rows of a table.
pub(super) fn read_rows<R: Read>(
    table: &mut Table<R>,
    reading: &Reading<'_>,
    placing: &mut Placing<'_>,
) -> Result<(), IoError> {
    let mut batch = Batch::default();
    // What is short is not worth a thread.
    let more = batch.cut(table);
    placing.take(&batch)?;
    match more.map_err(|error| placing.refuse(error))? {
        false => Ok(()),
        true if thread::available_parallelism().map_or(1, NonZero::get) > 1 => {
            side_by_side(table, reading, placing, WAITING)
        }
        true => alone(table, placing),
    }
}

/// Cuts rows and places them by turns.
fn alone<R: Read>(table: &mut Table<R>, placing: &mut Placing<'_>) -> Result<(), IoError> {
    let mut batch = Batch::default();
    loop {
        let more = batch.cut(table);
        placing.take(&batch)?;
        if !more.map_err(|error| placing.refuse(error))? {
            return Ok(());
        }
    }
}

/// Cuts rows here, and places them on another thread, for which `waiting` batches may wait.
fn side_by_side<R: Read>(
    table: &mut Table<R>,
    reading: &Reading<'_>,
    placing: &mut Placing<'_>,
    waiting: usize,
) -> Result<(), IoError> {
    // The metrics of a long file come with its rows.
    let has_metrics = reading.columns.roles.iter().any(|role| matches!(role, Role::Metric(_)));
    let slots = has_metrics.then(|| placing.slots().clone());
    let placed_by_other = &mut *placing;
    let end = thread::scope(|scope| {
        let (full, placed) = sync_channel::<Batch>(waiting);
        let (used, free) = channel::<Batch>();
        let placer = scope.spawn(move || -> Result<(), IoError> {
            for batch in placed {
                placed_by_other.take(&batch)?;
                // At the end it is not waited for.
                let _: Result<(), _> = used.send(batch);
            }
            Ok(())
        });
        let mut values = RowValues::default();
        let end = loop {
            let mut batch = free.try_recv().unwrap_or_default();
            let more = batch.cut(table);
            let sent = match full.try_send(batch) {
                // The other thread is behind.
                Err(TrySendError::Full(mut batch)) => {
                    if let Some(slots) = &slots {
                        batch.read(reading, slots, &mut values);
                    }
                    full.send(batch).is_ok()
                }
                sent => sent.is_ok(),
            };
            match more {
                Ok(true) if sent => {}
                Ok(_) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(full);
        // What is wrong with rows that were cut comes before what could not be cut.
        placer.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(end)
    })?;
    end.map_err(|error| placing.refuse(error))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Input, reader::read_table_by},
        *,
    };
    use crate::{
        Format, ReadOptions,
        assemble::{Assembler, Keep},
        error::Origin,
    };
    use forewarn_core::table::{TableSettings, take_prefix};
    use std::fmt::Write;

    /// What is read in one of the ways.
    fn read(
        text: &[u8],
        options: &ReadOptions,
        waiting: Option<usize>,
    ) -> Result<(Vec<u32>, String), String> {
        let origin = Origin::new("m.csv", Format::Csv);
        let mut assembler = Assembler::new(options, Keep::Values).map_err(|error| error.to_string())?;
        assembler.begin(&origin);
        let mut from = text;
        let prefix = take_prefix(&mut from).unwrap();
        let input = Input { origin: &origin, options, service: "service", folders: &[] };
        let rows = |table: &mut Table<&[u8]>, reading: &Reading<'_>, placing: &mut Placing<'_>| match waiting
        {
            None => alone(table, placing),
            Some(waiting) => side_by_side(table, reading, placing, waiting),
        };
        read_table_by(rows, prefix, from, &input, &TableSettings::default(), &mut assembler)
            .and_then(|()| assembler.finish())
            .map(|recording| {
                let bits = recording.frames.values().iter().map(|value| value.to_bits()).collect();
                (bits, format!("{:?}", recording.summary))
            })
            .map_err(|error| error.to_string())
    }

    /// Rows of three services, some with units, quotes and nothing within, and a counter.
    fn text(rows: usize, odd: &[(usize, &str)]) -> Vec<u8> {
        let mut text = "timestamp,service,error_rate,p99_latency,hits_total\n".to_owned();
        for row in 0..rows {
            if let Some((_, odd)) = odd.iter().find(|(at, _)| *at == row) {
                text += odd;
                continue;
            }
            let (time, service) = (60 * (row / 3), ["cart", "\"sh\"\"op\"", "web"][row % 3]);
            let latency = match row % 7 {
                3 => "0.25 s".to_owned(),
                5 => String::new(),
                _ => format!("{}.5", row % 900),
            };
            let _ = writeln!(text, "{time},{service},0.0{},{latency},{}", row % 97, 7 * row);
        }
        text.into_bytes()
    }

    #[test]
    fn threads_change_nothing() {
        const ROWS: usize = 30_000;
        let options = ReadOptions::default();
        let same = |text: &[u8]| {
            let expected = read(text, &options, None);
            for waiting in [0, 1, WAITING] {
                assert_eq!(read(text, &options, Some(waiting)), expected, "{waiting}");
            }
            expected
        };
        let (values, summary) = same(&text(ROWS, &[(ROWS - 1, "\nTotal,,0.3,700,1\n")])).unwrap();
        assert_eq!(values.len(), 3 * (ROWS - 1));
        assert!(summary.contains("rows below the table") && summary.contains("Converted"), "{summary}");
        let wrong_cell = (25_000, "0,web,0.1,fast,3\n");
        let wrong_row = (25_003, "0,web,0.1\n");
        let wrong_time = (24_999, "soon,web,0.1,1,3\n");
        for (odd, line) in [
            (&[wrong_cell, wrong_row][..], 25_002),
            (&[wrong_row][..], 25_005),
            (&[wrong_cell, wrong_row, wrong_time][..], 25_001),
        ] {
            let message = same(&text(ROWS, odd)).unwrap_err();
            assert!(message.starts_with(&format!("m.csv, line {line}")), "{message}");
        }
        let mut not_utf8 = text(ROWS, &[]);
        let at = not_utf8.windows(3).rposition(|word| word == b"web").unwrap();
        not_utf8[at] = 0xff;
        assert!(same(&not_utf8).unwrap_err().contains("UTF-8"));
    }
}

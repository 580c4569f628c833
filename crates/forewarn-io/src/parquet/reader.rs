use super::{
    batch::{Batch, Name},
    file_columns::{FileColumns, Wanted},
    groups::Groups,
    layout::{Holds, Zone, contents, expect_suitable, names, nullable, sketch},
};
use crate::{
    Format, IoError, ReadOptions, Recording, Shape,
    assemble::{Assembler, Keep},
    columns::{
        Columns, Header, Role, SERVICE,
        cells::{CellReader, RowValues},
        legend,
        slots::{Counter, Slots},
        time_form::{Moment, TimeReader, time_reader},
    },
    csv::{Input, Parts},
    error::Origin,
};
use std::{mem, path::Path};

/// Reads a recording from a Parquet file.
///
/// Columns are named and judged as in CSV (see [`csv::read_from`](crate::csv::read_from)). A time is a Parquet
/// timestamp of any unit, INT96, a date, a number or text as in CSV; times of no stated zone are taken as UTC or as
/// the settings say, and a note says so. A service is text or an integer. Metrics are booleans, integers, decimals,
/// halves, floats or doubles; null and NaN are missing; columns of text and nested ones are left out. zstd, Snappy,
/// gzip and LZ4 are understood.
///
/// Decodes 8,192 rows at a time; memory is that of the frames (and once more for a moment when there are several
/// services), and one page of each column, at most 128 MiB. Where that is too much,
/// [`ParquetStream`](super::ParquetStream) reads the file piece by piece.
///
/// # Errors
/// [`IoError`], with row (from 1) and column.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Recording, IoError> {
    let mut assembler = Assembler::new(options, Keep::Values)?;
    read_into(path.as_ref(), options, SERVICE, &[], &mut assembler)?;
    assembler.finish()
}

/// Adds the rows of a file.
pub(crate) fn read_into(
    path: &Path,
    options: &ReadOptions,
    service: &str,
    folders: &[(String, String)],
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let origin = Origin::new(&path.display().to_string(), Format::Parquet);
    let input = Input { origin: &origin, options, service, folders };
    assembler.begin(&origin);
    let mut rows = FileRows::open(path, &input, Wanted::Everything, &mut assembler.slots)?;
    mem::take(&mut rows.file.columns.notes).into_iter().for_each(|note| assembler.note(note));
    let mut values = RowValues::default();
    while rows.advance(&assembler.slots)? {
        match rows.file.columns.shape {
            Shape::Records => {
                rows.for_each(|row, service, moment, values| assembler.push(row, service, moment, values))?;
            }
            _ => rows.for_each_other(options, assembler, &mut values)?,
        }
    }
    rows.notes().into_iter().for_each(|note| assembler.note(note));
    Ok(())
}

/// The rows of a file, a batch after another.
pub(super) struct FileRows {
    pub(super) file: FileColumns,
    groups: Groups,
    wanted: Wanted,
    batch: Batch,
    times: TimeReader,
    cells: CellReader,
    parts: Parts,
    row: RowValues,
}

impl FileRows {
    pub(super) fn open(
        path: &Path,
        input: &Input<'_>,
        wanted: Wanted,
        slots: &mut Slots,
    ) -> Result<Self, IoError> {
        let origin = input.origin.clone();
        let groups = Groups::open(path, &origin)?;
        let schema = groups.schema();
        let holds = contents(schema);
        let mut names = names(schema);
        let fields = names.len();
        let sketches = schema.columns().iter().zip(&holds).zip(&names);
        let mut sketches: Vec<_> =
            sketches.map(|((column, &holds), name)| sketch(holds, name, column)).collect();
        input.add_folders(&mut names, &mut sketches);
        let header = Header { origin: &origin, names, sketches: &sketches, annotated: false };
        let columns = Columns::new(header, input.options, slots)?;
        expect_suitable(&origin, schema, &holds, &columns)?;
        if columns.time_parts > 1 {
            return Err(IoError::Setting {
                option: "time_columns",
                value: input.options.time_columns.join(", "),
                expected: "one column for a Parquet file".to_owned(),
            });
        }
        let nullable = nullable(schema);
        let is_other = |index: &usize| matches!(columns.roles[*index], Role::Value | Role::WideService);
        let is_counter = |index: &usize| match columns.roles[*index] {
            Role::Metric(slot) => slots.slots[slot].counter != Counter::No,
            _ => false,
        };
        let others = (0..fields).filter(is_other).collect();
        let counters = (0..fields).filter(is_counter).collect();
        let parts = Parts::new(&columns, input, fields);
        let file = FileColumns { origin, columns, holds, others, counters, nullable };
        Ok(Self {
            file,
            groups,
            wanted,
            batch: Batch::default(),
            times: time_reader(input.options)?,
            cells: CellReader::new(input.options),
            parts,
            row: RowValues::default(),
        })
    }

    /// Goes back to the first row, to decode these columns.
    pub(super) fn rewind(&mut self, wanted: Wanted) {
        self.wanted = wanted;
        self.groups.rewind();
        self.batch = Batch::default();
    }

    /// Decodes the next batch; false after the last one.
    pub(super) fn advance(&mut self, slots: &Slots) -> Result<bool, IoError> {
        let rows = self.groups.advance(&self.file, self.wanted)?;
        if rows == 0 {
            return Ok(false);
        }
        let Self { batch, file, times, groups, wanted, cells, .. } = self;
        batch.fill(file, times, &mut groups.chunks, (rows, *wanted), (slots, cells))?;
        let got = batch.times.len();
        if got == rows {
            return Ok(true);
        }
        Err(IoError::InvalidTime {
            place: file.origin.at(batch.first + got as u64 + 1),
            column: crate::csv::time_name(&file.columns),
            text: String::new(),
            expected: times.expected(""),
        })
    }

    /// Shows each row of the batch: its number in the file (from 1), service, time and values. Without values, where
    /// only places are wanted.
    pub(super) fn for_each(
        &mut self,
        mut visit: impl FnMut(u64, &str, Moment, &RowValues) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let Self { batch, parts, row: values, .. } = self;
        let rows = batch.times.len();
        let (width, counters) = (batch.values.len() / rows.max(1), batch.raws.len() / rows.max(1));
        let mut changes = batch.changes.iter().peekable();
        for (row, &moment) in batch.times.iter().enumerate() {
            let number = batch.first + row as u64 + 1;
            set_service(parts, &batch.services, row);
            values.sample.clear();
            values.sample.extend_from_slice(&batch.values[row * width..(row + 1) * width]);
            values.raws.clear();
            values.raws.extend_from_slice(&batch.raws[row * counters..(row + 1) * counters]);
            values.changes.clear();
            while let Some((_, slot, change)) = changes.next_if(|(of, ..)| *of == row) {
                values.changes.push((*slot, *change));
            }
            visit(number, parts.service(), moment, values)?;
        }
        Ok(())
    }

    /// Adds each row of the batch of a long or wide file.
    fn for_each_other(
        &mut self,
        options: &ReadOptions,
        assembler: &mut Assembler,
        values: &mut RowValues,
    ) -> Result<(), IoError> {
        let Self { batch, parts, file, cells, .. } = self;
        let width = file.others.len();
        for (row, &moment) in batch.times.iter().enumerate() {
            let number = batch.first + row as u64 + 1;
            set_service(parts, &batch.services, row);
            for (&index, &value) in file.others.iter().zip(&batch.others[row * width..(row + 1) * width]) {
                let column = &file.columns.names[index];
                let mut series = None;
                let slot = match batch.metrics.get(row) {
                    Some(name) => {
                        let name = file.utf8(index, name, number)?;
                        if file.columns.service_parts == 0 {
                            series = legend::series(name);
                        }
                        let name = series.as_ref().map_or(name, |series| &series.metric);
                        match assembler.slots.taken(name, options) {
                            Some(name) => assembler.metric(number, name)?,
                            None => continue,
                        }
                    }
                    None => file.columns.wide_slots[index],
                };
                values.clear(&assembler.slots);
                cells.number(&assembler.slots, slot, value, values).map_err(|fault| {
                    fault.at(file.origin.at(number), column, &value.to_string(), &assembler.slots.slots[slot])
                })?;
                match file.columns.shape {
                    Shape::Wide if !file.columns.is_series => {
                        assembler.push(number, column, moment, values)?;
                    }
                    Shape::Wide => assembler.push_cell(number, column, moment, slot, values)?,
                    _ => {
                        let service =
                            series.as_ref().map_or_else(|| parts.service(), |series| &series.service);
                        assembler.push_cell(number, service, moment, slot, values)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What a user should know about the times, once all rows have been read.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.times.note().into_iter().collect();
        for (holds, role) in self.file.holds.iter().zip(&self.file.columns.roles) {
            if !matches!(role, Role::Time(_)) {
                continue;
            }
            match holds {
                Holds::Date | Holds::Time { zone: Zone::Unstated, .. } => notes.push(self.times.zone_note()),
                Holds::Int96 => notes.push("the timestamps are INT96 and were read as UTC".to_owned()),
                _ => {}
            }
        }
        notes
    }
}

/// Puts the parts of a row's service together.
fn set_service(parts: &mut Parts, services: &[Vec<Name>], row: usize) {
    for (part, names) in services.iter().enumerate() {
        match names.get(row) {
            Some(Name::Text(name)) => parts.set_service(part, name.as_utf8().unwrap_or_default()),
            Some(Name::Number(number)) => parts.set_service(part, &number.to_string()),
            None => {}
        }
    }
}

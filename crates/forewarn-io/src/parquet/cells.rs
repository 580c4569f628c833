use super::{
    chunk::{Chunk, Number, time_of},
    file_columns::{FileColumns, Wanted},
    groups::Groups,
    layout::{Holds, Zone, contents, names, nullable},
};
use crate::{
    Format, IoError,
    columns::{Columns, time_form::EpochUnit},
    error::Origin,
    read::cell_rows::FormatRows,
};
use ::parquet::data_type::{ByteArray, Int96};
use forewarn_schema::Timestamp;
use std::path::Path;

/// The rows of a Parquet file as rows of text.
pub(crate) struct ParquetCells {
    groups: Groups,
    file: FileColumns,
    /// `[column][row]` of the batch; no rows of a column that cannot be read.
    cells: Vec<Vec<Cell>>,
    /// Rows of the batch, and the present one.
    rows: usize,
    row: usize,
    /// Rows of the file before the batch.
    before: u64,
}

#[derive(Clone)]
enum Cell {
    Missing,
    Text(ByteArray),
    Made(String),
}

impl ParquetCells {
    pub(crate) fn open(path: &Path) -> Result<Self, IoError> {
        let origin = Origin::new(&path.display().to_string(), Format::Parquet);
        let groups = Groups::open(path, &origin)?;
        let (holds, names) = (contents(groups.schema()), names(groups.schema()));
        let nullable = nullable(groups.schema());
        let columns = Columns::of_cells(names, |index| holds[index] != Holds::Unsupported);
        let cells = vec![Vec::new(); holds.len()];
        let file = FileColumns { origin, columns, holds, others: Vec::new(), counters: Vec::new(), nullable };
        Ok(Self { groups, file, cells, rows: 0, row: 0, before: 0 })
    }

    fn fill(&mut self) -> Result<(), IoError> {
        for (index, chunk) in &mut self.groups.chunks {
            chunk.advance(self.rows).map_err(|source| self.file.damaged_column(*index, source))?;
            let cells = &mut self.cells[*index];
            cells.clear();
            cells.resize(self.rows, Cell::Missing);
            fill(cells, chunk, self.file.holds[*index])?;
        }
        Ok(())
    }
}

impl FormatRows for ParquetCells {
    fn header(&self) -> &[String] {
        &self.file.columns.names
    }

    fn advance(&mut self) -> Result<bool, IoError> {
        self.row += 1;
        if self.row < self.rows {
            return Ok(true);
        }
        self.before += self.rows as u64;
        self.row = 0;
        self.rows = self.groups.advance(&self.file, Wanted::Everything)?;
        self.fill()?;
        Ok(self.rows > 0)
    }

    fn text(&self, column: usize) -> Result<&str, IoError> {
        let Some(cells) = self.cells.get(column) else { return Ok("") };
        match cells.get(self.row) {
            Some(Cell::Missing) => Ok(""),
            Some(Cell::Made(text)) => Ok(text),
            Some(Cell::Text(bytes)) => {
                self.file.expect_name(column, bytes, self.line())?;
                self.file.utf8(column, bytes, self.line()).map(str::trim)
            }
            None => Err(IoError::Nested {
                place: self.file.origin.at(self.line()),
                column: self.file.columns.names[column].clone(),
            }),
        }
    }

    fn line(&self) -> u64 {
        self.before + self.row as u64 + 1
    }
}

/// Puts the decoded values of a column into its cells, as text of the same meaning.
fn fill(cells: &mut [Cell], chunk: &Chunk, holds: Holds) -> Result<(), IoError> {
    let made = |text: String| Cell::Made(text);
    match (chunk, holds) {
        (Chunk::Bytes(values), Holds::Text) => values.try_for_each(|row, value| {
            cells[row] = value.map_or(Cell::Missing, |value| Cell::Text(value.clone()));
            Ok(())
        }),
        (Chunk::Int64(values), Holds::Time { unit, zone }) => values.try_for_each(|row, value| {
            cells[row] = value.map_or(Cell::Missing, |&value| {
                made(unit.time(value).map_or_else(|| value.to_string(), |time| text_of(time, zone)))
            });
            Ok(())
        }),
        (Chunk::Int32(values), Holds::Date) => values.try_for_each(|row, value| {
            cells[row] = value.map_or(Cell::Missing, |&days| {
                let time = EpochUnit::Milliseconds.time(i64::from(days) * 86_400_000);
                made(time.map_or_else(|| days.to_string(), |time| text_of(time, Zone::Unstated)))
            });
            Ok(())
        }),
        (Chunk::Int96(values), _) => values.try_for_each(|row, value| {
            let time = |value: &Int96| made(time_of(value).map_or_else(String::new, |time| time.to_string()));
            cells[row] = value.map_or(Cell::Missing, time);
            Ok(())
        }),
        // Of a float no whole number is kept beyond its digits.
        (Chunk::Int64(values), Holds::Number) => values.try_for_each(|row, value| {
            cells[row] = value.map_or(Cell::Missing, |value| made(value.to_string()));
            Ok(())
        }),
        (Chunk::Int64(values), Holds::Unsigned) => values.try_for_each(|row, value| {
            cells[row] = value.map_or(Cell::Missing, |value| made(value.cast_unsigned().to_string()));
            Ok(())
        }),
        _ => chunk.numbers(holds, |row, number| {
            cells[row] = made(match number {
                Number::Single(value) => value.to_string(),
                Number::Double(value) => value.to_string(),
            });
            Ok(())
        }),
    }
}

/// RFC 3339, without a zone where the file does not state it.
fn text_of(time: Timestamp, zone: Zone) -> String {
    let text = time.to_string();
    match zone {
        Zone::Utc => text,
        Zone::Unstated => text.trim_end_matches('Z').to_owned(),
    }
}

//! Frames from columns in memory: what other programs hold as Arrow, NumPy or a database's buffers.

use crate::{
    Format, IoError, ReadOptions, Recording, Shape,
    assemble::{Assembler, Keep},
    columns::{
        Columns, Header, Role, SERVICE, Sketch,
        cells::{CellReader, Fault, RowValues},
        slots::Slots,
        time_form::{Moment, TimeReader, time_reader},
    },
    csv::{Input, Parts, time_name},
    error::{Origin, clip},
};
use forewarn_schema::Timestamp;
use std::mem;

/// A column of a table in memory, of whatever library: it is asked cell by cell and never copied.
pub trait Column {
    /// Its name.
    fn name(&self) -> &str;

    /// What its cells hold, whichever row is asked.
    fn kind(&self) -> ColumnKind;

    /// The cell of a row, from 0; rows are those of the table.
    fn cell(&self, row: usize) -> Cell<'_>;
}

/// What the cells of a [`Column`] hold. It decides, with the name, what the column is for; no value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Whole numbers.
    Whole,
    /// Numbers with fractions.
    Fraction,
    /// True or false.
    Flag,
    /// Text, which may be times or names of services.
    Text,
    /// Times in UTC.
    Time,
    /// Times on a clock whose zone is not stated.
    LocalTime,
    /// Anything else. Such a column is left out.
    Other,
}

/// One cell of a [`Column`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// Nothing.
    Missing,
    /// A number in single precision.
    Single(f32),
    /// A number in double precision.
    Double(f64),
    /// A whole number.
    Whole(i64),
    /// Text.
    Text(&'a str),
    /// Milliseconds since 1970.
    Millis(i64),
}

/// Reads a recording from columns that are in memory; `name` stands for them in errors.
///
/// Columns are named and judged as in Parquet files (see [`csv::read_from`](crate::csv::read_from)): the same rows
/// give the same frames, bit for bit.
///
/// # Errors
/// [`IoError`], with row (from 1) and column.
///
/// # Examples
/// ```
/// use forewarn_io::{Cell, Column, ColumnKind, ReadOptions, from_columns};
///
/// struct Numbers(&'static str, ColumnKind, Vec<f64>);
/// impl Column for Numbers {
///     fn name(&self) -> &str {
///         self.0
///     }
///     fn kind(&self) -> ColumnKind {
///         self.1
///     }
///     fn cell(&self, row: usize) -> Cell<'_> {
///         match self.1 {
///             ColumnKind::Whole => Cell::Whole(self.2[row] as i64),
///             _ => Cell::Double(self.2[row]),
///         }
///     }
/// }
/// let time = Numbers("timestamp", ColumnKind::Whole, vec![1_704_067_200.0, 1_704_067_260.0]);
/// let errors = Numbers("error_rate", ColumnKind::Fraction, vec![0.01, 0.02]);
/// let recording = from_columns(&[&time, &errors], 2, "two rows", &ReadOptions::default())?;
/// assert_eq!(recording.frames.values(), [0.01, 0.02]);
/// # Ok::<(), forewarn_io::IoError>(())
/// ```
pub fn from_columns(
    columns: &[&dyn Column],
    rows: usize,
    name: &str,
    options: &ReadOptions,
) -> Result<Recording, IoError> {
    let mut assembler = Assembler::new(options, Keep::Values)?;
    let origin = Origin::new(name, Format::Memory);
    assembler.begin(&origin);
    let mut table = TableRows::new(columns, &origin, options, &mut assembler)?;
    for row in 0..rows {
        table.push(row, &mut assembler)?;
    }
    table.notes().into_iter().for_each(|note| assembler.note(note));
    assembler.finish()
}

/// The rows of a table, one after another.
struct TableRows<'a> {
    cells: &'a [&'a dyn Column],
    origin: &'a Origin,
    options: &'a ReadOptions,
    columns: Columns,
    parts: Parts,
    times: TimeReader,
    reader: CellReader,
    row: RowValues,
}

impl<'a> TableRows<'a> {
    fn new(
        cells: &'a [&'a dyn Column],
        origin: &'a Origin,
        options: &'a ReadOptions,
        assembler: &mut Assembler,
    ) -> Result<Self, IoError> {
        let names: Vec<String> = cells.iter().map(|column| column.name().to_owned()).collect();
        let sketches: Vec<Sketch> = cells.iter().map(|column| sketch(*column)).collect();
        let header = Header { origin, names, sketches: &sketches, annotated: false };
        let mut columns = Columns::new(header, options, &mut assembler.slots)?;
        mem::take(&mut columns.notes).into_iter().for_each(|note| assembler.note(note));
        expect_suitable(cells, origin, &columns)?;
        let input = Input { origin, options, service: SERVICE, folders: &[] };
        Ok(Self {
            parts: Parts::new(&columns, &input, cells.len()),
            times: time_reader(options)?,
            reader: CellReader::new(options),
            row: RowValues::default(),
            cells,
            origin,
            options,
            columns,
        })
    }

    fn push(&mut self, index: usize, assembler: &mut Assembler) -> Result<(), IoError> {
        let number = index as u64 + 1;
        self.row.clear(&assembler.slots);
        let mut moment = None;
        for column in 0..self.cells.len() {
            let cell = self.cells[column].cell(index);
            match self.columns.roles[column] {
                Role::Metric(slot) => self.put(column, slot, cell, number, &assembler.slots)?,
                Role::Service(part) => match cell {
                    Cell::Text(text) => self.parts.set_service(part, text),
                    Cell::Whole(number) => self.parts.set_service(part, &number.to_string()),
                    _ => return Err(IoError::MissingService { place: self.origin.at(number) }),
                },
                Role::Time(part) if self.columns.time_parts > 1 => {
                    self.parts.set_time(part, text_of(cell).as_deref().unwrap_or_default());
                }
                Role::Time(_) => moment = self.time(column, cell),
                Role::MetricName | Role::Value | Role::WideService | Role::Ignored => {}
            }
        }
        if self.columns.time_parts > 1 {
            moment = self.times.text(self.parts.time());
        }
        let moment = moment.ok_or_else(|| self.no_time(index))?;
        match self.columns.shape {
            Shape::Long => self.push_long(index, moment, assembler),
            Shape::Wide => self.push_wide(index, moment, assembler),
            _ => assembler.push(number, self.parts.service(), moment, &self.row),
        }
    }

    fn push_long(&mut self, index: usize, moment: Moment, assembler: &mut Assembler) -> Result<(), IoError> {
        let number = index as u64 + 1;
        let at = |wanted| self.columns.roles.iter().position(|role| *role == wanted);
        let (Some(name), Some(value)) = (at(Role::MetricName), at(Role::Value)) else { return Ok(()) };
        let name = match self.cells[name].cell(index) {
            Cell::Text(name) => name,
            _ => "",
        };
        let Some(name) = assembler.slots.taken(name, self.options) else { return Ok(()) };
        let slot = assembler.metric(number, name)?;
        self.row.clear(&assembler.slots);
        self.put(value, slot, self.cells[value].cell(index), number, &assembler.slots)?;
        assembler.push_cell(number, self.parts.service(), moment, slot, &self.row)
    }

    fn push_wide(&mut self, index: usize, moment: Moment, assembler: &mut Assembler) -> Result<(), IoError> {
        let number = index as u64 + 1;
        for column in 0..self.cells.len() {
            if self.columns.roles[column] == Role::WideService {
                let slot = self.columns.wide_slots[column];
                self.row.clear(&assembler.slots);
                self.put(column, slot, self.cells[column].cell(index), number, &assembler.slots)?;
                let service = &self.columns.names[column];
                if self.columns.is_series {
                    assembler.push_cell(number, service, moment, slot, &self.row)?;
                } else {
                    assembler.push(number, service, moment, &self.row)?;
                }
            }
        }
        Ok(())
    }

    /// Takes a cell as the value of the metric in `slot`.
    fn put(
        &mut self,
        column: usize,
        slot: usize,
        cell: Cell<'_>,
        number: u64,
        slots: &Slots,
    ) -> Result<(), IoError> {
        let (reader, row) = (&self.reader, &mut self.row);
        let taken = match cell {
            Cell::Missing => Ok(()),
            Cell::Single(value) => reader.number_f32(slots, slot, value, row),
            // A value that is stored as it is is rounded once.
            Cell::Double(value) if slots.slots[slot].is_plain() && (value as f32).is_finite() => {
                reader.number_f32(slots, slot, value as f32, row)
            }
            Cell::Double(value) => reader.number(slots, slot, value, row),
            Cell::Whole(value) => reader.number(slots, slot, value as f64, row),
            Cell::Text(text) => reader.text(slots, slot, text, row),
            Cell::Millis(_) => Err(Fault::Text),
        };
        taken.map_err(|fault| {
            let text = text_of(cell).unwrap_or_default();
            fault.at(self.origin.at(number), &self.columns.names[column], &text, &slots.slots[slot])
        })
    }

    fn time(&mut self, column: usize, cell: Cell<'_>) -> Option<Moment> {
        match cell {
            Cell::Millis(millis) if self.cells[column].kind() == ColumnKind::LocalTime => {
                self.times.local(millis)
            }
            Cell::Millis(millis) => Timestamp::from_millis(millis).map(Moment::from),
            Cell::Whole(number) => self.times.integer(number),
            Cell::Single(number) => self.times.float(f64::from(number)),
            Cell::Double(number) => self.times.float(number),
            Cell::Text(text) => self.times.text(text),
            Cell::Missing => None,
        }
    }

    #[cold]
    fn no_time(&self, index: usize) -> IoError {
        let is_time = |role: &Role| matches!(role, Role::Time(_));
        let columns = self.columns.roles.iter().enumerate().filter(|(_, role)| is_time(role));
        let texts = columns.filter_map(|(column, _)| text_of(self.cells[column].cell(index)));
        let text = texts.collect::<Vec<_>>().join(" ");
        IoError::InvalidTime {
            place: self.origin.at(index as u64 + 1),
            column: time_name(&self.columns),
            expected: self.times.expected(&text),
            text: clip(&text),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.times.note().into_iter().collect();
        let mut roles = self.columns.roles.iter().zip(self.cells);
        if roles.any(|(role, column)| matches!(role, Role::Time(_)) && column.kind() == ColumnKind::LocalTime)
        {
            notes.push(self.times.zone_note());
        }
        notes
    }
}

fn text_of(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Missing => None,
        Cell::Single(value) => Some(value.to_string()),
        Cell::Double(value) => Some(value.to_string()),
        Cell::Whole(value) | Cell::Millis(value) => Some(value.to_string()),
        Cell::Text(text) => Some(text.to_owned()),
    }
}

/// What is known of a column before its cells are.
fn sketch(column: &dyn Column) -> Sketch {
    match column.kind() {
        ColumnKind::Whole => Sketch::of_number(true),
        ColumnKind::Fraction | ColumnKind::Flag => Sketch::of_number(false),
        ColumnKind::Text => Sketch::of_text(column.name()),
        ColumnKind::Time | ColumnKind::LocalTime => Sketch::of_time(),
        ColumnKind::Other => Sketch::of_other(),
    }
}

/// Refuses columns that cannot be what they are to be.
fn expect_suitable(cells: &[&dyn Column], origin: &Origin, columns: &Columns) -> Result<(), IoError> {
    for (column, role) in cells.iter().zip(&columns.roles) {
        let kind = column.kind();
        let is_number = matches!(kind, ColumnKind::Whole | ColumnKind::Fraction | ColumnKind::Flag);
        let (fits, expected) = match role {
            Role::Ignored => continue,
            Role::Time(_) => (
                !matches!(kind, ColumnKind::Flag | ColumnKind::Other),
                "a timestamp, a date, a number or text",
            ),
            Role::Service(_) => {
                (matches!(kind, ColumnKind::Text | ColumnKind::Whole), "text or a whole number")
            }
            Role::MetricName => (kind == ColumnKind::Text, "text"),
            Role::Metric(_) | Role::Value | Role::WideService => {
                (is_number || kind == ColumnKind::Text, "a number")
            }
        };
        if !fits {
            let (file, column, got) = (origin.file(), column.name().to_owned(), in_words(kind).to_owned());
            return Err(IoError::ColumnType { file, column, got, expected });
        }
    }
    Ok(())
}

fn in_words(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Whole => "whole numbers",
        ColumnKind::Fraction => "numbers",
        ColumnKind::Flag => "true or false",
        ColumnKind::Text => "text",
        ColumnKind::Time | ColumnKind::LocalTime => "times",
        ColumnKind::Other => "values of another kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IoError, csv};

    /// A column of made cells.
    struct Made(&'static str, ColumnKind, Vec<Cell<'static>>);

    impl Column for Made {
        fn name(&self) -> &str {
            self.0
        }

        fn kind(&self) -> ColumnKind {
            self.1
        }

        fn cell(&self, row: usize) -> Cell<'_> {
            self.2[row]
        }
    }

    const START: i64 = 1_704_067_200_000;

    fn read(columns: &[Made], options: &ReadOptions) -> Result<Recording, IoError> {
        let all: Vec<&dyn Column> = columns.iter().map(|column| column as &dyn Column).collect();
        from_columns(&all, columns[0].2.len(), "the table", options)
    }

    fn times(minutes: &[i64]) -> Made {
        let cells = minutes.iter().map(|minute| Cell::Millis(START + minute * 60_000)).collect();
        Made("timestamp", ColumnKind::Time, cells)
    }

    #[test]
    fn the_frames_are_those_of_the_same_text() {
        let text = "timestamp,service,error_rate,queue\n2024-01-01T00:00:00Z,b,0.1,3\n\
                    2024-01-01T00:00:00Z,a,0.01,1\n2024-01-01T00:02:00Z,a,,2\n2024-01-01T00:03:00Z,a,0.5,2\n";
        let expected = csv::read_from(text.as_bytes(), "text", &ReadOptions::default()).unwrap();
        let found = read(
            &[
                times(&[0, 0, 2, 3]),
                Made("service", ColumnKind::Text, ["b", "a", "a", "a"].map(Cell::Text).into()),
                Made(
                    "error_rate",
                    ColumnKind::Fraction,
                    vec![Cell::Double(0.1), Cell::Single(0.01), Cell::Missing, Cell::Double(0.5)],
                ),
                Made("queue", ColumnKind::Whole, [3, 1, 2, 2].map(Cell::Whole).into()),
            ],
            &ReadOptions::default(),
        )
        .unwrap();
        let bits = |recording: &Recording| -> Vec<u32> {
            recording.frames.values().iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(found.frames.layout(), expected.frames.layout());
        assert_eq!(found.frames.schema(), expected.frames.schema());
        assert_eq!(bits(&found), bits(&expected));
        assert_eq!((found.summary.missing_cells, found.summary.gap_rows), (1, 1));
    }

    #[test]
    fn long_and_wide_tables_are_understood() {
        let long = [
            times(&[0, 0, 1, 1]),
            Made("metric", ColumnKind::Text, ["a", "b", "a", "b"].map(Cell::Text).into()),
            Made("value", ColumnKind::Fraction, [1.0, 2.0, 3.0, 4.0].map(Cell::Double).into()),
        ];
        let options = ReadOptions::default().with_shape(Shape::Long);
        assert_eq!(read(&long, &options).unwrap().frames.values(), [1.0, 2.0, 3.0, 4.0]);
        let wide = [times(&[0, 1]), Made("shop", ColumnKind::Fraction, [1.0, 2.0].map(Cell::Double).into())];
        let mut options = ReadOptions::default().with_shape(Shape::Wide);
        options.metric = Some("load".to_owned());
        let found = read(&wide, &options).unwrap().frames;
        assert_eq!((found.layout().services()[0].name(), found.values()), ("shop", &[1.0, 2.0][..]));
    }

    #[test]
    fn what_is_wrong_is_told_by_row_and_column() {
        let rate = |cells: Vec<Cell<'static>>| Made("error_rate", ColumnKind::Fraction, cells);
        let told = |columns: &[Made]| read(columns, &ReadOptions::default()).unwrap_err().to_string();
        let beyond = told(&[times(&[0, 1]), rate(vec![Cell::Double(0.1), Cell::Double(7.0)])]);
        assert!(beyond.starts_with("the table, row 2") && beyond.contains("error_rate"), "{beyond}");
        let mut late = times(&[0, 1]);
        late.2[1] = Cell::Missing;
        let missing = told(&[late, rate(vec![Cell::Double(0.1); 2])]);
        assert!(missing.contains("row 2") && missing.contains("timestamp"), "{missing}");
        let flags = Made("timestamp", ColumnKind::Flag, vec![Cell::Whole(1)]);
        assert!(told(&[flags, rate(vec![Cell::Double(0.1)])]).contains("timestamp"));
    }
}

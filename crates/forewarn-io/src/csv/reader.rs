use super::{
    cell,
    guard::{Guard, ROW_LIMIT_BYTES},
};
use crate::{
    Format, IoError, ReadOptions, Recording,
    assemble::Assembler,
    columns::{Columns, Role, SERVICE},
    error::Origin,
    sniff::{Content, sniff, take_prefix},
    time_form::TimeReader,
};
use ::csv::{ByteRecord, ReaderBuilder, Terminator};
use forewarn_schema::{Kind, Timestamp};
use std::io::Read;

/// Reads a recording from comma-separated text; `name` stands for it in errors.
///
/// - The first line names the columns. `timestamp` is required, `service` is not: without it, all rows are of one service
///   called `service`. Every other column is a metric; one that has a name of [`Schema::v1`](forewarn_schema::Schema::v1)
///   has its unit and range, any other is a gauge of finite numbers.
/// - A time is RFC 3339 with a zone, or an integer since 1970: seconds below 1e11, milliseconds below 1e14,
///   microseconds below 1e17, else nanoseconds. The first row decides for the file, and a note says what it decided. Times
///   are kept to the millisecond.
/// - The rows of a service are in order of time, each a whole number of steps after the one before. Rows that are not there
///   become rows of NaN and are counted. Services may take turns in any way.
/// - A missing value is an empty cell, `NaN`, `null`, `NA`, `N/A` or `None`. An outcome may also be `true` or `false`.
/// - A byte order mark, CRLF, quoted fields, blanks around names and numbers, and blank lines are fine.
///
/// Reads once, in pieces; memory is that of the frames (and once more for a moment when there are several services).
///
/// # Errors
/// [`IoError`], with line and column. At most ten years, and ten times the rows that there are plus 256 MiB, are filled
/// in for missing ones.
///
/// # Examples
/// ```
/// use forewarn_io::{ReadOptions, csv};
///
/// let text = "timestamp,service,error_rate\n2024-01-01T00:00:00Z,web,0.01\n2024-01-01T00:02:00Z,web,0.02\n";
/// let recording = csv::read_from(text.as_bytes(), "inline", &ReadOptions::default())?;
/// assert_eq!(recording.summary.gap_rows, 1);
/// assert_eq!(recording.frames.values()[2], 0.02);
/// # Ok::<(), forewarn_io::IoError>(())
/// ```
pub fn read_from(mut from: impl Read, name: &str, options: &ReadOptions) -> Result<Recording, IoError> {
    let origin = Origin::new(name, Format::Csv);
    let prefix = take_prefix(&mut from).map_err(|source| IoError::Read { file: origin.file(), source })?;
    match sniff(&prefix) {
        Content::Empty => return Err(IoError::Empty { file: origin.file() }),
        Content::Text => {}
        content => {
            return Err(IoError::NotCsv { file: origin.file(), looks_like: content.looks_like() });
        }
    }
    let mut rows = Rows::new(prefix.as_slice().chain(from), &origin);
    if !rows.advance()? {
        return Err(IoError::Empty { file: origin.file() });
    }
    let columns = Columns::new(&origin, header(&rows)?, options)?;
    let mut assembler = Assembler::new(&origin, columns.schema.clone(), options.step);
    let mut times = TimeReader::default();
    let mut sample = vec![f32::NAN; columns.schema.len()];
    while rows.advance()? {
        rows.expect_fields(columns.names.len())?;
        let (time, service) = parse(&rows, &columns, &mut times, &mut sample)?;
        assembler.push(rows.line, service, time, &sample)?;
    }
    let mut notes: Vec<String> = times.note().into_iter().collect();
    if rows.unended {
        notes.push("the last line has no line break: the file may have been cut".to_owned());
    }
    assembler.finish(notes)
}

/// The names of the columns, without blanks around them.
pub(super) fn header<R: Read>(rows: &Rows<'_, R>) -> Result<Vec<String>, IoError> {
    let name = |(index, field)| match str::from_utf8(field) {
        Ok(name) => Ok(name.trim().to_owned()),
        Err(_) => Err(IoError::InvalidUtf8 {
            place: rows.origin.at(rows.line),
            column: format!("column {}", index + 1),
        }),
    };
    rows.record.iter().enumerate().map(name).collect()
}

/// Reads one row into `sample`; returns its time and service.
fn parse<'a, R: Read>(
    rows: &'a Rows<'_, R>,
    columns: &Columns,
    times: &mut TimeReader,
    sample: &mut [f32],
) -> Result<(Timestamp, &'a str), IoError> {
    let place = || rows.origin.at(rows.line);
    let (mut time, mut service) = (None, SERVICE);
    for ((field, &role), column) in rows.record.iter().zip(&columns.roles).zip(&columns.names) {
        let text = str::from_utf8(field)
            .map_err(|_| IoError::InvalidUtf8 { place: place(), column: column.clone() })?;
        match role {
            Role::Service => service = text.trim(),
            Role::Time => {
                time = Some(times.text(text).ok_or_else(|| IoError::InvalidTime {
                    place: place(),
                    text: text.trim().to_owned(),
                    expected: times.expected(),
                })?);
            }
            Role::Metric(slot) => {
                let number = match columns.schema.metrics()[slot].kind {
                    Kind::Outcome => cell::outcome(text),
                    _ => cell::number(text),
                };
                let value = number.ok_or_else(|| IoError::NotANumber {
                    place: place(),
                    column: column.clone(),
                    text: text.trim().to_owned(),
                })?;
                if !value.is_nan() {
                    columns.check(slot, value, place, || text.trim().to_owned())?;
                }
                sample[slot] = value;
            }
        }
    }
    Ok((time.expect("columns without a timestamp are refused"), service))
}

/// The rows of the text, blank ones left out, each with its line number.
pub(super) struct Rows<'a, R> {
    pub(super) origin: &'a Origin,
    reader: ::csv::Reader<Guard<R>>,
    pub(super) record: ByteRecord,
    /// Line on which the current row begins, from 1.
    pub(super) line: u64,
    /// Whether the current row ends with the file and not with a line break.
    unended: bool,
}

impl<'a, R: Read> Rows<'a, R> {
    pub(super) fn new(from: R, origin: &'a Origin) -> Self {
        // Only the line feed ends a row: the parser then counts lines as an editor does. A carriage return before it
        // is a blank at the end of the last field.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 17)
            .from_reader(Guard::new(from));
        Self { origin, reader, record: ByteRecord::new(), line: 0, unended: false }
    }

    /// Goes to the next row; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool, IoError> {
        loop {
            self.reader.get_mut().end_row();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => return Err(self.refuse(error)),
            }
            let end = self.reader.position();
            self.unended = self.reader.get_ref().ended_without_break(end.byte());
            let breaks = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.line = end.line() - u64::from(!self.unended) - breaks;
            let is_blank = self.record.len() == 1 && self.record[0].trim_ascii().is_empty();
            if !is_blank {
                return Ok(true);
            }
        }
    }

    pub(super) fn expect_fields(&self, expected: usize) -> Result<(), IoError> {
        let (place, got) = (|| self.origin.at(self.line), self.record.len());
        if got == expected {
            Ok(())
        } else if got < expected && self.unended {
            Err(IoError::CutRow { place: place(), expected, got })
        } else {
            Err(IoError::FieldCount { place: place(), expected, got })
        }
    }

    fn refuse(&self, error: ::csv::Error) -> IoError {
        if self.reader.get_ref().overrun() {
            let line = self.record.position().map_or(self.line, ::csv::Position::line);
            return IoError::LongRow { place: self.origin.at(line), limit_bytes: ROW_LIMIT_BYTES };
        }
        IoError::Read { file: self.origin.file(), source: error.into() }
    }
}

use super::{
    First, expect_rows, fields, named,
    records::Records,
    scalar::{Record, Scalar},
    series,
};
use crate::{IoError, error::Origin, read::cell_rows::FormatRows};
use std::{
    collections::BTreeMap,
    io::{Chain, Cursor, Read},
};

/// The records of a JSON text as rows of text.
pub(crate) struct JsonCells<R> {
    records: Records<Chain<Cursor<Vec<u8>>, R>>,
    origin: Origin,
    header: Vec<String>,
    /// The place of each field, beyond all cells for those that came late.
    positions: BTreeMap<String, usize>,
    /// The fields of the current record; nothing where one holds an array or an object.
    cells: Vec<Option<String>>,
    line: u64,
    late: Vec<String>,
    buffer: Vec<u8>,
}

impl<R: Read> JsonCells<R> {
    /// The records of the text whose first bytes are `prefix`.
    pub(crate) fn open(prefix: &[u8], from: R, origin: &Origin) -> Result<Self, IoError> {
        let First { records, names, sketches, seen, line } = First::of(prefix, from, origin)?;
        if series::is_series(fields(&names, &sketches)) || named::is_named(&fields(&names, &sketches)) {
            let expected =
                "a record a row, not a series a record: series are read as metrics only".to_owned();
            return Err(IoError::Shape { file: origin.file(), expected, columns: names });
        }
        expect_rows(&names, &sketches, seen, || origin.at(line))?;
        Ok(Self {
            records,
            origin: origin.clone(),
            positions: names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect(),
            cells: vec![None; names.len()],
            header: names,
            line,
            late: Vec::new(),
            buffer: Vec::new(),
        })
    }
}

impl<R: Read> FormatRows for JsonCells<R> {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn advance(&mut self) -> Result<bool, IoError> {
        let Some(text) = self.records.advance_text()? else { return Ok(false) };
        let line = text.line;
        let record = Record::parse(text, &mut self.buffer)
            .map_err(|source| IoError::NotJson { place: self.origin.at(line), source: source.into() })?;
        self.line = line;
        self.cells.fill(Some(String::new()));
        for (key, scalar) in record.fields {
            match self.positions.get(&*key).map(|&index| self.cells.get_mut(index)) {
                Some(Some(cell)) => match scalar {
                    Scalar::Nested => *cell = None,
                    scalar => *cell = Some(scalar.to_text().trim().to_owned()),
                },
                // It is known to come late.
                Some(None) => {}
                None if scalar == Scalar::Null => {}
                None if self.late.len() == LATE_FIELDS => {
                    return Err(IoError::NotJson {
                        place: self.origin.at(line),
                        source: format!("more than {LATE_FIELDS} fields that the first records do not have")
                            .into(),
                    });
                }
                None => {
                    self.positions.insert(key.clone().into_owned(), usize::MAX);
                    self.late.push(key.into_owned());
                }
            }
        }
        Ok(true)
    }

    fn text(&self, column: usize) -> Result<&str, IoError> {
        match self.cells.get(column) {
            None => Ok(""),
            Some(Some(text)) => Ok(text),
            Some(None) => Err(IoError::Nested {
                place: self.origin.at(self.line),
                column: self.header.get(column).cloned().unwrap_or_default(),
            }),
        }
    }

    fn line(&self) -> u64 {
        self.line
    }

    fn late_columns(&self) -> &[String] {
        &self.late
    }
}

/// Most fields that only later records have.
const LATE_FIELDS: usize = 1_000;

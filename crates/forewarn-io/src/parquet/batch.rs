use super::{
    chunk::{Chunk, Number, time_of},
    file_columns::{FileColumns, Wanted},
    layout::{Holds, Zone},
};
use crate::{
    CellChange, IoError,
    columns::{
        Role,
        cells::{CellReader, RowValues},
        slots::{Counter, Slots},
        time_form::{EpochUnit, Moment, TimeReader},
    },
    csv::time_name,
    error::clip,
};
use ::parquet::data_type::ByteArray;
use forewarn_schema::Timestamp;

/// Longest name of a service or a metric, in bytes.
const NAME_BYTES: usize = 1 << 16;

/// Some rows of the wanted columns, turned from columns into rows.
#[derive(Default)]
pub(super) struct Batch {
    /// Rows of the file before this batch.
    pub(super) first: u64,
    pub(super) times: Vec<Moment>,
    /// Each part of the services' names, by row.
    pub(super) services: Vec<Vec<Name>>,
    /// Names of the metrics of a long file.
    pub(super) metrics: Vec<ByteArray>,
    /// `[row, slot]`; empty where only places are wanted.
    pub(super) values: Vec<f32>,
    /// `[row, counter]`
    pub(super) raws: Vec<f64>,
    /// Values of a long file, or `[row, service]` of a wide one, NaN where missing.
    pub(super) others: Vec<f64>,
    /// What became of cells, in order of their rows.
    pub(super) changes: Vec<(usize, usize, CellChange)>,
    scratch: RowValues,
}

/// A part of a service's name.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Text(ByteArray),
    Number(i64),
}

impl Batch {
    /// Decodes the next `rows` rows.
    pub(super) fn fill(
        &mut self,
        file: &FileColumns,
        times: &mut TimeReader,
        chunks: &mut [(usize, Chunk)],
        (rows, wanted): (usize, Wanted),
        (slots, cells): (&Slots, &CellReader),
    ) -> Result<(), IoError> {
        self.first += self.times.len() as u64;
        self.times.clear();
        self.services.resize_with(file.columns.service_parts, Vec::new);
        self.services.iter_mut().for_each(Vec::clear);
        self.metrics.clear();
        self.changes.clear();
        let width = match wanted {
            Wanted::Everything => slots.len(),
            Wanted::Places => 0,
        };
        let counters = slots.counters.len();
        let others = file.others.len();
        self.values.clear();
        self.values.resize(rows * width, f32::NAN);
        self.raws.clear();
        self.raws.resize(rows * counters, f64::NAN);
        self.others.clear();
        self.others.resize(rows * others, f64::NAN);
        self.scratch.clear(slots);
        for (index, chunk) in chunks {
            let index = *index;
            chunk.advance(rows).map_err(|source| file.damaged_column(index, source))?;
            match file.columns.roles[index] {
                Role::Time(_) => self.fill_times(file, times, chunk, file.holds[index])?,
                Role::Service(part) => self.fill_services(file, chunk, index, part)?,
                Role::MetricName => {
                    let Chunk::Bytes(values) = chunk else { continue };
                    values.try_for_each(|row, value| {
                        self.metrics.push(value.cloned().unwrap_or_default());
                        value.map_or(Ok(()), |value| {
                            file.expect_name(index, value, self.first + row as u64 + 1)
                        })
                    })?;
                }
                Role::Value | Role::WideService => {
                    let place = file.others.iter().position(|other| *other == index).unwrap_or(0);
                    let to = &mut self.others;
                    chunk.numbers(file.holds[index], |row, number| {
                        to[row * others + place] = match number {
                            Number::Single(value) => value.into(),
                            Number::Double(value) => value,
                        };
                        Ok(())
                    })?;
                }
                Role::Metric(slot) => {
                    self.fill_metric(file, chunk, index, slot, (slots, cells), (width, counters))?;
                }
                Role::Ignored => {}
            }
        }
        self.changes.sort_by_key(|(row, ..)| *row);
        Ok(())
    }

    fn fill_metric(
        &mut self,
        file: &FileColumns,
        chunk: &Chunk,
        index: usize,
        slot: usize,
        (slots, cells): (&Slots, &CellReader),
        (width, counters): (usize, usize),
    ) -> Result<(), IoError> {
        let first = self.first;
        let place = &slots.slots[slot];
        let is_counter = place.counter != Counter::No;
        let is_plain = place.factor == 1.0 && !is_counter && !place.is_outcome();
        let Self { values, raws, changes, scratch, .. } = self;
        let mut take = |row: usize, scratch: &mut RowValues| {
            if is_counter {
                raws[row * counters + place.counter_at] = scratch.raws[place.counter_at];
                scratch.raws[place.counter_at] = f64::NAN;
            } else if width > 0 {
                values[row * width + slot] = scratch.sample[slot];
            }
            scratch.sample[slot] = f32::NAN;
            changes.extend(scratch.changes.drain(..).map(|(slot, change)| (row, slot, change)));
        };
        let refuse = |row: usize, fault: crate::columns::cells::Fault, text: &str| {
            let at = file.origin.at(first + row as u64 + 1);
            fault.at(at, &file.columns.names[index], text, place)
        };
        if let (Chunk::Bytes(texts), Holds::Text) = (chunk, file.holds[index]) {
            return texts.try_for_each(|row, value| {
                let Some(value) = value else { return Ok(()) };
                let text = file.utf8(index, value, first + row as u64 + 1)?;
                cells.text(slots, slot, text, scratch).map_err(|fault| refuse(row, fault, text))?;
                take(row, scratch);
                Ok(())
            });
        }
        chunk.numbers(file.holds[index], |row, number| {
            let read = match number {
                Number::Single(value) => cells.number_f32(slots, slot, value, scratch),
                // A whole number of any size is rounded once.
                Number::Double(value) if is_plain && (value as f32).is_finite() => {
                    cells.number_f32(slots, slot, value as f32, scratch)
                }
                Number::Double(value) => cells.number(slots, slot, value, scratch),
            };
            read.map_err(|fault| match number {
                Number::Single(value) => refuse(row, fault, &value.to_string()),
                Number::Double(value) => refuse(row, fault, &value.to_string()),
            })?;
            take(row, scratch);
            Ok(())
        })
    }

    fn fill_times(
        &mut self,
        file: &FileColumns,
        reader: &mut TimeReader,
        chunk: &Chunk,
        holds: Holds,
    ) -> Result<(), IoError> {
        let before = self.first;
        let times = &mut self.times;
        let refuse = |row: usize, text: String, expected| IoError::InvalidTime {
            place: file.origin.at(before + row as u64 + 1),
            column: time_name(&file.columns),
            text: clip(&text),
            expected,
        };
        let mut put = |row: usize, moment: Option<Moment>, text: &dyn Fn() -> String, reader: &TimeReader| {
            times.push(moment.ok_or_else(|| {
                let text = text();
                let expected = reader.expected(&text);
                refuse(row, text, expected)
            })?);
            Ok(())
        };
        match chunk {
            Chunk::Int64(values) if matches!(holds, Holds::Time { .. } | Holds::Number | Holds::Unsigned) => {
                values.try_for_each(|row, value| {
                    let moment = value.and_then(|&value| match holds {
                        Holds::Time { unit, zone } => stored(reader, unit.time(value), zone),
                        _ => reader.integer(value),
                    });
                    put(row, moment, &|| value.map(i64::to_string).unwrap_or_default(), reader)
                })
            }
            Chunk::Int32(values) if holds == Holds::Date => values.try_for_each(|row, value| {
                let time = value.and_then(|&days| EpochUnit::Milliseconds.time(i64::from(days) * 86_400_000));
                let moment = stored(reader, time, Zone::Unstated);
                put(row, moment, &|| value.map(i32::to_string).unwrap_or_default(), reader)
            }),
            Chunk::Int96(values) => values.try_for_each(|row, value| {
                let time = value.and_then(time_of);
                put(row, time.map(Moment::from), &|| format!("{:?}", value.map(|value| value.data())), reader)
            }),
            Chunk::Bytes(values) if holds == Holds::Text => values.try_for_each(|row, value| {
                let number = before + row as u64 + 1;
                let text = value
                    .map_or(Ok(""), |value| file.utf8_text(value, number, || time_name(&file.columns)))?;
                let moment = reader.text(text);
                put(row, moment, &|| text.to_owned(), reader)
            }),
            _ => {
                let mut next = 0;
                chunk.numbers(holds, |row, number| {
                    let value = match number {
                        Number::Single(value) => f64::from(value),
                        Number::Double(value) => value,
                    };
                    // Numbers that are not there are times that are not there.
                    let moment = if row == next { reader.float(value) } else { None };
                    put(
                        next,
                        moment,
                        &|| if row == next { value.to_string() } else { String::new() },
                        reader,
                    )?;
                    next += 1;
                    Ok(())
                })?;
                Ok(())
            }
        }
    }

    fn fill_services(
        &mut self,
        file: &FileColumns,
        chunk: &Chunk,
        index: usize,
        part: usize,
    ) -> Result<(), IoError> {
        let before = self.first;
        let names = &mut self.services[part];
        let missing = |row: usize| IoError::MissingService { place: file.origin.at(before + row as u64 + 1) };
        let is_unsigned = file.holds[index] == Holds::Unsigned;
        match chunk {
            Chunk::Bytes(values) => values.try_for_each(|row, value| {
                let value = value.ok_or_else(|| missing(row))?;
                file.expect_name(index, value, before + row as u64 + 1)?;
                names.push(Name::Text(value.clone()));
                Ok(())
            }),
            Chunk::Int32(values) => values.try_for_each(|row, value| {
                let value = *value.ok_or_else(|| missing(row))?;
                names.push(Name::Number(if is_unsigned {
                    value.cast_unsigned().into()
                } else {
                    value.into()
                }));
                Ok(())
            }),
            Chunk::Int64(values) => values.try_for_each(|row, value| {
                names.push(Name::Number(*value.ok_or_else(|| missing(row))?));
                Ok(())
            }),
            _ => Ok(()),
        }
    }
}

/// A time that the file stores, on a clock of its zone where it names none.
fn stored(reader: &TimeReader, time: Option<Timestamp>, zone: Zone) -> Option<Moment> {
    match zone {
        Zone::Utc => time.map(Moment::from),
        Zone::Unstated => reader.local(time?.millis()),
    }
}

impl FileColumns {
    /// Refuses a name that is no text or longer than any name.
    pub(super) fn expect_name(&self, index: usize, bytes: &ByteArray, row: u64) -> Result<(), IoError> {
        if bytes.len() > NAME_BYTES {
            return Err(IoError::TooLarge {
                file: self.origin.file(),
                column: clip(&self.columns.names[index]),
                what: "a name",
                size: bytes.len() as u64,
                limit: NAME_BYTES as u64,
            });
        }
        self.utf8(index, bytes, row).map(drop)
    }

    /// The text of a value of row `row` (from 1).
    pub(super) fn utf8<'a>(&self, index: usize, bytes: &'a ByteArray, row: u64) -> Result<&'a str, IoError> {
        self.utf8_text(bytes, row, || clip(&self.columns.names[index]))
    }

    pub(super) fn utf8_text<'a>(
        &self,
        bytes: &'a ByteArray,
        row: u64,
        column: impl FnOnce() -> String,
    ) -> Result<&'a str, IoError> {
        bytes.as_utf8().map_err(|_| IoError::InvalidUtf8 { place: self.origin.at(row), column: column() })
    }
}

//! Frames from JSON: records one after another, a line each or not, or in an array.

mod cells;
mod named;
mod records;
mod sample_cells;
mod scalar;
mod series;
mod tables;
mod wrapper;

use crate::{
    Format, IoError, Place, ReadOptions, Recording, Shape,
    assemble::{Assembler, Keep},
    columns::{
        Columns, Header, Role, SERVICE, Sketch,
        cells::{CellReader, Fault, RowValues},
        legend, renamed,
        time_form::time_reader,
    },
    csv::{Input, Parts, time_name},
    error::{Origin, clip},
};
pub(crate) use cells::JsonCells;
use forewarn_core::table::{PREFIX_BYTES, ROW_LIMIT_BYTES, is_missing};
use records::{Records, UNNAMED_ROWS};
use scalar::{Record, Scalar};
use std::{
    collections::BTreeMap,
    io::{Chain, Cursor, Read},
    mem,
};
use tables::{Found, TableColumns};

/// Records that are looked at before fields get their roles.
const SKETCHED_RECORDS: usize = 200;

/// Reads a recording from JSON lines, or from a JSON array of records; `name` stands for it in errors.
///
/// A record is an object whose fields are what columns are in [`csv::read_from`](crate::csv::read_from). A field that
/// is not there is missing; one that comes later in the file is a metric from there on. Those of an object within it
/// are fields called as in `service.name`; arrays are left out. The array may lie in other objects, as in
/// `{"data": [...]}`.
///
/// Records may also be arrays behind the names of their columns: `{"columns": [...], "data": [[...], ...]}` as pandas,
/// `InfluxDB` and query engines write them, with an index or tags, and more than one of these; or a first array of names.
///
/// Series are read, too: the answer of Prometheus to a range query, and what `VictoriaMetrics` exports. The metric is
/// the label `__name__`, or [`ReadOptions::metric`]; the service is the label of a usual name, or those of
/// [`ReadOptions::service_columns`]. So are those of `CloudWatch` (`get-metric-data`) and Graphite, each under one name.
///
/// # Errors
/// [`IoError`], with the line on which a record begins, and its field.
///
/// # Examples
/// ```
/// use forewarn_io::{ReadOptions, json};
///
/// let text = r#"{"time": "2024-01-01T00:00:00Z", "host": "web", "cpu_usage": 0.5}
/// {"time": "2024-01-01T00:01:00Z", "host": "web", "cpu_usage": null}"#;
/// let recording = json::read_from(text.as_bytes(), "inline", &ReadOptions::default())?;
/// assert_eq!((recording.summary.rows, recording.summary.missing_cells), (2, 1));
/// # Ok::<(), forewarn_io::IoError>(())
/// ```
pub fn read_from(from: impl Read, name: &str, options: &ReadOptions) -> Result<Recording, IoError> {
    let origin = Origin::new(name, Format::Json);
    let mut assembler = Assembler::new(options, Keep::Values)?;
    assembler.begin(&origin);
    let mut from = from;
    let prefix = forewarn_core::table::take_prefix(&mut from)
        .map_err(|source| IoError::Read { file: origin.file(), source })?;
    read_into(
        &prefix,
        from,
        &Input { origin: &origin, options, service: SERVICE, folders: &[] },
        &mut assembler,
    )?;
    assembler.finish()
}

/// Reads the records whose first bytes are `prefix`.
pub(crate) fn read_into(
    prefix: &[u8],
    from: impl Read,
    input: &Input<'_>,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let (origin, options) = (input.origin, input.options);
    let First { mut records, mut names, mut sketches, seen, line } = First::of(prefix, from, origin)?;
    let fields = || fields(&names, &sketches);
    if series::is_series(fields()) {
        return series::read(records, input, assembler);
    }
    if named::is_named(&fields()) {
        return named::read(records, input, assembler);
    }
    expect_rows(&names, &sketches, seen, || origin.at(line))?;
    let fields = names.len();
    input.add_folders(&mut names, &mut sketches);
    let keys = names[..fields].to_vec();
    let header = Header { origin, names, sketches: &sketches, annotated: false };
    let mut columns = Columns::new(header, options, &mut assembler.slots)?;
    mem::take(&mut columns.notes).into_iter().for_each(|note| assembler.note(note));
    let mut positions: BTreeMap<String, usize> =
        keys.iter().take(fields).enumerate().map(|(index, name)| (name.clone(), index)).collect();
    let cells = CellReader::new(options);
    let mut times = time_reader(options)?;
    columns.teach(&sketches, &mut times);
    let mut parts = Parts::new(&columns, input, fields);
    let mut row = RowValues::default();
    // The metric of a record of a long file; nothing within where it is not taken.
    let mut long: Option<Option<usize>> = None;
    let folders = fields..fields + input.folders.len();
    let folder_parts: Vec<Role> = columns.roles[folders].to_vec();
    let of_folder = |part| folder_parts.contains(&Role::Service(part));
    let mut buffer = Vec::new();
    while let Some(text) = records.advance_text()? {
        let line = text.line;
        let record = Record::parse(text, &mut buffer)
            .map_err(|source| IoError::NotJson { place: origin.at(line), source: source.into() })?;
        row.clear(&assembler.slots);
        let mut moment = None;
        let mut has_service = vec![false; columns.service_parts];
        let (mut value, mut wide) = (Scalar::Null, Vec::new());
        // The service, where the name of the metric says it.
        let mut labelled = String::new();
        for (field, (key, scalar)) in record.fields.into_iter().enumerate() {
            // Records mostly have the fields of the first in its order.
            let known = if keys.get(field).is_some_and(|known| *known == *key) {
                Some(field)
            } else {
                positions.get(&*key).copied()
            };
            let index = match known {
                Some(index) => index,
                None => {
                    let index = columns.names.len();
                    let role = later_role(&key, &scalar, input, &columns, assembler)?;
                    // A field that has been null so far may still turn out to be a metric.
                    let Some(role) = role else { continue };
                    positions.insert(key.clone().into_owned(), index);
                    columns.names.push(renamed(key.into_owned(), options));
                    columns.roles.push(role);
                    row.sample.resize(assembler.slots.len(), f32::NAN);
                    row.raws.resize(assembler.slots.counters.len(), f64::NAN);
                    index
                }
            };
            match columns.roles[index] {
                Role::Metric(slot) => {
                    put(&cells, assembler, slot, &scalar, &mut row).map_err(|fault| {
                        refuse(fault, origin, line, &columns.names[index], &scalar, assembler, slot)
                    })?;
                }
                Role::Time(part) => match (columns.time_parts, &scalar) {
                    (1, Scalar::Integer(number)) => moment = times.integer(*number),
                    (1, Scalar::Float(number)) => moment = times.float(*number),
                    (_, scalar) => parts.set_time(part, &scalar.to_text()),
                },
                Role::Service(part) => {
                    has_service[part] = true;
                    parts.set_service(part, &scalar.to_text());
                }
                Role::MetricName => {
                    let name = scalar.to_text();
                    let series = if columns.service_parts == 0 { legend::series(&name) } else { None };
                    if let Some(series) = &series {
                        labelled.clone_from(&series.service);
                    }
                    let name = series.as_ref().map_or(&*name, |series| &series.metric);
                    long = Some(match assembler.slots.taken(name, options) {
                        Some(name) => Some(assembler.metric(line, name)?),
                        None => None,
                    });
                }
                Role::Value => value = scalar,
                Role::WideService => wide.push((index, scalar)),
                Role::Ignored => {}
            }
        }
        let moment = match moment {
            Some(moment) => moment,
            None => {
                let text = parts.time();
                times.text(text).ok_or_else(|| IoError::InvalidTime {
                    place: origin.at(line),
                    column: time_name(&columns),
                    text: clip(text),
                    expected: times.expected(text),
                })?
            }
        };
        // Times and names are those of this record, never of the one before.
        (0..columns.time_parts).for_each(|part| parts.set_time(part, ""));
        for (part, there) in has_service.into_iter().enumerate() {
            if !there && !of_folder(part) {
                parts.set_service(part, "");
            }
        }
        match columns.shape {
            Shape::Long => {
                let slot = long.take().ok_or_else(|| IoError::NotANumber {
                    place: origin.at(line),
                    column: "metric".to_owned(),
                    text: "null".to_owned(),
                })?;
                let Some(slot) = slot else { continue };
                row.clear(&assembler.slots);
                put(&cells, assembler, slot, &value, &mut row)
                    .map_err(|fault| refuse(fault, origin, line, "value", &value, assembler, slot))?;
                let service = if labelled.is_empty() { parts.service() } else { &labelled };
                assembler.push_cell(line, service, moment, slot, &row)?;
            }
            Shape::Wide => {
                for (index, scalar) in wide {
                    let (service, slot) = (&columns.names[index], columns.wide_slots[index]);
                    row.clear(&assembler.slots);
                    put(&cells, assembler, slot, &scalar, &mut row)
                        .map_err(|fault| refuse(fault, origin, line, service, &scalar, assembler, slot))?;
                    if columns.is_series {
                        assembler.push_cell(line, service, moment, slot, &row)?;
                    } else {
                        assembler.push(line, service, moment, &row)?;
                    }
                }
            }
            _ => assembler.push(line, parts.service(), moment, &row)?,
        }
    }
    times.note().into_iter().chain(times.order_note()).for_each(|note| assembler.note(note));
    Ok(())
}

/// The role of a field that no record had so far; `None` while it says nothing.
fn later_role(
    key: &str,
    scalar: &Scalar<'_>,
    input: &Input<'_>,
    columns: &Columns,
    assembler: &mut Assembler,
) -> Result<Option<Role>, IoError> {
    let name = renamed(key.to_owned(), input.options);
    let options = input.options;
    assembler.slots.asked.see(key, &name);
    let taken = options.columns.is_empty() || options.columns.contains(&name);
    Ok(match scalar {
        Scalar::Null => None,
        _ if columns.shape != Shape::Records || !taken || options.drop.contains(&name) => Some(Role::Ignored),
        Scalar::Text(text) if is_missing(text) => None,
        Scalar::Nested | Scalar::Text(_) if assembler.slots.find(&name).is_none() => {
            assembler.note(format!("field {:?} holds no numbers and was left out", clip(&name)));
            Some(Role::Ignored)
        }
        _ => Some(Role::Metric(assembler.slots.find_or_add(&name)?)),
    })
}

fn put(
    cells: &CellReader,
    assembler: &Assembler,
    slot: usize,
    scalar: &Scalar<'_>,
    row: &mut RowValues,
) -> Result<(), Fault> {
    match scalar {
        Scalar::Null => Ok(()),
        Scalar::Bool(value) => cells.number(&assembler.slots, slot, f64::from(u8::from(*value)), row),
        Scalar::Integer(value) => cells.number(&assembler.slots, slot, *value as f64, row),
        Scalar::Float(value) => cells.number(&assembler.slots, slot, *value, row),
        Scalar::Text(text) => cells.text(&assembler.slots, slot, text, row),
        Scalar::Nested => Err(Fault::Text),
    }
}

fn refuse(
    fault: Fault,
    origin: &Origin,
    line: u64,
    column: &str,
    scalar: &Scalar<'_>,
    assembler: &Assembler,
    slot: usize,
) -> IoError {
    fault.at(origin.at(line), column, &scalar.to_text(), &assembler.slots.slots[slot])
}

/// How records lie in a text.
#[derive(Clone)]
enum Form {
    /// As rows behind the names of their columns.
    Table(TableColumns),
    /// In one array within objects.
    Array,
    /// One after another, or in an array.
    Alone,
}

impl Form {
    /// The records of the rest of a text, which begins on `line`.
    fn records<R: Read>(self, text: R, origin: &Origin, line: u64) -> Records<R> {
        match self {
            Self::Table(columns) => Records::of_table(text, origin, line, columns),
            Self::Array => Records::of_array(text, origin, line),
            Self::Alone => Records::new(text, origin),
        }
    }
}

/// Records, and what the first of them show.
struct First<R> {
    records: Records<Chain<Cursor<Vec<u8>>, R>>,
    /// Their fields, and what these hold.
    names: Vec<String>,
    sketches: Vec<Sketch>,
    /// How many records these are.
    seen: usize,
    /// The line on which the first begins.
    line: u64,
}

impl<R: Read> First<R> {
    /// Finds the records of a text whose first bytes are `prefix`.
    fn of(prefix: &[u8], from: R, origin: &Origin) -> Result<Self, IoError> {
        let (mut text, mut from) = (prefix.to_vec(), from);
        let table = find_table(&mut text, &mut from, origin)?;
        let within = match &table {
            Some((_, begin)) => Some(*begin),
            None => wrapper::records_within(&text),
        };
        let rest = text.split_off(within.unwrap_or(0));
        let line = 1 + text.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let form = match (table, within) {
            (Some((columns, _)), _) => Form::Table(columns),
            (None, Some(_)) => Form::Array,
            (None, None) => Form::Alone,
        };
        let (names, sketches, seen) = sketch(form.clone().records(rest.as_slice(), origin, line))?;
        let mut records = form.records(Cursor::new(rest).chain(from), origin, line);
        if names.is_empty()
            && let Some(text) = records.advance_text()?
        {
            let line = text.line;
            // A record that cannot be read, or has no field.
            let source = match Record::parse(text, &mut Vec::new()) {
                Err(error) => error.into(),
                Ok(_) => "a record without fields".into(),
            };
            return Err(IoError::NotJson { place: origin.at(line), source });
        }
        Ok(Self { records, names, sketches, seen, line })
    }
}

/// A table at the beginning of a text, with the place of its rows; more is read where what stands before these is long.
fn find_table(
    text: &mut Vec<u8>,
    from: &mut impl Read,
    origin: &Origin,
) -> Result<Option<(TableColumns, usize)>, IoError> {
    loop {
        match tables::find(text) {
            Found::Table(columns, begin) => return Ok(Some((columns, begin))),
            Found::Nothing => return Ok(None),
            Found::Unnamed => {
                return Err(IoError::NotJson { place: origin.at(1), source: UNNAMED_ROWS.into() });
            }
            Found::More if text.len() > ROW_LIMIT_BYTES => return Ok(None),
            Found::More => {
                let before = text.len();
                let more = from.by_ref().take(before.max(PREFIX_BYTES) as u64).read_to_end(text);
                more.map_err(|source| IoError::Read { file: origin.file(), source })?;
                if text.len() == before {
                    return Ok(None);
                }
            }
        }
    }
}

/// Each field with whether it is an array.
fn fields<'a>(names: &'a [String], sketches: &'a [Sketch]) -> impl Iterator<Item = (&'a str, bool)> + Clone {
    names.iter().zip(sketches).map(|(name, sketch)| (name.as_str(), sketch.holds_others()))
}

/// Refuses columns as arrays, or as objects whose fields count rows.
fn expect_rows(
    names: &[String],
    sketches: &[Sketch],
    seen: usize,
    place: impl FnOnce() -> Place,
) -> Result<(), IoError> {
    let counts_rows = |name: &String| {
        name.rsplit_once('.').is_some_and(|(_, last)| last.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let holds_arrays =
        fields(names, sketches).any(|(_, is_array)| is_array) && !sketches.iter().any(Sketch::is_time);
    let holds_rows = names.iter().filter(|name| counts_rows(name)).count() * 2 > names.len();
    if seen == 1 && (holds_arrays || holds_rows) {
        return Err(IoError::NotJson {
            place: place(),
            source: "one object that holds columns, expected an object a row: pandas writes them with \
                     to_json(orient=\"records\", lines=True)"
                .into(),
        });
    }
    Ok(())
}

/// The fields of the first records, what they hold, and how many records these are.
fn sketch(mut records: Records<impl Read>) -> Result<(Vec<String>, Vec<Sketch>, usize), IoError> {
    let (mut names, mut sketches): (Vec<String>, Vec<Sketch>) = (Vec::new(), Vec::new());
    let mut positions: BTreeMap<String, usize> = BTreeMap::new();
    let (mut count, mut buffer) = (0, Vec::new());
    // What is wrong with these records is found when they are read; the last may only be cut off by the prefix.
    while count < SKETCHED_RECORDS
        && let Ok(Some(text)) = records.advance_text()
        && let Ok(record) = Record::parse(text, &mut buffer)
    {
        count += 1;
        for (key, scalar) in record.fields {
            let index = *positions.entry(key.clone().into_owned()).or_insert_with(|| {
                names.push(key.into_owned());
                sketches.push(Sketch::default());
                names.len() - 1
            });
            match scalar {
                Scalar::Nested => sketches[index] = Sketch::of_other(),
                Scalar::Bool(_) => sketches[index].push("1", None),
                scalar => sketches[index].push(&scalar.to_text(), None),
            }
        }
    }
    Ok((names, sketches, count))
}

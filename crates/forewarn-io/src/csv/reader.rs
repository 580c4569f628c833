use super::annotated;
use crate::{
    Format, IoError, ReadOptions, Recording, Shape,
    assemble::{Assembler, Keep},
    columns::{
        Columns, Header, Role, SERVICE, Sketch,
        cells::{CellReader, RowValues},
        legend,
        slots::Slots,
        taken_metric,
        time_form::{Moment, TimeReader, is_text_time, time_reader},
    },
    error::{Origin, clip},
};
use forewarn_core::table::{Dialect, Table, TableSettings};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    mem,
};

/// Rows that are looked at before columns get their roles.
const SKETCHED_ROWS: usize = 200;

/// Reads a recording from separated text; `name` stands for it in errors.
///
/// - The first line names the columns. The time and the service are found by their usual names, or named in the
///   settings; without a service, all rows are of one called `service`. Every other column is a metric; one that has
///   a name of [`Schema::v1`](forewarn_schema::Schema::v1) has its unit and range, any other is a gauge of finite
///   numbers. Row numbers and columns of text are left out.
/// - A time is RFC 3339, a date and a time of day without a zone, or a number since 1970: seconds below 1e11,
///   milliseconds below 1e14, microseconds below 1e17, else nanoseconds. The first row decides for the file, and a
///   note says what it decided. Times are kept to the millisecond.
/// - The rows of a service may come in any order, and services in turns. Rows that are not there become rows of NaN
///   and are counted.
/// - A missing value is an empty cell or one of the words of [`is_missing`](forewarn_core::table::is_missing). An
///   infinity counts as missing.
/// - A byte order mark, line ends of any kind, quoted fields, comments, blanks around names and numbers, and blank
///   lines are fine.
///
/// Every choice is in [`ReadSummary::notes`](crate::ReadSummary::notes). Reads once, in pieces; memory is that of the
/// frames, and of the largest service but one once more at the end.
///
/// # Errors
/// [`IoError`], with line and column. At most a year, and ten times the rows that there are plus 16 MiB, are filled
/// in for missing ones.
///
/// # Examples
/// ```
/// use forewarn_io::{ReadOptions, csv};
///
/// let text = "timestamp,service,error_rate\n2024-01-01T00:00:00Z,web,0.01\n2024-01-01T00:02:00Z,web,0.02\n\
///             2024-01-01T00:03:00Z,web,0.02\n";
/// let recording = csv::read_from(text.as_bytes(), "inline", &ReadOptions::default())?;
/// assert_eq!(recording.summary.gap_rows, 1);
/// assert_eq!(recording.frames.values()[2], 0.02);
/// # Ok::<(), forewarn_io::IoError>(())
/// ```
pub fn read_from(from: impl Read, name: &str, options: &ReadOptions) -> Result<Recording, IoError> {
    let origin = Origin::new(name, Format::Csv);
    let mut assembler = Assembler::new(options, Keep::Values)?;
    assembler.begin(&origin);
    let mut from = from;
    let prefix = forewarn_core::table::take_prefix(&mut from)
        .map_err(|source| IoError::Read { file: origin.file(), source })?;
    read_into(
        prefix,
        from,
        &Input { origin: &origin, options, service: SERVICE, folders: &[] },
        &mut assembler,
    )?;
    assembler.finish()
}

/// One file and how it is to be read.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) options: &'a ReadOptions,
    /// The service of all rows where no column says it.
    pub(crate) service: &'a str,
    /// Columns that the folders around the file stand for, each with its one value.
    pub(crate) folders: &'a [(String, String)],
}

impl Input<'_> {
    /// Names and sketches of the columns that the folders stand for.
    pub(crate) fn add_folders(&self, names: &mut Vec<String>, sketches: &mut Vec<Sketch>) {
        for (name, value) in self.folders {
            names.push(name.clone());
            let mut sketch = Sketch::default();
            sketch.push(value, None);
            sketches.push(sketch);
        }
    }
}

/// Reads the text whose first bytes are `prefix`.
pub(crate) fn read_into(
    prefix: Vec<u8>,
    from: impl Read,
    input: &Input<'_>,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let settings = input.options.table_settings()?;
    if Dialect::sniff(&prefix, settings.separator, settings.decimal).annotated {
        return annotated::read_into(Cursor::new(prefix).chain(from), input, &settings, assembler);
    }
    read_table(prefix, from, input, &settings, assembler)
}

/// Reads one table.
pub(super) fn read_table(
    prefix: Vec<u8>,
    from: impl Read,
    input: &Input<'_>,
    settings: &TableSettings,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let (origin, options) = (input.origin, input.options);
    let refuse = |error| IoError::of_table(error, origin);
    let First { mut sketches, rows: first_rows } = First::of(&prefix, settings);
    let mut table = Table::after_prefix(prefix, from, settings).map_err(refuse)?;
    let (mut names, annotated) = (table.header().to_vec(), table.dialect().annotated);
    let fields = names.len();
    if names.iter().any(|name| is_text_time(name)) {
        return Err(IoError::NoHeader { place: origin.at(table.header_line()), names });
    }
    // A header longer than the prefix leaves nothing to look at.
    if sketches.len() != fields {
        sketches = vec![Sketch::default(); fields];
    }
    input.add_folders(&mut names, &mut sketches);
    let header = Header { origin, names, sketches: &sketches, annotated };
    let mut columns = Columns::new(header, options, &mut assembler.slots)?;
    mem::take(&mut columns.notes).into_iter().for_each(|note| assembler.note(note));
    first_rows.note_labels(&columns).into_iter().for_each(|note| assembler.note(note));
    match table.dialect().separator {
        b',' => {}
        _ if options.separator.is_some() => {}
        b'\t' => assembler.note("the cells are separated by tabs".to_owned()),
        b' ' => assembler.note("the cells are separated by blanks".to_owned()),
        other => assembler.note(format!("the cells are separated by {:?}", char::from(other))),
    }
    let mut cells = CellReader::new(options);
    cells.decimal = table.dialect().decimal;
    if options.decimal.is_none() && cells.decimal == Some(forewarn_core::table::Decimal::Comma) {
        assembler.note("numbers are written with a decimal comma".to_owned());
    }
    let mut times = time_reader(options)?;
    times.learn(columns.date_order(&sketches));
    let mut parts = Parts::new(&columns, input, fields);
    let wide: Vec<&str> = parts.wide.iter().map(|&index| columns.names[index].as_str()).collect();
    let mut row = RowValues::default();
    let mut unended = false;
    while table.advance().map_err(refuse)? {
        row.clear(&assembler.slots);
        let line = table.line();
        unended = table.is_unended();
        let reader = RowReader { table: &table, columns: &columns, cells: &cells, origin, line };
        let moment = reader.read(&mut times, &mut parts, &assembler.slots, &mut row)?;
        match columns.shape {
            Shape::Long => {
                let name = reader.text(parts.metric_at)?;
                // Without a column of services, the labels in the name may say it.
                let series = if columns.service_parts == 0 { legend::series(name) } else { None };
                let name = series.as_ref().map_or(name, |series| &series.metric);
                let Some(name) = taken_metric(name, options) else { continue };
                let slot = assembler.metric(line, name)?;
                row.clear(&assembler.slots);
                reader.metric(parts.value_at, slot, &assembler.slots, &mut row)?;
                let service = series.as_ref().map_or_else(|| parts.service(), |series| &series.service);
                assembler.push_cell(line, service, moment, slot, &row)?;
            }
            Shape::Wide if columns.is_series => {
                for &index in &parts.wide {
                    let slot = columns.wide_slots[index];
                    row.clear(&assembler.slots);
                    reader.metric(index, slot, &assembler.slots, &mut row)?;
                    assembler.push_cell(line, &columns.names[index], moment, slot, &row)?;
                }
            }
            Shape::Wide => {
                let metric = options.metric.as_deref().unwrap_or_default();
                let slot = assembler.slots.find_or_add(metric)?;
                if assembler.begin_together(line, &wide, moment, slot)? {
                    for (position, &index) in parts.wide.iter().enumerate() {
                        row.clear(&assembler.slots);
                        reader.metric(index, slot, &assembler.slots, &mut row)?;
                        assembler.put_together(position, slot, &row);
                    }
                    continue;
                }
                for &index in &parts.wide {
                    row.clear(&assembler.slots);
                    reader.metric(index, slot, &assembler.slots, &mut row)?;
                    assembler.push(line, &columns.names[index], moment, &row)?;
                }
            }
            _ => assembler.push(line, parts.service(), moment, &row)?,
        }
    }
    times.note().into_iter().chain(times.order_note()).for_each(|note| assembler.note(note));
    let (titles, again) = (table.dialect().titles, table.headers_again());
    if titles > 0 {
        assembler.note(format!("{titles} lines above the header were left out"));
    }
    if again > 0 && !annotated {
        assembler.note(format!("{again} rows repeat the header and were left out"));
    }
    if unended {
        assembler.note("the last line has no line break: the file may have been cut".to_owned());
    }
    Ok(())
}

/// The first rows of a text.
#[derive(Default)]
struct First {
    /// What its columns hold.
    sketches: Vec<Sketch>,
    rows: FirstRows,
}

#[derive(Default)]
struct FirstRows(Vec<Vec<String>>);

/// Most columns of which the cells of the first rows are kept.
const KEPT_COLUMNS: usize = 64;

impl First {
    fn of(prefix: &[u8], settings: &TableSettings) -> Self {
        // What is wrong with these rows is found when they are read; the last may only be cut off by the prefix.
        let Ok(mut table) = Table::after_prefix(prefix.to_vec(), std::io::empty(), settings) else {
            return Self::default();
        };
        let decimal = table.dialect().decimal;
        let mut first =
            Self { sketches: vec![Sketch::default(); table.header().len()], rows: FirstRows::default() };
        let mut count = 0;
        while count < SKETCHED_ROWS && matches!(table.advance(), Ok(true)) {
            count += 1;
            for (sketch, cell) in first.sketches.iter_mut().zip(table.cells()) {
                if let Ok(text) = str::from_utf8(cell) {
                    sketch.push(text, decimal);
                }
            }
            let kept = table.cells().take(KEPT_COLUMNS);
            first
                .rows
                .0
                .push(kept.map(|cell| String::from_utf8_lossy(cell.trim_ascii()).into_owned()).collect());
        }
        first
    }
}

impl FirstRows {
    /// Labels that are left out, and tell rows of one service apart: what was read as one may be several.
    fn note_labels(&self, columns: &Columns) -> Option<String> {
        let is_service = |role: &Role| matches!(role, Role::Service(_));
        let service = columns.roles.iter().position(is_service)?;
        let labels = columns.labels_left_out();
        labels.into_iter().find_map(|label| {
            let mut of_service: BTreeMap<&str, &str> = BTreeMap::new();
            self.0.iter().find_map(|row| {
                let (name, value) = (row.get(service)?, row.get(label)?);
                let first = *of_service.entry(name).or_insert(value);
                (first != value).then(|| {
                    let (label, of) = (&columns.names[label], &columns.names[service]);
                    format!(
                        "column {label:?} has several values in the rows of {:?}, such as {:?} and {:?}: if these are \
                         services of their own, name both columns (--service-column {label:?} --service-column {of:?})",
                        clip(name),
                        clip(first),
                        clip(value)
                    )
                })
            })
        })
    }
}

/// The parts that the time and the service of a row are made of.
pub(crate) struct Parts {
    time: Vec<String>,
    service: Vec<String>,
    joined_time: String,
    joined_service: String,
    /// Columns of a wide file, and of a long one.
    wide: Vec<usize>,
    metric_at: usize,
    value_at: usize,
}

impl Parts {
    pub(crate) fn new(columns: &Columns, input: &Input<'_>, fields: usize) -> Self {
        let at = |wanted: Role| columns.roles.iter().position(|role| *role == wanted).unwrap_or(0);
        let is_wide = |index: &usize| columns.roles[*index] == Role::WideService;
        let mut parts = Self {
            time: vec![String::new(); columns.time_parts],
            service: vec![String::new(); columns.service_parts],
            joined_time: String::new(),
            joined_service: String::new(),
            wide: (0..fields).filter(is_wide).collect(),
            metric_at: at(Role::MetricName),
            value_at: at(Role::Value),
        };
        for (index, (_, value)) in input.folders.iter().enumerate() {
            match columns.roles.get(fields + index) {
                Some(&Role::Time(part)) => parts.set_time(part, value),
                Some(&Role::Service(part)) => parts.set_service(part, value),
                _ => {}
            }
        }
        if columns.service_parts == 0 {
            input.service.clone_into(&mut parts.joined_service);
        }
        parts
    }

    pub(crate) fn set_time(&mut self, part: usize, text: &str) {
        set(&mut self.time[part], text);
    }

    pub(crate) fn set_service(&mut self, part: usize, text: &str) {
        set(&mut self.service[part], text.trim());
    }

    /// The time's parts with blanks between them.
    pub(crate) fn time(&mut self) -> &str {
        match self.time.as_slice() {
            [only] => only,
            parts => join(&mut self.joined_time, parts, ' '),
        }
    }

    /// The service's parts with slashes between them; empty where one of them is.
    pub(crate) fn service(&mut self) -> &str {
        match self.service.as_slice() {
            [] => &self.joined_service,
            [only] => only,
            parts if parts.iter().any(String::is_empty) => "",
            parts => join(&mut self.joined_service, parts, '/'),
        }
    }
}

/// Puts `text` into `to`, whose memory is used again.
fn set(to: &mut String, text: &str) {
    if to != text {
        to.clear();
        to.push_str(text);
    }
}

fn join<'a>(joined: &'a mut String, parts: &[String], mark: char) -> &'a str {
    joined.clear();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            joined.push(mark);
        }
        joined.push_str(part.trim());
    }
    joined
}

/// One row of a table.
struct RowReader<'a, R> {
    table: &'a Table<R>,
    columns: &'a Columns,
    cells: &'a CellReader,
    origin: &'a Origin,
    line: u64,
}

impl<R: Read> RowReader<'_, R> {
    /// Reads the row's metrics; returns its time.
    fn read(
        &self,
        times: &mut TimeReader,
        parts: &mut Parts,
        slots: &Slots,
        row: &mut RowValues,
    ) -> Result<Moment, IoError> {
        for (index, (field, &role)) in self.table.cells().zip(&self.columns.roles).enumerate() {
            match role {
                Role::Metric(slot) => {
                    let text = self.utf8(index, field)?;
                    self.cells
                        .text(slots, slot, text, row)
                        .map_err(|fault| self.refuse(fault, index, text, slots, slot))?;
                }
                Role::Time(part) => parts.set_time(part, self.utf8(index, field)?),
                Role::Service(part) => parts.set_service(part, self.utf8(index, field)?),
                Role::MetricName | Role::Value | Role::WideService | Role::Ignored => {}
            }
        }
        let text = parts.time();
        times.text(text).ok_or_else(|| IoError::InvalidTime {
            place: self.origin.at(self.line),
            column: time_name(self.columns),
            text: clip(text.trim()),
            expected: times.expected(text.trim()),
        })
    }

    /// Reads the cell of a column as the metric in `slot`.
    fn metric(&self, index: usize, slot: usize, slots: &Slots, row: &mut RowValues) -> Result<(), IoError> {
        let text = self.text(index)?;
        self.cells.text(slots, slot, text, row).map_err(|fault| self.refuse(fault, index, text, slots, slot))
    }

    fn text(&self, index: usize) -> Result<&str, IoError> {
        self.table.text(index).map_err(|error| IoError::of_table(error, self.origin))
    }

    fn utf8<'t>(&self, index: usize, field: &'t [u8]) -> Result<&'t str, IoError> {
        str::from_utf8(field).map_err(|_| IoError::of_table(self.table.invalid(index), self.origin))
    }

    #[cold]
    fn refuse(
        &self,
        fault: crate::columns::cells::Fault,
        index: usize,
        text: &str,
        slots: &Slots,
        slot: usize,
    ) -> IoError {
        fault.at(self.origin.at(self.line), &self.columns.names[index], text, &slots.slots[slot])
    }
}

/// The names of the columns that say when.
pub(crate) fn time_name(columns: &Columns) -> String {
    let names = columns.names.iter().zip(&columns.roles).filter(|(_, role)| matches!(role, Role::Time(_)));
    names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
}

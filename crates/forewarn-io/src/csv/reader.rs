use super::{annotated, legend::Legend, placing::Placing, reading::Reading, rows::read_rows};
use crate::{
    Format, IoError, ReadOptions, Recording,
    assemble::{Assembler, Keep},
    columns::{
        Columns, Header, Role, SERVICE, Sketch,
        cells::CellReader,
        time_form::{is_text_time, time_reader},
    },
    error::{Origin, clip},
};
use forewarn_core::table::{Dialect, Surplus, Table, TableSettings};
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
/// - A byte order mark, line ends of any kind, quoted fields, comments, blanks around names and numbers, blank lines,
///   a header that begins with `#`, and separators at the end of all rows or of the header are fine.
/// - Rows of words between the header and the first values are units where one of them is; others are left out.
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
    read_table_by(read_rows, prefix, from, input, settings, assembler)
}

/// Reads one table, whose rows `read_rows` takes.
pub(super) fn read_table_by<R: Read>(
    read_rows: impl FnOnce(&mut Table<R>, &Reading<'_>, &mut Placing<'_>) -> Result<(), IoError>,
    prefix: Vec<u8>,
    from: R,
    input: &Input<'_>,
    settings: &TableSettings,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let (origin, options) = (input.origin, input.options);
    let refuse = |error| IoError::of_table(error, origin);
    let First { mut sketches, rows: first_rows, legend } = First::of(&prefix, settings);
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
    legend.teach(&names, input, assembler)?;
    input.add_folders(&mut names, &mut sketches);
    let header = Header { origin, names, sketches: &sketches, annotated };
    let mut columns = Columns::new(header, options, &mut assembler.slots)?;
    mem::take(&mut columns.notes).into_iter().for_each(|note| assembler.note(note));
    legend.note(&columns, assembler)?;
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
    columns.teach(&sketches, &mut times);
    let parts = Parts::new(&columns, input, fields);
    let header = table.header().to_vec();
    let reading = Reading { columns: &columns, header: &header, cells: &cells, origin };
    let mut placing = Placing::new(&reading, input, times, parts, assembler);
    for _ in 0..legend.len() {
        table.advance().map_err(refuse)?;
    }
    read_rows(&mut table, &reading, &mut placing)?;
    placing.finish(table.footer())?;
    let (titles, again) = (table.dialect().titles, table.headers_again());
    if titles > 0 {
        assembler.note(format!("{titles} lines above the header were left out"));
    }
    match table.dialect().surplus {
        Surplus::None => {}
        Surplus::OfRows(cells) => assembler.note(format!(
            "each row ends with {cells} more {:?} than the header: the empty cells were left out",
            char::from(table.dialect().separator)
        )),
        Surplus::OfHeader(cells) => assembler.note(format!(
            "the header ends with {cells} more {:?} than each row: the empty names were left out",
            char::from(table.dialect().separator)
        )),
    }
    if table.restarts() > 0 {
        assembler.note(format!("{} lines about restarts of a system were left out", table.restarts()));
    }
    if again > 0 && !annotated {
        assembler.note(format!("{again} rows repeat the header and were left out"));
    }
    Ok(())
}

/// The first rows of a text.
#[derive(Default)]
struct First {
    /// What its columns hold.
    sketches: Vec<Sketch>,
    rows: FirstRows,
    /// What stands between the header and them.
    legend: Legend,
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
        let mut first = Self { sketches: vec![Sketch::default(); table.header().len()], ..Self::default() };
        let mut count = 0;
        while count < SKETCHED_ROWS && matches!(table.advance(), Ok(true)) {
            if count == 0 && !table.dialect().annotated {
                let cells = table.cells().map(|cell| String::from_utf8_lossy(cell.trim_ascii()).into_owned());
                if first.legend.take(table.line(), cells.collect(), decimal) {
                    continue;
                }
            }
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
        // Words alone are not known to stand above values.
        if count == 0 {
            first.legend = Legend::default();
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
    pub(super) wide: Vec<usize>,
    pub(super) metric_at: usize,
    pub(super) value_at: usize,
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

/// The names of the columns that say when.
pub(crate) fn time_name(columns: &Columns) -> String {
    let names = columns.names.iter().zip(&columns.roles).filter(|(_, role)| matches!(role, Role::Time(_)));
    names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
}

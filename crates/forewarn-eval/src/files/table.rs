//! CSV files with named columns, whose errors name the line.

use super::FileSettings;
use crate::EvalError;
use forewarn_core::{
    Score,
    table::{self, Moment, ShownOrder, TimeReader, is_text_time, shown_order},
};
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Most rows of a file.
const MOST_ROWS: u64 = 100_000_000;
/// Rows that are looked at before the others are read.
const SEEN_ROWS: usize = 200;
/// Most characters of a cell that an error repeats.
const SHOWN: usize = 80;

/// Reads the file at `path`, or standard input for `-`; errors name it.
pub(crate) fn open<T>(
    path: &Path,
    read: impl Fn(Box<dyn Read>) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let plain = |from: Box<dyn Read>| {
        let unpacked = table::unpack(from).map_err(|error| EvalError::Csv(table::TableError::Read(error)))?;
        read(Box::new(unpacked.whole()))
    };
    let read = match path == Path::new("-") {
        true => plain(Box::new(io::stdin().lock())),
        false => File::open(path).map_err(EvalError::Open).and_then(|file| plain(Box::new(file))),
    };
    read.map_err(|source| EvalError::File { path: path.to_owned(), source: Box::new(source) })
}

/// Usual names of the columns, the likeliest first.
pub(crate) const SERVICE: &[&str] = &[
    "service",
    "service_name",
    "services",
    "affected_services",
    "affected_service",
    "app",
    "application",
    "pod",
    "host",
    "hostname",
    "instance",
    "node",
    "job",
    "component",
    "cmdb_ci",
    "entity",
];
pub(crate) const TIME: &[&str] = &[
    "timestamp",
    "time",
    "_time",
    "@timestamp",
    "datetime",
    "date_time",
    "date",
    "ts",
    "ds",
    "epoch",
    "unix_time",
];
pub(crate) const SCORE: &[&str] = &[
    "score",
    "probability",
    "prob",
    "proba",
    "prediction",
    "predicted",
    "anomaly_score",
    "failure_probability",
    "risk",
    "y_score",
    "y_prob",
    "y_proba",
    "y_pred",
    "p",
];
pub(crate) const LABEL: &[&str] = &["label", "y_true", "y", "truth", "ground_truth", "target", "actual"];
pub(crate) const MODEL: &[&str] = &["model", "model_name", "predictor", "detector"];
pub(crate) const ONSET: &[&str] = &[
    "onset",
    "start",
    "start_time",
    "started_at",
    "started",
    "starts_at",
    "begin",
    "begins_at",
    "opened_at",
    "created_at",
    "detected_at",
    "incident_start",
    "from",
    "beginn",
];
pub(crate) const END: &[&str] = &[
    "end",
    "end_time",
    "ended_at",
    "ended",
    "ends_at",
    "resolved_at",
    "resolved",
    "closed_at",
    "recovered_at",
    "incident_end",
    "finish",
    "finished_at",
    "until",
    "to",
    "ende",
];
pub(crate) const DURATION: &[&str] = &[
    "duration",
    "duration_s",
    "duration_secs",
    "duration_seconds",
    "duration_m",
    "duration_min",
    "duration_mins",
    "duration_minutes",
    "duration_h",
    "duration_hours",
    "duration_ms",
    "time_to_resolve",
    "ttr",
];

/// The service of all rows where no column names one.
const ONE_SERVICE: &str = "service";

/// A CSV file that is being read.
pub(crate) struct Table<R> {
    table: table::Table<R>,
    /// What reads the times of each column of them.
    times: RefCell<BTreeMap<usize, TimeReader>>,
    settings: FileSettings,
}

/// One row of it.
pub(crate) struct Row<'a, R> {
    table: &'a table::Table<R>,
    times: &'a RefCell<BTreeMap<usize, TimeReader>>,
    settings: &'a FileSettings,
    line: u64,
}

impl<R: Read> Table<R> {
    /// Reads the header. Which number of a date is the day is seen in the first rows, where the settings do not say it.
    pub(crate) fn open(mut reader: R, settings: &FileSettings) -> Result<Self, EvalError> {
        let of_table = settings.table.clone().with_max_rows(MOST_ROWS);
        let prefix = table::take_prefix(&mut reader)
            .map_err(|error| EvalError::Csv(table::TableError::Read(error)))?;
        if let content @ table::Content::Json = table::sniff(&prefix) {
            return Err(EvalError::Csv(table::TableError::NotText { looks_like: content.looks_like() }));
        }
        let mut settings = settings.clone();
        settings.date_order = settings.date_order.or_else(|| {
            let mut first = table::Table::after_prefix(prefix.clone(), io::empty(), &of_table).ok()?;
            let mut rows = 0;
            while rows < SEEN_ROWS && matches!(first.advance(), Ok(true)) {
                rows += 1;
                let times = first
                    .cells()
                    .filter_map(|cell| str::from_utf8(cell).ok())
                    .filter(|cell| is_text_time(cell));
                let shown = times.filter_map(shown_order).find_map(|shown| match shown {
                    ShownOrder::Order(order) => Some(order),
                    ShownOrder::Nothing => None,
                });
                if shown.is_some() {
                    return shown;
                }
            }
            None
        });
        let table = table::Table::after_prefix(prefix, reader, &of_table).map_err(EvalError::Csv)?;
        Ok(Self { table, times: RefCell::default(), settings })
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        self.table.header()
    }

    /// The column of services, if there is one.
    pub(crate) fn service(&self) -> Result<Option<usize>, EvalError> {
        match &self.settings.service_column {
            Some(name) => self.named(name, SERVICE[0]).map(Some),
            None => Ok(self.column(SERVICE).ok()),
        }
    }

    /// The column of times.
    pub(crate) fn time(&self) -> Result<usize, EvalError> {
        match &self.settings.time_column {
            Some(name) => self.named(name, TIME[0]),
            None => self.column(TIME),
        }
    }

    /// The column of durations: of one of these names, or that begins with the word.
    pub(crate) fn duration(&self, names: &[&'static str]) -> Option<usize> {
        let begins = |name: &String| name.to_lowercase().starts_with("duration");
        self.column(names).ok().or_else(|| self.header().iter().position(begins))
    }

    /// A column that the settings name.
    fn named(&self, name: &str, column: &'static str) -> Result<usize, EvalError> {
        let found = self.header().iter().position(|found| found == name);
        found.ok_or_else(|| EvalError::MissingColumn { column, available: self.header().to_vec() })
    }

    /// The column of the first of these names that there is, in any case and with blanks for underscores.
    pub(crate) fn column(&self, names: &[&'static str]) -> Result<usize, EvalError> {
        let words = |name: &str| name.to_lowercase().replace([' ', '-', '_'], "");
        let found = self.table.column(names).or_else(|| {
            let named =
                |name: &&str| self.table.header().iter().position(|found| words(found) == words(name));
            names.iter().find_map(named)
        });
        let missing = || EvalError::MissingColumn {
            column: names.first().copied().unwrap_or_default(),
            available: self.table.header().to_vec(),
        };
        found.ok_or_else(missing)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Row<'_, R>>, EvalError> {
        if !self.table.advance().map_err(EvalError::Csv)? {
            return Ok(None);
        }
        if let Some(column) = self.table.cells().position(|cell| str::from_utf8(cell).is_err()) {
            return Err(EvalError::Csv(self.table.invalid(column)));
        }
        let line = self.table.line();
        Ok(Some(Row { table: &self.table, times: &self.times, settings: &self.settings, line }))
    }
}

impl<R: Read> Row<'_, R> {
    pub(crate) fn text(&self, index: usize) -> &str {
        // All cells are known to be UTF-8.
        self.table.text(index).unwrap_or_default()
    }

    /// A name, without the apostrophe that keeps a spreadsheet from taking it for a formula.
    pub(crate) fn name(&self, index: usize) -> &str {
        let text = self.text(index);
        text.strip_prefix('\'').filter(|name| needs_apostrophe(name)).unwrap_or(text)
    }

    /// The service of the row; that of all rows where there is no column of services.
    pub(crate) fn service(&self, index: Option<usize>) -> &str {
        index.map_or(ONE_SERVICE, |index| self.name(index))
    }

    /// A time, by the settings; each column has its own form.
    pub(crate) fn moment(&self, index: usize, column: &'static str) -> Result<Moment, EvalError> {
        let mut times = self.times.borrow_mut();
        let reader = match times.entry(index) {
            Entry::Occupied(reader) => reader.into_mut(),
            Entry::Vacant(place) => {
                let FileSettings { timezone, date_order, .. } = self.settings;
                place.insert(TimeReader::new(timezone.as_deref(), *date_order)?)
            }
        };
        let text = self.text(index);
        reader.text(text).ok_or_else(|| self.cell(index, column, reader.expected(text)))
    }

    /// The score; `None` where it is missing.
    pub(crate) fn score(&self, index: usize) -> Result<Option<Score>, EvalError> {
        let text = self.text(index);
        if table::is_missing(text) {
            return Ok(None);
        }
        let decimal = self.table.dialect().decimal;
        let value = match text.strip_suffix('%') {
            Some(percent) => table::number(percent, decimal).map(|value| (value / 100.0) as f32),
            None => table::number_f32(text, decimal),
        };
        let score = value.ok().and_then(|value| Score::new(value).ok());
        score.map(Some).ok_or_else(|| self.cell(index, "score", "a number in 0..=1"))
    }

    /// The label; `None` where it is missing.
    pub(crate) fn label(&self, index: usize) -> Result<Option<bool>, EvalError> {
        let text = self.text(index);
        match table::flag(text) {
            None if table::is_missing(text) => Ok(None),
            None => Err(self.cell(index, "label", "0 or 1, or yes or no")),
            label => Ok(label),
        }
    }

    /// What is wrong with this row, with its line.
    pub(crate) fn error(&self, source: EvalError) -> EvalError {
        EvalError::Row { line: self.line, source: Box::new(source) }
    }

    /// Its line in the file.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn cell(&self, index: usize, column: &'static str, expected: &'static str) -> EvalError {
        EvalError::Cell {
            line: self.line,
            column,
            text: self.text(index).chars().take(SHOWN).collect(),
            expected,
        }
    }
}

/// A name as a cell, such that a spreadsheet takes it for text: an apostrophe goes before what begins a formula, and
/// before an apostrophe, so that [`Row::name`] gives the name back.
pub(crate) fn cell_of(name: &str) -> Cow<'_, str> {
    if needs_apostrophe(name) { format!("'{name}").into() } else { name.into() }
}

fn needs_apostrophe(name: &str) -> bool {
    name.starts_with(['=', '+', '-', '@', '\t', '\r', '\''])
}

//! Tables with named columns, whose errors name the line.

use super::FileSettings;
use crate::EvalError;
use forewarn_core::{
    Score,
    table::{self, Moment, SeenRows, TableRows, TimeReader},
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
pub(crate) const CONFIRMED: &[&str] = &["confirmed_at"];
pub(crate) const KIND: &[&str] = &["kind"];
pub(crate) const RULE: &[&str] = &["rule"];
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

/// Names of all columns that mean something.
const ALL: [&[&str]; 11] = [SERVICE, TIME, SCORE, LABEL, MODEL, ONSET, END, DURATION, CONFIRMED, KIND, RULE];

/// The service of all rows where no column names one.
const ONE_SERVICE: &str = "service";

/// A table that is being read.
pub(crate) struct Table<T> {
    rows: SeenRows<T>,
    /// What reads the times of each column of them.
    times: RefCell<BTreeMap<usize, TimeReader>>,
    settings: FileSettings,
}

/// One row of it.
pub(crate) struct Row<'a, T> {
    rows: &'a SeenRows<T>,
    times: &'a RefCell<BTreeMap<usize, TimeReader>>,
    settings: &'a FileSettings,
}

impl<R: Read> Table<table::Table<R>> {
    /// Reads the header of a text.
    pub(crate) fn open(mut reader: R, settings: &FileSettings) -> Result<Self, EvalError> {
        let of_table = settings.table.clone().with_max_rows(MOST_ROWS);
        let prefix = table::take_prefix(&mut reader)
            .map_err(|error| EvalError::Csv(table::TableError::Read(error)))?;
        if let content @ table::Content::Json = table::sniff(&prefix) {
            return Err(EvalError::Csv(table::TableError::NotText { looks_like: content.looks_like() }));
        }
        let table = table::Table::after_prefix(prefix, reader, &of_table).map_err(EvalError::Csv)?;
        Ok(Self::new(table, settings))
    }
}

impl<T: TableRows> Table<T> {
    /// The table of rows. Which number of a date is the day is seen in the first, where the settings do not say it.
    pub(crate) fn new(rows: T, settings: &FileSettings) -> Self {
        let rows = SeenRows::new(rows, SEEN_ROWS);
        let mut settings = settings.clone();
        settings.date_order = settings.date_order.or_else(|| rows.date_order());
        Self { rows, times: RefCell::default(), settings }
    }

    /// What `read` makes of the table, in whose errors the file is named where it is known.
    pub(crate) fn read<O>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<O, EvalError>,
    ) -> Result<O, EvalError> {
        let read = read(&mut self);
        read.map_err(|source| match (source, self.rows.file()) {
            // Whoever gives the rows has named it.
            (source @ EvalError::Rows(_), _) | (source, None) => source,
            (source, Some(file)) => EvalError::File { path: file.into(), source: Box::new(source) },
        })
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        self.rows.header()
    }

    /// The columns of services; none where no column names them.
    pub(crate) fn service(&self) -> Result<Vec<usize>, EvalError> {
        match &self.settings.service_columns[..] {
            [] => Ok(self.column(SERVICE).into_iter().collect()),
            names => self.named(names, SERVICE[0]),
        }
    }

    /// The columns of times.
    pub(crate) fn time(&self) -> Result<Vec<usize>, EvalError> {
        match &self.settings.time_columns[..] {
            [] => self.column(TIME).map(|column| vec![column]),
            names => self.named(names, TIME[0]),
        }
    }

    /// The column of durations: of one of these names, or that begins with the word.
    pub(crate) fn duration(&self, names: &[&'static str]) -> Option<usize> {
        let begins = |name: &String| name.to_lowercase().starts_with("duration");
        self.column(names).ok().or_else(|| self.header().iter().position(begins))
    }

    /// Columns that the settings name.
    fn named(&self, names: &[String], column: &'static str) -> Result<Vec<usize>, EvalError> {
        let find = |name: &String| {
            let found = self.header().iter().position(|found| found == name);
            found.ok_or_else(|| EvalError::MissingColumn { column, available: self.header().to_vec() })
        };
        names.iter().map(find).collect()
    }

    /// The column of the first of these names that there is, in any case and with blanks for underscores.
    pub(crate) fn column(&self, names: &[&'static str]) -> Result<usize, EvalError> {
        let exactly = |name: &&str| self.header().iter().position(|found| found.eq_ignore_ascii_case(name));
        let found = names.iter().find_map(exactly).or_else(|| {
            let named = |name: &&str| self.header().iter().position(|found| words(found) == words(name));
            names.iter().find_map(named)
        });
        let missing = || EvalError::MissingColumn {
            column: names.first().copied().unwrap_or_default(),
            available: self.header().to_vec(),
        };
        found.ok_or_else(missing)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Row<'_, T>>, EvalError> {
        if self.rows.advance().map_err(EvalError::of_table)? {
            return Ok(Some(Row { rows: &self.rows, times: &self.times, settings: &self.settings }));
        }
        // A column that was not there when the others got their meaning.
        let is_known =
            |name: &&String| ALL.iter().any(|names| names.iter().any(|known| words(known) == words(name)));
        match self.rows.late_columns().iter().find(is_known) {
            Some(column) => Err(EvalError::LateColumn { column: column.clone() }),
            None => Ok(None),
        }
    }
}

/// A name of a column, in any case and with blanks for underscores.
fn words(name: &str) -> String {
    name.to_lowercase().replace([' ', '-', '_'], "")
}

impl<T: TableRows> Row<'_, T> {
    pub(crate) fn text(&self, index: usize) -> Result<&str, EvalError> {
        self.rows.text(index).map_err(EvalError::of_table)
    }

    /// A name, without the apostrophe that keeps a spreadsheet from taking it for a formula.
    pub(crate) fn name(&self, index: usize) -> Result<&str, EvalError> {
        let text = self.text(index)?;
        Ok(text.strip_prefix('\'').filter(|name| needs_apostrophe(name)).unwrap_or(text))
    }

    /// The service of the row; that of all rows where there is no column of services.
    pub(crate) fn service(&self, columns: &[usize]) -> Result<Cow<'_, str>, EvalError> {
        match columns {
            [] => Ok(ONE_SERVICE.into()),
            [column] => self.name(*column).map(Cow::Borrowed),
            several => {
                let names = several.iter().map(|&column| self.name(column));
                Ok(names.collect::<Result<Vec<_>, _>>()?.join("/").into())
            }
        }
    }

    /// Whether a cell says that its value is missing.
    pub(crate) fn is_missing(&self, index: usize) -> Result<bool, EvalError> {
        let text = self.text(index)?;
        let is_word = |word: &String| text.eq_ignore_ascii_case(word);
        Ok(table::is_missing(text) || self.settings.missing_words.iter().any(is_word))
    }

    /// A time, by the settings, in one column or several; each has its own form.
    pub(crate) fn moment(&self, columns: &[usize], name: &'static str) -> Result<Moment, EvalError> {
        let first = columns.first().copied().unwrap_or_default();
        let mut times = self.times.borrow_mut();
        let reader = match times.entry(first) {
            Entry::Occupied(reader) => reader.into_mut(),
            Entry::Vacant(place) => {
                let FileSettings { timezone, date_order, .. } = self.settings;
                place.insert(TimeReader::new(timezone.as_deref(), *date_order)?)
            }
        };
        let text: Cow<'_, str> = match columns {
            [column] => self.text(*column)?.into(),
            several => {
                let parts = several.iter().map(|&column| self.text(column));
                parts.collect::<Result<Vec<_>, _>>()?.join(" ").trim().to_owned().into()
            }
        };
        reader.text(&text).ok_or_else(|| self.refuse(&text, name, reader.expected(&text)))
    }

    /// The score; `None` where it is missing.
    pub(crate) fn score(&self, index: usize) -> Result<Option<Score>, EvalError> {
        let text = self.text(index)?;
        if self.is_missing(index)? {
            return Ok(None);
        }
        let decimal = self.rows.decimal();
        let value = match text.strip_suffix('%') {
            Some(percent) => table::number(percent, decimal).map(|value| (value / 100.0) as f32),
            None => table::number_f32(text, decimal),
        };
        let score = value.ok().and_then(|value| Score::new(value).ok());
        score.map(Some).ok_or_else(|| self.cell(index, "score", "a number in 0..=1"))
    }

    /// The label; `None` where it is missing.
    pub(crate) fn label(&self, index: usize) -> Result<Option<bool>, EvalError> {
        let text = self.text(index)?;
        match table::flag(text) {
            None if self.is_missing(index)? => Ok(None),
            None => Err(self.cell(index, "label", "0 or 1, or yes or no")),
            label => Ok(label),
        }
    }

    /// What is wrong with this row, with its line.
    pub(crate) fn error(&self, source: EvalError) -> EvalError {
        EvalError::Row { line: self.line(), source: Box::new(source) }
    }

    /// Its line in the file.
    pub(crate) fn line(&self) -> u64 {
        self.rows.line()
    }

    pub(crate) fn cell(&self, index: usize, column: &'static str, expected: &'static str) -> EvalError {
        self.refuse(self.text(index).unwrap_or_default(), column, expected)
    }

    fn refuse(&self, text: &str, column: &'static str, expected: &'static str) -> EvalError {
        EvalError::Cell { line: self.line(), column, text: text.chars().take(SHOWN).collect(), expected }
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

use crate::{
    Format, IoError, ReadOptions,
    columns::renamed,
    error::Origin,
    json::JsonCells,
    read::{
        files::{InputFile, find},
        open::{Opened, open_unpacked, unpack},
    },
};
use forewarn_core::table::{Content, Decimal, Table, TableError, TableRows};
use std::{collections::VecDeque, io::Read, path::Path};

/// Most rows of all files.
const MOST_ROWS: u64 = 100_000_000;

/// The rows of files as cells of text, whatever their format is: for tables that are not metrics, such as scores or
/// lists of incidents.
///
/// The content decides, as in [`read`](crate::read): Parquet, JSON lines or an array of JSON records, else separated
/// text; each text may be compressed by gzip or zstd. The files of a folder or a pattern are one table under the header
/// of the first, and folders called `name=value` stand for a column. Of the options, those of text and
/// [`ReadOptions::rename`] are used; which column is what is the caller's business. At most 100 million rows are read.
///
/// Times that Parquet stores are RFC 3339, without a zone where the file states none; nested fields of JSON are columns
/// called as in `service.name`.
///
/// # Examples
/// ```
/// use forewarn_core::table::TableRows;
/// use forewarn_io::{CellRows, ReadOptions};
///
/// let text = r#"[{"service": "web", "score": 0.5}, {"service": "api", "score": null}]"#;
/// let mut rows = CellRows::from_reader(text.as_bytes(), "scores.json", &ReadOptions::default())?;
/// assert_eq!(rows.header(), ["service", "score"]);
/// assert!(rows.advance()?);
/// assert_eq!((rows.text(0)?, rows.text(1)?), ("web", "0.5"));
/// assert!(rows.advance()?);
/// assert_eq!((rows.line(), rows.text(1)?), (1, ""));
/// assert!(!rows.advance()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CellRows {
    /// What the caller calls all files.
    name: String,
    options: ReadOptions,
    header: Vec<String>,
    current: Current,
    files: VecDeque<InputFile>,
    rows: u64,
    /// Columns of later files, and of the present one.
    late: Vec<String>,
    ended: bool,
}

/// A file that is being read.
struct Current {
    name: String,
    rows: Box<dyn FormatRows>,
    /// Where each column of the header is.
    places: Vec<Place>,
    /// How many of its late columns have been looked at.
    late_taken: usize,
}

enum Place {
    Column(usize),
    Folder(String),
    Nowhere,
}

/// The rows of one file; errors name it.
pub(crate) trait FormatRows {
    fn header(&self) -> &[String];
    fn advance(&mut self) -> Result<bool, IoError>;
    fn text(&self, column: usize) -> Result<&str, IoError>;
    fn line(&self) -> u64;
    fn decimal(&self) -> Option<Decimal> {
        Some(Decimal::Point)
    }
    fn late_columns(&self) -> &[String] {
        &[]
    }
}

impl CellRows {
    /// Opens a file, the files of a folder, or those that a pattern names.
    ///
    /// # Errors
    /// [`IoError`], with the file.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, IoError> {
        let mut files = Vec::new();
        find(path.as_ref(), &mut files)?;
        let mut files = VecDeque::from(files);
        let name = path.as_ref().display().to_string();
        let first = files.pop_front().ok_or_else(|| IoError::NoFiles { pattern: name.clone() })?;
        let rows = open_file(&first, options)?;
        Self::of(name, options, rows, &first, files)
    }

    /// The same from anything that gives bytes, such as standard input, but for Parquet, which has its table of
    /// contents at the end. `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`IoError::NotCsv`] for Parquet.
    pub fn from_reader(
        from: impl Read + 'static,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Self, IoError> {
        let opened = unpack(from).map_err(|source| IoError::Read { file: name.to_owned(), source })?;
        let rows = open_text(opened, name, options)?;
        let file = InputFile { path: name.into(), folders: Vec::new() };
        Self::of(name.to_owned(), options, rows, &file, VecDeque::new())
    }

    fn of(
        name: String,
        options: &ReadOptions,
        rows: Box<dyn FormatRows>,
        first: &InputFile,
        files: VecDeque<InputFile>,
    ) -> Result<Self, IoError> {
        let columns = rows.header().iter().map(|name| renamed(name.clone(), options));
        let folders = first.folders.iter().map(|(name, _)| renamed(name.clone(), options));
        let header: Vec<String> = columns.chain(folders).collect();
        let current = Current::new(rows, first, &header, options);
        let options = options.clone();
        Ok(Self { name, options, header, current, files, rows: 0, late: Vec::new(), ended: false })
    }

    fn next(&mut self) -> Result<bool, IoError> {
        while !self.current.rows.advance()? {
            let Some(file) = self.files.pop_front() else {
                self.ended = true;
                return Ok(false);
            };
            let rows = open_file(&file, &self.options)?;
            for column in rows.header().iter().map(|name| renamed(name.clone(), &self.options)) {
                if !self.header.contains(&column) && !self.late.contains(&column) {
                    self.late.push(column);
                }
            }
            self.current = Current::new(rows, &file, &self.header, &self.options);
        }
        let Current { rows, late_taken, .. } = &mut self.current;
        for column in rows.late_columns().iter().skip(*late_taken) {
            *late_taken += 1;
            if !self.late.contains(column) {
                self.late.push(column.clone());
            }
        }
        Ok(true)
    }
}

impl Current {
    fn new(rows: Box<dyn FormatRows>, file: &InputFile, header: &[String], options: &ReadOptions) -> Self {
        let is = |name: &str, column: &String| renamed(name.to_owned(), options) == *column;
        let place = |column: &String| {
            let found = rows.header().iter().position(|name| is(name, column)).map(Place::Column);
            let folder = || file.folders.iter().find(|(name, _)| is(name, column));
            found
                .or_else(|| folder().map(|(_, value)| Place::Folder(value.clone())))
                .unwrap_or(Place::Nowhere)
        };
        let places = header.iter().map(place).collect();
        Self { places, late_taken: 0, name: file.path.display().to_string(), rows }
    }
}

impl TableRows for CellRows {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn advance(&mut self) -> Result<bool, TableError> {
        let more = self.next().map_err(|error| TableError::Source(error.into()))?;
        self.rows += u64::from(more);
        if self.rows > MOST_ROWS {
            return Err(TableError::TooManyRows { line: self.line(), limit: MOST_ROWS });
        }
        Ok(more)
    }

    fn text(&self, column: usize) -> Result<&str, TableError> {
        match self.current.places.get(column) {
            Some(Place::Column(column)) => {
                self.current.rows.text(*column).map_err(|error| TableError::Source(error.into()))
            }
            Some(Place::Folder(value)) => Ok(value),
            Some(Place::Nowhere) | None => Ok(""),
        }
    }

    fn line(&self) -> u64 {
        self.current.rows.line()
    }

    fn decimal(&self) -> Option<Decimal> {
        self.current.rows.decimal()
    }

    fn file(&self) -> Option<&str> {
        Some(if self.ended { &self.name } else { &self.current.name })
    }

    fn late_columns(&self) -> &[String] {
        &self.late
    }
}

fn open_file(file: &InputFile, options: &ReadOptions) -> Result<Box<dyn FormatRows>, IoError> {
    let opened = open_unpacked(&file.path)?;
    if opened.content == Content::Parquet {
        return open_parquet(&file.path);
    }
    open_text(opened, &file.path.display().to_string(), options)
}

#[cfg(feature = "parquet")]
fn open_parquet(path: &Path) -> Result<Box<dyn FormatRows>, IoError> {
    Ok(Box::new(crate::parquet::ParquetCells::open(path)?))
}

#[cfg(not(feature = "parquet"))]
fn open_parquet(path: &Path) -> Result<Box<dyn FormatRows>, IoError> {
    Err(IoError::ParquetDisabled { file: path.display().to_string() })
}

fn open_text(
    opened: Opened<Box<dyn Read>>,
    name: &str,
    options: &ReadOptions,
) -> Result<Box<dyn FormatRows>, IoError> {
    let Opened { prefix, content, rest } = opened;
    if content == Content::Json {
        return Ok(Box::new(JsonCells::open(&prefix, rest, &Origin::new(name, Format::Json))?));
    }
    let origin = Origin::new(name, Format::Csv);
    let table = Table::after_prefix(prefix, rest, &options.table_settings()?);
    let table = table.map_err(|error| IoError::of_table(error, &origin))?;
    Ok(Box::new(TextCells { table, origin }))
}

/// The rows of separated text.
struct TextCells {
    table: Table<Box<dyn Read>>,
    origin: Origin,
}

impl FormatRows for TextCells {
    fn header(&self) -> &[String] {
        self.table.header()
    }

    fn advance(&mut self) -> Result<bool, IoError> {
        self.table.advance().map_err(|error| IoError::of_table(error, &self.origin))
    }

    fn text(&self, column: usize) -> Result<&str, IoError> {
        self.table.text(column).map_err(|error| IoError::of_table(error, &self.origin))
    }

    fn line(&self) -> u64 {
        self.table.line()
    }

    fn decimal(&self) -> Option<Decimal> {
        self.table.dialect().decimal
    }
}

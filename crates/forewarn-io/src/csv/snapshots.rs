use crate::{
    Format, IoError,
    error::{Origin, clip},
    read::open::open,
};
use forewarn_core::{
    Snapshots,
    table::{Dialect, NotANumber, Table, TableSettings, flag, is_missing, number_f32},
};
use forewarn_schema::{Metric, Schema};
use std::{collections::BTreeMap, io::Read, path::Path};

/// A table without a clock: every row an example of its own, with its outcome and perhaps words about it, such as the
/// part of a published split.
#[derive(Clone, Debug)]
pub struct SnapshotTable {
    snapshots: Snapshots,
    words: BTreeMap<String, Vec<String>>,
}

impl SnapshotTable {
    /// All rows, in the file's order.
    #[must_use]
    pub fn all(&self) -> &Snapshots {
        &self.snapshots
    }

    /// The words in a column that was read as such, one a row; `None` for any other column.
    #[must_use]
    pub fn words(&self, column: &str) -> Option<&[String]> {
        self.words.get(column).map(Vec::as_slice)
    }

    /// The rows that have `word` in `column`, such as `train` in `split`; none where there is no such column.
    #[must_use]
    pub fn with_word(&self, column: &str, word: &str) -> Snapshots {
        let words = self.words(column).unwrap_or_default();
        self.snapshots.filter(|row| words.get(row).is_some_and(|found| found == word))
    }
}

/// Reads a table without a clock from a CSV file: the column `outcome` says with 0 and 1 what is predicted, the
/// columns `words` are text, every other one is a feature, a finite number or missing.
///
/// # Errors
/// As [`snapshots_from`], and [`IoError::Open`] or [`IoError::Directory`].
pub fn read_snapshots(
    path: impl AsRef<Path>,
    outcome: &str,
    words: &[&str],
) -> Result<SnapshotTable, IoError> {
    let path = path.as_ref();
    snapshots_from(open(path)?, &path.display().to_string(), outcome, words)
}

/// The same from anything that gives bytes; `name` stands for it in errors. Cells are read as
/// [`read_from`](super::read_from) reads them.
///
/// # Errors
/// [`IoError`], with line and column: a row without an outcome too.
///
/// # Examples
/// ```
/// let text = "cpu,latency,failed,split\n0.2,90,0,train\n0.9,400,1,train\n0.3,,0,test\n";
/// let table = forewarn_io::csv::snapshots_from(text.as_bytes(), "table.csv", "failed", &["split"])?;
/// let train = table.with_word("split", "train");
/// assert_eq!(train.positive(), [false, true]);
/// assert_eq!(train.schema().names().collect::<Vec<_>>(), ["cpu", "latency"]);
/// # Ok::<(), forewarn_io::IoError>(())
/// ```
pub fn snapshots_from(
    from: impl Read,
    name: &str,
    outcome: &str,
    words: &[&str],
) -> Result<SnapshotTable, IoError> {
    let origin = Origin::new(name, Format::Csv);
    let refuse = |error| IoError::of_table(error, &origin);
    let mut rows = Table::open(from, &TableSettings::default()).map_err(refuse)?;
    let columns = Columns::new(&origin, rows.header().to_vec(), outcome, words)?;
    let mut table =
        Builder { values: Vec::new(), positive: Vec::new(), words: vec![Vec::new(); words.len()] };
    while rows.advance().map_err(refuse)? {
        table.push(&rows, &columns, &origin)?;
    }
    if table.positive.is_empty() {
        return Err(IoError::NoRows { file: origin.file() });
    }
    let words = words.iter().map(|&word| word.to_owned()).zip(table.words).collect();
    let snapshots = Snapshots::new(columns.schema, table.values, table.positive)
        .expect("a value for each feature and an outcome for each row, fewer than a file of 2^32 lines has");
    Ok(SnapshotTable { snapshots, words })
}

#[derive(Clone, Copy)]
enum Role {
    Feature,
    Outcome,
    Words(usize),
}

struct Columns {
    schema: Schema,
    roles: Vec<Role>,
    names: Vec<String>,
}

impl Columns {
    fn new(origin: &Origin, names: Vec<String>, outcome: &str, words: &[&str]) -> Result<Self, IoError> {
        let file = || origin.file();
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(IoError::EmptyColumnName { file: file(), position: index + 1 });
            }
            if let Some(first) = names[..index].iter().position(|earlier| earlier == name) {
                let (first, second) = (first + 1, index + 1);
                return Err(IoError::DuplicateColumn { file: file(), column: name.clone(), first, second });
            }
        }
        for (index, wanted) in words.iter().copied().chain([outcome]).enumerate() {
            if words[..index].contains(&wanted) {
                return Err(IoError::ColumnTwice { file: file(), column: wanted.to_owned() });
            }
            if !names.iter().any(|name| name == wanted) {
                return Err(IoError::UnknownColumn {
                    file: file(),
                    column: wanted.to_owned(),
                    available: names,
                });
            }
        }
        let role = |name: &String| match words.iter().position(|word| word == name) {
            Some(place) => Role::Words(place),
            None if name == outcome => Role::Outcome,
            None => Role::Feature,
        };
        let roles: Vec<Role> = names.iter().map(role).collect();
        let features = names.iter().zip(&roles).filter(|(_, role)| matches!(role, Role::Feature));
        let metrics: Vec<Metric> = features.map(|(name, _)| Metric::gauge(name)).collect();
        if metrics.is_empty() {
            return Err(IoError::NoMetrics { file: file(), columns: names });
        }
        let schema = Schema::new(metrics).map_err(|source| IoError::Schema { file: file(), source })?;
        Ok(Self { schema, roles, names })
    }
}

struct Builder {
    values: Vec<f32>,
    positive: Vec<bool>,
    words: Vec<Vec<String>>,
}

impl Builder {
    fn push<R: Read>(&mut self, rows: &Table<R>, columns: &Columns, origin: &Origin) -> Result<(), IoError> {
        let place = || origin.at(rows.line());
        for (index, (role, column)) in columns.roles.iter().zip(&columns.names).enumerate() {
            let text = rows.text(index).map_err(|error| IoError::of_table(error, origin))?;
            match *role {
                Role::Words(slot) => self.words[slot].push(text.to_owned()),
                Role::Outcome => self.positive.push(flag(text).ok_or_else(|| IoError::InvalidOutcome {
                    place: place(),
                    column: column.clone(),
                    value: clip(text),
                })?),
                Role::Feature => self.values.push(feature(text, rows.dialect()).map_err(|reason| {
                    let (place, column, text) = (place(), column.clone(), clip(text));
                    match reason {
                        NotANumber::Ambiguous => IoError::AmbiguousNumber { place, column, text },
                        _ => IoError::NotANumber { place, column, text },
                    }
                })?),
            }
        }
        Ok(())
    }
}

/// The value of a feature; an infinity is not a measurement.
fn feature(text: &str, dialect: &Dialect) -> Result<f32, NotANumber> {
    if is_missing(text) {
        return Ok(f32::NAN);
    }
    let value = number_f32(text, dialect.decimal)?;
    if value.is_finite() { Ok(value) } else { Err(NotANumber::Text) }
}

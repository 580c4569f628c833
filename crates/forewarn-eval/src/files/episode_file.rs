use super::{
    FileSettings,
    duration::{millis, unit_of_column},
    table::{self, CONFIRMED, DURATION, END, KIND, ONSET, RULE, Table},
};
use crate::{EpisodeClasses, EvalError};
use forewarn_core::{CoreError, table::TableRows};
use forewarn_schema::{Episode, Episodes, SchemaError, Timestamp};
use std::{collections::BTreeMap, io::Read, path::Path};

/// Failures, as a file holds them: a row a failure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EpisodeFile {
    /// Each service's failures. One that has not ended goes on for as long as there are times.
    pub episodes: BTreeMap<String, Episodes>,
    /// Classes of them by `fault kind` and by `failure rule`, where the file has such columns and something stands in
    /// them.
    pub classes: Vec<EpisodeClasses>,
    /// What was assumed, one sentence each.
    pub notes: Vec<String>,
}

/// One row.
struct Incident {
    line: u64,
    onset: Timestamp,
    confirmed: Timestamp,
    end: End,
    classes: [String; 2],
}

#[derive(Clone, Copy)]
enum End {
    At(Timestamp),
    /// The list does not say.
    Unsaid,
    /// It has not ended.
    Open,
}

/// Words for an end that has not come, besides those for a missing value.
const OPEN: [&str; 8] =
    ["open", "ongoing", "active", "now", "unresolved", "in progress", "firing", "investigating"];

impl EpisodeFile {
    /// [`read`](Self::read)s the file at `path`, which may be compressed.
    ///
    /// # Errors
    /// [`EvalError::File`], which names the file and says what is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EvalError> {
        Self::open_with(path, &FileSettings::default())
    }

    /// [`read_with`](Self::read_with)s the file at `path`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, settings: &FileSettings) -> Result<Self, EvalError> {
        table::open(path.as_ref(), |reader| Self::read_with(reader, settings))
    }

    /// Reads CSV in any dialect with the columns `service`, `onset` or `start`, `end` (first minute after the failure)
    /// or `duration` and, if they are there, `confirmed_at`, `kind` (the fault behind it) and `rule` (the failure rule
    /// that it satisfies); others are skipped. Columns of a usual name are taken in their place, such as `Created At`
    /// and `Resolved At`. Rows may come in any order; each service's failures are disjoint. A row may be of several
    /// services, separated by commas, semicolons or vertical bars.
    ///
    /// A failure whose end is empty, or a word such as `ongoing`, goes on, unless another of its service follows. A
    /// list without ends is one of failures that last [`FileSettings::lasting_millis`]; a note says so. A row whose
    /// onset and end are both empty says that the service was watched and did not fail.
    ///
    /// # Errors
    /// [`EvalError::Csv`], [`EvalError::MissingColumn`], [`EvalError::Cell`] and [`EvalError::Row`] with the line.
    pub fn read(reader: impl Read) -> Result<Self, EvalError> {
        Self::read_with(reader, &FileSettings::default())
    }

    /// The same by settings.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`EvalError::Zone`].
    pub fn read_with(reader: impl Read, settings: &FileSettings) -> Result<Self, EvalError> {
        Table::open(reader, settings)?.read(|table| Self::of(table, settings))
    }

    /// [`read_with`](Self::read_with) of rows of any format, such as `forewarn_io::CellRows` gives.
    ///
    /// # Errors
    /// As [`read_with`](Self::read_with); [`EvalError::Rows`], and [`EvalError::LateColumn`].
    pub fn from_rows(rows: impl TableRows, settings: &FileSettings) -> Result<Self, EvalError> {
        Table::new(rows, settings).read(|table| Self::of(table, settings))
    }

    fn of<T: TableRows>(table: &mut Table<T>, settings: &FileSettings) -> Result<Self, EvalError> {
        let (service, onset) = (table.service()?, table.column(ONSET)?);
        let end = table.column(END).ok();
        let duration = match end {
            Some(_) => None,
            None => table.duration(DURATION),
        };
        let unit = duration.and_then(|column| unit_of_column(&table.header()[column]));
        let confirmed = table.column(CONFIRMED).ok();
        let class_columns = [KIND, RULE].map(|names| table.column(names).ok());
        let mut services: BTreeMap<String, Vec<Incident>> = BTreeMap::new();
        while let Some(row) = table.next()? {
            let text = |column: Option<usize>| column.map_or(Ok(""), |column| row.text(column));
            if row.text(onset)?.is_empty() && text(end)?.is_empty() && text(duration)?.is_empty() {
                for name in names(&row.service(&service)?) {
                    services.entry(name.to_owned()).or_default();
                }
                continue;
            }
            let begins = row.moment(&[onset], "onset")?.time;
            let confirmed = match confirmed {
                Some(column) if !row.is_missing(column)? => {
                    row.moment(&[column], "confirmed_at")?.not_before(Some(begins))
                }
                _ => begins,
            };
            let is_open = |column: usize| -> Result<bool, EvalError> {
                let text = row.text(column)?;
                Ok(row.is_missing(column)? || OPEN.iter().any(|word| text.eq_ignore_ascii_case(word)))
            };
            let end = match (end, duration) {
                (Some(column), _) if is_open(column)? => End::Open,
                (Some(column), _) => End::At(row.moment(&[column], "end")?.not_before(Some(begins))),
                (None, Some(column)) if is_open(column)? => End::Open,
                (None, Some(column)) => {
                    let millis =
                        millis(row.text(column)?, unit).map(|millis| begins.millis().saturating_add(millis));
                    let end = millis.and_then(Timestamp::from_millis);
                    End::At(end.ok_or_else(|| {
                        row.cell(column, "duration", "a duration with its unit, such as 45m, 1h30m or 0:45:00, or a number in a column whose name has the unit, such as duration_minutes")
                    })?)
                }
                (None, None) => End::Unsaid,
            };
            let [kind, rule] = class_columns;
            let classes = [text(kind)?.to_owned(), text(rule)?.to_owned()];
            for name in names(&row.service(&service)?) {
                let incident =
                    Incident { line: row.line(), onset: begins, confirmed, end, classes: classes.clone() };
                services.entry(name.to_owned()).or_default().push(incident);
            }
        }
        Self::of_incidents(services, settings)
    }

    fn of_incidents(
        services: BTreeMap<String, Vec<Incident>>,
        settings: &FileSettings,
    ) -> Result<Self, EvalError> {
        let mut classes = ["fault kind", "failure rule"].map(EpisodeClasses::new);
        let (mut unsaid, mut open) = (0, 0);
        let mut all = BTreeMap::new();
        for (service, mut incidents) in services {
            incidents.sort_by_key(|incident| incident.onset);
            let mut episodes: Vec<Episode> = Vec::with_capacity(incidents.len());
            for (at, incident) in incidents.iter().enumerate() {
                let wrong = |source: SchemaError| EvalError::Row {
                    line: incident.line,
                    source: Box::new(CoreError::from(source).into()),
                };
                if let Some(previous) = episodes.last().filter(|previous| incident.onset < previous.end()) {
                    let (index, previous_end) = (episodes.len(), previous.end());
                    return Err(wrong(SchemaError::EpisodesOverlap {
                        index,
                        onset: incident.onset,
                        previous_end,
                    }));
                }
                let next = incidents.get(at + 1).map(|next| next.onset);
                let end = match (incident.end, next) {
                    (End::At(end), _) => end,
                    (End::Open, None) => {
                        open += 1;
                        far(incident.onset)
                    }
                    (End::Unsaid | End::Open, next) => {
                        unsaid += 1;
                        let end = incident.onset.millis().saturating_add(settings.lasting_millis.max(1));
                        let end = Timestamp::from_millis(end).unwrap_or(far(incident.onset));
                        next.filter(|&next| next > incident.onset).map_or(end, |next| end.min(next))
                    }
                };
                let episode = Episode::new(incident.onset, incident.confirmed, end).map_err(wrong)?;
                for (class, classes) in incident.classes.iter().zip(&mut classes) {
                    if !class.is_empty() {
                        classes.episode(&service, &episode, class)?;
                    }
                }
                episodes.push(episode);
            }
            all.insert(service, Episodes::new(episodes).map_err(CoreError::from)?);
        }
        let mut notes = Vec::new();
        if unsaid > 0 {
            let minutes = settings.lasting_millis as f64 / 60_000.0;
            notes.push(format!(
                "the list does not say when {unsaid} failures end: each was taken to last {minutes} min"
            ));
        }
        if open > 0 {
            notes.push(format!("{open} failures of the list have no end and go on to the end of the scores"));
        }
        let classes = classes.into_iter().filter(|classes| !classes.is_empty()).collect();
        Ok(Self { episodes: all, classes, notes })
    }
}

/// The end of what goes on: a time behind all others, which judging puts to the end of the scores.
fn far(onset: Timestamp) -> Timestamp {
    Timestamp::from_millis(FAR_MILLIS).filter(|far| *far > onset).unwrap_or(onset)
}

/// In the year 9892.
const FAR_MILLIS: i64 = 250_000_000_000_000;

/// The services of a cell: one, or several with marks between them.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    let list = cell.strip_prefix('[').and_then(|cell| cell.strip_suffix(']')).unwrap_or(cell);
    let names = list.split([',', ';', '|']).map(|name| name.trim().trim_matches(['"', '\'']).trim());
    let several = names.clone().filter(|name| !name.is_empty()).count() > 1;
    let whole = std::iter::once(cell).filter(move |_| !several);
    whole.chain(names.filter(move |name| several && !name.is_empty()))
}

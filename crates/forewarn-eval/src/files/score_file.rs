use super::{
    FileSettings,
    table::{self, LABEL, MODEL, Row, SCORE, Table},
};
use crate::EvalError;
use forewarn_core::{Score, table::TableRows};
use forewarn_schema::{Step, Timestamp};
use std::{collections::BTreeMap, io::Read, path::Path};

/// Most services of all models of one file.
const MOST_SERVICES: usize = 1_000_000;

/// Scores of any predictor, as a file or another program's memory holds them: a row a service and time.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreFile {
    pub(super) services: BTreeMap<String, ScoreRows>,
    /// Rows that were left out because score or label is missing.
    pub(super) missing: u64,
}

/// One service's rows in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ScoreRows {
    pub(super) times: Vec<Timestamp>,
    pub(super) scores: Vec<Score>,
    /// One a row where the file has labels, else empty.
    pub(super) labels: Vec<bool>,
}

impl ScoreFile {
    /// [`read`](Self::read)s the file at `path`.
    ///
    /// # Errors
    /// [`EvalError::File`], which names the file and says what is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<BTreeMap<String, Self>, EvalError> {
        Self::open_with(path, &FileSettings::default())
    }

    /// [`read_with`](Self::read_with)s the file at `path`, which may be compressed.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        path: impl AsRef<Path>,
        settings: &FileSettings,
    ) -> Result<BTreeMap<String, Self>, EvalError> {
        table::open(path.as_ref(), |reader| Self::read_with(reader, settings))
    }

    /// Reads CSV with the columns `service`, `timestamp`, `score` and, if they are there, `label` (0 or 1, yes or no)
    /// and `model`; others are skipped. Without a column of scores, each other column holds those of one model, or,
    /// where no column says the service, those of one service. Columns of a usual name are taken in their place, such
    /// as `time` and `probability`; without one of services all rows are of one called `service`. Separators, decimal
    /// commas, line ends and quotes are found out as in a file of metrics. Times are those of a
    /// [`TimeReader`](forewarn_core::table::TimeReader); rows may come in any order. A row whose score or label is
    /// missing is left out; judging notes how many there are. The scores of each model come under its name, those of a
    /// file without models under the empty name. Names are read as [`predictions_csv`](super::predictions_csv) writes
    /// them.
    ///
    /// At most 100 million rows and a million services are read, and no row longer than 16 MiB.
    ///
    /// # Errors
    /// [`EvalError::Csv`], [`EvalError::MissingColumn`], [`EvalError::Cell`] and [`EvalError::Row`] with the line,
    /// [`EvalError::FileTooLarge`], [`EvalError::NoRows`].
    pub fn read(reader: impl Read) -> Result<BTreeMap<String, Self>, EvalError> {
        Self::read_with(reader, &FileSettings::default())
    }

    /// The same by settings.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`EvalError::Zone`].
    pub fn read_with(
        reader: impl Read,
        settings: &FileSettings,
    ) -> Result<BTreeMap<String, Self>, EvalError> {
        Table::open(reader, settings)?.read(Self::of)
    }

    /// [`read_with`](Self::read_with) of rows of any format, such as `forewarn_io::CellRows` gives.
    ///
    /// # Errors
    /// As [`read_with`](Self::read_with); [`EvalError::Rows`], and [`EvalError::LateColumn`].
    pub fn from_rows(
        rows: impl TableRows,
        settings: &FileSettings,
    ) -> Result<BTreeMap<String, Self>, EvalError> {
        Table::new(rows, settings).read(Self::of)
    }

    fn of<T: TableRows>(table: &mut Table<T>) -> Result<BTreeMap<String, Self>, EvalError> {
        let (service, time) = (table.service()?, table.time()?);
        let (label, model) = (table.column(LABEL).ok(), table.column(MODEL).ok());
        let named = [label, model].into_iter().flatten();
        let taken: Vec<usize> = service.iter().chain(&time).copied().chain(named).collect();
        let columns = match table.column(SCORE) {
            Ok(score) => Scores::One(score),
            Err(error) => Scores::of_the_rest(table, &taken, !service.is_empty()).ok_or(error)?,
        };
        let mut files = Files::default();
        while let Some(row) = table.next()? {
            let label = label.map(|label| row.label(label)).transpose()?;
            let model = model.map_or(Ok(""), |column| row.name(column))?;
            match &columns {
                &Scores::One(score) => {
                    files.push(&row, model, &row.service(&service)?, &time, score, label)?;
                }
                Scores::OfModels(models) => {
                    let service = row.service(&service)?;
                    for (column, model) in models {
                        files.push(&row, model, &service, &time, *column, label)?;
                    }
                }
                Scores::OfServices(services) => {
                    for (column, service) in services {
                        files.push(&row, model, service, &time, *column, label)?;
                    }
                }
            }
        }
        let mut models = files.models;
        for (name, rows) in models.values_mut().flat_map(|file| &mut file.services) {
            rows.sort(name)?;
        }
        if models.is_empty() { Err(EvalError::NoRows) } else { Ok(models) }
    }

    /// Scores that are in memory: each with the name of its service and its time, which ascends within a service.
    ///
    /// # Errors
    /// [`EvalError::TimeOrder`]; [`EvalError::NoRows`] where there is none.
    ///
    /// # Examples
    /// ```
    /// use forewarn_core::{Score, WindowSpec};
    /// use forewarn_eval::{KnownFailures, LabelMeaning, ScoreFile};
    /// use forewarn_schema::{Episodes, Step, Timestamp};
    /// use std::collections::BTreeMap;
    ///
    /// let (start, spec) = (Timestamp::EPOCH, WindowSpec::new(2, 0, 3)?);
    /// let minute = |minute| start.checked_add(Step::MINUTE, minute).ok_or("on the calendar");
    /// let score = |m| Ok(("shop", minute(m)?, Score::new(m as f32 / 30.0)?));
    /// let scores = (0..30).map(score).collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?;
    ///
    /// let failing = (0..30).map(|minute| (20..24).contains(&minute));
    /// let episodes = Episodes::from_flags(start, Step::MINUTE, 1, failing)?;
    /// let episodes = BTreeMap::from([("shop".to_owned(), episodes)]);
    /// let failures = KnownFailures::List { episodes: &episodes, spec, step: None };
    /// let judged = ScoreFile::from_scores(scores)?.judge(failures, LabelMeaning::Begins)?;
    /// // Four minutes of the failure have no label, nor have the last three, whose period is not over.
    /// assert_eq!((judged.set.windows(), judged.set.positives()), (23, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_scores<S: AsRef<str>>(
        scores: impl IntoIterator<Item = (S, Timestamp, Score)>,
    ) -> Result<Self, EvalError> {
        let mut services: BTreeMap<String, ScoreRows> = BTreeMap::new();
        for (service, time, score) in scores {
            let service = service.as_ref();
            if !services.contains_key(service) {
                services.insert(service.to_owned(), ScoreRows::default());
            }
            let Some(rows) = services.get_mut(service) else { continue };
            if let Some(&previous) = rows.times.last().filter(|&&previous| previous >= time) {
                return Err(EvalError::TimeOrder { service: service.to_owned(), time, previous });
            }
            rows.times.push(time);
            rows.scores.push(score);
        }
        if services.is_empty() { Err(EvalError::NoRows) } else { Ok(Self { services, missing: 0 }) }
    }

    /// Names of the services, in order.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// The most common time between two rows of a service, of equally common ones the shortest; `None` where no
    /// service has two.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for rows in self.services.values() {
            for pair in rows.times.windows(2) {
                *counts.entry(pair[1].millis() - pair[0].millis()).or_default() += 1;
            }
        }
        let most = counts.into_iter().rev().max_by_key(|&(_, count)| count)?.0;
        Step::from_millis(most).ok()
    }
}

/// The columns of scores, with the names that they stand for.
enum Scores {
    One(usize),
    OfModels(Vec<(usize, String)>),
    OfServices(Vec<(usize, String)>),
}

impl Scores {
    /// Those of a file without a column of that name: a model each where a column says the service, else a service
    /// each. `None` where no column is left.
    fn of_the_rest<T: TableRows>(table: &Table<T>, taken: &[usize], has_service: bool) -> Option<Self> {
        let is_index = |name: &str| name.is_empty() || name.starts_with("Unnamed: ") || name == "index";
        let rest = table.header().iter().enumerate();
        let rest = rest.filter(|(index, name)| !taken.contains(index) && !is_index(name));
        let rest: Vec<(usize, String)> = rest.map(|(index, name)| (index, name.clone())).collect();
        match (rest.is_empty(), has_service) {
            (true, _) => None,
            (false, true) => Some(Self::OfModels(rest)),
            (false, false) => Some(Self::OfServices(rest)),
        }
    }
}

/// Scores of each model, as rows come.
#[derive(Default)]
struct Files {
    models: BTreeMap<String, ScoreFile>,
    services: usize,
}

impl Files {
    fn push<T: TableRows>(
        &mut self,
        row: &Row<'_, T>,
        model: &str,
        service: &str,
        time: &[usize],
        score: usize,
        label: Option<Option<bool>>,
    ) -> Result<(), EvalError> {
        if !self.models.contains_key(model) {
            self.models.insert(model.to_owned(), ScoreFile { services: BTreeMap::new(), missing: 0 });
        }
        let Some(file) = self.models.get_mut(model) else { return Ok(()) };
        if !file.services.contains_key(service) {
            self.services += 1;
            if self.services > MOST_SERVICES {
                return Err(row.error(EvalError::FileTooLarge { what: "services", limit: MOST_SERVICES }));
            }
            file.services.insert(service.to_owned(), ScoreRows::default());
        }
        let Some(rows) = file.services.get_mut(service) else { return Ok(()) };
        let at = row.moment(time, "timestamp")?.not_before(rows.times.last().copied());
        if let Some(&previous) = rows.times.last().filter(|&&previous| previous == at) {
            let service = service.to_owned();
            return Err(row.error(EvalError::TimeOrder { service, time: at, previous }));
        }
        let (Some(score), None | Some(Some(_))) = (row.score(score)?, label) else {
            file.missing += 1;
            return Ok(());
        };
        rows.times.push(at);
        rows.scores.push(score);
        rows.labels.extend(label.flatten());
        Ok(())
    }
}

impl ScoreRows {
    /// Puts the rows in order of time, and refuses two of one time.
    fn sort(&mut self, service: &str) -> Result<(), EvalError> {
        if self.times.is_sorted() {
            return Ok(());
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by_key(|&row| self.times[row]);
        self.times = order.iter().map(|&row| self.times[row]).collect();
        self.scores = order.iter().map(|&row| self.scores[row]).collect();
        if !self.labels.is_empty() {
            self.labels = order.iter().map(|&row| self.labels[row]).collect();
        }
        match self.times.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(EvalError::TimeOrder { service: service.to_owned(), time: pair[1], previous: pair[0] })
            }
            None => Ok(()),
        }
    }
}

/// The entry of a map that has just one.
pub(super) fn only<V>(map: &BTreeMap<String, V>) -> Option<(&String, &V)> {
    map.first_key_value().filter(|_| map.len() == 1)
}

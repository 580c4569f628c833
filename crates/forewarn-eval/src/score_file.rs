use crate::{EvalError, ScoredSeries, ScoredSet};
use csv::StringRecord;
use forewarn_core::{CoreError, Score, WindowSpec};
use forewarn_schema::{Episode, Episodes, SchemaError, Step, Timestamp};
use std::{collections::BTreeMap, io::Read};

/// Scores of any predictor, as a file holds them: a row a service and time.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreFile {
    services: BTreeMap<String, Rows>,
}

/// One service's rows in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rows {
    times: Vec<Timestamp>,
    scores: Vec<Score>,
    /// One a row where the file has labels, else empty.
    labels: Vec<bool>,
}

/// What to do with failures that begin where nothing was scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// They are a mistake: the file of failures is not about these scores.
    Refuse,
    /// They are none of these scores' business: failures found in metrics that go further back.
    Ignore,
}

impl ScoreFile {
    /// Reads CSV with the columns `service`, `timestamp`, `score` and, if there is one, `label` (0 or 1); others are skipped. Times
    /// are RFC 3339, or seconds or milliseconds since 1970, and ascend within each service.
    ///
    /// # Errors
    /// [`EvalError::Csv`], [`EvalError::MissingColumn`], [`EvalError::Cell`] with the line, [`EvalError::TimeOrder`],
    /// [`EvalError::NoRows`].
    pub fn read(reader: impl Read) -> Result<Self, EvalError> {
        let mut table = Table::open(reader)?;
        let [service, time, score] =
            [table.column("service")?, table.column("timestamp")?, table.column("score")?];
        let label = table.column("label").ok();
        let mut services: BTreeMap<String, Rows> = BTreeMap::new();
        while let Some(row) = table.next()? {
            let rows = services.entry(row.text(service).to_owned()).or_default();
            let at = row.time(time, "timestamp")?;
            if let Some(&previous) = rows.times.last().filter(|&&previous| previous >= at) {
                let service = row.text(service).to_owned();
                return Err(EvalError::TimeOrder { service, time: at, previous });
            }
            rows.times.push(at);
            rows.scores.push(row.score(score)?);
            if let Some(label) = label {
                rows.labels.push(row.label(label)?);
            }
        }
        if services.is_empty() { Err(EvalError::NoRows) } else { Ok(Self { services }) }
    }

    /// Names of the services, in order.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// The most common time between two rows of a service, of equally common ones the shortest; `None` where no service has two.
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

    /// Joins scores with failures. Where the file has no labels, a window is positive when a failure begins in its prediction
    /// period; windows inside a failure, and those whose period runs past the service's last score, are left out.
    ///
    /// # Errors
    /// [`EvalError::EpisodeOutside`], [`EvalError::UnknownService`] for failures of a service without scores (both unless ignored),
    /// [`EvalError::OffClock`].
    pub fn judge(
        &self,
        spec: WindowSpec,
        step: Step,
        failures: &BTreeMap<String, Episodes>,
        outside: Outside,
    ) -> Result<ScoredSet, EvalError> {
        let horizon = step.millis().saturating_mul(i64::try_from(spec.horizon()).unwrap_or(i64::MAX));
        if outside == Outside::Refuse {
            self.check_inside(failures, horizon)?;
        }
        let mut series = Vec::new();
        for (service, rows) in &self.services {
            let episodes = failures.get(service).cloned().unwrap_or_default();
            let last = rows.times.last().map_or(i64::MIN, |time| time.millis());
            let lead = step.millis().saturating_mul(i64::try_from(spec.lead()).unwrap_or(i64::MAX));
            let (mut times, mut scores, mut positive) = (Vec::new(), Vec::new(), Vec::new());
            for (index, &time) in rows.times.iter().enumerate() {
                let label = match rows.labels.get(index) {
                    Some(&label) => label,
                    None if episodes.iter().any(|episode| episode.contains(time)) => continue,
                    None => {
                        let after = time.millis().saturating_add(lead);
                        let until = time.millis().saturating_add(horizon);
                        let next = episodes.partition_point(|episode| episode.onset().millis() <= after);
                        let begins =
                            episodes.get(next).is_some_and(|episode| episode.onset().millis() <= until);
                        if !begins && until > last {
                            continue;
                        }
                        begins
                    }
                };
                times.push(time);
                scores.push(rows.scores[index]);
                positive.push(label);
            }
            series.push(ScoredSeries::new(service.as_str(), times, scores, positive, episodes)?);
        }
        ScoredSet::new(spec, step, series)
    }

    fn check_inside(&self, failures: &BTreeMap<String, Episodes>, horizon: i64) -> Result<(), EvalError> {
        for (service, episodes) in failures {
            let rows = self.services.get(service).filter(|rows| !rows.times.is_empty());
            let Some(rows) = rows else { return Err(EvalError::UnknownService { service: service.clone() }) };
            let (first, last) = (rows.times[0], rows.times[rows.times.len() - 1]);
            let is_outside = |episode: &&Episode| {
                episode.end() <= first || episode.onset().millis() > last.millis().saturating_add(horizon)
            };
            if let Some(episode) = episodes.iter().find(is_outside) {
                let (service, onset) = (service.clone(), episode.onset());
                return Err(EvalError::EpisodeOutside { service, onset, first, last });
            }
        }
        Ok(())
    }
}

/// Reads failures from CSV with the columns `service`, `onset`, `end` (first minute after the failure) and, if there is one,
/// `confirmed_at`; others are skipped. Each service's failures are disjoint and in order.
///
/// # Errors
/// [`EvalError::Csv`], [`EvalError::MissingColumn`], [`EvalError::Cell`] with the line, and
/// [`CoreError::Schema`] for times out of order.
pub fn read_episodes(reader: impl Read) -> Result<BTreeMap<String, Episodes>, EvalError> {
    let mut table = Table::open(reader)?;
    let [service, onset, end] = [table.column("service")?, table.column("onset")?, table.column("end")?];
    let confirmed = table.column("confirmed_at").ok();
    let mut services: BTreeMap<String, Vec<Episode>> = BTreeMap::new();
    while let Some(row) = table.next()? {
        let begins = row.time(onset, "onset")?;
        let confirmed = confirmed.map_or(Ok(begins), |column| row.time(column, "confirmed_at"))?;
        let episode = Episode::new(begins, confirmed, row.time(end, "end")?).map_err(CoreError::from)?;
        services.entry(row.text(service).to_owned()).or_default().push(episode);
    }
    let whole = |(service, episodes)| -> Result<_, SchemaError> { Ok((service, Episodes::new(episodes)?)) };
    let services: Result<_, SchemaError> = services.into_iter().map(whole).collect();
    Ok(services.map_err(CoreError::from)?)
}

/// A CSV file that is being read.
struct Table<R> {
    reader: csv::Reader<R>,
    header: Vec<String>,
    record: StringRecord,
}

/// One row of it.
struct Row<'a> {
    record: &'a StringRecord,
    line: u64,
}

impl<R: Read> Table<R> {
    fn open(reader: R) -> Result<Self, EvalError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let header =
            reader.headers()?.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        Ok(Self { reader, header, record: StringRecord::new() })
    }

    fn column(&self, column: &'static str) -> Result<usize, EvalError> {
        let found = self.header.iter().position(|name| name == column);
        found.ok_or_else(|| EvalError::MissingColumn { column, available: self.header.clone() })
    }

    fn next(&mut self) -> Result<Option<Row<'_>>, EvalError> {
        if !self.reader.read_record(&mut self.record)? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(Some(Row { record: &self.record, line }))
    }
}

impl Row<'_> {
    fn text(&self, index: usize) -> &str {
        self.record.get(index).unwrap_or_default()
    }

    fn time(&self, index: usize, column: &'static str) -> Result<Timestamp, EvalError> {
        let text = self.text(index);
        let time = match text.parse::<i64>() {
            // Below 1e11 a number is seconds (until the year 5138), else milliseconds (from 1973).
            Ok(number) if number.unsigned_abs() < 100_000_000_000 => Timestamp::from_millis(number * 1000),
            Ok(number) => Timestamp::from_millis(number),
            Err(_) => text.parse().ok(),
        };
        time.ok_or_else(|| self.cell(index, column, "a time such as 2024-01-01T00:00:00Z"))
    }

    fn score(&self, index: usize) -> Result<Score, EvalError> {
        let score = self.text(index).parse::<f32>().ok().and_then(|value| Score::new(value).ok());
        score.ok_or_else(|| self.cell(index, "score", "a number in 0..=1"))
    }

    fn label(&self, index: usize) -> Result<bool, EvalError> {
        match self.text(index) {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(self.cell(index, "label", "0 or 1")),
        }
    }

    fn cell(&self, index: usize, column: &'static str, expected: &'static str) -> EvalError {
        EvalError::Cell { line: self.line, column, text: self.text(index).to_owned(), expected }
    }
}

use super::table::{self, Table};
use crate::{EvalError, ScoredSeries, ScoredSet};
use forewarn_core::{Score, WindowSpec};
use forewarn_schema::{Episode, Episodes, Step, Timestamp};
use std::{collections::BTreeMap, io::Read, path::Path};

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
    /// [`read`](Self::read)s the file at `path`.
    ///
    /// # Errors
    /// [`EvalError::File`], which names the file and says what is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EvalError> {
        table::open(path.as_ref(), Self::read)
    }

    /// Reads CSV with the columns `service`, `timestamp`, `score` and, if there is one, `label` (0 or 1); others are skipped. Times
    /// are RFC 3339, or seconds or milliseconds since 1970, and ascend within each service.
    ///
    /// # Errors
    /// [`EvalError::Csv`], [`EvalError::MissingColumn`], [`EvalError::Cell`] and [`EvalError::Row`] with the line,
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
                return Err(row.error(EvalError::TimeOrder { service, time: at, previous }));
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

    /// Failures under the names that the scores have for services. A single service on either side needs no name: metrics files often
    /// have none.
    ///
    /// # Errors
    /// [`EvalError::NoCommonService`].
    pub fn matched(
        &self,
        failures: &BTreeMap<String, Episodes>,
    ) -> Result<BTreeMap<String, Episodes>, EvalError> {
        if let (Some((name, _)), Some((_, episodes))) = (only(&self.services), only(failures)) {
            return Ok(BTreeMap::from([(name.clone(), episodes.clone())]));
        }
        if !failures.keys().any(|name| self.services.contains_key(name)) {
            let names = (self.services.keys().cloned().collect(), failures.keys().cloned().collect());
            return Err(EvalError::NoCommonService { scores: names.0, failures: names.1 });
        }
        Ok(failures.clone())
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

/// The entry of a map that has just one.
fn only<V>(map: &BTreeMap<String, V>) -> Option<(&String, &V)> {
    map.first_key_value().filter(|_| map.len() == 1)
}

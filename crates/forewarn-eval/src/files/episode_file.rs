use super::table::{self, END, ONSET, SERVICE, Table};
use crate::{EpisodeClasses, EvalError};
use forewarn_core::CoreError;
use forewarn_schema::{Episode, Episodes, SchemaError};
use std::{collections::BTreeMap, io::Read, path::Path};

/// Failures, as a file holds them: a row a failure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EpisodeFile {
    /// Each service's failures.
    pub episodes: BTreeMap<String, Episodes>,
    /// Classes of them by `fault kind` and by `failure rule`, where the file has such columns and something stands in
    /// them.
    pub classes: Vec<EpisodeClasses>,
}

impl EpisodeFile {
    /// [`read`](Self::read)s the file at `path`.
    ///
    /// # Errors
    /// [`EvalError::File`], which names the file and says what is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EvalError> {
        table::open(path.as_ref(), Self::read)
    }

    /// Reads CSV in any dialect with the columns `service`, `onset` or `start`, `end` (first minute after the failure) and, if they are there,
    /// `confirmed_at`, `kind` (the fault behind it) and `rule` (the failure rule that it satisfies); others are
    /// skipped. Each service's failures are disjoint and in order. A row whose onset and end are both empty says that
    /// the service was watched and did not fail.
    ///
    /// # Errors
    /// [`EvalError::Csv`], [`EvalError::MissingColumn`], [`EvalError::Cell`] and [`EvalError::Row`] with the line.
    pub fn read(reader: impl Read) -> Result<Self, EvalError> {
        let mut table = Table::open(reader)?;
        let service = table.column(SERVICE).ok();
        let [onset, end] = [table.column(ONSET)?, table.column(END)?];
        let confirmed = table.column(&["confirmed_at"]).ok();
        let mut classes = [("kind", "fault kind"), ("rule", "failure rule")]
            .map(|(column, by)| (table.column(&[column]).ok(), EpisodeClasses::new(by)));
        let mut services: BTreeMap<String, Vec<Episode>> = BTreeMap::new();
        while let Some(row) = table.next()? {
            let wrong = |source: SchemaError| row.error(CoreError::from(source).into());
            if row.text(onset).is_empty() && row.text(end).is_empty() {
                services.entry(row.service(service).to_owned()).or_default();
                continue;
            }
            let begins = row.time(onset, "onset")?;
            let confirmed = confirmed.map_or(Ok(begins), |column| row.time(column, "confirmed_at"))?;
            let episode = Episode::new(begins, confirmed, row.time(end, "end")?).map_err(wrong)?;
            let name = row.service(service);
            let known = services.entry(name.to_owned()).or_default();
            if let Some(previous) = known.last().filter(|previous| episode.onset() < previous.end()) {
                let (index, previous_end) = (known.len(), previous.end());
                return Err(wrong(SchemaError::EpisodesOverlap { index, onset: begins, previous_end }));
            }
            known.push(episode);
            for (column, classes) in &mut classes {
                let class = column.map(|column| row.text(column)).filter(|class| !class.is_empty());
                class.map_or(Ok(()), |class| classes.episode(name, &episode, class))?;
            }
        }
        let whole =
            |(service, episodes)| -> Result<_, SchemaError> { Ok((service, Episodes::new(episodes)?)) };
        let episodes: Result<_, SchemaError> = services.into_iter().map(whole).collect();
        let classes = classes.into_iter().map(|(_, classes)| classes).filter(|classes| !classes.is_empty());
        Ok(Self { episodes: episodes.map_err(CoreError::from)?, classes: classes.collect() })
    }
}

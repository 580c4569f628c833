use crate::{SchemaError, Step, Timestamp};
use serde::{Deserialize, Serialize};

/// One failure of one service: `onset <= confirmed_at < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "EpisodeTimes", into = "EpisodeTimes")]
pub struct Episode {
    onset: Timestamp,
    confirmed_at: Timestamp,
    end: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EpisodeTimes {
    onset: Timestamp,
    confirmed_at: Timestamp,
    end: Timestamp,
}

impl Episode {
    /// An episode from its three times.
    ///
    /// # Errors
    /// [`SchemaError::EpisodeOrder`] unless `onset <= confirmed_at < end`.
    pub fn new(onset: Timestamp, confirmed_at: Timestamp, end: Timestamp) -> Result<Self, SchemaError> {
        if onset <= confirmed_at && confirmed_at < end {
            Ok(Self { onset, confirmed_at, end })
        } else {
            Err(SchemaError::EpisodeOrder { onset, confirmed_at, end })
        }
    }

    /// First minute of the sustained run of violations.
    #[must_use]
    pub fn onset(&self) -> Timestamp {
        self.onset
    }

    /// Minute in which the failure rule was first satisfied.
    #[must_use]
    pub fn confirmed_at(&self) -> Timestamp {
        self.confirmed_at
    }

    /// First minute after the failure; where the data ends in the middle of one, the first minute after the data.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether the service is failing at `time`: `onset <= time < end`.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.onset <= time && time < self.end
    }
}

impl TryFrom<EpisodeTimes> for Episode {
    type Error = SchemaError;

    fn try_from(times: EpisodeTimes) -> Result<Self, SchemaError> {
        Self::new(times.onset, times.confirmed_at, times.end)
    }
}

impl From<Episode> for EpisodeTimes {
    fn from(episode: Episode) -> Self {
        Self { onset: episode.onset, confirmed_at: episode.confirmed_at, end: episode.end }
    }
}

/// The failures of one service, disjoint and in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Episode>", into = "Vec<Episode>")]
pub struct Episodes(Vec<Episode>);

impl Episodes {
    /// Episodes that are disjoint and in order.
    ///
    /// # Errors
    /// [`SchemaError::EpisodesOverlap`] where one begins before the one before it has ended.
    pub fn new(episodes: Vec<Episode>) -> Result<Self, SchemaError> {
        for (index, pair) in episodes.windows(2).enumerate() {
            if pair[1].onset < pair[0].end {
                return Err(SchemaError::EpisodesOverlap {
                    index: index + 1,
                    onset: pair[1].onset,
                    previous_end: pair[0].end,
                });
            }
        }
        Ok(Self(episodes))
    }

    /// The episodes of a service of which each row says whether it fails, from the first row at `start` on, one row
    /// every `step`.
    ///
    /// A run of at least `consecutive` failing rows is an episode: its onset is the first row, it is confirmed in the
    /// `consecutive`-th, and it ends with the first row that does not fail, or with the data. Shorter runs are no
    /// failures. 0 counts as 1.
    ///
    /// # Errors
    /// [`SchemaError::TimeOverflow`] for rows beyond the calendar.
    ///
    /// # Examples
    /// ```
    /// use forewarn_schema::{Episodes, Step, Timestamp};
    ///
    /// let failing = [false, true, false, true, true, true, false];
    /// let episodes = Episodes::from_flags(Timestamp::EPOCH, Step::MINUTE, 2, failing)?;
    /// assert_eq!(episodes.len(), 1);
    /// assert_eq!(episodes[0].onset().to_string(), "1970-01-01T00:03:00Z");
    /// assert_eq!(episodes[0].confirmed_at().to_string(), "1970-01-01T00:04:00Z");
    /// assert_eq!(episodes[0].end().to_string(), "1970-01-01T00:06:00Z");
    /// # Ok::<(), forewarn_schema::SchemaError>(())
    /// ```
    pub fn from_flags(
        start: Timestamp,
        step: Step,
        consecutive: usize,
        failing: impl IntoIterator<Item = bool>,
    ) -> Result<Self, SchemaError> {
        let time = |row: usize| {
            let time = i64::try_from(row).ok().and_then(|row| start.checked_add(step, row));
            time.ok_or(SchemaError::TimeOverflow { start, steps: row, step_millis: step.millis() })
        };
        let consecutive = consecutive.max(1);
        let (mut episodes, mut begun, mut row) = (Vec::new(), None, 0);
        // One row after the last, which does not fail, ends what is open.
        for fails in failing.into_iter().chain(std::iter::once(false)) {
            match begun {
                None if fails => begun = Some(row),
                Some(onset) if !fails => {
                    if row - onset >= consecutive {
                        episodes.push(Episode::new(
                            time(onset)?,
                            time(onset + consecutive - 1)?,
                            time(row)?,
                        )?);
                    }
                    begun = None;
                }
                _ => {}
            }
            row += 1;
        }
        Self::new(episodes)
    }
}

impl std::ops::Deref for Episodes {
    type Target = [Episode];

    fn deref(&self) -> &[Episode] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Episodes {
    type Item = &'a Episode;
    type IntoIter = std::slice::Iter<'a, Episode>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl TryFrom<Vec<Episode>> for Episodes {
    type Error = SchemaError;

    fn try_from(episodes: Vec<Episode>) -> Result<Self, SchemaError> {
        Self::new(episodes)
    }
}

impl From<Episodes> for Vec<Episode> {
    fn from(episodes: Episodes) -> Self {
        episodes.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000).unwrap()
    }

    #[test]
    fn times_are_in_order() {
        assert!(Episode::new(at(3), at(4), at(5)).is_ok());
        assert!(Episode::new(at(3), at(3), at(4)).is_ok());
        assert!(Episode::new(at(4), at(3), at(5)).is_err());
        assert!(Episode::new(at(3), at(5), at(5)).is_err());
        let json = r#"{"onset":"1970-01-01T00:05:00Z","confirmed_at":"1970-01-01T00:04:00Z","end":"1970-01-01T00:09:00Z"}"#;
        assert!(serde_json::from_str::<Episode>(json).is_err());
    }

    #[test]
    fn flags_become_episodes() {
        let rows = |flags: &str, consecutive| {
            let failing = flags.chars().map(|flag| flag == 'x');
            let found = Episodes::from_flags(at(10), Step::MINUTE, consecutive, failing).unwrap();
            let minutes = |e: &Episode| [e.onset(), e.confirmed_at(), e.end()].map(|t| t.millis() / 60_000);
            found.iter().map(minutes).collect::<Vec<_>>()
        };
        assert_eq!(rows("", 1), [[0; 3]; 0]);
        assert_eq!(rows("..x.xx", 1), [[12, 12, 13], [14, 14, 16]]);
        assert_eq!(rows("..x.xx", 2), [[14, 15, 16]]);
        assert_eq!(rows("xxx", 0), [[10, 10, 13]]);
        let last = Timestamp::from_millis(253_402_207_200_000).unwrap();
        let beyond = Episodes::from_flags(last, Step::from_millis(86_400_000).unwrap(), 1, [true; 9]);
        assert!(matches!(beyond, Err(SchemaError::TimeOverflow { .. })), "{beyond:?}");
    }

    #[test]
    fn episodes_are_disjoint() {
        let episode = |onset, end| Episode::new(at(onset), at(onset), at(end)).unwrap();
        assert!(Episodes::new(vec![episode(1, 3), episode(3, 4)]).is_ok());
        assert!(Episodes::new(vec![episode(1, 3), episode(2, 4)]).is_err());
        assert!(Episodes::new(vec![episode(5, 6), episode(1, 2)]).is_err());
    }
}

pub(crate) mod dependency;

use crate::{TopologyError, error::refuse_unless, text};
use forewarn_schema::{FrameView, Schema};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a service does, from its own metrics alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Health above a half.
    Healthy,
    /// Some metric at its mark for degraded or beyond: health above 0, at most a half.
    Degraded,
    /// Some metric at its mark for down or beyond: health 0.
    Down,
    /// No metric that the rules watch has a sample.
    Unknown,
}

impl Status {
    /// Health of a service whose metrics are at their marks for degraded.
    pub const DEGRADED_HEALTH: f64 = 0.5;

    /// The status that a health (see [`HealthRules`]) stands for; NaN is unknown.
    #[must_use]
    pub fn of(health: f64) -> Self {
        if health.is_nan() {
            Self::Unknown
        } else if health <= 0.0 {
            Self::Down
        } else if health <= Self::DEGRADED_HEALTH {
            Self::Degraded
        } else {
            Self::Healthy
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        })
    }
}

/// What one metric says of a service's health: 1 up to `fine`, 1/2 at `degraded`, 0 from `down` on, and straight
/// lines between.
///
/// Marks that fall (`fine` above `degraded` above `down`) are for metrics of which little is bad. Without `down` the
/// metric never means more than degraded: a full processor alone stops no request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthMarks {
    /// Metric.
    pub metric: String,
    /// Up to here all is well.
    pub fine: f64,
    /// From here on the service is degraded.
    pub degraded: f64,
    /// From here on it is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<f64>,
}

impl HealthMarks {
    /// A watch that never means more than degraded.
    pub fn new(metric: impl Into<String>, fine: f64, degraded: f64) -> Self {
        Self { metric: metric.into(), fine, degraded, down: None }
    }

    /// The same with a mark from which on the service is down.
    #[must_use]
    pub fn with_down_at(self, down: f64) -> Self {
        Self { down: Some(down), ..self }
    }

    fn check(&self) -> Result<(), TopologyError> {
        let expected = "finite marks that rise, or fall, from fine over degraded to down";
        let name = |mark: &str| format!("{mark} of {}", self.metric);
        refuse_unless(self.fine.is_finite(), name("fine"), self.fine, expected)?;
        let apart = self.degraded.is_finite() && self.degraded != self.fine;
        refuse_unless(apart, name("degraded"), self.degraded, expected)?;
        if let Some(down) = self.down {
            let onward = (down - self.degraded) * (self.degraded - self.fine) > 0.0 && down.is_finite();
            refuse_unless(onward, name("down"), down, expected)?;
        }
        Ok(())
    }

    /// Health by a sample; NaN for NaN.
    fn health(&self, sample: f64) -> f64 {
        let half = Status::DEGRADED_HEALTH;
        // How far the sample is on the way from one mark to the next, whichever direction is worse.
        let way = |from: f64, to: f64| (sample - from) / (to - from);
        let first = way(self.fine, self.degraded);
        if first.is_nan() {
            f64::NAN
        } else if first < 1.0 {
            1.0 - half * first.max(0.0)
        } else {
            self.down.map_or(half, |down| half * (1.0 - way(self.degraded, down).min(1.0)))
        }
    }
}

/// Rules by which metrics become a health from 0 to 1 and a [`Status`]: the worst of a list of [`HealthMarks`]es.
///
/// A missing sample says nothing; a service of which no watched metric has a sample has the health NaN and the status
/// unknown.
///
/// ```
/// use forewarn_schema::Schema;
/// use forewarn_topology::{HealthRules, Status, HealthMarks};
///
/// let schema = Schema::v1();
/// let rules = HealthRules::v1().bind(&schema)?;
/// let mut sample = [1200.0, 0.002, 100.0, 160.0, 220.0, 0.3, 0.4, 200.0, 180.0, 0.0];
/// assert_eq!(rules.status(&sample), Status::Healthy);
/// sample[1] = 0.08;
/// assert_eq!(rules.status(&sample), Status::Degraded);
/// sample[1] = 0.9;
/// assert_eq!(rules.status(&sample), Status::Down);
///
/// let own = HealthRules::from_toml(r#"
///     [[watch]]
///     metric = "request_count"   # a service without traffic is down
///     fine = 100
///     degraded = 10
///     down = 0
/// "#)?;
/// assert_eq!(own.bind(&schema)?.health(&sample), 1.0);
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RulesFile", into = "RulesFile")]
pub struct HealthRules {
    watches: Vec<HealthMarks>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    watch: Vec<HealthMarks>,
}

impl TryFrom<RulesFile> for HealthRules {
    type Error = TopologyError;

    fn try_from(file: RulesFile) -> Result<Self, TopologyError> {
        Self::new(file.watch)
    }
}

impl From<HealthRules> for RulesFile {
    fn from(rules: HealthRules) -> Self {
        Self { watch: rules.watches }
    }
}

impl Default for HealthRules {
    fn default() -> Self {
        Self::v1()
    }
}

impl HealthRules {
    /// The worst of these watches.
    ///
    /// # Errors
    /// [`TopologyError::Empty`] for none, [`TopologyError::InvalidNumber`] for marks that neither rise nor fall.
    pub fn new(watches: Vec<HealthMarks>) -> Result<Self, TopologyError> {
        if watches.is_empty() {
            return Err(TopologyError::Empty { what: "the list of watched metrics" });
        }
        watches.iter().try_for_each(HealthMarks::check)?;
        Ok(Self { watches })
    }

    /// For the metrics of [`Schema::v1`]:
    ///
    /// | metric | fine | degraded | down |
    /// |---|---|---|---|
    /// | `error_rate` | 0.01 | 0.05 | 0.5 |
    /// | `p99_latency`, ms | 500 | 1000 | 10 000 |
    /// | `cpu_usage` | 0.7 | 0.9 | |
    /// | `memory_usage` | 0.8 | 0.95 | |
    /// | `pod_restarts` | 0 | 1 | |
    ///
    /// An error rate of 5 % is forewarn's first definition of failure; what is slow depends on the service, so
    /// replace the second row.
    #[must_use]
    pub fn v1() -> Self {
        let watches = vec![
            HealthMarks::new("error_rate", 0.01, 0.05).with_down_at(0.5),
            HealthMarks::new("p99_latency", 500.0, 1000.0).with_down_at(10_000.0),
            HealthMarks::new("cpu_usage", 0.7, 0.9),
            HealthMarks::new("memory_usage", 0.8, 0.95),
            HealthMarks::new("pod_restarts", 0.0, 1.0),
        ];
        Self { watches }
    }

    /// Reads rules from TOML: a `[[watch]]` for each metric.
    ///
    /// # Errors
    /// [`TopologyError::UnreadableFile`], which names the field and the line, also for what [`new`](Self::new) refuses.
    pub fn from_toml(text: &str) -> Result<Self, TopologyError> {
        text::from_toml("health rules", text)
    }

    /// Reads rules from a TOML file of at most 16 MiB.
    ///
    /// # Errors
    /// [`TopologyError::UnreadablePath`], and as [`from_toml`](Self::from_toml).
    pub fn from_path(path: impl AsRef<std::path::Path>) -> Result<Self, TopologyError> {
        Self::from_toml(&text::read(path.as_ref(), forewarn_core::SMALL_FILE_BYTES)?)
    }

    /// Reads rules from JSON.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self, TopologyError> {
        text::from_json("health rules", text)
    }

    /// The watches.
    #[must_use]
    pub fn watches(&self) -> &[HealthMarks] {
        &self.watches
    }

    /// The rules for rows of `schema`.
    ///
    /// # Errors
    /// [`forewarn_schema::SchemaError::UnknownMetric`] for a watched metric that the schema lacks.
    pub fn bind(&self, schema: &Schema) -> Result<BoundHealthRules, TopologyError> {
        let place = |watch: &HealthMarks| Ok((schema.index_of(&watch.metric)?, watch.clone()));
        Ok(BoundHealthRules {
            watches: self.watches.iter().map(place).collect::<Result<_, TopologyError>>()?,
        })
    }
}

/// [`HealthRules`] for rows of one schema.
#[derive(Clone, Debug)]
pub struct BoundHealthRules {
    watches: Vec<(usize, HealthMarks)>,
}

impl BoundHealthRules {
    /// Health of a service with this row of metrics, 0 to 1; NaN where no watched metric has a sample. Metrics beyond
    /// the row have none.
    #[must_use]
    pub fn health(&self, row: &[f32]) -> f64 {
        let healths = self.watches.iter().map(|(metric, watch)| {
            watch.health(row.get(*metric).map_or(f64::NAN, |&sample| f64::from(sample)))
        });
        // `f64::min` passes over NaN.
        healths.fold(f64::NAN, f64::min)
    }

    /// Status of a service with this row of metrics.
    #[must_use]
    pub fn status(&self, row: &[f32]) -> Status {
        Status::of(self.health(row))
    }

    /// Health at the last row of a frame of the schema; NaN for a frame without rows.
    #[must_use]
    pub fn latest(&self, frame: FrameView<'_>) -> f64 {
        frame.rows().checked_sub(1).and_then(|row| frame.row(row)).map_or(f64::NAN, |row| self.health(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_falls_in_straight_lines_between_the_marks() {
        let rising = HealthMarks::new("x", 10.0, 20.0).with_down_at(60.0);
        for (sample, health) in
            [(0.0, 1.0), (10.0, 1.0), (15.0, 0.75), (20.0, 0.5), (40.0, 0.25), (60.0, 0.0), (99.0, 0.0)]
        {
            assert_eq!(rising.health(sample), health, "{sample}");
            // Mirrored marks judge the mirrored sample the same.
            assert_eq!(
                HealthMarks::new("x", -10.0, -20.0).with_down_at(-60.0).health(-sample),
                health,
                "-{sample}"
            );
        }
        assert_eq!(HealthMarks::new("x", 0.0, 1.0).health(1e9), 0.5);
        assert!(rising.health(f64::NAN).is_nan());
    }

    #[test]
    fn the_worst_sample_counts_and_missing_ones_say_nothing() {
        let rules = HealthRules::v1().bind(&Schema::v1()).unwrap();
        let mut row = [f32::NAN; 10];
        assert_eq!(rules.status(&row), Status::Unknown);
        row[5] = 0.2;
        assert_eq!(rules.health(&row), 1.0);
        row[9] = 3.0;
        assert_eq!(rules.status(&row), Status::Degraded);
        row[1] = 1.0;
        assert_eq!(rules.status(&row), Status::Down);
        assert_eq!(rules.status(&[]), Status::Unknown);
    }

    #[test]
    fn rules_that_make_no_sense_are_refused_with_the_field() {
        let says = |text: &str, parts: &[&str]| {
            let error = HealthRules::from_toml(text).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        says("watch = []", &["health rules", "is empty"]);
        says("[[watch]]\nmetric = 'x'\nfine = 1\ndegraded = 1", &["degraded of x is 1", "rise, or fall"]);
        says("[[watch]]\nmetric = 'x'\nfine = 1\ndegraded = 2\ndown = 1.5", &["down of x is 1.5"]);
        says(
            "[[watch]]\nmetric = 'x'\nfine = 1\ndegraded = 2\ndowm = 3",
            &["watch[0]", "unknown field", "line 5"],
        );
        let missing = HealthRules::new(vec![HealthMarks::new("x", 0.0, 1.0)]).unwrap().bind(&Schema::v1());
        assert!(missing.unwrap_err().to_string().contains("\"x\" is missing"));
    }
}

use crate::{TopologyError, error::refuse_unless, text};
use forewarn_schema::{FrameView, Schema, Step};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What a service level objective counts as good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Indicator {
    /// Share of requests that succeed.
    Availability {
        /// Metric that counts requests.
        requests: String,
        /// Metric that is the share of failed ones.
        error_rate: String,
    },
    /// Share of rows (minutes, for most frames) with at most this share of errors.
    Errors {
        /// Metric that is the share of failed requests.
        error_rate: String,
        /// Limit.
        at_most: f64,
    },
    /// Share of rows with at most this latency.
    Latency {
        /// Metric, such as `p99_latency`.
        metric: String,
        /// Limit, in the metric's unit.
        at_most: f64,
    },
    /// Share of rows with at least so many requests.
    Throughput {
        /// Metric that counts requests.
        requests: String,
        /// Limit, per row.
        at_least: f64,
    },
}

/// A service level objective: what share of an [`Indicator`]'s events should be good, and over which windows its burn rate is watched.
///
/// An event is a request for availability, a row for all others; rows whose samples are missing have none. The error budget is the share of
/// events that may be bad, `1 - objective`. A row is a *violation* when more of its events are bad than that. The *burn rate* of a window is the share of
/// bad events in it over the budget: at 1 the budget lasts just as long as the objective's period.
///
/// ```
/// use forewarn_topology::Slo;
///
/// let slos = Slo::list_from_toml(r#"
///     [[slo]]
///     name = "checkout answers"
///     objective = 0.999
///     indicator.availability = { requests = "request_count", error_rate = "error_rate" }
///
///     [[slo]]
///     name = "checkout is quick"
///     objective = 0.95
///     indicator.latency = { metric = "p99_latency", at_most = 500 }
///     windows_minutes = [5, 60]
/// "#)?;
/// assert_eq!(slos.len(), 2);
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
///
/// # References
/// B. Beyer et al. (eds.), *The Site Reliability Workbook*, O'Reilly 2018, chapters 2 and 5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SloRow", into = "SloRow")]
pub struct Slo {
    name: String,
    indicator: Indicator,
    objective: f64,
    windows_minutes: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SloRow {
    name: String,
    objective: f64,
    indicator: Indicator,
    #[serde(default = "usual_windows")]
    windows_minutes: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SloFile {
    slo: Vec<Slo>,
}

fn usual_windows() -> Vec<u32> {
    Slo::WINDOWS_MINUTES.to_vec()
}

impl TryFrom<SloRow> for Slo {
    type Error = TopologyError;

    fn try_from(row: SloRow) -> Result<Self, TopologyError> {
        Self::new(row.name, row.indicator, row.objective)?.windows_minutes(row.windows_minutes)
    }
}

impl From<Slo> for SloRow {
    fn from(slo: Slo) -> Self {
        let Slo { name, indicator, objective, windows_minutes } = slo;
        Self { name, objective, indicator, windows_minutes }
    }
}

impl Slo {
    /// Windows of burn rates unless said otherwise: those of the workbook's alerts, 5 and 30 minutes, 1 and 6 hours, 3 days.
    pub const WINDOWS_MINUTES: [u32; 5] = [5, 30, 60, 6 * 60, 3 * 24 * 60];

    /// An objective with the usual windows.
    ///
    /// # Errors
    /// [`TopologyError::EmptyName`], [`TopologyError::InvalidNumber`] unless `objective` is above 0 and below 1 and the indicator's limit finite.
    pub fn new(name: impl Into<String>, indicator: Indicator, objective: f64) -> Result<Self, TopologyError> {
        let name = name.into();
        if name.trim().is_empty() {
            return Err(TopologyError::EmptyName);
        }
        let between = objective > 0.0 && objective < 1.0;
        refuse_unless(between, format!("objective of {name:?}"), objective, "a share between 0 and 1")?;
        let limit = match indicator {
            Indicator::Availability { .. } => 0.0,
            Indicator::Errors { at_most, .. } | Indicator::Latency { at_most, .. } => at_most,
            Indicator::Throughput { at_least, .. } => at_least,
        };
        refuse_unless(limit.is_finite(), format!("limit of {name:?}"), limit, "a finite number")?;
        Ok(Self { name, indicator, objective, windows_minutes: usual_windows() })
    }

    /// Other windows for its burn rates.
    ///
    /// # Errors
    /// [`TopologyError::InvalidNumber`] for a window of 0 minutes or more than 90 days.
    pub fn windows_minutes(mut self, windows_minutes: Vec<u32>) -> Result<Self, TopologyError> {
        for &window in &windows_minutes {
            let fine = (1..=90 * 24 * 60).contains(&window);
            let what = || format!("a window of {:?} in minutes", self.name);
            refuse_unless(fine, what(), f64::from(window), "1 to 129600")?;
        }
        self.windows_minutes = windows_minutes;
        Ok(self)
    }

    /// Two objectives for the metrics of [`Schema::v1`]: 99.9 % of requests succeed; 99 % of rows have a `p99_latency` of at most 1000 ms.
    #[must_use]
    pub fn v1() -> Vec<Self> {
        let slo = |name: &str, objective, indicator| Self {
            name: name.to_owned(),
            indicator,
            objective,
            windows_minutes: usual_windows(),
        };
        let (requests, error_rate) = ("request_count".to_owned(), "error_rate".to_owned());
        vec![
            slo("availability", 0.999, Indicator::Availability { requests, error_rate }),
            slo("latency", 0.99, Indicator::Latency { metric: "p99_latency".to_owned(), at_most: 1000.0 }),
        ]
    }

    /// Reads objectives from TOML: an `[[slo]]` for each.
    ///
    /// # Errors
    /// [`TopologyError::UnreadableFile`], which names the field and the line, also for what [`new`](Self::new) refuses.
    pub fn list_from_toml(text: &str) -> Result<Vec<Self>, TopologyError> {
        Ok(text::from_toml::<SloFile>("service level objectives", text)?.slo)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The share of events that should be good.
    #[must_use]
    pub fn objective(&self) -> f64 {
        self.objective
    }

    /// Judges all rows of a frame.
    ///
    /// # Errors
    /// [`forewarn_schema::SchemaError::UnknownMetric`] for a metric of the indicator that the frame lacks.
    pub fn assess(&self, frame: FrameView<'_>) -> Result<SloReport, TopologyError> {
        let mut tracker = self.track(frame.schema(), frame.step())?;
        for row in frame.values().chunks_exact(frame.schema().len()) {
            tracker.count(row);
        }
        Ok(tracker.report())
    }

    /// Begins to judge rows of `schema`, one every `step`, as they come.
    ///
    /// # Errors
    /// As [`assess`](Self::assess).
    pub fn track(&self, schema: &Schema, step: Step) -> Result<SloTracker, TopologyError> {
        let position = |metric: &str| schema.index_of(metric);
        let judge = match &self.indicator {
            Indicator::Availability { requests, error_rate } => {
                Judge::Requests { requests: position(requests)?, error_rate: position(error_rate)? }
            }
            Indicator::Errors { error_rate: metric, at_most } | Indicator::Latency { metric, at_most } => {
                Judge::AtMost(position(metric)?, *at_most)
            }
            Indicator::Throughput { requests, at_least } => Judge::AtLeast(position(requests)?, *at_least),
        };
        let rows = |&minutes: &u32| (f64::from(minutes) / step.minutes()).ceil().max(1.0) as usize;
        let windows: Vec<usize> = self.windows_minutes.iter().map(rows).collect();
        let kept = windows.iter().max().copied().unwrap_or(0) + 1;
        let past = VecDeque::from([Events::default()]);
        let (slo, schema) = (self.clone(), schema.clone());
        Ok(SloTracker { slo, schema, judge, windows, kept, past, violations: 0, rows: 0 })
    }
}

/// Which events of a row are bad.
#[derive(Clone, Copy, Debug)]
enum Judge {
    Requests { requests: usize, error_rate: usize },
    AtMost(usize, f64),
    AtLeast(usize, f64),
}

impl Judge {
    /// The events of a row; `None` where a sample is missing.
    fn events(self, row: &[f32]) -> Option<Events> {
        let sample = |metric: usize| Some(f64::from(row[metric])).filter(|x| !x.is_nan());
        let row = |bad: bool| Events { bad: f64::from(u8::from(bad)), all: 1.0 };
        Some(match self {
            Self::Requests { requests, error_rate } => {
                let (all, rate) = (sample(requests)?, sample(error_rate)?);
                Events { bad: all * rate, all }
            }
            Self::AtMost(metric, limit) => row(sample(metric)? > limit),
            Self::AtLeast(metric, limit) => row(sample(metric)? < limit),
        })
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Events {
    bad: f64,
    all: f64,
}

impl Events {
    fn bad_share(self) -> Option<f64> {
        (self.all > 0.0).then(|| self.bad / self.all)
    }
}

/// An objective in the middle of a service's rows. Memory: 16 bytes for each row of the longest window.
#[derive(Clone, Debug)]
pub struct SloTracker {
    slo: Slo,
    schema: Schema,
    judge: Judge,
    /// Rows of each window.
    windows: Vec<usize>,
    kept: usize,
    /// Events up to each of the last rows; never empty.
    past: VecDeque<Events>,
    violations: usize,
    rows: usize,
}

impl SloTracker {
    /// Takes the next row (all NaN for a missed step) and says whether it is a violation; `None` where samples are missing or there was no
    /// request. Constant time.
    ///
    /// # Errors
    /// As [`Schema::check_row`] for a row that no frame could hold, which leaves the tracker as it was.
    pub fn push(&mut self, row: &[f32]) -> Result<Option<bool>, TopologyError> {
        self.schema.check_row(row)?;
        Ok(self.count(row))
    }

    /// [`push`](Self::push) for a row that has been checked.
    pub(crate) fn count(&mut self, row: &[f32]) -> Option<bool> {
        let events = self.judge.events(row);
        let mut sum = self.past.back().copied().unwrap_or_default();
        if let Some(Events { bad, all }) = events {
            sum.bad += bad;
            sum.all += all;
        }
        self.past.push_back(sum);
        if self.past.len() > self.kept.max(1) {
            self.past.pop_front();
        }
        let violated = events.and_then(Events::bad_share).map(|share| share > self.budget());
        self.rows += usize::from(violated.is_some());
        self.violations += usize::from(violated == Some(true));
        violated
    }

    /// Burn rate over each of the objective's windows, or as much of it as there is; `None` for one without events. Constant time each.
    pub fn burn_rates(&self) -> impl Iterator<Item = BurnRate> + '_ {
        let last = self.past.len() - 1;
        self.windows.iter().zip(&self.slo.windows_minutes).map(move |(&rows, &window_minutes)| {
            let (now, then) = (self.past[last], self.past[last.saturating_sub(rows)]);
            let within = Events { bad: (now.bad - then.bad).max(0.0), all: now.all - then.all };
            BurnRate { window_minutes, rate: within.bad_share().map(|share| share / self.budget()) }
        })
    }

    /// All that was found so far.
    #[must_use]
    pub fn report(&self) -> SloReport {
        let share = self.past.back().and_then(|events| events.bad_share());
        SloReport {
            name: self.slo.name.clone(),
            objective: self.slo.objective,
            achieved: share.map(|share| 1.0 - share),
            rows: self.rows,
            violations: self.violations,
            budget_spent: share.map(|share| share / self.budget()),
            burn_rates: self.burn_rates().collect(),
        }
    }

    fn budget(&self) -> f64 {
        1.0 - self.slo.objective
    }
}

/// How a service did against an objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SloReport {
    /// The objective's name.
    pub name: String,
    /// Share of events that should be good.
    pub objective: f64,
    /// Share that were; `None` without events.
    pub achieved: Option<f64>,
    /// Rows with events.
    pub rows: usize,
    /// Rows in which more events than the budget allows were bad.
    pub violations: usize,
    /// Part of the error budget of this time that was used up: 1 is all of it, more is an objective missed.
    pub budget_spent: Option<f64>,
    /// Burn rates at the end, window by window.
    pub burn_rates: Vec<BurnRate>,
}

/// How fast the error budget was used up in the last minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BurnRate {
    /// Length of the window.
    pub window_minutes: u32,
    /// Times faster than the objective allows; `None` for a window without events.
    pub rate: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Timestamp};

    fn frame(rows: &[[f32; 3]]) -> Frame {
        let schema = Schema::new(["requests", "errors", "latency"].map(Metric::gauge).to_vec()).unwrap();
        Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, rows.concat()).unwrap()
    }

    fn availability() -> Slo {
        let (requests, error_rate) = ("requests".into(), "errors".into());
        Slo::new("up", Indicator::Availability { requests, error_rate }, 0.99)
            .unwrap()
            .windows_minutes(vec![2, 100])
            .unwrap()
    }

    #[test]
    fn requests_are_counted_and_budgets_burn() {
        let missing = [f32::NAN, 0.5, 1.0];
        let rows = [[1000.0, 0.0, 1.0], [1000.0, 0.0, 1.0], [0.0, 1.0, 1.0], missing, [1000.0, 0.04, 1.0]];
        let report = availability().assess(frame(&rows).view()).unwrap();
        assert_eq!((report.rows, report.violations), (3, 1));
        // 40 of 3000 requests were bad where 30 were allowed.
        assert!((report.achieved.unwrap() - (1.0 - 40.0 / 3000.0)).abs() < 1e-6);
        assert!((report.budget_spent.unwrap() - 40.0 / 30.0).abs() < 1e-5);
        let rates: Vec<f64> = report.burn_rates.iter().map(|burn| burn.rate.unwrap()).collect();
        assert!((rates[0] - 4.0).abs() < 1e-5 && (rates[1] - 40.0 / 30.0).abs() < 1e-5, "{rates:?}");
        let nothing = availability().assess(frame(&[missing]).view()).unwrap();
        assert_eq!((nothing.achieved, nothing.burn_rates[0].rate), (None, None));
    }

    #[test]
    fn rows_are_judged_by_their_limits() {
        let rows = [[5.0, 0.1, 200.0], [50.0, 0.2, 700.0], [500.0, 0.01, f32::NAN]];
        let violations = |indicator| {
            let slo = Slo::new("x", indicator, 0.9).unwrap();
            let report = slo.assess(frame(&rows).view()).unwrap();
            (report.violations, report.rows)
        };
        assert_eq!(violations(Indicator::Latency { metric: "latency".into(), at_most: 500.0 }), (1, 2));
        assert_eq!(violations(Indicator::Errors { error_rate: "errors".into(), at_most: 0.05 }), (2, 3));
        assert_eq!(violations(Indicator::Throughput { requests: "requests".into(), at_least: 50.0 }), (1, 3));
    }

    #[test]
    fn a_window_forgets_what_lies_before_it() {
        let mut tracker = availability().track(frame(&[]).view().schema(), Step::MINUTE).unwrap();
        assert_eq!(tracker.burn_rates().next().unwrap().rate, None);
        for minute in 0..500 {
            let errors = if minute < 400 { 0.5 } else { 0.0 };
            tracker.push(&[100.0, errors, 0.0]).unwrap();
        }
        let rates: Vec<_> = tracker.burn_rates().map(|burn| burn.rate.unwrap()).collect();
        assert_eq!(rates, [0.0, 0.0]);
        assert_eq!(tracker.report().violations, 400);
        assert_eq!(tracker.past.len(), 101);
    }

    #[test]
    fn a_row_that_no_frame_could_hold_leaves_a_tracker_as_it_was() {
        let schema = frame(&[]).view().schema().clone();
        let [mut tracker, mut twin] = [(); 2].map(|()| availability().track(&schema, Step::MINUTE).unwrap());
        for row in [[1000.0, 0.01, 1.0], [500.0, 0.5, f32::NAN], [0.0, 0.0, 1.0]] {
            for wrong in [&[f32::INFINITY, 0.0, 1.0][..], &[9.0, f32::NEG_INFINITY, 1.0], &row[1..]] {
                assert!(tracker.push(wrong).is_err(), "{wrong:?}");
            }
            assert_eq!(tracker.push(&row).unwrap(), twin.push(&row).unwrap());
            assert_eq!(tracker.report(), twin.report());
        }
        assert!(tracker.burn_rates().all(|burn| burn.rate.is_some()));
    }

    #[test]
    fn files_with_a_wrong_field_say_where() {
        let says = |text: &str, parts: &[&str]| {
            let error = Slo::list_from_toml(text).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        let latency = "indicator.latency = { metric = 'x', at_most = 5 }";
        says(
            &format!("[[slo]]\nname = 'a'\nobjective = 1.0\n{latency}"),
            &["slo[0]", "objective of \"a\" is 1"],
        );
        says(
            "[[slo]]\nname = 'a'\nobjective = 0.9\nindicator.speed = 7",
            &["slo[0].indicator", "unknown variant `speed`"],
        );
        says(
            &format!("[[slo]]\nname = 'a'\nobjektive = 0.9\n{latency}"),
            &["slo[0]", "unknown field `objektive`"],
        );
        says(
            &format!("[[slo]]\nname = 'a'\nobjective = 0.9\nwindows_minutes = [0]\n{latency}"),
            &["window of \"a\" in minutes is 0"],
        );
        let slo = &Slo::v1()[0];
        assert!(
            slo.assess(frame(&[]).view()).unwrap_err().to_string().contains("\"request_count\" is missing")
        );
        let json = serde_json::to_string(slo).unwrap();
        assert_eq!(serde_json::from_str::<Slo>(&json).unwrap(), *slo);
    }
}

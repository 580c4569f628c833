//! An objective at work on the rows of one service.

use crate::{LabelError, watch::sliding::Sums};
use forewarn_schema::{Schema, Step};
use serde::{Deserialize, Serialize};

/// Which events of a row are bad.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Judge {
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Events {
    bad: f64,
    all: f64,
}

impl Events {
    fn bad_share(self) -> Option<f64> {
        (self.all > 0.0).then(|| self.bad / self.all)
    }
}

/// An objective in the middle of a service's rows. Memory: some 30 bytes for each row of each window.
///
/// Every window is summed from its own rows, so a row that has left it leaves no trace, however large it was.
#[derive(Clone, Debug)]
pub struct SloState {
    name: String,
    objective: f64,
    schema: Schema,
    judge: Judge,
    /// Minutes of each window, with its bad and all events.
    windows: Vec<(u32, Sums)>,
    /// Of all rows.
    total: Events,
    violations: usize,
    rows: usize,
}

impl SloState {
    pub(super) fn new(
        name: &str,
        objective: f64,
        windows_minutes: &[u32],
        (schema, step): (&Schema, Step),
        judge: Judge,
    ) -> Self {
        let rows = |minutes: u32| (f64::from(minutes) / step.minutes()).ceil().max(1.0) as usize;
        let windows = windows_minutes.iter().map(|&minutes| (minutes, Sums::new(rows(minutes)))).collect();
        let total = Events::default();
        Self {
            name: name.to_owned(),
            objective,
            schema: schema.clone(),
            judge,
            windows,
            total,
            violations: 0,
            rows: 0,
        }
    }

    /// Takes the next row (all NaN for a missed step) and says whether it is a violation; `None` where samples are
    /// missing or there was no request. Constant time.
    ///
    /// # Errors
    /// As [`Schema::check_row`] for a row that no frame could hold, which leaves the state as it was.
    pub fn push(&mut self, row: &[f32]) -> Result<Option<bool>, LabelError> {
        self.schema.check_row(row)?;
        Ok(self.count(row))
    }

    /// [`push`](Self::push) for a row that has been checked.
    pub(super) fn count(&mut self, row: &[f32]) -> Option<bool> {
        let events = self.judge.events(row);
        for (_, window) in &mut self.windows {
            window.push(events.map(|Events { bad, all }| [bad, all]));
        }
        if let Some(Events { bad, all }) = events {
            self.total.bad += bad;
            self.total.all += all;
        }
        let violated = events.and_then(Events::bad_share).map(|share| share > self.budget());
        self.rows += usize::from(violated.is_some());
        self.violations += usize::from(violated == Some(true));
        violated
    }

    /// Burn rate over each of the objective's windows, or as much of it as there is; `None` for one without events.
    /// Constant time each.
    pub fn burn_rates(&self) -> impl Iterator<Item = WindowBurn> + '_ {
        self.windows.iter().map(|(window_minutes, window)| {
            let ([bad, all], _) = window.get();
            let share = Events { bad, all }.bad_share();
            WindowBurn { window_minutes: *window_minutes, rate: share.map(|share| share / self.budget()) }
        })
    }

    /// All that was found so far.
    #[must_use]
    pub fn report(&self) -> SloReport {
        let share = self.total.bad_share();
        SloReport {
            name: self.name.clone(),
            objective: self.objective,
            achieved: share.map(|share| 1.0 - share),
            rows: self.rows,
            violations: self.violations,
            budget_spent: share.map(|share| share / self.budget()),
            burn_rates: self.burn_rates().collect(),
        }
    }

    fn budget(&self) -> f64 {
        1.0 - self.objective
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
    pub burn_rates: Vec<WindowBurn>,
}

/// How fast the error budget was used up in the last minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WindowBurn {
    /// Length of the window.
    pub window_minutes: u32,
    /// Times faster than the objective allows; `None` for a window without events.
    pub rate: Option<f64>,
}

//! An objective at work on the rows of one service.

use super::{
    blocks::{self, Blocks, Tally},
    events::Events,
};
use crate::{BurnRate, Indicator, LabelError, Slo};
use forewarn_core::{CoreError, Fingerprint, restore_part, save_part, seal, unseal};
use forewarn_schema::{FrameView, Schema, Step};
use serde::{Deserialize, Serialize};

/// Which events of a row are bad.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
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

/// An objective in the middle of a service's rows.
///
/// Windows of up to two hours (at a step of a minute, less than 120 rows) are summed row by row. Longer ones are
/// summed from blocks, so that they lack less than a 24th of their length, and a row that has left a window leaves no
/// trace, however large it was. Memory with the usual windows and a period of 30 days: 264 blocks of 24 bytes, 6.3 kB.
#[derive(Clone, Debug)]
pub struct SloState {
    slo: Slo,
    schema: Schema,
    step: Step,
    judge: Judge,
    pairs: Vec<Pair>,
    seen: Seen,
    fingerprint: Fingerprint,
}

/// What was seen so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seen {
    blocks: Vec<Blocks>,
    /// Of all rows.
    total: Events,
    violations: usize,
    rows: usize,
}

/// A long and a short window, in rows, and the burn rate that both are to exceed.
#[derive(Clone, Copy, Debug)]
struct Pair {
    factor: f64,
    long: usize,
    short: usize,
    level: SloLevel,
}

/// How an objective stands, from good to bad.
///
/// The pairs of windows are those of the workbook: 2 % of the budget burnt in an hour or 5 % in 6 hours is a page,
/// 10 % in a day or in 3 days a ticket; the short window, a twelfth of the long one, says whether it still goes on.
/// A long window says nothing before half of its rows are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SloLevel {
    /// The budget lasts at the present pace, or too little is known.
    #[default]
    Met,
    /// It burns too fast to wait for weeks.
    Ticket,
    /// It burns too fast to wait for hours.
    Page,
}

impl Slo {
    /// Judges all rows of a frame.
    ///
    /// # Errors
    /// Those of [`check`](Self::check); [`forewarn_schema::SchemaError::UnknownMetric`] for a metric of the indicator
    /// that the frame lacks.
    pub fn assess(&self, frame: FrameView<'_>) -> Result<SloReport, LabelError> {
        let mut state = self.start(frame.schema(), frame.step())?;
        for row in frame.values().chunks_exact(frame.schema().len()) {
            state.count(row);
        }
        Ok(state.report())
    }

    /// Begins to judge rows of `schema`, one every `step`, as they come.
    ///
    /// # Errors
    /// As [`assess`](Self::assess).
    pub fn start(&self, schema: &Schema, step: Step) -> Result<SloState, LabelError> {
        self.check()?;
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
        SloState::new(self, schema, step, judge)
    }
}

impl SloState {
    fn new(slo: &Slo, schema: &Schema, step: Step, judge: Judge) -> Result<Self, LabelError> {
        let rows = |minutes: u32| rows_of(minutes, step);
        let within = |minutes: u32| minutes < slo.period_minutes();
        let burn = BurnRate::over(slo.objective(), slo.period_days());
        let pair = |(index, window): (usize, &crate::BurnWindow)| {
            let minutes = |span| match span {
                crate::Span::Seconds(seconds) => seconds / 60,
                crate::Span::Steps(_) => 0,
            };
            let level = if index < 2 { SloLevel::Page } else { SloLevel::Ticket };
            let (long, short) = (minutes(window.long), minutes(window.short));
            within(long).then(|| Pair { factor: window.factor, long: rows(long), short: rows(short), level })
        };
        let pairs: Vec<Pair> = burn.windows.iter().enumerate().filter_map(pair).collect();
        let windows = slo.windows().iter().map(|&minutes| rows(minutes));
        let windows = windows.chain(pairs.iter().flat_map(|pair| [pair.long, pair.short]));
        let blocks = blocks::for_windows(windows.chain([rows(slo.period_minutes())]));
        Ok(Self {
            fingerprint: Fingerprint::of("slo").and(slo)?.and(schema)?.and(&step)?,
            slo: slo.clone(),
            schema: schema.clone(),
            step,
            judge,
            pairs,
            seen: Seen { blocks, total: Events::default(), violations: 0, rows: 0 },
        })
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
        self.seen.blocks.iter_mut().for_each(|blocks| blocks.push(events));
        if let Some(events) = events {
            self.seen.total.add(events);
        }
        let violated = events.and_then(Events::bad_share).map(|share| share > self.budget());
        self.seen.rows += usize::from(violated.is_some());
        self.seen.violations += usize::from(violated == Some(true));
        violated
    }

    /// The objective.
    #[must_use]
    pub fn slo(&self) -> &Slo {
        &self.slo
    }

    /// Burn rate over each of the objective's windows, or as much of it as there is; `None` for one without events.
    /// At most some hundred additions each.
    pub fn burn_rates(&self) -> impl Iterator<Item = WindowBurn> + '_ {
        self.slo.windows().iter().map(|&window_minutes| {
            let rate = self.burn_rate(rows_of(window_minutes, self.step)).0;
            WindowBurn { window_minutes, rate }
        })
    }

    /// How the objective stands after the last row.
    #[must_use]
    pub fn level(&self) -> SloLevel {
        let burns = |rows: usize, factor: f64| {
            let (rate, known) = self.burn_rate(rows);
            2 * known as usize >= rows && rate.is_some_and(|rate| rate > factor)
        };
        let fires = |pair: &&Pair| burns(pair.long, pair.factor) && burns(pair.short, pair.factor);
        self.pairs.iter().filter(fires).map(|pair| pair.level).max().unwrap_or_default()
    }

    /// Part of the error budget that is left of the last period, or of as much of it as there is: 1 is all, 0 and less
    /// an objective that is missed. `None` without events.
    #[must_use]
    pub fn budget_left(&self) -> Option<f64> {
        self.burn_rate(rows_of(self.slo.period_minutes(), self.step)).0.map(|spent| 1.0 - spent)
    }

    /// Minutes until the budget of a period is used up, should errors come as in the last hour: 0 if it is used up,
    /// `None` where they do not come fast enough, or nothing is known.
    #[must_use]
    pub fn minutes_to_exhaustion(&self) -> Option<f64> {
        let left = self.budget_left()?;
        if left <= 0.0 {
            return Some(0.0);
        }
        let pace = self.burn_rate(rows_of(60, self.step)).0?;
        (pace > 1.0).then(|| left * f64::from(self.slo.period_minutes()) / pace)
    }

    /// All that was found so far.
    #[must_use]
    pub fn report(&self) -> SloReport {
        let share = self.seen.total.bad_share();
        SloReport {
            name: self.slo.name().to_owned(),
            objective: self.slo.objective(),
            achieved: share.map(|share| 1.0 - share),
            rows: self.seen.rows,
            violations: self.seen.violations,
            budget_spent: share.map(|share| share / self.budget()),
            burn_rates: self.burn_rates().collect(),
        }
    }

    /// Appends what has been seen to `out`, without the settings. Whose rows they are is for the caller to keep.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        seal(self.fingerprint, out, |out| save_part(&self.seen, out))
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same as if it had
    /// never stopped, bit for bit.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another objective, schema or step.
    /// The state is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let mut body = unseal(self.fingerprint, "an objective", &mut rest)?;
        let seen: Seen = restore_part(&mut body)?;
        let damaged = |reason: &str| Err(CoreError::damaged_state(reason));
        if seen.blocks.len() != self.seen.blocks.len() {
            return damaged("an objective has other windows");
        }
        self.seen.blocks.iter().zip(&seen.blocks).try_for_each(|(own, saved)| own.check(saved))?;
        let Events { bad, all } = seen.total;
        if !(bad.is_finite() && all.is_finite() && seen.violations <= seen.rows && body.is_empty()) {
            return damaged("the counts of an objective do not go together");
        }
        (self.seen, *from) = (seen, rest);
        Ok(())
    }

    /// Burn rate over the last rows, and how many of them are known.
    fn burn_rate(&self, rows: usize) -> (Option<f64>, u32) {
        let Tally { events, known } = blocks::sum(&self.seen.blocks, rows);
        (events.bad_share().map(|share| share / self.budget()), known)
    }

    fn budget(&self) -> f64 {
        1.0 - self.slo.objective()
    }
}

/// Rows of a window of some minutes.
fn rows_of(minutes: u32, step: Step) -> usize {
    (f64::from(minutes) / step.minutes()).ceil().max(1.0) as usize
}

/// How a service did against an objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowBurn {
    /// Length of the window.
    pub window_minutes: u32,
    /// Times faster than the objective allows; `None` for a window without events.
    pub rate: Option<f64>,
}

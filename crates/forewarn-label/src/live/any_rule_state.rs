use crate::{LabelError, RuleEvent, live::clock::Clock};
use forewarn_core::{Assessment, CoreError, FailureRule, Fingerprint, restore_part, save_part, seal, unseal};
use forewarn_schema::{Episode, Frame, Schema, Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Any [`FailureRule`] on a live stream of one service, one of your own too: it keeps the last rows, and assesses
/// them again with each row that comes.
///
/// A [`Rule`](crate::Rule) is faster, and knows episodes sooner, as a [`RuleState`](crate::RuleState). This is for
/// rules that are no values of this crate. Episodes are those that [`assess`](FailureRule::assess) finds in all rows
/// at once:
///
/// | known | when |
/// |---|---|
/// | that a failure is confirmed | with the row `confirmed_at` |
/// | its final onset, its end, and unknown rows | [`confirmation_at`](FailureRule::confirmation_at) rows later, when the rule is sure |
///
/// That holds for rules that keep the laws of `forewarn_core::conformance::failure_rule` (feature `conformance` of
/// that crate), and while `lookback_rows` is large enough: the rows before a row that the rule looks at to judge it,
/// by its longest mean, the longest gap that it bridges, the shortest failure, the longest recovery. 0 is enough for
/// a rule that judges every row by itself.
///
/// Work for each row: an assessment of `lookback_rows + confirmation + 1` rows. Memory: those rows, and about 200
/// bytes. Saved: 4 bytes a value of those rows, and about 60.
///
/// ```
/// use forewarn_core::V1Rule;
/// use forewarn_label::{AnyRuleState, RuleEvent};
/// use forewarn_schema::{Metric, Schema, Step, Timestamp};
/// use std::sync::Arc;
///
/// let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
/// let mut shop = AnyRuleState::new(Arc::new(V1Rule), "shop", &schema, Timestamp::EPOCH, Step::MINUTE, 1)?;
/// assert_eq!(shop.push(&[0.06])?, []);
/// assert!(matches!(shop.push(&[0.08])?[..], [RuleEvent::Confirmed { onset: Timestamp::EPOCH, .. }]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AnyRuleState {
    rule: Arc<dyn FailureRule>,
    service: String,
    schema: Schema,
    clock: Clock,
    confirmation: usize,
    /// Rows that are kept.
    most: usize,
    /// The last rows, `[row, metric]`.
    values: Vec<f32>,
    /// Rows so far.
    rows: usize,
    open: Open,
    fingerprint: Fingerprint,
}

/// What has begun and has no end that is final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Open {
    /// First row of an episode, and the row that confirmed it.
    episode: Option<(usize, usize)>,
    /// First of the rows in which it is unknown whether the service fails.
    unknown: Option<usize>,
}

/// What an assessment of the kept rows says, in rows of the stream.
struct Found {
    /// Onset, confirmation and end.
    episodes: Vec<[usize; 3]>,
    unknown: Vec<std::ops::Range<usize>>,
}

impl AnyRuleState {
    /// A state of a service whose first row is at `start`.
    ///
    /// # Errors
    /// [`LabelError::Core`] for a rule that does not take rows of `schema`, or needs no row to be sure.
    pub fn new(
        rule: Arc<dyn FailureRule>,
        service: impl Into<String>,
        schema: &Schema,
        start: Timestamp,
        step: Step,
        lookback_rows: usize,
    ) -> Result<Self, LabelError> {
        let (service, confirmation) = (service.into(), rule.confirmation_at(step));
        if confirmation == 0 {
            let (name, value) = ("confirmation of a rule", "0".to_owned());
            return Err(CoreError::InvalidSetting { name, value, expected: "at least 1 row" }.into());
        }
        let settings = (step, lookback_rows, confirmation);
        let fingerprint =
            Fingerprint::of("any rule").and_text(&rule.describe()).and_text(&service).and(schema)?;
        let state = Self {
            service,
            schema: schema.clone(),
            clock: Clock::new(start, step),
            confirmation,
            most: lookback_rows.saturating_add(confirmation).saturating_add(1),
            values: Vec::new(),
            rows: 0,
            open: Open::default(),
            fingerprint: fingerprint.and(&settings)?,
            rule,
        };
        // A rule that lacks a metric says so before the first row.
        state.assess(Vec::new(), 0)?;
        Ok(state)
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Takes the next row (all NaN for a missed step), and gives what has become known with it.
    ///
    /// # Errors
    /// As [`Schema::check_row`] for a row that no frame could hold; [`LabelError::BeyondCalendar`];
    /// [`LabelError::OffClock`] and [`LabelError::UnknownRows`] for a rule that finds what is not in its frame; those
    /// of the rule. All leave the state as it was.
    pub fn push(&mut self, row: &[f32]) -> Result<Vec<RuleEvent>, LabelError> {
        self.schema.check_row(row)?;
        let (now, rows) = (self.rows, self.rows + 1);
        self.clock.time(rows)?;
        let surplus = (self.values.len() / row.len() + 1).saturating_sub(self.most) * row.len();
        let values = [&self.values[surplus..], row].concat();
        let found = self.assess(values.clone(), rows)?;
        let (mut events, mut open) = (Vec::new(), self.open);
        for &[onset, confirmed, _] in found.episodes.iter().filter(|episode| episode[1] == now) {
            let (onset, confirmed_at) = (self.clock.time(onset)?, self.clock.time(confirmed)?);
            events.push(RuleEvent::Confirmed { onset, confirmed_at });
        }
        if let Some(sure) = rows.checked_sub(self.confirmation) {
            self.settle(sure, &found, &mut open, &mut events)?;
        }
        (self.values, self.rows, self.open) = (values, rows, open);
        Ok(events)
    }

    /// Takes the row of a time. Steps that were missed before it count as rows without samples, so that nothing
    /// shifts; each takes as much work as a row.
    ///
    /// # Errors
    /// [`LabelError::LateRow`] for a time before the next row's, [`LabelError::RowOffClock`] between two,
    /// [`LabelError::GapTooLong`] for one that is more than a year of minutes ahead; otherwise as
    /// [`push`](Self::push). An error of the rule leaves the state at the row before the one that it refused, any
    /// other as it was.
    pub fn push_at(&mut self, time: Timestamp, row: &[f32]) -> Result<Vec<RuleEvent>, LabelError> {
        self.schema.check_row(row)?;
        let missed = self.clock.missed(self.rows, time)?;
        self.clock.time(self.rows + missed + 1)?;
        let nothing = vec![f32::NAN; row.len()];
        let mut events = Vec::new();
        for _ in 0..missed {
            events.extend(self.push(&nothing)?);
        }
        events.extend(self.push(row)?);
        Ok(events)
    }

    /// The stream ends here: what is open ends with it.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(self) -> Result<Vec<RuleEvent>, LabelError> {
        let found = self.assess(self.values.clone(), self.rows)?;
        let (mut events, mut open) = (Vec::new(), self.open);
        for row in (self.rows + 1).saturating_sub(self.confirmation)..=self.rows {
            self.settle(row, &found, &mut open, &mut events)?;
        }
        Ok(events)
    }

    /// Appends what has been seen to `out`, without the settings.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        seal(self.fingerprint, out, |out| {
            save_part(&(self.rows, &self.values, self.open), out)?;
            self.clock.save(out)
        })
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there, in its time: the same
    /// as if it had never stopped.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another rule (by its sentence),
    /// service, schema, step or lookback. The state is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let mut body = unseal(self.fingerprint, &format!("a rule on {}", self.service), &mut rest)?;
        let (rows, values, open): (usize, Vec<f32>, Open) = restore_part(&mut body)?;
        let clock = self.clock.restored(rows, &mut body)?;
        let width = self.schema.len();
        let is_whole = values.len() == rows.min(self.most) * width
            && values.chunks(width).all(|row| self.schema.check_row(row).is_ok())
            && open.episode.is_none_or(|(onset, confirmed)| onset <= confirmed && confirmed < rows)
            && open.unknown.is_none_or(|row| row < rows);
        if !(is_whole && body.is_empty()) {
            return Err(CoreError::damaged_state(format!(
                "{} values are not the last of {rows} rows",
                values.len()
            )));
        }
        (self.rows, self.values, self.open, self.clock, *from) = (rows, values, open, clock, rest);
        Ok(())
    }

    /// What is final of a row: whether an episode or unknown rows begin or end with it. The row after the last ends
    /// all.
    fn settle(
        &self,
        row: usize,
        found: &Found,
        open: &mut Open,
        events: &mut Vec<RuleEvent>,
    ) -> Result<(), LabelError> {
        let episode = found.episodes.iter().find(|&&[onset, _, end]| onset <= row && row < end);
        let begins = episode.is_some_and(|&[onset, ..]| onset == row);
        if let Some((onset, confirmed)) = open.episode.filter(|_| episode.is_none() || begins) {
            let [onset, confirmed, end] = [onset, confirmed, row].map(|row| self.clock.time(row));
            events.push(RuleEvent::Ended(Episode::new(onset?, confirmed?, end?)?));
            open.episode = None;
        }
        if let Some(&[_, confirmed, _]) = episode.filter(|_| open.episode.is_none()) {
            open.episode = Some((row, confirmed.max(row)));
        }
        let is_unknown = found.unknown.iter().any(|rows| rows.contains(&row));
        match open.unknown {
            None if is_unknown => open.unknown = Some(row),
            Some(first) if !is_unknown => {
                let (from, until) = (self.clock.time(first)?, self.clock.time(row)?);
                events.push(RuleEvent::Unknown { from, until });
                open.unknown = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// What the rule finds in the last rows of `rows`.
    fn assess(&self, values: Vec<f32>, rows: usize) -> Result<Found, LabelError> {
        let kept = values.len() / self.schema.len();
        let first = rows - kept;
        let (start, step) = (self.clock.time(first)?, self.clock.step());
        let frame = Frame::new(self.service.as_str(), self.schema.clone(), start, step, values)?;
        let Assessment { episodes, unknown } = self.rule.assess(frame.view())?;
        let row = |time: Timestamp| {
            let behind = time.millis() - start.millis();
            let row = usize::try_from(behind / step.millis()).ok();
            let row = row.filter(|&row| behind % step.millis() == 0 && row <= kept);
            let (rule, service) = (self.rule.describe(), self.service.clone());
            row.map(|row| first + row).ok_or(LabelError::OffClock { rule, service, time })
        };
        let episodes = episodes
            .iter()
            .map(|episode| Ok([row(episode.onset())?, row(episode.confirmed_at())?, row(episode.end())?]))
            .collect::<Result<_, LabelError>>()?;
        if let Some(beyond) = unknown.iter().find(|range| range.end > kept) {
            let (rule, service) = (self.rule.describe(), self.service.clone());
            return Err(LabelError::UnknownRows { rule, service, end: beyond.end, rows: kept });
        }
        let unknown = unknown.iter().map(|range| first + range.start..first + range.end).collect();
        Ok(Found { episodes, unknown })
    }
}

impl fmt::Debug for AnyRuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyRuleState")
            .field("rule", &self.rule.describe())
            .field("service", &self.service)
            .field("clock", &self.clock)
            .field("rows", &self.rows)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

use crate::{
    LabelError, Rule, Verdict,
    live::clock::Clock,
    watch::{Found, Watch, are_in_order, difference},
};
use forewarn_core::{CoreError, Fingerprint, restore_part, save_part, seal, unseal};
use forewarn_schema::{Episode, Schema, Step, Timestamp};

/// A rule on a live stream of one service: push a row a step, learn what it tells.
///
/// The episodes are those that [`assess`](forewarn_core::FailureRule::assess) finds in the same rows, to the minute:
/// both run the same machine. What differs is when one knows:
///
/// | known | when |
/// |---|---|
/// | whether the rule is satisfied in a row | with the row |
/// | that a failure is confirmed | with the row `confirmed_at` |
/// | its final onset and end | once no later row can join or extend it: after the longest gap that is bridged, the recovery and the evidence that a later row may still bring |
///
/// Memory: the rows that its conditions look back on, and failures that are not final. Saved: at most 20 bytes a row
/// of a mean, 9 of a change or quantile, 29 of a season, 30 of a condition that is sustained or frequent; 31 a
/// failure that is not final; and about 40.
///
/// ```
/// use forewarn_label::{RuleEvent, Rule, RuleState, Verdict};
/// use forewarn_schema::{Metric, Schema, Step, Timestamp};
///
/// let rule: Rule = "error_rate >= 0.05 for 2 steps".parse()?;
/// let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
/// let mut stream = RuleState::new(&rule, &schema, Timestamp::EPOCH, Step::MINUTE)?;
/// assert_eq!(stream.push(&[0.06])?.verdict, Verdict::No);
/// let minute = stream.push(&[0.08])?;
/// assert_eq!(minute.verdict, Verdict::Yes);
/// assert!(matches!(minute.events[..], [RuleEvent::Confirmed { onset: Timestamp::EPOCH, .. }]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RuleState {
    watch: Watch,
    schema: Schema,
    clock: Clock,
    /// Final episodes within a possible one that is not final yet.
    certain: Vec<Found>,
    fingerprint: Fingerprint,
}

/// What one row told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleMinute {
    /// The row's time.
    pub time: Timestamp,
    /// Whether the rule's condition is satisfied in the row.
    pub verdict: Verdict,
    /// What has become known with it, episodes in order of time.
    pub events: Vec<RuleEvent>,
}

/// Something that a stream came to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleEvent {
    /// A failure has begun, and this row is sure of it.
    Confirmed {
        /// Its first minute, as far as is known now.
        onset: Timestamp,
        /// This row's time.
        confirmed_at: Timestamp,
    },
    /// A failure is over, and its times are final.
    Ended(Episode),
    /// Missing samples leave open whether the service failed in these minutes. This is final.
    Unknown {
        /// First minute.
        from: Timestamp,
        /// First minute after.
        until: Timestamp,
    },
}

/// What a rule has told for good, after a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// Of every time before this one it is final whether a failure begins or goes on in it, or whether that is
    /// unknown; what there is to tell of it has been told.
    pub final_before: Timestamp,
    /// A failure that goes on and whose onset is final: the onset, and the first time of which it is open whether the
    /// failure goes on in it.
    pub failing: Option<(Timestamp, Timestamp)>,
}

impl RuleState {
    /// A stream whose first row is at `start`.
    ///
    /// # Errors
    /// [`LabelError::Core`] for a metric that the schema lacks.
    pub fn new(rule: &Rule, schema: &Schema, start: Timestamp, step: Step) -> Result<Self, LabelError> {
        Ok(Self {
            watch: Watch::new(rule.when(), rule.episodes(), schema, step)?,
            schema: schema.clone(),
            clock: Clock::new(start, step),
            certain: Vec::new(),
            fingerprint: Fingerprint::of("rule").and(rule)?.and(schema)?.and(&step)?,
        })
    }

    /// Takes the next row (all NaN for a missed step).
    ///
    /// # Errors
    /// As [`Schema::check_row`] for a row that no frame could hold, [`LabelError::BeyondCalendar`]; both leave the
    /// stream as it was.
    pub fn push(&mut self, row: &[f32]) -> Result<RuleMinute, LabelError> {
        self.schema.check_row(row)?;
        let time = self.time(self.watch.rows())?;
        // The time after this row ends an episode in it, so it must be on the calendar too.
        self.time(self.watch.rows() + 1)?;
        let told = self.watch.push(row);
        let mut events = Vec::new();
        if let Some(found) = told.confirmed {
            let (onset, confirmed_at) = (self.time(found.onset)?, self.time(found.confirmed)?);
            events.push(RuleEvent::Confirmed { onset, confirmed_at });
        }
        self.settled(&mut events)?;
        Ok(RuleMinute { time, verdict: told.verdict, events })
    }

    /// Takes the row of a time. Steps that were missed before it count as rows without samples, so that nothing
    /// shifts; what they told comes first.
    ///
    /// # Errors
    /// [`LabelError::LateRow`] for a time before the next row's, [`LabelError::RowOffClock`] between two,
    /// [`LabelError::GapTooLong`] for one that is more than a year of minutes ahead; otherwise as
    /// [`push`](Self::push). All leave the state as it was.
    pub fn push_at(&mut self, time: Timestamp, row: &[f32]) -> Result<Vec<RuleMinute>, LabelError> {
        self.schema.check_row(row)?;
        let missed = self.clock.missed(self.watch.rows(), time)?;
        self.time(self.watch.rows() + missed + 1)?;
        let nothing = vec![f32::NAN; self.schema.len()];
        let mut minutes = Vec::with_capacity(missed + 1);
        for _ in 0..missed {
            minutes.push(self.push(&nothing)?);
        }
        minutes.push(self.push(row)?);
        Ok(minutes)
    }

    /// Time of the next row.
    ///
    /// # Errors
    /// [`LabelError::BeyondCalendar`] after the last one of the calendar.
    pub fn next(&self) -> Result<Timestamp, LabelError> {
        self.time(self.watch.rows())
    }

    /// What has been told for good: see [`Standing`].
    ///
    /// # Errors
    /// None that [`push`](Self::push) has not given before.
    pub fn standing(&self) -> Result<Standing, LabelError> {
        let failing = self.watch.underway();
        let times = |(onset, until)| Ok::<_, LabelError>((self.time(onset)?, self.time(until)?));
        let failing = failing.map(times);
        Ok(Standing { final_before: self.time(self.watch.final_before())?, failing: failing.transpose()? })
    }

    /// The stream ends here: what is open ends with it.
    ///
    /// # Errors
    /// None that [`push`](Self::push) has not given before.
    pub fn finish(mut self) -> Result<Vec<RuleEvent>, LabelError> {
        self.watch.finish();
        let mut events = Vec::new();
        self.settled(&mut events)?;
        Ok(events)
    }

    /// Appends what has been seen to `out`, without the settings. Whose rows they are is for the caller to keep.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        seal(self.fingerprint, out, |out| {
            self.watch.save(out)?;
            self.clock.save(out)?;
            save_part(&self.certain, out)
        })
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there, in its time: the same
    /// as if it had never stopped, bit for bit.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another rule, schema or step. The
    /// state is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        self.restore_body(unseal(self.fingerprint, "a rule", &mut rest)?)?;
        *from = rest;
        Ok(())
    }

    pub(crate) fn restore_body(&mut self, mut body: &[u8]) -> Result<(), CoreError> {
        let watch = self.watch.restored(&mut body)?;
        let clock = self.clock.restored(watch.rows(), &mut body)?;
        let certain: Vec<Found> = restore_part(&mut body)?;
        if !(are_in_order(certain.iter().copied(), watch.rows()) && body.is_empty()) {
            return Err(CoreError::damaged_state("its failures are not in order".to_owned()));
        }
        (self.watch, self.clock, self.certain) = (watch, clock, certain);
        Ok(())
    }

    fn settled(&mut self, events: &mut Vec<RuleEvent>) -> Result<(), LabelError> {
        let (already, mut possible) = (self.certain.len(), Vec::new());
        self.watch.drain(&mut self.certain, &mut possible);
        for found in &self.certain[already..] {
            let (onset, confirmed) = (self.time(found.onset)?, self.time(found.confirmed)?);
            events.push(RuleEvent::Ended(Episode::new(onset, confirmed, self.time(found.end)?)?));
        }
        for whole in possible {
            // What is certain lies within what is possible, and is final no later.
            let inside = self.certain.partition_point(|found| found.end <= whole.end);
            let certain: Vec<_> = self.certain.drain(..inside).map(|found| found.onset..found.end).collect();
            for rows in difference(std::slice::from_ref(&(whole.onset..whole.end)), &certain) {
                let (from, until) = (self.time(rows.start)?, self.time(rows.end)?);
                events.push(RuleEvent::Unknown { from, until });
            }
        }
        if self.certain.is_empty() {
            self.certain = Vec::new();
        }
        Ok(())
    }

    fn time(&self, row: usize) -> Result<Timestamp, LabelError> {
        self.clock.time(row)
    }
}

use crate::{
    LabelError, Rule,
    live::clock::Clock,
    watch::{Found, Watch, are_in_order, difference, sliding::pop_oldest_if},
};
use forewarn_core::{
    CoreError, Exclusion, FailureRule, Fingerprint, Label, Target, WindowSpec, restore_part, save_part, seal,
    unseal,
};
use forewarn_schema::{Schema, Step, Timestamp};
use std::{collections::VecDeque, ops::Range};

/// Labels of a live stream of one service: push a row a step, get the label of an earlier row as soon as it is final.
///
/// A label speaks of the minutes after its row, so it can only be known when they are over: [`delay`](Self::delay)
/// steps later, the horizon of the window and what the rule needs to be sure. Labels are those that
/// [`label`](crate::label()) gives the same rows.
///
/// Saved: as [`RuleState`](crate::RuleState), and a byte for each row that has no label yet.
#[derive(Clone, Debug)]
pub struct LabelState {
    watch: Watch,
    schema: Schema,
    clock: Clock,
    spec: WindowSpec,
    target: Target,
    delay: usize,
    /// Steps before the end of the data in which a row's label is censored.
    beyond: usize,
    /// Whether each row that has no label yet has no sample at all.
    gaps: VecDeque<bool>,
    /// Final episodes that a label may still look at, certain and possible.
    certain: VecDeque<Found>,
    possible: VecDeque<Found>,
    /// All that was found, for a caller that keeps it.
    kept: Option<Kept>,
    fingerprint: Fingerprint,
}

/// The label of a live row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimedLabel {
    /// The time of the row that the label is about.
    pub time: Timestamp,
    /// Its label.
    pub label: Label,
}

/// What a stream found in all its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Final episodes, certain and possible.
    pub(crate) certain: Vec<Found>,
    pub(crate) possible: Vec<Found>,
    /// Rows without any sample, ascending and disjoint.
    pub(crate) without_samples: Vec<Range<usize>>,
}

impl Kept {
    /// Rows in which it is unknown whether the service fails, ascending and disjoint.
    pub(crate) fn unknown(&self) -> Vec<Range<usize>> {
        let rows = |found: &Found| found.onset..found.end;
        let [outer, inner] =
            [&self.possible, &self.certain].map(|list| list.iter().map(rows).collect::<Vec<_>>());
        difference(&outer, &inner)
    }

    fn missed(&mut self, row: usize) {
        match self.without_samples.last_mut() {
            Some(rows) if rows.end == row => rows.end += 1,
            _ => self.without_samples.push(row..row + 1),
        }
    }
}

impl LabelState {
    /// A state that has seen nothing yet, whose first row is at `start`.
    ///
    /// # Errors
    /// [`LabelError::Core`] for a metric that the schema lacks.
    pub fn new(
        rule: &Rule,
        schema: &Schema,
        start: Timestamp,
        step: Step,
        spec: WindowSpec,
        target: Target,
    ) -> Result<Self, LabelError> {
        let fingerprint = Fingerprint::of("labels").and(rule)?.and(schema)?.and(&(step, spec, target))?;
        let delay = spec.horizon().saturating_add(rule.confirmation_at(step) - 1);
        let beyond = match target {
            Target::Onset => delay,
            Target::Active => spec.horizon().saturating_add(rule.settling_at(step)),
        };
        Ok(Self {
            watch: Watch::new(rule.when(), rule.episodes(), schema, step)?,
            schema: schema.clone(),
            clock: Clock::new(start, step),
            spec,
            target,
            delay,
            beyond,
            gaps: VecDeque::new(),
            certain: VecDeque::new(),
            possible: VecDeque::new(),
            kept: None,
            fingerprint,
        })
    }

    /// The same, with all that is found kept for [`end`](Self::end): memory grows with episodes and gaps.
    pub(crate) fn keeping_all(self) -> Self {
        Self { kept: Some(Kept::default()), ..self }
    }

    /// Steps between a row and its label.
    #[must_use]
    pub fn delay(&self) -> usize {
        self.delay
    }

    /// Takes the next row (all NaN for a missed step) and gives the label of the row [`delay`](Self::delay) steps
    /// before it, `None` until there is one.
    ///
    /// # Errors
    /// As [`Schema::check_row`] for a row that no frame could hold, which leaves the stream as it was.
    pub fn push(&mut self, row: &[f32]) -> Result<Option<TimedLabel>, LabelError> {
        self.schema.check_row(row)?;
        self.clock.time(self.watch.rows())?;
        self.watch.push(row);
        let is_gap = row.iter().all(|value| value.is_nan());
        if let Some(kept) = self.kept.as_mut().filter(|_| is_gap) {
            kept.missed(self.watch.rows() - 1);
        }
        self.gaps.push_back(is_gap);
        if self.gaps.len() <= self.delay {
            return Ok(None);
        }
        let row = self.watch.rows() - self.gaps.len();
        let time = self.clock.time(row)?;
        Ok(self.next().map(|label| TimedLabel { time, label }))
    }

    /// Takes the row of a time and gives the labels that become final with it, in order. Steps that were missed
    /// before it count as rows without samples, so that nothing shifts.
    ///
    /// # Errors
    /// [`LabelError::LateRow`] for a time before the next row's, [`LabelError::RowOffClock`] between two,
    /// [`LabelError::GapTooLong`] for one that is more than a year of minutes ahead; otherwise as
    /// [`push`](Self::push). All leave the state as it was.
    pub fn push_at(&mut self, time: Timestamp, row: &[f32]) -> Result<Vec<TimedLabel>, LabelError> {
        self.schema.check_row(row)?;
        let missed = self.clock.missed(self.watch.rows(), time)?;
        self.clock.time(self.watch.rows() + missed)?;
        let nothing = vec![f32::NAN; self.schema.len()];
        let mut labels = Vec::new();
        for _ in 0..missed {
            labels.extend(self.push(&nothing)?);
        }
        labels.extend(self.push(row)?);
        Ok(labels)
    }

    /// The stream ends here: the labels of the rows that have none yet. The last of them are censored.
    #[must_use]
    pub fn finish(mut self) -> Vec<TimedLabel> {
        let first = self.watch.rows() - self.gaps.len();
        let labels = self.end().0.into_iter().enumerate();
        // Each row's time was on the calendar when it came.
        labels
            .filter_map(|(row, label)| Some(TimedLabel { time: self.clock.time(first + row).ok()?, label }))
            .collect()
    }

    /// Appends what has been seen to `out`, without the settings. Whose rows they are is for the caller to keep.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        seal(self.fingerprint, out, |out| {
            self.watch.save(out)?;
            self.clock.save(out)?;
            save_part(&(&self.gaps, &self.certain, &self.possible), out)
        })
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there, in its time: the same
    /// as if it had never stopped, bit for bit.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another rule, schema, step, window
    /// or target. The state is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        self.restore_body(unseal(self.fingerprint, "labels", &mut rest)?)?;
        *from = rest;
        Ok(())
    }

    pub(crate) fn restore_body(&mut self, mut body: &[u8]) -> Result<(), CoreError> {
        let watch = self.watch.restored(&mut body)?;
        let (rows, clock) = (watch.rows(), self.clock.restored(watch.rows(), &mut body)?);
        let (gaps, certain, possible): (VecDeque<bool>, VecDeque<Found>, VecDeque<Found>) =
            restore_part(&mut body)?;
        let are_whole =
            [&certain, &possible].into_iter().all(|list| are_in_order(list.iter().copied(), rows));
        if !(are_whole && gaps.len() == rows.min(self.delay) && body.is_empty()) {
            let waiting = gaps.len();
            return Err(CoreError::damaged_state(format!(
                "{waiting} rows without a label, or failures out of order, after {rows} rows"
            )));
        }
        (self.watch, self.clock, self.gaps) = (watch, clock, gaps);
        (self.certain, self.possible) = (certain, possible);
        Ok(())
    }

    /// [`finish`](Self::finish), with what was kept.
    pub(crate) fn end(&mut self) -> (Vec<Label>, Kept) {
        self.watch.finish();
        let rows = self.watch.rows();
        let mut labels = Vec::with_capacity(self.gaps.len());
        while let Some(label) = self.next() {
            let t = rows - self.gaps.len() - 1;
            labels.push(if t + self.beyond >= rows { Label::Excluded(Exclusion::Censored) } else { label });
        }
        (labels, self.kept.take().unwrap_or_default())
    }

    /// The label of the first row that has none.
    fn next(&mut self) -> Option<Label> {
        let t = self.watch.rows() - self.gaps.len();
        let is_gap = self.gaps.pop_front()?;
        let (mut certain, mut possible) = (Vec::new(), Vec::new());
        self.watch.drain(&mut certain, &mut possible);
        if let Some(kept) = &mut self.kept {
            kept.certain.extend_from_slice(&certain);
            kept.possible.extend_from_slice(&possible);
        }
        self.certain.extend(certain.drain(..));
        self.possible.extend(possible.drain(..));
        for episodes in [&mut self.certain, &mut self.possible] {
            while pop_oldest_if(episodes, |found| found.end <= t).is_some() {}
        }
        certain.extend(&self.certain);
        possible.extend(&self.possible);
        self.watch.current(&mut certain, &mut possible);
        let rows = |found: &Found| found.onset..found.end;
        let [outer, inner] = [&possible, &certain].map(|list| list.iter().map(rows).collect::<Vec<_>>());
        // Certain episodes that are over are gone, and so may be the possible ones around them.
        let inner: Vec<_> = inner.into_iter().filter(|rows| rows.end > t).collect();
        let outer: Vec<_> = outer.into_iter().filter(|rows| rows.end > t).collect();
        Some(judge(t, is_gap, &certain, &difference(&outer, &inner), self.spec, self.target))
    }
}

/// The label of row `t` by its definition, from all episodes that end after it; see [`label`](crate::label()).
fn judge(
    t: usize,
    is_gap: bool,
    episodes: &[Found],
    unknown: &[Range<usize>],
    spec: WindowSpec,
    target: Target,
) -> Label {
    let period = t + spec.lead() + 1..t + spec.horizon() + 1;
    let meets = |rows: &Range<usize>| rows.start < period.end && period.start < rows.end;
    let is_onset = target == Target::Onset;
    if is_onset && episodes.iter().any(|found| found.onset <= t && t < found.end) {
        return Label::Excluded(Exclusion::Ongoing);
    }
    if is_gap || (is_onset && unknown.iter().any(|rows| rows.contains(&t))) {
        return Label::Excluded(Exclusion::Missing);
    }
    let happens = |found: &Found| match target {
        Target::Onset => period.contains(&found.onset),
        Target::Active => meets(&(found.confirmed..found.end)),
    };
    if episodes.iter().any(happens) {
        Label::Positive
    } else if unknown.iter().any(meets) {
        Label::Excluded(Exclusion::Missing)
    } else {
        Label::Negative
    }
}

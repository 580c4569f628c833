use crate::{
    rule::ShapeSteps,
    watch::sliding::{pop_newest_if, pop_oldest_if},
};
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_schema::{Episode, FrameView, SchemaError};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, ops::Range};

/// An episode in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) onset: usize,
    pub(crate) confirmed: usize,
    pub(crate) end: usize,
}

impl Found {
    pub(crate) fn episode(&self, frame: FrameView<'_>) -> Result<Episode, SchemaError> {
        Episode::new(frame.time(self.onset), frame.time(self.confirmed), frame.time(self.end))
    }
}

/// Whether episodes are whole, disjoint, in order, and of the first `rows` rows: what every list of them here is, and
/// what a saved one may have lost.
pub(crate) fn are_in_order(episodes: impl IntoIterator<Item = Found>, rows: usize) -> bool {
    let mut free = 0;
    episodes.into_iter().all(|Found { onset, confirmed, end }| {
        let is_whole = free <= onset && onset <= confirmed && confirmed < end && end <= rows;
        free = end;
        is_whole
    })
}

/// What lies in `outer` and not in `inner`; every range of `inner` lies within one of `outer`.
pub(crate) fn difference(outer: &[Range<usize>], inner: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut rest = Vec::new();
    let mut inner = inner.iter().peekable();
    for range in outer {
        let mut from = range.start;
        while let Some(hole) = inner.next_if(|hole| hole.end <= range.end) {
            rest.push(from..hole.start);
            from = hole.end;
        }
        rest.push(from..range.end);
    }
    rest.retain(|range| !range.is_empty());
    rest
}

/// Failing rows with gaps bridged; an episode once it has lasted long enough.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Stretch {
    onset: usize,
    confirmed: Option<usize>,
    end: usize,
}

/// From satisfied rows, one after another, to episodes: [`Shape`](crate::Shape) as a state machine.
///
/// `reach` is how far back a satisfied row can move an onset: the row itself and the `reach - 1` before it. It
/// decides when an episode is final.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    shape: ShapeSteps,
    reach: usize,
    /// Stretches that later rows may still merge, in order.
    open: VecDeque<Stretch>,
    /// The last episode, while relapses may still join it; its end does not include the recovery.
    recovering: Option<Found>,
    /// Final episodes that have not been taken yet.
    done: Vec<Found>,
}

impl Tracker {
    pub(crate) fn new(shape: ShapeSteps, reach: usize) -> Self {
        Self { shape, reach, open: VecDeque::new(), recovering: None, done: Vec::new() }
    }

    /// Takes row `t`, in which the condition is satisfied since a row, or not. True when that confirms a stretch.
    pub(crate) fn push(&mut self, t: usize, since: Option<usize>) -> bool {
        let mut confirms = false;
        if let Some(since) = since {
            let (mut onset, mut confirmed) = (since, None);
            let gap = self.shape.gap;
            while let Some(last) = pop_newest_if(&mut self.open, |last| onset < last.end.saturating_add(gap))
            {
                onset = onset.min(last.onset);
                confirmed = last.confirmed.or(confirmed);
            }
            if confirmed.is_none() && t + 1 - onset >= self.shape.minimum {
                confirmed = Some(t);
                confirms = true;
            }
            self.open.push_back(Stretch { onset, confirmed, end: t + 1 });
        }
        // No row after `t` reaches back beyond this one.
        let earliest = (t + 2).saturating_sub(self.reach);
        let gap = self.shape.gap;
        while let Some(stretch) =
            pop_oldest_if(&mut self.open, |first| first.end.saturating_add(gap) <= earliest)
        {
            settle(self.shape.cool_down, &mut self.recovering, stretch, &mut self.done);
        }
        let next = self.open.front().map_or(earliest, |first| first.onset.min(earliest));
        if let Some(last) =
            self.recovering.take_if(|last| last.end.saturating_add(self.shape.cool_down) <= next)
        {
            self.done.push(recovered(self.shape.cool_down, last));
        }
        confirms
    }

    /// The data ends after `rows` rows: what is open is final.
    pub(crate) fn finish(&mut self, rows: usize) {
        let mut found = Vec::new();
        self.current(rows, &mut found);
        self.done.append(&mut found);
        self.open.clear();
        self.recovering = None;
    }

    /// Final episodes since the last call.
    pub(crate) fn drain(&mut self, into: &mut Vec<Found>) {
        // Few services fail: the list of the others takes no memory.
        into.extend(std::mem::take(&mut self.done));
    }

    /// The first row of which it is not final whether an episode begins or goes on in it, when `rows` rows were seen.
    pub(crate) fn final_before(&self, rows: usize) -> usize {
        let earliest = (rows + 1).saturating_sub(self.reach);
        let open = self.open.front().map_or(earliest, |first| first.onset.min(earliest));
        self.recovering.map_or(open, |last| last.onset.min(open))
    }

    /// The first episode that is not over, once its onset is final: that, and one past the last row that is certain
    /// to be in it.
    pub(crate) fn underway(&self, rows: usize) -> Option<(usize, usize)> {
        if let Some(last) = self.recovering {
            return Some((last.onset, last.end));
        }
        let first = self.open.front()?;
        let is_final = first.confirmed.is_some() && first.onset < (rows + 1).saturating_sub(self.reach);
        is_final.then_some((first.onset, first.end))
    }

    /// Appends the episodes that are not final, as the `rows` rows so far tell them.
    pub(crate) fn current(&self, rows: usize, into: &mut Vec<Found>) {
        let first = into.len();
        let mut recovering = self.recovering;
        for &stretch in &self.open {
            settle(self.shape.cool_down, &mut recovering, stretch, into);
        }
        into.extend(recovering.map(|last| recovered(self.shape.cool_down, last)));
        for found in &mut into[first..] {
            found.end = found.end.min(rows);
        }
    }
}

impl Tracker {
    /// Appends what has been seen: at most 31 bytes for each stretch that is not final.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(&self.open, self.recovering, &self.done), out)
    }

    /// Takes what [`save`](Self::save) wrote after `seen` rows.
    pub(crate) fn restore(&mut self, seen: usize, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (open, recovering, done): (VecDeque<Stretch>, Option<Found>, Vec<Found>) =
            restore_part(&mut rest)?;
        let pending = open.iter().map(|stretch| Found {
            onset: stretch.onset,
            confirmed: stretch.confirmed.unwrap_or(stretch.onset),
            end: stretch.end,
        });
        if !are_in_order(done.iter().copied().chain(recovering).chain(pending), seen) {
            return Err(CoreError::damaged_state(format!("its failures are not those of {seen} rows")));
        }
        (self.open, self.recovering, self.done, *from) = (open, recovering, done, rest);
        Ok(())
    }
}

fn recovered(cool_down: usize, found: Found) -> Found {
    Found { end: found.end.saturating_add(cool_down), ..found }
}

/// Passes a stretch on to recovery: it joins the last episode, or that one is over.
fn settle(cool_down: usize, recovering: &mut Option<Found>, stretch: Stretch, done: &mut Vec<Found>) {
    let Some(confirmed) = stretch.confirmed else { return };
    match recovering {
        Some(last) if stretch.onset < last.end.saturating_add(cool_down) => last.end = stretch.end,
        _ => {
            let next = Found { onset: stretch.onset, confirmed, end: stretch.end };
            done.extend(recovering.replace(next).map(|last| recovered(cool_down, last)));
        }
    }
}

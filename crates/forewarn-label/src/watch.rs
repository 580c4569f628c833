//! A condition and a shape at work on the rows of one service, one after another.

pub(crate) mod gauge;
pub(crate) mod node;
pub(crate) mod sliding;
mod track;

use crate::{Condition, Shape, Verdict};
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_schema::{Schema, Step};
use node::Node;
use track::Tracker;
pub(crate) use track::{Found, are_in_order, difference};

/// A rule at work on the rows of one service. Batch and stream are both this machine.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    node: Node,
    certain: Tracker,
    possible: Tracker,
    rows: usize,
}

/// What a row told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) verdict: Verdict,
    /// The episode that the row confirmed.
    pub(crate) confirmed: Option<Found>,
}

impl Watch {
    pub(crate) fn new(
        when: &Condition,
        episodes: &Shape,
        schema: &Schema,
        step: Step,
    ) -> Result<Self, CoreError> {
        let tracker = Tracker::new(episodes.in_steps(step), when.reach(step));
        let node = Node::new(when, schema, step)?;
        Ok(Self { node, certain: tracker.clone(), possible: tracker, rows: 0 })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn push(&mut self, row: &[f32]) -> Told {
        let t = self.rows;
        let since = self.node.push(t, row);
        self.rows += 1;
        let confirms = self.certain.push(t, since.certain);
        self.possible.push(t, since.possible);
        // A stretch that is confirmed while an earlier episode recovers is that episode going on.
        let confirmed = confirms.then(|| {
            let mut current = Vec::new();
            self.certain.current(self.rows, &mut current);
            current.pop().filter(|found| found.confirmed == t)
        });
        Told { verdict: since.verdict(), confirmed: confirmed.flatten() }
    }

    /// The data ends here.
    pub(crate) fn finish(&mut self) {
        self.certain.finish(self.rows);
        self.possible.finish(self.rows);
    }

    /// Appends the episodes of both readings that have become final.
    pub(crate) fn drain(&mut self, certain: &mut Vec<Found>, possible: &mut Vec<Found>) {
        self.certain.drain(certain);
        self.possible.drain(possible);
    }

    /// Appends the episodes of both readings that are not final, as they stand.
    pub(crate) fn current(&self, certain: &mut Vec<Found>, possible: &mut Vec<Found>) {
        self.certain.current(self.rows, certain);
        self.possible.current(self.rows, possible);
    }

    /// The first row of which it is not final whether a failure begins or goes on in it, or may do so.
    pub(crate) fn final_before(&self) -> usize {
        self.certain.final_before(self.rows).min(self.possible.final_before(self.rows))
    }

    /// A failure that goes on and whose onset is final: that, and one past the last row that is certain to be in it.
    /// `None` while rows before it may still turn out unknown.
    pub(crate) fn underway(&self) -> Option<(usize, usize)> {
        let (onset, end) = self.certain.underway(self.rows)?;
        (self.possible.final_before(self.rows) >= onset).then_some((onset, end))
    }

    /// Appends what has been seen of the rows before.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.rows, out)?;
        self.node.save(out)?;
        self.certain.save(out)?;
        self.possible.save(out)
    }

    /// What [`save`](Self::save) wrote, as a watch of the same rule.
    pub(crate) fn restored(&self, from: &mut &[u8]) -> Result<Self, CoreError> {
        let mut watch = Self { rows: restore_part(from)?, ..self.clone() };
        watch.node.restore(watch.rows, from)?;
        watch.certain.restore(watch.rows, from)?;
        watch.possible.restore(watch.rows, from)?;
        Ok(watch)
    }
}

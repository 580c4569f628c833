//! Events of the last rows, summed by blocks.

use super::events::Events;
use forewarn_core::CoreError;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Sizes of blocks in rows; at a step of a minute 1 and 5 minutes, 1 and 12 hours, and 4 days.
const SIZES: [usize; 5] = [1, 5, 60, 720, 5760];
/// Blocks that a window has at least, if there are sizes small enough.
const LEAST: usize = 24;

/// Sums over blocks of rows of one size, and over the rows after the last whole block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Blocks {
    size: usize,
    most: usize,
    whole: VecDeque<Tally>,
    open: Tally,
    open_rows: usize,
}

/// Events of some rows, and how many of the rows have any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) events: Events,
    pub(super) known: u32,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.events.add(other.events);
        self.known += other.known;
    }
}

/// Blocks for windows of these lengths in rows: one [`Blocks`] a size that is needed.
pub(super) fn for_windows(rows: impl IntoIterator<Item = usize>) -> Vec<Blocks> {
    let mut all: Vec<Blocks> = Vec::new();
    for rows in rows {
        let size = size_for(rows);
        let most = rows.div_ceil(size);
        match all.iter_mut().find(|blocks| blocks.size == size) {
            Some(blocks) => blocks.most = blocks.most.max(most),
            None => {
                all.push(Blocks { size, most, whole: VecDeque::new(), open: Tally::default(), open_rows: 0 });
            }
        }
    }
    all
}

/// Size of the blocks that a window of this many rows is summed from.
fn size_for(rows: usize) -> usize {
    SIZES.into_iter().rev().find(|size| rows >= size * LEAST).unwrap_or(1)
}

/// What happened in the last rows: all of them for short windows, else those of the last whole blocks and after them,
/// fewer by less than a block, which is at most a 24th of the window.
pub(super) fn sum(all: &[Blocks], rows: usize) -> Tally {
    let size = size_for(rows);
    let Some(blocks) = all.iter().find(|blocks| blocks.size == size) else { return Tally::default() };
    let whole = rows.saturating_sub(blocks.open_rows) / size;
    // From old to new, whatever the window: the same rows give the same sum.
    let from = blocks.whole.len().saturating_sub(whole);
    let mut tally = Tally::default();
    blocks.whole.range(from..).for_each(|block| tally.add(*block));
    tally.add(blocks.open);
    tally
}

impl Blocks {
    /// Takes the next row; `None` for one without events.
    pub(super) fn push(&mut self, events: Option<Events>) {
        if let Some(events) = events {
            self.open.add(Tally { events, known: 1 });
        }
        self.open_rows += 1;
        if self.open_rows == self.size {
            if self.whole.len() == self.most {
                self.whole.pop_front();
            }
            self.whole.push_back(std::mem::take(&mut self.open));
            self.open_rows = 0;
        }
    }

    /// Refuses what blocks of the same settings cannot have come to.
    pub(super) fn check(&self, restored: &Self) -> Result<(), CoreError> {
        let fits = |tally: &Tally, rows: usize| {
            let Events { bad, all } = tally.events;
            tally.known as usize <= rows && bad.is_finite() && all.is_finite()
        };
        let is_sound = (restored.size, restored.most) == (self.size, self.most)
            && restored.whole.len() <= self.most
            && restored.open_rows < self.size
            && restored.whole.iter().all(|block| fits(block, self.size))
            && fits(&restored.open, restored.open_rows);
        if is_sound {
            Ok(())
        } else {
            Err(CoreError::damaged_state("its blocks are not those of its windows"))
        }
    }
}

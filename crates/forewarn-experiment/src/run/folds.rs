//! Blocks of time within train and validation, for what is chosen by more than one span.

use forewarn_core::{Labels, Samples, Separation, Split};
use forewarn_schema::Timestamp;
use std::ops::Range;

/// Where blocks that are scored begin, and how long they are, as shares of the time of train. Validation, which the
/// models themselves are scored on, is one more block behind them.
const BLOCKS: [f64; 2] = [0.5, 0.75];
const BLOCK: f64 = 0.25;
/// Share of the time of train before a block that decides when a fit stops.
const STOPPING: f64 = 0.15;
/// The block by which a fit on all of train and validation stops, as shares of their time.
const WITHIN: Range<f64> = 0.45..0.6;

/// Folds within train of `split`: each is fitted on what comes before a block of time, with the last part of it for
/// stopping, and scores the block. Folds of which a part lacks a class are left out, so there may be none.
///
/// All parts are purged, so that no label or window is shared.
pub(crate) fn inner_folds(labels: &Labels, split: &Split) -> Vec<Split> {
    let Some(clock) = split.train().time_span().map(|span| Clock::new(labels, span)) else {
        return Vec::new();
    };
    let fold = |start: f64| {
        // The last training window is part of the last block.
        let until = if start + BLOCK >= 1.0 { clock.end } else { clock.at(start + BLOCK) };
        let (stop, block) = (clock.at(start - STOPPING), clock.at(start));
        let train = clock.samples(&[clock.from..clock.before(stop)]);
        let validation = clock.samples(&[stop..clock.before(block)]);
        let scored = clock.samples(&[block..until]);
        let is_usable = has_both(&train) && has_both(&validation) && has_both(&scored);
        is_usable.then(|| Split::new(train, validation, scored, labels.purge()).ok()).flatten()
    };
    BLOCKS.into_iter().filter_map(fold).collect()
}

/// The time of train before the first block of [`inner_folds`], scored by a fit on what comes after it, which stops by
/// validation: no fold can score it, and a threshold for rare false alarms needs every day there is. It weighs no model,
/// since a model that is used has not seen what follows. `None` where a part lacks a class.
pub(crate) fn earlier_block(labels: &Labels, split: &Split) -> Option<Split> {
    let clock = Clock::new(labels, split.train().time_span()?);
    let block = clock.at(BLOCKS[0]);
    let scored = clock.samples(&[clock.from..clock.before(block)]);
    let train = clock.samples(&[block..clock.end]);
    let validation = Samples::clone(split.validation());
    let is_usable = has_both(&train) && has_both(&scored);
    let separation = Separation::Apart { embargo: 0 };
    is_usable.then(|| Split::separated(train, validation, scored, labels.purge(), separation).ok()).flatten()
}

/// All of train and validation of `split` as train, but for a block in their midst, which decides when to stop: a fit
/// for use that has seen the latest as well. `None` where a part lacks a class.
pub(crate) fn all_but_a_block(labels: &Labels, split: &Split) -> Option<Split> {
    let (from, to) = (split.train().time_span()?.0, split.validation().time_span()?.1);
    let clock = Clock::new(labels, (from, to));
    let (stop, on) = (clock.at(WITHIN.start), clock.at(WITHIN.end));
    let train = clock.samples(&[from..clock.before(stop), clock.after(on)..clock.end]);
    let within = clock.samples(&[stop..on]);
    let is_usable = has_both(&train) && has_both(&within);
    is_usable.then(|| Split::apart_without_test(train, within, labels.purge(), 0).ok()).flatten()
}

/// Several parts of the labels as one, in their order, and what there is for each window of them.
pub(crate) fn joined<T: Copy>(labels: &Labels, parts: &[(&Samples, &[T])]) -> Option<(Samples, Vec<T>)> {
    let spans: Option<Vec<_>> = parts.iter().map(|(samples, _)| samples.time_span()).collect();
    let from = spans.as_ref()?.iter().map(|span| span.0).min()?;
    let to = spans.as_ref()?.iter().map(|span| span.1).max()?;
    let clock = Clock::new(labels, (from, to));
    let all = clock.samples(&[from..clock.end]);
    let of_part = |(samples, values): &(&Samples, &[T])| {
        samples.rows().iter().copied().zip(values.iter().copied()).collect::<Vec<_>>()
    };
    let mut values: Vec<(u32, T)> = parts.iter().flat_map(of_part).collect();
    values.sort_unstable_by_key(|&(row, _)| row);
    values.dedup_by_key(|&mut (row, _)| row);
    let mut wanted = values.iter().map(|&(row, _)| row).peekable();
    let is_wanted = |&(_, &row): &(usize, &u32)| wanted.next_if_eq(&row).is_some();
    let picks: Vec<u32> = all.rows().iter().enumerate().filter(is_wanted).map(|(at, _)| at as u32).collect();
    let samples = all.select(&picks).ok().filter(|samples| samples.len() == values.len())?;
    Some((samples, values.into_iter().map(|(_, value)| value).collect()))
}

fn has_both(samples: &Samples) -> bool {
    (1..samples.len()).contains(&samples.positives())
}

/// Times between the first and the last window of a span.
struct Clock<'a> {
    labels: &'a Labels,
    from: Timestamp,
    steps: i64,
    /// A step after the last window.
    end: Timestamp,
}

impl<'a> Clock<'a> {
    fn new(labels: &'a Labels, (from, to): (Timestamp, Timestamp)) -> Self {
        let step = labels.layout().step();
        let steps = (to.millis() - from.millis()) / step.millis();
        Self { labels, from, steps, end: to.checked_add(step, 1).unwrap_or(to) }
    }

    fn moved(&self, from: Timestamp, steps: i64) -> Timestamp {
        from.checked_add(self.labels.layout().step(), steps).unwrap_or(from)
    }

    fn purge(&self) -> i64 {
        i64::try_from(self.labels.purge()).unwrap_or(i64::MAX)
    }

    /// The time after this share of the span.
    fn at(&self, share: f64) -> Timestamp {
        self.moved(self.from, (share * self.steps as f64) as i64)
    }

    /// A purge before.
    fn before(&self, time: Timestamp) -> Timestamp {
        self.moved(time, -self.purge()).max(self.from)
    }

    /// A purge after.
    fn after(&self, time: Timestamp) -> Timestamp {
        self.moved(time, self.purge()).min(self.end)
    }

    /// Samples in these spans.
    fn samples(&self, spans: &[Range<Timestamp>]) -> Samples {
        self.labels.samples_in(spans, |_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{Target, WindowSpec};
    use forewarn_label::{ThresholdRule, label};
    use forewarn_schema::FrameSet;
    use forewarn_sim::StressWalk;
    use forewarn_window::{Fractions, chronological};

    fn labels() -> Labels {
        let frame = StressWalk::new(20 * 1440, 3).run().unwrap().frame;
        let frames = FrameSet::from_frames(vec![frame]).unwrap();
        label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset).unwrap()
    }

    fn span(samples: &Samples) -> (Timestamp, Timestamp) {
        samples.time_span().unwrap()
    }

    #[test]
    fn folds_lie_before_validation_and_share_nothing() {
        let labels = labels();
        let split = chronological(&labels, Fractions::default()).unwrap();
        let folds = inner_folds(&labels, &split);
        assert_eq!(folds.len(), 2);
        let mut before = None;
        for fold in &folds {
            let [train, validation, block] = [&**fold.train(), fold.validation(), fold.test()].map(span);
            let purge = labels.purge() as f64;
            assert!(
                validation.0.minutes_since(train.1) >= purge && block.0.minutes_since(validation.1) >= purge
            );
            assert!(before.is_none_or(|before| block.0 > before), "blocks follow one another");
            before = Some(block.1);
        }
        assert_eq!(before.unwrap(), span(split.train()).1, "up to the last training window");
        assert!(before.unwrap() < span(split.validation()).0);
    }

    #[test]
    fn what_no_fold_scores_is_scored_by_a_later_fit() {
        let labels = labels();
        let split = chronological(&labels, Fractions::default()).unwrap();
        let earlier = earlier_block(&labels, &split).unwrap();
        let [train, scored] = [&**earlier.train(), &**earlier.test()].map(span);
        let purge = labels.purge() as f64;
        assert!(scored.0 == span(split.train()).0 && train.0.minutes_since(scored.1) >= purge);
        assert_eq!(train.1, span(split.train()).1);
        let first = &inner_folds(&labels, &split)[0];
        assert!(
            span(first.test()).0.minutes_since(scored.1) <= purge + 1.0,
            "nothing but a purge is left out"
        );
    }

    #[test]
    fn the_last_fit_sees_all_but_a_block_and_nothing_of_test() {
        let labels = labels();
        let split = chronological(&labels, Fractions::default()).unwrap();
        let whole = all_but_a_block(&labels, &split).unwrap();
        let (train, within) = (span(whole.train()), span(whole.validation()));
        assert_eq!(train, (span(split.train()).0, span(split.validation()).1));
        assert!(train.0 < within.0 && within.1 < train.1 && train.1 < span(split.test()).0);
        let purge = labels.purge() as f64;
        for (_, time) in whole.train().places() {
            let is_apart = within.0.minutes_since(time) >= purge || time.minutes_since(within.1) >= purge;
            assert!(is_apart, "{time}");
        }
        assert!(whole.test().is_empty() && whole.train().len() > split.train().len());
    }

    #[test]
    fn parts_are_joined_with_their_values() {
        let labels = labels();
        let split = chronological(&labels, Fractions::default()).unwrap();
        let (first, last) = (&**split.train(), &**split.validation());
        let values = |samples: &Samples| samples.rows().to_vec();
        let (samples, found) = joined(&labels, &[(last, &values(last)), (first, &values(first))]).unwrap();
        assert_eq!((samples.len(), samples.rows()), (first.len() + last.len(), &*found));
        assert_eq!(samples.positives(), first.positives() + last.positives());
        assert!(joined::<u32>(&labels, &[]).is_none());
    }
}

//! Walk-forward folds over train and validation, for what is chosen by more than one span of time.

use forewarn_core::{Labels, Split};
use forewarn_schema::Timestamp;
use std::ops::Range;

/// Where blocks that are scored begin, and how long they are, as shares of the time from the first train to the last
/// validation window.
const BLOCKS: [f64; 3] = [0.4, 0.6, 0.8];
const BLOCK: f64 = 0.2;
/// Time before a block that decides when a fit stops.
const VALIDATION: f64 = 0.15;

/// Folds within train and validation of `split`: each is fitted on what comes before a block of time, with the last
/// part of it for stopping, and
/// scores the block. Folds of which a part lacks a class are left out, so there may be none.
///
/// All parts are purged, so that no label or window is shared.
pub(crate) fn inner_folds(labels: &Labels, split: &Split) -> Vec<Split> {
    let spans = (split.train().time_span(), split.validation().time_span());
    let (Some((from, _)), Some((_, to))) = spans else { return Vec::new() };
    let step = labels.layout().step();
    let steps = (to.millis() - from.millis()) / step.millis();
    let at = |share: f64| from.checked_add(step, (share * steps as f64) as i64).unwrap_or(to);
    let purge = i64::try_from(labels.purge()).unwrap_or(i64::MAX);
    let purged =
        |from: Timestamp, until: Timestamp| from..until.checked_add(step, -purge).unwrap_or(from).max(from);
    // The last validation window is part of the last block.
    let end = to.checked_add(step, 1).unwrap_or(to);
    let part = |span: Range<Timestamp>| labels.samples_in(&[span], |_| true);
    let fold = |start: f64| {
        let until = if start + BLOCK >= 1.0 { end } else { at(start + BLOCK) };
        let (stop, block) = (at(start - VALIDATION), at(start));
        let (train, validation) = (part(purged(from, stop)), part(purged(stop, block)));
        let scored = part(block..until);
        let has_both = |samples: &forewarn_core::Samples| (1..samples.len()).contains(&samples.positives());
        let is_usable = has_both(&train) && has_both(&validation) && has_both(&scored);
        is_usable.then(|| Split::new(train, validation, scored, labels.purge()).ok()).flatten()
    };
    BLOCKS.into_iter().filter_map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{Target, WindowSpec};
    use forewarn_label::{ThresholdRule, label};
    use forewarn_schema::FrameSet;
    use forewarn_sim::StressWalk;
    use forewarn_window::{Fractions, chronological};

    #[test]
    fn folds_lie_before_the_test_span_and_share_nothing() {
        let frame = StressWalk::new(20 * 1440, 3).unwrap().run().frame;
        let frames = FrameSet::from_frames(vec![frame]).unwrap();
        let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset).unwrap();
        let split = chronological(&labels, Fractions::default()).unwrap();
        let folds = inner_folds(&labels, &split);
        assert_eq!(folds.len(), 3);
        let span = |samples: &forewarn_core::Samples| samples.time_span().unwrap();
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
        let [last, first_of_test] = [span(split.validation()).1, span(split.test()).0];
        assert!(before.unwrap() <= last && last < first_of_test);
    }
}

use super::kind::Target;
use crate::WindowSpec;
use forewarn_schema::{Episodes, Layout, Step};
use std::{ops::Range, sync::Arc};

/// What became of one window's prediction period, step by step: a time, and whether the event came then or was only
/// not seen until then. What survival analysis calls a (right-censored) event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The event first happens in this step of the period, from 1.
    At(u32),
    /// It does not happen in this number of steps of the period. Fewer than the period's steps when it is not known
    /// what came after them: the data ended, or samples are missing.
    NotWithin(u32),
}

/// Where the events are that labels speak of, as rows: onsets for [`Target::Onset`], confirmed failing rows for
/// [`Target::Active`].
#[derive(Clone, Debug)]
pub(crate) struct Events {
    layout: Arc<Layout>,
    /// Ascending and disjoint.
    rows: Vec<Range<u32>>,
    /// Rows of whole episodes, in which a window for the target `Onset` is no prediction.
    ongoing: Vec<Range<u32>>,
    /// Rows of which it is unknown whether an event is in them, ascending and disjoint.
    unknown: Vec<Range<u32>>,
    /// Rows without any sample, ascending and disjoint.
    without_samples: Vec<Range<u32>>,
    /// Rows at the end of a service in which an event could not be confirmed.
    unconfirmed: usize,
}

impl Events {
    pub(crate) fn new(
        layout: Arc<Layout>,
        target: Target,
        confirmation: usize,
        episodes: &[Episodes],
    ) -> Self {
        let step = layout.step();
        let (mut rows, mut ongoing) = (Vec::new(), Vec::new());
        for (place, episodes) in layout.services().iter().zip(episodes) {
            let first_row_at = place.first_row_at(step);
            let row_at = |time| first_row_at(time) as u32;
            rows.reserve(episodes.len());
            ongoing.reserve(episodes.len());
            for episode in episodes {
                let (onset, confirmed, end) =
                    (row_at(episode.onset()), row_at(episode.confirmed_at()), row_at(episode.end()));
                match target {
                    Target::Onset => {
                        rows.push(onset..end.min(onset + 1));
                        ongoing.push(onset..end);
                    }
                    Target::Active => rows.push(confirmed..end),
                }
            }
        }
        let unconfirmed = match target {
            Target::Onset => confirmation.saturating_sub(1),
            Target::Active => 0,
        };
        Self { layout, rows, ongoing, unknown: Vec::new(), without_samples: Vec::new(), unconfirmed }
    }

    pub(crate) fn with_unknown(self, unknown: Vec<Range<u32>>, without_samples: Vec<Range<u32>>) -> Self {
        Self { unknown, without_samples, ..self }
    }

    /// The first of `ranges` that reaches to `row` or beyond: where it begins, or `row` itself within it.
    fn next(ranges: &[Range<u32>], row: u32) -> Option<u32> {
        let next = ranges.partition_point(|range| range.end <= row);
        ranges.get(next).map(|range| range.start.max(row))
    }

    /// Rows of the service that `row` belongs to.
    fn service(&self, row: u32) -> Range<usize> {
        let services = self.layout.services();
        let service = services.partition_point(|service| service.rows().end <= row as usize);
        services.get(service).map_or(0..0, |service| service.rows())
    }

    /// Steps from `row` to the next event in the same service.
    fn steps_to_event(&self, row: u32) -> Option<u32> {
        let event = Self::next(&self.rows, row + 1)?;
        self.service(row).contains(&(event as usize)).then(|| event - row)
    }

    pub(crate) fn outcome(&self, spec: WindowSpec, row: u32) -> Outcome {
        let first = row + spec.lead() as u32 + 1;
        let end = first + spec.period() as u32;
        let service = self.service(row);
        let known = (service.end - self.unconfirmed.min(service.len())) as u32;
        let known = known.min(Self::next(&self.unknown, first).unwrap_or(end)).min(end);
        match Self::next(&self.rows, first) {
            // As for labels, an event that is known counts, even where missing samples might hide an earlier one.
            Some(event) if event < end && (event as usize) < service.end => Outcome::At(event - first + 1),
            _ => Outcome::NotWithin(known.saturating_sub(first)),
        }
    }

    /// Whether the window that ends in `row` would be a prediction, had its period been observed.
    pub(crate) fn is_open(&self, row: u32) -> bool {
        let within = |ranges: &[Range<u32>]| Self::next(ranges, row) == Some(row);
        !within(&self.unknown) && !within(&self.without_samples) && !within(&self.ongoing)
    }
}

/// The outcome of each of a list of windows: a view; copy it freely.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a> {
    pub(crate) events: &'a Events,
    pub(crate) spec: WindowSpec,
    pub(crate) rows: &'a [u32],
}

impl Outcomes<'_> {
    /// Number of windows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no window.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Steps of the prediction period.
    #[must_use]
    pub fn period(&self) -> usize {
        self.spec.period()
    }

    /// The window that the outcomes are about.
    #[must_use]
    pub fn spec(&self) -> WindowSpec {
        self.spec
    }

    /// Time between rows: how long a step is.
    #[must_use]
    pub fn step(&self) -> Step {
        self.events.layout.step()
    }

    /// What became of window `index`; `None` beyond the last. Logarithmic in the number of episodes.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Outcome> {
        self.rows.get(index).map(|&row| self.events.outcome(self.spec, row))
    }

    /// Steps from the first step of window `index`'s period, which counts as 1, to the next event of its service,
    /// however far beyond the period; `None` without one.
    #[must_use]
    pub fn steps_to_event(&self, index: usize) -> Option<u32> {
        let row = *self.rows.get(index)? + self.spec.lead() as u32;
        self.events.steps_to_event(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exclusion, Label, Labels};
    use forewarn_schema::{Episode, Frame, FrameSet, Metric, Schema, Timestamp};

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000).unwrap()
    }

    fn range(row: u32) -> Vec<Range<u32>> {
        std::iter::once(row..row + 1).collect()
    }

    /// Two services of 20 rows; the first fails in rows 10, 11 and 12 (confirmed in 11), the second in row 2.
    fn labels(target: Target, spec: WindowSpec, labels: Vec<Label>) -> Labels {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame =
            |name| Frame::new(name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, vec![0.0; 20]).unwrap();
        let frames = FrameSet::from_frames(vec![frame("a"), frame("b")]).unwrap();
        let episodes = [(10, 11, 13), (2, 2, 3)].map(|(onset, confirmed, end)| {
            Episodes::new(vec![Episode::new(minute(onset), minute(confirmed), minute(end)).unwrap()]).unwrap()
        });
        Labels::new(frames.layout().clone(), spec, target, 2, labels, episodes.to_vec()).unwrap()
    }

    #[test]
    fn outcomes_count_steps_to_the_first_event_and_stop_at_the_unknown() {
        let spec = WindowSpec::new(2, 1, 4).unwrap();
        let all = labels(Target::Onset, spec, vec![Label::Negative; 40]);
        let samples = all.samples(|_, _| true);
        let outcome = |row: u32| {
            let outcomes = samples.outcomes();
            outcomes.get(samples.rows().iter().position(|&at| at == row).unwrap()).unwrap()
        };
        // The period of a window that ends in row t is t + 2 ..= t + 5.
        assert_eq!(outcome(4), Outcome::NotWithin(4));
        assert_eq!(outcome(5), Outcome::At(4));
        assert_eq!(outcome(8), Outcome::At(1));
        assert_eq!(outcome(9), Outcome::NotWithin(4));
        // Row 19 could not be confirmed, and the next service is another story.
        assert_eq!(outcome(15), Outcome::NotWithin(2));
        assert_eq!(outcome(19), Outcome::NotWithin(0));
        assert_eq!(samples.outcomes().period(), 4);

        let active = labels(Target::Active, spec, vec![Label::Negative; 40]);
        assert_eq!(active.events().outcome(spec, 9), Outcome::At(1), "confirmed in row 11");
        assert_eq!(active.events().outcome(spec, 6), Outcome::At(4));

        let gap = all.with_unknown(range(8), Vec::new());
        assert_eq!(gap.events().outcome(spec, 4), Outcome::NotWithin(2), "rows 6 and 7 are known");
        assert_eq!(gap.events().outcome(spec, 5), Outcome::At(4), "the onset in row 10 is certain");
    }

    #[test]
    fn the_next_event_is_one_of_the_same_service() {
        let all = labels(Target::Onset, WindowSpec::new(2, 1, 4).unwrap(), vec![Label::Negative; 40]);
        let samples = all.samples(|_, _| true);
        let steps: Vec<_> = (0..samples.len()).map(|i| samples.outcomes().steps_to_event(i)).collect();
        // The first sample ends in row 1, its period begins in row 3.
        assert_eq!(steps[0], Some(8));
        assert_eq!(steps[7], Some(1));
        assert_eq!(steps[8], None, "what happens in the other service does not count");
        assert_eq!(samples.outcomes().steps_to_event(samples.len()), None);
    }

    #[test]
    fn windows_whose_period_was_seen_in_part_are_kept_apart() {
        let spec = WindowSpec::new(2, 0, 4).unwrap();
        let mut each = vec![Label::Negative; 40];
        for row in [14, 15, 16, 17, 18, 19] {
            each[row] = Label::Excluded(Exclusion::Censored);
        }
        for row in [10, 11, 12] {
            each[row] = Label::Excluded(Exclusion::Ongoing);
        }
        let all = labels(Target::Onset, spec, each).with_unknown(range(15), range(17));
        let samples = all.samples(|service, _| service == 0);
        // Row 14 saw nothing before the gap, 15 is in it, 17 has no sample, 18 and 19 could not be confirmed.
        assert_eq!(samples.partly_observed(), [16]);
        assert_eq!(all.events().outcome(spec, 16), Outcome::NotWithin(2));
    }
}

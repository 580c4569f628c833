//! Spans of evaluation times, and how they are cut.

use forewarn_schema::{Step, Timestamp};

/// Points of a series that one query may ask for: servers refuse more than 11,000.
pub(crate) const MOST_POINTS: i64 = 11_000;

/// Evaluation times from `first` to `last`, both included, a step apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) step: Step,
}

impl Span {
    /// The times on the clock (whole steps since 1970) from `from` to `to`, both included where they are on it; `None`
    /// where none is.
    pub(crate) fn aligned(from: Timestamp, to: Timestamp, step: Step) -> Option<Self> {
        let first = from.millis().checked_add(step.millis() - 1)?;
        let first = Timestamp::from_millis(first - first.rem_euclid(step.millis()))?;
        let last = Timestamp::from_millis(to.millis() - to.millis().rem_euclid(step.millis()))?;
        (first <= last).then_some(Self { first, last, step })
    }

    /// How many times there are.
    pub(crate) fn points(self) -> i64 {
        (self.last.millis() - self.first.millis()) / self.step.millis() + 1
    }

    /// The time after `points` others.
    fn time(self, points: i64) -> Timestamp {
        // Within the span, whose ends are on the calendar.
        Timestamp::from_millis(self.first.millis() + points * self.step.millis()).unwrap_or(self.last)
    }

    /// All times in order.
    pub(crate) fn times(self) -> impl Iterator<Item = Timestamp> {
        (0..self.points()).map(move |point| self.time(point))
    }

    /// The same times in spans of at most `most` each, of equal length but for the last.
    pub(crate) fn chunks(self, most: i64) -> Vec<Self> {
        let (points, most) = (self.points(), most.max(1));
        let starts = (0..points).step_by(usize::try_from(most).unwrap_or(usize::MAX));
        let chunk = |at: i64| Self {
            first: self.time(at),
            last: self.time((at + most).min(points) - 1),
            step: self.step,
        };
        starts.map(chunk).collect()
    }

    /// Two halves; `None` for one time.
    pub(crate) fn halves(self) -> Option<[Self; 2]> {
        let middle = self.points() / 2;
        (middle > 0).then(|| {
            [Self { last: self.time(middle - 1), ..self }, Self { first: self.time(middle), ..self }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).unwrap()
    }

    #[test]
    fn a_span_begins_and_ends_on_the_clock() {
        let span = Span::aligned(at(61), at(299), Step::MINUTE).unwrap();
        assert_eq!((span.first, span.last, span.points()), (at(120), at(240), 3));
        assert_eq!(Span::aligned(at(60), at(60), Step::MINUTE).unwrap().points(), 1);
        assert_eq!(Span::aligned(at(61), at(119), Step::MINUTE), None);
        assert_eq!(
            Span::aligned(at(-61), at(-1), Step::MINUTE).unwrap().times().collect::<Vec<_>>(),
            [at(-60)]
        );
    }

    #[test]
    fn chunks_and_halves_have_each_time_once() {
        for points in [1, 2, 5, 11_000, 11_001, 43_200] {
            let whole = Span { first: at(60), last: at(60 * points), step: Step::MINUTE };
            for most in [1, 2, 3, MOST_POINTS] {
                if points / most > 20_000 {
                    continue;
                }
                let chunks = whole.chunks(most);
                assert!(chunks.iter().all(|chunk| chunk.points() <= most));
                assert!(chunks.iter().flat_map(|chunk| chunk.times()).eq(whole.times()), "{points} {most}");
            }
            match whole.halves() {
                Some(halves) => assert!(halves.into_iter().flat_map(Span::times).eq(whole.times())),
                None => assert_eq!(points, 1),
            }
        }
    }
}

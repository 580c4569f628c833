use crate::{EvalError, windows::expect_both_classes};
use forewarn_core::{CoreError, Samples, Score, WindowSpec};
use forewarn_schema::{Episodes, Step, Timestamp};
use std::collections::BTreeSet;

/// The scores of one service's windows, what they should have been, and the failures that there were.
///
/// Windows without a label (see [`Exclusion`](forewarn_core::Exclusion)) have no score here; the times just leave
/// them out.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredSeries {
    service: String,
    times: Vec<Timestamp>,
    scores: Vec<Score>,
    positive: Vec<bool>,
    episodes: Episodes,
    /// The highest score: below it alone can a threshold raise alarms.
    highest: Score,
}

impl ScoredSeries {
    /// A series from its parts: for each window the time of its last row, its score and whether it is positive; and all
    /// failure episodes of the service, those outside the scored time too.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`], [`EvalError::TimeOrder`] unless times strictly ascend.
    pub fn new(
        service: impl Into<String>,
        times: Vec<Timestamp>,
        scores: Vec<Score>,
        positive: Vec<bool>,
        episodes: Episodes,
    ) -> Result<Self, EvalError> {
        for (what, got) in [("scores", scores.len()), ("labels", positive.len())] {
            if got != times.len() {
                return Err(CoreError::LengthMismatch { what, expected: times.len(), got }.into());
            }
        }
        let service = service.into();
        if let Some(pair) = times.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(EvalError::TimeOrder { service, time: pair[1], previous: pair[0] });
        }
        let highest = scores.iter().copied().max().unwrap_or(Score::ZERO);
        Ok(Self { service, times, scores, positive, episodes, highest })
    }

    /// Service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Time of the last row of each window.
    #[must_use]
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// One score a window.
    #[must_use]
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// Whether each window is positive.
    #[must_use]
    pub fn positive(&self) -> &[bool] {
        &self.positive
    }

    /// All failures of the service.
    #[must_use]
    pub fn episodes(&self) -> &Episodes {
        &self.episodes
    }

    /// The highest score; 0 where there is none.
    pub(crate) fn highest(&self) -> Score {
        self.highest
    }

    /// This series and a later one of the same service.
    fn followed_by(&self, later: &Self) -> Result<Self, EvalError> {
        Self::new(
            self.service.as_str(),
            [&*self.times, &later.times].concat(),
            [&*self.scores, &later.scores].concat(),
            [&*self.positive, &later.positive].concat(),
            self.episodes.clone(),
        )
    }

    /// Time and score of each window, which is what an alarm policy takes.
    pub fn scored(&self) -> impl Iterator<Item = (Timestamp, Score)> + '_ {
        self.times.iter().copied().zip(self.scores.iter().copied())
    }
}

/// The scored windows of all services: what one model is evaluated on.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredSet {
    spec: WindowSpec,
    step: Step,
    series: Vec<ScoredSeries>,
}

impl ScoredSet {
    /// Puts series together. `spec` says which steps after its time a score is about, `step` how long a step is.
    ///
    /// # Errors
    /// [`EvalError::DuplicateService`]; [`EvalError::OffClock`] for times of one service that are not whole steps
    /// apart.
    pub fn new(spec: WindowSpec, step: Step, series: Vec<ScoredSeries>) -> Result<Self, EvalError> {
        let mut names = BTreeSet::new();
        for one in &series {
            if !names.insert(one.service.as_str()) {
                return Err(EvalError::DuplicateService { service: one.service.clone() });
            }
            let Some(&first) = one.times.first() else { continue };
            if let Some(&time) =
                one.times.iter().find(|time| (time.millis() - first.millis()) % step.millis() != 0)
            {
                return Err(EvalError::OffClock {
                    service: one.service.clone(),
                    time,
                    first,
                    step_millis: step.millis(),
                });
            }
        }
        Ok(Self { spec, step, series })
    }

    /// Joins samples with the scores of their windows and with the episodes of every service of their layout
    /// ([`Labels::episodes`](forewarn_core::Labels::episodes)). Services without a window are left out.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a wrong number of scores or of lists of episodes.
    pub fn from_samples(
        samples: &Samples,
        scores: &[Score],
        episodes: &[Episodes],
    ) -> Result<Self, EvalError> {
        let services = samples.layout().services();
        let counts = [
            ("scores", samples.len(), scores.len()),
            ("services with episodes", services.len(), episodes.len()),
        ];
        for (what, expected, got) in counts {
            if expected != got {
                return Err(CoreError::LengthMismatch { what, expected, got }.into());
            }
        }
        let places: Vec<(usize, Timestamp)> = samples.places().collect();
        let mut series = Vec::new();
        let mut first = 0;
        // Rows ascend and services lie one after another, so each service's windows are one run.
        for run in places.chunk_by(|a, b| a.0 == b.0) {
            let (service, windows) = (run[0].0, first..first + run.len());
            first = windows.end;
            series.push(ScoredSeries::new(
                services[service].name(),
                run.iter().map(|&(_, time)| time).collect(),
                scores[windows.clone()].to_vec(),
                samples.positive()[windows].to_vec(),
                episodes[service].clone(),
            )?);
        }
        Self::new(samples.spec(), samples.layout().step(), series)
    }

    /// The windows up to `last`, and those from `purge` steps after it: a part to choose thresholds on, and a part to
    /// report on. Episodes stay whole in both; services without a window in a part are left out of it.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), which parts of a set do not have.
    pub fn split_after(&self, last: Timestamp, purge: usize) -> Result<(Self, Self), EvalError> {
        let purge = i64::try_from(purge).unwrap_or(i64::MAX).saturating_mul(self.step.millis());
        let from = last.millis().saturating_add(purge);
        Ok((self.part(|time| time <= last)?, self.part(|time| time.millis() > from)?))
    }

    /// The windows from `first` to `last`, both counted. Episodes stay whole.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), which parts of a set do not have.
    pub fn between(&self, first: Timestamp, last: Timestamp) -> Result<Self, EvalError> {
        self.part(|time| first <= time && time <= last)
    }

    /// Sets that follow one another in time as one: what a model that is refitted now and then scored all together.
    ///
    /// # Errors
    /// [`EvalError::TimeOrder`] for sets that overlap; those of [`new`](Self::new). [`CoreError::InvalidSetting`] for
    /// sets with another window or step than the first, and for none.
    pub fn join(parts: &[&Self]) -> Result<Self, EvalError> {
        let invalid = |value: &str, expected| CoreError::InvalidSetting {
            name: "sets of scores to join",
            value: value.to_owned(),
            expected,
        };
        let first = parts.first().ok_or_else(|| invalid("none", "at least one"))?;
        let mut series: Vec<ScoredSeries> = Vec::new();
        for part in parts {
            if part.spec != first.spec || part.step != first.step {
                return Err(invalid("another window or step", "those of the first").into());
            }
            for one in &part.series {
                match series.iter_mut().find(|known| known.service == one.service) {
                    None => series.push(one.clone()),
                    Some(known) => *known = known.followed_by(one)?,
                }
            }
        }
        Self::new(first.spec, first.step, series)
    }

    fn part(&self, is_in: impl Fn(Timestamp) -> bool) -> Result<Self, EvalError> {
        let mut parts = Vec::new();
        for one in &self.series {
            let inside: Vec<usize> = (0..one.times.len()).filter(|&i| is_in(one.times[i])).collect();
            if inside.is_empty() {
                continue;
            }
            parts.push(ScoredSeries::new(
                one.service.as_str(),
                inside.iter().map(|&i| one.times[i]).collect(),
                inside.iter().map(|&i| one.scores[i]).collect(),
                inside.iter().map(|&i| one.positive[i]).collect(),
                one.episodes.clone(),
            )?);
        }
        Self::new(self.spec, self.step, parts)
    }

    /// Which steps after its time a score is about.
    #[must_use]
    pub fn spec(&self) -> WindowSpec {
        self.spec
    }

    /// Length of a step.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// One series a service.
    #[must_use]
    pub fn series(&self) -> &[ScoredSeries] {
        &self.series
    }

    /// The series of one service.
    ///
    /// # Errors
    /// [`EvalError::UnknownService`].
    pub fn service(&self, name: &str) -> Result<&ScoredSeries, EvalError> {
        self.series
            .iter()
            .find(|one| one.service == name)
            .ok_or_else(|| EvalError::UnknownService { service: name.to_owned() })
    }

    /// Time of the first and of the last window of any service; `None` without a window.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let times = || self.series.iter().flat_map(|one| &one.times).copied();
        Some((times().min()?, times().max()?))
    }

    /// Number of scored windows.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.series.iter().map(|one| one.times.len()).sum()
    }

    /// Number of positive windows.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.series.iter().flat_map(|one| &one.positive).filter(|&&positive| positive).count()
    }

    /// Whether `other` has the same windows of the same services with the same labels, whatever their scores.
    #[must_use]
    pub fn has_same_windows(&self, other: &Self) -> bool {
        let alike = |(a, b): (&ScoredSeries, &ScoredSeries)| {
            a.service == b.service && a.times == b.times && a.positive == b.positive
        };
        self.series.len() == other.series.len() && self.series.iter().zip(&other.series).all(alike)
    }

    /// How long the services were watched, all together, in days: each scored window counts for one step.
    #[must_use]
    pub fn service_days(&self) -> f64 {
        days(self.windows(), self.step)
    }

    /// Scores and labels of all services, one after another: what window metrics take.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`] without a positive or without a negative window; `part` names the data in it.
    pub fn pooled(&self, part: &'static str) -> Result<(Vec<Score>, Vec<bool>), EvalError> {
        let scores = self.series.iter().flat_map(|one| one.scores.iter().copied()).collect::<Vec<_>>();
        let positive = self.series.iter().flat_map(|one| one.positive.iter().copied()).collect::<Vec<_>>();
        expect_both_classes(part, &scores, &positive)?;
        Ok((scores, positive))
    }
}

/// Days that `windows` steps are. Multiplied first, so that it is rounded once.
pub(crate) fn days(windows: usize, step: Step) -> f64 {
    windows as f64 * step.millis() as f64 / 86_400_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{minute, scores};
    use forewarn_core::{Label, Labels, Target};
    use forewarn_schema::{Episode, Frame, FrameSet, Metric, Schema};
    use std::sync::Arc;

    fn series(service: &str, times: &[i64]) -> Result<ScoredSeries, EvalError> {
        let times: Vec<_> = times.iter().map(|&time| minute(time)).collect();
        let count = times.len();
        ScoredSeries::new(service, times, scores(&vec![0.5; count]), vec![false; count], Episodes::default())
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for times in [&[3, 2][..], &[3, 3]] {
            assert!(matches!(series("a", times), Err(EvalError::TimeOrder { .. })));
        }
        let short = ScoredSeries::new("a", vec![minute(1)], vec![], vec![true], Episodes::default());
        assert_eq!(short.unwrap_err().to_string(), "scores: expected 1, got 0");
        let unlabelled = ScoredSeries::new("a", vec![minute(1)], scores(&[0.5]), vec![], Episodes::default());
        assert_eq!(unlabelled.unwrap_err().to_string(), "labels: expected 1, got 0");
        let set = |step, list| ScoredSet::new(WindowSpec::default(), step, list);
        let twice = set(Step::MINUTE, vec![series("a", &[1]).unwrap(), series("a", &[2]).unwrap()]);
        assert!(matches!(twice, Err(EvalError::DuplicateService { .. })));
        let off = set(Step::from_millis(120_000).unwrap(), vec![series("a", &[1, 3, 4]).unwrap()]);
        assert_eq!(
            off.unwrap_err().to_string(),
            "a: the score at 1970-01-01T00:04:00Z is off the clock that starts at 1970-01-01T00:01:00Z with a step of 120000 ms"
        );
        let good = set(Step::MINUTE, vec![series("a", &[1, 9]).unwrap()]).unwrap();
        assert!(good.service("a").is_ok() && good.service("b").is_err());
        assert!(matches!(
            good.pooled("test"),
            Err(EvalError::Core(CoreError::SingleClass { part: "test", positives: 0, windows: 2 }))
        ));
    }

    #[test]
    fn samples_fall_apart_into_services() {
        let frame = |service: &str, rows| {
            let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
            Frame::new(service, schema, minute(0), Step::MINUTE, vec![0.0; rows]).unwrap()
        };
        let frames = FrameSet::from_frames(vec![frame("a", 4), frame("b", 1), frame("c", 3)]).unwrap();
        let episode = Episode::new(minute(2), minute(2), minute(3)).unwrap();
        let episodes = vec![Episodes::new(vec![episode]).unwrap(), Episodes::default(), Episodes::default()];
        let mut labels = vec![Label::Negative; 8];
        (labels[1], labels[2]) = (Label::Positive, Label::Excluded(forewarn_core::Exclusion::Ongoing));
        let spec = WindowSpec::new(2, 0, 1).unwrap();
        let layout = Arc::clone(frames.layout());
        let labels = Labels::new(layout, spec, Target::Onset, 1, labels, episodes).unwrap();
        let samples = labels.samples(|_, _| true);
        let scores = scores(&[0.1, 0.3, 0.4, 0.5]);
        let set = ScoredSet::from_samples(&samples, &scores, labels.episodes()).unwrap();
        let names: Vec<_> = set.series().iter().map(ScoredSeries::service).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(set.series()[0].times(), [minute(1), minute(3)]);
        assert_eq!(set.series()[0].positive(), [true, false]);
        assert_eq!(set.series()[0].episodes().len(), 1);
        assert_eq!(set.series()[1].times(), [minute(1), minute(2)]);
        assert_eq!(set.pooled("test").unwrap().0, scores);
        assert_eq!((set.windows(), set.positives()), (4, 1));
        assert_eq!(set.service_days(), 4.0 / 1440.0);
        assert!(ScoredSet::from_samples(&samples, &scores[1..], labels.episodes()).is_err());
        assert!(ScoredSet::from_samples(&samples, &scores, &labels.episodes()[1..]).is_err());
    }
}

use crate::{
    CoreError, Exclusion, ExclusionCounts, Label, Labels, Outcome, Outcomes, WindowSpec, Windows,
    outcome::Events, rank::expect_both_classes,
};
use forewarn_schema::{FrameSet, Layout, Timestamp};
use std::{ops::Range, sync::Arc};

/// Labelled windows as an index: which rows they end in, and whether they are positive. Five bytes a window, nine
/// with weights.
///
/// The index holds no metrics. [`on`](Self::on) joins it with any frame set of the same layout, so the same samples
/// serve raw metrics, features and normalised features.
#[derive(Clone, Debug)]
pub struct Samples {
    layout: Arc<Layout>,
    spec: WindowSpec,
    rows: Vec<u32>,
    positive: Vec<bool>,
    /// How many windows each stands for; `None` where each stands for itself.
    weights: Option<Vec<f32>>,
    excluded: ExclusionCounts,
    events: Arc<Events>,
    partly_observed: Vec<u32>,
}

impl Samples {
    pub(crate) fn empty(labels: &Labels) -> Self {
        Self::none(Arc::clone(labels.layout()), labels.spec(), Arc::clone(labels.events()))
    }

    fn none(layout: Arc<Layout>, spec: WindowSpec, events: Arc<Events>) -> Self {
        Self {
            layout,
            spec,
            rows: Vec::new(),
            positive: Vec::new(),
            weights: None,
            excluded: ExclusionCounts::default(),
            events,
            partly_observed: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: u32, label: Label) {
        match label {
            Label::Excluded(reason) => {
                self.excluded.add(reason);
                let seen = |outcome| !matches!(outcome, Outcome::NotWithin(0));
                if reason != Exclusion::Ongoing
                    && self.events.is_open(row)
                    && seen(self.events.outcome(self.spec, row))
                {
                    self.partly_observed.push(row);
                }
            }
            Label::Positive | Label::Negative => {
                self.rows.push(row);
                self.positive.push(label == Label::Positive);
            }
        }
    }

    /// Number of labelled windows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no labelled window.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of positive windows.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.positive.iter().filter(|&&positive| positive).count()
    }

    /// Row that each window ends in, ascending.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Whether each window is positive.
    #[must_use]
    pub fn positive(&self) -> &[bool] {
        &self.positive
    }

    /// How many windows each stands for; `None` where each stands for itself.
    #[must_use]
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The same samples, each standing for a number of windows: what a model weighs its loss by.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a weight for each sample, [`CoreError::InvalidSetting`] for one
    /// that is not positive and finite.
    pub fn with_weights(self, weights: Vec<f32>) -> Result<Self, CoreError> {
        check_weights(&weights, self.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The same samples, each standing for itself.
    #[must_use]
    pub fn without_weights(self) -> Self {
        Self { weights: None, ..self }
    }

    /// Windows left out here, by reason.
    #[must_use]
    pub fn excluded(&self) -> ExclusionCounts {
        self.excluded
    }

    /// Rows that excluded windows end in whose period was observed in part: too little for a label, enough for a
    /// model of *when* failures begin. Ascending.
    #[must_use]
    pub fn partly_observed(&self) -> &[u32] {
        &self.partly_observed
    }

    /// What became of each window's period.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes<'_> {
        Outcomes { events: &self.events, spec: self.spec, rows: &self.rows }
    }

    /// The window that the labels are about.
    #[must_use]
    pub fn spec(&self) -> WindowSpec {
        self.spec
    }

    /// Services and times of the rows.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Service (a position in the layout) and time of each window, in order.
    pub fn places(&self) -> impl Iterator<Item = (usize, Timestamp)> + '_ {
        self.rows.iter().filter_map(|&row| self.layout.locate(row as usize))
    }

    /// The samples at `picks`, which are ascending positions, with their weights. What was excluded is no longer
    /// counted, nor partly observed.
    ///
    /// # Errors
    /// [`CoreError::UnorderedPicks`].
    pub fn select(&self, picks: &[u32]) -> Result<Self, CoreError> {
        let mut least = 0;
        for (index, &pick) in picks.iter().enumerate() {
            if (pick as usize) < least || pick as usize >= self.len() {
                return Err(CoreError::UnorderedPicks { index, pick, samples: self.len() });
            }
            least = pick as usize + 1;
        }
        Ok(Self {
            rows: picks.iter().map(|&pick| self.rows[pick as usize]).collect(),
            positive: picks.iter().map(|&pick| self.positive[pick as usize]).collect(),
            weights: self
                .weights
                .as_ref()
                .map(|weights| picks.iter().map(|&pick| weights[pick as usize]).collect()),
            ..Self::none(Arc::clone(&self.layout), self.spec, Arc::clone(&self.events))
        })
    }

    /// These samples as windows over `frames`. Nothing is copied.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`] for frames of other services or times.
    pub fn on<'a>(&'a self, frames: &'a FrameSet) -> Result<LabelledWindows<'a>, CoreError> {
        if !Arc::ptr_eq(&self.layout, frames.layout()) && self.layout != *frames.layout() {
            return Err(CoreError::LayoutMismatch);
        }
        let windows = |rows: &'a [u32]| {
            let windows = Windows::new(frames.schema(), frames.values(), self.spec.observation(), rows)?;
            Ok::<_, CoreError>(windows.with_layout(&self.layout))
        };
        let partial = self.partly_observed.as_slice();
        Ok(LabelledWindows {
            windows: windows(&self.rows)?,
            positive: &self.positive,
            weights: self.weights(),
            outcomes: Some(self.outcomes()),
            partial: Some((windows(partial)?, Outcomes { rows: partial, ..self.outcomes() })),
        })
    }

    /// These samples with the windows of each in order, which lie somewhere else than in a frame set: copies of what
    /// did not fit into memory. Windows that were observed in part are not among them.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a window for each sample, as long as the samples ask for.
    pub fn with_windows<'a>(&'a self, windows: Windows<'a>) -> Result<LabelledWindows<'a>, CoreError> {
        let (expected, got) = (self.spec.observation(), windows.observation());
        if expected != got {
            return Err(CoreError::LengthMismatch { what: "rows of a window", expected, got });
        }
        let labelled = LabelledWindows::new(windows, &self.positive)?;
        Ok(LabelledWindows { weights: self.weights(), outcomes: Some(self.outcomes()), ..labelled })
    }
}

/// Refuses weights that are not one positive number for each of `windows`.
fn check_weights(weights: &[f32], windows: usize) -> Result<(), CoreError> {
    if weights.len() != windows {
        return Err(CoreError::LengthMismatch { what: "weights", expected: windows, got: weights.len() });
    }
    match weights.iter().find(|&&weight| !(weight > 0.0 && weight.is_finite())) {
        Some(weight) => Err(CoreError::InvalidSetting {
            name: "weight of a window",
            value: weight.to_string(),
            expected: "a positive number",
        }),
        None => Ok(()),
    }
}

impl Labels {
    /// The labelled windows of the services that `keep` accepts (positions in the layout) whose last row lies in one
    /// of `spans`, which are disjoint and ascending; excluded ones are counted, not kept. The same as
    /// [`samples`](Self::samples) with a question for each service instead of each row.
    #[must_use]
    pub fn samples_in(&self, spans: &[Range<Timestamp>], mut keep: impl FnMut(usize) -> bool) -> Samples {
        let mut samples = Samples::empty(self);
        let step = self.layout().step();
        for (_, place) in self.layout().services().iter().enumerate().filter(|(service, _)| keep(*service)) {
            let rows = place.rows();
            let mut next = (rows.start + self.spec().observation() - 1).min(rows.end);
            let row_at = place.first_row_at(step);
            for span in spans {
                let within = row_at(span.start).max(next)..row_at(span.end);
                next = next.max(within.end);
                samples.extend(self.as_slice(), within);
            }
        }
        samples
    }
}

/// Rows that are looked at together.
const EXTEND_GROUP: usize = 32;

impl Samples {
    /// Takes in rows that follow those there are.
    fn extend(&mut self, labels: &[Label], rows: Range<usize>) {
        self.rows.reserve(rows.len());
        self.positive.reserve(rows.len());
        // Most windows have a label, and most of their neighbours too: such a group is taken in at once.
        for first in rows.clone().step_by(EXTEND_GROUP) {
            let group = first..rows.end.min(first + EXTEND_GROUP);
            let labels = &labels[group.clone()];
            if labels.iter().fold(true, |all, label| all & !matches!(label, Label::Excluded(_))) {
                self.rows.extend(group.start as u32..group.end as u32);
                self.positive.extend(labels.iter().map(|&label| label == Label::Positive));
            } else {
                group.zip(labels).for_each(|(row, &label)| self.push(row as u32, label));
            }
        }
    }
}

/// Windows with their labels: what models are fitted on. A view; copy it freely.
///
/// Windows may have weights: a negative kept from ten, with nine dropped, stands for ten. An estimator multiplies a
/// window's loss by [`weight`](Self::weight), or refuses weights with [`expect_unweighted`](Self::expect_unweighted);
/// it never passes them over in silence.
#[derive(Clone, Copy, Debug)]
pub struct LabelledWindows<'a> {
    windows: Windows<'a>,
    positive: &'a [bool],
    weights: Option<&'a [f32]>,
    outcomes: Option<Outcomes<'a>>,
    partial: Option<(Windows<'a>, Outcomes<'a>)>,
}

impl<'a> LabelledWindows<'a> {
    /// Windows and whether each is positive.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`].
    pub fn new(windows: Windows<'a>, positive: &'a [bool]) -> Result<Self, CoreError> {
        if windows.len() == positive.len() {
            Ok(Self { windows, positive, weights: None, outcomes: None, partial: None })
        } else {
            Err(CoreError::LengthMismatch { what: "labels", expected: windows.len(), got: positive.len() })
        }
    }

    /// The windows.
    #[must_use]
    pub fn windows(&self) -> Windows<'a> {
        self.windows
    }

    /// Whether each is positive.
    #[must_use]
    pub fn positive(&self) -> &'a [bool] {
        self.positive
    }

    /// The same windows, each standing for a number of them.
    ///
    /// # Errors
    /// As [`Samples::with_weights`].
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self, CoreError> {
        check_weights(weights, self.positive.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// How many windows each stands for; `None` where each stands for itself.
    #[must_use]
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }

    /// How many windows window `index` stands for: 1 unless there are weights.
    #[must_use]
    pub fn weight(&self, index: usize) -> f32 {
        self.weights.and_then(|weights| weights.get(index)).copied().unwrap_or(1.0)
    }

    /// Refuses weights, for a `model` that cannot take them into account.
    ///
    /// # Errors
    /// [`CoreError::WeightsUnsupported`].
    pub fn expect_unweighted(&self, model: &'static str) -> Result<(), CoreError> {
        match self.weights {
            Some(_) => Err(CoreError::WeightsUnsupported { model }),
            None => Ok(()),
        }
    }

    /// When in its period the event of each window comes; `None` for windows that do not come from [`Samples`].
    #[must_use]
    pub fn outcomes(&self) -> Option<Outcomes<'a>> {
        self.outcomes
    }

    /// Windows without a label whose period was observed in part, and what was seen of it; see
    /// [`Samples::partly_observed`].
    #[must_use]
    pub fn partly_observed(&self) -> Option<(Windows<'a>, Outcomes<'a>)> {
        self.partial
    }

    /// Number of positive windows.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.positive.iter().filter(|&&positive| positive).count()
    }

    /// Refuses data that lacks one of the two classes; `part` names it in the error.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`].
    pub fn expect_both_classes(&self, part: &'static str) -> Result<(), CoreError> {
        expect_both_classes(part, self.positive).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;
    use forewarn_schema::{Episodes, Frame, Metric, Schema, Step};
    use proptest::prelude::*;

    #[test]
    fn weights_go_where_their_windows_go() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let values = (0..6u8).map(f32::from).collect();
        let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap();
        let frames = FrameSet::from_frames(vec![frame]).unwrap();
        let spec = WindowSpec::new(2, 0, 1).unwrap();
        let layout = Arc::clone(frames.layout());
        let labels =
            Labels::new(layout, spec, Target::Onset, 1, vec![Label::Negative; 6], vec![Episodes::default()]);
        let samples = labels.unwrap().samples(|_, _| true);
        assert_eq!((samples.len(), samples.weights()), (5, None));
        assert_eq!(samples.on(&frames).unwrap().weight(3), 1.0);
        assert!(samples.on(&frames).unwrap().expect_unweighted("a model").is_ok());

        let weighted = samples.clone().with_weights(vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let picked = weighted.select(&[1, 4]).unwrap();
        assert_eq!(picked.weights(), Some(&[2.0, 5.0][..]));
        let labelled = picked.on(&frames).unwrap();
        assert_eq!((labelled.weight(0), labelled.weight(1)), (2.0, 5.0));
        let error = labelled.expect_unweighted("a model").unwrap_err().to_string();
        assert!(error.contains("a model"), "{error}");
        assert_eq!(picked.clone().without_weights().weights(), None);

        // The same windows, copied elsewhere.
        let copies = [1.0, 2.0, 4.0, 5.0];
        let windows = Windows::new(frames.schema(), &copies, 2, &[1, 3]).unwrap();
        let copied = picked.with_windows(windows).unwrap();
        assert_eq!(copied.weights(), Some(&[2.0, 5.0][..]));
        assert_eq!(copied.windows().get(1), labelled.windows().get(1));
        assert!(picked.with_windows(Windows::new(frames.schema(), &copies, 1, &[1, 3]).unwrap()).is_err());
        assert!(picked.with_windows(Windows::new(frames.schema(), &copies, 2, &[1]).unwrap()).is_err());

        for wrong in [vec![1.0; 4], vec![0.0; 5], vec![f32::NAN; 5], vec![f32::INFINITY; 5], vec![-1.0; 5]] {
            assert!(samples.clone().with_weights(wrong.clone()).is_err(), "{wrong:?}");
            assert!(samples.on(&frames).unwrap().with_weights(&wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn spans_keep_what_a_question_for_each_row_keeps(
            stretches in proptest::collection::vec((0u8..3, 1usize..90), 1..8),
            (from, length) in (-20i64..300, 0i64..300),
        ) {
            let kind = |kind: u8| match kind {
                0 => Label::Negative,
                1 => Label::Positive,
                _ => Label::Excluded(Exclusion::Missing),
            };
            let of = stretches.iter().flat_map(|&(label, count)| std::iter::repeat_n(kind(label), count));
            let labels: Vec<Label> = of.collect();
            let places = ["a", "b"].map(|name| (name.to_owned(), Timestamp::EPOCH, labels.len()));
            let layout = Arc::new(forewarn_schema::Layout::new(Step::MINUTE, places).unwrap());
            let both = [labels.clone(), labels].concat();
            let spec = WindowSpec::new(3, 0, 1).unwrap();
            let none = vec![Episodes::default(); 2];
            let labels = Labels::new(layout, spec, Target::Onset, 1, both, none).unwrap();
            let at = |minute: i64| Timestamp::from_millis(minute * 60_000 - 1).unwrap();
            let span = at(from)..at(from + length);
            let quick = labels.samples_in(std::slice::from_ref(&span), |service| service == 1);
            let slow = labels.samples(|service, time| service == 1 && span.contains(&time));
            prop_assert_eq!(quick.rows(), slow.rows());
            prop_assert_eq!(quick.positive(), slow.positive());
            prop_assert_eq!(quick.excluded(), slow.excluded());
            prop_assert_eq!(quick.partly_observed(), slow.partly_observed());
        }
    }
}

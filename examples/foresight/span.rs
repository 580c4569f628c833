//! A simulated span of days: its failures, and what a model or the hidden state says of every minute.

use forewarn::{
    baseline::Input,
    core::{Labels, Split},
    eval::best_f1_threshold,
    prelude::*,
    sim::{
        Fleet,
        fleet::{Blueprint, FaultKind, RollOuts},
    },
    window::Normalisation,
};
use std::{collections::BTreeMap, error::Error};

/// Scores by row.
pub(crate) type Scores = BTreeMap<usize, Score>;

/// Some days of a graph: metrics with labels.
pub(crate) struct Span {
    /// Minutes, and rows of a service.
    minutes: usize,
    fleet: Fleet,
    columns: FrameSet,
    labels: Labels,
    split: Split,
}

impl Span {
    /// Metrics are normalised by the span's own training part, which takes no labels.
    pub(crate) fn new(graph: Blueprint, days: usize, seed: u64) -> Result<Self, Box<dyn Error>> {
        let minutes = days * 1440;
        let mut fleet = Fleet::new(graph, minutes, seed);
        let frames = fleet.frames()?;
        let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset)?;
        let split = chronological(&labels, Fractions::default())?;
        let (method, scope) = (Normalisation::ZScore, Scope::Service);
        let pipeline = Pipeline::fit(Features::default(), split.train(), &frames, method, scope, 1)?;
        Ok(Self { minutes, columns: pipeline.with_limit(20.0)?.apply(&frames)?, fleet, labels, split })
    }

    /// A model and its threshold.
    pub(crate) fn train(&self) -> Result<(impl Predictor + use<>, Score), Box<dyn Error>> {
        let (train, validation) =
            (self.split.train().on(&self.columns)?, self.split.validation().on(&self.columns)?);
        let model = LogisticRegression::new(Input::Aggregates).fit(train, validation, &mut Silent)?;
        let scores = model.score_all(validation.windows())?;
        let (threshold, _) = best_f1_threshold(&scores, validation.positive())?;
        Ok((model, threshold))
    }

    /// Scores of every row that has a label.
    pub(crate) fn score(&self, model: &dyn Predictor) -> Result<Scores, Box<dyn Error>> {
        let samples = self.labels.samples(|_, _| true);
        let scores = model.score_all(samples.on(&self.columns)?.windows())?;
        Ok(samples.rows().iter().map(|&row| row as usize).zip(scores).collect())
    }

    /// What a predictor would say that knows the hidden state of everything.
    pub(crate) fn foresee(&self) -> Result<Scores, Box<dyn Error>> {
        let roll_outs = RollOuts { futures: 24, ..RollOuts::default() };
        let (spec, target) = (WindowSpec::default(), Target::Onset);
        let minutes =
            self.fleet.ceiling(&ThresholdRule::v1(), spec, target, 0..self.minutes - 6, roll_outs)?;
        let scores = minutes.iter().flat_map(|minute| {
            let services = minute.probabilities.iter().enumerate();
            services.map(|(service, &score)| (service * self.minutes + minute.row, score))
        });
        Ok(scores.collect())
    }

    /// The root fault of every failure that has one, and the row in which the failure begins.
    pub(crate) fn failures(&self) -> Result<Vec<(FaultKind, usize)>, Box<dyn Error>> {
        let causes = self.fleet.causes(&ThresholdRule::v1())?;
        let with_root = causes.failures.iter().filter_map(|failure| {
            let kind = causes.fault(failure.root?)?.injection.kind;
            let minute = failure.episode.onset().minutes_since(self.fleet.start()) as usize;
            Some((kind, failure.service * self.minutes + minute))
        });
        Ok(with_root.collect())
    }
}

/// The threshold above which a share of all windows lies.
pub(crate) fn threshold_for(scores: &Scores, share: f64) -> Result<Score, Box<dyn Error>> {
    let mut sorted: Vec<Score> = scores.values().copied().collect();
    sorted.sort();
    Ok(sorted[((1.0 - share) * (sorted.len() - 1) as f64) as usize].max(Score::new(0.02)?))
}

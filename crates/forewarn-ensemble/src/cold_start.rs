use crate::{FittedNovelty, nested};
use forewarn_core::{
    CoreError, Envelope, ModelFileError, NestedReader, Predictor, Save, Score, WindowSpec, Windows,
};
use serde::{Deserialize, Serialize};

const KIND: &str = "cold_start";

/// Share of training windows within whose distance a window is taken for known ground, and how many times that
/// distance it may be away.
const KNOWN_SHARE: f64 = 0.999;
const MOST_TIMES: f32 = 2.0;

/// A predictor that says when it cannot tell, instead of inventing a number.
///
/// It cannot tell before a service has been seen for a whole window, while too few of the window's samples are there,
/// and where the window is far from anything in training: there a fitted model's score is an extrapolation. It then
/// gives the unsupervised score of [`Novelty`](crate::Novelty) instead, and says so.
#[derive(Clone, Debug, PartialEq)]
pub struct ColdStart<P> {
    predictor: P,
    novelty: FittedNovelty,
    least_present: f64,
    most_distance: f32,
}

/// What a [`ColdStart`] says of a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Judgement {
    /// The predictor's score; `None` where it cannot tell.
    pub score: Option<Score>,
    /// Why it cannot tell.
    pub unknown: Option<Unknown>,
    /// How unusual what is there is among training windows: not a probability of failure. One half where nothing is
    /// there.
    pub novelty: Score,
    /// Share of the window's samples that are there.
    pub present: f64,
    /// Distance from the training mean, in deviations; `None` where nothing can be compared.
    pub distance: Option<f32>,
}

/// Why a predictor cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unknown {
    /// The service has not been seen for a whole window yet.
    History {
        /// Rows there are.
        rows: usize,
        /// Rows of a window.
        needed: usize,
    },
    /// Too few of the window's samples are there.
    Missing,
    /// The window is farther from the training windows than they are from one another.
    Unfamiliar,
}

impl<P: Predictor> ColdStart<P> {
    /// Guards `predictor` by a novelty score that was fitted on the same rows. Half of the samples must be there, and
    /// a window must not be more than twice as far from the training mean as all but a thousandth of the training
    /// windows.
    ///
    /// # Errors
    /// [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`] when the two were fitted on different windows.
    pub fn new(predictor: P, novelty: FittedNovelty) -> Result<Self, CoreError> {
        Windows::new(novelty.input(), &[], novelty.observation(), &[])?
            .expect(predictor.input(), predictor.observation())?;
        let most_distance = MOST_TIMES * novelty.quantile(KNOWN_SHARE);
        Ok(Self { predictor, novelty, least_present: 0.5, most_distance })
    }

    /// Asks for this share of a window's samples, 0 to 1, instead of half.
    #[must_use]
    pub fn with_least_present(self, share: f64) -> Self {
        Self { least_present: share, ..self }
    }

    /// Takes windows up to this distance from the training mean, in deviations, 0 or more, for known ground; infinity
    /// takes all.
    #[must_use]
    pub fn with_most_distance(self, deviations: f32) -> Self {
        Self { most_distance: deviations, ..self }
    }

    /// Refuses settings out of range: a guard that compares with NaN would never strike.
    fn check(&self) -> Result<(), CoreError> {
        let refuse = |name, value: String, expected| Err(CoreError::InvalidSetting { name, value, expected });
        if !(0.0..=1.0).contains(&self.least_present) {
            return refuse("least share of a window", self.least_present.to_string(), "0 to 1");
        }
        // NaN is no distance either.
        let is_distance = self.most_distance >= 0.0;
        if !is_distance {
            return refuse("greatest distance", self.most_distance.to_string(), "0 or more deviations");
        }
        Ok(())
    }

    /// What is guarded.
    #[must_use]
    pub fn inner(&self) -> &P {
        &self.predictor
    }

    /// Judges the rows there are, row-major, the newest last: a window, or fewer rows than one.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for a share or a distance out of range, [`CoreError::LengthMismatch`] for values
    /// that are no whole rows or more than a window, and the predictor's own.
    pub fn judge(&self, rows: &[f32]) -> Result<Judgement, CoreError> {
        let (width, needed) = (self.predictor.input().len(), self.predictor.observation());
        if !rows.len().is_multiple_of(width) || rows.len() > needed * width {
            let expected = needed * width;
            return Err(CoreError::LengthMismatch { what: "values of a window", expected, got: rows.len() });
        }
        let judgement = self.without_score(rows)?;
        let score = judgement.unknown.is_none().then(|| self.predictor.score_one(rows)).transpose()?;
        Ok(Judgement { score, ..judgement })
    }

    /// Judges whole windows; each as [`judge`](Self::judge) does it alone.
    ///
    /// # Errors
    /// As [`Predictor::score`]; [`CoreError::InvalidSetting`] for a share or a distance out of range.
    pub fn judge_all(&self, windows: Windows<'_>) -> Result<Vec<Judgement>, CoreError> {
        windows.expect(self.predictor.input(), self.predictor.observation())?;
        let judgements = windows.iter().map(|window| self.without_score(window));
        let mut judgements: Vec<Judgement> = judgements.collect::<Result<_, _>>()?;
        let known = |judgement: &Judgement| judgement.unknown.is_none();
        let rows = windows.last_rows().iter().zip(&judgements);
        let rows: Vec<u32> = rows.filter(|(_, judgement)| known(judgement)).map(|(&row, _)| row).collect();
        let told = Windows::new(windows.schema(), windows.block(), windows.observation(), &rows)?;
        let scores = self.predictor.score_all(told.placed_as(windows))?;
        for (judgement, score) in judgements.iter_mut().filter(|judgement| known(judgement)).zip(scores) {
            judgement.score = Some(score);
        }
        Ok(judgements)
    }

    /// What there is to say of whole rows, at most a window, but for the predictor's score.
    fn without_score(&self, rows: &[f32]) -> Result<Judgement, CoreError> {
        self.check()?;
        let (width, needed) = (self.predictor.input().len(), self.predictor.observation());
        let present = rows.iter().filter(|value| !value.is_nan()).count() as f64 / (needed * width) as f64;
        let distance = self.novelty.distance_of(rows);
        let unknown = if rows.len() < needed * width {
            Some(Unknown::History { rows: rows.len() / width, needed })
        } else if present < self.least_present || distance.is_none() {
            Some(Unknown::Missing)
        } else if distance.is_some_and(|distance| distance > self.most_distance) {
            Some(Unknown::Unfamiliar)
        } else {
            None
        };
        Ok(Judgement { score: None, unknown, novelty: self.novelty.score_rows(rows)?, present, distance })
    }

    /// The model as a saved one, for windows of `window`.
    ///
    /// # Errors
    /// Those of the predictor's own way to be saved; [`ModelFileError::NotSavable`] where it has none;
    /// [`CoreError::InvalidSetting`] for a share or a distance out of range.
    pub fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        self.check()?;
        let most_distance = self.most_distance.is_finite().then_some(self.most_distance);
        let settings = Parameters { least_present: self.least_present, most_distance };
        let predictor = nested::save_inner(KIND, &self.predictor, window)?;
        let novelty = self.novelty.to_envelope(window)?;
        nested::pack(KIND, &settings, self.predictor.input(), window, vec![predictor, novelty])
    }

    /// A stream of one service that has seen nothing yet.
    #[must_use]
    pub fn stream(self) -> ColdStream<P> {
        ColdStream { guarded: self, rows: Vec::new() }
    }
}

impl ColdStart<Box<dyn Predictor>> {
    /// The model that [`to_envelope`](Self::to_envelope) saved; `inside` reads the predictor. Its judgements are
    /// identical.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`]; in [`ModelFileError::Core`], [`CoreError::InvalidSetting`] for a share or a
    /// distance that is none, and [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`] for two models that
    /// do not see the same windows; and those of the predictor.
    pub fn from_envelope(envelope: Envelope, inside: &NestedReader<'_>) -> Result<Self, ModelFileError> {
        let (settings, [predictor, novelty]) = nested::unpack_some::<Parameters, 2>(KIND, envelope)?;
        let guarded = Self::new(inside.predictor(predictor)?, FittedNovelty::from_envelope(novelty)?)?;
        let guarded = guarded
            .with_least_present(settings.least_present)
            .with_most_distance(settings.most_distance.unwrap_or(f32::INFINITY));
        guarded.check()?;
        Ok(guarded)
    }
}

/// A [`ColdStart`] over a live stream of one service: a judgement from the first row on.
#[derive(Clone, Debug)]
pub struct ColdStream<P> {
    guarded: ColdStart<P>,
    rows: Vec<f32>,
}

impl<P: Predictor> ColdStream<P> {
    /// Takes the next row, all NaN for a missed step. From a whole window on, the judgement is that of
    /// [`ColdStart::judge`] on it.
    ///
    /// # Errors
    /// As [`Schema::check_row`](forewarn_schema::Schema::check_row) for a row that no frame could hold, which leaves
    /// the stream as it was; and the predictor's own.
    pub fn push(&mut self, row: &[f32]) -> Result<Judgement, CoreError> {
        self.guarded.predictor.input().check_row(row)?;
        let (width, needed) = (row.len(), self.guarded.predictor.observation());
        if self.rows.len() == needed * width {
            self.rows.drain(..width);
        }
        self.rows.extend_from_slice(row);
        self.guarded.judge(&self.rows)
    }

    /// Forgets what was seen, for another service or after a break.
    pub fn reset(&mut self) {
        self.rows.clear();
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    least_present: f64,
    /// Nothing where any window is known ground.
    most_distance: Option<f32>,
}

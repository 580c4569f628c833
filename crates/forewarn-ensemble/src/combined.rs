use crate::{
    Blend, nested,
    reads::{Reads, joint_input},
};
use forewarn_core::{
    Attribution, Contribution, CoreError, Envelope, Evidence, Explain, LabelledWindows, ModelFileError,
    NestedReader, Predictor, Save, Score, Validation, WindowSpec, Windows,
};
use forewarn_schema::Schema;

pub(crate) const KIND: &str = "combined";

/// Several predictors as one: a [`Blend`] of their scores.
///
/// Members may read different columns and windows of different lengths. Rows of the combination hold the columns of
/// all members, each once, and its windows are as long as the longest; a member finds its columns by name, and sees
/// the last rows. Where two members mean different things by one name, such as `error_rate` as it was measured and as
/// a standard score, [`Qualified`](crate::Qualified) tells them apart.
///
/// Combine members of different types as `Box<dyn Explain>` or `Box<dyn Predictor>`. Where the
/// scores are there already, a [`Blend`] is all that is needed.
///
/// Costs the scores of all members, and a copy of the rows of the windows for each one that reads only some of the
/// columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined<P> {
    members: Vec<P>,
    reads: Vec<Reads>,
    blend: Blend,
    schema: Schema,
    observation: usize,
}

impl<P: Predictor> Combined<P> {
    /// The mean of the members' log-odds.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for no members; [`CoreError::Outside`] with
    /// [`TwoMeanings`](crate::EnsembleError::TwoMeanings) for a column that members mean different things by.
    pub fn average(members: Vec<P>) -> Result<Self, CoreError> {
        let blend = Blend::average(members.len())?;
        Self::new(members, blend)
    }

    /// Weights that make `validation` most likely, none of them negative: [`Blend::stacked`]. Its rows are those of
    /// the combination.
    ///
    /// It respects time: the members were fitted on train, and their weights come from what follows. Where validation
    /// windows already decided on something in a member's fit, give later ones here ([`Validation::select`]).
    ///
    /// # Errors
    /// As [`average`](Self::average); [`CoreError::SingleClass`]; [`CoreError::FeatureMismatch`] or
    /// [`CoreError::LengthMismatch`] for windows that are not those of the combination.
    pub fn stacked(members: Vec<P>, validation: Validation<LabelledWindows<'_>>) -> Result<Self, CoreError> {
        validation.expect_unweighted("stacking")?;
        let average = Self::average(members)?;
        let mut scores = vec![Vec::new(); average.members.len()];
        let mut found = vec![Score::ZERO; validation.windows().len()];
        average.each_member(validation.windows(), &mut found, |member, found| {
            scores[member].extend_from_slice(found);
        })?;
        let scores: Vec<&[Score]> = scores.iter().map(Vec::as_slice).collect();
        Ok(Self { blend: Blend::stacked(&scores, validation.positive())?, ..average })
    }

    /// Members whose weights are known, such as those of a blend that was fitted on their scores.
    ///
    /// # Errors
    /// As [`average`](Self::average); [`CoreError::LengthMismatch`] unless there is a weight for each member.
    pub fn new(members: Vec<P>, blend: Blend) -> Result<Self, CoreError> {
        let (expected, got) = (blend.weights().len(), members.len());
        let Some((schema, observation)) = joint_input(&members)?.filter(|_| expected == got) else {
            return Err(CoreError::LengthMismatch { what: "models to combine", expected, got });
        };
        let reads = members.iter().map(|member| Reads::new(member.input(), &schema));
        Ok(Self { reads: reads.collect::<Result<_, _>>()?, members, blend, schema, observation })
    }

    /// The members, with the weight of each one's log-odds.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&P, f64)> {
        self.members.iter().zip(self.blend.weights().iter().copied())
    }

    /// How the members' scores become one.
    #[must_use]
    pub fn blend(&self) -> &Blend {
        &self.blend
    }

    /// Scores the windows by each member in turn, each time into `scores`.
    fn each_member(
        &self,
        windows: Windows<'_>,
        scores: &mut [Score],
        mut f: impl FnMut(usize, &[Score]),
    ) -> Result<(), CoreError> {
        windows.expect(&self.schema, self.observation)?;
        let mut block = Vec::new();
        for (index, (member, reads)) in self.members.iter().zip(&self.reads).enumerate() {
            member.score(reads.windows(member, windows, &mut block)?, scores)?;
            f(index, scores);
        }
        Ok(())
    }
}

impl Combined<Box<dyn Predictor>> {
    /// The model that [`to_envelope`](Save::to_envelope) saved; `inside` reads its members.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`] for weights that no fit makes,
    /// [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`] in [`ModelFileError::Core`] for members that
    /// do not see its windows, and those of the members.
    pub fn from_envelope(envelope: Envelope, inside: &NestedReader<'_>) -> Result<Self, ModelFileError> {
        let (schema, observation) = (envelope.schema.clone(), envelope.window.observation());
        let (blend, inner) = nested::unpack::<Blend>(KIND, envelope)?;
        let members = inner.into_iter().map(|inner| inside.predictor(inner)).collect::<Result<_, _>>()?;
        let read = Self::new(members, blend)?;
        Windows::new(&schema, &[], observation, &[])?.expect(&read.schema, read.observation)?;
        Ok(read)
    }
}

impl<P: Predictor> Save for Combined<P> {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        let members = self.members.iter().map(|member| nested::save_inner(KIND, member, window));
        nested::pack(KIND, &self.blend, &self.schema, window, members.collect::<Result<_, _>>()?)
    }
}

impl<P: Predictor> Predictor for Combined<P> {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.evidence_by(window, |member, window| member.evidence(window))
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        let mut sums = self.blend.sums(windows.len());
        self.each_member(windows, scores, |member, found| self.blend.add(member, found, &mut sums))?;
        for (score, log_odds) in scores.iter_mut().zip(sums) {
            *score = Score::from_logit(log_odds)?;
        }
        Ok(())
    }
}

impl<P: Explain> Explain for Combined<P> {
    /// The members' contributions by weight; those of the same view of the same metric are added up.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let found = self.evidence_by(window, |member, window| member.explain(window).map(Some))?;
        // Every member can explain itself.
        found.ok_or(CoreError::LengthMismatch {
            what: "explained members",
            expected: self.members.len(),
            got: 0,
        })
    }
}

impl<P: Predictor> Combined<P> {
    /// The members' evidence put together; `None` where one of them has none.
    fn evidence_by(
        &self,
        window: &[f32],
        explain: impl Fn(&P, &[f32]) -> Result<Option<Evidence>, CoreError>,
    ) -> Result<Option<Evidence>, CoreError> {
        self.expect_window(window)?;
        let score = self.score_one(window)?;
        let (mut base, mut parts) = (self.blend.shift(), Vec::<Contribution>::new());
        for ((member, weight), reads) in self.members().zip(&self.reads) {
            let Some(evidence) = explain(member, &reads.window(member, window, self.schema.len()))? else {
                return Ok(None);
            };
            base += weight * evidence.base_log_odds();
            for part in evidence.contributions() {
                let log_odds = weight * part.log_odds;
                match parts.iter_mut().find(|known| known.metric == part.metric && known.view == part.view) {
                    Some(known) => known.log_odds += log_odds,
                    None => parts.push(Contribution { log_odds, ..part.clone() }),
                }
            }
        }
        Evidence::new(score, Attribution::Combined, base, parts).map(Some)
    }
}

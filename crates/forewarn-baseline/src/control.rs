use crate::{
    Direction,
    context::{SERVICE, STEP},
};
use forewarn_core::{
    Attribution, CoreError, Envelope, Estimator, Evidence, Explain, FitProgress, LabelledWindows,
    ModelFileError, Monitor, Predictor, Save, Score, Train, Validation, WindowSpec, Windows,
};
use forewarn_numerics::uniform;
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};

pub(crate) const KIND: &str = "control";

/// Log-odds between windows with a warning and without one: enough for an order, too little for a probability to show
/// it.
const WARNING: f64 = 0.01;

/// What anything must beat: predictions by someone who does not look.
///
/// A figure means little beside 0 and much beside these. Those by service and by time go by the columns of
/// [`Context`](crate::Context), added to the metrics. Saved as `"control"`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// The share of positive training windows, for every window.
    Prevalence,
    /// The share of positive training windows of the same service; that of all for one that was not seen. Column
    /// `service_number`.
    ServiceRate,
    /// What was, will be: the share of positive training windows by how many steps ago `metric` was last beyond
    /// `threshold` within the window, never growing with the time since.
    Persistence {
        /// The metric.
        metric: String,
        /// Value from which on it is beyond.
        threshold: f32,
        /// On which side.
        direction: Direction,
    },
    /// Warnings that begin at random moments, as many in a day on average, and last some steps. Column `step_number`.
    Poisson {
        /// Probability that a warning begins in a step.
        rate: f64,
        /// Steps that it lasts.
        steps: u32,
        /// Seed of the moments.
        seed: u64,
    },
    /// A warning every few steps, which lasts some steps. Column `step_number`.
    Periodic {
        /// Steps from one warning to the next.
        every: u32,
        /// Steps that it lasts.
        steps: u32,
    },
}

/// A fitted [`Control`].
#[derive(Clone, Debug, PartialEq)]
pub struct FittedControl {
    schema: Schema,
    observation: usize,
    knowledge: Knowledge,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Knowledge {
    Prevalence { score: Score },
    ServiceRate { column: usize, rates: Vec<Score>, other: Score },
    Persistence { column: usize, threshold: f32, direction: Direction, since: Vec<Score>, never: Score },
    Poisson { column: usize, rate: f64, steps: u32, seed: u64, scores: [Score; 2] },
    Periodic { column: usize, every: u32, steps: u32, scores: [Score; 2] },
}

impl Knowledge {
    fn of(&self, window: &[f32], width: usize) -> Score {
        let last = &window[window.len() - width..];
        match self {
            Self::Prevalence { score } => *score,
            Self::ServiceRate { column, rates, other } => {
                let number = last[*column];
                if number >= 0.0 { rates.get(number as usize).copied().unwrap_or(*other) } else { *other }
            }
            Self::Persistence { column, threshold, direction, since, never } => {
                let steps = steps_since(window, width, *column, *threshold, *direction);
                steps.and_then(|steps| since.get(steps)).copied().unwrap_or(*never)
            }
            Self::Poisson { column, rate, steps, seed, scores } => {
                let now = last[*column];
                let begins = |ago: u32| uniform(*seed, (now as u64).wrapping_sub(u64::from(ago)))[0] < *rate;
                scores[usize::from(!now.is_nan() && (0..*steps).any(begins))]
            }
            Self::Periodic { column, every, steps, scores } => {
                let now = last[*column];
                scores[usize::from(!now.is_nan() && now as u32 % every < *steps)]
            }
        }
    }

    fn is_valid(&self, observation: usize, width: usize) -> bool {
        match self {
            Self::Prevalence { .. } => true,
            Self::ServiceRate { column, .. } => *column < width,
            Self::Persistence { column, threshold, since, .. } => {
                *column < width && threshold.is_finite() && since.len() == observation
            }
            Self::Poisson { column, rate, .. } => *column < width && (0.0..=1.0).contains(rate),
            Self::Periodic { column, every, .. } => *column < width && *every > 0,
        }
    }
}

/// Steps since a column was last beyond a threshold, 0 for the last row; `None` if it was not within the window.
fn steps_since(
    window: &[f32],
    width: usize,
    column: usize,
    threshold: f32,
    direction: Direction,
) -> Option<usize> {
    let beyond = |row: &[f32]| direction.severity(row[column]) >= direction.severity(threshold);
    window.chunks_exact(width).rev().position(beyond)
}

impl Control {
    fn learn(&self, train: LabelledWindows<'_>) -> Result<Knowledge, CoreError> {
        let (windows, positive) = (train.windows(), train.positive());
        let (schema, width) = (windows.schema(), windows.schema().len());
        let all = (train.positives(), positive.len());
        let prevalence = share(all, all)?;
        let refuse = |name, value: String, expected| Err(CoreError::InvalidSetting { name, value, expected });
        let apart = || -> Result<[Score; 2], CoreError> {
            let middle = prevalence.log_odds();
            Ok([Score::from_logit(middle - WARNING / 2.0)?, Score::from_logit(middle + WARNING / 2.0)?])
        };
        Ok(match self {
            Self::Prevalence => Knowledge::Prevalence { score: prevalence },
            Self::ServiceRate => {
                let column = schema.index_of(SERVICE)?;
                let mut counts: Vec<(usize, usize)> = Vec::new();
                for (row, &positive) in windows.iter_last().zip(positive) {
                    // A number beyond any list of services is not a number of one.
                    if row[column] >= 0.0 && row[column] < 1e6 {
                        let number = row[column] as usize;
                        counts.resize(counts.len().max(number + 1), (0, 0));
                        counts[number].0 += usize::from(positive);
                        counts[number].1 += 1;
                    }
                }
                let rates = counts.into_iter().map(|counts| share(counts, all)).collect::<Result<_, _>>()?;
                Knowledge::ServiceRate { column, rates, other: prevalence }
            }
            Self::Persistence { metric, threshold, direction } => {
                if !threshold.is_finite() {
                    return refuse("threshold", threshold.to_string(), "a finite number");
                }
                let column = schema.index_of(metric)?;
                let mut counts = vec![(0, 0); windows.observation() + 1];
                for (window, &positive) in windows.iter().zip(positive) {
                    let steps = steps_since(window, width, column, *threshold, *direction)
                        .unwrap_or(windows.observation());
                    counts[steps].0 += usize::from(positive);
                    counts[steps].1 += 1;
                }
                let mut shares = falling(&counts)
                    .into_iter()
                    .map(|counts| share(counts, all))
                    .collect::<Result<Vec<_>, _>>()?;
                let never = shares.pop().unwrap_or(prevalence);
                Knowledge::Persistence {
                    column,
                    threshold: *threshold,
                    direction: *direction,
                    since: shares,
                    never,
                }
            }
            Self::Poisson { rate, steps, seed } => {
                if !(0.0..=1.0).contains(rate) {
                    return refuse("rate of warnings", rate.to_string(), "a probability");
                }
                Knowledge::Poisson {
                    column: schema.index_of(STEP)?,
                    rate: *rate,
                    steps: *steps,
                    seed: *seed,
                    scores: apart()?,
                }
            }
            Self::Periodic { every, steps } => {
                if *every == 0 {
                    return refuse("steps between warnings", every.to_string(), "at least 1");
                }
                Knowledge::Periodic {
                    column: schema.index_of(STEP)?,
                    every: *every,
                    steps: *steps,
                    scores: apart()?,
                }
            }
        })
    }
}

/// Share of positives, drawn towards that of all by one window: few windows prove little.
fn share((positives, windows): (usize, usize), all: (usize, usize)) -> Result<Score, CoreError> {
    let prior = all.0 as f64 / all.1.max(1) as f64;
    Score::new(((positives as f64 + prior) / (windows as f64 + 1.0)) as f32)
}

/// Counts of positives and of all, with neighbours pooled until their shares never grow.
fn falling(counts: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut pools: Vec<(usize, usize, usize)> = Vec::new();
    for &(positives, windows) in counts {
        pools.push((positives, windows, 1));
        while let [.., before, last] = &pools[..]
            && before.0 * last.1 <= last.0 * before.1
        {
            let pooled = (before.0 + last.0, before.1 + last.1, before.2 + last.2);
            pools.truncate(pools.len() - 2);
            pools.push(pooled);
        }
    }
    pools.into_iter().flat_map(|(positives, windows, length)| vec![(positives, windows); length]).collect()
}

impl Estimator for Control {
    type Fitted = FittedControl;

    /// Fits in one pass over the training windows; the validation windows are not used.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`]; [`CoreError::Schema`] without a column that the control goes by;
    /// [`CoreError::InvalidSetting`] for a setting out of its range.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedControl, CoreError> {
        train.expect_both_classes("train")?;
        train.expect_unweighted("a control")?;
        let knowledge = self.learn(*train)?;
        monitor.report(FitProgress { iteration: 1, max_iterations: 1, measures: &[] });
        let windows = train.windows();
        Ok(FittedControl { schema: windows.schema().clone(), observation: windows.observation(), knowledge })
    }
}

impl FittedControl {
    /// The control that [`to_envelope`](Save::to_envelope) saved; its scores are identical.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`].
    pub fn from_envelope(mut envelope: Envelope) -> Result<Self, ModelFileError> {
        envelope.expect_kind(KIND)?;
        let knowledge: Knowledge = envelope.take_parameters()?;
        let observation = envelope.window.observation();
        if !knowledge.is_valid(observation, envelope.schema.len()) {
            return Err(ModelFileError::not_a_model(format!("no fit makes {knowledge:?}")));
        }
        Ok(Self { schema: envelope.schema, observation, knowledge })
    }
}

impl Save for FittedControl {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        Envelope::new(KIND, self.schema.clone(), window).with_parameters(&self.knowledge)
    }
}

impl Predictor for FittedControl {
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
        self.explain(window).map(Some)
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        for (window, score) in windows.iter().zip(scores) {
            *score = self.knowledge.of(window, self.schema.len());
        }
        Ok(())
    }
}

impl Explain for FittedControl {
    /// No contributions: a control does not look at what a service does.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let score = self.score_one(window)?;
        Evidence::new(score, Attribution::Rule, score.log_odds(), Vec::new())
    }
}

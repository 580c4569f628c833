use forewarn_core::{
    Attribution, Contribution, CoreError, Evidence, LabelledWindows, Predictor, Score, Train, Windows,
};
use forewarn_numerics::{Moments, mix, order};

/// What is replaced together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// All rows of a feature.
    #[default]
    Metric,
    /// One row of a feature: as many times more scores as a window has rows.
    MetricAndStep,
}

/// Evidence for any predictor, of which nothing is known but its scores.
///
/// Starting from a normal window (the training mean of every feature), one part after another is replaced by what the
/// window has, and what the log-odds change by is that part's. Later parts are seen in the light of earlier ones, so
/// this is done in several random orders and their reverses, and averaged: an estimate of the Shapley values whose
/// contributions add up exactly whatever the number of orders. It takes `2 orders parts` scores.
///
/// # References
/// E. Štrumbelj and I. Kononenko, *An efficient explanation of individual classifications using game theory*, Journal
/// of Machine Learning Research 11, 2010.
#[derive(Clone, Debug, PartialEq)]
pub struct Occlusion {
    normal: Vec<f32>,
    deviation: Vec<f32>,
    part: Part,
    orders: usize,
    seed: u64,
}

impl Occlusion {
    /// Learns what is normal from the training windows' last rows.
    #[must_use]
    pub fn fit(train: &Train<LabelledWindows<'_>>) -> Self {
        let windows = train.windows();
        let moments = Moments::of_columns(windows.schema().len(), windows.iter_last());
        let normal = moments.iter().map(|moments| moments.mean as f32).collect();
        let deviation = moments.iter().map(|moments| moments.deviation() as f32).collect();
        Self { normal, deviation, part: Part::Metric, orders: 4, seed: 7 }
    }

    /// Replaces these parts together.
    #[must_use]
    pub fn with_part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// Averages over this number of random orders, each with its reverse, instead of 4.
    #[must_use]
    pub fn with_orders(self, orders: usize) -> Self {
        Self { orders: orders.max(1), ..self }
    }

    /// The evidence for `predictor`'s score of one window, row-major `[observation, feature]`.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a window of another shape or a predictor of other features, and the
    /// predictor's own.
    pub fn explain(&self, predictor: &impl Predictor, window: &[f32]) -> Result<Evidence, CoreError> {
        predictor.expect_window(window)?;
        let (schema, observation, width) =
            (predictor.input(), predictor.observation(), predictor.input().len());
        if width != self.normal.len() {
            let expected = self.normal.len();
            return Err(CoreError::LengthMismatch { what: "features of a predictor", expected, got: width });
        }
        let parts = match self.part {
            Part::Metric => width,
            Part::MetricAndStep => width * observation,
        };
        let score = predictor.score_one(window)?;
        let normal = self.normal.repeat(observation);
        let base = predictor.score_one(&normal)?.log_odds();
        let last_rows: Vec<u32> = (1..=parts).map(|step| (step * observation - 1) as u32).collect();
        let (mut moved, mut scores) = (vec![0.0; parts], vec![Score::ZERO; parts]);
        for round in 0..2 * self.orders {
            let mut order = order(mix(self.seed, round as u64 / 2), parts);
            if round % 2 == 1 {
                order.reverse();
            }
            let (mut now, mut block) = (normal.clone(), Vec::with_capacity(parts * window.len()));
            for &part in &order {
                let part = part as usize;
                match self.part {
                    Part::Metric => {
                        for row in 0..observation {
                            now[row * width + part] = window[row * width + part];
                        }
                    }
                    Part::MetricAndStep => now[part] = window[part],
                }
                block.extend_from_slice(&now);
            }
            predictor.score(Windows::new(schema, &block, observation, &last_rows)?, &mut scores)?;
            let mut before = base;
            for (&part, after) in order.iter().zip(&scores) {
                moved[part as usize] += (after.log_odds() - before) / (2 * self.orders) as f64;
                before = after.log_odds();
            }
        }
        let contributions = moved.into_iter().enumerate().map(|(part, log_odds)| {
            let feature = part % width;
            let (view, oldest, newest, seen) = match self.part {
                Part::Metric => {
                    let last = window[(observation - 1) * width + feature];
                    ("whole window, of which the last is shown".to_owned(), observation - 1, 0, last)
                }
                Part::MetricAndStep => {
                    let steps = observation - 1 - part / width;
                    (one_row(steps), steps, steps, window[part])
                }
            };
            Contribution {
                metric: schema.metrics()[feature].name.clone(),
                view,
                oldest_steps_ago: oldest as u32,
                newest_steps_ago: newest as u32,
                value: Some(seen).filter(|value| !value.is_nan()),
                normal: Some(self.normal[feature]),
                deviation: Some(self.deviation[feature]),
                log_odds,
            }
        });
        Evidence::new(score, Attribution::Occlusion, base, contributions.collect())
    }
}

/// A row of a window in words.
fn one_row(steps_ago: usize) -> String {
    match steps_ago {
        0 => "last".to_owned(),
        1 => "1 step before".to_owned(),
        steps => format!("{steps} steps before"),
    }
}

//! Rows that a cluster labelled and sampled, with what travels with them.

mod folder;
mod sums;

use crate::ExperimentError;
use forewarn_core::{Fingerprint, Label, Labels, Target, WindowSpec};
use forewarn_label::{Rule, label};
use forewarn_schema::{FrameSet, FrameView, Schema, Step, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
pub use sums::MetricSums;

/// What a sample was asked for: one definition of failure, window and choice for every service.
///
/// | field | meaning | range |
/// |---|---|---|
/// | `rule` | what counts as failing | |
/// | `window` | observation, lead and period, in steps | |
/// | `target` | what a positive label states | |
/// | `keep_quiet` | probability that a service without any failure is kept; those with one all are | 0 to 1 |
/// | `keep_negatives` | probability that models learn from a negative window; from positive ones always | above 0 to 1 |
/// | `seed` | of both choices | |
///
/// Services are kept or left out whole: a model that is fitted on the sample sees the clock, the gaps and the
/// validation of real services, and its budget of false alarms is counted on whole ones. Of a kept service every row
/// travels, because features and rules look back, and each has a weight: how many windows the one that ends there
/// stands for in a fit. A kept negative stands for `1 / keep_negatives`, a window of a kept service without a failure for
/// `1 / keep_quiet` times as many, and an excluded window or a negative that is not kept for none. By these weights
/// probabilities are those of all services, except that nothing stands for quiet services where `keep_quiet` is 0.
///
/// Whether a service or a window is kept depends on its labels, its name, its time and the seed alone, never on which
/// machine it was on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleQuestion {
    /// What counts as failing.
    pub rule: Rule,
    /// What a prediction looks at and speaks about.
    pub window: WindowSpec,
    /// What a positive label states.
    pub target: Target,
    /// Probability that a service without a failure is kept.
    pub keep_quiet: f64,
    /// Probability that models learn from a negative window.
    pub keep_negatives: f64,
    /// Seed of both choices.
    pub seed: u64,
}

/// What [`SampleQuestion::ask`] finds.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// What is to travel with the rows.
    pub about: SampleAbout,
    /// The label of every row.
    pub labels: Labels,
    /// How many windows the one that ends in each row stands for in a fit; 0 for one that no model learns from.
    pub weights: Vec<f32>,
}

/// How many rows have which label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelCounts {
    /// Windows that a failure follows.
    pub positive: u64,
    /// Windows that none follows.
    pub negative: u64,
    /// Rows in a failure.
    pub ongoing: u64,
    /// Rows whose period runs past the data.
    pub censored: u64,
    /// Rows of which missing samples leave the label open.
    pub missing: u64,
}

/// What was found of one service, kept or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampledService {
    /// Its name.
    pub service: String,
    /// Time of its first row.
    pub start: Timestamp,
    /// Rows on its clock, gaps included.
    pub rows: u64,
    /// Failure episodes.
    pub failures: u64,
    /// Labels of its rows.
    pub labels: LabelCounts,
    /// Whether its rows are in the sample.
    pub kept: bool,
    /// Negative windows that models learn from.
    pub negatives_kept: u64,
}

/// What travels with a sample: the question, the metrics with their units, and what was found of every service.
///
/// It is the same for the same rows, on one machine or on many: services in order of name, sums joined in that order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleAbout {
    /// Version of this form.
    pub format: u32,
    /// What was asked.
    pub question: SampleQuestion,
    /// Time between rows.
    pub step: Step,
    /// Metrics of the rows, in order.
    pub schema: Schema,
    /// [`schema_fingerprint`] of these.
    pub fingerprint: String,
    /// Every service, in order of name.
    pub services: Vec<SampledService>,
    /// Sums of every metric over the rows of all services, kept or not.
    pub metrics: Vec<MetricSums>,
}

/// Which metrics, in which units and order, and which step: 16 hexadecimal digits.
///
/// # Errors
/// None for a schema; the type is that of [`Fingerprint::and`].
pub fn schema_fingerprint(schema: &Schema, step: Step) -> Result<String, ExperimentError> {
    let found = Fingerprint::of("schema").and(schema)?.and(&step)?;
    Ok(format!("{:016x}", found.get()))
}

impl SampleQuestion {
    /// Finds, labels and chooses among services and windows.
    ///
    /// # Errors
    /// [`ExperimentError::SampleShare`]; those of [`label`].
    pub fn ask(&self, frames: &FrameSet) -> Result<Sampled, ExperimentError> {
        if !(0.0..=1.0).contains(&self.keep_quiet) {
            let (what, expected) = ("services without a failure", "0 to 1");
            return Err(ExperimentError::SampleShare { what, found: self.keep_quiet, expected });
        }
        if !(self.keep_negatives > 0.0 && self.keep_negatives <= 1.0) {
            let (what, expected) = ("negative windows", "more than 0, at most 1");
            return Err(ExperimentError::SampleShare { what, found: self.keep_negatives, expected });
        }
        let labels = label(frames, &self.rule, self.window, self.target)?;
        let (schema, step) = (frames.schema().clone(), frames.layout().step());
        let mut metrics = vec![MetricSums::default(); schema.len()];
        let mut weights = Vec::with_capacity(frames.layout().rows());
        let services = frames.frames().zip(frames.layout().services()).zip(labels.episodes());
        let services = services.map(|((frame, place), episodes)| {
            let of_frame = MetricSums::of_rows(frame.values(), schema.len());
            metrics.iter_mut().zip(&of_frame).for_each(|(all, one)| all.join(one));
            self.service(frame, episodes.len() as u64, &labels.as_slice()[place.rows()], &mut weights)
        });
        let services: Vec<SampledService> = services.collect();
        let fingerprint = schema_fingerprint(&schema, step)?;
        let about = SampleAbout {
            format: SampleAbout::FORMAT,
            question: self.clone(),
            step,
            schema,
            fingerprint,
            services,
            metrics,
        };
        Ok(Sampled { about, labels, weights })
    }

    /// What is found of one service; the weights of its rows follow those that there are.
    fn service(
        &self,
        frame: FrameView<'_>,
        failures: u64,
        labels: &[Label],
        weights: &mut Vec<f32>,
    ) -> SampledService {
        let mut counts = LabelCounts::default();
        labels.iter().for_each(|&label| counts.add(label));
        let kept = failures > 0 || self.keeps(frame.service());
        let from = weights.len();
        if kept {
            self.weigh(frame, failures, labels, weights);
        } else {
            weights.resize(from + labels.len(), 0.0);
        }
        let of_kept = labels.iter().zip(&weights[from..]).filter(|(_, weight)| **weight > 0.0);
        let negatives_kept = of_kept.filter(|(label, _)| **label == Label::Negative).count() as u64;
        SampledService {
            service: frame.service().to_owned(),
            start: frame.start(),
            rows: frame.rows() as u64,
            failures,
            labels: counts,
            kept,
            negatives_kept,
        }
    }

    /// The weights of the rows of a kept service, behind those that there are.
    fn weigh(&self, frame: FrameView<'_>, failures: u64, labels: &[Label], weights: &mut Vec<f32>) {
        let of_service = if failures > 0 { 1.0 } else { self.keep_quiet.recip() };
        let mut random = self.random("sample windows", frame.service());
        // Two words a draw: a window's depends on its time, not on how long its service has been there.
        let first = frame.start().millis().div_euclid(frame.step().millis()) as u64;
        random.set_word_pos(2 * u128::from(first));
        weights.extend(labels.iter().map(|label| {
            let drawn = random.random::<f64>();
            let stands_for = match label {
                Label::Positive => of_service,
                Label::Negative if drawn < self.keep_negatives => of_service / self.keep_negatives,
                Label::Negative | Label::Excluded(_) => 0.0,
            };
            stands_for as f32
        }));
    }

    /// The numbers by which something is chosen in a service.
    fn random(&self, what: &str, service: &str) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(Fingerprint::of(what).and_text(service).get());
        random
    }

    /// Whether a service without a failure is kept.
    fn keeps(&self, service: &str) -> bool {
        self.random("sample", service).random::<f64>() < self.keep_quiet
    }
}

impl LabelCounts {
    fn add(&mut self, label: Label) {
        use forewarn_core::Exclusion;
        *match label {
            Label::Positive => &mut self.positive,
            Label::Negative => &mut self.negative,
            Label::Excluded(Exclusion::Ongoing) => &mut self.ongoing,
            Label::Excluded(Exclusion::Censored) => &mut self.censored,
            Label::Excluded(Exclusion::Missing) => &mut self.missing,
        } += 1;
    }
}

impl SampleAbout {
    /// The form that this version writes and reads.
    pub const FORMAT: u32 = 2;

    /// The column of labels in the rows of a sample.
    pub const LABEL: &str = "forewarn_label";

    /// The column of weights in the rows of a sample.
    pub const WEIGHT: &str = "forewarn_weight";

    /// Joins what was found of some services, in whatever order it comes, in the order of their names.
    ///
    /// # Errors
    /// [`ExperimentError::SampleParts`] for parts of different questions or metrics and for a service that is in two;
    /// [`ExperimentError::SampleEmpty`] without one.
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Result<Self, ExperimentError> {
        let mut parts: Vec<Self> = parts.into_iter().collect();
        let name = |part: &Self| part.services.first().map(|service| service.service.clone());
        parts.sort_by_key(name);
        let mut parts = parts.into_iter();
        let mut all = parts.next().ok_or(ExperimentError::SampleEmpty)?;
        for part in parts {
            let service = part.services.first().map(|service| service.service.clone()).unwrap_or_default();
            let differs = |what| ExperimentError::SampleParts { service: service.clone(), what };
            if part.question != all.question {
                return Err(differs("was asked another question than the others"));
            }
            if (&part.fingerprint, part.step) != (&all.fingerprint, all.step) {
                return Err(differs("has other metrics, or another step, than the others"));
            }
            if all.services.iter().any(|known| part.services.iter().any(|new| new.service == known.service)) {
                return Err(differs("came twice: its rows were not all together"));
            }
            all.services.extend(part.services);
            all.metrics.iter_mut().zip(&part.metrics).for_each(|(all, one)| all.join(one));
        }
        Ok(all)
    }

    /// The code of a label in the column [`LABEL`](Self::LABEL).
    #[must_use]
    pub fn code(label: Label) -> i8 {
        use forewarn_core::Exclusion;
        match label {
            Label::Negative => 0,
            Label::Positive => 1,
            Label::Excluded(Exclusion::Ongoing) => 2,
            Label::Excluded(Exclusion::Censored) => 3,
            Label::Excluded(Exclusion::Missing) => 4,
        }
    }

    /// What of it a model file keeps: which sample the model was fitted on.
    #[must_use]
    pub fn summary(&self) -> serde_json::Value {
        let kept: Vec<&SampledService> = self.services.iter().filter(|service| service.kept).collect();
        let sum = |of: fn(&SampledService) -> u64, services: &[&SampledService]| -> u64 {
            services.iter().map(|service| of(service)).sum()
        };
        let all: Vec<&SampledService> = self.services.iter().collect();
        let counts = |services: &[&SampledService]| {
            serde_json::json!({
                "services": services.len(),
                "rows": sum(|service| service.rows, services),
                "failures": sum(|service| service.failures, services),
                "positive": sum(|service| service.labels.positive, services),
                "negative": sum(|service| service.labels.negative, services),
            })
        };
        serde_json::json!({
            "fingerprint": self.fingerprint,
            "keep_quiet": self.question.keep_quiet,
            "keep_negatives": self.question.keep_negatives,
            "seed": self.question.seed,
            "whole": counts(&all),
            "kept": counts(&kept),
            "negatives_kept": sum(|service| service.negatives_kept, &kept),
        })
    }
}

#[cfg(test)]
mod tests;

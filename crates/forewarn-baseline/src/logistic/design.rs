use crate::{BaselineError, parts::on_parts};
use forewarn_core::{CoreError, LabelledWindows};
use forewarn_schema::{Kind, Schema};
use serde::{Deserialize, Serialize};
use std::{num::NonZero, ops::Range, thread};

/// What a logistic regression sees of a window.
///
/// Features are taken as they are: the caller has normalised them, so that 0 is the training mean. A missing sample
/// counts as 0 in a snapshot; aggregates are over the samples present, and 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// The last row: one term a feature.
    #[default]
    Snapshot,
    /// Mean, maximum and last minus first over the window: three terms a feature, in this order.
    Aggregates,
}

impl Input {
    /// Terms that a row of `features` features becomes.
    pub(crate) fn terms(self, features: usize) -> usize {
        match self {
            Self::Snapshot => features,
            Self::Aggregates => 3 * features,
        }
    }

    /// What a term is called, such as `error_rate` or `mean of error_rate`.
    pub(crate) fn name(self, schema: &Schema, term: usize) -> String {
        let metric = |feature: usize| schema.metrics().get(feature).map_or("", |metric| metric.name.as_str());
        match self {
            Self::Snapshot => metric(term).to_owned(),
            Self::Aggregates => {
                format!("{} of {}", ["mean", "maximum", "change"][term % 3], metric(term / 3))
            }
        }
    }

    /// Feature of a term, how it looks at it, and the first row that it looks at, in steps before the last of
    /// `observation` rows.
    pub(crate) fn place(self, term: usize, observation: usize) -> (usize, &'static str, u32) {
        let whole = u32::try_from(observation.saturating_sub(1)).unwrap_or(u32::MAX);
        match self {
            Self::Snapshot => (term, "last", 0),
            Self::Aggregates => (term / 3, ["mean", "maximum", "change"][term % 3], whole),
        }
    }

    /// Writes the terms of a row-major window to `terms`, which has room for exactly them.
    pub(crate) fn write(self, window: &[f32], terms: &mut [f32]) {
        match self {
            Self::Snapshot => {
                let last = &window[window.len() - terms.len()..];
                for (term, &value) in terms.iter_mut().zip(last) {
                    *term = if value.is_nan() { 0.0 } else { value };
                }
            }
            Self::Aggregates => {
                let width = terms.len() / 3;
                for (feature, term) in terms.chunks_exact_mut(3).enumerate() {
                    let mut present =
                        window[feature..].iter().step_by(width).copied().filter(|value| !value.is_nan());
                    let Some(first) = present.next() else {
                        term.fill(0.0);
                        continue;
                    };
                    let (mut sum, mut count, mut highest, mut last) = (f64::from(first), 1u32, first, first);
                    for value in present {
                        sum += f64::from(value);
                        count += 1;
                        highest = highest.max(value);
                        last = value;
                    }
                    term.copy_from_slice(&[(sum / f64::from(count)) as f32, highest, last - first]);
                }
            }
        }
    }
}

/// Rows whose sums are made before they join the total: they may be made on any thread, and short sums keep the rounding
/// error of the whole one down.
pub(crate) const BLOCK: usize = 1 << 14;

/// Values of the design that are worth a thread of their own.
const VALUES_PER_THREAD: usize = 1 << 18;

/// The terms of every training window, row-major, with labels and weights.
pub(crate) struct Design {
    pub(crate) terms: usize,
    /// `[window, term]`.
    pub(crate) values: Vec<f32>,
    pub(crate) positive: Vec<bool>,
    /// Weight of a negative and of a positive window.
    pub(crate) weights: [f64; 2],
    /// How many windows each stands for; empty where each stands for itself.
    pub(crate) stands_for: Vec<f32>,
}

impl Design {
    /// Gathers the terms: 4 bytes each, by as many threads as they are worth.
    pub(crate) fn new(input: Input, data: LabelledWindows<'_>, weights: [f64; 2]) -> Result<Self, CoreError> {
        let windows = data.windows();
        let schema = windows.schema();
        if let Some(outcome) = schema.metrics().iter().find(|metric| metric.kind == Kind::Outcome) {
            let metric = outcome.name.clone();
            return Err(BaselineError::OutcomeAsInput { metric }.of("logistic regression"));
        }
        let terms = input.terms(schema.len());
        let mut values = vec![0.0; windows.len() * terms];
        let fill = |block: usize, rows: &mut [f32]| -> Result<(), CoreError> {
            let first = block * BLOCK;
            let windows = windows.slice(first..first + rows.len() / terms)?;
            for (window, row) in windows.iter().zip(rows.chunks_exact_mut(terms)) {
                input.write(window, row);
                if let Some(term) = row.iter().position(|value| !value.is_finite()) {
                    return Err(CoreError::NotFinite { what: input.name(schema, term) });
                }
            }
            Ok(())
        };
        let threads = threads_for(values.len());
        let mut blocks: Vec<&mut [f32]> = values.chunks_mut(BLOCK * terms).collect();
        let filled = on_parts(&mut blocks, threads, |first, blocks| {
            (first..).zip(blocks).try_for_each(|(block, rows)| fill(block, rows))
        });
        filled.into_iter().collect::<Result<(), CoreError>>()?;
        let stands_for = data.weights().map(<[f32]>::to_vec).unwrap_or_default();
        Ok(Self { terms, values, positive: data.positive().to_vec(), weights, stands_for })
    }

    /// What `work` makes of each block of rows, in their order; the number of threads changes no result.
    pub(crate) fn by_blocks<T: Send>(
        &self,
        threads: usize,
        work: impl Fn(Range<usize>) -> T + Sync,
    ) -> impl Iterator<Item = T> {
        let rows = self.positive.len();
        let mut blocks: Vec<usize> = (0..rows).step_by(BLOCK).collect();
        let found = on_parts(&mut blocks, threads, |_, blocks| {
            blocks.iter().map(|&first| work(first..rows.min(first + BLOCK))).collect::<Vec<T>>()
        });
        found.into_iter().flatten()
    }

    /// Some of the rows with label and weight.
    pub(crate) fn rows_of(&self, rows: Range<usize>) -> impl Iterator<Item = (&[f32], bool, f64)> {
        let values = &self.values[rows.start * self.terms..rows.end * self.terms];
        let labelled = values.chunks_exact(self.terms).zip(&self.positive[rows.clone()]);
        labelled.zip(rows).map(|((row, &label), index)| {
            let stands_for = self.stands_for.get(index).map_or(1.0, |&weight| f64::from(weight));
            (row, label, self.weights[usize::from(label)] * stands_for)
        })
    }
}

/// Threads for a pass over a design of this number of values.
pub(crate) fn threads_for(values: usize) -> usize {
    match values / VALUES_PER_THREAD {
        0 | 1 => 1,
        worth => thread::available_parallelism().map_or(1, NonZero::get).min(worth),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Metric;

    #[test]
    fn terms_are_over_the_samples_present() {
        let nan = f32::NAN;
        let window = [1.0, nan, nan, nan, 3.0, nan, 5.0, -1.0, nan, -2.0, nan, nan];
        let mut snapshot = [9.0; 3];
        Input::Snapshot.write(&window, &mut snapshot);
        assert_eq!(snapshot, [-2.0, 0.0, 0.0]);
        let mut aggregates = [9.0; 9];
        Input::Aggregates.write(&window, &mut aggregates);
        let mean = (1.0f64 + 5.0 - 2.0) / 3.0;
        assert_eq!(aggregates, [mean as f32, 5.0, -3.0, 1.0, 3.0, -4.0, 0.0, 0.0, 0.0]);
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap();
        assert_eq!(Input::Aggregates.name(&schema, 5), "change of b");
    }
}

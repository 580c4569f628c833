//! How near a service comes to failing, for fits to learn from beside whether it does.

use crate::{ExperimentError, experiment::Settings};
use forewarn_core::{CoreError, Samples};
use forewarn_schema::FrameSet;
use std::collections::VecDeque;

/// The soft label of a window whose service comes as near as can be and does not fail.
const SHARE: f32 = 0.5;

/// For each row, as the last of a window: how near its service comes to failing in the window's period, 0 to 1.
pub(crate) struct Nearness(Vec<f32>);

impl Settings {
    /// By the failure rule's nearness in the rows that a label looks at; what is calm is learnt from `train`. `None`
    /// where soft labels are not asked for, and where the rule knows no nearness.
    pub(crate) fn nearness(
        &self,
        metrics: &FrameSet,
        train: &Samples,
    ) -> Result<Option<Nearness>, ExperimentError> {
        if !self.soft_labels {
            return Ok(None);
        }
        let Some(of_rows) = self.rule.nearness(metrics, train.rows())? else { return Ok(None) };
        let layout = metrics.layout();
        let (expected, got) = (layout.rows(), of_rows.len());
        if expected != got {
            return Err(CoreError::LengthMismatch { what: "rows with a nearness", expected, got }.into());
        }
        let mut of_windows = Vec::with_capacity(expected);
        for place in layout.services() {
            let rows = &of_rows[place.rows()];
            let first = of_windows.len();
            of_windows.extend(most_after(rows, self.spec.lead(), self.spec.period()));
            of_windows[first..].reverse();
        }
        Ok(Some(Nearness(of_windows)))
    }
}

/// The largest of the `period` rows that lie behind `ahead` more rows, for each row from the last to the first; 0 where
/// there is none.
fn most_after(rows: &[f32], ahead: usize, period: usize) -> impl Iterator<Item = f32> {
    // Rows of which none before is as large, the one that a later answer needs last at the front.
    let mut largest: VecDeque<usize> = VecDeque::new();
    (0..rows.len()).rev().map(move |row| {
        let newest = row.saturating_add(ahead).saturating_add(1);
        if let Some(&value) = rows.get(newest) {
            while largest.back().is_some_and(|&other| rows[other] <= value) {
                largest.pop_back();
            }
            largest.push_back(newest);
        }
        while largest.front().is_some_and(|&other| other >= newest.saturating_add(period)) {
            largest.pop_front();
        }
        largest.front().map_or(0.0, |&row| rows[row])
    })
}

impl Nearness {
    /// Soft labels of samples: 1 where the label says so, else half of how near the service comes.
    pub(crate) fn soft_labels(&self, samples: &Samples) -> Vec<f32> {
        let soft = |(&row, &positive): (&u32, &bool)| {
            if positive { 1.0 } else { SHARE * self.0[row as usize] }
        };
        samples.rows().iter().zip(samples.positive()).map(soft).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_most_of_a_period_is_found(
            rows in proptest::collection::vec((0u8..9).prop_map(f32::from), 0..40),
            ahead in 0usize..5,
            period in 1usize..8,
        ) {
            let mut found: Vec<f32> = most_after(&rows, ahead, period).collect();
            found.reverse();
            for (row, &found) in found.iter().enumerate() {
                let within = rows.iter().skip(row + 1 + ahead).take(period);
                prop_assert_eq!(found, within.copied().fold(0.0, f32::max), "row {}", row);
            }
        }
    }
}

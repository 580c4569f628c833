//! Down-sampling: rows put together point by point.

use crate::runtime::RowView;
use forewarn_schema::Timestamp;

/// Where points are: every `width_millis` from `from` to before `to`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buckets {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) width_millis: i64,
}

/// The rows of one point.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Start of its span.
    pub(crate) time: Timestamp,
    /// Rows in it.
    pub(crate) rows: u32,
    /// Largest probability.
    pub(crate) probability: Option<f32>,
    /// The last threshold.
    pub(crate) threshold: Option<f64>,
    /// Sum and number of the samples of each metric.
    sums: Vec<(f64, u32)>,
}

impl Point {
    /// Mean of a metric's samples; `None` where all are missing.
    pub(crate) fn mean(&self, metric: usize) -> Option<f32> {
        let &(sum, count) = self.sums.get(metric).filter(|(_, count)| *count > 0)?;
        Some((sum / f64::from(count)) as f32)
    }
}

impl Buckets {
    /// Points of rows in order of time, with the scores of a model. A span between two rows that has none gives points
    /// without values, so that a chart shows the gap; what lies before the first row and after the last gives none.
    pub(crate) fn fill<'a>(
        &self,
        rows: impl Iterator<Item = RowView<'a>>,
        model: &str,
        metrics: usize,
    ) -> Vec<Point> {
        let mut points: Vec<Point> = Vec::new();
        for row in rows {
            let place = (row.time().millis() - self.from.millis()).div_euclid(self.width_millis);
            self.reach(&mut points, place, metrics);
            let Some(point) = points.last_mut() else { continue };
            point.rows += 1;
            for (&value, (sum, count)) in row.values().iter().zip(&mut point.sums) {
                if !value.is_nan() {
                    *sum += f64::from(value);
                    *count += 1;
                }
            }
            let score = row.scores().find(|score| score.column.model == model);
            if let Some(probability) = score.and_then(|score| score.probability) {
                point.probability = Some(point.probability.map_or(probability, |most| most.max(probability)));
            }
            point.threshold = score.and_then(|score| score.column.threshold).or(point.threshold);
        }
        points
    }

    /// Adds points until the one at `place` is the last.
    fn reach(&self, points: &mut Vec<Point>, place: i64, metrics: usize) {
        let at = |place: i64| {
            let millis = self.from.millis().saturating_add(place.saturating_mul(self.width_millis));
            Timestamp::from_millis(millis).unwrap_or(self.from)
        };
        let target = at(place);
        let mut next = points.last().map_or(target, |last| {
            Timestamp::from_millis(last.time.millis().saturating_add(self.width_millis)).unwrap_or(target)
        });
        while next <= target && points.last().is_none_or(|last| last.time < target) {
            let sums = vec![(0.0, 0); metrics];
            points.push(Point { time: next, rows: 0, probability: None, threshold: None, sums });
            next = Timestamp::from_millis(next.millis().saturating_add(self.width_millis)).unwrap_or(next);
        }
    }
}

use super::{
    bins::{Cuts, MISSING},
    histogram::{Column, Gradients, Sums},
};

/// What a leaf must keep to, and what its rows are worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Strength of the penalty on leaf values.
    pub(super) l2: f64,
    /// Least curvature of a leaf.
    pub(super) least_curvature: f64,
    pub(super) gradient_unit: f64,
    pub(super) curvature_unit: f64,
}

impl Bounds {
    pub(super) fn new(gradients: &Gradients, l2: f64, least_curvature: f64) -> Self {
        let Gradients { gradient_unit, curvature_unit, .. } = *gradients;
        Self { l2, least_curvature, gradient_unit, curvature_unit }
    }

    /// Twice the loss that a leaf of these rows saves.
    fn worth(&self, sums: Sums) -> f64 {
        let gradient = sums.gradient() as f64 * self.gradient_unit;
        gradient * gradient / (self.curvature(sums) + self.l2)
    }

    fn curvature(&self, sums: Sums) -> f64 {
        sums.curvature() as f64 * self.curvature_unit
    }
}

/// A cut of a leaf's rows in two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    /// Twice the loss that it saves.
    pub(super) gain: f64,
    /// Column of the table.
    pub(super) column: usize,
    /// Last bin that goes left.
    pub(super) bin: u8,
    pub(super) missing_left: bool,
    /// Sums of the rows that go left.
    pub(super) left: Sums,
}

impl Split {
    /// Whether a row with this bin goes left.
    pub(super) fn takes_left(&self, bin: u8) -> bool {
        if bin == MISSING { self.missing_left } else { bin <= self.bin }
    }

    /// The better of two, the one of the lower column where they gain the same.
    pub(super) fn better(best: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (best, other) {
            (Some(best), Some(other)) if other.gain > best.gain => Some(other),
            (Some(best), _) => Some(best),
            (None, other) => other,
        }
    }
}

/// The best cut of the leaf whose rows sum up to `total` by one column; `None` where no cut gains.
///
/// Missing values go where the loss falls more; where the leaf has none, they go with most rows.
pub(super) fn best_of_column(
    column: usize,
    histogram: &Column,
    cuts: &Cuts,
    total: Sums,
    bounds: &Bounds,
) -> Option<Split> {
    let missing = histogram[usize::from(MISSING)];
    let parent = bounds.worth(total);
    let (mut present_left, mut best) = (Sums::default(), None::<Split>);
    // Behind the last bin only missing values are left for the right side.
    let last = cuts.len() + usize::from(!missing.is_zero());
    for (bin, &sums) in histogram[..last].iter().enumerate() {
        if sums.is_zero() {
            continue;
        }
        present_left.add(sums);
        let mut consider = |left: Sums, missing_left: Option<bool>| {
            let right = total.minus(left);
            let (left_curvature, right_curvature) = (bounds.curvature(left), bounds.curvature(right));
            if !(left_curvature >= bounds.least_curvature && right_curvature >= bounds.least_curvature) {
                return;
            }
            let gain = bounds.worth(left) + bounds.worth(right) - parent;
            if gain > best.map_or(0.0, |best| best.gain) {
                let missing_left = missing_left.unwrap_or(left_curvature > right_curvature);
                best = Some(Split { gain, column, bin: bin as u8, missing_left, left });
            }
        };
        if missing.is_zero() {
            consider(present_left, None);
        } else {
            consider(present_left, Some(false));
            let mut left = present_left;
            left.add(missing);
            consider(left, Some(true));
        }
    }
    best
}

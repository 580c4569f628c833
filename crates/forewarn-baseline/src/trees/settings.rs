use super::views::{View, Views};
use super::{
    bins::RowWriter,
    boost::{Examples, Plan, boost},
    fitted::FittedTrees,
    grow::Limits,
};
use crate::{BaselineError, ClassWeight};
use forewarn_core::{CoreError, Estimator, LabelledWindows, Monitor, Snapshots, Train, Validation, Windows};
use forewarn_schema::Kind;
use std::thread;

/// Columns that a tree is grown on at most, unless a share is asked for: those of twenty features in all views. Fits
/// of more metrics then take hardly longer, and score no worse.
const MOST_COLUMNS: usize = 320;

/// Gradient-boosted trees on views of a window.
///
/// Each tree is a step down the log loss of the training windows, grown at the leaf that gains most; after each the
/// validation windows are looked at, and when their loss has not fallen for a while, the trees up to its least are
/// kept. Tree size is chosen on validation too: a month of early warnings, where little can be known, wants trees of
/// four leaves, a year of them sixteen. Missing values go to the side of a split that they fit better. Features need
/// no normalisation, but a service's own normal helps where services differ.
///
/// | setting | meaning | default | range |
/// |---|---|---|---|
/// | [`views`](Self::with_views) | what is seen of each feature in a window | every row, mean, deviation, range, changes | |
/// | [`leaves`](Self::with_leaves) | most leaves of a tree, tried from small to large | 4, 8, 16 | 2 to 65,536 |
/// | [`learning_rate`](Self::with_learning_rate) | share of the way to a leaf's minimum | 0.05 | above 0, up to 1 |
/// | [`trees`](Self::with_trees) | most trees, and trees without a gain on validation before the end | 2,000 and 100 | at least 1 |
/// | [`l2`](Self::with_shrinkage) | penalty on the square of leaf values | 10 | above 0 |
/// | [`least_curvature`](Self::with_shrinkage) | least sum of `p (1 - p)` in a leaf | 2 | above 0 |
/// | [`row_share`](Self::with_shares) | share of the windows that a tree is grown on | 0.5 | above 0, up to 1 |
/// | [`column_share`](Self::with_shares) | share of the columns that a tree is grown on | as many as 320 | above 0, up to 1 |
/// | [`bins`](Self::with_bins) | most bins of a column | 255 | 2 to 255 |
/// | [`class_weight`](Self::with_class_weight) | how much a window of each class counts | each the same | |
/// | [`seed`](Self::with_seed) | seed of what is sampled | 7 | |
/// | [`threads`](Self::with_threads) | threads; they change no result | one a processor | at least 1 |
///
/// A value out of range is [`CoreError::InvalidSetting`] from `fit`, which names the first such setting.
///
/// Where windows have [soft labels](LabelledWindows::soft_label), the loss is against these, in train and validation.
/// The log-odds `x` of the trees that are kept then become `a x + b`, which fits the labels of validation best, so that
/// a score is still the probability of a positive window. Where validation tells no rising line, as with one class
/// only, the labels of train do; where these tell none either, scores stay those of the soft labels.
///
/// Columns are put into at most 255 bins of about equally many training windows, a byte each. Memory is a byte for
/// each window and column; time is about a nanosecond for each byte and level of a tree, shared out to `threads`,
/// which change no result. The same seed gives the same bytes on every machine.
///
/// # References
/// J. Friedman, *Greedy function approximation: a gradient boosting machine*, Annals of Statistics 29(5), 2001; G. Ke
/// et al., *LightGBM: a highly efficient gradient boosting decision tree*, `NeurIPS` 2017; T. Chen and C. Guestrin,
/// *XGBoost: a scalable tree boosting system*, KDD 2016.
#[derive(Clone, Debug, PartialEq)]
pub struct BoostedTrees {
    views: Option<Vec<View>>,
    viewed: Option<Vec<String>>,
    leaves: Vec<usize>,
    learning_rate: f64,
    most_trees: usize,
    patience: usize,
    l2: f64,
    least_curvature: f64,
    row_share: f64,
    column_share: Option<f64>,
    bins: usize,
    class_weight: ClassWeight,
    seed: u64,
    threads: usize,
}

impl Default for BoostedTrees {
    /// All rows of the window, and mean, deviation, range and changes, of every feature; trees of 4 leaves, or 8 or
    /// 16 if validation prefers them, each on half of the windows (of rare events, fewer
    /// [negative ones](Self::with_shares)) and at most 320 columns; at most 2,000 trees with a
    /// learning rate of 0.05, until validation has not gained for 100.
    fn default() -> Self {
        Self {
            views: None,
            viewed: None,
            leaves: vec![4, 8, 16],
            learning_rate: 0.05,
            most_trees: 2000,
            patience: 100,
            l2: 10.0,
            least_curvature: 2.0,
            row_share: 0.5,
            column_share: None,
            bins: 255,
            class_weight: ClassWeight::None,
            seed: 7,
            threads: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl BoostedTrees {
    /// With these views of every feature instead of [`View::all`].
    #[must_use]
    pub fn with_views(self, views: Vec<View>) -> Self {
        Self { views: Some(views), ..self }
    }

    /// With views of these features only, which come first; of the features behind them the last row is seen. For
    /// features that look back by themselves, such as means of hours: ten rows of each would be ten times the same.
    #[must_use]
    pub fn with_views_of(self, features: Vec<String>) -> Self {
        Self { viewed: Some(features), ..self }
    }

    /// With trees of at most this number of leaves. Several numbers are tried one after another, each at the cost of
    /// a fit, until one has no smaller validation loss than the one before, which is then taken.
    #[must_use]
    pub fn with_leaves(self, leaves: &[usize]) -> Self {
        Self { leaves: leaves.to_vec(), ..self }
    }

    /// With steps of this share of the way to a leaf's minimum, above 0 and up to 1.
    #[must_use]
    pub fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self { learning_rate, ..self }
    }

    /// With at most this number of trees, and an end when validation has not gained for `patience` of them.
    #[must_use]
    pub fn with_trees(self, most_trees: usize, patience: usize) -> Self {
        Self { most_trees, patience, ..self }
    }

    /// With this penalty on the square of leaf values, and at least so much curvature, which is `p (1 - p)` of a
    /// window, in a leaf.
    #[must_use]
    pub fn with_shrinkage(self, l2: f64, least_curvature: f64) -> Self {
        Self { l2, least_curvature, ..self }
    }

    /// Each tree on this share of windows and of columns, above 0 and up to 1. Below 1, where there are more than 20
    /// negative windows for a positive one, and more than 30,000, a tree is grown on no more than these, which stand
    /// for the others, and on all positive ones.
    #[must_use]
    pub fn with_shares(self, rows: f64, columns: f64) -> Self {
        Self { row_share: rows, column_share: Some(columns), ..self }
    }

    /// With at most this number of bins a column, 2 to 255.
    #[must_use]
    pub fn with_bins(self, bins: usize) -> Self {
        Self { bins, ..self }
    }

    /// With these class weights.
    #[must_use]
    pub fn with_class_weight(self, class_weight: ClassWeight) -> Self {
        Self { class_weight, ..self }
    }

    /// With another seed for what is sampled.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// On this number of threads instead of one for each processor.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Fits on examples without a clock; whoever split them answers for `train` and `validation` sharing none.
    ///
    /// # Errors
    /// As [`Estimator::fit`], and [`CoreError::FeatureMismatch`] for a validation set of other features.
    pub fn fit_snapshots(
        &self,
        train: &Snapshots,
        validation: &Snapshots,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedTrees, CoreError> {
        self.fit_on(train.labelled(), validation.labelled(), monitor)
    }

    fn check(&self) -> Result<(), CoreError> {
        let refuse = |name, value: String, expected| Err(CoreError::InvalidSetting { name, value, expected });
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let share = |value: f64| value > 0.0 && value <= 1.0;
        if self.leaves.is_empty() || self.leaves.iter().any(|leaves| !(2..=65_536).contains(leaves)) {
            return refuse("leaves", format!("{:?}", self.leaves), "numbers of 2 to 65536");
        }
        if !share(self.learning_rate) {
            return refuse("learning rate", self.learning_rate.to_string(), "a number above 0 and up to 1");
        }
        if self.most_trees == 0 || self.patience == 0 {
            return refuse(
                "trees and patience",
                format!("{} and {}", self.most_trees, self.patience),
                "at least 1 each",
            );
        }
        for (name, value) in [("L2 of leaves", self.l2), ("least curvature", self.least_curvature)] {
            if !positive(value) {
                return refuse(name, value.to_string(), "a positive number");
            }
        }
        let column_share = self.column_share.unwrap_or(1.0);
        for (name, value) in [("share of rows", self.row_share), ("share of columns", column_share)] {
            if !share(value) {
                return refuse(name, value.to_string(), "a number above 0 and up to 1");
            }
        }
        if !(2..=255).contains(&self.bins) {
            return refuse("bins", self.bins.to_string(), "2 to 255");
        }
        Ok(())
    }

    fn fit_on(
        &self,
        train: LabelledWindows<'_>,
        validation: LabelledWindows<'_>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedTrees, CoreError> {
        self.check()?;
        train.expect_both_classes("train")?;
        let windows = train.windows();
        let (schema, observation) = (windows.schema(), windows.observation());
        validation.windows().expect(schema, observation)?;
        if validation.positive().is_empty() {
            return Err(CoreError::EmptyPart { part: "validation" });
        }
        if let Some(outcome) = schema.metrics().iter().find(|metric| metric.kind == Kind::Outcome) {
            let metric = outcome.name.clone();
            return Err(BaselineError::OutcomeAsInput { metric }.of("boosted trees"));
        }
        let views = self.views.clone().unwrap_or_else(|| View::all(observation));
        let described = format!("{views:?}");
        let Some(views) = Views::new(views, schema.len(), observation) else {
            let expected = "at least one, within the rows of a window";
            return Err(CoreError::InvalidSetting { name: "views", value: described, expected });
        };
        let views = match &self.viewed {
            None => views,
            Some(names) => {
                let first = schema.names().take_while(|name| names.iter().any(|known| known == name)).count();
                let expected = "features of which at least one comes first";
                let none = CoreError::InvalidSetting {
                    name: "viewed features",
                    value: format!("{names:?}"),
                    expected,
                };
                views.of_first(first).ok_or(none)?
            }
        };
        let threads = self.threads.max(1);
        let seen = |windows| Seen { windows, views: &views };
        let class_weights = self.class_weight.weights(train);
        let examples = Examples::train(&seen(windows), train, class_weights, self.bins, threads);
        let held_out = examples.validation(&seen(validation.windows()), validation, threads);
        let most_columns = MOST_COLUMNS as f64 / views.columns() as f64;
        let grow = |leaves, monitor: &mut dyn Monitor| {
            let plan = Plan {
                limits: Limits { leaves, l2: self.l2, least_curvature: self.least_curvature, threads },
                rate: self.learning_rate,
                most_trees: self.most_trees,
                patience: self.patience,
                row_share: self.row_share,
                column_share: self.column_share.unwrap_or(most_columns.min(1.0)),
                seed: self.seed,
            };
            boost(&examples, &held_out, &plan, monitor)
        };
        let (first, larger) = self.leaves.split_first().expect("there is at least one number of leaves");
        let (mut forest, mut end) = grow(*first, monitor);
        for &leaves in larger {
            if monitor.should_stop() {
                break;
            }
            let next = grow(leaves, monitor);
            if next.1.validation_log_loss >= end.validation_log_loss {
                break;
            }
            (forest, end) = next;
        }
        FittedTrees::new(windows, views, forest, end)
    }
}

impl Estimator for BoostedTrees {
    type Fitted = FittedTrees;

    /// Fits on the training windows; validation decides on the number of trees and on their size.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`]; [`CoreError::InvalidSetting`] for settings out of their range or views beyond the
    /// window; [`CoreError::Outside`] with a [`BaselineError`] for an outcome among the features.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedTrees, CoreError> {
        self.fit_on(*train, *validation, monitor)
    }
}

/// Windows as rows of a table.
struct Seen<'a> {
    windows: Windows<'a>,
    views: &'a Views,
}

impl RowWriter for Seen<'_> {
    fn rows(&self) -> usize {
        self.windows.len()
    }

    fn columns(&self) -> usize {
        self.views.columns()
    }

    fn write(&self, row: usize, out: &mut [f32]) {
        if let Some(window) = self.windows.get(row) {
            self.views.write(window, out, &mut Vec::new());
        }
    }
}

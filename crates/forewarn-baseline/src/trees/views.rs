use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};

/// One way of looking at a feature of a window; applied to every feature, it gives a column a feature.
///
/// Statistics are over the samples present and missing where there are too few of them, one or, for a slope, two.
/// Steps are rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum View {
    /// The sample a number of steps before the last row; 0 is the last row.
    At(u32),
    /// Mean over the window.
    Mean,
    /// Standard deviation over the window.
    Deviation,
    /// Least sample of the window.
    Minimum,
    /// Greatest sample of the window.
    Maximum,
    /// Greatest less least sample.
    Range,
    /// Slope of the least-squares line, a step.
    Slope,
    /// Last row less the row a number of steps before it.
    Change(u32),
}

impl View {
    /// The window row by row, from the last row back: flattened.
    #[must_use]
    pub fn rows(observation: usize) -> Vec<Self> {
        (0..u32::try_from(observation).unwrap_or(u32::MAX)).map(Self::At).collect()
    }

    /// The last row, mean, deviation, range, and changes over one step, a little less than half of the window, and
    /// all of it.
    #[must_use]
    pub fn aggregates(observation: usize) -> Vec<Self> {
        let longest = u32::try_from(observation.saturating_sub(1)).unwrap_or(u32::MAX);
        let mut views = vec![Self::At(0), Self::Mean, Self::Deviation, Self::Range];
        let mut changes = vec![1, longest / 2, longest];
        changes.retain(|&steps| (1..=longest).contains(&steps));
        changes.dedup();
        views.extend(changes.into_iter().map(Self::Change));
        if longest == 0 { vec![Self::At(0)] } else { views }
    }

    /// [`rows`](Self::rows) and [`aggregates`](Self::aggregates), each view once.
    #[must_use]
    pub fn all(observation: usize) -> Vec<Self> {
        let mut views = Self::rows(observation);
        views.extend(Self::aggregates(observation).into_iter().filter(|view| *view != Self::At(0)));
        views
    }

    /// Steps back that the view reaches, so that a window must have one row more.
    pub(crate) fn reach(self) -> usize {
        match self {
            Self::At(steps) | Self::Change(steps) => steps as usize,
            _ => 0,
        }
    }

    /// The view in words.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::At(0) => "last".to_owned(),
            Self::At(1) => "1 step before".to_owned(),
            Self::At(steps) => format!("{steps} steps before"),
            Self::Mean => "mean".to_owned(),
            Self::Deviation => "standard deviation".to_owned(),
            Self::Minimum => "minimum".to_owned(),
            Self::Maximum => "maximum".to_owned(),
            Self::Range => "range".to_owned(),
            Self::Slope => "slope".to_owned(),
            Self::Change(1) => "change over 1 step".to_owned(),
            Self::Change(steps) => format!("change over {steps} steps"),
        }
    }

    /// First and last row that the view looks at, in steps before the last.
    pub(crate) fn span(self, observation: usize) -> (u32, u32) {
        match self {
            Self::At(steps) => (steps, steps),
            Self::Change(steps) => (steps, 0),
            _ => (u32::try_from(observation.saturating_sub(1)).unwrap_or(u32::MAX), 0),
        }
    }
}

/// Several views of the first features, and the last row of all others: a window as one row of columns, view after
/// view, each with a column a feature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Views {
    views: Vec<View>,
    width: usize,
    /// Features that the views are of; of those behind them only the last row is seen.
    viewed: usize,
    observation: usize,
    has_statistics: bool,
    has_slopes: bool,
}

impl Views {
    /// Views of windows of `observation` rows of `width` features; `None` for no view, or one that reaches beyond the
    /// window.
    pub(crate) fn new(views: Vec<View>, width: usize, observation: usize) -> Option<Self> {
        let fits = !views.is_empty() && views.iter().all(|view| view.reach() < observation);
        let has_statistics = views.iter().any(|view| !matches!(view, View::At(_) | View::Change(_)));
        let has_slopes = views.contains(&View::Slope);
        fits.then_some(Self { views, width, viewed: width, observation, has_statistics, has_slopes })
    }

    /// With views of the first `viewed` features only; `None` for none, or more than there are.
    pub(crate) fn of_first(self, viewed: usize) -> Option<Self> {
        (1..=self.width).contains(&viewed).then_some(Self { viewed, ..self })
    }

    /// Features that the views are of.
    pub(crate) fn viewed(&self) -> usize {
        self.viewed
    }

    pub(crate) fn as_slice(&self) -> &[View] {
        &self.views
    }

    pub(crate) fn columns(&self) -> usize {
        self.views.len() * self.viewed + self.width - self.viewed
    }

    /// View and feature of a column.
    pub(crate) fn place(&self, column: usize) -> (View, usize) {
        let of_views = self.views.len() * self.viewed;
        match column.checked_sub(of_views) {
            Some(behind) => (View::At(0), self.viewed + behind),
            None => (self.views[column / self.viewed], column % self.viewed),
        }
    }

    /// What a column is called, such as `error_rate, mean`.
    pub(crate) fn name(&self, schema: &Schema, column: usize) -> String {
        let (view, feature) = self.place(column);
        let metric = schema.metrics().get(feature).map_or("", |metric| metric.name.as_str());
        format!("{metric}, {}", view.describe())
    }

    /// Writes the columns of a row-major window.
    pub(crate) fn write(&self, window: &[f32], columns: &mut [f32], scratch: &mut Vec<Summary>) {
        let row = |steps: u32| {
            let start = (self.observation - 1 - steps as usize) * self.width;
            &window[start..start + self.viewed]
        };
        if self.has_statistics {
            summarise(window, self.width, self.viewed, self.has_slopes, scratch);
        }
        let (columns, behind) = columns.split_at_mut(self.views.len() * self.viewed);
        let last = (self.observation - 1) * self.width;
        behind.copy_from_slice(&window[last + self.viewed..last + self.width]);
        for (view, out) in self.views.iter().zip(columns.chunks_exact_mut(self.viewed)) {
            match *view {
                View::At(steps) => out.copy_from_slice(row(steps)),
                View::Change(steps) => {
                    for ((out, last), before) in out.iter_mut().zip(row(0)).zip(row(steps)) {
                        *out = last - before;
                    }
                }
                view => {
                    for (out, summary) in out.iter_mut().zip(&*scratch) {
                        *out = summary.of(view);
                    }
                }
            }
        }
    }
}

/// Sums over the samples of one feature of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    count: f64,
    mean: f64,
    square: f64,
    least: f32,
    greatest: f32,
    time: f64,
    time_square: f64,
    product: f64,
}

impl Summary {
    const NONE: Self = Self {
        count: 0.0,
        mean: 0.0,
        square: 0.0,
        least: f32::INFINITY,
        greatest: f32::NEG_INFINITY,
        time: 0.0,
        time_square: 0.0,
        product: 0.0,
    };

    /// One more sample, by Welford's recurrence, which loses nothing to a mean that is large against the deviations.
    /// `weights` has one over each count.
    fn push(&mut self, sample: f32, weights: &[f64]) {
        let value = f64::from(sample);
        let off = value - self.mean;
        let weight = weights.get(self.count as usize).copied().unwrap_or(0.0);
        self.count += 1.0;
        self.mean += off * weight;
        self.square += off * (value - self.mean);
        self.least = self.least.min(sample);
        self.greatest = self.greatest.max(sample);
    }

    /// The same with what slopes need.
    fn push_at(&mut self, time: f64, sample: f32, weights: &[f64]) {
        let weight = weights.get(self.count as usize).copied().unwrap_or(0.0);
        self.push(sample, weights);
        let off_time = time - self.time;
        self.time += off_time * weight;
        self.time_square += off_time * (time - self.time);
        self.product += off_time * (f64::from(sample) - self.mean);
    }

    fn of(&self, view: View) -> f32 {
        let needed = if view == View::Slope { 2.0 } else { 1.0 };
        if self.count < needed {
            return f32::NAN;
        }
        match view {
            View::Mean => self.mean as f32,
            View::Deviation => (self.square.max(0.0) / self.count).sqrt() as f32,
            View::Minimum => self.least,
            View::Maximum => self.greatest,
            View::Range => self.greatest - self.least,
            View::Slope => (self.product / self.time_square) as f32,
            View::At(_) | View::Change(_) => f32::NAN,
        }
    }
}

/// Sums over each of the first `viewed` features of a window, by Welford's recurrence.
fn summarise(window: &[f32], width: usize, viewed: usize, has_slopes: bool, summaries: &mut Vec<Summary>) {
    summaries.clear();
    summaries.resize(viewed, Summary::NONE);
    let rows = window.len() / width.max(1);
    let few: [f64; FEW_ROWS] = std::array::from_fn(|count| 1.0 / (count as f64 + 1.0));
    let many: Vec<f64>;
    let weights = if rows <= FEW_ROWS {
        &few[..]
    } else {
        many = (1..=rows).map(|count| 1.0 / count as f64).collect();
        &many
    };
    if !has_slopes && viewed >= STRIP && window.iter().all(|sample| !sample.is_nan()) {
        // Strips overlap where they do not fill the features; both then find the same.
        for first in (0..viewed.div_ceil(STRIP)).map(|strip| (strip * STRIP).min(viewed - STRIP)) {
            summarise_strip(window, width, first, weights, &mut summaries[first..first + STRIP]);
        }
        return;
    }
    for (time, row) in window.chunks_exact(width).enumerate() {
        for (summary, &sample) in summaries.iter_mut().zip(row).filter(|(_, sample)| !sample.is_nan()) {
            if has_slopes {
                summary.push_at(time as f64, sample, weights);
            } else {
                summary.push(sample, weights);
            }
        }
    }
}

/// Features that are summarised side by side.
const STRIP: usize = 8;

/// What [`Summary::push`] makes of the features from `first` on of a window without gaps, bit for bit.
fn summarise_strip(window: &[f32], width: usize, first: usize, weights: &[f64], summaries: &mut [Summary]) {
    let (mut mean, mut square) = ([0.0_f64; STRIP], [0.0_f64; STRIP]);
    let (mut least, mut greatest) = ([f32::INFINITY; STRIP], [f32::NEG_INFINITY; STRIP]);
    let mut count = 0.0;
    for (row, &weight) in window.chunks_exact(width).zip(weights) {
        let Some(samples) = row[first..].first_chunk::<STRIP>() else { continue };
        for feature in 0..STRIP {
            let value = f64::from(samples[feature]);
            let off = value - mean[feature];
            mean[feature] += off * weight;
            square[feature] += off * (value - mean[feature]);
            least[feature] = least[feature].min(samples[feature]);
            greatest[feature] = greatest[feature].max(samples[feature]);
        }
        count += 1.0;
    }
    for (feature, summary) in summaries.iter_mut().enumerate() {
        (summary.count, summary.mean, summary.square) = (count, mean[feature], square[feature]);
        (summary.least, summary.greatest) = (least[feature], greatest[feature]);
    }
}

/// Rows of a window whose weights need no memory.
const FEW_ROWS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Metric;

    const NAN: f32 = f32::NAN;

    #[test]
    fn columns_are_views_of_features() {
        // Feature a: 1, missing, 4, 3; feature b is never seen.
        let window = [1.0, NAN, NAN, NAN, 4.0, NAN, 3.0, NAN];
        let all = [
            (View::At(0), 3.0),
            (View::At(2), NAN),
            (View::Mean, 8.0 / 3.0),
            (View::Deviation, (14.0f32 / 9.0).sqrt()),
            (View::Minimum, 1.0),
            (View::Maximum, 4.0),
            (View::Range, 3.0),
            // Times 0, 2, 3 and values 1, 4, 3 about their means: 33/9 over 42/9.
            (View::Slope, 11.0 / 14.0),
            (View::Change(1), -1.0),
            (View::Change(2), NAN),
        ];
        let views = Views::new(all.iter().map(|&(view, _)| view).collect(), 2, 4).unwrap();
        let mut columns = vec![0.0; views.columns()];
        views.write(&window, &mut columns, &mut Vec::new());
        for ((view, expected), pair) in all.iter().zip(columns.chunks(2)) {
            assert!(
                (pair[0] - expected).abs() < 1e-6 || (pair[0].is_nan() && expected.is_nan()),
                "{view:?}: {}",
                pair[0]
            );
            assert!(pair[1].is_nan());
        }
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap();
        assert_eq!(views.name(&schema, 3), "b, 2 steps before");
        assert_eq!(views.place(16), (View::Change(1), 0));
    }

    #[test]
    fn side_by_side_is_one_by_one() {
        let statistics = [View::Mean, View::Deviation, View::Minimum, View::Maximum, View::Range];
        for (width, viewed, rows) in [(8, 8, 10), (19, 19, 10), (13, 11, 40), (9, 9, 1)] {
            let sample = |place: usize| ((place * 7919 + 13) % 1009) as f32 * 0.37 - 150.0;
            let window: Vec<f32> = (0..width * rows).map(sample).collect();
            let (mut together, mut alone) = (Vec::new(), Vec::new());
            summarise(&window, width, viewed, false, &mut together);
            summarise(&window, width, viewed, true, &mut alone);
            for (a, b) in together.iter().zip(&alone) {
                for view in statistics {
                    assert_eq!(
                        a.of(view).to_bits(),
                        b.of(view).to_bits(),
                        "{view:?} of {width}, {viewed}, {rows}"
                    );
                }
            }
            assert_eq!((together.len(), alone.len()), (viewed, viewed));
        }
    }

    #[test]
    fn features_behind_the_viewed_ones_are_seen_in_the_last_row() {
        // Features a, b and c over three rows; views are of a alone.
        let window = [1.0, 5.0, NAN, 2.0, 6.0, 8.0, 4.0, 7.0, 9.0];
        let views = Views::new(vec![View::At(0), View::Change(1), View::Maximum], 3, 3).unwrap();
        let views = views.of_first(1).unwrap();
        let mut columns = vec![0.0; views.columns()];
        views.write(&window, &mut columns, &mut Vec::new());
        assert_eq!(columns, [4.0, 2.0, 4.0, 7.0, 9.0]);
        let places: Vec<_> = (0..5).map(|column| views.place(column)).collect();
        assert_eq!(places[2..], [(View::Maximum, 0), (View::At(0), 1), (View::At(0), 2)]);
        assert!(views.clone().of_first(0).is_none() && views.of_first(4).is_none());
    }

    #[test]
    fn views_stay_within_the_window() {
        assert!(Views::new(vec![View::At(3)], 2, 4).is_some());
        assert!(Views::new(vec![View::At(4)], 2, 4).is_none() && Views::new(Vec::new(), 2, 4).is_none());
        for observation in 1..12 {
            for views in [View::rows(observation), View::aggregates(observation), View::all(observation)] {
                assert!(Views::new(views.clone(), 1, observation).is_some(), "{observation}");
                assert!(views.iter().enumerate().all(|(at, view)| !views[..at].contains(view)), "{views:?}");
            }
        }
        assert_eq!((View::all(10).len(), View::all(1)), (16, vec![View::At(0)]));
        assert_eq!(View::aggregates(10)[4..], [View::Change(1), View::Change(4), View::Change(9)]);
        assert_eq!((View::At(3).span(10), View::Mean.span(10)), ((3, 3), (9, 0)));
    }
}

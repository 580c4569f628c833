use super::{LeakCheck, checked};
use crate::{EvalError, both::both, roc_auc};
use forewarn_core::{LabelledWindows, Score};
use std::ops::Range;

/// A ROC-AUC that no single honest feature reaches.
const TELLING: f64 = 0.98;

/// How well the last sample of each feature alone tells the classes apart, in either direction.
pub(super) fn check(test: LabelledWindows<'_>) -> Result<LeakCheck, EvalError> {
    test.expect_both_classes("test")?;
    let windows = test.windows();
    let names: Vec<&str> = windows.schema().names().collect();
    // The area of each of some features; `None` where it has no samples of both classes.
    let areas = |features: Range<usize>| -> Result<Vec<Option<f64>>, EvalError> {
        let area = |feature: usize| {
            let known = windows.iter_last().zip(test.positive());
            let known = known.map(|(row, &positive)| (row[feature], positive));
            let (values, positive): (Vec<f32>, Vec<bool>) =
                known.filter(|(value, _)| !value.is_nan()).unzip();
            if !positive.contains(&true) || !positive.contains(&false) {
                return Ok(None);
            }
            let area = roc_auc(&ranks(&values)?, &positive)?;
            Ok(Some(area.max(1.0 - area)))
        };
        features.map(area).collect()
    };
    let middle = names.len() / 2;
    let (first, second) = both(|| areas(0..middle), || areas(middle..names.len()));
    let mut best: Option<(f64, &str)> = None;
    for (telling, name) in first?.into_iter().chain(second?).zip(names) {
        if let Some(telling) = telling.filter(|&telling| best.is_none_or(|(most, _)| telling > most)) {
            best = Some((telling, name));
        }
    }
    let Some((area, name)) = best else {
        return Ok(checked(
            "telling feature",
            false,
            "no feature has samples in windows of both classes".to_owned(),
        ));
    };
    let text = if area >= TELLING {
        format!("{name} alone has a ROC-AUC of {area:.4}: does it know the outcome?")
    } else {
        format!("the most telling single feature is {name}, with a ROC-AUC of {area:.4}")
    };
    Ok(checked("telling feature", area >= TELLING, text))
}

/// Values as scores of the same order: their places among the distinct ones. Exact for up to 2^24 distinct values.
fn ranks(values: &[f32]) -> Result<Vec<Score>, EvalError> {
    // Sorted with where they come from, so that no place has to be looked up among millions.
    let mut sorted: Vec<(f32, u32)> = values.iter().copied().zip(0..).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let is_new = |pair: &[(f32, u32)]| pair[0].0 != pair[1].0;
    let distinct = 1 + sorted.windows(2).filter(|pair| is_new(pair)).count();
    let mut scores = vec![Score::ZERO; values.len()];
    let mut place = 0usize;
    for (at, &(value, index)) in sorted.iter().enumerate() {
        place += usize::from(at > 0 && value != sorted[at - 1].0);
        scores[index as usize] = Score::new(place as f32 / distinct as f32)?;
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_places_among_the_distinct_values() {
        let found = ranks(&[3.0, -0.0, 7.5, 0.0, 3.0, -2.0]).unwrap();
        let expected = [0.5, 0.25, 0.75, 0.25, 0.5, 0.0];
        assert!(found.iter().map(|score| score.get()).eq(expected), "{found:?}");
    }
}

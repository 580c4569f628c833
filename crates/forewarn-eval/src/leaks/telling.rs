use super::{LeakCheck, checked};
use crate::{EvalError, roc_auc};
use forewarn_core::{LabelledWindows, Score};

/// A ROC-AUC that no single honest feature reaches.
const TELLING: f64 = 0.98;

/// How well the last sample of each feature alone tells the classes apart, in either direction.
pub(super) fn check(test: LabelledWindows<'_>) -> Result<LeakCheck, EvalError> {
    test.expect_both_classes("test")?;
    let windows = test.windows();
    let mut best: Option<(f64, &str)> = None;
    for (feature, name) in windows.schema().names().enumerate() {
        let known = windows.iter_last().zip(test.positive()).map(|(row, &positive)| (row[feature], positive));
        let (values, positive): (Vec<f32>, Vec<bool>) = known.filter(|(value, _)| !value.is_nan()).unzip();
        if !positive.contains(&true) || !positive.contains(&false) {
            continue;
        }
        let area = roc_auc(&ranks(&values)?, &positive)?;
        let telling = area.max(1.0 - area);
        if best.is_none_or(|(most, _)| telling > most) {
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

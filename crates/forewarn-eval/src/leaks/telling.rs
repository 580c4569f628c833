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
    let mut distinct = values.to_vec();
    distinct.sort_unstable_by(f32::total_cmp);
    distinct.dedup();
    let place = |value: f32| distinct.partition_point(|&other| other < value) as f32 / distinct.len() as f32;
    values.iter().map(|&value| Ok(Score::new(place(value))?)).collect()
}

use super::{LeakCheck, ScoreRows, checked};
use crate::EvalError;
use forewarn_core::CoreError;
use forewarn_schema::{FrameSet, Timestamp};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

pub(super) fn check(frames: &FrameSet, cut: Timestamp, score: ScoreRows<'_>) -> Result<LeakCheck, EvalError> {
    let (before, after) = (score(frames)?, score(&shuffled(frames, cut)?)?);
    let rows = frames.layout().rows();
    for scores in [&before, &after] {
        if scores.len() != rows {
            let what = "scores of rows";
            return Err(CoreError::LengthMismatch { what, expected: rows, got: scores.len() }.into());
        }
    }
    let (mut seen, mut changed, mut first) = (0usize, 0usize, None);
    for (row, (before, after)) in before.iter().zip(&after).enumerate() {
        let Some((service, time)) = frames.layout().locate(row).filter(|&(_, time)| time <= cut) else {
            continue;
        };
        seen += 1;
        if before != after {
            changed += 1;
            first.get_or_insert((service, time));
        }
    }
    let text = match first {
        None => format!("no score of {seen} rows up to {cut} changed when everything after it was shuffled"),
        Some((service, time)) => {
            let name = frames.layout().services()[service].name();
            format!(
                "{changed} scores of {seen} rows up to {cut} changed when everything after it was shuffled, the first at {time} of \
                 {name}: the model sees the future"
            )
        }
    };
    Ok(checked("shuffled future", changed > 0, text))
}

/// The frames with the rows after `cut` of each service in another order.
fn shuffled(frames: &FrameSet, cut: Timestamp) -> Result<FrameSet, CoreError> {
    let width = frames.schema().len();
    let mut values = frames.values().to_vec();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for service in frames.layout().services() {
        let is_late = |row: &usize| frames.layout().locate(*row).is_some_and(|(_, time)| time > cut);
        let late: Vec<usize> = service.rows().filter(is_late).collect();
        for place in (1..late.len()).rev() {
            let (a, b) = (late[place], late[random.random_range(0..=place)]);
            for metric in 0..width {
                values.swap(a * width + metric, b * width + metric);
            }
        }
    }
    Ok(frames.derive(frames.schema().clone(), values)?)
}

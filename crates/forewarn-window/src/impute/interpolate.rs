use crate::WindowError;
use forewarn_schema::{FrameSet, FrameView};

/// Frames whose gaps were filled by what came before *and after* them. They can be looked at; features and
/// normalisers take a [`FrameSet`], which this is not, so nothing that was made with hindsight becomes the input of a
/// model.
#[derive(Clone, Debug)]
pub struct Hindsight {
    frames: FrameSet,
    filled: Vec<bool>,
}

impl Hindsight {
    /// The frames in order, gaps filled.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = FrameView<'_>> {
        self.frames.frames()
    }

    /// Whether each value of all frames, `[row, metric]`, was filled.
    #[must_use]
    pub fn filled(&self) -> &[bool] {
        &self.filled
    }
}

/// Fills gaps of at most `longest` steps by a straight line between the samples on both sides, for pictures and
/// reports.
///
/// # Errors
/// None for a valid frame set; the type is that of [`FrameSet::derive`].
pub fn interpolate(frames: &FrameSet, longest: usize) -> Result<Hindsight, WindowError> {
    let width = frames.schema().len();
    let mut values = frames.values().to_vec();
    let mut filled = vec![false; values.len()];
    for place in frames.layout().services() {
        for column in 0..width {
            let mut before: Option<usize> = None;
            for row in place.rows() {
                let now = values[row * width + column];
                if now.is_nan() {
                    continue;
                }
                if let Some(last) = before.filter(|&last| row - last > 1 && row - last - 1 <= longest) {
                    let from = f64::from(values[last * width + column]);
                    let slope = (f64::from(now) - from) / (row - last) as f64;
                    for gap in last + 1..row {
                        values[gap * width + column] = (from + slope * (gap - last) as f64) as f32;
                        filled[gap * width + column] = true;
                    }
                }
                before = Some(row);
            }
        }
    }
    Ok(Hindsight { frames: frames.derive(frames.schema().clone(), values)?, filled })
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};

    #[test]
    fn short_gaps_within_a_service_become_lines() {
        const N: f32 = f32::NAN;
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = |service: &str, values: &[f32]| {
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values.to_vec()).unwrap()
        };
        let set = FrameSet::from_frames(vec![
            frame("a", &[N, 1.0, N, 3.0, N, N, N, 7.0, N]),
            frame("b", &[N, 1.0, N, N, 4.0]),
        ])
        .unwrap();
        let made = interpolate(&set, 2).unwrap();
        let shown: Vec<String> = made
            .frames()
            .flat_map(|frame| frame.values().to_vec())
            .map(|v| if v.is_nan() { "?".into() } else { v.to_string() })
            .collect();
        assert_eq!(shown, ["?", "1", "2", "3", "?", "?", "?", "7", "?", "?", "1", "2", "3", "4"]);
        let filled: Vec<usize> = (0..14).filter(|&i| made.filled()[i]).collect();
        assert_eq!(filled, [2, 11, 12]);
    }
}

use forewarn_schema::{FrameSet, SchemaError};

/// What became of missing cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Cells that took the last value before them.
    pub filled: usize,
    /// Cells that stay missing: too long since the last value, or none before.
    pub left: usize,
}

/// Fills each missing sample with the last one before it in the same service and metric, at most `at_most` steps old.
///
/// Uses the past only. Labels must be made from the frames as they were: a carried value is no evidence of health.
///
/// # Errors
/// None for a valid frame set; the type is that of [`FrameSet::map_rows`].
pub fn carry_forward(frames: FrameSet, at_most: usize) -> Result<(FrameSet, Carried), SchemaError> {
    let schema = frames.schema().clone();
    let unseen = vec![(f32::NAN, usize::MAX); schema.len()];
    let (mut last, mut current, mut carried) = (unseen.clone(), 0, Carried::default());
    let filled = frames.map_rows(schema, |service, row| {
        if service != current {
            last.clone_from(&unseen);
            current = service;
        }
        for (value, (last, age)) in row.iter_mut().zip(&mut last) {
            if !value.is_nan() {
                (*last, *age) = (*value, 0);
                continue;
            }
            *age = age.saturating_add(1);
            if *age <= at_most {
                *value = *last;
                carried.filled += 1;
            } else {
                carried.left += 1;
            }
        }
    })?;
    Ok((filled, carried))
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};

    #[test]
    fn values_are_carried_for_a_while_and_never_to_another_service() {
        const N: f32 = f32::NAN;
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = |service: &str, values: &[f32]| {
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values.to_vec()).unwrap()
        };
        let set = FrameSet::from_frames(vec![frame("a", &[N, 1.0, N, N, N, 2.0]), frame("b", &[N, 3.0, N])])
            .unwrap();
        let (filled, carried) = carry_forward(set, 2).unwrap();
        let shown: Vec<_> =
            filled.values().iter().map(|v| if v.is_nan() { "?".into() } else { v.to_string() }).collect();
        assert_eq!(shown, ["?", "1", "1", "1", "?", "2", "?", "3", "3"]);
        assert_eq!(carried, Carried { filled: 3, left: 3 });
    }
}

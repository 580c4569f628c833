//! Frames and labels made by hand.

use forewarn_core::{Label, Labels, Target, WindowSpec};
use forewarn_schema::{Episodes, Frame, FrameSet, Metric, Schema, Step, Timestamp};
use std::sync::Arc;

/// Services `a`, `b`, ... with these numbers of rows; column `x` counts rows, `y` is constant.
pub(crate) fn frames(rows: &[usize]) -> FrameSet {
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
    let names = ["a", "b", "c"];
    let frame = |(&rows, name): (&usize, &&str)| {
        let values = (0..rows).flat_map(|row| [row as f32, 0.1]).collect();
        Frame::new(*name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
    };
    FrameSet::from_frames(rows.iter().zip(&names).map(frame).collect()).unwrap()
}

/// Every seventh row is positive.
pub(crate) fn labels(frames: &FrameSet, spec: WindowSpec) -> Labels {
    let layout = Arc::clone(frames.layout());
    let label = |row| if row % 7 == 0 { Label::Positive } else { Label::Negative };
    let (labels, services) = ((0..layout.rows()).map(label).collect(), layout.services().len());
    Labels::new(layout, spec, Target::Onset, 2, labels, vec![Episodes::default(); services]).unwrap()
}
